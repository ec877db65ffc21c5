/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "demand.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "handles.h"
#include "mappings.h"
#include "outcome.h"
#include "process.h"
#include "residency.h"
#include "select.h"
#include "target.h"
#include "threads.h"

/* Fewer members than this are looked at sooner than a thread is made. */
#define MEMBERS_FOR_A_THREAD 8

/* What all threads share. */
struct search {
	struct mig_plan *plan;
	pthread_mutex_t lock; /**< of the plan, but its tables of frames, and of these */
	size_t next;          /**< member, or span, that nobody has begun */
	int result;
};

/* Of one thread, for one member after the other. */
struct looker {
	struct search *search;
	struct mig_plan *plan;
	struct mig_page_scan scan;
	struct mig_mappings *mappings;
	size_t member;                   /**< whose mappings are looked at */
	struct mig_residency *residency; /**< its own */
	struct mig_member_span *spans;   /**< its spans */
	size_t nr_spans;
	size_t max_spans;
	struct mig_outcome *settled; /**< goes to the plan's at the end */
};

static void lock(struct search *search)
{
	pthread_mutex_lock(&search->lock);
}

static void unlock(struct search *search)
{
	pthread_mutex_unlock(&search->lock);
}

static void fail(struct search *search, int error)
{
	lock(search);
	if (!search->result)
		search->result = error;
	unlock(search);
}

static int init_looker(struct looker *looker, struct search *search)
{
	int r;

	*looker = (struct looker){ .search = search, .plan = search->plan };
	r = mig_page_scan_init(&looker->scan, search->plan->frames);
	if (r < 0)
		return r;
	r = mig_outcome_new(&looker->settled);
	if (r < 0)
		mig_page_scan_done(&looker->scan);
	return r;
}

static void end_looker(struct looker *looker)
{
	lock(looker->search);
	mig_outcome_merge(looker->plan->settled, looker->settled);
	unlock(looker->search);
	mig_outcome_free(looker->settled);
	mig_page_scan_done(&looker->scan);
	mig_mappings_free(looker->mappings);
	free(looker->spans);
}

static void cleanup_pagemap(struct mig_pagemap *pagemap)
{
	mig_pagemap_close(pagemap);
}

/* Whether the run will have the right to move it. */
static int probe(const struct mig_process *process)
{
	pid_t tid = process->tid;
	int r;

	do
		r = mig_process_probe_memory(process, tid);
	while ((r == -ESRCH || r == -EINVAL) && mig_process_next_thread(process, &tid));
	return r;
}

static int add_demand(struct mig_plan *plan, enum mig_kind kind, int from, int to,
		      uint64_t nr_pages)
{
	int r = mig_pairs_add(&plan->demand, from, to, nr_pages);

	if (!r && kind == MIG_KIND_HUGETLB)
		r = mig_pairs_add(&plan->hugetlb_demand, from, to, nr_pages);
	return r;
}

/* Spread over the targets by their shares. */
int mig_demand_add_node(struct mig_plan *plan, enum mig_kind kind, int from,
			uint64_t nr_pages)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);
	int r = 0;

	if (!nr_pages)
		return 0;
	for (int to = mig_nodeset_next(targets, MIG_NO_NODE); !r && to != MIG_NO_NODE;
	     to = mig_nodeset_next(targets, to)) {
		uint64_t whole;
		uint64_t share =
			mig_placement_get_share(plan->placement, from, to, &whole);

		if (from != to)
			r = add_demand(plan, kind, from, to, nr_pages * share / whole);
	}
	return r;
}

/* What numa_maps says of a mapping: of nearly all nodes that there might be, nothing. */
static int demand_by_nodes(struct mig_plan *plan, const struct mig_mapping *mapping)
{
	int r = 0;

	for (int from = 0; !r && from < MIG_MAX_NODES; from++)
		if (mapping->node_pages[from])
			r = mig_demand_add_node(plan, mapping->kind, from,
						mapping->node_pages[from]);
	return r;
}

/* A frame that several members map moves once. */
static int add_moving_units(struct mig_plan *plan, const struct mig_span *span,
			    const struct mig_units *units, int to)
{
	if ((units->flags & MIG_UNIT_SHARED) &&
	    mig_frametable_count(&plan->seen, units->frame))
		return 0;
	return add_demand(plan, span->kind, units->node, to, mig_units_pages(units));
}

