/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "nodelist.h"

struct count {
	uint64_t ranges;
	uint64_t most;
};

static int check_range(void *data, uint64_t first, uint64_t last)
{
	struct count *count = data;

	CHECK(first <= last);
	count->ranges++;
	if (last > count->most)
		count->most = last;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_nodeset set, empty;
	struct count count = { 0, 0 };
	int parsed = mig_nodelist_parse(text, &set);
	int visited = mig_nodelist_visit(text, check_range, &count);

	memset(&empty, 0, sizeof(empty));
	CHECK(visited <= 0);
	/* Both read the same grammar; only the range of numbers differs. */
	CHECK((parsed == 0) == (visited == 0 && count.most < MIG_MAX_NODES));
	if (parsed == 0)
		CHECK((count.ranges == 0) == !memcmp(&set, &empty, sizeof(set)));
	return 0;
}
