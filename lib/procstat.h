/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/PID/stat and the fields of /proc/PID/status that are asked for here. */
#ifndef MIG_PROCSTAT_H
#define MIG_PROCSTAT_H

#include <sys/types.h>

#include "libmigrate.h"
#include "text.h"

struct mig_procstat {
	struct mig_text name; /**< borrowed; may hold ')', blanks and newlines */
	char state;           /**< as 'R', 'S', 'Z' */
	pid_t parent; /**< thread-group id of the parent; 0: outside the namespace */
	bool is_kernel_thread;
	unsigned int cpu; /**< that it last ran on */
	uint64_t
		stack_start; /**< 0: it has no memory, or is not the caller's to look at */
	uint64_t ticks; /**< of the clock (sysconf(3), _SC_CLK_TCK) that it has run */
};

/** mig_procstat_parse - the whole of a stat file. Errors: -EBADMSG. */
int mig_procstat_parse(struct mig_text text, struct mig_procstat *ret_stat);

/** mig_procstat_is_live - false for a zombie and for what is gone behind that. */
bool mig_procstat_is_live(const struct mig_procstat *stat);

/**
 * mig_procstatus_parse_group - "Tgid:" of a status file
 * Errors: -ESRCH: it is 0, as where the process was reaped since its file was opened
 * (fs/proc/array.c, Linux 6.1 to 7.2); -EBADMSG.
 */
int mig_procstatus_parse_group(struct mig_text text, pid_t *ret_pid);

/**
 * mig_procstatus_parse_mems_allowed - "Mems_allowed_list:" of a status file
 *
 * A kernel without cpusets has no such line and allows every node.
 * Errors: -EBADMSG.
 */
int mig_procstatus_parse_mems_allowed(struct mig_text text,
				      struct mig_nodeset *ret_nodes);

#endif
