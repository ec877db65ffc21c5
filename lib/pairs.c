/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pairs.h"

#include <errno.h>
#include <stdlib.h>

void mig_pairs_done(struct mig_pairs *pairs)
{
	free(pairs->counts);
	*pairs = (struct mig_pairs){ 0 };
}

static struct mig_pair_count *find(const struct mig_pairs *pairs, int from, int to)
{
	for (size_t i = 0; i < pairs->nr; i++)
		if (pairs->counts[i].from == from && pairs->counts[i].to == to)
			return &pairs->counts[i];
	return NULL;
}

int mig_pairs_add(struct mig_pairs *pairs, int from, int to, uint64_t nr_pages)
{
	struct mig_pair_count *count = find(pairs, from, to);

	if (!nr_pages)
		return 0;
	if (count) {
		count->nr_pages += nr_pages;
		return 0;
	}
	count = reallocarray(pairs->counts, pairs->nr + 1, sizeof(*count));
	if (!count)
		return -ENOMEM;
	pairs->counts = count;
	count[pairs->nr++] = (struct mig_pair_count){ from, to, nr_pages };
	return 0;
}

uint64_t mig_pairs_get(const struct mig_pairs *pairs, int from, int to)
{
	const struct mig_pair_count *count = find(pairs, from, to);

	return count ? count->nr_pages : 0;
}

uint64_t mig_pairs_get_into(const struct mig_pairs *pairs, int to)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pairs->nr; i++)
		if (pairs->counts[i].to == to)
			sum += pairs->counts[i].nr_pages;
	return sum;
}

uint64_t mig_pairs_get_out_of(const struct mig_pairs *pairs, int from)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pairs->nr; i++)
		if (pairs->counts[i].from == from)
			sum += pairs->counts[i].nr_pages;
	return sum;
}

uint64_t mig_pairs_get_total(const struct mig_pairs *pairs)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pairs->nr; i++)
		sum += pairs->counts[i].nr_pages;
	return sum;
}

static int by_nodes(const void *a, const void *b)
{
	const struct mig_pair_count *left = a, *right = b;

	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return (left->to > right->to) - (left->to < right->to);
}

void mig_pairs_sort(struct mig_pairs *pairs)
{
	if (pairs->nr)
		qsort(pairs->counts, pairs->nr, sizeof(*pairs->counts), by_nodes);
}
