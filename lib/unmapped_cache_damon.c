/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Moving cache that nobody has mapped by DAMON. It gives no reasons, and
 * says only how much: what became of the pages is what the nodes have before and after.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "unmapped_cache.h"
#include "cgroup_tree.h"
#include "cleanup.h"
#include "outcome.h"
#include "placement.h"
#include "plan.h"
#include "target.h"

/* DAMON ends when it has nothing left to do; this is only for one that never does. */
#define MOST_NS UINT64_C(600000000000)

/* How often the cgroups are listed again. */
#define MOST_TRIES 3

/* How a run of DAMON ends. */
struct watched {
	uint64_t timeout_ns;
	bool (*is_stopped)(void *data);
	void *data;
};

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Which schemes are to run. */
struct request {
	struct mig_damon_scheme *schemes;
	size_t nr;
	char **paths; /**< owned; those of the schemes; NULL: of everybody */
	uint64_t end; /**< frames from here on are not asked for */
	size_t nr_paths;
};

static void cleanup_request(struct request *request)
{
	for (size_t i = 0; i < request->nr_paths; i++)
		free(request->paths[i]);
	free(request->paths);
	free(request->schemes);
}

struct mig_damon *mig_unmapped_cache_take_damon(const struct mig_plan *plan)
{
	struct mig_damon *damon = NULL;
	int r;

	/* One page goes here and the next one there, or arrives where others leave: DAMON
	 * takes all of a node, and again what has come to it. */
	if (!plan->cache.is_open || plan->options.cache_by_files ||
	    mig_placement_is_interleaved(plan->placement) ||
	    mig_placement_moves_twice(plan->placement))
		return NULL;
	r = mig_damon_open(plan->context, &damon);
	if (r < 0)
		mig_log(plan->context, MIG_LOG_INFO, "no DAMON: error %d", -r);
	return r < 0 ? NULL : damon;
}

/* All of a node goes to one other. With a choice of targets to the nearest that has room
 * for all of it. */
static int wanted_node(const struct mig_plan *plan, int from, uint64_t nr_pages)
{
	int nearest = mig_placement_get_wanted(plan->placement, from, 0);
	int to;

	if (nearest == from || nearest == MIG_NO_NODE ||
	    !mig_placement_has_choice(plan->placement))
		return nearest;
	to = mig_plan_find_target(plan, from, nr_pages);
	return to == MIG_NO_NODE ? nearest : to;
}

static uint64_t pages_on(const struct mig_unmapped_pages *pages, int node)
{
	return pages->file[node] + pages->shmem[node];
}

struct path_walk {
	struct request *request;
	const struct mig_cgroup *cgroup;
};

/* Where the controller is not enabled the parent is charged, and DAMON knows no such
 * cgroup. */
