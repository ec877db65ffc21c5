/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rule that gives each page its wanted node. */
#ifndef MIG_PLACEMENT_H
#define MIG_PLACEMENT_H

#include "libmigrate.h"

/**
 * mig_placement_get_wanted - where a page should be
 * @node:  where it is now
 * @index: its number among pages of its size, for interleaving
 *
 * With several nearest targets the answer is the nearest one, whatever room it
 * has: the plan spreads them (mig_plan_take_target).
 * Return: a node, @node itself where the page is in place, or MIG_NO_NODE where
 * the rule does not cover pages of @node.
 */
int mig_placement_get_wanted(const struct mig_placement *placement, int node,
			     uint64_t index);

/** mig_placement_takes_from - whether pages of @node belong on another one. */
bool mig_placement_takes_from(const struct mig_placement *placement, int node);

/** mig_placement_is_interleaved - whether the wanted node depends on the index. */
bool mig_placement_is_interleaved(const struct mig_placement *placement);

/** mig_placement_has_choice - whether pages go to the nearest target with room. */
bool mig_placement_has_choice(const struct mig_placement *placement);

/**
 * mig_placement_get_share - of pages that are on @node, how many of @whole go to @to
 * Return: weight, so that the shares of all targets add up to *ret_whole.
 */
uint64_t mig_placement_get_share(const struct mig_placement *placement, int node, int to,
				 uint64_t *ret_whole);

/**
 * mig_placement_moves_twice - whether a page that arrived could be sent on
 *
 * True where a target is a source of another target: arrived pages must then be
 * told from pages that were there.
 */
bool mig_placement_moves_twice(const struct mig_placement *placement);

/** mig_placement_get_topology - borrowed. */
const struct mig_topology *
mig_placement_get_topology(const struct mig_placement *placement);

#endif
