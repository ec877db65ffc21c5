/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /proc/PID/pagemap, /proc/kpageflags and /proc/kpagecount. Frame numbers are
 * there only where the caller has CAP_SYS_ADMIN in the initial user namespace.
 *
 * Threads: an open pagemap may be read by any number of threads.
 */
#ifndef MIG_PAGEMAP_H
#define MIG_PAGEMAP_H

#include "process.h"

#define MIG_PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define MIG_PAGEMAP_SWAPPED \
	(UINT64_C(1) << 62) /**< or any other entry that is not present */
#define MIG_PAGEMAP_FILE (UINT64_C(1) << 61) /**< file page or shared anonymous */
#define MIG_PAGEMAP_EXCLUSIVE (UINT64_C(1) << 56)
#define MIG_PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)

/* Bits of /proc/kpageflags, Documentation/admin-guide/mm/pagemap.rst. */
#define MIG_FLAG_LOCKED (UINT64_C(1) << 0)
#define MIG_FLAG_UPTODATE (UINT64_C(1) << 3)
#define MIG_FLAG_DIRTY (UINT64_C(1) << 4)
#define MIG_FLAG_LRU (UINT64_C(1) << 5)
#define MIG_FLAG_SLAB (UINT64_C(1) << 7)
#define MIG_FLAG_WRITEBACK (UINT64_C(1) << 8)
#define MIG_FLAG_FREE (UINT64_C(1) << 10) /**< the kernel's BUDDY */
#define MIG_FLAG_MMAP (UINT64_C(1) << 11) /**< some page of the folio is mapped */
#define MIG_FLAG_ANON (UINT64_C(1) << 12)
#define MIG_FLAG_SWAPCACHE (UINT64_C(1) << 13)
#define MIG_FLAG_SWAPBACKED (UINT64_C(1) << 14)
#define MIG_FLAG_HEAD (UINT64_C(1) << 15)
#define MIG_FLAG_TAIL (UINT64_C(1) << 16)
#define MIG_FLAG_HUGETLB (UINT64_C(1) << 17)
#define MIG_FLAG_UNEVICTABLE (UINT64_C(1) << 18)
#define MIG_FLAG_POISONED (UINT64_C(1) << 19)
#define MIG_FLAG_NO_PAGE (UINT64_C(1) << 20)
#define MIG_FLAG_OFFLINE (UINT64_C(1) << 23) /**< in a balloon */
#define MIG_FLAG_ZERO_PAGE (UINT64_C(1) << 24)
#define MIG_FLAG_PAGE_TABLE (UINT64_C(1) << 26)
#define MIG_FLAG_RESERVED (UINT64_C(1) << 32)
#define MIG_FLAG_MLOCKED (UINT64_C(1) << 33)

/** Of an entry that is not present: swap types below this are swap areas, those above
 *  are marks of the kernel's own, as that of a page that is being migrated. */
#define MIG_PAGEMAP_FIRST_MARK 20

/** mig_pagemap_is_marked - not present, and not swapped out either. */
static inline bool mig_pagemap_is_marked(uint64_t entry)
{
	return !(entry & MIG_PAGEMAP_PRESENT) && (entry & MIG_PAGEMAP_SWAPPED) &&
	       (entry & 0x1f) >= MIG_PAGEMAP_FIRST_MARK;
}

struct mig_pagemap {
	const struct mig_context *context;
	int fd;
	int flags_fd; /**< the context's; below 0: not readable */
	int count_fd; /**< the same */
	bool has_frames;
	bool no_scan; /**< the kernel has no PAGEMAP_SCAN */
};

/**
 * mig_pagemap_open - open a process's pagemap
 * Errors: -ESRCH: it has exited; -EACCES, -EPERM: it is another user's.
 */
int mig_pagemap_open(const struct mig_process *process, struct mig_pagemap *ret_pagemap);

/** mig_pagemap_close - a zeroed one with descriptors of -1 is allowed. */
void mig_pagemap_close(struct mig_pagemap *pagemap);

/**
 * mig_pagemap_read - entries of consecutive pages
 * Return: how many were read; 0 once the memory is gone (exit or exec: the file
 * stays with the old memory); or a negative errno.
 */
ssize_t mig_pagemap_read(const struct mig_pagemap *pagemap, uint64_t address,
			 uint64_t *entries, size_t nr_pages);

/** mig_pagemap_is_gone - whether the memory that was opened no longer exists. */
bool mig_pagemap_is_gone(const struct mig_pagemap *pagemap, uint64_t address);

/**
 * mig_pagemap_skip_hole - the first address in [@start, @end) that may have a page
 *
 * With PAGEMAP_SCAN holes cost nothing; without it @start is the answer.
 * Return: the address, @end if there is nothing.
 */
uint64_t mig_pagemap_skip_hole(struct mig_pagemap *pagemap, uint64_t start, uint64_t end);

/**
 * mig_pagemap_read_flags - kpageflags of consecutive frames
 * Errors: -EACCES: not readable here; -EIO: not as many as asked.
 */
int mig_pagemap_read_flags(const struct mig_pagemap *pagemap, uint64_t frame,
			   uint64_t *flags, size_t nr_frames);

/** mig_pagemap_read_mappers - how often a frame is mapped. Errors: as the flags. */
int mig_pagemap_read_mappers(const struct mig_pagemap *pagemap, uint64_t frame,
			     uint64_t *ret_mappers);

/** mig_pagemap_shows_frames - whether this caller is given frame numbers. */
bool mig_pagemap_shows_frames(const struct mig_context *context);

#endif
