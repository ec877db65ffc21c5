/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the units of a stretch of memory: what move_pages(2) moves as one (a
 * page, or the part of a larger folio that is mapped there), and where each is.
 * With frame numbers all of it is read from the kernel's tables; without, whole
 * aligned huge-page-sized stretches are guessed to be one unit (said so in the
 * flags, so that the guess is checked), and nodes are asked for.
 */
#ifndef MIG_PAGE_SCAN_H
#define MIG_PAGE_SCAN_H

#include "unmapped_cache.h"
#include "frames.h"
#include "pagemap.h"
#include "span.h"

#define MIG_UNIT_SHARED 1U /**< mapped more than once, here or elsewhere */
#define MIG_UNIT_FILE 2U   /**< page of a file or of shared memory */
#define MIG_UNIT_HUGETLB 4U
#define MIG_UNIT_GUESSED 8U /**< taken for one folio without proof */

/** Units of one size that follow each other, lie on one node and are alike. */
struct mig_units {
	uint64_t address;
	uint64_t frame;      /**< of the first page; 0: not known */
	uint32_t nr;         /**< how many; 1 where they are shared or of no known node */
	uint32_t unit_pages; /**< base pages in each */
	int16_t node;        /**< MIG_NO_NODE: not known */
	uint16_t flags;      /**< MIG_UNIT_* */
};

/** The most pages that one call of mig_page_scan_next() looks at. */
#define MIG_SCAN_PAGES 4096

struct mig_page_scan {
	struct mig_pagemap *pagemap;
	const struct mig_frames *frames;   /**< NULL: frame numbers are of no use */
	const struct mig_process *process; /**< whom to ask where pages are */
	bool guess_huge; /**< see above; the caller clears it when a guess was wrong */
	uint64_t huge_size_bytes;
	struct mig_units *units; /**< of the last step, MIG_SCAN_PAGES of room */
	size_t nr_units;
	uint64_t zero_frame;    /**< the last one seen, 0: none */
	uint32_t lasting_marks; /**< bits: swap types of entries that did not go away */
	int only_node;          /**< of the span, see there */
	/** Whose pages count, of files; NULL: everybody's. */
	const struct mig_unmapped_cache *only_cache;
	uint64_t *entries;
	uint64_t *flags;
};

/** mig_units_take - cut the first @nr off the front. Return: those. */
static inline struct mig_units mig_units_take(struct mig_units *units, uint32_t nr,
					      size_t page_size)
{
	struct mig_units front = *units;

	front.nr = nr;
	units->nr -= nr;
	units->address += (uint64_t)nr * units->unit_pages * page_size;
	return front;
}

/** mig_units_pages - base pages in all of them. */
static inline uint64_t mig_units_pages(const struct mig_units *units)
{
	return (uint64_t)units->nr * units->unit_pages;
}

/** mig_page_scan_init - Errors: -ENOMEM. */
int mig_page_scan_init(struct mig_page_scan *scan, const struct mig_frames *frames);

/** mig_page_scan_done - a zeroed scan is allowed. */
void mig_page_scan_done(struct mig_page_scan *scan);

/** mig_page_scan_set_process - whose memory is looked at from now on. */
void mig_page_scan_set_process(struct mig_page_scan *scan,
			       const struct mig_process *process,
			       struct mig_pagemap *pagemap);

/**
 * mig_page_scan_next - the units in the next part of [@start, @end)
 * @span:     the mapping that it lies in
 * @ret_next: where to go on; @end when all of it was seen
 *
 * Errors: -ESRCH: the memory is gone; others of pread(2).
 */
int mig_page_scan_next(struct mig_page_scan *scan, const struct mig_span *span,
		       uint64_t start, uint64_t end, uint64_t *ret_next);

#endif
