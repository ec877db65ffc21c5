/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages that did not go at the first try. A worker keeps a bounded list of them;
 * when it is full, they have their further passes at once, so that memory does not
 * grow with the number of busy pages.
 */
#include <errno.h>
#include <sys/mman.h>

#include "explain.h"
#include "nodemask.h"
#include "worker.h"

/* One call of process_madvise(2) takes this many ranges. */
#define AT_ONCE 256

/* Where to try next what its target had no memory for after all, since others have taken
 * it meanwhile: on the next target that has some, else there again. */
static int find_target(const struct mig_worker *worker, const struct mig_task *task)
{
	struct mig_engine *engine = worker->engine;
	int to = task->to;

	if (task->error != ENOMEM || !mig_placement_has_choice(engine->plan->placement))
		return to;
	do
		to = mig_plan_next_target(engine->plan, task->from, to,
					  task->walk->allowed);
	while (to != MIG_NO_NODE &&
	       !mig_destinations_has_room(&engine->destinations, to,
					  task->flags & MIG_UNIT_HUGETLB));
	return to == MIG_NO_NODE ? task->to : to;
}

static bool may_go(const struct mig_worker *worker, const struct mig_task *task)
{
	switch (task->error) {
	case 0:
	case EBUSY:
	case ENOENT:
	case EFAULT: /* it may have been unmapped and mapped again */
		return true;
	case ENOMEM:
		return !(task->flags & MIG_UNIT_HUGETLB) ||
		       mig_destinations_has_room(&worker->engine->destinations,
						 find_target(worker, task), true);
	default:
		return false;
	}
}

bool mig_retry_wants_pass(const struct mig_worker *worker)
{
	for (size_t i = 0; i < worker->left.nr; i++)
		if (may_go(worker, &worker->left.tasks[i]))
			return true;
	return false;
}

void mig_retry_keep(struct mig_worker *worker, const struct mig_task *units, int error)
{
	struct mig_task failed = *units;

	failed.error = error;
	mig_walk_keep(units->walk);
	if (mig_tasks_add(&worker->left, &failed))
		return;
	/* No room: what was kept cannot be tried again and is explained now, all at
	 * once, since the evidence on a process is dear. */
	mig_tasks_sort(&worker->left);
	mig_explain_tasks(worker, &worker->left);
	mig_tasks_clear(&worker->left);
	mig_tasks_add(&worker->left, &failed);
}

/* Pages of a process that 6.1 does not see. */
static bool is_hidden(const struct mig_task *task)
{
	return task->error == ENOENT && !(task->flags & MIG_UNIT_SHARED) &&
	       !task->walk->window && !mig_walk_is_gone(task->walk);
}

/*
 * Linux 6.1 takes pages with a NUMA hint for absent. Reading one byte of such a page
 * as its owner would (process_vm_readv(2) takes the fault, unlike /proc/PID/mem)
 * clears the hint. Only pages that nobody shares: of others it would make copies.
 */
static void clear_hints(const struct mig_worker *worker, const struct mig_task *task)
{
	const struct mig_context *context = worker->engine->context;
	char byte;
	struct iovec local = { &byte, 1 };

	if (!is_hidden(task))
		return;
	for (uint32_t i = 0; i < task->nr; i++) {
		struct iovec remote = { (void *)(uintptr_t)mig_task_address(task, i), 1 };

		context->calls->process_vm_readv(task->walk->process->pid, &local, 1,
						 &remote, 1);
	}
}

/* What may go is tried; what may not, or fails again, is left as before. */
void mig_retry_pass(struct mig_worker *worker)
{
	struct mig_tasks *trying = &worker->trying;
	uint64_t moved = worker->outcome->totals.moved_pages;
	struct mig_tasks empty = *trying;

	*trying = worker->left;
	worker->left = empty;
	for (size_t i = 0; i < trying->nr; i++) {
		struct mig_task *task = &trying->tasks[i];

		if (may_go(worker, task)) {
			task->to = (int16_t)find_target(worker, task);
			clear_hints(worker, task);
			continue;
		}
		mig_retry_keep(worker, task, task->error);
		task->nr = 0;
	}
	mig_mover_flush(worker, trying);
	for (size_t i = 0; i < trying->nr; i++)
		if (trying->tasks[i].nr)
			mig_retry_keep(worker, &trying->tasks[i], trying->tasks[i].error);
	mig_tasks_clear(trying);
	worker->fruitless = worker->outcome->totals.moved_pages == moved;
}

