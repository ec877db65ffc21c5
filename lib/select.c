/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "select.h"

/* A mapping with fewer resident pages than one in this many is mostly holes. */
#define SPARSE 16

static bool is_in_range(const struct mig_plan *plan, const struct mig_mapping *mapping)
{
	const struct mig_address_range *range = plan->options.range;

	return !range || (mapping->start < range->end && mapping->end > range->start);
}

static bool is_filtered(const struct mig_plan *plan, const struct mig_mapping *mapping)
{
	const struct mig_plan_options *options = &plan->options;
	uint64_t resident_bytes =
		mapping->resident_pages * mig_context_get_page_size(plan->context);

	if (options->only_kinds && !(options->only_kinds & 1U << mapping->kind))
		return true;
	if (options->only_thp && mapping->kind == MIG_KIND_HUGETLB)
		return true;
	if (options->min_mapping_bytes && mapping->has_residency &&
	    resident_bytes < options->min_mapping_bytes)
		return true;
	return !is_in_range(plan, mapping);
}

static int only_node_of(const struct mig_mapping *mapping)
{
	if (!mapping->has_residency)
		return MIG_NO_NODE;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (mapping->node_pages[node])
			return mapping->node_pages[node] == mapping->resident_pages
				       ? node
				       : MIG_NO_NODE;
	return MIG_NO_NODE;
}

/* Whether no page of the mapping has to go anywhere, by node alone. */
static bool is_settled(const struct mig_plan *plan, const struct mig_mapping *mapping,
		       struct mig_outcome *tally)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);
	uint64_t already = 0, not_from = 0;

	if (!mapping->has_residency || mig_placement_is_interleaved(plan->placement))
		return false;
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		uint64_t pages = mapping->node_pages[node];
		int wanted;

		if (!pages)
			continue;
		wanted = mig_placement_get_wanted(plan->placement, node, 0);
		if (wanted == node ||
		    (wanted == MIG_NO_NODE && mig_nodeset_has(targets, node)))
			already += pages;
		else if (wanted == MIG_NO_NODE)
			not_from += pages;
		else
			return false;
	}
	mig_outcome_add_already(tally, already);
	mig_outcome_add_skipped(tally, MIG_SKIP_NOT_FROM, not_from);
	return true;
}

bool mig_select_mapping(const struct mig_plan *plan, const struct mig_mapping *mapping,
			struct mig_outcome *tally, struct mig_span *ret_span)
{
	if (mapping->kind == MIG_KIND_KERNEL)
		return false;
	if (is_filtered(plan, mapping)) {
		mig_outcome_add_skipped(tally, MIG_SKIP_FILTERED,
					mapping->resident_pages);
		return false;
	}
	if (is_settled(plan, mapping, tally))
		return false;
	*ret_span = (struct mig_span){
		.start = mapping->start,
		.end = mapping->end,
		.kind = mapping->kind,
		.page_size_bytes = mapping->page_size_bytes,
		.only_node = only_node_of(mapping),
		.sparse = mapping->has_residency &&
			  mapping->resident_pages *
				  mig_context_get_page_size(plan->context) *
				  SPARSE<mapping->end - mapping->start,
					 .shared = mapping->most_mappers> 1,
	};
	return true;
}

static bool units_are_filtered(const struct mig_plan *plan, const struct mig_units *units)
{
	const struct mig_address_range *range = plan->options.range;

	if (plan->options.only_thp && units->unit_pages == 1)
		return true;
	return range && (units->address < range->start || units->address >= range->end);
}

enum mig_verdict mig_select_units(const struct mig_plan *plan,
				  const struct mig_pagemap *pagemap,
				  const struct mig_span *span,
				  const struct mig_units *units, int *ret_to,
				  uint32_t *ret_nr)
{
	uint64_t unit_bytes = units->unit_pages * (uint64_t)plan->context->page_size;
	int wanted;

	*ret_nr = plan->options.range || mig_placement_is_interleaved(plan->placement)
			  ? 1
			  : units->nr;
	if (units_are_filtered(plan, units))
		return MIG_VERDICT_FILTERED;
	wanted = mig_placement_get_wanted(plan->placement, units->node,
					  (units->address - span->origin) / unit_bytes);
	if (wanted == MIG_NO_NODE)
		return mig_nodeset_has(mig_placement_get_targets(plan->placement),
				       units->node)
			       ? MIG_VERDICT_ALREADY
			       : MIG_VERDICT_NOT_FROM;
	if (wanted == units->node)
		return MIG_VERDICT_ALREADY;
	if (!mig_sharing_allows(&plan->sharing, pagemap, span->kind, units))
		return MIG_VERDICT_SHARED;
	*ret_to = wanted;
	return MIG_VERDICT_MOVE;
}