int mig_demand_add_units(struct mig_plan *plan, const struct mig_page_scan *scan,
			 const struct mig_span *span, const struct mig_units *units,
			 struct mig_verdicts *verdicts)
{
	struct mig_units rest = *units;
	int r = 0;

	while (!r && rest.nr) {
		int to = MIG_NO_NODE;
		uint32_t nr;
		enum mig_verdict verdict =
			mig_select_units(plan, scan->pagemap, span, &rest, &to, &nr);
		struct mig_units front =
			mig_units_take(&rest, nr, plan->context->page_size);

		verdicts->nr_pages[verdict] += mig_units_pages(&front);
		verdicts->has_unknown |= front.node == MIG_NO_NODE;
		if (verdict == MIG_VERDICT_MOVE)
			r = add_moving_units(plan, span, &front, to);
	}
	return r;
}

/* What is done with the units that a step of the scan has found. */
typedef int (*units_fn)(struct looker *looker, const struct mig_span *span,
			struct mig_verdicts *verdicts);

static int survey_units(struct looker *looker, const struct mig_span *span,
			struct mig_verdicts *verdicts)
{
	(void)span;
	(void)verdicts;
	for (size_t i = 0; i < looker->scan.nr_units; i++)
		mig_sharing_survey(&looker->plan->sharing, &looker->scan.units[i]);
	return 0;
}

static int each_of_span(struct looker *looker, const struct mig_span *span,
			units_fn visit, struct mig_verdicts *verdicts)
{
	int r = 0;

	for (uint64_t at = span->start; !r && at < span->end;) {
		r = mig_page_scan_next(&looker->scan, span, at, span->end, &at);
		if (!r)
			r = visit(looker, span, verdicts);
	}
	return r;
}

static bool policy_binds_elsewhere(const struct mig_plan *plan,
				   const struct mig_mapping *mapping)
{
	const char *list = strchr(mapping->policy, ':');
	struct mig_nodeset nodes;

	if (strncmp(mapping->policy, "bind", 4) || !list)
		return false;
	if (mig_nodeset_parse(plan->topology, list + 1, strlen(list + 1), &nodes) < 0)
		return false;
	mig_nodeset_and(&nodes, mig_placement_get_targets(plan->placement));
	return !mig_nodeset_count(&nodes);
}

static int add_span(struct looker *looker, const struct mig_span *span)
{
	void *spans = looker->spans;
	int r = mig_array_reserve(&spans, &looker->max_spans, looker->nr_spans,
				  sizeof(*looker->spans));

	looker->spans = spans;
	if (!r)
		looker->spans[looker->nr_spans++] =
			(struct mig_member_span){ .member = looker->member,
						  .span = *span };
	return r;
}

/* A member's spans stand one behind the other. */
static int keep_spans(struct looker *looker)
{
	struct mig_plan *plan = looker->plan;
	int r = 0;

	for (size_t i = 0; !r && i < looker->nr_spans; i++) {
		void *spans = plan->spans;

		r = mig_array_reserve(&spans, &plan->max_spans, plan->nr_spans,
				      sizeof(*plan->spans));
		plan->spans = spans;
		if (!r)
			plan->spans[plan->nr_spans++] = looker->spans[i];
	}
	return r;
}

/* The pages of a mapping that nobody shares, by what numa_maps says of it. */
static int demand_mapping(struct looker *looker, const struct mig_mapping *mapping,
			  uint64_t *bound_pages)
{
	struct mig_plan *plan = looker->plan;
	uint64_t before;
	int r = 0;

	lock(looker->search);
	before = mig_pairs_get_total(&plan->demand);
	if (mapping->has_residency)
		r = demand_by_nodes(plan, mapping);
	if (policy_binds_elsewhere(plan, mapping))
		*bound_pages += mig_pairs_get_total(&plan->demand) - before;
	unlock(looker->search);
	return r;
}

/* Whose the pages of a shared mapping are is known when all members' mappings were
 * surveyed; the others' pages are counted by node. */
static int look_at_mapping(struct looker *looker, const struct mig_mapping *mapping,
			   uint64_t *bound_pages)
{
	const struct mig_sharing *sharing = &looker->plan->sharing;
	struct mig_span span;
	int r = mig_residency_add_mapping(looker->residency, mapping);

	if (r < 0 || !mig_select_mapping(looker->plan, mapping, looker->settled, &span))
		return r;
	r = add_span(looker, &span);
	if (!r && !span.shared)
		r = demand_mapping(looker, mapping, bound_pages);
	if (r < 0 || !span.shared || !mig_sharing_depends_on_owner(sharing, span.kind))
		return r;
	return each_of_span(looker, &span, survey_units, NULL);
}

