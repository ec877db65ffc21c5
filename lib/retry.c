/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pages that did not go at the first try. A worker keeps a bounded list of them;
 * when it is full, they have their further passes at once, so that memory does not
 * grow with the number of busy pages.
 */
#include <errno.h>
#include <sys/mman.h>

#include "explain.h"
#include "worker.h"

/* One question at a time takes this many pages. */
#define AT_ONCE 256

static void compact(struct mig_tasks *tasks)
{
	size_t kept = 0;

	tasks->nr_pages = 0;
	for (size_t i = 0; i < tasks->nr; i++) {
		if (tasks->tasks[i].state == MIG_TASK_DONE)
			continue;
		tasks->nr_pages += tasks->tasks[i].nr_pages;
		tasks->tasks[kept++] = tasks->tasks[i];
	}
	tasks->nr = kept;
}

static bool may_go(const struct mig_worker *worker, const struct mig_task *task)
{
	switch (task->error) {
	case 0:
	case EBUSY:
	case ENOENT:
		return true;
	case ENOMEM:
		return !(task->flags & MIG_UNIT_HUGETLB) ||
		       !mig_destinations_is_huge_full(&worker->engine->destinations, task->to);
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

/*
 * Linux 6.1 takes pages with a NUMA hint for absent. Reading one byte of such a page
 * as its owner would (process_vm_readv(2) takes the fault, unlike /proc/PID/mem)
 * clears the hint. Only pages that nobody shares: of others it would make copies.
 */
static void clear_hints(const struct mig_worker *worker)
{
	const struct mig_context *context = worker->engine->context;

	for (size_t i = 0; i < worker->left.nr; i++) {
		const struct mig_task *task = &worker->left.tasks[i];
		char byte;
		struct iovec local = { &byte, 1 };
		struct iovec remote = { (void *)(uintptr_t)task->address, 1 };

		if (task->error == ENOENT && !(task->flags & MIG_UNIT_SHARED) &&
		    !mig_walk_is_gone(task->walk))
			context->calls->process_vm_readv(task->walk->process->pid, &local,
							 1, &remote, 1);
	}
}

void mig_retry_pass(struct mig_worker *worker)
{
	uint64_t moved = worker->outcome->totals.moved_pages;

	clear_hints(worker);
	for (size_t i = 0; i < worker->left.nr; i++)
		if (may_go(worker, &worker->left.tasks[i]))
			worker->left.tasks[i].state = MIG_TASK_WAITING;
	mig_mover_flush(worker, &worker->left);
	for (size_t i = 0; i < worker->left.nr; i++)
		if (worker->left.tasks[i].state == MIG_TASK_WAITING)
			worker->left.tasks[i].state = MIG_TASK_FAILED;
	compact(&worker->left);
	worker->fruitless = worker->outcome->totals.moved_pages == moved;
}

/* The list is full: no more waiting for the others' passes. */
static void make_room(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;

	for (unsigned int pass = 2; pass <= engine->options.passes; pass++) {
		if (!mig_retry_wants_pass(worker) ||
		    !mig_engine_sleep_until(engine, mig_clock_ns() +
							    mig_engine_pass_pause_ns(pass)))
			break;
		mig_retry_pass(worker);
		if (worker->fruitless)
			break;
	}
	mig_retry_settle(worker);
}

void mig_retry_keep(struct mig_worker *worker, struct mig_tasks *tasks)
{
	for (size_t i = 0; i < tasks->nr; i++) {
		const struct mig_task *task = &tasks->tasks[i];

		if (task->state != MIG_TASK_FAILED)
			continue;
		mig_walk_keep(task->walk);
		if (mig_tasks_add(&worker->left, task))
			continue;
		make_room(worker);
		mig_tasks_add(&worker->left, task);
	}
}

/* Whether moving everything that one process has on one node to another is what was
 * asked for, as far as unshared pages go. */
static bool whole_node_is_meant(const struct mig_plan *plan)
{
	const struct mig_plan_options *options = &plan->options;

	return !options->only_kinds && !options->only_thp && !options->range &&
	       !options->min_mapping_bytes && !mig_placement_has_choice(plan->placement) &&
	       !mig_placement_is_interleaved(plan->placement) &&
	       !mig_placement_moves_twice(plan->placement);
}

static void migrate_node(const struct mig_worker *worker, const struct mig_task *task)
{
	unsigned long from[MIG_MAX_NODES / (8 * sizeof(long))] = { 0 };
	unsigned long to[MIG_MAX_NODES / (8 * sizeof(long))] = { 0 };
	const size_t bits = 8 * sizeof(long);

	from[(size_t)task->from / bits] |= 1UL << ((size_t)task->from % bits);
	to[(size_t)task->to / bits] |= 1UL << ((size_t)task->to % bits);
	worker->engine->context->calls->migrate_exclusive_pages(
		task->walk->process->tid, MIG_MAX_NODES + 1, from, to);
}

/* A page that move_pages(2) does not see is looked up by its frame. */
static void book_hidden(struct mig_worker *worker, struct mig_task *task)
{
	uint64_t entry;

	if (mig_pagemap_read(&task->walk->pagemap, task->address, &entry, 1) != 1 ||
	    mig_frames_get_node(worker->engine->plan->frames, entry & MIG_PAGEMAP_FRAME) !=
		    task->to)
		return;
	mig_outcome_add_moved(worker->outcome, task->from, task->to, task->nr_pages);
	__atomic_fetch_add(&worker->engine->moved_pages, task->nr_pages, __ATOMIC_RELAXED);
	task->state = MIG_TASK_DONE;
}

/*
 * PROT_NONE pages on Linux 6.1: migrate_pages(2) moves them, and nothing else does.
 * It takes a whole node, so only where that was asked for; shared pages are kept out
 * of it.
 */
static void move_hidden(struct mig_worker *worker)
{
	const struct mig_plan *plan = worker->engine->plan;
	const struct mig_task *last = NULL;

	if (!plan->frames || !whole_node_is_meant(plan))
		return;
	for (size_t i = 0; i < worker->left.nr; i++) {
		struct mig_task *task = &worker->left.tasks[i];

		if (task->error != ENOENT || (task->flags & MIG_UNIT_SHARED) ||
		    mig_walk_is_gone(task->walk))
			continue;
		if (!last || last->walk != task->walk || last->from != task->from ||
		    last->to != task->to)
			migrate_node(worker, task);
		last = task;
		book_hidden(worker, task);
	}
}

static size_t same_process(const struct mig_tasks *tasks, size_t first, struct iovec *ranges)
{
	const struct mig_walk *walk = tasks->tasks[first].walk;
	size_t nr = 0;

	for (size_t i = first; i < tasks->nr && nr < AT_ONCE; i++, nr++) {
		const struct mig_task *task = &tasks->tasks[i];

		if (task->walk != walk)
			break;
		ranges[nr] = (struct iovec){
			(void *)(uintptr_t)task->address,
			task->nr_pages * walk->process->context->page_size,
		};
	}
	return nr;
}

/* Success of MADV_PAGEOUT proves nothing: what is still present was not paged out. */
static uint64_t paged_out(const struct mig_task *task)
{
	uint64_t out = 0, entry;

	for (uint32_t i = 0; i < task->nr_pages; i++)
		if (mig_pagemap_read(&task->walk->pagemap,
				     task->address +
					     i * task->walk->process->context->page_size,
				     &entry, 1) == 1 &&
		    !(entry & MIG_PAGEMAP_PRESENT))
			out++;
	return out;
}

static void page_out(struct mig_worker *worker)
{
	const struct mig_calls *calls = worker->engine->context->calls;
	struct iovec ranges[AT_ONCE];
	const struct mig_tasks *left = &worker->left;

	for (size_t at = 0; at < left->nr;) {
		size_t nr = same_process(left, at, ranges);
		int pidfd = left->tasks[at].walk->process->pidfd;

		/* A range that cannot be paged out ends the call: one by one then. */
		if (calls->process_madvise(pidfd, ranges, nr, MADV_PAGEOUT) < 0)
			for (size_t i = 0; i < nr; i++)
				calls->process_madvise(pidfd, &ranges[i], 1, MADV_PAGEOUT);
		for (size_t i = 0; i < nr; i++)
			worker->outcome->totals.paged_out_pages +=
				paged_out(&left->tasks[at + i]);
		at += nr;
	}
}

void mig_retry_settle(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;

	if (!worker->left.nr)
		return;
	mig_tasks_sort(&worker->left);
	move_hidden(worker);
	compact(&worker->left);
	if (engine->options.fallback == MIG_FALLBACK_SWAP && !mig_engine_is_stopped(engine))
		page_out(worker);
	mig_explain_tasks(worker, &worker->left);
	__atomic_fetch_add(&engine->done_pages, worker->left.nr_pages, __ATOMIC_RELAXED);
	worker->left.nr = 0;
	worker->left.nr_pages = 0;
}
