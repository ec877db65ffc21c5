/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has page frames mapped. The kernel leads from a process to its frames and
 * not back, so the page tables of all processes are read, once for all frames.
 */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "handles.h"
#include "mappings.h"
#include "pagemap.h"

/* Entries that are read at once. */
#define WINDOW_PAGES ((uint64_t)4096)

struct search {
	struct mig_context *context;
	const uint64_t *frames;
	size_t nr_frames;
	int (*visit)(void *data, const struct mig_frame_user *user);
	void *data;
	uint64_t *entries;
	int ended; /**< what @visit returned to end the walk */
};

static bool is_wanted(const struct search *search, uint64_t entry)
{
	uint64_t frame = entry & MIG_PAGEMAP_FRAME;
	size_t first = 0, end = search->nr_frames;

	if (!(entry & MIG_PAGEMAP_PRESENT) || frame < search->frames[0] ||
	    frame > search->frames[end - 1])
		return false;
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (search->frames[middle] == frame)
			return true;
		if (search->frames[middle] < frame)
			first = middle + 1;
		else
			end = middle;
	}
	return false;
}

static int visit_entries(struct search *search, const struct mig_process *process,
			 const struct mig_mapping *mapping, uint64_t start, size_t nr)
{
	for (size_t i = 0; i < nr && !search->ended; i++) {
		const struct mig_frame_user user = {
			.frame = search->entries[i] & MIG_PAGEMAP_FRAME,
			.process = process,
			.address = start + i * search->context->page_size,
			.mapping = mapping,
		};

		if (is_wanted(search, search->entries[i]))
			search->ended = search->visit(search->data, &user);
	}
	return search->ended;
}

static int search_mapping(struct search *search, const struct mig_process *process,
			  struct mig_pagemap *pagemap, const struct mig_mapping *mapping)
{
	const unsigned int shift = search->context->page_shift;
	uint64_t at = mapping->start;

	for (;;) {
		uint64_t nr;
		ssize_t n;
		int r;

		at = mig_pagemap_skip_hole(pagemap, at, mapping->end);
		if (at >= mapping->end)
			return 0;
		nr = (mapping->end - at) >> shift;
		n = mig_pagemap_read(pagemap, at, search->entries,
				     nr < WINDOW_PAGES ? nr : WINDOW_PAGES);
		/* Of [vsyscall], which is beyond all page tables, and of memory that is
		 * gone, which its mappings tell. */
		if (n <= 0)
			return (int)n;
		r = visit_entries(search, process, mapping, at, (size_t)n);
		if (r)
			return r;
		at += (uint64_t)n << shift;
	}
}

static int search_mappings(struct search *search, const struct mig_process *process,
			   struct mig_pagemap *pagemap)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	int r = mig_mappings_open(process, false, &mappings);

	while (!r) {
		const struct mig_mapping *mapping;

		r = mig_mappings_next(mappings, &mapping);
		if (r || !mapping)
			break;
		r = search_mapping(search, process, pagemap, mapping);
	}
	return r;
}

/* Gone, or a kernel thread. */
static bool has_no_memory(int error)
{
	return error == -ESRCH || error == -ENXIO || error == -ENODATA;
}

static int search_process(void *data, pid_t pid, pid_t parent)
{
	struct search *search = data;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP(mig_pagemap_close)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	int r = mig_process_open(search->context, pid, &process);

	(void)parent;
	if (!r)
		r = mig_pagemap_open(process, &pagemap);
	/* A security module may forbid what capabilities allow. */
	if (r == -EACCES || r == -EPERM) {
		mig_log(search->context, MIG_LOG_INFO, "process %d may not be looked at",
			pid);
		return 0;
	}
	if (!r)
		r = search_mappings(search, process, &pagemap);
	if (search->ended)
		return search->ended;
	return has_no_memory(r) ? 0 : r;
}

int mig_frames_visit_users(struct mig_context *context, const uint64_t *frames,
			   size_t nr_frames,
			   int (*visit)(void *data, const struct mig_frame_user *user),
			   void *data)
{
	CLEANUP_FREE uint64_t *entries = NULL;
	struct search search = {
		.context = context,
		.frames = frames,
		.nr_frames = nr_frames,
		.visit = visit,
		.data = data,
	};

	if (!context || (!frames && nr_frames) || !visit)
		return -EINVAL;
	for (size_t i = 1; i < nr_frames; i++)
		if (frames[i - 1] >= frames[i])
			return -EINVAL;
	if (!nr_frames)
		return 0;
	if (!mig_pagemap_shows_frames(context))
		return -EPERM;
	entries = malloc(WINDOW_PAGES * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	search.entries = entries;
	return mig_process_visit_all(context, search_process, &search);
}
