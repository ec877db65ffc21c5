/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "membership.h"

#include <errno.h>
#include <string.h>

/* Up to @end, which is taken and not given; false if it does not come. */
static bool take_until(struct mig_text *text, char end, struct mig_text *ret_front)
{
	const char *at = text->length ? memchr(text->at, end, text->length) : NULL;

	if (!at)
		return false;
	*ret_front = (struct mig_text){ text->at, (size_t)(at - text->at) };
	text->length -= ret_front->length + 1;
	text->at = at + 1;
	return true;
}

static unsigned int find_controllers(struct mig_text list)
{
	unsigned int hierarchies = 0;
	bool has_more = true;

	while (has_more) {
		struct mig_text name = list;

		has_more = take_until(&list, ',', &name);
		for (unsigned int i = 0; i < MIG_NR_CONTROLLERS; i++)
			if (mig_text_is(name, mig_controller_get_name(i)))
				hierarchies |= 1U << i;
	}
	return hierarchies;
}

/* "4:cpuset,memory:/a/b" of v1, "0::/a/b" of v2. */
static int parse_line(struct mig_text line, struct mig_membership *membership)
{
	unsigned int hierarchies;
	struct mig_text controllers;
	uint64_t number;

	if (mig_text_take_number(&line, 10, &number) < 0 ||
	    !mig_text_take_char(&line, ':') || !take_until(&line, ':', &controllers) ||
	    !line.length || *line.at != '/')
		return -EBADMSG;
	hierarchies = number ? find_controllers(controllers) : 1U << MIG_HIERARCHY_V2;
	for (unsigned int i = 0; i < MIG_NR_HIERARCHIES; i++)
		if (hierarchies & 1U << i)
			membership->paths[i] = line;
	return 0;
}

int mig_membership_parse(struct mig_text text, struct mig_membership *ret_membership)
{
	struct mig_membership membership = { 0 };

	while (text.length) {
		int r = parse_line(mig_text_take_line(&text), &membership);

		if (r < 0)
			return r;
	}
	*ret_membership = membership;
	return 0;
}
