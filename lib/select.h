/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a target a request covers: mappings first, then each unit in them. */
#ifndef MIG_SELECT_H
#define MIG_SELECT_H

#include "outcome.h"
#include "plan.h"

/**
 * mig_select_mapping - whether a mapping's pages must be looked at one by one
 * @tally:    takes the pages of a mapping that is settled as a whole, by what
 *            numa_maps says: filtered, in place, not on a source
 * @ret_span: the mapping, where it must be looked at
 */
bool mig_select_mapping(const struct mig_plan *plan, const struct mig_mapping *mapping,
			struct mig_outcome *tally, struct mig_span *ret_span);

enum mig_verdict {
	MIG_VERDICT_MOVE,
	MIG_VERDICT_ALREADY,
	MIG_VERDICT_SHARED,
	MIG_VERDICT_FILTERED,
	MIG_VERDICT_NOT_FROM,
};

#define MIG_NR_VERDICTS 5

/**
 * mig_select_units - what to do with the first of some units
 * @ret_to: their wanted node, with MIG_VERDICT_MOVE. With several nearest targets it
 *          is the nearest; the plan's quotas choose (mig_plan_take_target).
 * @ret_nr: for how many of them this holds: all, or one where each is decided for
 *          itself
 */
enum mig_verdict mig_select_units(const struct mig_plan *plan,
				  const struct mig_pagemap *pagemap,
				  const struct mig_span *span,
				  const struct mig_units *units, int *ret_to,
				  uint32_t *ret_nr);

#endif