static int add_path(void *data, const char *path, int fd)
{
	const struct path_walk *walk = data;
	struct request *request = walk->request;
	const char *top = walk->cgroup->is_root ? "" : walk->cgroup->path;
	char **paths;

	if (faccessat(fd, "memory.stat", F_OK, 0) < 0)
		return 0;
	paths = reallocarray(request->paths, request->nr_paths + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	request->paths = paths;
	if (asprintf(&paths[request->nr_paths], "%s/%s", top, path) < 0)
		return -ENOMEM;
	/* "/a/b/" of the top itself, "/" of the root. */
	if (!*path && *top)
		paths[request->nr_paths][strlen(top)] = 0;
	request->nr_paths++;
	return 0;
}

/* A scheme that asks for no cgroup. */
static int add_everybody(struct request *request)
{
	request->paths = calloc(1, sizeof(*request->paths));
	if (!request->paths)
		return -ENOMEM;
	request->nr_paths = 1;
	return 0;
}

static int add_paths(struct request *request, const struct mig_target *target)
{
	int r = 0;

	if (target->has_all_cache)
		return add_everybody(request);
	for (size_t i = 0; !r && i < target->nr_caches; i++) {
		const struct mig_cgroup *cgroup = target->caches[i];
		struct path_walk walk = { request, cgroup };

		r = mig_cgroup_tree_visit(cgroup->places[MIG_CONTROLLER_MEMORY].fd,
					  add_path, &walk);
	}
	return r;
}

/* One scheme for each cgroup and each stretch of a node's memory. */
static int add_node(struct request *request, const struct mig_plan *plan, int from,
		    int to)
{
	struct mig_frames_run run = { 0 };

	if (!request->nr_paths)
		return 0;
	while (mig_frames_next_run(plan->frames, run.end, &run)) {
		struct mig_damon_scheme *schemes;

		if (run.node != from || run.start >= request->end)
			continue;
		schemes = reallocarray(request->schemes, request->nr + request->nr_paths,
				       sizeof(*schemes));
		if (!schemes)
			return -ENOMEM;
		request->schemes = schemes;
		for (size_t i = 0; i < request->nr_paths; i++)
			schemes[request->nr++] = (struct mig_damon_scheme){
				.start = run.start << plan->context->page_shift,
				.end = min(run.end, request->end)
				       << plan->context->page_shift,
				.to = to,
				.cgroup = request->paths[i],
				.only_unmapped = true,
			};
	}
	return 0;
}

struct limit {
	const struct mig_plan *plan;
	uint64_t pages; /**< that may still be asked for */
	uint64_t end;   /**< the frame behind them */
};

static int take_from_limit(void *data, const struct mig_charged_run *run)
{
	struct limit *limit = data;
	int to = wanted_node(limit->plan, run->node, run->nr_pages);

	if (to == MIG_NO_NODE || to == run->node)
		return 0;
	if (run->nr_pages >= limit->pages) {
		limit->end = run->frame + limit->pages;
		return 1;
	}
	limit->pages -= run->nr_pages;
	return 0;
}

/* DAMON goes through all memory that it is told of before it can be stopped. */
static int find_end(const struct mig_plan *plan, uint64_t *ret_end)
{
	struct limit limit = {
		.plan = plan,
		.pages = plan->options.most_cache_bytes / plan->context->page_size,
		.end = UINT64_MAX,
	};
	int r = 0;

	if (limit.pages)
		r = mig_unmapped_cache_visit(&plan->cache, take_from_limit, &limit);
	if (r >= 0)
		*ret_end = limit.end;
	return r < 0 ? r : 0;
}

static int make_request(const struct mig_plan *plan,
			const struct mig_unmapped_pages *pages, struct request *request)
{
	int r = add_paths(request, plan->target);

	if (!r)
		r = find_end(plan, &request->end);
	for (int from = 0; !r && from < MIG_MAX_NODES; from++) {
		uint64_t nr_pages = pages_on(pages, from);
		int to = nr_pages ? wanted_node(plan, from, nr_pages) : MIG_NO_NODE;

		if (to != MIG_NO_NODE && to != from)
			r = add_node(request, plan, from, to);
	}
	return r;
}

/* Pages that nothing was to be done with. Return: whether they are such. */
static bool book_settled(const struct mig_plan *plan, int node, int wanted,
			 uint64_t nr_pages, struct mig_outcome *outcome)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);

	if (wanted == node || (wanted == MIG_NO_NODE && mig_nodeset_has(targets, node)))
		mig_outcome_add_already(outcome, nr_pages);
	else if (wanted == MIG_NO_NODE)
		mig_outcome_add_skipped(outcome, MIG_SKIP_NOT_FROM, nr_pages);
	else
		return false;
	return true;
}

static uint64_t gained_on(const struct mig_unmapped_pages *before,
			  const struct mig_unmapped_pages *after, int node)
{
	uint64_t had = pages_on(before, node), has = pages_on(after, node);

	return has > had ? has - had : 0;
}

/* What came to nodes that nothing was sent to. */
static uint64_t count_strays(const struct mig_plan *plan,
			     const struct mig_unmapped_pages *before,
			     const struct mig_unmapped_pages *after)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);
	uint64_t strays = 0;

	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (!mig_nodeset_has(targets, node))
			strays += gained_on(before, after, node);
	return strays;
}

void mig_unmapped_cache_book(const struct mig_plan *plan,
			     const struct mig_unmapped_pages *before,
			     const struct mig_unmapped_pages *after, int end,
			     struct mig_outcome *outcome,
			     struct mig_unmapped_pages *ret_rest)
{
	uint64_t claimed[MIG_MAX_NODES] = { 0 };
	uint64_t strays = end == -ENOSPC ? count_strays(plan, before, after) : 0;