static int note_bound(struct mig_plan *plan, const struct mig_process *process,
		      uint64_t bound_pages)
{
	const struct mig_finding finding = {
		.code = MIG_FINDING_BOUND,
		.node = MIG_NO_NODE,
		.process = process,
		.needed_bytes = bound_pages * plan->context->page_size,
	};

	return bound_pages ? mig_plan_add_finding(plan, &finding) : 0;
}

static int look_at_mappings(struct looker *looker, const struct mig_process *process,
			    uint64_t *bound_pages)
{
	CLEANUP(cleanup_pagemap)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	const struct mig_mapping *mapping;
	int r = mig_mappings_reopen(process, true, &looker->mappings);

	if (!r)
		r = mig_pagemap_open(process, &pagemap);
	if (r < 0)
		return r;
	mig_page_scan_set_process(&looker->scan, process, &pagemap);
	while (!(r = mig_mappings_next(looker->mappings, &mapping)) && mapping) {
		r = look_at_mapping(looker, mapping, bound_pages);
		if (r < 0)
			return r;
	}
	return r;
}

static int note_process(struct mig_plan *plan, const struct mig_process *process,
			enum mig_finding_code code)
{
	const struct mig_finding finding = {
		.code = code,
		.refuses = code == MIG_FINDING_NO_ACCESS,
		.node = MIG_NO_NODE,
		.process = process,
	};

	return mig_plan_add_finding(plan, &finding);
}

/* What the plan has of it, or why it has nothing; the lock is held. That it cannot be
 * planned is a finding; it is not walked then, and not counted again. */
static int book_process(struct looker *looker, const struct mig_process *process,
			uint64_t bound_pages, int error)
{
	struct mig_plan *plan = looker->plan;
	int r = error;

	if (!r)
		r = mig_residency_merge(plan->residency, looker->residency);
	if (!r)
		r = note_bound(plan, process, bound_pages);
	if (!r)
		r = keep_spans(looker);
	if (r == -ESRCH || r == -EINVAL)
		return note_process(plan, process, MIG_FINDING_PROCESS_GONE);
	if (r == -EPERM || r == -EACCES)
		return note_process(plan, process, MIG_FINDING_NO_ACCESS);
	return r;
}

static void look_at_process(struct looker *looker, const struct mig_process *process)
{
	struct search *search = looker->search;
	uint64_t bound_pages = 0;
	int r = mig_residency_new(looker->plan->context, &looker->residency);

	looker->nr_spans = 0;
	if (!r)
		r = probe(process);
	if (!r)
		r = look_at_mappings(looker, process, &bound_pages);
	if (!r)
		r = mig_residency_add_swapped(looker->residency, process);
	lock(search);
	r = book_process(looker, process, bound_pages, r);
	if (r < 0 && !search->result)
		search->result = r;
	unlock(search);
	mig_residency_free(looker->residency);
	looker->residency = NULL;
}

static bool take_member(struct search *search, size_t *ret_member)
{
	bool found;

	lock(search);
	found = !search->result &&
		search->next < mig_target_get_count(search->plan->target);
	if (found)
		*ret_member = search->next++;
	unlock(search);
	return found;
}

static void *look_at_members(void *data)
{
	struct search *search = data;
	struct looker looker;
	int r = init_looker(&looker, search);

	if (r < 0) {
		fail(search, r);
		return NULL;
	}
	while (take_member(search, &looker.member))
		look_at_process(&looker, mig_target_get_process(search->plan->target,
								looker.member));
	end_looker(&looker);
	return NULL;
}

/* Whether nothing of a span can move, as of a library that others map too: then the
 * run need not look at it again. */
static bool settle_span(struct mig_outcome *tally, const struct mig_verdicts *verdicts)
{
	const uint64_t *nr_pages = verdicts->nr_pages;

	if (nr_pages[MIG_VERDICT_MOVE] || verdicts->has_unknown)
		return false;
	mig_outcome_add_already(tally, nr_pages[MIG_VERDICT_ALREADY]);
	mig_outcome_add_skipped(tally, MIG_SKIP_SHARED, nr_pages[MIG_VERDICT_SHARED]);
	mig_outcome_add_skipped(tally, MIG_SKIP_FILTERED, nr_pages[MIG_VERDICT_FILTERED]);
	mig_outcome_add_skipped(tally, MIG_SKIP_NOT_FROM, nr_pages[MIG_VERDICT_NOT_FROM]);
	return true;
}

