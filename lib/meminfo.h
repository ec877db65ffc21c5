/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/meminfo and nodeN/meminfo, whose lines begin with "Node N". */
#ifndef MIG_MEMINFO_H
#define MIG_MEMINFO_H

#include "text.h"

/** Bytes; MIG_UNKNOWN_BYTES where the text has no such line. */
struct mig_meminfo {
	uint64_t total_bytes;
	uint64_t free_bytes;
	uint64_t file_pages_bytes; /**< nodeN/meminfo only; shmem and swap cache too */
	uint64_t cached_bytes;     /**< /proc/meminfo only; shmem too */
	uint64_t buffers_bytes;    /**< /proc/meminfo only */
	uint64_t swap_cached_bytes;
	uint64_t shmem_bytes;
	uint64_t anon_bytes;
	uint64_t slab_bytes;
	uint64_t dirty_bytes;
	uint64_t writeback_bytes;
	uint64_t anon_huge_bytes;
	uint64_t mapped_bytes; /**< shmem too */
	uint64_t slab_reclaimable_bytes;
	uint64_t slab_unreclaimable_bytes;
	uint64_t page_tables_bytes;
	uint64_t secondary_page_tables_bytes; /**< of virtual machines and IOMMUs */
	uint64_t kernel_stack_bytes;
	uint64_t unevictable_bytes;
	uint64_t balloon_bytes; /**< Linux 6.16 and newer, as the next two */
	uint64_t gpu_active_bytes;
	uint64_t gpu_reclaim_bytes;
	uint64_t zswap_bytes; /**< /proc/meminfo only, as the next one */
	uint64_t zswapped_bytes;
};

/**
 * mig_meminfo_parse - read the whole of such a file
 * Errors: -EBADMSG: a line that is known has no size in kB.
 */
int mig_meminfo_parse(struct mig_text text, struct mig_meminfo *ret_meminfo);

/**
 * mig_meminfo_parse_size - "     123 kB", as these files and a process's write sizes
 * Errors: -EBADMSG.
 */
int mig_meminfo_parse_size(struct mig_text text, uint64_t *ret_bytes);

#endif
