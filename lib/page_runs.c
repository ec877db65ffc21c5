/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a mapping's pages are, in order. */
#include <errno.h>

#include "frames.h"
#include "handles.h"
#include "page_scan.h"
#include "topology.h"

static void cleanup_scan(struct mig_page_scan *scan)
{
	mig_page_scan_done(scan);
}

static void cleanup_pagemap(struct mig_pagemap *pagemap)
{
	mig_pagemap_close(pagemap);
}

static void cleanup_frames(struct mig_frames *const *frames)
{
	mig_frames_free(*frames);
}

struct runs {
	struct mig_page_run run; /**< being extended */
	size_t page_size;
	int (*visit)(void *data, const struct mig_page_run *run);
	void *data;
};

static int end_run(struct runs *runs)
{
	return runs->run.nr_pages ? runs->visit(runs->data, &runs->run) : 0;
}

static int extend(struct runs *runs, uint64_t start, uint64_t nr_pages, int node)
{
	int r = 0;

	if (!nr_pages)
		return 0;
	if (runs->run.nr_pages && runs->run.node == node) {
		runs->run.nr_pages += nr_pages;
		return 0;
	}
	r = end_run(runs);
	runs->run = (struct mig_page_run){ start, nr_pages, node };
	return r;
}

static uint64_t run_end(const struct runs *runs)
{
	return runs->run.start + runs->run.nr_pages * runs->page_size;
}

static int visit_units(struct runs *runs, const struct mig_page_scan *scan, uint64_t next)
{
	int r = 0;

	for (size_t i = 0; !r && i < scan->nr_units; i++) {
		const struct mig_units *units = &scan->units[i];
		uint64_t at = run_end(runs);

		r = extend(runs, at, (units->address - at) / runs->page_size,
			   MIG_NO_NODE);
		if (!r)
			r = extend(runs, units->address, mig_units_pages(units),
				   units->node);
	}
	if (!r && next > run_end(runs))
		r = extend(runs, run_end(runs), (next - run_end(runs)) / runs->page_size,
			   MIG_NO_NODE);
	return r;
}

static int open_frames(const struct mig_topology *topology,
		       struct mig_frames **ret_frames)
{
	int r;

	if (!mig_pagemap_shows_frames(mig_topology_get_context(topology)))
		return 0;
	r = mig_frames_new(topology, ret_frames);
	return r == -ENOENT ? 0 : r;
}

int mig_residency_read_runs(const struct mig_process *process,
			    const struct mig_topology *topology, uint64_t start,
			    uint64_t end, uint64_t page_size_bytes,
			    int (*visit)(void *data, const struct mig_page_run *run),
			    void *data)
{
	CLEANUP(cleanup_frames) struct mig_frames *frames = NULL;
	CLEANUP(cleanup_scan) struct mig_page_scan scan = { 0 };
	CLEANUP(cleanup_pagemap)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	struct mig_span span = { .start = start,
				 .end = end,
				 .only_node = MIG_NO_NODE,
				 .page_size_bytes = page_size_bytes,
				 .sparse = true };
	struct runs runs = { .run.start = start, .visit = visit, .data = data };
	int r;

	if (!process || !topology || !visit || start > end || !page_size_bytes)
		return -EINVAL;
	runs.page_size = process->context->page_size;
	if (page_size_bytes > runs.page_size)
		span.kind = MIG_KIND_HUGETLB;
	r = open_frames(topology, &frames);
	if (!r)
		r = mig_pagemap_open(process, &pagemap);
	if (!r)
		r = mig_page_scan_init(&scan, frames);
	if (r < 0)
		return r;
	mig_page_scan_set_process(&scan, process, &pagemap);
	scan.guess_huge = false;
	while (!r && start < end) {
		r = mig_page_scan_next(&scan, &span, start, end, &start);
		if (!r)
			r = visit_units(&runs, &scan, start);
	}
	return r ? r : end_run(&runs);
}
