/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "process.h"

static int index_reserve(struct mig_held_index *index)
{
	void *places = index->places;
	int r = mig_array_reserve(&places, &index->capacity, index->count,
				  sizeof(*index->places));

	index->places = places;
	return r;
}

/* There is room: index_reserve(). */
static void index_insert(struct mig_held_index *index, size_t at, size_t place)
{
	memmove(index->places + at + 1, index->places + at,
		(index->count - at) * sizeof(*index->places));
	index->places[at] = place;
	index->count++;
}

void mig_held_done(struct mig_held_set *set)
{
	for (size_t i = 0; i < set->nr; i++)
		mig_process_free(set->held[i].process);
	free(set->held);
	free(set->members.places);
	free(set->by_pid.places);
	mig_memories_done(&set->memories);
	*set = (struct mig_held_set){ 0 };
}

/* Where @pid stands among the held, or where it would stand. */
static bool find_pid(const struct mig_held_set *set, pid_t pid, size_t *ret_at)
{
	size_t low = 0, high = set->by_pid.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		pid_t other = set->held[set->by_pid.places[middle]].process->pid;

		if (other == pid) {
			*ret_at = middle;
			return true;
		}
		if (other < pid)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

struct mig_held *mig_held_find(const struct mig_held_set *set, pid_t pid)
{
	struct mig_held *held;
	size_t at;

	if (!find_pid(set, pid, &at))
		return NULL;
	held = &set->held[set->by_pid.places[at]];
	return mig_process_holds_number(held->process) ? held : NULL;
}

/* Makes a held process a member, if no member has its memory. */
static int try_member(struct mig_held_set *set, size_t place)
{
	struct mig_held *held = &set->held[place];
	const struct mig_memory memory = {
		.mark = held->process->memory_mark,
		.tid = held->process->tid,
		.process = held->process,
	};
	int r = index_reserve(&set->members);

	if (!r && set->context->live)
		r = mig_memories_add(&set->memories, set->context->calls, &memory);
	if (r < 0)
		return r;
	index_insert(&set->members, set->members.count, place);
	held->is_member = true;
	return 0;
}

int mig_held_keep(struct mig_held_set *set, struct mig_process *process,
		  enum mig_held_as as)
{
	void *held = set->held;
	size_t at;
	int r;

	r = mig_array_reserve(&held, &set->capacity, set->nr, sizeof(*set->held));
	set->held = held;
	if (!r)
		r = index_reserve(&set->by_pid);
	if (r < 0)
		return r;
	set->held[set->nr] = (struct mig_held){ .process = process,
						.in_tree = as == MIG_HELD_IN_TREE };
	r = try_member(set, set->nr);
	if (r < 0 && !(r == -EEXIST && as != MIG_HELD_ALONE))
		return r;
	if (find_pid(set, process->pid, &at))
		set->by_pid.places[at] = set->nr;
	else
		index_insert(&set->by_pid, at, set->nr);
	set->nr++;
	return 0;
}

/* One that shared a member's memory has its own once it has called execve(2). */
int mig_held_retry_sharers(struct mig_held_set *set)
{
	for (size_t place = 0; place < set->nr; place++) {
		const struct mig_held *held = &set->held[place];
		int r;

		if (held->is_member || !mig_process_is_alive(held->process))
			continue;
		r = try_member(set, place);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}
