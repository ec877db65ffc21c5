/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>

#include "handles.h"
#include "numbered.h"
#include "process.h"
#include "target.h"

struct scan {
	struct mig_target *target;
	size_t nr_refused;
};

/*
 * Whoever has the number when it is opened is a process of this machine, so that the
 * list need not be read a second time.
 */
static int add_listed(void *data, uint64_t number)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct scan *scan = data;
	struct mig_held_set *held = &scan->target->held;
	bool is_live = scan->target->context->live;
	int r;

	if (!number || number > INT_MAX || (is_live && (pid_t)number == getpid()) ||
	    mig_held_find(held, (pid_t)number))
		return 0;
	r = mig_process_open_leader(scan->target->context, (pid_t)number, &process);
	/* Gone, a kernel thread or a zombie: nothing to look at or to move. */
	if (r == -ESRCH || r == -ENXIO || r == -ENODATA)
		return 0;
	/* procfs that is mounted with hidepid=1. */
	if (r == -EACCES || r == -EPERM) {
		scan->nr_refused++;
		return 0;
	}
	if (r < 0)
		return r;
	r = mig_held_keep(held, process, MIG_HELD_LISTED);
	if (!r)
		process = NULL;
	return r;
}

int mig_target_scan_everybody(struct mig_target *target)
{
	struct scan scan = { .target = target };
	int r = mig_numbered_visit(target->context, "proc", "", "", add_listed, &scan);

	if (!r)
		target->nr_refused = scan.nr_refused;
	return r;
}

int mig_target_add_everybody(struct mig_target *target)
{
	int r;

	if (!target)
		return -EINVAL;
	r = mig_target_scan_everybody(target);
	if (!r)
		target->has_everybody = true;
	return r;
}
