/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is cached of files, by node, for those who only look. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "frames.h"
#include "page_scan.h"
#include "pagecache.h"
#include "threads.h"
#include "topology.h"
#include "window_states.h"

/* What one thread counts with. */
struct looker {
	struct mig_page_scan scan;
	struct mig_window_scratch scratch;
	struct mig_file_cache cache;
	uint64_t node_pages[MIG_MAX_NODES];
};

struct look {
	const struct mig_context *context;
	struct mig_files *files;
	struct mig_self self;
	struct mig_frames *frames; /**< NULL: frame numbers are not shown */
	int only_node;             /**< that has all the memory, or MIG_NO_NODE */
	struct looker *lookers;
	unsigned int nr_lookers;
	pthread_mutex_t lock; /**< of visit() */
	int (*visit)(void *data, const struct mig_file_cache *cache);
	void *data;
};

/* A window that is looked at, and by whom. */
struct view {
	struct look *look;
	struct looker *looker;
	bool counted; /**< dirty pages were counted by the kernel */
	struct mig_window_states states;
};

static int count_window(void *data, struct mig_window *window)
{
	struct view *view = data;
	struct looker *looker = view->looker;
	struct mig_span span = mig_window_get_span(window);
	struct mig_page_scan *scan = &looker->scan;

	for (uint64_t at = span.start; at < span.end;) {
		int r = mig_page_scan_next(scan, &span, at, span.end, &at);

		if (r < 0)
			return r;
		for (size_t i = 0; i < scan->nr_units; i++) {
			const struct mig_units *units = &scan->units[i];

			looker->cache.cached_pages += mig_units_pages(units);
			if (units->node != MIG_NO_NODE)
				looker->node_pages[units->node] += mig_units_pages(units);
		}
	}
	if (view->look->frames)
		mig_window_count_states(window, &view->look->self.pagemap,
					&looker->scratch, &view->states);
	return 0;
}

/* What the kernel counts without the file being mapped. */
static void begin_file(struct view *view, const struct mig_file *file)
{
	struct looker *looker = view->looker;
	struct mig_cache_counts counts = { 0 };

	view->counted = !mig_file_count(file, 0, file->size_bytes, &counts);
	memset(looker->node_pages, 0, sizeof(looker->node_pages));
	looker->cache = (struct mig_file_cache){
		.path = mig_file_get_label(file),
		.size_bytes = file->size_bytes,
		.cached_pages = counts.cached_pages,
		.node_pages = looker->node_pages,
		.dirty_pages = view->counted ? counts.dirty_pages : MIG_UNKNOWN_PAGES,
		.writeback_pages =
			view->counted ? counts.writeback_pages : MIG_UNKNOWN_PAGES,
		.large_pages = MIG_UNKNOWN_PAGES,
		.type = file->backing->type,
		.mount = file->backing->home,
	};
}

static int look_by_page(struct view *view, struct mig_file *file)
{
	struct look *look = view->look;
	struct mig_file_cache *cache = &view->looker->cache;
	int r;

	cache->cached_pages = 0;
	r = mig_file_each_window(file, &look->self, &view->looker->scratch, count_window,
				 view);
	if (!look->frames)
		return r;
	cache->large_pages = view->states.large_pages;
	if (view->counted)
		return r;
	cache->dirty_pages = view->states.dirty_pages;
	cache->writeback_pages = view->states.writeback_pages;
	return r;
}

static int count_file(struct view *view, struct mig_file *file)
{
	struct looker *looker = view->looker;
	int node = view->look->only_node;

	begin_file(view, file);
	if (!view->counted || (looker->cache.cached_pages && node == MIG_NO_NODE))
		return look_by_page(view, file);
	if (node != MIG_NO_NODE)
		looker->node_pages[node] = looker->cache.cached_pages;
	return 0;
}

static int visit_file(void *data, unsigned int thread, struct mig_file *file)
{
	struct look *look = data;
	struct view view = { .look = look, .looker = &look->lookers[thread] };
	int r = count_file(&view, file);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		mig_files_report(look->files, mig_file_get_label(file), r);
		return 0;
	}
	pthread_mutex_lock(&look->lock);
	r = look->visit(look->data, &view.looker->cache);
	pthread_mutex_unlock(&look->lock);
	return r;
}

static int only_node_of(const struct mig_topology *topology)
{
	const struct mig_nodeset *nodes =
		mig_topology_get_nodes(topology, MIG_NODES_MEMORY);
	int node = mig_nodeset_next(nodes, MIG_NO_NODE);

	return mig_nodeset_next(nodes, node) == MIG_NO_NODE ? node : MIG_NO_NODE;
}

static int init_look(struct look *look, const struct mig_topology *topology)
{
	unsigned int nr = mig_threads_count();
	int r = mig_self_open(mig_topology_get_context(topology), &look->self);

	if (!r && look->self.pagemap.has_frames)
		r = mig_frames_new(topology, &look->frames);
	if (r == -ENOENT)
		r = 0; /* no memory blocks: nodes are asked for */
	if (r < 0)
		return r;
	look->lookers = calloc(nr, sizeof(*look->lookers));
	if (!look->lookers)
		return -ENOMEM;
	for (; !r && look->nr_lookers < nr; look->nr_lookers++) {
		struct looker *looker = &look->lookers[look->nr_lookers];

		r = mig_page_scan_init(&looker->scan, look->frames);
		if (!r)
			r = mig_window_scratch_init(&looker->scratch);
		if (!r)
			mig_page_scan_set_process(&looker->scan, look->self.process,
						  &look->self.pagemap);
	}
	return r;
}

static void end_look(struct look *look)
{
	for (unsigned int i = 0; i < look->nr_lookers; i++) {
		mig_page_scan_done(&look->lookers[i].scan);
		mig_window_scratch_done(&look->lookers[i].scratch);
	}
	free(look->lookers);
	mig_frames_free(look->frames);
	mig_self_close(&look->self);
	pthread_mutex_destroy(&look->lock);
}

int mig_files_look(struct mig_files *files, const struct mig_topology *topology,
		   int (*visit)(void *data, const struct mig_file_cache *cache),
		   void *data)
{
	struct look look = { .visit = visit, .data = data };
	int r;

	if (!files || !topology || !visit)
		return -EINVAL;
	look.context = files->context;
	look.files = files;
	look.only_node = only_node_of(topology);
	pthread_mutex_init(&look.lock, NULL);
	r = init_look(&look, topology);
	if (!r)
		r = mig_files_walk(files, look.nr_lookers, visit_file, &look);
	end_look(&look);
	return r;
}
