/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"

#include <errno.h>
#include <stdlib.h>

#include "handles.h"
#include "process.h"

int mig_target_new(struct mig_context *context, struct mig_target **ret_target)
{
	struct mig_target *target;

	if (!context || !ret_target)
		return -EINVAL;
	target = calloc(1, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->context = context;
	target->held.context = context;
	*ret_target = target;
	return 0;
}

void mig_target_free(struct mig_target *target)
{
	if (!target)
		return;
	mig_held_done(&target->held);
	free(target->cgroups);
	free(target->hidden);
	free(target->caches);
	free(target);
}

int mig_target_add_pid(struct mig_target *target, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	int r;

	if (!target)
		return -EINVAL;
	r = mig_process_open(target->context, pid, &process);
	if (r < 0)
		return r;
	if (mig_held_find(&target->held, process->pid))
		return -EEXIST;
	r = mig_held_keep(&target->held, process, MIG_HELD_ALONE);
	if (!r)
		process = NULL;
	return r;
}

int mig_target_rescan(struct mig_target *target, size_t *ret_added)
{
	size_t before;
	int r;

	if (!target || !ret_added)
		return -EINVAL;
	before = target->held.members.count;
	r = mig_held_retry_sharers(&target->held);
	if (!r)
		r = mig_target_scan_trees(target, 0);
	if (!r)
		r = mig_target_scan_cgroups(target);
	if (!r && target->has_everybody)
		r = mig_target_scan_everybody(target);
	if (r < 0)
		return r;
	*ret_added = target->held.members.count - before;
	return 0;
}

size_t mig_target_get_count(const struct mig_target *target)
{
	return target ? target->held.members.count : 0;
}

struct mig_process *mig_target_get_process(const struct mig_target *target, size_t index)
{
	if (!target || index >= target->held.members.count)
		return NULL;
	return target->held.held[target->held.members.places[index]].process;
}

int mig_target_add_files(struct mig_target *target, struct mig_files *files)
{
	if (!target || !files)
		return -EINVAL;
	if (target->files)
		return -EEXIST;
	target->files = files;
	return 0;
}

struct mig_files *mig_target_get_files(const struct mig_target *target)
{
	return target->files;
}
