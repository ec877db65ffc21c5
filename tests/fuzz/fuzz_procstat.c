/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "procstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_procstat stat;
	struct mig_nodeset nodes;
	pid_t pid;

	if (!mig_procstat_parse(text, &stat)) {
		CHECK(stat.parent >= 0);
		CHECK(stat.name.at > text.at);
		CHECK(stat.name.at + stat.name.length < text.at + text.length);
	}
	if (!mig_procstatus_parse_group(text, &pid))
		CHECK(pid > 0);
	memset(&nodes, 0x55, sizeof(nodes));
	/* Untouched on failure. */
	if (mig_procstatus_parse_mems_allowed(text, &nodes) < 0)
		CHECK(nodes.bits[0] == UINT64_C(0x5555555555555555));
	return 0;
}
