/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_MAPPINGS_H
#define MIG_MAPPINGS_H

#include "libmigrate.h"

/**
 * mig_mappings_open - mig_mappings_new(), or the same without numa_maps
 * @with_residency: false: numa_maps, which costs time for every page, is not read;
 *                  no mapping has residency, and what only numa_maps can tell from
 *                  other shared memory (a memfd of huge pages) is not HUGETLB
 */
int mig_mappings_open(const struct mig_process *process, bool with_residency,
		      struct mig_mappings **ret_mappings);

/** mig_mappings_have_residency - false also where the kernel has no numa_maps. */
bool mig_mappings_have_residency(const struct mig_mappings *mappings);

/**
 * mig_mappings_reopen - as mig_mappings_open(), of one process after the other
 * @mappings: NULL, or of another process: its memory is used again, and what was
 *            learnt of file systems is still true. Stays the caller's on failure too.
 */
int mig_mappings_reopen(const struct mig_process *process, bool with_residency,
			struct mig_mappings **mappings);

#endif