static int demand_units(struct looker *looker, const struct mig_span *span,
			struct mig_verdicts *verdicts)
{
	const struct mig_page_scan *scan = &looker->scan;
	int r = 0;

	lock(looker->search);
	for (size_t i = 0; !r && i < scan->nr_units; i++)
		r = mig_demand_add_units(looker->plan, scan, span, &scan->units[i],
					 verdicts);
	unlock(looker->search);
	return r;
}

static int look_at_shared_span(struct looker *looker, struct mig_member_span *span)
{
	struct mig_verdicts verdicts = { 0 };
	int r = each_of_span(looker, &span->span, demand_units, &verdicts);

	if (!r)
		span->is_settled = settle_span(looker->settled, &verdicts);
	return r;
}

/* The shared spans of one member, from @first on. */
static int look_at_shared(struct looker *looker, size_t first, size_t end)
{
	CLEANUP(cleanup_pagemap)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	struct mig_plan *plan = looker->plan;
	const struct mig_process *process =
		mig_target_get_process(plan->target, plan->spans[first].member);
	int r = mig_pagemap_open(process, &pagemap);

	if (!r)
		mig_page_scan_set_process(&looker->scan, process, &pagemap);
	for (size_t i = first; !r && i < end; i++)
		if (plan->spans[i].span.shared)
			r = look_at_shared_span(looker, &plan->spans[i]);
	/* It has gone since. */
	return r == -ESRCH || r == -EPERM || r == -EACCES ? 0 : r;
}

/* The next member that has any. */
static bool take_shared(struct search *search, size_t *ret_first, size_t *ret_end)
{
	const struct mig_plan *plan = search->plan;
	size_t at;
	bool has_shared = false;

	lock(search);
	at = search->next;
	while (!search->result && at < plan->nr_spans && !has_shared) {
		*ret_first = at;
		while (at < plan->nr_spans &&
		       plan->spans[at].member == plan->spans[*ret_first].member)
			has_shared |= plan->spans[at++].span.shared;
	}
	*ret_end = search->next = at;
	unlock(search);
	return has_shared;
}

static void *look_at_all_shared(void *data)
{
	struct search *search = data;
	struct looker looker;
	size_t first, end;
	int r = init_looker(&looker, search);

	if (r < 0) {
		fail(search, r);
		return NULL;
	}
	while (!r && take_shared(search, &first, &end))
		r = look_at_shared(&looker, first, end);
	if (r < 0)
		fail(search, r);
	end_looker(&looker);
	return NULL;
}

static void drop_settled(struct mig_plan *plan, size_t first)
{
	size_t kept = first;

	for (size_t i = first; i < plan->nr_spans; i++)
		if (!plan->spans[i].is_settled)
			plan->spans[kept++] = plan->spans[i];
	plan->nr_spans = kept;
}

static size_t count_gone(const struct mig_plan *plan, size_t first)
{
	size_t gone = 0;

	for (size_t i = first; i < plan->nr_findings; i++)
		gone += plan->findings[i].code == MIG_FINDING_PROCESS_GONE;
	return gone;
}

static int look_at_new(struct search *search)
{
	struct mig_plan *plan = search->plan;
	size_t nr = mig_target_get_count(plan->target), nr_new = nr - plan->nr_members;
	size_t first_span = plan->nr_spans, first = plan->nr_findings;

	search->next = plan->nr_members;
	mig_threads_run(nr_new / MEMBERS_FOR_A_THREAD, look_at_members, search);
	plan->nr_members = nr;
	/* A cgroup may as well have been empty. */
	if (!search->result && nr_new && count_gone(plan, first) == nr_new &&
	    !plan->target->nr_cgroups)
		return -ESRCH;
	if (search->result)
		return search->result;
	search->next = first_span;
	mig_threads_run(nr_new / MEMBERS_FOR_A_THREAD, look_at_all_shared, search);
	if (!search->result)
		drop_settled(plan, first_span);
	return search->result;
}

int mig_demand_find(struct mig_plan *plan)
{
	struct search search = { .plan = plan, .lock = PTHREAD_MUTEX_INITIALIZER };
	int r = mig_sharing_begin_survey(&plan->sharing);

	if (!r)
		r = look_at_new(&search);
	pthread_mutex_destroy(&search.lock);
	return r;
}
