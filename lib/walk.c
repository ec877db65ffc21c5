/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "page_scan.h"

/* Of a mapping that is mostly holes a chunk is this many times as large. */
#define SPARSE_FACTOR 256

void mig_walks_init(struct mig_walks *walks, const struct mig_plan *plan)
{
	*walks = (struct mig_walks){ .plan = plan };
	pthread_mutex_init(&walks->lock, NULL);
}

static void close_walk(struct mig_walk *walk)
{
	free(walk->allowed);
	walk->allowed = NULL;
	mig_pagemap_close(&walk->pagemap);
}

void mig_walks_done(struct mig_walks *walks)
{
	while (walks->all) {
		struct mig_walk *walk = walks->all;

		walks->all = walk->next;
		close_walk(walk);
		pthread_mutex_destroy(&walk->lock);
		free(walk);
	}
	pthread_mutex_destroy(&walks->lock);
}

/* Only where there is a choice of targets. */
static void read_allowed(const struct mig_plan *plan, struct mig_walk *walk)
{
	CLEANUP_FREE struct mig_nodeset *allowed = NULL;

	if (!mig_placement_has_choice(plan->placement))
		return;
	allowed = malloc(sizeof(*allowed));
	if (allowed && !mig_process_read_mems_allowed(walk->process, allowed))
		walk->allowed = STEAL(allowed);
}

static int open_walk(const struct mig_plan *plan, struct mig_process *process,
		     struct mig_walk **ret_walk)
{
	struct mig_walk *walk = calloc(1, sizeof(*walk));
	int r;

	if (!walk)
		return -ENOMEM;
	walk->process = process;
	r = mig_pagemap_open(process, &walk->pagemap);
	if (r < 0) {
		free(walk);
		return r;
	}
	read_allowed(plan, walk);
	pthread_mutex_init(&walk->lock, NULL);
	*ret_walk = walk;
	return 0;
}

static void count_failure(struct mig_outcome *tally, int error)
{
	if (error == -ESRCH)
		tally->totals.processes_gone++;
	else if (error == -EACCES || error == -EPERM)
		tally->totals.processes_denied++;
	else
		tally->totals.error = error;
}

/* The next member that can be walked; the list's lock is held. */
static struct mig_walk *begin_member(struct mig_walks *walks, struct mig_outcome *tally)
{
	const struct mig_plan *plan = walks->plan;

	while (walks->next_span < plan->nr_spans) {
		size_t first = walks->next_span;
		size_t member = plan->spans[first].member;
		struct mig_walk *walk = NULL;
		int r = open_walk(plan, mig_target_get_process(plan->target, member),
				  &walk);

		while (walks->next_span < plan->nr_spans &&
		       plan->spans[walks->next_span].member == member)
			walks->next_span++;
		if (r < 0) {
			count_failure(tally, r);
			continue;
		}
		walk->span = first;
		walk->end_span = walks->next_span;
		walk->next = walks->all;
		walks->all = walk;
		return walk;
	}
	return NULL;
}

static struct mig_walk *join_other(struct mig_walks *walks)
{
	for (struct mig_walk *walk = walks->all; walk; walk = walk->next) {
		bool open;

		pthread_mutex_lock(&walk->lock);
		open = !walk->exhausted;
		pthread_mutex_unlock(&walk->lock);
		if (open)
			return walk;
	}
	return NULL;
}

struct mig_walk *mig_walks_acquire(struct mig_walks *walks, struct mig_outcome *tally)
{
	struct mig_walk *walk;

	pthread_mutex_lock(&walks->lock);
	walk = begin_member(walks, tally);
	if (!walk)
		walk = join_other(walks);
	if (walk)
		walk->users++;
	pthread_mutex_unlock(&walks->lock);
	return walk;
}

void mig_walks_release(struct mig_walks *walks, struct mig_walk *walk)
{
	pthread_mutex_lock(&walks->lock);
	pthread_mutex_lock(&walk->lock);
	if (!--walk->users && walk->exhausted && !walk->kept)
		close_walk(walk);
	pthread_mutex_unlock(&walk->lock);
	pthread_mutex_unlock(&walks->lock);
}

static uint64_t chunk_end(const struct mig_span *span, uint64_t at, size_t page_size)
{
	uint64_t bytes = MIG_SCAN_PAGES * (uint64_t)page_size;
	uint64_t end;

	if (span->sparse)
		bytes *= SPARSE_FACTOR;
	if (bytes < span->page_size_bytes)
		bytes = span->page_size_bytes;
	/* Chunks begin and end where huge pages do. */
	end = (at + bytes) / bytes * bytes;
	return end < span->end && end > at ? end : span->end;
}

bool mig_walk_next(struct mig_walk *walk, const struct mig_plan *plan,
		   struct mig_chunk *ret_chunk)
{
	bool found;

	pthread_mutex_lock(&walk->lock);
	found = !walk->gone && walk->span < walk->end_span;
	if (found) {
		const struct mig_span *span = &plan->spans[walk->span].span;

		ret_chunk->span = *span;
		ret_chunk->start = walk->at ? walk->at : span->start;
		walk->at = chunk_end(span, ret_chunk->start, plan->context->page_size);
		ret_chunk->end = walk->at;
		if (walk->at >= span->end) {
			walk->at = 0;
			walk->span++;
		}
	} else {
		walk->exhausted = true;
	}
	pthread_mutex_unlock(&walk->lock);
	return found;
}

void mig_walk_set_gone(struct mig_walk *walk, struct mig_outcome *tally)
{
	pthread_mutex_lock(&walk->lock);
	if (!walk->gone)
		tally->totals.processes_gone++;
	walk->gone = true;
	walk->exhausted = true;
	pthread_mutex_unlock(&walk->lock);
}

bool mig_walk_is_gone(struct mig_walk *walk)
{
	bool gone;

	pthread_mutex_lock(&walk->lock);
	gone = walk->gone;
	pthread_mutex_unlock(&walk->lock);
	return gone;
}

void mig_walk_keep(struct mig_walk *walk)
{
	pthread_mutex_lock(&walk->lock);
	walk->kept = true;
	pthread_mutex_unlock(&walk->lock);
}
