/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves a worker's tasks in calls of one process and one destination each, and books
 * every page by what the kernel says became of it. */
#include <errno.h>
#include <string.h>

#include "worker.h"

static void book_moved(struct mig_worker *worker, const struct mig_task *task,
		       uint64_t nr_pages)
{
	mig_outcome_add_moved(worker->outcome, task->from, task->to, nr_pages);
}

static void fail(struct mig_task *task, int error)
{
	task->state = MIG_TASK_FAILED;
	task->error = error;
}

/* The frames that shared pages have now, so that they are known again when another
 * mapping of them comes by. */
static void remember_arrival(struct mig_worker *worker, const struct mig_task *task)
{
	const struct mig_context *context = worker->engine->context;
	uint64_t entry;

	if (!worker->engine->tracks_arrivals || !(task->flags & MIG_UNIT_SHARED))
		return;
	for (uint32_t i = 0; i < task->nr_pages; i++)
		if (mig_pagemap_read(&task->walk->pagemap,
				     task->address + i * context->page_size, &entry,
				     1) == 1 &&
		    (entry & MIG_PAGEMAP_PRESENT))
			mig_frametable_count(&worker->engine->arrived,
					     entry & MIG_PAGEMAP_FRAME);
}

/* Whether a unit of many pages is still one folio where it is now. */
static bool is_whole(const struct mig_task *task)
{
	const struct mig_pagemap *pagemap = &task->walk->pagemap;
	uint64_t entry, flags;

	if (task->flags & MIG_UNIT_HUGETLB || !pagemap->has_frames)
		return true;
	if (mig_pagemap_read(pagemap, task->address, &entry, 1) != 1 ||
	    !(entry & MIG_PAGEMAP_FRAME) ||
	    mig_pagemap_read_flags(pagemap, entry & MIG_PAGEMAP_FRAME, &flags, 1) < 0)
		return true;
	return flags & (MIG_FLAG_HEAD | MIG_FLAG_TAIL);
}

/* The unit's pages one by one: those on the destination are booked as moved, the
 * others become tasks of their own, waiting or failed with @error. */
static void take_apart(struct mig_worker *worker, struct mig_tasks *tasks,
		       struct mig_task *task, enum mig_task_state state, int error)
{
	const struct mig_context *context = worker->engine->context;
	struct mig_task page = *task;
	uint64_t moved = 0;

	page.nr_pages = 1;
	page.state = (uint8_t)state;
	page.error = error;
	page.flags &= (uint16_t)~MIG_UNIT_GUESSED;
	for (uint32_t i = 0; i < task->nr_pages; i++) {
		void *address;
		int status;

		page.address = task->address + i * context->page_size;
		address = (void *)(uintptr_t)page.address;
		if (mig_batch_ask(context, task->walk->process->tid, &address, &status, 1) <
		    0)
			status = -ESRCH;
		if (status == task->to) {
			moved++;
		} else if (status == -ENOENT || status == -EFAULT || status == -ESRCH) {
			mig_outcome_add_gone(worker->outcome, 1);
		} else if (!mig_tasks_add(tasks, &page)) {
			mig_outcome_add_left(worker->outcome, MIG_REASON_BUSY, task->to,
					     error, 1);
		}
	}
	book_moved(worker, task, moved);
	task->state = MIG_TASK_DONE;
}

static int node_of_last_page(const struct mig_worker *worker, const struct mig_task *task)
{
	const struct mig_context *context = worker->engine->context;
	void *last = (void *)(uintptr_t)(task->address +
					 (task->nr_pages - 1) * context->page_size);
	int status;

	if (mig_batch_ask(context, task->walk->process->tid, &last, &status, 1) < 0)
		return MIG_NO_NODE;
	return status;
}

static void book_arrived(struct mig_worker *worker, struct mig_tasks *tasks,
			 struct mig_task *task)
{
	struct mig_totals *totals = &worker->outcome->totals;

	/* The head of what was taken for one folio went: so did its last page, or it
	 * was none. */
	if ((task->flags & MIG_UNIT_GUESSED) && node_of_last_page(worker, task) != task->to) {
		worker->scan.guess_huge = false;
		take_apart(worker, tasks, task, MIG_TASK_WAITING, 0);
		return;
	}
	if (task->nr_pages > 1) {
		if (is_whole(task))
			totals->moved_huge_pages++;
		else
			totals->split_huge_pages++;
	}
	remember_arrival(worker, task);
	book_moved(worker, task, task->nr_pages);
	task->state = MIG_TASK_DONE;
}

