/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include <errno.h>
#include <stdlib.h>

int mig_outcome_new(struct mig_outcome **ret_outcome)
{
	struct mig_outcome *outcome = calloc(1, sizeof(*outcome));

	if (!outcome)
		return -ENOMEM;
	*ret_outcome = outcome;
	return 0;
}

void mig_outcome_free(struct mig_outcome *outcome)
{
	if (!outcome)
		return;
	free(outcome->left);
	mig_pairs_done(&outcome->moved);
	free(outcome);
}

void mig_outcome_add_moved(struct mig_outcome *outcome, int from, int to,
			   uint64_t nr_pages)
{
	outcome->totals.considered_pages += nr_pages;
	outcome->totals.moved_pages += nr_pages;
	if (mig_pairs_add(&outcome->moved, from, to, nr_pages) < 0)
		outcome->error = -ENOMEM;
}

void mig_outcome_add_already(struct mig_outcome *outcome, uint64_t nr_pages)
{
	outcome->totals.considered_pages += nr_pages;
	outcome->totals.already_pages += nr_pages;
}

void mig_outcome_add_skipped(struct mig_outcome *outcome, enum mig_skip skip,
			     uint64_t nr_pages)
{
	outcome->totals.considered_pages += nr_pages;
	outcome->totals.skipped_pages += nr_pages;
	outcome->skipped[skip] += nr_pages;
}

static void count_left(struct mig_outcome *outcome, const struct mig_left *one)
{
	struct mig_left *left;

	for (size_t i = 0; i < outcome->nr_left; i++) {
		struct mig_left *known = &outcome->left[i];

		if (known->reason == one->reason && known->node == one->node &&
		    known->error == one->error) {
			known->nr_pages += one->nr_pages;
			return;
		}
	}
	left = reallocarray(outcome->left, outcome->nr_left + 1, sizeof(*left));
	if (!left) {
		outcome->error = -ENOMEM;
		return;
	}
	left[outcome->nr_left++] = *one;
	outcome->left = left;
}

void mig_outcome_add_left(struct mig_outcome *outcome, enum mig_reason reason, int node,
			  int error, uint64_t nr_pages)
{
	const struct mig_left one = { reason, node, error, nr_pages };

	outcome->totals.considered_pages += nr_pages;
	outcome->totals.left_pages += nr_pages;
	if (nr_pages)
		count_left(outcome, &one);
}

void mig_outcome_add_gone(struct mig_outcome *outcome, uint64_t nr_pages)
{
	outcome->totals.considered_pages += nr_pages;
	outcome->totals.gone_pages += nr_pages;
}

void mig_outcome_merge(struct mig_outcome *outcome, const struct mig_outcome *other)
{
	struct mig_totals *sum = &outcome->totals;
	const struct mig_totals *add = &other->totals;

	for (size_t i = 0; i < other->moved.nr; i++)
		mig_outcome_add_moved(outcome, other->moved.counts[i].from,
				      other->moved.counts[i].to,
				      other->moved.counts[i].nr_pages);
	for (unsigned int i = 0; i < MIG_NR_SKIPS; i++)
		mig_outcome_add_skipped(outcome, (enum mig_skip)i, other->skipped[i]);
	for (size_t i = 0; i < other->nr_left; i++)
		mig_outcome_add_left(outcome, other->left[i].reason, other->left[i].node,
				     other->left[i].error, other->left[i].nr_pages);
	mig_outcome_add_already(outcome, add->already_pages);
	mig_outcome_add_gone(outcome, add->gone_pages);
	sum->processes_gone += add->processes_gone;
	sum->processes_denied += add->processes_denied;
	sum->files += add->files;
	sum->files_gone += add->files_gone;
	sum->files_denied += add->files_denied;
	if (add->error)
		sum->error = add->error;
	sum->paged_out_pages += add->paged_out_pages;
	sum->reread_pages += add->reread_pages;
	sum->moved_huge_pages += add->moved_huge_pages;
	sum->split_huge_pages += add->split_huge_pages;
	if (add->longest_call_ns > sum->longest_call_ns)
		sum->longest_call_ns = add->longest_call_ns;
	if (other->error)
		outcome->error = other->error;
}

static int by_size(const void *a, const void *b)
{
	const struct mig_left *left = a, *right = b;

	return (left->nr_pages < right->nr_pages) - (left->nr_pages > right->nr_pages);
}

void mig_outcome_sort(struct mig_outcome *outcome)
{
	if (outcome->nr_left)
		qsort(outcome->left, outcome->nr_left, sizeof(*outcome->left), by_size);
	mig_pairs_sort(&outcome->moved);
}

const struct mig_totals *mig_outcome_get_totals(const struct mig_outcome *outcome)
{
	return &outcome->totals;
}

uint64_t mig_outcome_get_skipped(const struct mig_outcome *outcome, enum mig_skip skip)
{
	return (unsigned int)skip < MIG_NR_SKIPS ? outcome->skipped[skip] : 0;
}

const struct mig_left *mig_outcome_get_left(const struct mig_outcome *outcome,
					    size_t index)
{
	return index < outcome->nr_left ? &outcome->left[index] : NULL;
}

const struct mig_pair_count *mig_outcome_get_pair(const struct mig_outcome *outcome,
						  size_t index)
{
	return index < outcome->moved.nr ? &outcome->moved.counts[index] : NULL;
}
