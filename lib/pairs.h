/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages counted by where they go from and to. */
#ifndef MIG_PAIRS_H
#define MIG_PAIRS_H

#include "libmigrate.h"

/** A zeroed one is empty. As large as the pairs of nodes that occur. */
struct mig_pairs {
	struct mig_pair_count *counts;
	size_t nr;
};

/** mig_pairs_done - give the memory back. */
void mig_pairs_done(struct mig_pairs *pairs);

/** mig_pairs_add - Errors: -ENOMEM: not counted. */
int mig_pairs_add(struct mig_pairs *pairs, int from, int to, uint64_t nr_pages);

/** mig_pairs_get - how many go from @from to @to. */
uint64_t mig_pairs_get(const struct mig_pairs *pairs, int from, int to);

/** mig_pairs_get_into - how many go to @to, from other nodes. */
uint64_t mig_pairs_get_into(const struct mig_pairs *pairs, int to);

/** mig_pairs_get_out_of - how many leave @from. */
uint64_t mig_pairs_get_out_of(const struct mig_pairs *pairs, int from);

/** mig_pairs_get_total - all of them. */
uint64_t mig_pairs_get_total(const struct mig_pairs *pairs);

/** mig_pairs_sort - by node, from first. */
void mig_pairs_sort(struct mig_pairs *pairs);

#endif
