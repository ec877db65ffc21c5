/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of a window's pages, by the flags of their frames. */
#ifndef MIG_WINDOW_STATES_H
#define MIG_WINDOW_STATES_H

#include "pagecache.h"

struct mig_window_states {
	uint64_t dirty_pages;
	uint64_t writeback_pages;
	uint64_t large_pages; /**< in large folios */
};

/**
 * mig_window_count_states - count them
 * @pagemap: of the calling process; it must show frames
 * @states:  added to
 */
void mig_window_count_states(const struct mig_window *window,
			     const struct mig_pagemap *pagemap,
			     const struct mig_window_scratch *scratch,
			     struct mig_window_states *states);

enum mig_is_dirty {
	MIG_IS_CLEAN = 0,
	MIG_IS_DIRTY = 1,
	MIG_MAY_BE_DIRTY = 2, /**< the kernel does not tell this caller */
};

/**
 * mig_window_is_dirty - whether one page is
 * @address: in the window
 *
 * By the flags of its frame, or by cachestat(2) where frames are not shown.
 */
enum mig_is_dirty mig_window_is_dirty(const struct mig_window *window,
				      const struct mig_pagemap *pagemap,
				      uint64_t address);

#endif
