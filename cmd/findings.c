/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "findings.h"

#include <stdio.h>

#include "message.h"
#include "output.h"

/* The same finding for many processes is said for a few of them only. */
#define MOST_ALIKE 3

static void word(const struct mig_finding *finding, char *text, size_t size)
{
	char needed[OUTPUT_BYTES_SIZE], room[OUTPUT_BYTES_SIZE];
	int pid = finding->process ? mig_process_get_pid(finding->process) : 0;

	output_format_bytes(finding->needed_bytes, false, needed);
	output_format_bytes(finding->room_bytes, false, room);
	switch (finding->code) {
	case MIG_FINDING_NO_ROOM:
		snprintf(text, size, "%s would go to node %d, which has room for %s",
			 needed, finding->node, room);
		break;
	case MIG_FINDING_CPUSET_TARGET:
		snprintf(text, size, "the cpuset of pid %d does not allow node %d", pid,
			 finding->node);
		break;
	case MIG_FINDING_CPUSET_CALLER:
		snprintf(text, size, "the cpuset of migratectl does not allow node %d",
			 finding->node);
		break;
	case MIG_FINDING_NO_SYS_NICE:
		snprintf(text, size, "shared pages are moved only with CAP_SYS_NICE");
		break;
	case MIG_FINDING_NO_ACCESS:
		snprintf(text, size, "pid %d: not permitted to move its memory", pid);
		break;
	case MIG_FINDING_BOUND:
		snprintf(
			text, size,
			"pid %d: a memory policy binds %s elsewhere: new pages, and what "
			"is swapped in, go there",
			pid, needed);
		break;
	case MIG_FINDING_NUMA_BALANCING:
		snprintf(text, size,
			 "pid %d runs on other nodes: NUMA balancing may move pages back",
			 pid);
		break;
	case MIG_FINDING_PROCESS_GONE:
		snprintf(text, size, "pid %d has exited", pid);
		break;
	case MIG_FINDING_DIRTY:
		snprintf(text, size,
			 "%s may be dirty on file systems that may have to write it out: "
			 "it is passed over where they do",
			 needed);
		break;
	}
}

static const char *hint_for(enum mig_finding_code code)
{
	switch (code) {
	case MIG_FINDING_NO_ROOM:
		return "--force moves what fits; or name more nodes with --to";
	case MIG_FINDING_CPUSET_TARGET:
		return "add the node to cpuset.mems of its cgroup and of those above it";
	case MIG_FINDING_CPUSET_CALLER:
		return "run migratectl in a cgroup that may use the node";
	case MIG_FINDING_NO_SYS_NICE:
		return "leave --shared out, or run as root";
	case MIG_FINDING_NO_ACCESS:
		return "other users' processes need CAP_SYS_PTRACE and "
		       "CAP_DAC_READ_SEARCH: try as root";
	case MIG_FINDING_NUMA_BALANCING:
		return "--settle shows whether they come back; kernel.numa_balancing=0 "
		       "prevents it";
	case MIG_FINDING_DIRTY:
		return "--writeback moves it all the same; or sync(1) the files first";
	default:
		return NULL;
	}
}

int findings_say(const struct mig_plan *plan, bool force, unsigned int ignored)
{
	unsigned int alike[MIG_FINDING_DIRTY + 1] = { 0 };
	const struct mig_finding *finding;
	bool refused = false;

	for (size_t i = 0; (finding = mig_plan_get_finding(plan, i)); i++) {
		const struct mig_finding *next = mig_plan_get_finding(plan, i + 1);
		char text[256];

		if (ignored >> finding->code & 1)
			continue;
		if (alike[finding->code]++ < MOST_ALIKE) {
			word(finding, text, sizeof(text));
			if (finding->refuses && !force)
				message_error("%s", text);
			else
				message_warning("%s", text);
		}
		refused |= finding->refuses;
		if (next && next->code == finding->code)
			continue;
		if (alike[finding->code] > MOST_ALIKE)
			message_warning("and so for %u more",
					alike[finding->code] - MOST_ALIKE);
		if (hint_for(finding->code))
			message_hint("%s", hint_for(finding->code));
	}
	return refused && !force ? STATUS_FAILED : STATUS_OK;
}