void mig_retry_make_room(struct mig_worker *worker)
{
	if (worker->left.nr > worker->left.capacity / 2)
		mig_retry_finish(worker);
}

void mig_retry_finish(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;

	for (unsigned int pass = 2; pass <= engine->options.passes; pass++) {
		if (!mig_retry_wants_pass(worker) ||
		    !mig_engine_sleep_until(
			    engine, mig_clock_ns() + mig_engine_pass_pause_ns(pass)))
			break;
		mig_retry_pass(worker);
		if (worker->fruitless)
			break;
	}
	mig_retry_settle(worker);
}

/* Whether moving everything that one process has on one node to another is what was
 * asked for, as far as unshared pages go. */
static bool whole_node_is_meant(const struct mig_plan *plan)
{
	const struct mig_plan_options *options = &plan->options;

	return !options->only_kinds && !options->only_thp && !options->range &&
	       !options->min_mapping_bytes &&
	       !mig_placement_has_choice(plan->placement) &&
	       !mig_placement_is_interleaved(plan->placement) &&
	       !mig_placement_moves_twice(plan->placement);
}

static void migrate_node(const struct mig_worker *worker, const struct mig_task *task)
{
	struct mig_nodeset from = { { 0 } }, to = { { 0 } };
	struct mig_nodemask from_mask, to_mask;
	pid_t tid;

	mig_nodeset_add(&from, task->from);
	mig_nodeset_add(&to, task->to);
	from_mask = mig_nodemask_of(&from);
	to_mask = mig_nodemask_of(&to);
	if (mig_process_find_thread(task->walk->process, &tid) == 0)
		worker->engine->context->calls->migrate_exclusive_pages(
			tid, MIG_NODEMASK_MAXNODE, from_mask.words, to_mask.words);
}

/*
 * PROT_NONE pages on Linux 6.1: migrate_pages(2) moves them, and nothing else does.
 * It takes a whole node, so only where that was asked for; shared pages are kept out
 * of it.
 */
static void move_hidden(const struct mig_worker *worker)
{
	const struct mig_plan *plan = worker->engine->plan;
	const struct mig_task *last = NULL;

	if (!plan->frames || !whole_node_is_meant(plan))
		return;
	for (size_t i = 0; i < worker->left.nr; i++) {
		const struct mig_task *task = &worker->left.tasks[i];

		if (!is_hidden(task))
			continue;
		if (!last || last->walk != task->walk || last->from != task->from ||
		    last->to != task->to)
			migrate_node(worker, task);
		last = task;
	}
}

/* By its frame, since move_pages(2) may not see it; asked for where there is none. */
static bool is_there(const struct mig_worker *worker, const struct mig_task *unit)
{
	void *address = (void *)(uintptr_t)unit->address;
	int status = MIG_NO_NODE;
	uint64_t entry;

	if (mig_pagemap_read(&unit->walk->pagemap, unit->address, &entry, 1) != 1 ||
	    !(entry & MIG_PAGEMAP_PRESENT))
		return false;
	if (worker->engine->plan->frames)
		status = mig_frames_get_node(worker->engine->plan->frames,
					     entry & MIG_PAGEMAP_FRAME);
	if (status == MIG_NO_NODE &&
	    mig_batch_ask_process(unit->walk->process, &address, &status, 1) < 0)
		return false;
	return status == unit->to;
}

void mig_retry_take_late(struct mig_worker *worker, struct mig_task *units)
{
	while (units->nr && is_there(worker, units)) {
		const struct mig_task unit = mig_task_take(units, 1);

		mig_outcome_add_moved(worker->outcome, unit.from, unit.to,
				      unit.unit_pages);
	}
}

