/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.numa_stat of a cgroup. */
#ifndef MIG_NUMA_STAT_H
#define MIG_NUMA_STAT_H

#include "libmigrate.h"
#include "text.h"

struct mig_numa_stat {
	bool is_known[MIG_NR_CHARGES];
	uint64_t bytes[MIG_NR_CHARGES][MIG_MAX_NODES];
};

/**
 * mig_numa_stat_parse - the whole of such a file
 * @page_size: 0: of v2, "anon N0=4096 N1=0", bytes; otherwise of v1,
 *             "hierarchical_anon=1 N0=1 N1=0", pages of that size
 * @ret_stat:  overwritten, also on failure
 *
 * Lines that are not known are passed over.
 * Errors: -EBADMSG.
 */
int mig_numa_stat_parse(struct mig_text text, size_t page_size,
			struct mig_numa_stat *ret_stat);

#endif
