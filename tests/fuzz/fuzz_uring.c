/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "uring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_uring_buffers buffers = { 0 };

	if (mig_uring_parse(text, &buffers) < 0)
		return 0;
	/* The shortest line with a buffer is "0:0x1/1". */
	CHECK(buffers.nr <= size / 7);
	for (size_t i = 0; i < buffers.nr; i++) {
		const struct mig_address_range *range = &buffers.ranges[i];

		CHECK(range->start < range->end);
		CHECK(mig_uring_has(&buffers, range->start, range->end));
	}
	mig_uring_done(&buffers);
	return 0;
}
