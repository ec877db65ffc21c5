/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "numa_stat.h"

static void check(struct mig_text text, size_t page_size, struct mig_numa_stat *stat)
{
	if (mig_numa_stat_parse(text, page_size, stat) < 0)
		return;
	for (size_t charge = 0; charge < MIG_NR_CHARGES; charge++)
		for (size_t node = 0; node < MIG_MAX_NODES; node++) {
			uint64_t bytes = stat->bytes[charge][node];

			CHECK(stat->is_known[charge] || !bytes);
			CHECK(!page_size || bytes % page_size == 0);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_numa_stat *stat = malloc(sizeof(*stat));

	CHECK(stat);
	check(text, 0, stat);
	check(text, 4096, stat);
	free(stat);
	return 0;
}
