/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "array.h"
#include "handles.h"
#include "process.h"
#include "target.h"

/* One that was in the list, and is held since. */
struct candidate {
	struct mig_process *process;
	bool is_listed; /**< also after that */
};

struct candidates {
	struct mig_target *target;
	struct candidate *candidates;
	size_t nr;
	size_t capacity;
};

static void cleanup_candidates(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->nr; i++)
		mig_process_free(candidates->candidates[i].process);
	free(candidates->candidates);
}

static int open_candidate(void *data, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct candidates *candidates = data;
	void *array = candidates->candidates;
	int r;

	if (mig_held_find(&candidates->target->held, pid))
		return 0;
	r = mig_process_open_leader(candidates->target->context, pid, &process);
	/* Gone, a kernel thread or a zombie: nothing to look at or to move. */
	if (r == -ESRCH || r == -ENXIO || r == -ENODATA)
		return 0;
	if (!r)
		r = mig_array_reserve(&array, &candidates->capacity, candidates->nr,
				      sizeof(*candidates->candidates));
	candidates->candidates = array;
	if (r < 0)
		return r;
	candidates->candidates[candidates->nr++] =
		(struct candidate){ .process = STEAL(process) };
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return (left->process->pid > right->process->pid) -
	       (left->process->pid < right->process->pid);
}

static int confirm(void *data, pid_t pid)
{
	struct candidates *candidates = data;
	size_t low = 0, high = candidates->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (candidates->candidates[middle].process->pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	/* One that was listed twice has been opened twice. */
	for (; low < candidates->nr && candidates->candidates[low].process->pid == pid;
	     low++)
		candidates->candidates[low].is_listed = true;
	return 0;
}

static int keep_candidates(struct candidates *candidates)
{
	struct mig_held_set *held = &candidates->target->held;

	for (size_t i = 0; i < candidates->nr; i++) {
		struct candidate *candidate = &candidates->candidates[i];
		int r;

		if (!candidate->is_listed ||
		    mig_held_find(held, candidate->process->pid) ||
		    !mig_process_holds_number(candidate->process))
			continue;
		r = mig_held_keep(held, candidate->process, MIG_HELD_LISTED);
		if (r < 0)
			return r;
		candidate->process = NULL;
	}
	return 0;
}

/*
 * A number that was listed may be another process's by the time that it is opened. The
 * list is read again: a number that is in it then, and has been held ever since, is a
 * member's.
 */
static int scan(struct mig_target *target, struct mig_cgroup *cgroup, size_t *ret_hidden)
{
	CLEANUP(cleanup_candidates) struct candidates candidates = { .target = target };
	size_t hidden = 0;
	int r;

	r = mig_cgroup_visit_members(cgroup, open_candidate, &candidates, &hidden);
	if (!r && candidates.nr) {
		qsort(candidates.candidates, candidates.nr,
		      sizeof(*candidates.candidates), compare_pids);
		r = mig_cgroup_visit_members(cgroup, confirm, &candidates, NULL);
	}
	if (!r)
		r = keep_candidates(&candidates);
	if (!r)
		*ret_hidden = hidden;
	return r;
}

int mig_target_scan_cgroups(struct mig_target *target)
{
	for (size_t i = 0; i < target->nr_cgroups; i++) {
		int r = scan(target, target->cgroups[i], &target->hidden[i]);

		/* Nobody is in one that was removed. */
		if (r == -ENODEV)
			target->hidden[i] = 0;
		else if (r < 0)
			return r;
	}
	return 0;
}

int mig_target_add_cgroup(struct mig_target *target, struct mig_cgroup *cgroup)
{
	struct mig_cgroup **cgroups;
	size_t *hidden;
	int r;

	if (!target || !cgroup)
		return -EINVAL;
	cgroups = reallocarray(target->cgroups, target->nr_cgroups + 1, sizeof(*cgroups));
	if (!cgroups)
		return -ENOMEM;
	target->cgroups = cgroups;
	hidden = reallocarray(target->hidden, target->nr_cgroups + 1, sizeof(*hidden));
	if (!hidden)
		return -ENOMEM;
	target->hidden = hidden;
	r = scan(target, cgroup, &hidden[target->nr_cgroups]);
	if (r < 0)
		return r;
	cgroups[target->nr_cgroups++] = cgroup;
	return 0;
}

int mig_target_add_cache(struct mig_target *target, struct mig_cgroup *cgroup)
{
	struct mig_cgroup **caches;

	if (!target || !cgroup)
		return -EINVAL;
	caches = reallocarray(target->caches, target->nr_caches + 1, sizeof(*caches));
	if (!caches)
		return -ENOMEM;
	target->caches = caches;
	caches[target->nr_caches++] = cgroup;
	return 0;
}

int mig_target_add_all_cache(struct mig_target *target)
{
	if (!target)
		return -EINVAL;
	target->has_all_cache = true;
	return 0;
}

size_t mig_target_get_hidden(const struct mig_target *target)
{
	size_t hidden = 0;

	for (size_t i = 0; target && i < target->nr_cgroups; i++)
		hidden += target->hidden[i];
	return target ? hidden + target->nr_refused : 0;
}
