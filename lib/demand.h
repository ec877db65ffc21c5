/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a target's memory is, and how much of it has to move from where to where. */
#ifndef MIG_DEMAND_H
#define MIG_DEMAND_H

#include "plan.h"
#include "select.h"

/**
 * mig_demand_find - fill a plan's residency, spans and demand
 *
 * Looks at the members that were not looked at before: all of them at first, later
 * those that have joined. Pages that nobody shares are counted by numa_maps; mappings
 * with shared pages page by page, each page once however many members map it.
 * Errors: -ESRCH: all of them are gone; -EBADMSG; -ENOMEM.
 */
int mig_demand_find(struct mig_plan *plan);

/**
 * mig_demand_add_node - count pages of which only the node is known
 * Errors: -ENOMEM.
 */
int mig_demand_add_node(struct mig_plan *plan, enum mig_kind kind, int from,
			uint64_t nr_pages);

/** What was decided about units. */
struct mig_verdicts {
	uint64_t nr_pages[MIG_NR_VERDICTS];
	bool has_unknown; /**< the kernel does not say where some are */
};

/**
 * mig_demand_add_units - count units that were looked at
 * @verdicts: added to
 * Errors: -ENOMEM.
 */
int mig_demand_add_units(struct mig_plan *plan, const struct mig_page_scan *scan,
			 const struct mig_span *span, const struct mig_units *units,
			 struct mig_verdicts *verdicts);

#endif
