/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first pass over files. A window stays mapped while pages of it are to be moved
 * or tried again, and goes when a flush has left none; so pages of many small files
 * share one call.
 */
#include <errno.h>

#include "worker.h"

static void hold(struct mig_worker *worker, struct mig_window_walk *window)
{
	window->next = worker->windows;
	worker->windows = window;
	worker->nr_windows++;
}

void mig_worker_release_windows(struct mig_worker *worker)
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
		mig_window_walk_free(window);
	}
}

static void walk_window(struct mig_worker *worker, struct mig_window_walk *window)
{
	const struct mig_span span = mig_window_get_span(&window->window);
	const struct mig_chunk chunk = { .span = span,
					 .start = span.start,
					 .end = span.end };

	mig_page_scan_set_process(&worker->scan, window->walk.process,
				  &window->walk.pagemap);
	/* Held only afterwards: flushes meanwhile must not release it. */
	mig_worker_take_chunk(worker, &window->walk, &chunk);
	hold(worker, window);
	if (worker->nr_windows >= MIG_WORKER_WINDOWS)
		mig_worker_flush(worker);
	mig_worker_release_windows(worker);
}

void mig_worker_walk_files(struct mig_worker *worker)
{
	struct mig_engine *engine = worker->engine;
	struct mig_outcome *outcome = worker->outcome;
	struct mig_window_walk *window;
	int r;

	if (!engine->plan->self.process)
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
			mig_engine_wait_gate(engine, worker->index);
		}
	}
	mig_worker_flush(worker);
	mig_worker_release_windows(worker);
}
