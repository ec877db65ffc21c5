/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves a list of tasks in calls of one process and one destination each. */
#include <errno.h>

#include "process.h"
#include "worker.h"

/* What may stand in one call together: small pages with small ones, huge pages from
 * the pools by themselves, since one of them without room fails them all. */
static bool goes_with(const struct mig_task *task, const struct mig_task *first)
{
	return task->nr && task->walk->process == first->walk->process &&
	       task->to == first->to &&
	       (task->flags & MIG_UNIT_HUGETLB) == (first->flags & MIG_UNIT_HUGETLB) &&
	       (task->unit_pages > 1) == (first->unit_pages > 1);
}

static uint32_t units_that_fit(const struct mig_task *task, uint64_t pages,
			       size_t addresses)
{
	uint64_t units = pages / task->unit_pages;

	if (units > task->nr)
		units = task->nr;
	return (uint32_t)(units < addresses ? units : addresses);
}

static void pick(struct mig_worker *worker, size_t index, const struct mig_task *task,
		 uint32_t nr)
{
	struct mig_batch *batch = &worker->batch;

	worker->picks[worker->nr_picks++] = (struct mig_pick){ (uint32_t)index, nr };
	for (uint32_t i = 0; i < nr; i++)
		batch->addresses[batch->nr++] =
			(void *)(uintptr_t)mig_task_address(task, i);
}

/* Units like the first task's, up to @limit pages, but at least one. */
static uint64_t fill_batch(struct mig_worker *worker, const struct mig_tasks *tasks,
			   size_t first, uint64_t limit)
{
	struct mig_batch *batch = &worker->batch;
	uint64_t nr_pages = 0;

	batch->nr = 0;
	worker->nr_picks = 0;
	for (size_t i = first; i < tasks->nr && worker->nr_picks < MIG_WORKER_PICKS;
	     i++) {
		const struct mig_task *task = &tasks->tasks[i];
		uint32_t nr;

		if (!goes_with(task, &tasks->tasks[first]))
			continue;
		nr = units_that_fit(task, nr_pages < limit ? limit - nr_pages : 0,
				    batch->capacity - batch->nr);
		if (!nr && !batch->nr)
			nr = 1;
		if (!nr)
			break;
		pick(worker, i, task, nr);
		nr_pages += (uint64_t)nr * task->unit_pages;
	}
	return nr_pages;
}

/* The kernel stopped somewhere and did not come to what is behind: those units stay
 * in their tasks. Return: how many addresses it did come to. */
static size_t tried(const struct mig_batch *batch)
{
	size_t nr = batch->nr;

	while (nr && batch->status[nr - 1] == MIG_STATUS_UNTRIED)
		nr--;
	return nr;
}

/* Book the first @nr addresses of the batch and take their units off the tasks.
 * @result: of the call; -ENOMEM or -EBUSY: there was none, they are put aside. */
static void book_batch(struct mig_worker *worker, struct mig_tasks *tasks, size_t nr,
		       int result)
{
	size_t at = 0;

	for (size_t i = 0; i < worker->nr_picks && at < nr; i++) {
		struct mig_task *task = &tasks->tasks[worker->picks[i].task];
		uint32_t part = worker->picks[i].nr;
		struct mig_task units;

		if (part > nr - at)
			part = (uint32_t)(nr - at);
		units = mig_task_take(task, part);
		tasks->nr_pages -= mig_task_pages(&units);
		if (result == -ENOMEM || result == -EBUSY)
			mig_retry_keep(worker, &units, -result);
		else if (result < 0)
			mig_book_refusal(worker, &units, result);
		else
			mig_book_pick(worker, units, worker->batch.status + at, tasks);
		at += part;
	}
}

/* Whether the destination takes what is in the batch; less of it where it does not
 * take all. What does not fit at all is put aside. */
