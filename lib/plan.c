/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>

#include "demand.h"
#include "file_survey.h"
#include "handles.h"
#include "options_struct.h"
#include "residency.h"
#include "target.h"
#include "topology.h"

int mig_plan_add_finding(struct mig_plan *plan, const struct mig_finding *finding)
{
	struct mig_finding *findings =
		reallocarray(plan->findings, plan->nr_findings + 1, sizeof(*findings));

	if (!findings)
		return -ENOMEM;
	findings[plan->nr_findings++] = *finding;
	plan->findings = findings;
	return 0;
}

/* CAP_SYS_NICE in the initial namespace is what MPOL_MF_MOVE_ALL asks for first. */
static int may_move_shared(const struct mig_plan *plan, bool *ret_may)
{
	long r = plan->context->calls->move_pages(0, 0, NULL, NULL, NULL,
						  MPOL_MF_MOVE_ALL);

	if (r == -ENOSYS)
		return -ENOSYS;
	*ret_may = r >= 0;
	return 0;
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
		r = mig_outcome_new(&plan->settled);
	if (!r)
		r = init_frames(plan);
	/* Files are asked for by themselves, so who maps them is no reason to pause. */
	if (!plan->options.shared && !mig_target_get_count(plan->target) &&
	    !plan->target->nr_cgroups)
		plan->options.shared = may_share ? MIG_SHARED_ALL : MIG_SHARED_NONE;
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

	if (!target || !topology || !placement || !ret_plan ||
	    !(mig_target_get_count(target) || mig_target_get_files(target) ||
	      target->nr_cgroups || target->nr_caches || target->has_all_cache))
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
		r = mig_unmapped_cache_open(target, plan->context, plan->frames,
					    &plan->cache);
	if (!r)
		mig_unmapped_cache_limit(&plan->cache, topology, placement);
	if (!r)
		r = mig_demand_find(plan);
	if (!r)
		r = mig_file_survey_demand(plan);
	if (!r)
		r = mig_unmapped_cache_demand(plan);
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
	mig_residency_free(plan->files_after);
	mig_unmapped_cache_close(&plan->cache);
	free(plan->cache_after);
	mig_outcome_free(plan->settled);
	free(plan->spans);
	mig_pairs_done(&plan->demand);
	mig_pairs_done(&plan->hugetlb_demand);
	free(plan->quotas);
	free(plan->findings);
	mig_found_done(&plan->found);
	mig_self_close(&plan->self);
	free(plan);
}

const struct mig_pair_count *mig_plan_get_pair(const struct mig_plan *plan, size_t index)
{
	return index < plan->demand.nr ? &plan->demand.counts[index] : NULL;
}

uint64_t mig_plan_get_total_bytes(const struct mig_plan *plan)
{
	return (mig_pairs_get_total(&plan->demand) + plan->estimated_pages) *
	       plan->context->page_size;
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
	} while (nr > 0 &&
		 !__atomic_compare_exchange_n(&quota->pages, &pages,
					      pages - nr * (int64_t)units->unit_pages,
					      true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return (uint32_t)nr;
}

int mig_plan_take_target(struct mig_plan *plan, const struct mig_units *units,
			 const struct mig_nodeset *allowed, uint32_t *ret_nr)
{
	int last = MIG_NO_NODE;

	for (size_t i = 0; i < plan->nr_quotas; i++) {
		struct mig_quota *quota = &plan->quotas[i];

		if (quota->from != units->node ||
		    (allowed && !mig_nodeset_has(allowed, quota->to)))
			continue;
		last = quota->to;
		*ret_nr = take_quota(quota, units);
		if (*ret_nr)
			return last;
	}
	if (last == MIG_NO_NODE && allowed)
		return mig_plan_take_target(plan, units, NULL, ret_nr);
	*ret_nr = units->nr;
	return last;
}

int mig_plan_next_target(const struct mig_plan *plan, int from, int full,
			 const struct mig_nodeset *allowed)
{
	bool behind = false;

	for (size_t i = 0; i < plan->nr_quotas; i++) {
		const struct mig_quota *quota = &plan->quotas[i];

		if (quota->from != from)
			continue;
		if (behind && (!allowed || mig_nodeset_has(allowed, quota->to)))
			return quota->to;
		if (quota->to == full)
			behind = true;
	}
	return MIG_NO_NODE;
}

int mig_plan_find_target(const struct mig_plan *plan, int from, uint64_t nr_pages)
{
	for (size_t i = 0; i < plan->nr_quotas; i++) {
		const struct mig_quota *quota = &plan->quotas[i];

		if (quota->from == from && quota->pages >= 0 &&
		    (uint64_t)quota->pages >= nr_pages)
			return quota->to;
	}
	return MIG_NO_NODE;
}

static int add_cache(struct mig_plan *plan, struct mig_residency *residency)
{
	CLEANUP_FREE struct mig_unmapped_pages *pages = STEAL(plan->cache_after);
	int r = pages ? 0 : mig_unmapped_cache_count(&plan->cache, &pages);

	return r < 0 ? r : mig_unmapped_cache_add(residency, pages);
}

/* What a run has seen is taken once: later it may be elsewhere. */
static int add_files(struct mig_plan *plan, struct mig_residency *residency)
{
	CLEANUP_MIG(residency) struct mig_residency *after = STEAL(plan->files_after);

	/* Its files are only where it is looked for. */
	if (plan->cache.is_open)
		return add_cache(plan, residency);
	return after ? mig_residency_merge(residency, after)
		     : mig_file_survey_residency(plan, residency);
}

static int merge(void *data, const struct mig_process *process,
		 const struct mig_residency *residency)
{
	(void)process;
	return mig_residency_merge(data, residency);
}

static int add_processes(const struct mig_plan *plan, struct mig_residency *residency)
{
	size_t nr_denied;
	int r = mig_target_look(plan->target, plan->topology, merge, residency,
				&nr_denied);

	return !r && nr_denied ? -EACCES : r;
}

int mig_plan_read_residency(struct mig_plan *plan, struct mig_residency **ret_residency)
{
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;
	int r;

	if (!plan || !ret_residency)
		return -EINVAL;
	r = mig_residency_new(plan->context, &residency);
	if (!r)
		r = add_processes(plan, residency);
	if (!r)
		r = add_files(plan, residency);
	if (r < 0)
		return r;
	*ret_residency = STEAL(residency);
	return 0;
}
