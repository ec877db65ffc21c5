/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "zoneinfo.h"

#include <errno.h>

static int take_count(struct mig_text *text, uint64_t *ret_count)
{
	mig_text_take_blanks(text);
	if (mig_text_take_number(text, 10, ret_count) < 0)
		return -EBADMSG;
	mig_text_trim(text);
	return text->length ? -EBADMSG : 0;
}

/* "Node 0, zone   Normal"; a node's zones follow each other. */
static int take_heading(struct mig_zone_room *room, struct mig_text text)
{
	uint64_t node;

	if (mig_text_take_number(&text, 10, &node) < 0)
		return -EBADMSG;
	room->in_node = node == (uint64_t)room->node;
	room->has_free = false;
	if (!room->in_node)
		return room->found;
	room->found = true;
	return 0;
}

int mig_zone_room_take_line(struct mig_zone_room *room, struct mig_text line)
{
	uint64_t high, held;

	if (mig_text_take_string(&line, "Node "))
		return take_heading(room, line);
	if (!room->in_node)
		return 0;
	mig_text_take_blanks(&line);
	if (mig_text_take_string(&line, "pages free ")) {
		room->has_free = true;
		return take_count(&line, &room->free_pages);
	}
	/* Of a CPU; what has another word behind "count" is something else. */
	if (mig_text_take_string(&line, "count:")) {
		if (take_count(&line, &held) < 0 ||
		    __builtin_add_overflow(room->held_pages, held, &room->held_pages))
			return -EBADMSG;
		return 0;
	}
	/* Behind it come the CPUs' "high:", which are something else. */
	if (!room->has_free || !mig_text_take_string(&line, "high "))
		return 0;
	room->has_free = false;
	if (take_count(&line, &high) < 0)
		return -EBADMSG;
	if (room->free_pages > high &&
	    __builtin_add_overflow(room->room_pages, room->free_pages - high,
				   &room->room_pages))
		return -EBADMSG;
	return 0;
}
