/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "options_struct.h"
#include "residency.h"
#include "select.h"
#include "topology.h"

static void cleanup_pagemap(struct mig_pagemap *pagemap)
{
	mig_pagemap_close(pagemap);
}

static void cleanup_scan(struct mig_page_scan *scan)
{
	mig_page_scan_done(scan);
}

int mig_plan_add_finding(struct mig_plan *plan, const struct mig_finding *finding)
{
	struct mig_finding *findings = reallocarray(plan->findings, plan->nr_findings + 1,
						    sizeof(*findings));

	if (!findings)
		return -ENOMEM;
	findings[plan->nr_findings++] = *finding;
	plan->findings = findings;
	return 0;
}

/* move_pages(2) with no pages checks rights and nothing else. */
static int probe(const struct mig_plan *plan, const struct mig_process *process, int flag)
{
	pid_t tid = process->tid;
	int r;

	do
		r = (int)plan->context->calls->move_pages(tid, 0, NULL, NULL, NULL, flag);
	while ((r == -ESRCH || r == -EINVAL) && mig_process_next_thread(process, &tid));
	return r;
}

/* CAP_SYS_NICE in the initial namespace is what MPOL_MF_MOVE_ALL asks for first. */
static int may_move_shared(const struct mig_plan *plan, bool *ret_may)
{
	long r = plan->context->calls->move_pages(0, 0, NULL, NULL, NULL, MPOL_MF_MOVE_ALL);

	if (r == -ENOSYS)
		return -ENOSYS;
	*ret_may = r >= 0;
	return 0;
}

static int add_demand(struct mig_plan *plan, enum mig_kind kind, int from, int to,
		      uint64_t nr_pages)
{
	int r = mig_pairs_add(&plan->demand, from, to, nr_pages);

	if (!r && kind == MIG_KIND_HUGETLB)
		r = mig_pairs_add(&plan->hugetlb_demand, from, to, nr_pages);
	return r;
}

