/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hands out the spans of a plan in chunks. Each process is walked once, from its
 * lowest span up; several workers may take chunks of one process. A walk holds the
 * process's memory by its open pagemap, so that exec and exit show.
 */
#ifndef MIG_WALK_H
#define MIG_WALK_H

#include <pthread.h>

#include "outcome.h"
#include "pagecache.h"
#include "plan.h"

struct mig_walk {
	struct mig_walk *next; /**< in the list of all */
	struct mig_process *process;
	const struct mig_window *window; /**< part of a file in this process; or NULL */
	struct mig_nodeset *allowed; /**< by its cpuset; NULL: not asked, or not told */
	struct mig_pagemap pagemap;
	pthread_mutex_t lock; /**< of everything below */
	size_t span;          /**< in the plan: the one that is walked */
	size_t end_span;      /**< one behind its last */
	uint64_t at;          /**< in the span; 0: not begun */
	bool exhausted;
	bool gone; /**< exited or execed */
	bool kept; /**< someone has pages left to try again */
	unsigned int users;
};

struct mig_chunk {
	struct mig_span span;
	uint64_t start;
	uint64_t end;
};

struct mig_walks {
	const struct mig_plan *plan;
	pthread_mutex_t lock;
	struct mig_walk *all;
	size_t next_span; /**< of the plan: the first that nobody has begun */
};

void mig_walks_init(struct mig_walks *walks, const struct mig_plan *plan);

/** mig_walks_done - closes all walks. */
void mig_walks_done(struct mig_walks *walks);

/** mig_walk_get_origin - the address that pages are numbered from, see mig_span. */
static inline uint64_t mig_walk_get_origin(const struct mig_walk *walk)
{
	return walk->window ? mig_window_get_span(walk->window).origin : 0;
}

/**
 * mig_walks_acquire - a process to work on
 *
 * One that nobody has begun if there is any; else one that others work on.
 * @tally: counts those that are gone or cannot be looked at
 * Return: the walk, NULL if there is nothing to do.
 */
struct mig_walk *mig_walks_acquire(struct mig_walks *walks, struct mig_outcome *tally);

/** mig_walks_release - give it back; its files are closed once nobody needs them. */
void mig_walks_release(struct mig_walks *walks, struct mig_walk *walk);

/** mig_walk_next - the next chunk of a process. Return: whether there is one. */
bool mig_walk_next(struct mig_walk *walk, const struct mig_plan *plan,
		   struct mig_chunk *ret_chunk);

/** mig_walk_set_gone - its memory no longer exists. Counted once in @tally. */
void mig_walk_set_gone(struct mig_walk *walk, struct mig_outcome *tally);

/** mig_walk_is_gone - see above; safe against other workers. */
bool mig_walk_is_gone(struct mig_walk *walk);

/** mig_walk_keep - leave its files open until mig_walks_done(). */
void mig_walk_keep(struct mig_walk *walk);

#endif
