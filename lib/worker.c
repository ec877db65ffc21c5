/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>

#include "residency.h"
#include "select.h"

#define LIST_TASKS 4096
/* Calls that are made smaller for the others' sake still have so many pages. */
#define LEAST_SHARE 4096

static int init_windows(struct mig_worker *worker)
{
	struct mig_context *context = worker->engine->plan->context;
	int r = mig_window_scratch_init(&worker->scratch);

	if (!r)
		r = mig_residency_new(context, &worker->before);
	return r < 0 ? r : mig_residency_new(context, &worker->after);
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
		r = mig_tasks_init(&worker->pending, LIST_TASKS);
	if (!r)
		r = mig_tasks_init(&worker->left, LIST_TASKS);
	if (!r)
		r = mig_tasks_init(&worker->trying, LIST_TASKS);
	if (!r && engine->plan->self.process)
		r = init_windows(worker);
	worker->picks = malloc(MIG_WORKER_PICKS * sizeof(*worker->picks));
	if (!r && !worker->picks)
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
	free(worker->picks);
	mig_tasks_clear(&worker->pending);
	mig_tasks_clear(&worker->left);
	mig_worker_close_windows(worker);
	mig_window_scratch_done(&worker->scratch);
	mig_residency_free(worker->before);
	mig_residency_free(worker->after);
	mig_tasks_done(&worker->pending);
	mig_tasks_done(&worker->left);
	mig_tasks_done(&worker->trying);
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
	unsigned int open = __atomic_load_n(&engine->nr_open, __ATOMIC_RELAXED);
	uint64_t share = rest / (2 * (uint64_t)open);
	unsigned int targets =
		mig_nodeset_count(mig_placement_get_targets(engine->plan->placement));

	if (share < LEAST_SHARE)
		share = LEAST_SHARE;
	return (limit < share ? limit : share) * targets;
}

void mig_worker_flush(struct mig_worker *worker)
{
	struct mig_tasks *pending = &worker->pending;

	mig_mover_flush(worker, pending);
	for (size_t i = 0; i < pending->nr; i++) {
		mig_retry_take_late(worker, &pending->tasks[i]);
		mig_outcome_add_skipped(worker->outcome, MIG_SKIP_STOPPED,
					mig_task_pages(&pending->tasks[i]));
	}
	mig_tasks_clear(pending);
	mig_retry_make_room(worker);
}

static bool have_arrived(const struct mig_worker *worker, const struct mig_units *units)
{
	return worker->engine->tracks_arrivals && (units->flags & MIG_UNIT_SHARED) &&
	       mig_frametable_get(&worker->engine->arrived, units->frame);
}

static void add_task(struct mig_worker *worker, struct mig_walk *walk,
		     const struct mig_span *span, const struct mig_units *units, int to)
{
	const struct mig_task task = {
		.walk = walk,
		.address = units->address,
		.nr = units->nr,
		.unit_pages = units->unit_pages,
		.from = units->node,
		.to = (int16_t)to,
		.flags = units->flags,
		.kind = (uint16_t)span->kind,
	};

	if (mig_tasks_add(&worker->pending, &task))
		return;
	mig_worker_flush(worker);
	mig_tasks_add(&worker->pending, &task);
}

/* To each of several nearest targets as many as the plan has room for there. */
static void add_tasks_by_room(struct mig_worker *worker, struct mig_walk *walk,
			      const struct mig_span *span, struct mig_units units,
			      int nearest)
{
	struct mig_plan *plan = worker->engine->plan;

	while (units.nr) {
		uint32_t nr;
		int to = mig_plan_take_target(plan, &units, walk->allowed, &nr);
		struct mig_units part =
			mig_units_take(&units, nr, plan->context->page_size);

		add_task(worker, walk, span, &part, to == MIG_NO_NODE ? nearest : to);
	}
}

static void add_tasks(struct mig_worker *worker, struct mig_walk *walk,
		      const struct mig_span *span, const struct mig_units *units, int to)
{
	if (mig_placement_has_choice(worker->engine->plan->placement))
		add_tasks_by_room(worker, walk, span, *units, to);
	else
		add_task(worker, walk, span, units, to);
}

static bool must_ask_for_dirty(const struct mig_worker *worker,
			       const struct mig_walk *walk)
{
	return walk->window && !worker->engine->plan->options.may_write &&
	       __atomic_load_n(&walk->window->file->backing->dirty, __ATOMIC_RELAXED) !=
		       MIG_DIRTY_MOVES;
}

