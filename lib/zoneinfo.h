/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/zoneinfo, line by line, since it grows with zones times CPUs. */
#ifndef MIG_ZONEINFO_H
#define MIG_ZONEINFO_H

#include "text.h"

/** What is free on one node: above the high watermarks of its zones, and aside. */
struct mig_zone_room {
	int node;            /**< the wanted one, set by the caller; the rest is zero */
	uint64_t room_pages; /**< of the zones whose watermark was seen */
	uint64_t held_pages; /**< free, kept by processors for themselves */
	bool found;          /**< at least one zone of the node */
	bool in_node;
	bool has_free; /**< free_pages is of the zone that is being read */
	uint64_t free_pages;
};

/**
 * mig_zone_room_take_line - go on with the next line
 * Errors: -EBADMSG: a count that does not parse.
 * Return: 0; 1 once all zones of the node have been seen; a negative errno.
 */
int mig_zone_room_take_line(struct mig_zone_room *room, struct mig_text line);

#endif
