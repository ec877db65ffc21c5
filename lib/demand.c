/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "demand.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "mappings.h"
#include "process.h"
#include "residency.h"
#include "select.h"
#include "target.h"

struct search {
	struct mig_plan *plan;
	struct mig_page_scan scan;
	struct mig_mappings *mappings; /**< used again for each member */
	size_t member;                 /**< whose mappings are looked at */
};

static void cleanup_pagemap(struct mig_pagemap *pagemap)
{
	mig_pagemap_close(pagemap);
}

/* move_pages(2) with no pages checks rights and nothing else. */
static int probe(const struct mig_plan *plan, const struct mig_process *process)
{
	pid_t tid = process->tid;
	int r;

	do
		r = (int)plan->context->calls->move_pages(tid, 0, NULL, NULL, NULL,
							  MPOL_MF_MOVE);
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

/* What numa_maps says of a mapping. */
static int demand_by_nodes(struct mig_plan *plan, const struct mig_mapping *mapping)
{
	int r = 0;

	for (int from = 0; !r && from < MIG_MAX_NODES; from++)
		r = mig_demand_add_node(plan, mapping->kind, from,
					mapping->node_pages[from]);
	return r;
}

typedef int (*units_fn)(struct mig_plan *plan, const struct mig_page_scan *scan,
			const struct mig_span *span, const struct mig_units *units,
			struct mig_verdicts *verdicts);

static int survey_units(struct mig_plan *plan, const struct mig_page_scan *scan,
			const struct mig_span *span, const struct mig_units *units,
			struct mig_verdicts *verdicts)
{
	(void)scan;
	(void)span;
	(void)verdicts;
	mig_sharing_survey(&plan->sharing, units);
	return 0;
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

static int each_of_span(struct mig_plan *plan, struct mig_page_scan *scan,
			const struct mig_span *span, units_fn visit,
			struct mig_verdicts *verdicts)
{
	for (uint64_t at = span->start; at < span->end;) {
		int r = mig_page_scan_next(scan, span, at, span->end, &at);

		for (size_t i = 0; !r && i < scan->nr_units; i++)
			r = visit(plan, scan, span, &scan->units[i], verdicts);
		if (r < 0)
			return r;
	}
	return 0;
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

static int add_span(struct search *search, const struct mig_span *span)
{
	struct mig_plan *plan = search->plan;

	if (plan->nr_spans == plan->max_spans) {
		size_t max = plan->max_spans ? 2 * plan->max_spans : 64;
		struct mig_member_span *spans =
			reallocarray(plan->spans, max, sizeof(*spans));

		if (!spans)
			return -ENOMEM;
		plan->spans = spans;
		plan->max_spans = max;
	}
	plan->spans[plan->nr_spans++] = (struct mig_member_span){ search->member, *span };
	return 0;
}

/* Whose the pages of a shared mapping are is known when all members' mappings were
 * surveyed; the others' pages are counted by node. */
static int look_at_mapping(struct search *search, const struct mig_mapping *mapping,
			   uint64_t *bound_pages)
{
	struct mig_plan *plan = search->plan;
	uint64_t before = mig_pairs_get_total(&plan->demand);
	struct mig_span span;
	int r = mig_residency_add_mapping(plan->residency, mapping);

	if (r < 0 || !mig_select_mapping(plan, mapping, plan->settled, &span))
		return r;
	r = add_span(search, &span);
	if (!r && span.shared)
		return mig_sharing_depends_on_owner(&plan->sharing, span.kind)
			       ? each_of_span(plan, &search->scan, &span, survey_units,
					      NULL)
			       : 0;
	if (!r && mapping->has_residency)
		r = demand_by_nodes(plan, mapping);
	if (policy_binds_elsewhere(plan, mapping))
		*bound_pages += mig_pairs_get_total(&plan->demand) - before;
	return r;
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

static int look_at_mappings(struct search *search, const struct mig_process *process)
{
	CLEANUP(cleanup_pagemap)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	const struct mig_mapping *mapping;
	uint64_t bound_pages = 0;
	int r = mig_mappings_reopen(process, true, &search->mappings);

	if (!r)
		r = mig_pagemap_open(process, &pagemap);
	if (r < 0)
		return r;
	mig_page_scan_set_process(&search->scan, process, &pagemap);
	while (!(r = mig_mappings_next(search->mappings, &mapping)) && mapping) {
		r = look_at_mapping(search, mapping, &bound_pages);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : note_bound(search->plan, process, bound_pages);
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

/* That it cannot be planned is a finding; it is not walked then, and not counted again. */
static int look_at_process(struct search *search, const struct mig_process *process)
{
	struct mig_plan *plan = search->plan;
	size_t first = plan->nr_spans;
	int r = probe(plan, process);

	if (!r)
		r = look_at_mappings(search, process);
	if (!r)
		r = mig_residency_add_swapped(plan->residency, process);
	if (r < 0)
		plan->nr_spans = first;
	if (r == -ESRCH || r == -EINVAL)
		return note_process(plan, process, MIG_FINDING_PROCESS_GONE);
	if (r == -EPERM || r == -EACCES)
		return note_process(plan, process, MIG_FINDING_NO_ACCESS);
	return r;
}

/* Whether nothing of a span can move, as of a library that others map too: then the
 * run need not look at it again. */
static bool settle_span(struct mig_plan *plan, const struct mig_verdicts *verdicts)
{
	const uint64_t *nr_pages = verdicts->nr_pages;

	if (nr_pages[MIG_VERDICT_MOVE] || verdicts->has_unknown)
		return false;
	mig_outcome_add_already(plan->settled, nr_pages[MIG_VERDICT_ALREADY]);
	mig_outcome_add_skipped(plan->settled, MIG_SKIP_SHARED,
				nr_pages[MIG_VERDICT_SHARED]);
	mig_outcome_add_skipped(plan->settled, MIG_SKIP_FILTERED,
				nr_pages[MIG_VERDICT_FILTERED]);
	mig_outcome_add_skipped(plan->settled, MIG_SKIP_NOT_FROM,
				nr_pages[MIG_VERDICT_NOT_FROM]);
	return true;
}

static int look_at_shared_span(struct search *search, const struct mig_span *span,
			       bool *ret_settled)
{
	struct mig_verdicts verdicts = { 0 };
	int r = each_of_span(search->plan, &search->scan, span, mig_demand_add_units,
			     &verdicts);

	if (!r)
		*ret_settled = settle_span(search->plan, &verdicts);
	return r;
}

/* The shared spans of one member, from @first on. Those that are not settled are kept. */
static int look_at_shared(struct search *search, size_t first, size_t *kept,
			  size_t *ret_next)
{
	CLEANUP(cleanup_pagemap)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	struct mig_plan *plan = search->plan;
	size_t member = plan->spans[first].member;
	const struct mig_process *process = mig_target_get_process(plan->target, member);
	int r = mig_pagemap_open(process, &pagemap);

	if (!r)
		mig_page_scan_set_process(&search->scan, process, &pagemap);
	for (; first < plan->nr_spans && plan->spans[first].member == member; first++) {
		const struct mig_member_span *span = &plan->spans[first];
		bool is_settled = false;

		if (!r && span->span.shared)
			r = look_at_shared_span(search, &span->span, &is_settled);
		if (!is_settled)
			plan->spans[(*kept)++] = *span;
	}
	*ret_next = first;
	/* It has gone since. */
	return r == -ESRCH || r == -EPERM || r == -EACCES ? 0 : r;
}

static int look_at_all_shared(struct search *search, size_t first)
{
	size_t at = first, kept = first;
	int r = 0;

	while (!r && at < search->plan->nr_spans)
		r = look_at_shared(search, at, &kept, &at);
	if (!r)
		search->plan->nr_spans = kept;
	return r;
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
	int r = 0;

	for (; r >= 0 && plan->nr_members < nr; plan->nr_members++) {
		search->member = plan->nr_members;
		r = look_at_process(search,
				    mig_target_get_process(plan->target, search->member));
	}
	/* A cgroup may as well have been empty. */
	if (r >= 0 && nr_new && count_gone(plan, first) == nr_new &&
	    !plan->target->nr_cgroups)
		return -ESRCH;
	return r < 0 ? r : look_at_all_shared(search, first_span);
}

int mig_demand_find(struct mig_plan *plan)
{
	struct search search = { .plan = plan };
	int r = mig_page_scan_init(&search.scan, plan->frames);

	if (!r)
		r = mig_sharing_begin_survey(&plan->sharing);
	if (!r)
		r = look_at_new(&search);
	mig_page_scan_done(&search.scan);
	mig_mappings_free(search.mappings);
	return r;
}
