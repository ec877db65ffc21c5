/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A window on the page cache of a file: a part of it is mapped here, and the pages
 * that are cached are mapped in, so that they have addresses that move_pages(2) and
 * pagemap take. Nothing is read from the device, and no page becomes younger:
 * MADV_RANDOM keeps faults from reading ahead, MADV_SEQUENTIAL makes the unmapping
 * forget that pages were touched (mm/memory.c, Linux 6.1 to 7.2), and
 * MADV_NOHUGEPAGE keeps khugepaged away, which would write dirty pages out (7.2).
 *
 * In hugetlbfs mincore(2) sees only what this process has mapped, and a touch of a hole
 * takes a huge page from the pool: so holes are guarded, and all pages are touched.
 *
 * A file that is truncated meanwhile is no danger: the kernel does the touching, and
 * says -EFAULT where a program would be sent SIGBUS.
 */
#ifndef MIG_PAGECACHE_H
#define MIG_PAGECACHE_H

#include <pthread.h>

#include "file.h"
#include "pagemap.h"
#include "span.h"

struct mig_window {
	struct mig_file *file;
	uint64_t offset; /**< in the file */
	char *start;     /**< where it is mapped */
	size_t length;   /**< bytes, whole pages */
	int guard_fd;    /**< while it is open a touch fills no hole; -1: there is none */
	bool is_touched; /**< it may be, having been told what faults must not do */
};

/** The calling process, whose memory the windows are in. */
struct mig_self {
	struct mig_process *process;
	struct mig_pagemap pagemap;
	pthread_mutex_t *mapping; /**< who has a window on a small file open */
};

/** mig_self_open - Errors: of mig_process_open() and mig_pagemap_open(). */
int mig_self_open(struct mig_context *context, struct mig_self *ret_self);

/** mig_self_close - a zeroed one is allowed. */
void mig_self_close(struct mig_self *self);

/** What one thread needs for opening windows. */
struct mig_window_scratch {
	unsigned char *resident; /**< of mincore(2) */
	uint64_t *entries;       /**< of pagemap */
};

/** mig_window_scratch_init - Errors: -ENOMEM. */
int mig_window_scratch_init(struct mig_window_scratch *scratch);

/** mig_window_scratch_done - a zeroed one is allowed. */
void mig_window_scratch_done(struct mig_window_scratch *scratch);

/**
 * mig_window_open - map [@start, @end) of a file, with what is cached of it
 * @pagemap:   of the calling process
 * @ret_pages: base pages that are cached
 *
 * Errors: -ENODEV: its file system cannot map files; -ENXIO: a file of hugetlbfs with
 * holes that cannot be guarded; -ENOMEM: also the limit on mappings
 * (vm.max_map_count); -EIO and others.
 * Ownership: closed with mig_window_close(); holds the file.
 */
int mig_window_open(struct mig_window *ret_window, struct mig_file *file, uint64_t start,
		    uint64_t end, const struct mig_pagemap *pagemap,
		    const struct mig_window_scratch *scratch, uint64_t *ret_pages);

/** mig_window_close - unmap it; a zeroed one is allowed. */
void mig_window_close(struct mig_window *window);

/** Called for a window that has cached pages. */
typedef int (*mig_window_fn)(void *data, struct mig_window *window);

/**
 * mig_file_each_window - open one window on a file after the other
 * @visit: non-zero ends the walk with that value. A window that is visited is closed
 *         afterwards.
 *
 * Threads that map at the same time wait for each other in the kernel, and each that
 * unmaps interrupts the processors of all others. For small files that takes longer than
 * anything else, so they are visited one at a time.
 *
 * Errors: those of mig_window_open().
 */
int mig_file_each_window(struct mig_file *file, const struct mig_self *self,
			 const struct mig_window_scratch *scratch, mig_window_fn visit,
			 void *data);

/** mig_window_get_span - the mapping, as the scan of pages wants it. */
struct mig_span mig_window_get_span(const struct mig_window *window);

#endif
