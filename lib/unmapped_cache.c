/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unmapped_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "demand.h"
#include "lru.h"
#include "node.h"
#include "pagemap.h"
#include "placement.h"
#include "plan.h"
#include "residency.h"
#include "target.h"
#include "threads.h"

int mig_unmapped_cache_open(const struct mig_target *target,
			    const struct mig_context *context,
			    const struct mig_frames *frames,
			    struct mig_unmapped_cache *ret_cache)
{
	struct mig_unmapped_cache cache = {
		.is_open = true,
		.is_everybodys = target->has_all_cache,
	};
	int r;

	if (!target->nr_caches && !cache.is_everybodys)
		return 0;
	r = mig_charged_open(context, frames, !cache.is_everybodys, &cache.charged);
	if (r < 0)
		return r;
	/* Who may read them, and has none, is on a machine without memory blocks. */
	if (!frames)
		r = -EOPNOTSUPP;
	for (size_t i = 0; !r && i < target->nr_caches && !cache.is_everybodys; i++) {
		r = mig_charged_owners_add(&cache.owners, target->caches[i]);
		/* What one that was removed was charged for is its parent's now. */
		if (r == -ENODEV)
			r = 0;
	}
	if (r < 0) {
		mig_unmapped_cache_close(&cache);
		return r;
	}
	*ret_cache = cache;
	return 0;
}

void mig_unmapped_cache_limit(struct mig_unmapped_cache *cache,
			      const struct mig_topology *topology,
			      const struct mig_placement *placement)
{
	const struct mig_nodeset *nodes =
		mig_topology_get_nodes(topology, MIG_NODES_MEMORY);

	if (!cache->is_open || !cache->is_everybodys)
		return;
	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node)) {
		uint64_t bytes;

		if (!mig_placement_takes_from(placement, node) &&
		    !mig_node_read_unmapped(cache->charged.context, node, &bytes))
			mig_nodeset_add(&cache->by_counters, node);
	}
}

void mig_unmapped_cache_close(struct mig_unmapped_cache *cache)
{
	if (!cache->is_open)
		return;
	mig_charged_close(&cache->charged);
	mig_charged_owners_done(&cache->owners);
	*cache = (struct mig_unmapped_cache){ 0 };
}

static const struct mig_charged_owners *owners_of(const struct mig_unmapped_cache *cache)
{
	return cache->is_everybodys ? NULL : &cache->owners;
}

int mig_unmapped_cache_visit(const struct mig_unmapped_cache *cache,
			     int (*visit)(void *data, const struct mig_charged_run *run),
			     void *data)
{
	return mig_charged_visit(&cache->charged, owners_of(cache), &cache->by_counters,
				 visit, data);
}

/* What all threads share that count frames. */
struct count {
	const struct mig_unmapped_cache *cache;
	uint64_t next; /**< atomic: the first frame that nobody has taken */
	uint64_t end;
	pthread_mutex_t lock; /**< of all below */
	struct mig_unmapped_pages *pages;
	int result;
};

static int count_run(void *data, const struct mig_charged_run *run)
{
	struct mig_unmapped_pages *pages = data;

	*(run->is_shmem ? &pages->shmem[run->node] : &pages->file[run->node]) +=
		run->nr_pages;
	if (run->is_writeback)
		pages->writeback[run->node] += run->nr_pages;
	return 0;
}

static void add_pages(struct mig_unmapped_pages *sum,
		      const struct mig_unmapped_pages *pages)
{
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		sum->file[node] += pages->file[node];
		sum->shmem[node] += pages->shmem[node];
		sum->writeback[node] += pages->writeback[node];
	}
}

static int count_strides(struct count *count, struct mig_unmapped_pages *pages)
{
	const struct mig_unmapped_cache *cache = count->cache;
	uint64_t first;
	int r = 0;

	while (!r && (first = __atomic_fetch_add(&count->next, MIG_CHARGED_STRIDE,
						 __ATOMIC_RELAXED)) < count->end)
		r = mig_charged_visit_range(&cache->charged, owners_of(cache),
					    &cache->by_counters, first,
					    first + MIG_CHARGED_STRIDE, count_run, pages);
	return r;
}

static void *count_some(void *data)
{
	CLEANUP_FREE struct mig_unmapped_pages *pages = calloc(1, sizeof(*pages));
	struct count *count = data;
	int r = pages ? count_strides(count, pages) : -ENOMEM;

	pthread_mutex_lock(&count->lock);
	if (r < 0)
		count->result = r;
	else
		add_pages(count->pages, pages);
	pthread_mutex_unlock(&count->lock);
	return NULL;
}

/* The kernel takes a tenth of a microsecond and more for each. */
static int count_frames(const struct mig_unmapped_cache *cache,
			struct mig_unmapped_pages *pages)
{
	struct count count = {
		.cache = cache,
		.end = mig_frames_get_end(cache->charged.frames),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.pages = pages,
	};