/* move_pages(2) sees nothing there. It may be gone, or be a page that this kernel
 * hides from it (6.1: PROT_NONE, NUMA hints). */
static void book_absent(struct mig_worker *worker, struct mig_task *task, int error)
{
	uint64_t entry;

	if (mig_pagemap_read(&task->walk->pagemap, task->address, &entry, 1) == 1 &&
	    (entry & MIG_PAGEMAP_PRESENT)) {
		fail(task, -error);
		return;
	}
	mig_outcome_add_gone(worker->outcome, task->nr_pages);
	task->state = MIG_TASK_DONE;
}

static void book(struct mig_worker *worker, struct mig_tasks *tasks, struct mig_task *task,
		 int status)
{
	int no_memory = worker->batch.no_memory ? ENOMEM : 0;

	if (status == task->to) {
		book_arrived(worker, tasks, task);
		return;
	}
	switch (status) {
	case MIG_STATUS_UNTRIED:
		break;
	case -ENOENT:
	case -EFAULT:
		book_absent(worker, task, status);
		break;
	case -EACCES:
		mig_outcome_add_skipped(worker->outcome, MIG_SKIP_SHARED, task->nr_pages);
		task->state = MIG_TASK_DONE;
		break;
	case MIG_STATUS_FAILED:
		fail(task, no_memory);
		break;
	default:
		fail(task, status < 0 ? -status : 0);
	}
	/* Part of a large folio may have moved, if the kernel split it. */
	if (task->state == MIG_TASK_FAILED && task->nr_pages > 1 &&
	    !(task->flags & MIG_UNIT_HUGETLB) &&
	    (!is_whole(task) || (task->flags & MIG_UNIT_GUESSED)))
		take_apart(worker, tasks, task, MIG_TASK_FAILED, task->error);
}

static enum mig_reason reason_of_call(int error)
{
	switch (error) {
	case -EACCES:
		return MIG_REASON_CPUSET_TARGET;
	case -EPERM:
		return MIG_REASON_PERMISSION;
	case -ENODEV:
		return MIG_REASON_NODE_GONE;
	case -ENOSYS:
		return MIG_REASON_UNSUPPORTED;
	default:
		return MIG_REASON_UNKNOWN;
	}
}

/* The call as a whole was refused: all its pages share one fate. */
static void book_refusal(struct mig_worker *worker, struct mig_task *task, int error)
{
	if (error == -ESRCH || error == -EINVAL) {
		mig_walk_set_gone(task->walk, worker->outcome);
		mig_outcome_add_gone(worker->outcome, task->nr_pages);
	} else {
		enum mig_reason reason = reason_of_call(error);

		mig_outcome_add_left(worker->outcome, reason, task->to,
				     reason == MIG_REASON_UNKNOWN ? -error : 0,
				     task->nr_pages);
	}
	task->state = MIG_TASK_DONE;
}

static bool belongs(const struct mig_task *task, const struct mig_task *first)
{
	uint16_t both = MIG_UNIT_HUGETLB;

	return task->state == MIG_TASK_WAITING && task->walk == first->walk &&
	       task->to == first->to && (task->flags & both) == (first->flags & both) &&
	       (task->nr_pages > 1) == (first->nr_pages > 1);
}

/* As many tasks like the first as one call may take, all into the batch. */
static uint64_t pick(struct mig_worker *worker, const struct mig_tasks *tasks, size_t first,
		     uint64_t limit)
{
	struct mig_batch *batch = &worker->batch;
	uint64_t nr_pages = 0;

	batch->nr = 0;
	for (size_t i = first; i < tasks->nr && batch->nr < batch->capacity; i++) {
		const struct mig_task *task = &tasks->tasks[i];

		if (!belongs(task, &tasks->tasks[first]))
			continue;
		if (batch->nr && nr_pages + task->nr_pages > limit)
			break;
		worker->picked[batch->nr] = (uint32_t)i;
		batch->addresses[batch->nr++] = (void *)(uintptr_t)task->address;
		nr_pages += task->nr_pages;
	}
	return nr_pages;
}

static void fail_picked(struct mig_worker *worker, struct mig_tasks *tasks, int error)
{
	for (size_t i = 0; i < worker->batch.nr; i++)
		fail(&tasks->tasks[worker->picked[i]], error);
}

/* Whether the destination takes the picked tasks; fewer of them where it does not
 * take all. */
