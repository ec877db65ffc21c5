/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Present pages of a process by PAGEMAP_SCAN (Linux 6.7). Where one node has all
 * the memory, that says as much as numa_maps in a third of the time, and several
 * threads can share the work.
 */
#ifndef MIG_PRESENCE_H
#define MIG_PRESENCE_H

#include "process.h"

/**
 * mig_presence_count - count present pages without zero pages, by kind
 * @ret_bytes: MIG_NR_KINDS sums
 *
 * Errors: -EOPNOTSUPP: numa_maps has to be read: the kernel has no PAGEMAP_SCAN, there
 * are huge pages of which it does not say whether they are hugetlb's, or so many that
 * numa_maps is quicker; otherwise as mig_mappings_new() and mig_mappings_next().
 */
int mig_presence_count(const struct mig_process *process, uint64_t *ret_bytes);

#endif
