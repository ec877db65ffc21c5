/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>

#include "select.h"

#define PENDING_TASKS MIG_PACE_MOST_ADDRESSES
#define LEFT_TASKS 8192

static int init_tasks(struct mig_tasks *tasks, size_t capacity)
{
	tasks->tasks = malloc(capacity * sizeof(*tasks->tasks));
	tasks->capacity = capacity;
	return tasks->tasks ? 0 : -ENOMEM;
}

bool mig_tasks_add(struct mig_tasks *tasks, const struct mig_task *task)
{
	if (tasks->nr == tasks->capacity)
		return false;
	tasks->tasks[tasks->nr++] = *task;
	tasks->nr_pages += task->nr_pages;
	return true;
}

int mig_worker_init(struct mig_worker *worker, struct mig_engine *engine,
		    unsigned int index)
{
	int r;

	*worker = (struct mig_worker){ .engine = engine, .index = index };
	r = mig_outcome_new(&worker->outcome);
	if (!r)
		r = mig_page_scan_init(&worker->scan, engine->plan->frames);
	if (!r)
		r = mig_batch_init(&worker->batch, MIG_PACE_MOST_ADDRESSES);
	if (!r)
		r = init_tasks(&worker->pending, PENDING_TASKS);
	if (!r)
		r = init_tasks(&worker->left, LEFT_TASKS);
	worker->picked = malloc(MIG_PACE_MOST_ADDRESSES * sizeof(*worker->picked));
	if (!r && !worker->picked)
		r = -ENOMEM;
	if (r < 0)
		mig_worker_done(worker);
	return r;
}

void mig_worker_done(struct mig_worker *worker)
{
	mig_outcome_free(worker->outcome);
	mig_page_scan_done(&worker->scan);
	mig_batch_done(&worker->batch);
	free(worker->picked);
	free(worker->pending.tasks);
	free(worker->left.tasks);
	*worker = (struct mig_worker){ 0 };
}

/* A call that takes everything that is left to one worker keeps the others idle:
 * towards the end calls become smaller. */
static uint64_t flush_pages(const struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;
	uint64_t small = mig_pace_get_limit(&engine->pace, MIG_PACE_SMALL);
	uint64_t large = mig_pace_get_limit(&engine->pace, MIG_PACE_LARGE);
	uint64_t limit = small > large ? small : large;
	uint64_t done = __atomic_load_n(&engine->done_pages, __ATOMIC_RELAXED);
	uint64_t rest = engine->planned_pages > done ? engine->planned_pages - done : 0;
	uint64_t share = rest / (2 * (uint64_t)engine->nr_open);
	unsigned int targets =
		mig_nodeset_count(mig_placement_get_targets(engine->plan->placement));

	if (share < 512)
		share = 512;
	return (limit < share ? limit : share) * targets;
}

static void flush(struct mig_worker *worker)
{
	mig_mover_flush(worker, &worker->pending);
	for (size_t i = 0; i < worker->pending.nr; i++)
		if (worker->pending.tasks[i].state == MIG_TASK_WAITING)
			mig_outcome_add_skipped(worker->outcome, MIG_SKIP_STOPPED,
						worker->pending.tasks[i].nr_pages);
	mig_retry_keep(worker, &worker->pending);
	worker->pending.nr = 0;
	worker->pending.nr_pages = 0;
}

static bool has_arrived(const struct mig_worker *worker, const struct mig_unit *unit)
{
	return worker->engine->tracks_arrivals && (unit->flags & MIG_UNIT_SHARED) &&
	       mig_frametable_get(&worker->engine->arrived, unit->frame);
}

static void add_task(struct mig_worker *worker, struct mig_walk *walk,
		     const struct mig_span *span, const struct mig_unit *unit, int to)
{
	const struct mig_task task = {
		.walk = walk,
		.address = unit->address,
		.nr_pages = unit->nr_pages,
		.from = unit->node,
		.to = (int16_t)to,
		.flags = unit->flags,
		.kind = (uint8_t)span->kind,
		.state = MIG_TASK_WAITING,
	};

	if (worker->pending.nr == worker->pending.capacity)
		flush(worker);
	mig_tasks_add(&worker->pending, &task);
}