/* What its file system would write out stays. */
static void add_clean_tasks(struct mig_worker *worker, struct mig_walk *walk,
			    const struct mig_span *span, struct mig_units units, int to)
{
	while (units.nr) {
		struct mig_units unit =
			mig_units_take(&units, 1, worker->engine->context->page_size);

		switch (mig_dirty_decide(worker, walk, &unit, to)) {
		case MIG_DIRTY_GOES:
			add_tasks(worker, walk, span, &unit, to);
			break;
		case MIG_DIRTY_STAYS:
			mig_outcome_add_skipped(worker->outcome, MIG_SKIP_DIRTY,
						unit.unit_pages);
			break;
		case MIG_DIRTY_FIXED:
			mig_outcome_add_left(worker->outcome, MIG_REASON_FILE_SYSTEM, to,
					     0, unit.unit_pages);
			break;
		case MIG_DIRTY_BOOKED:
			break;
		}
	}
}

/* Units with one verdict. */
static void take_verdict(struct mig_worker *worker, struct mig_walk *walk,
			 const struct mig_span *span, const struct mig_units *units,
			 enum mig_verdict verdict, int to)
{
	struct mig_outcome *outcome = worker->outcome;
	uint64_t nr_pages = mig_units_pages(units);

	switch (verdict) {
	case MIG_VERDICT_ALREADY:
		mig_outcome_add_already(outcome, nr_pages);
		break;
	case MIG_VERDICT_SHARED:
		mig_outcome_add_skipped(outcome, MIG_SKIP_SHARED, nr_pages);
		break;
	case MIG_VERDICT_FILTERED:
		mig_outcome_add_skipped(outcome, MIG_SKIP_FILTERED, nr_pages);
		break;
	case MIG_VERDICT_NOT_FROM:
		mig_outcome_add_skipped(outcome, MIG_SKIP_NOT_FROM, nr_pages);
		break;
	case MIG_VERDICT_MOVE:
		if (must_ask_for_dirty(worker, walk))
			add_clean_tasks(worker, walk, span, *units, to);
		else
			add_tasks(worker, walk, span, units, to);
		break;
	}
}

static void take_units(struct mig_worker *worker, struct mig_walk *walk,
		       const struct mig_span *span, struct mig_units units)
{
	const struct mig_plan *plan = worker->engine->plan;

	if (units.node == MIG_NO_NODE) {
		/* Resident, and the kernel does not say where. */
		mig_outcome_add_left(worker->outcome, MIG_REASON_PROTECTED, MIG_NO_NODE,
				     0, mig_units_pages(&units));
		return;
	}
	if (have_arrived(worker, &units)) {
		mig_outcome_add_already(worker->outcome, mig_units_pages(&units));
		return;
	}
	while (units.nr) {
		int to = MIG_NO_NODE;
		uint32_t nr;
		enum mig_verdict verdict =
			mig_select_units(plan, &walk->pagemap, span, &units, &to, &nr);
		struct mig_units part =
			mig_units_take(&units, nr, plan->context->page_size);

		take_verdict(worker, walk, span, &part, verdict, to);
	}
}

void mig_worker_take_chunk(struct mig_worker *worker, struct mig_walk *walk,
			   const struct mig_chunk *chunk)
{
	uint64_t at = chunk->start;

	while (at < chunk->end) {
		int r = mig_page_scan_next(&worker->scan, &chunk->span, at, chunk->end,
					   &at);

		if (r == -ESRCH) {
			mig_walk_set_gone(walk, worker->outcome);
			return;
		}
		if (r < 0) {
			worker->outcome->totals.error = r;
			return;
		}
		if (walk->window)
			mig_worker_count_found(worker, chunk->span.kind);
		for (size_t i = 0; i < worker->scan.nr_units; i++)
			take_units(worker, walk, &chunk->span, worker->scan.units[i]);
		if (worker->pending.nr_pages >= flush_pages(worker))
			mig_worker_flush(worker);
	}
}

static void walk_process(struct mig_worker *worker, struct mig_walk *walk)
{
	struct mig_engine *engine = worker->engine;
	struct mig_chunk chunk;

	mig_page_scan_set_process(&worker->scan, walk->process, &walk->pagemap);
	while (!worker->outcome->totals.error &&
	       mig_walk_next(walk, engine->plan, &chunk)) {
		mig_worker_take_chunk(worker, walk, &chunk);
		if (worker->index >=
		    __atomic_load_n(&engine->nr_open, __ATOMIC_RELAXED)) {
			mig_worker_flush(worker);
			mig_engine_wait_gate(engine, worker->index);
		}
	}
	mig_worker_flush(worker);
}

void mig_worker_walk(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;
	struct mig_walk *walk;

	mig_engine_wait_gate(engine, worker->index);
	while (!worker->outcome->totals.error) {
		walk = mig_walks_acquire(&engine->walks, worker->outcome);
		if (!walk)
			break;
		walk_process(worker, walk);
		mig_walks_release(&engine->walks, walk);
	}
	mig_worker_walk_files(worker);
}
