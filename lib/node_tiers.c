/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node.h"

#include <errno.h>
#include <limits.h>

#include "cleanup.h"
#include "nodelist.h"
#include "numbered.h"
#include "procfs.h"

#define TIERS "sys/devices/virtual/memory_tiering"

struct tiers {
	const struct mig_context *context;
	struct mig_node *nodes;
	size_t nr_nodes;
};

static int read_tier(void *data, uint64_t number)
{
	struct tiers *tiers = data;
	CLEANUP_FREE char *text = NULL;
	struct mig_nodeset members;
	ssize_t length;

	length = mig_procfs_read_alloc(tiers->context, &text,
				       TIERS "/memory_tier%ju/nodelist",
				       (uintmax_t)number);
	/* A tier that lost its last node meanwhile. */
	if (length == -ENOENT)
		return 0;
	if (length < 0)
		return (int)length;
	if (number > INT_MAX ||
	    mig_nodelist_parse((struct mig_text){ text, (size_t)length }, &members) < 0) {
		mig_log(tiers->context, MIG_LOG_WARNING,
			"/" TIERS "/memory_tier%ju/nodelist does not parse",
			(uintmax_t)number);
		return -EBADMSG;
	}
	for (size_t i = 0; i < tiers->nr_nodes; i++)
		if (mig_nodeset_has(&members, tiers->nodes[i].number))
			tiers->nodes[i].tier = (int)number;
	return 0;
}

int mig_node_read_tiers(const struct mig_context *context, struct mig_node *nodes,
			size_t nr_nodes)
{
	struct tiers tiers = { .context = context, .nodes = nodes, .nr_nodes = nr_nodes };
	int r;

	for (size_t i = 0; i < nr_nodes; i++)
		nodes[i].tier = -1;
	r = mig_numbered_visit(context, TIERS, "memory_tier", "", read_tier, &tiers);
	/* Before Linux 6.1 there are none. */
	return r == -ENOENT ? 0 : r;
}