	mig_lru_gather(cache->charged.context);
	mig_threads_run(count.end / MIG_CHARGED_STRIDE + 1, count_some, &count);
	pthread_mutex_destroy(&count.lock);
	return count.result;
}

static int count_by_counters(const struct mig_unmapped_cache *cache,
			     struct mig_unmapped_pages *pages)
{
	const struct mig_context *context = cache->charged.context;
	const struct mig_nodeset *nodes = &cache->by_counters;

	if (mig_nodeset_count(nodes))
		mig_node_gather_counters(context);
	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node)) {
		uint64_t bytes = 0;
		int r = mig_node_read_unmapped(context, node, &bytes);

		/* It may have been unplugged. */
		if (r < 0 && r != -ENOENT)
			return r;
		pages->file[node] = bytes >> context->page_shift;
	}
	return 0;
}

int mig_unmapped_cache_count(const struct mig_unmapped_cache *cache,
			     struct mig_unmapped_pages **ret_pages)
{
	CLEANUP_FREE struct mig_unmapped_pages *pages = calloc(1, sizeof(*pages));
	int r;

	if (!pages)
		return -ENOMEM;
	r = count_frames(cache, pages);
	if (!r)
		r = count_by_counters(cache, pages);
	if (r < 0)
		return r;
	*ret_pages = STEAL(pages);
	return 0;
}

int mig_unmapped_cache_add(struct mig_residency *residency,
			   const struct mig_unmapped_pages *pages)
{
	int r = 0;

	for (int node = 0; !r && node < MIG_MAX_NODES; node++) {
		if (pages->file[node])
			r = mig_residency_add_pages(residency, node, MIG_KIND_FILE,
						    pages->file[node]);
		if (!r && pages->shmem[node])
			r = mig_residency_add_pages(residency, node, MIG_KIND_SHMEM,
						    pages->shmem[node]);
	}
	return r;
}

int mig_unmapped_cache_demand(struct mig_plan *plan)
{
	CLEANUP_FREE struct mig_unmapped_pages *pages = NULL;
	int r;

	if (!plan->cache.is_open)
		return 0;
	r = mig_unmapped_cache_count(&plan->cache, &pages);
	if (!r)
		r = mig_unmapped_cache_add(plan->residency, pages);
	for (int node = 0; !r && node < MIG_MAX_NODES; node++)
		r = mig_demand_add_node(plan, MIG_KIND_FILE, node,
					pages->file[node] + pages->shmem[node]);
	return r;
}

/* Whether the page that an entry has is one that files are asked for. */
static bool is_asked_for(const struct mig_unmapped_cache *cache, bool is_limited,
			 uint64_t entry)
{
	/* What others have mapped is theirs to move. */
	if (!(entry & MIG_PAGEMAP_PRESENT) || !(entry & MIG_PAGEMAP_EXCLUSIVE))
		return false;
	return !is_limited ||
	       mig_nodeset_has(&cache->only_on,
			       mig_frames_get_node(cache->charged.frames,
						   entry & MIG_PAGEMAP_FRAME));
}

/* Pages that are looked up at once. */
#define AT_ONCE 512

/* Consecutive frames. Before 6.12 the kernel tells of the head of a folio only. */
static int keep_run(const struct mig_unmapped_cache *cache, uint64_t *entries, size_t nr)
{
	uint64_t frame = entries[0] & MIG_PAGEMAP_FRAME, inodes[AT_ONCE];
	int r = mig_charged_read_inodes(&cache->charged, frame, inodes, nr);

	for (size_t i = 0; r >= 0 && i < nr; i++) {
		r = inodes[i] ? mig_charged_owners_have(&cache->owners, inodes[i])
			      : mig_charged_is_owned(&cache->charged, &cache->owners,
						     frame + i);
		if (!r)
			entries[i] = 0;
	}
	return r < 0 ? r : 0;
}

static size_t count_consecutive(const uint64_t *entries, size_t nr)
{
	uint64_t frame = entries[0] & MIG_PAGEMAP_FRAME;
	size_t i = 1;

	while (i < nr && i < AT_ONCE && entries[i] &&
	       (entries[i] & MIG_PAGEMAP_FRAME) == frame + i)
		i++;
	return i;
}

int mig_unmapped_cache_keep(const struct mig_unmapped_cache *cache, uint64_t *entries,
			    size_t nr)
{
	bool is_limited = mig_nodeset_count(&cache->only_on) > 0;

	for (size_t i = 0; i < nr; i++)
		if (!is_asked_for(cache, is_limited, entries[i]))
			entries[i] = 0;
	for (size_t i = 0, run; i < nr && !cache->is_everybodys; i += run) {
		int r = 0;

		run = 1;
		if (entries[i]) {
			run = count_consecutive(entries + i, nr - i);
			r = keep_run(cache, entries + i, run);
		}
		if (r < 0)
			return r;
	}
	return 0;
}