static void take_unit(struct mig_worker *worker, struct mig_walk *walk,
		      const struct mig_span *span, const struct mig_unit *unit)
{
	struct mig_engine *engine = worker->engine;
	struct mig_outcome *outcome = worker->outcome;
	int to;

	if (unit->node == MIG_NO_NODE) {
		/* Resident, and the kernel does not say where. */
		mig_outcome_add_left(outcome, MIG_REASON_PROTECTED, MIG_NO_NODE, 0,
				     unit->nr_pages);
		return;
	}
	if (has_arrived(worker, unit)) {
		mig_outcome_add_already(outcome, unit->nr_pages);
		return;
	}
	switch (mig_select_unit(engine->plan, &walk->pagemap, span, unit, &to)) {
	case MIG_VERDICT_ALREADY:
		mig_outcome_add_already(outcome, unit->nr_pages);
		break;
	case MIG_VERDICT_SHARED:
		mig_outcome_add_skipped(outcome, MIG_SKIP_SHARED, unit->nr_pages);
		break;
	case MIG_VERDICT_FILTERED:
		mig_outcome_add_skipped(outcome, MIG_SKIP_FILTERED, unit->nr_pages);
		break;
	case MIG_VERDICT_NOT_FROM:
		mig_outcome_add_skipped(outcome, MIG_SKIP_NOT_FROM, unit->nr_pages);
		break;
	case MIG_VERDICT_MOVE:
		if (mig_placement_has_choice(engine->plan->placement))
			to = mig_plan_take_target(engine->plan, unit->node, unit->nr_pages);
		add_task(worker, walk, span, unit, to);
		break;
	}
}

static void take_chunk(struct mig_worker *worker, struct mig_walk *walk,
		       const struct mig_chunk *chunk)
{
	uint64_t at = chunk->start;

	while (at < chunk->end && !mig_engine_is_stopped(worker->engine)) {
		int r = mig_page_scan_next(&worker->scan, &chunk->span, at, chunk->end, &at);

		if (r == -ESRCH) {
			mig_walk_set_gone(walk, worker->outcome);
			return;
		}
		if (r < 0) {
			worker->outcome->totals.error = r;
			return;
		}
		for (size_t i = 0; i < worker->scan.nr_units; i++)
			take_unit(worker, walk, &chunk->span, &worker->scan.units[i]);
		if (worker->pending.nr_pages >= flush_pages(worker))
			flush(worker);
	}
}

static void walk_process(struct mig_worker *worker, struct mig_walk *walk)
{
	struct mig_engine *engine = worker->engine;
	struct mig_chunk chunk;
	int r = 0;

	mig_page_scan_set_process(&worker->scan, walk->process, &walk->pagemap);
	while (!worker->outcome->totals.error && !mig_engine_is_stopped(engine)) {
		r = mig_walk_next(walk, engine->plan, worker->outcome, &chunk);
		if (r <= 0)
			break;
		take_chunk(worker, walk, &chunk);
		if (worker->index >= __atomic_load_n(&engine->nr_open, __ATOMIC_RELAXED)) {
			flush(worker);
			mig_engine_wait_gate(engine, worker->index);
		}
	}
	if (r == -ESRCH)
		mig_walk_set_gone(walk, worker->outcome);
	else if (r < 0)
		worker->outcome->totals.error = r;
	flush(worker);
}

void mig_worker_walk(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;
	struct mig_walk *walk;

	mig_engine_wait_gate(engine, worker->index);
	while (!worker->outcome->totals.error && !mig_engine_is_stopped(engine)) {
		walk = mig_walks_acquire(&engine->walks, worker->outcome);
		if (!walk)
			break;
		walk_process(worker, walk);
		mig_walks_release(&engine->walks, walk);
	}
	worker->outcome->totals.zero_pages += worker->scan.zero_pages;
	worker->outcome->totals.swapped_pages += worker->scan.swapped_pages;
	worker->scan.zero_pages = worker->scan.swapped_pages = 0;
}
