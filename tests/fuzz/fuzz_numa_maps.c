/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "numa_maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_numa_maps_line line = { 0 };
	uint64_t sum = 0;

	if (mig_numa_maps_parse(text, &line) < 0)
		return 0;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		CHECK(!__builtin_add_overflow(sum, line.node_pages[node], &sum));
	CHECK(sum == line.resident_pages);
	CHECK(line.page_size_bytes % 1024 == 0);
	CHECK(line.policy.length > 0);
	CHECK(line.policy.at > text.at);
	CHECK(line.policy.at + line.policy.length <= text.at + text.length);
	return 0;
}
