/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all workers of a run share. The run itself (mig_plan_run) is: workers walk
 * the target and move what they find; new members are walked too; what was busy is
 * tried again in later passes; what is still there is explained.
 */
#ifndef MIG_ENGINE_H
#define MIG_ENGINE_H

#include <pthread.h>

#include "destination.h"
#include "file_walk.h"
#include "frametable.h"
#include "pace.h"
#include "plan.h"
#include "walk.h"

/** The most workers of one run. */
#define MIG_MOST_WORKERS 16

struct mig_engine {
	struct mig_plan *plan;
	const struct mig_context *context;
	struct mig_run_options options;
	struct mig_walks walks;
	struct mig_file_walk file_walk;
	struct mig_pace pace;
	struct mig_destinations destinations;
	struct mig_frametable arrived; /**< frames of shared pages that this run filled */
	bool tracks_arrivals;
	bool asks_files; /**< for cache that nobody has mapped, after the members */
	struct mig_unmapped_pages *cache_rest; /**< what they are asked for; owned */
	int cache_end; /**< why they are not, see mig_unmapped_cache_book_rest() */
	uint64_t begin_ns;
	uint64_t planned_pages;
	unsigned int pass;

	/** One worker at a time calls migrate_pages(2), which takes a whole node: for
	 *  another the pages would be neither here nor there meanwhile. */
	pthread_mutex_t whole_node_lock;

	/* Atomic. */
	bool stop;
	uint64_t moved_pages;
	uint64_t done_pages; /**< of the planned: moved or settled otherwise */

	/* The gate that workers beyond the number in use wait at. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int nr_open; /**< workers that may work */
	unsigned int nr_busy; /**< workers that have not ended */
	bool walk_is_over;    /**< nobody found anything more to walk */
};

/** mig_engine_is_stopped - whether to end between two calls. */
bool mig_engine_is_stopped(const struct mig_engine *engine);

/** mig_engine_sleep_until - Return: false if the run was stopped meanwhile. */
bool mig_engine_sleep_until(struct mig_engine *engine, uint64_t when_ns);

/** mig_engine_wait_gate - wait while there are more workers than are of use. */
void mig_engine_wait_gate(struct mig_engine *engine, unsigned int worker);

/**
 * mig_engine_cache_move - move unmapped cache, as far as DAMON can (engine_cache.c)
 * Errors: -ENOMEM, -EIO. Return: 1: files are to be asked for the rest; 0: not.
 */
int mig_engine_cache_move(struct mig_engine *engine, bool (*is_stopped)(void *data),
			  void *data, struct mig_outcome *outcome);

/**
 * mig_engine_cache_end - book what was come to neither way
 * @found: by node, pages in files
 */
void mig_engine_cache_end(const struct mig_engine *engine,
			  const struct mig_residency *found, struct mig_outcome *outcome);

/** mig_engine_pass_pause_ns - how long to wait before a pass: longer each time. */
uint64_t mig_engine_pass_pause_ns(unsigned int pass);

#endif
