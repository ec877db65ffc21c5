/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Huge pages in /proc/PID/smaps, line by line. */
#ifndef MIG_SMAPS_H
#define MIG_SMAPS_H

#include "libmigrate.h"
#include "text.h"

/** More than any kernel has sizes. */
#define MIG_MOST_HUGE_SIZES 16

/** Zeroed but for pmd_bytes before the first line. */
struct mig_smaps_count {
	uint64_t pmd_bytes;  /**< size of transparent pages that are mapped whole */
	uint64_t page_bytes; /**< of the mapping that is being read */
	struct mig_huge_pages sizes[MIG_MOST_HUGE_SIZES]; /**< ascending by size */
	size_t nr_sizes;
};

/** mig_smaps_take_line - go on with the next line. Errors: -EBADMSG. */
int mig_smaps_take_line(struct mig_smaps_count *count, struct mig_text line);

#endif
