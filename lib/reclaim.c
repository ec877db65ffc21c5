/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dropping page cache of one node: nodeN/reclaim, Linux 7.0 and newer; before that by the
 * generations of pages, where the kernel has them. */
#include <errno.h>
#include <stdio.h>

#include "lru_gen.h"
#include "node.h"
#include "sysfs.h"

/* Each time as much as is there, since the kernel ends when that much has gone. */
#define MOST_TIMES 16

static int read_file_bytes(const struct mig_context *context, int node,
			   uint64_t *ret_bytes)
{
	struct mig_node_memory memory;
	int r = mig_node_read_memory(context, node, true, &memory);

	if (!r && memory.file_bytes == MIG_UNKNOWN_BYTES)
		r = -EOPNOTSUPP;
	if (!r)
		*ret_bytes = memory.file_bytes;
	return r;
}

/* Anonymous memory stays: with a swappiness of 0 nothing is swapped out. */
static int reclaim(const struct mig_context *context, int node, uint64_t bytes)
{
	char text[64];
	int r;

	snprintf(text, sizeof(text), "%ju swappiness=0", (uintmax_t)bytes);
	r = mig_sysfs_write(context, text, MIG_NODE_DIRECTORY "/node%d/reclaim", node);
	return r == -ENOENT ? mig_lru_gen_reclaim(context, node) : r;
}

int mig_node_reclaim(struct mig_context *context, int node, uint64_t *ret_bytes)
{
	uint64_t before = 0, now = 0, last = 0;
	int r;

	if (!context || !ret_bytes)
		return -EINVAL;
	if (!context->live)
		return -EXDEV;
	r = read_file_bytes(context, node, &before);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	now = before;
	for (int i = 0; i < MOST_TIMES && now && now != last; i++) {
		last = now;
		r = reclaim(context, node, now);
		/* It has dropped some and not all of it: whether that was little the
		 * node says. */
		if (r < 0 && r != -EAGAIN)
			return r;
		r = read_file_bytes(context, node, &now);
		if (r < 0)
			return r;
	}
	*ret_bytes = before > now ? before - now : 0;
	return 0;
}