static bool reserve(struct mig_worker *worker, struct mig_tasks *tasks,
		    const struct mig_task *like, uint64_t *nr_pages)
{
	struct mig_destinations *destinations = &worker->engine->destinations;
	uint64_t room;

	if (like->flags & MIG_UNIT_HUGETLB) {
		if (!mig_destinations_is_huge_full(destinations, like->to))
			return true;
		book_batch(worker, tasks, worker->batch.nr, -ENOMEM);
		return false;
	}
	room = mig_destinations_reserve(destinations, like->to, *nr_pages);
	if (room == *nr_pages)
		return true;
	if (room < like->unit_pages) {
		mig_destinations_give_back(destinations, like->to, room);
		book_batch(worker, tasks, worker->batch.nr, -ENOMEM);
		return false;
	}
	*nr_pages = fill_batch(worker, tasks, worker->picks[0].task, room);
	mig_destinations_give_back(destinations, like->to, room - *nr_pages);
	return true;
}

/* move_pages(2) takes any thread of the process, but one that lives. */
static int call(struct mig_worker *worker, const struct mig_task *like)
{
	struct mig_engine *engine = worker->engine;
	const struct mig_process *process = like->walk->process;
	pid_t tid = process->tid;
	int r;

	do {
		if (mig_pagemap_is_gone(&like->walk->pagemap, like->address))
			return -ESRCH;
		r = mig_batch_move(engine->context, &worker->batch, tid, like->to,
				   engine->plan->sharing.may_move_shared);
	} while (r == -EINTR || ((r == -ESRCH || r == -EINVAL) &&
				 mig_process_next_thread(process, &tid)));
	/* After execve(2) the call has met other memory at these addresses. */
	if (r == -EINVAL || mig_pagemap_is_gone(&like->walk->pagemap, like->address))
		return -ESRCH;
	return r;
}

/* Learn from the call, and give back the room that was not used. */
static void account(struct mig_worker *worker, const struct mig_task *like,
		    enum mig_pace_class pace_class, uint64_t nr_pages, uint64_t moved,
		    int r)
{
	struct mig_engine *engine = worker->engine;
	struct mig_totals *totals = &worker->outcome->totals;
	bool huge = like->flags & MIG_UNIT_HUGETLB;

	if (!r) {
		mig_pace_record(&engine->pace, pace_class, nr_pages,
				worker->batch.elapsed_ns);
		if (worker->batch.elapsed_ns > totals->longest_call_ns)
			totals->longest_call_ns = worker->batch.elapsed_ns;
	}
	if (!huge && moved < nr_pages)
		mig_destinations_give_back(&engine->destinations, like->to,
					   nr_pages - moved);
	if (!r && worker->batch.no_memory)
		mig_destinations_set_full(&engine->destinations, like->to, huge);
}

static void move_like(struct mig_worker *worker, struct mig_tasks *tasks, size_t first)
{
	struct mig_engine *engine = worker->engine;
	struct mig_totals *totals = &worker->outcome->totals;
	const struct mig_task like = tasks->tasks[first];
	enum mig_pace_class pace_class =
		like.unit_pages > 1 ? MIG_PACE_LARGE : MIG_PACE_SMALL;
	uint64_t moved = totals->moved_pages, considered = totals->considered_pages;
	uint64_t nr_pages = fill_batch(worker, tasks, first,
				       mig_pace_get_limit(&engine->pace, pace_class));
	size_t nr;
	int r;

	if (!reserve(worker, tasks, &like, &nr_pages) ||
	    !mig_engine_sleep_until(engine, mig_pace_reserve(&engine->pace, nr_pages)))
		return;
	r = mig_walk_is_gone(like.walk) ? -ESRCH : call(worker, &like);
	nr = r < 0 ? worker->batch.nr : tried(&worker->batch);
	/* It tried nothing and said nothing: do not ask for ever. */
	if (!nr)
		book_batch(worker, tasks, worker->batch.nr, -EBUSY);
	else
		book_batch(worker, tasks, nr, r);
	account(worker, &like, pace_class, nr_pages, totals->moved_pages - moved, r);
	__atomic_fetch_add(&engine->moved_pages, totals->moved_pages - moved,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&engine->done_pages, totals->considered_pages - considered,
			   __ATOMIC_RELAXED);
}

void mig_mover_flush(struct mig_worker *worker, struct mig_tasks *tasks)
{
	/* Tasks may be added behind the end meanwhile, where units fall apart. */
	for (size_t i = 0; i < tasks->nr; i++)
		while (tasks->tasks[i].nr) {
			if (mig_engine_is_stopped(worker->engine))
				return;
			move_like(worker, tasks, i);
		}
	mig_tasks_clear(tasks);
}