static bool reserve(struct mig_worker *worker, struct mig_tasks *tasks, bool huge, int node,
		    uint64_t *nr_pages)
{
	struct mig_destinations *destinations = &worker->engine->destinations;
	uint64_t room, taken = *nr_pages;
	size_t picked = worker->batch.nr;

	if (huge) {
		if (!mig_destinations_is_huge_full(destinations, node))
			return true;
		fail_picked(worker, tasks, ENOMEM);
		return false;
	}
	room = mig_destinations_reserve(destinations, node, *nr_pages);
	while (worker->batch.nr && taken > room)
		taken -= tasks->tasks[worker->picked[--worker->batch.nr]].nr_pages;
	mig_destinations_give_back(destinations, node, room - taken);
	if (!worker->batch.nr) {
		worker->batch.nr = picked;
		fail_picked(worker, tasks, ENOMEM);
		return false;
	}
	*nr_pages = taken;
	return true;
}

static void book_call(struct mig_worker *worker, struct mig_tasks *tasks, int result)
{
	struct mig_batch *batch = &worker->batch;
	struct mig_engine *engine = worker->engine;
	struct mig_totals *totals = &worker->outcome->totals;
	uint64_t moved = totals->moved_pages, considered = totals->considered_pages;
	bool progress = false;

	if (batch->elapsed_ns > totals->longest_call_ns)
		totals->longest_call_ns = batch->elapsed_ns;
	for (size_t i = 0; i < batch->nr; i++) {
		struct mig_task *task = &tasks->tasks[worker->picked[i]];

		if (result < 0)
			book_refusal(worker, task, result);
		else
			book(worker, tasks, task, batch->status[i]);
		progress |= task->state != MIG_TASK_WAITING;
	}
	/* The kernel tried nothing and said nothing: do not ask for ever. */
	if (!progress)
		fail_picked(worker, tasks, EBUSY);
	__atomic_fetch_add(&engine->moved_pages, totals->moved_pages - moved,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&engine->done_pages, totals->considered_pages - considered,
			   __ATOMIC_RELAXED);
}

static void give_back_failed(struct mig_worker *worker, const struct mig_tasks *tasks,
			     int node, bool huge)
{
	uint64_t failed = 0;

	for (size_t i = 0; i < worker->batch.nr; i++) {
		const struct mig_task *task = &tasks->tasks[worker->picked[i]];

		if (task->state != MIG_TASK_DONE)
			failed += task->nr_pages;
	}
	if (!huge)
		mig_destinations_give_back(&worker->engine->destinations, node, failed);
	if (worker->batch.no_memory)
		mig_destinations_set_full(&worker->engine->destinations, node, huge);
}

static void move_like(struct mig_worker *worker, struct mig_tasks *tasks, size_t first)
{
	struct mig_engine *engine = worker->engine;
	const struct mig_task like = tasks->tasks[first];
	bool huge = like.flags & MIG_UNIT_HUGETLB;
	enum mig_pace_class pace_class = like.nr_pages > 1 ? MIG_PACE_LARGE : MIG_PACE_SMALL;
	uint64_t nr_pages =
		pick(worker, tasks, first, mig_pace_get_limit(&engine->pace, pace_class));
	int r;

	if (!reserve(worker, tasks, huge, like.to, &nr_pages) ||
	    !mig_engine_sleep_until(engine, mig_pace_reserve(&engine->pace, nr_pages)))
		return;
	if (mig_walk_is_gone(like.walk) ||
	    mig_pagemap_is_gone(&like.walk->pagemap, like.address)) {
		book_call(worker, tasks, -ESRCH);
		return;
	}
	do {
		r = mig_batch_move(engine->context, &worker->batch, like.walk->process->tid,
				   like.to, engine->plan->sharing.may_move_shared);
	} while (r == -EINTR);
	if (!r)
		mig_pace_record(&engine->pace, pace_class, nr_pages,
				worker->batch.elapsed_ns);
	book_call(worker, tasks, r);
	give_back_failed(worker, tasks, like.to, huge);
}

void mig_mover_flush(struct mig_worker *worker, struct mig_tasks *tasks)
{
	/* Tasks may be added behind the end meanwhile, where units fall apart. */
	for (size_t i = 0; i < tasks->nr && !mig_engine_is_stopped(worker->engine);) {
		if (tasks->tasks[i].state == MIG_TASK_WAITING)
			move_like(worker, tasks, i);
		else
			i++;
	}
}