	*ret_rest = (struct mig_unmapped_pages){ 0 };
	for (int from = 0; from < MIG_MAX_NODES; from++) {
		uint64_t had = pages_on(before, from), has = pages_on(after, from);
		int to = had ? wanted_node(plan, from, had) : MIG_NO_NODE;
		uint64_t lost, moved, strayed;

		if (!had || book_settled(plan, from, to, had, outcome))
			continue;
		lost = had > has ? had - has : 0;
		moved = min(lost, gained_on(before, after, to) - claimed[to]);
		claimed[to] += moved;
		strayed = min(lost - moved, strays);
		strays -= strayed;
		mig_outcome_add_moved(outcome, from, to, moved);
		mig_outcome_add_left(outcome, MIG_REASON_NO_MEMORY, to, 0, strayed);
		mig_outcome_add_gone(outcome, lost - moved - strayed);
		ret_rest->file[from] = had - lost;
		ret_rest->writeback[from] = min(after->writeback[from], had - lost);
	}
}

/* A cgroup that was removed since it was listed is refused with all the others. Return:
 * as mig_damon_run(). */
static int run_damon(const struct mig_plan *plan, struct mig_damon *damon,
		     const struct mig_unmapped_pages *pages,
		     const struct watched *watched)
{
	int r = -EINVAL;

	for (int i = 0; i < MOST_TRIES && r == -EINVAL; i++) {
		CLEANUP(cleanup_request) struct request request = { 0 };
		struct mig_damon_stats stats;

		r = make_request(plan, pages, &request);
		if (!r && request.nr)
			r = mig_damon_run(damon, request.schemes, request.nr,
					  watched->timeout_ns, watched->is_stopped,
					  watched->data, &stats);
	}
	return r;
}

int mig_unmapped_cache_move(const struct mig_plan *plan, struct mig_damon *damon,
			    uint64_t timeout_ns, bool (*is_stopped)(void *data),
			    void *data, struct mig_outcome *outcome,
			    struct mig_unmapped_result *ret_result)
{
	const struct watched watched = { timeout_ns ? timeout_ns : MOST_NS, is_stopped,
					 data };
	CLEANUP_FREE struct mig_unmapped_pages *before = NULL;
	CLEANUP_FREE struct mig_unmapped_pages *after = NULL;
	CLEANUP_FREE struct mig_unmapped_pages *rest = calloc(1, sizeof(*rest));
	int end, r;

	if (!rest)
		return -ENOMEM;
	r = mig_unmapped_cache_count(&plan->cache, &before);
	if (r < 0)
		return r;
	end = run_damon(plan, damon, before, &watched);
	r = mig_unmapped_cache_count(&plan->cache, &after);
	if (r < 0)
		return r;
	mig_unmapped_cache_book(plan, before, after, end, outcome, rest);
	*ret_result = (struct mig_unmapped_result){ STEAL(after), STEAL(rest), end };
	return 0;
}

/* Pages that are in no file which was asked for them. */
static void book_unfound(enum mig_reason reason, uint64_t nr_writeback, int to,
			 uint64_t nr_pages, struct mig_outcome *outcome)
{
	uint64_t busy = min(nr_writeback, nr_pages);

	mig_outcome_add_left(outcome, MIG_REASON_BUSY, to, 0, busy);
	mig_outcome_add_left(outcome, reason, to, 0, nr_pages - busy);
}

void mig_unmapped_cache_book_rest(const struct mig_plan *plan,
				  const struct mig_unmapped_pages *rest,
				  const struct mig_residency *found, int end,
				  struct mig_outcome *outcome)
{
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		uint64_t had = pages_on(rest, node);
		uint64_t come_to = mig_residency_get_node_bytes(found, node) >>
				   plan->context->page_shift;
		uint64_t left = had - min(had, come_to);
		int to = left ? wanted_node(plan, node, left) : MIG_NO_NODE;

		if (!left || book_settled(plan, node, to, left, outcome))
			continue;
		if (end == -ECANCELED)
			mig_outcome_add_skipped(outcome, MIG_SKIP_STOPPED, left);
		else
			book_unfound(end == -ENOSPC ? MIG_REASON_NO_MEMORY
						    : MIG_REASON_NO_FILE,
				     rest->writeback[node], to, left, outcome);
	}
}
