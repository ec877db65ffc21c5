/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of /proc/buddyinfo: the free blocks of one zone. */
#ifndef MIG_BUDDYINFO_H
#define MIG_BUDDYINFO_H

#include "libmigrate.h"
#include "text.h"

struct mig_buddyinfo_line {
	int node;
	struct mig_text zone; /**< its name, borrowed from the line */
	unsigned int nr_orders;
	uint64_t nr_free[MIG_MOST_ORDERS]; /**< free blocks of 2^i base pages */
};

/**
 * mig_buddyinfo_parse - "Node 0, zone   Normal   3922   6341 ..."
 *
 * What was accepted is not more memory than 2^40 pages.
 * Errors: -EBADMSG: not such a line, or more than there can be.
 */
int mig_buddyinfo_parse(struct mig_text line, struct mig_buddyinfo_line *ret_line);

#endif
