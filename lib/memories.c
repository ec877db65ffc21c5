/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memories.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"

void mig_memories_done(struct mig_memories *memories)
{
	free(memories->memories);
	*memories = (struct mig_memories){ 0 };
}

static void take_out(struct mig_memories *memories, size_t at)
{
	memories->count--;
	memmove(memories->memories + at, memories->memories + at + 1,
		(memories->count - at) * sizeof(*memories->memories));
}

/* Only while both are held do the numbers mean them. */
static bool means_it(const struct mig_memory *memory)
{
	return !memory->process || mig_process_holds_number(memory->process);
}

/* Threads that have exited have no memory, and the kernel calls that equal. */
static bool has_memory(const struct mig_memory *memory)
{
	pid_t tid;

	return !memory->process ||
	       (!mig_process_find_thread(memory->process, &tid) && tid == memory->tid);
}

/*
 * Looks for another that has @memory: 1 and nothing else, or 0 and where it belongs, or
 * -ENOENT: it cannot be asked.
 */
static int find(struct mig_memories *memories, const struct mig_calls *calls,
		const struct mig_memory *memory, size_t *ret_at)
{
	size_t low = 0, high = memories->count;
	bool is_ours = false;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mig_memory *other = &memories->memories[middle];
		int r;

		if (memory->mark != other->mark) {
			if (memory->mark < other->mark)
				high = middle;
			else
				low = middle + 1;
			continue;
		}
		if (!is_ours && calls->kcmp_vm(memory->tid, memory->tid) != 0)
			return -ENOENT;
		is_ours = true;
		r = calls->kcmp_vm(memory->tid, other->tid);
		if (r < 0 || r > 2 || (!r && !means_it(other))) {
			take_out(memories, middle);
			high--;
		} else if (!r) {
			return has_memory(memory) ? 1 : -ENOENT;
		} else if (r == 1) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	*ret_at = low;
	return 0;
}

int mig_memories_add(struct mig_memories *memories, const struct mig_calls *calls,
		     const struct mig_memory *added)
{
	void *array = memories->memories;
	size_t at;
	int r = mig_array_reserve(&array, &memories->capacity, memories->count,
				  sizeof(*memories->memories));

	memories->memories = array;
	if (r < 0)
		return r;
	r = find(memories, calls, added, &at);
	if (r)
		return r == 1 ? -EEXIST : 0;
	memmove(memories->memories + at + 1, memories->memories + at,
		(memories->count - at) * sizeof(*memories->memories));
	memories->memories[at] = *added;
	memories->count++;
	return 0;
}
