/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The accounting of a run. Each worker keeps an outcome of its own; they are
 * merged at the end. Whoever adds pages to one of moved, already, skipped, left
 * and gone adds them to considered in the same call, so that the equation holds
 * by construction.
 */
#ifndef MIG_OUTCOME_H
#define MIG_OUTCOME_H

#include "libmigrate.h"
#include "pairs.h"

struct mig_outcome {
	struct mig_totals totals;
	uint64_t skipped[MIG_NR_SKIPS];
	struct mig_left *left;
	size_t nr_left;
	struct mig_pairs moved;
	int error; /**< -ENOMEM once a detail could not be kept */
};

/** mig_outcome_new - an empty account. Errors: -ENOMEM. */
int mig_outcome_new(struct mig_outcome **ret_outcome);

void mig_outcome_add_moved(struct mig_outcome *outcome, int from, int to,
			   uint64_t nr_pages);
void mig_outcome_add_already(struct mig_outcome *outcome, uint64_t nr_pages);
void mig_outcome_add_skipped(struct mig_outcome *outcome, enum mig_skip skip,
			     uint64_t nr_pages);
void mig_outcome_add_left(struct mig_outcome *outcome, enum mig_reason reason, int node,
			  int error, uint64_t nr_pages);
void mig_outcome_add_gone(struct mig_outcome *outcome, uint64_t nr_pages);

/** mig_outcome_merge - add all of @other. */
void mig_outcome_merge(struct mig_outcome *outcome, const struct mig_outcome *other);

/** mig_outcome_sort - largest reasons first, pairs by node. */
void mig_outcome_sort(struct mig_outcome *outcome);

#endif
