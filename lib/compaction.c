/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "node.h"
#include "sysfs.h"

/* A kernel without NUMA has no directory of nodes; its one node is the machine.
 */
static int compact_machine(const struct mig_context *context, int node)
{
	if (node)
		return -ENODEV;
	return mig_sysfs_write(context, "1", "proc/sys/vm/compact_memory");
}

int mig_node_compact(struct mig_context *context, int node)
{
	char directory[64];
	int r;

	if (!context)
		return -EINVAL;
	if (!context->live)
		return -EXDEV;
	if (!mig_sysfs_exists(context, MIG_NODE_DIRECTORY)) {
		r = compact_machine(context, node);
	} else {
		snprintf(directory, sizeof(directory), MIG_NODE_DIRECTORY "/node%d",
			 node);
		if (!mig_sysfs_exists(context, directory))
			return -ENODEV;
		r = mig_sysfs_write(context, "1", "%s/compact", directory);
	}
	return r == -ENOENT ? -EOPNOTSUPP : r;
}
