/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_PLAN_H
#define MIG_PLAN_H

#include "unmapped_cache.h"
#include "found.h"
#include "frames.h"
#include "frametable.h"
#include "outcome.h"
#include "pagecache.h"
#include "pairs.h"
#include "placement.h"
#include "sharing.h"
#include "span.h"

/** How many pages of one source may go to one of several nearest targets. */
struct mig_quota {
	int from;
	int to;
	int64_t pages; /**< atomic */
};

/** A span of one member of the target. */
struct mig_member_span {
	size_t member;
	struct mig_span span;
	bool is_settled; /**< nothing of it can move */
};

struct mig_plan {
	struct mig_context *context;
	struct mig_target *target;
	const struct mig_topology *topology;
	const struct mig_placement *placement;
	struct mig_plan_options options;
	struct mig_address_range range; /**< where options.range points to */
	struct mig_frames *frames;      /**< NULL: frame numbers are not shown to us */
	struct mig_sharing sharing;
	struct mig_frametable seen; /**< shared frames that demand has counted */
	struct mig_residency *residency;
	struct mig_outcome *settled; /**< pages of mappings that have nothing to move */
	/** What must be looked at page by page, by member and address. As long as the
	 *  target has mappings, not as it has pages. */
	struct mig_member_span *spans;
	size_t nr_spans;
	size_t max_spans;
	size_t nr_members;        /**< that were looked at */
	struct mig_self self;     /**< where files are mapped, if there are any */
	struct mig_found found;   /**< files that have cached pages */
	uint64_t estimated_pages; /**< of files that were not looked at: no more */
	bool is_estimated;        /**< files are not in residency and demand yet */
	struct mig_residency
		*files_after;            /**< as a run has left them, until it is read */
	struct mig_unmapped_cache cache; /**< of the target's cgroups */
	struct mig_unmapped_pages *cache_after; /**< the same of it, or NULL */
	uint64_t nr_dirty_pages;         /**< in files whose system may write them */
	struct mig_pairs demand;         /**< all pages */
	struct mig_pairs hugetlb_demand; /**< of them, in hugetlb mappings */
	struct mig_quota *quotas;        /**< by source, nearest first */
	size_t nr_quotas;
	struct mig_finding *findings;
	size_t nr_findings;
};

/** mig_plan_add_finding - Errors: -ENOMEM. */
int mig_plan_add_finding(struct mig_plan *plan, const struct mig_finding *finding);

/** mig_plan_check - look for what stands in the way (plan_checks.c). */
int mig_plan_check(struct mig_plan *plan);

/** mig_plan_has_room - whether every target has it for all of the demand and more. */
bool mig_plan_has_room(const struct mig_plan *plan, uint64_t more_pages);

/**
 * mig_plan_take_target - the nearest target that has room by the quotas
 * @allowed: others are passed over, unless it has none of the targets; NULL: all
 * @ret_nr: for how many of the units; for all of them where no quota is left
 * Return: the target, MIG_NO_NODE where the plan has seen no page on their node.
 */
int mig_plan_take_target(struct mig_plan *plan, const struct mig_units *units,
			 const struct mig_nodeset *allowed, uint32_t *ret_nr);

/**
 * mig_plan_next_target - the nearest target behind one that has no memory after all
 * @allowed: others are passed over; NULL: all
 * Return: MIG_NO_NODE: there is none.
 */
int mig_plan_next_target(const struct mig_plan *plan, int from, int full,
			 const struct mig_nodeset *allowed);

/**
 * mig_plan_find_target - the nearest target that had room for all of some pages
 * Return: MIG_NO_NODE: none, by the quotas.
 */
int mig_plan_find_target(const struct mig_plan *plan, int from, uint64_t nr_pages);

#endif
