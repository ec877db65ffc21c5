/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "walk.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "page_scan.h"
#include "select.h"

/* Of a mapping that is mostly holes a chunk is this many times as large. */
#define SPARSE_FACTOR 256

void mig_walks_init(struct mig_walks *walks, const struct mig_plan *plan)
{
	*walks = (struct mig_walks){ .plan = plan };
	pthread_mutex_init(&walks->lock, NULL);
}

static void close_walk(struct mig_walk *walk)
{
	mig_mappings_free(walk->mappings);
	walk->mappings = NULL;
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

static int open_walk(struct mig_process *process, struct mig_walk **ret_walk)
{
	struct mig_walk *walk = calloc(1, sizeof(*walk));
	int r;

	if (!walk)
		return -ENOMEM;
	walk->process = process;
	walk->pagemap.fd = walk->pagemap.flags_fd = walk->pagemap.count_fd = -1;
	r = mig_pagemap_open(process, &walk->pagemap);
	if (!r)
		r = mig_mappings_new(process, &walk->mappings);
	if (r < 0) {
		close_walk(walk);
		free(walk);
		return r;
	}
	pthread_mutex_init(&walk->lock, NULL);
	*ret_walk = walk;
	return 0;
}

/* The next member that can be walked; the list's lock is held. */
static struct mig_walk *begin_member(struct mig_walks *walks, struct mig_outcome *tally)
{
	while (walks->next_member < mig_target_get_count(walks->plan->target)) {
		struct mig_process *process = mig_target_get_process(
			walks->plan->target, walks->next_member++);
		struct mig_walk *walk;
		int r = open_walk(process, &walk);

		tally->totals.processes++;
		if (!r) {
			walk->next = walks->all;
			walks->all = walk;
			return walk;
		}
		if (r == -ESRCH)
			tally->totals.processes_gone++;
		else if (r == -EACCES || r == -EPERM)
			tally->totals.processes_denied++;
		else
			tally->totals.error = r;
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

static uint64_t chunk_end(const struct mig_walk *walk, size_t page_size)
{
	uint64_t bytes = MIG_SCAN_PAGES * (uint64_t)page_size;
	uint64_t end;

	if (walk->span.sparse)
		bytes *= SPARSE_FACTOR;
	if (bytes < walk->span.page_size_bytes)
		bytes = walk->span.page_size_bytes;
	/* Chunks begin and end where huge pages do. */
	end = (walk->at + bytes) / bytes * bytes;
	return end < walk->span.end && end > walk->at ? end : walk->span.end;
}

/* Go on to a mapping with something to look at; the walk's lock is held. */
static int find_span(struct mig_walk *walk, const struct mig_plan *plan,
		     struct mig_outcome *tally)
{
	const struct mig_mapping *mapping;
	int r;

	while (walk->at >= walk->span.end) {
		r = mig_mappings_next(walk->mappings, &mapping);
		if (r < 0)
			return r;
		if (!mapping)
			return 0;
		if (mig_select_mapping(plan, mapping, tally, &walk->span))
			walk->at = walk->span.start;
	}
	return 1;
}

int mig_walk_next(struct mig_walk *walk, const struct mig_plan *plan,
		  struct mig_outcome *tally, struct mig_chunk *ret_chunk)
{
	int r = 0;

	pthread_mutex_lock(&walk->lock);
	if (!walk->exhausted && !walk->gone)
		r = find_span(walk, plan, tally);
	if (r == 1) {
		ret_chunk->span = walk->span;
		ret_chunk->start = walk->at;
		walk->at = chunk_end(walk, plan->context->page_size);
		ret_chunk->end = walk->at;
	} else {
		walk->exhausted = true;
	}
	pthread_mutex_unlock(&walk->lock);
	return r;
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
