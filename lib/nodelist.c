/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nodelist.h"

#include <errno.h>

/* "5" or "3-7". */
static int take_range(struct mig_text *text, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t first, last;
	int r;

	r = mig_text_take_number(text, 10, &first);
	if (r < 0)
		return r;
	last = first;
	if (mig_text_take_char(text, '-')) {
		r = mig_text_take_number(text, 10, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -ERANGE;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

int mig_nodelist_visit(struct mig_text text,
		       int (*visit)(void *data, uint64_t first, uint64_t last),
		       void *data)
{
	uint64_t first, last;
	int r;

	mig_text_trim(&text);
	if (!text.length)
		return 0;
	do {
		r = take_range(&text, &first, &last);
		if (r < 0)
			return r;
		r = visit(data, first, last);
		if (r)
			return r;
	} while (mig_text_take_char(&text, ','));
	return text.length ? -EINVAL : 0;
}

static int add_nodes(void *data, uint64_t first, uint64_t last)
{
	struct mig_nodeset *set = data;

	if (last >= MIG_MAX_NODES)
		return -ERANGE;
	for (uint64_t node = first; node <= last; node++)
		set->bits[node / 64] |= UINT64_C(1) << (node % 64);
	return 0;
}

int mig_nodelist_parse(struct mig_text text, struct mig_nodeset *ret_set)
{
	struct mig_nodeset set = { 0 };
	int r;

	r = mig_nodelist_visit(text, add_nodes, &set);
	if (r < 0)
		return r;
	*ret_set = set;
	return 0;
}
