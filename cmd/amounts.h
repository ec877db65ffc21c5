/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes per kind and node of one process, or of several together. */
#ifndef MIGRATECTL_AMOUNTS_H
#define MIGRATECTL_AMOUNTS_H

#include <libmigrate.h>

/** 56 KiB: not for the stack. */
struct amounts {
	uint64_t bytes[MIG_NR_KINDS][MIG_MAX_NODES];
	uint64_t swapped_bytes;
};

/** amounts_take - what a residency has */
void amounts_take(struct amounts *amounts, const struct mig_residency *residency);

/** amounts_add - @more on top */
void amounts_add(struct amounts *amounts, const struct amounts *more);

/** amounts_sum_nodes - bytes on each node, all kinds */
void amounts_sum_nodes(const struct amounts *amounts, uint64_t sums[MIG_MAX_NODES]);

/** amounts_sum_kind - bytes of a kind, all nodes */
uint64_t amounts_sum_kind(const struct amounts *amounts, enum mig_kind kind);

/** amounts_sum - bytes of all kinds on all nodes */
uint64_t amounts_sum(const struct amounts *amounts);

/** amounts_sum_on - bytes of all kinds on the nodes of a set */
uint64_t amounts_sum_on(const struct amounts *amounts, const struct mig_nodeset *nodes);

#endif
