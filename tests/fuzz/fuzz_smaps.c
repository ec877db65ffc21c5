/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "smaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_smaps_count count = { .pmd_bytes = UINT64_C(2) << 20 };

	while (text.length)
		if (mig_smaps_take_line(&count, mig_text_take_line(&text)) < 0)
			return 0;
	CHECK(count.nr_sizes <= MIG_MOST_HUGE_SIZES);
	for (size_t i = 1; i < count.nr_sizes; i++)
		CHECK(count.sizes[i - 1].size_bytes < count.sizes[i].size_bytes);
	return 0;
}
