/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first pass over files. A window stays mapped while pages of it are to be moved
 * or tried again, and goes when a flush has left none; so pages of many small files
 * share one call.
 */
#include <errno.h>

#include "residency.h"
#include "worker.h"

static void hold(struct mig_worker *worker, struct mig_window_walk *window)
{
	window->next = worker->windows;
	worker->windows = window;
	worker->nr_windows++;
}

void mig_worker_close_windows(struct mig_worker *worker)
{
	while (worker->windows) {
		struct mig_window_walk *window = worker->windows;

		worker->windows = window->next;
		mig_window_walk_free(window);
	}
	worker->nr_windows = 0;
}

static void count_units(struct mig_worker *worker, struct mig_residency *residency,
			enum mig_kind kind)
{
	const struct mig_page_scan *scan = &worker->scan;
	int r = 0;

	for (size_t i = 0; !r && i < scan->nr_units; i++)
		if (scan->units[i].node != MIG_NO_NODE)
			r = mig_residency_add_pages(residency, scan->units[i].node, kind,
						    mig_units_pages(&scan->units[i]));
	if (r < 0)
		worker->outcome->totals.error = r;
}

/* Only an estimate has not done that before. */
void mig_worker_count_found(struct mig_worker *worker, enum mig_kind kind)
{
	if (worker->engine->plan->is_estimated)
		count_units(worker, worker->before, kind);
}

/* Where the pages of a window are, while they are still mapped here. Those of a cgroup's
 * cache are counted by their frames. */
static void count_left_behind(struct mig_worker *worker, struct mig_window_walk *window)
{
	const struct mig_span span = mig_window_get_span(&window->window);
	uint64_t at = span.start;

	if (worker->engine->plan->cache.is_open)
		return;
	mig_page_scan_set_process(&worker->scan, window->walk.process,
				  &window->walk.pagemap);
	while (at < span.end && !worker->outcome->totals.error) {
		int r = mig_page_scan_next(&worker->scan, &span, at, span.end, &at);

		if (r < 0)
			worker->outcome->totals.error = r;
		else
			count_units(worker, worker->after, span.kind);
	}
}

/* Unmaps those in which nothing is left to try. */
static void release_windows(struct mig_worker *worker)
{
	struct mig_window_walk **link = &worker->windows;

	if (worker->pending.nr)
		return;
	while (*link) {
		struct mig_window_walk *window = *link;

		if (worker->left.nr && window->walk.kept) {
			link = &window->next;
			continue;
		}
		*link = window->next;
		worker->nr_windows--;
		count_left_behind(worker, window);
		mig_window_walk_free(window);
	}
}

void mig_worker_settle(struct mig_worker *worker)
{
	mig_retry_settle(worker);
	release_windows(worker);
}

static void walk_window(struct mig_worker *worker, struct mig_window_walk *window)
{
	const struct mig_unmapped_cache *cache = &worker->engine->plan->cache;
	const struct mig_span span = mig_window_get_span(&window->window);
	const struct mig_chunk chunk = { .span = span,
					 .start = span.start,
					 .end = span.end };

	hold(worker, window);
	mig_page_scan_set_process(&worker->scan, window->walk.process,
				  &window->walk.pagemap);
	if (cache->is_open)
		worker->scan.only_cache = cache;
	mig_worker_take_chunk(worker, &window->walk, &chunk);
	if (worker->nr_windows >= MIG_WORKER_WINDOWS)
		mig_worker_flush(worker);
	release_windows(worker);
	if (worker->nr_windows < MIG_WORKER_WINDOWS)
		return;
	mig_retry_finish(worker);
	release_windows(worker);
}

void mig_worker_walk_files(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;
	struct mig_outcome *outcome = worker->outcome;
	struct mig_window_walk *window;
	int r;

	if (!engine->plan->self.process ||
	    (engine->plan->cache.is_open && !engine->asks_files))
		return;
	while (!outcome->totals.error && !mig_engine_is_stopped(engine)) {
		r = mig_file_walk_next(&engine->file_walk, &worker->scratch, outcome,
				       &window);
		if (r < 0)
			outcome->totals.error = r;
		if (r <= 0)
			break;
		walk_window(worker, window);
		if (worker->index >=
		    __atomic_load_n(&engine->nr_open, __ATOMIC_RELAXED)) {
			mig_worker_flush(worker);
			release_windows(worker);
			mig_engine_wait_gate(engine, worker->index);
		}
	}
	mig_worker_flush(worker);
	release_windows(worker);
}
