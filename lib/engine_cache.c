/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run does about cache that nobody has mapped: first DAMON, then files for the rest. */
#include <errno.h>
#include <stdlib.h>

#include "batch.h"
#include "cleanup.h"
#include "engine.h"
#include "outcome.h"

/* A page that has moved is not asked for again. */
static bool limit_to_rest(struct mig_engine *engine)
{
	struct mig_nodeset *only_on = &engine->plan->cache.only_on;

	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (engine->cache_rest->file[node])
			mig_nodeset_add(only_on, node);
	return mig_nodeset_count(only_on) > 0;
}

/* Return: whether files are to be asked for the rest. */
static bool take_end(struct mig_engine *engine, int end, struct mig_totals *totals)
{
	if (end == -ETIMEDOUT && engine->options.timeout_ns) {
		totals->timed_out = true;
		__atomic_store_n(&engine->stop, true, __ATOMIC_RELAXED);
	}
	engine->cache_end = end == -ENOSPC ? end : 0;
	/* What is beyond the bound was not to be tried. */
	if (!end && engine->plan->options.most_cache_bytes)
		engine->cache_end = -ECANCELED;
	if (end && end != -ENOSPC && end != -ECANCELED && end != -ETIMEDOUT) {
		mig_log(engine->context, MIG_LOG_INFO, "DAMON has failed: error %d",
			-end);
		totals->cache_way = MIG_CACHE_BY_FILES;
	}
	return !engine->cache_end;
}

static int move_by_damon(struct mig_engine *engine, struct mig_damon *damon,
			 bool (*is_stopped)(void *data), void *data,
			 struct mig_outcome *outcome)
{
	uint64_t elapsed = mig_clock_ns() - engine->begin_ns;
	uint64_t timeout = engine->options.timeout_ns;
	struct mig_unmapped_result result;
	bool asks_files;
	int r;

	if (timeout)
		timeout = timeout > elapsed ? timeout - elapsed : 1;
	r = mig_unmapped_cache_move(engine->plan, damon, timeout, is_stopped, data,
				    outcome, &result);
	if (r < 0)
		return r;
	engine->cache_rest = result.rest;
	__atomic_fetch_add(&engine->moved_pages, outcome->totals.moved_pages,
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&engine->done_pages, outcome->totals.moved_pages,
			   __ATOMIC_RELAXED);
	asks_files =
		take_end(engine, result.end, &outcome->totals) && limit_to_rest(engine);
	/* If files are, more of it moves. */
	if (asks_files)
		free(result.after);
	else
		engine->plan->cache_after = result.after;
	return asks_files;
}

int mig_engine_cache_move(struct mig_engine *engine, bool (*is_stopped)(void *data),
			  void *data, struct mig_outcome *outcome)
{
	struct mig_unmapped_cache *cache = &engine->plan->cache;
	struct mig_damon *damon;
	int r;

	if (!cache->is_open)
		return 0;
	cache->only_on = (struct mig_nodeset){ { 0 } };
	free(STEAL(engine->plan->cache_after));
	if (mig_engine_is_stopped(engine))
		return mig_unmapped_cache_count(cache, &engine->cache_rest);
	damon = mig_unmapped_cache_take_damon(engine->plan);
	outcome->totals.cache_way = damon ? MIG_CACHE_BY_DAMON : MIG_CACHE_BY_FILES;
	if (damon)
		r = move_by_damon(engine, damon, is_stopped, data, outcome);
	else
		r = mig_unmapped_cache_count(cache, &engine->cache_rest);
	if (!r && !damon)
		r = 1;
	/* Others may have it again. */
	mig_damon_close(damon);
	engine->asks_files = r > 0 && engine->plan->self.process;
	return r < 0 ? r : engine->asks_files;
}

void mig_engine_cache_end(const struct mig_engine *engine,
			  const struct mig_residency *found, struct mig_outcome *outcome)
{
	int end = mig_engine_is_stopped(engine) ? -ECANCELED : engine->cache_end;

	/* It was not even counted, which is told as the error that it was. */
	if (!engine->cache_rest)
		return;
	mig_unmapped_cache_book_rest(engine->plan, engine->cache_rest, found, end,
				     outcome);
}