/* What numa_maps says of a mapping, spread over the targets by their shares. */
static int demand_by_nodes(struct mig_plan *plan, const struct mig_mapping *mapping)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);

	for (int from = 0; from < MIG_MAX_NODES; from++) {
		uint64_t pages = mapping->node_pages[from];

		if (!pages)
			continue;
		for (int to = mig_nodeset_next(targets, MIG_NO_NODE); to != MIG_NO_NODE;
		     to = mig_nodeset_next(targets, to)) {
			uint64_t whole;
			uint64_t share = mig_placement_get_share(plan->placement, from, to,
								 &whole);
			int r = from == to ? 0 :
					     add_demand(plan, mapping->kind, from, to,
							pages * share / whole);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

typedef int (*units_fn)(struct mig_plan *plan, const struct mig_page_scan *scan,
		       const struct mig_span *span, const struct mig_units *units);

static int survey_units(struct mig_plan *plan, const struct mig_page_scan *scan,
			const struct mig_span *span, const struct mig_units *units)
{
	(void)scan;
	if (mig_sharing_depends_on_owner(&plan->sharing, span->kind))
		mig_sharing_survey(&plan->sharing, units);
	return 0;
}

/* A frame that several members map moves once. */
static int demand_units(struct mig_plan *plan, const struct mig_page_scan *scan,
			const struct mig_span *span, const struct mig_units *units)
{
	struct mig_units rest = *units, front;
	uint32_t nr;
	int to, r = 0;

	for (; !r && rest.nr; mig_units_take(&rest, nr, plan->context->page_size)) {
		front = rest;
		if (mig_select_units(plan, scan->pagemap, span, &rest, &to, &nr) !=
		    MIG_VERDICT_MOVE)
			continue;
		front.nr = nr;
		if (!(rest.flags & MIG_UNIT_SHARED) ||
		    !mig_frametable_count(&plan->seen, rest.frame))
			r = add_demand(plan, span->kind, rest.node, to,
				       mig_units_pages(&front));
	}
	return r;
}

static int each_units(struct mig_plan *plan, struct mig_page_scan *scan,
		     const struct mig_span *span, units_fn visit)
{
	for (uint64_t at = span->start; at < span->end;) {
		int r = mig_page_scan_next(scan, span, at, span->end, &at);

		for (size_t i = 0; !r && i < scan->nr_units; i++)
			r = visit(plan, scan, span, &scan->units[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Mappings with shared pages, where frame numbers can tell whose they are. */
static bool needs_pages(const struct mig_plan *plan, const struct mig_mapping *mapping)
{
	return plan->frames && mapping->most_mappers > 1;
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

/* First walk: where everything is, and what has to move of the mappings whose pages
 * nobody shares. */
static int look_at_mapping(struct mig_plan *plan, struct mig_page_scan *scan,
			   const struct mig_mapping *mapping, uint64_t *bound_pages)
{
	struct mig_span span;
	uint64_t before = mig_pairs_get_total(&plan->demand);
	int r = mig_residency_add_mapping(plan->residency, mapping);

	if (r < 0 || !mig_select_mapping(plan, mapping, NULL, &span))
		return r;
	if (!needs_pages(plan, mapping))
		r = mapping->has_residency ? demand_by_nodes(plan, mapping) : 0;
	else if (mig_sharing_depends_on_owner(&plan->sharing, mapping->kind))
		r = each_units(plan, scan, &span, survey_units);
	if (policy_binds_elsewhere(plan, mapping))
		*bound_pages += mig_pairs_get_total(&plan->demand) - before;
	return r;
}

static int demand_of_mapping(struct mig_plan *plan, struct mig_page_scan *scan,
			     const struct mig_mapping *mapping, uint64_t *bound_pages)
{
	struct mig_span span;

	(void)bound_pages;
	if (!needs_pages(plan, mapping) || !mig_select_mapping(plan, mapping, NULL, &span))
		return 0;
	return each_units(plan, scan, &span, demand_units);
}

typedef int (*mapping_fn)(struct mig_plan *plan, struct mig_page_scan *scan,
			  const struct mig_mapping *mapping, uint64_t *bound_pages);

static int each_mapping(struct mig_plan *plan, struct mig_page_scan *scan,
			const struct mig_process *process, mapping_fn visit)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	CLEANUP(cleanup_pagemap)
	struct mig_pagemap pagemap = { .fd = -1, .flags_fd = -1, .count_fd = -1 };
	const struct mig_mapping *mapping;
	uint64_t bound_pages = 0;
	int r = mig_mappings_new(process, &mappings);

	if (!r)
		r = mig_pagemap_open(process, &pagemap);
	if (r < 0)
		return r;
	mig_page_scan_set_process(scan, process, &pagemap);
	while (!(r = mig_mappings_next(mappings, &mapping)) && mapping) {
		r = visit(plan, scan, mapping, &bound_pages);
		if (r < 0)
			return r;
	}
	if (!r && bound_pages) {
		const struct mig_finding finding = {
			.code = MIG_FINDING_BOUND,
			.node = MIG_NO_NODE,
			.process = process,
			.needed_bytes = bound_pages * plan->context->page_size,
		};

		r = mig_plan_add_finding(plan, &finding);
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

/* Return: 1 if it can be planned, 0 if a finding says why not, or a negative errno. */
static int look_at_process(struct mig_plan *plan, struct mig_page_scan *scan,
			   const struct mig_process *process, mapping_fn visit)
{
	int r = probe(plan, process, MPOL_MF_MOVE);

	if (!r)
		r = each_mapping(plan, scan, process, visit);
	if (!r)
		return 1;
	if (r == -ESRCH || r == -EINVAL)
		return note_process(plan, process, MIG_FINDING_PROCESS_GONE);
	if (r == -EPERM || r == -EACCES)
		return note_process(plan, process, MIG_FINDING_NO_ACCESS);
	return r;
}

static int look_at_target(struct mig_plan *plan)
{
	CLEANUP(cleanup_scan) struct mig_page_scan scan = { 0 };
	size_t nr = mig_target_get_count(plan->target), reached = 0;
	int r = mig_page_scan_init(&scan, plan->frames);

	for (size_t i = 0; r >= 0 && i < nr; i++) {
		struct mig_process *process = mig_target_get_process(plan->target, i);

		r = look_at_process(plan, &scan, process, look_at_mapping);
		if (r > 0) {
			r = mig_residency_add_swapped(plan->residency, process);
			r = r == -ESRCH ? 0 : r;
			reached++;
		}
	}
	if (r >= 0 && !reached && !plan->nr_findings)
		return -ESRCH;
	if (!plan->frames)
		return r < 0 ? r : 0;
	for (size_t i = 0; r >= 0 && i < nr; i++) {
		r = each_mapping(plan, &scan, mig_target_get_process(plan->target, i),
				 demand_of_mapping);
		if (r == -ESRCH || r == -EPERM || r == -EACCES)
			r = 0; /* the first walk has said so */
	}
	return r < 0 ? r : 0;
}

static int init_frames(struct mig_plan *plan)
{
	int r;

	if (!mig_pagemap_shows_frames(plan->context))
		return 0;
	r = mig_frames_new(plan->topology, &plan->frames);
	if (r == -ENOENT)
		return 0; /* no memory blocks: nodes are asked for */
	if (r < 0)
		return r;
	return mig_frametable_init(&plan->seen, mig_frames_get_end(plan->frames));
}

static int init_plan(struct mig_plan *plan, const struct mig_plan_options *options)
{
	bool may_share = false;
	int r = mig_options_copy(&plan->options, sizeof(plan->options), options);

	if (r < 0)
		return r;
	if (plan->options.range) {
		plan->range = *plan->options.range;
		plan->options.range = &plan->range;
	}
	r = may_move_shared(plan, &may_share);
	if (!r)
		r = mig_residency_new(plan->context, &plan->residency);
	if (!r)
		r = init_frames(plan);
	if (!r)
		r = mig_sharing_init(&plan->sharing, plan->options.shared, may_share,
				     plan->frames ? mig_frames_get_end(plan->frames) : 0);
	return r;
}

int mig_plan_new(struct mig_target *target, const struct mig_topology *topology,
		 const struct mig_placement *placement,
		 const struct mig_plan_options *options, struct mig_plan **ret_plan)
{
	CLEANUP_MIG(plan) struct mig_plan *plan = NULL;
	int r;

	if (!target || !topology || !placement || !ret_plan || !mig_target_get_count(target))
		return -EINVAL;
	if (!mig_topology_get_context(topology)->live)
		return -EXDEV;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	plan->context = mig_topology_get_context(topology);
	plan->target = target;
	plan->topology = topology;
	plan->placement = placement;
	r = init_plan(plan, options);
	if (!r)
		r = look_at_target(plan);
	if (!r)
		r = mig_plan_check(plan);
	if (r < 0)
		return r;
	*ret_plan = STEAL(plan);
	return 0;
}

void mig_plan_free(struct mig_plan *plan)
{
	if (!plan)
		return;
	mig_sharing_done(&plan->sharing);
	mig_frametable_done(&plan->seen);
	mig_frames_free(plan->frames);
	mig_residency_free(plan->residency);
	mig_pairs_done(&plan->demand);
	mig_pairs_done(&plan->hugetlb_demand);
	free(plan->quotas);
	free(plan->findings);
	free(plan);
}

const struct mig_pair_count *mig_plan_get_pair(const struct mig_plan *plan, size_t index)
{
	return index < plan->demand.nr ? &plan->demand.counts[index] : NULL;
}

uint64_t mig_plan_get_total_bytes(const struct mig_plan *plan)
{
	return mig_pairs_get_total(&plan->demand) * plan->context->page_size;
}

const struct mig_residency *mig_plan_get_residency(const struct mig_plan *plan)
{
	return plan->residency;
}

const struct mig_finding *mig_plan_get_finding(const struct mig_plan *plan, size_t index)
{
	return index < plan->nr_findings ? &plan->findings[index] : NULL;
}

/* Return: how many units the quota took, 0 if it has no room for one. */
static uint32_t take_quota(struct mig_quota *quota, const struct mig_units *units)
{
	int64_t pages = __atomic_load_n(&quota->pages, __ATOMIC_RELAXED);
	int64_t nr;

	do {
		nr = pages / (int64_t)units->unit_pages;
		if (nr > (int64_t)units->nr)
			nr = units->nr;
	} while (nr > 0 && !__atomic_compare_exchange_n(
				   &quota->pages, &pages,
				   pages - nr * (int64_t)units->unit_pages, true,
				   __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (uint32_t)nr;
}

int mig_plan_take_target(struct mig_plan *plan, const struct mig_units *units,
			 uint32_t *ret_nr)
{
	int last = MIG_NO_NODE;

	for (size_t i = 0; i < plan->nr_quotas; i++) {
		struct mig_quota *quota = &plan->quotas[i];

		if (quota->from != units->node)
			continue;
		last = quota->to;
		*ret_nr = take_quota(quota, units);
		if (*ret_nr)
			return last;
	}
	*ret_nr = units->nr;
	return last;
}
