/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "amounts.h"

#include <string.h>

void amounts_take(struct amounts *amounts, const struct mig_residency *residency)
{
	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		for (int node = 0; node < MIG_MAX_NODES; node++)
			amounts->bytes[kind][node] = mig_residency_get_bytes(
				residency, node, (enum mig_kind)kind);
	amounts->swapped_bytes = mig_residency_get_swapped_bytes(residency);
}

void amounts_add(struct amounts *amounts, const struct amounts *more)
{
	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		for (int node = 0; node < MIG_MAX_NODES; node++)
			amounts->bytes[kind][node] += more->bytes[kind][node];
	amounts->swapped_bytes += more->swapped_bytes;
}

void amounts_sum_nodes(const struct amounts *amounts, uint64_t sums[MIG_MAX_NODES])
{
	memset(sums, 0, MIG_MAX_NODES * sizeof(sums[0]));
	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		for (int node = 0; node < MIG_MAX_NODES; node++)
			sums[node] += amounts->bytes[kind][node];
}

uint64_t amounts_sum_kind(const struct amounts *amounts, enum mig_kind kind)
{
	uint64_t sum = 0;

	for (int node = 0; node < MIG_MAX_NODES; node++)
		sum += amounts->bytes[kind][node];
	return sum;
}

uint64_t amounts_sum(const struct amounts *amounts)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		sum += amounts_sum_kind(amounts, (enum mig_kind)kind);
	return sum;
}

uint64_t amounts_sum_on(const struct amounts *amounts, const struct mig_nodeset *nodes)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
		     node = mig_nodeset_next(nodes, node))
			sum += amounts->bytes[kind][node];
	return sum;
}