/* What has come after all, with the rest of its folio or by the call for its node. */
static void book_late(struct mig_worker *worker)
{
	struct mig_tasks *late = &worker->trying;
	struct mig_tasks empty = *late;

	*late = worker->left;
	worker->left = empty;
	for (size_t i = 0; i < late->nr; i++) {
		struct mig_task units = late->tasks[i];

		while (units.nr) {
			struct mig_task unit = mig_task_take(&units, 1);

			if (is_there(worker, &unit))
				mig_outcome_add_moved(worker->outcome, unit.from, unit.to,
						      unit.unit_pages);
			else
				mig_retry_keep(worker, &unit, unit.error);
		}
	}
	mig_tasks_clear(late);
}

/* Tasks of one process as ranges. Return: how many. */
static size_t ranges_of(const struct mig_tasks *tasks, size_t first, struct iovec *ranges,
			size_t *ret_bytes)
{
	const struct mig_walk *walk = tasks->tasks[first].walk;
	size_t nr = 0, bytes = 0;

	for (size_t i = first; i < tasks->nr && nr < AT_ONCE; i++, nr++) {
		const struct mig_task *task = &tasks->tasks[i];

		if (task->walk != walk)
			break;
		ranges[nr] = (struct iovec){
			(void *)(uintptr_t)task->address,
			mig_task_pages(task) * walk->process->context->page_size,
		};
		bytes += ranges[nr].iov_len;
	}
	*ret_bytes = bytes;
	return nr;
}

/* Success of MADV_PAGEOUT proves nothing: what is still present was not paged out. */
static uint64_t paged_out(const struct mig_task *task)
{
	size_t page_size = task->walk->process->context->page_size;
	uint64_t out = 0, entry;

	for (uint64_t i = 0; i < mig_task_pages(task); i++)
		if (mig_pagemap_read(&task->walk->pagemap, task->address + i * page_size,
				     &entry, 1) == 1 &&
		    !(entry & MIG_PAGEMAP_PRESENT))
			out++;
	return out;
}

static void page_out(struct mig_worker *worker)
{
	const struct mig_calls *calls = worker->engine->context->calls;
	const struct mig_tasks *left = &worker->left;
	struct iovec ranges[AT_ONCE];

	for (size_t at = 0; at < left->nr;) {
		size_t bytes, nr = ranges_of(left, at, ranges, &bytes);
		int pidfd = left->tasks[at].walk->process->pidfd;

		/* Ours, and only while the move goes on. */
		if (left->tasks[at].walk->window) {
			at += nr;
			continue;
		}
		/* A range that cannot be paged out ends the call: one by one then. */
		if (calls->process_madvise(pidfd, ranges, nr, MADV_PAGEOUT) !=
		    (ssize_t)bytes)
			for (size_t i = 0; i < nr; i++)
				calls->process_madvise(pidfd, &ranges[i], 1,
						       MADV_PAGEOUT);
		for (size_t i = 0; i < nr; i++)
			worker->outcome->totals.paged_out_pages +=
				paged_out(&left->tasks[at + i]);
		at += nr;
	}
}

void mig_retry_settle(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;
	uint64_t nr_pages = worker->left.nr_pages;

	if (!worker->left.nr)
		return;
	mig_tasks_sort(&worker->left);
	pthread_mutex_lock(&engine->whole_node_lock);
	move_hidden(worker);
	book_late(worker);
	pthread_mutex_unlock(&engine->whole_node_lock);
	if (engine->options.fallback == MIG_FALLBACK_SWAP &&
	    !mig_engine_is_stopped(engine))
		page_out(worker);
	if (engine->options.fallback == MIG_FALLBACK_REREAD &&
	    !mig_engine_is_stopped(engine))
		mig_retry_reread(worker);
	mig_explain_tasks(worker, &worker->left);
	mig_tasks_clear(&worker->left);
	__atomic_fetch_add(&engine->done_pages, nr_pages, __ATOMIC_RELAXED);
}
