/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Node sets as the kernel's system calls take them. The kernel uses maxnode - 1
 * bits, so that a mask of MIG_MAX_NODES bits goes with MIG_NODEMASK_MAXNODE. Masks
 * are always of that size: get_mempolicy(2) refuses one that has fewer bits than
 * the kernel has nodes.
 */
#ifndef MIG_NODEMASK_H
#define MIG_NODEMASK_H

#include <limits.h>

#include "libmigrate.h"

#define MIG_NODEMASK_MAXNODE (MIG_MAX_NODES + 1UL)
#define MIG_NODEMASK_WORD_BITS (CHAR_BIT * sizeof(unsigned long))

struct mig_nodemask {
	unsigned long words[MIG_MAX_NODES / MIG_NODEMASK_WORD_BITS];
};

static inline struct mig_nodemask mig_nodemask_of(const struct mig_nodeset *set)
{
	struct mig_nodemask mask = { { 0 } };

	for (int node = mig_nodeset_next(set, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(set, node))
		mask.words[(size_t)node / MIG_NODEMASK_WORD_BITS] |=
			1UL << ((size_t)node % MIG_NODEMASK_WORD_BITS);
	return mask;
}

static inline struct mig_nodeset mig_nodemask_to_set(const struct mig_nodemask *mask)
{
	struct mig_nodeset set = { { 0 } };

	for (size_t node = 0; node < MIG_MAX_NODES; node++)
		if (mask->words[node / MIG_NODEMASK_WORD_BITS] >>
			    (node % MIG_NODEMASK_WORD_BITS) &
		    1)
			mig_nodeset_add(&set, (int)node);
	return set;
}

#endif
