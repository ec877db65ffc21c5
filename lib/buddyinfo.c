/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "buddyinfo.h"

#include <errno.h>

/* Of 4 KiB they are all that 52 bits of an address reach. */
#define MOST_PAGES (UINT64_C(1) << 40)

static bool take_heading(struct mig_text *text, struct mig_buddyinfo_line *line)
{
	uint64_t node;

	if (!mig_text_take_string(text, "Node ") ||
	    mig_text_take_number(text, 10, &node) < 0 || node >= MIG_MAX_NODES ||
	    !mig_text_take_string(text, ", zone ") || !text->length)
		return false;
	mig_text_take_blanks(text);
	line->node = (int)node;
	line->zone = mig_text_take_word(text);
	return line->zone.length;
}

int mig_buddyinfo_parse(struct mig_text line, struct mig_buddyinfo_line *ret_line)
{
	struct mig_buddyinfo_line parsed = { 0 };
	uint64_t pages = 0;

	mig_text_trim(&line);
	if (!take_heading(&line, &parsed))
		return -EBADMSG;
	while (line.length) {
		unsigned int order = parsed.nr_orders;
		uint64_t blocks;

		if (order == MIG_MOST_ORDERS || !mig_text_take_blanks(&line) ||
		    mig_text_take_number(&line, 10, &blocks) < 0 ||
		    blocks > (MOST_PAGES - pages) >> order)
			return -EBADMSG;
		pages += blocks << order;
		parsed.nr_free[parsed.nr_orders++] = blocks;
	}
	if (!parsed.nr_orders)
		return -EBADMSG;
	*ret_line = parsed;
	return 0;
}
