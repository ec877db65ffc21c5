/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lru.h"

#include <linux/mempolicy.h>

/*
 * move_pages(2) begins with it, before it looks for the first page, and there is none
 * here. It asks for the array of nodes to be there, not for any in it.
 */
void mig_lru_gather(const struct mig_context *context)
{
	void *pages[1] = { NULL };
	int nodes[1] = { 0 }, status[1];

	if (context->live)
		context->calls->move_pages(0, 0, pages, nodes, status, MPOL_MF_MOVE);
}
