/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migrate_pages(2) as a checked primitive: what it left is read from numa_maps. */
#include <errno.h>
#include <limits.h>

#include "handles.h"
#include "nodemask.h"
#include "process.h"

static uint64_t count_on(const struct mig_mapping *mapping,
			 const struct mig_nodeset *nodes)
{
	uint64_t pages = 0;

	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node))
		pages += mapping->node_pages[node];
	return pages;
}

/* What the process has on @nodes. Errors: as mig_mappings_new() and _next(). */
static int count_pages(const struct mig_process *process, const struct mig_nodeset *nodes,
		       uint64_t *ret_pages)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;
	uint64_t pages = 0;
	int r = mig_mappings_new(process, &mappings);

	if (r < 0)
		return r;
	while (!(r = mig_mappings_next(mappings, &mapping)) && mapping)
		if (mapping->has_residency && mapping->kind != MIG_KIND_KERNEL)
			pages += count_on(mapping, nodes);
	if (!r)
		*ret_pages = pages;
	return r;
}

/* As the system call answers for the same: what it calls a process without memory
 * is a kernel thread or a zombie, and /proc says -EACCES where it says -EPERM. */
static int as_the_call_says(int r)
{
	switch (r) {
	case -ENXIO:
	case -ENODATA:
		return -EINVAL;
	case -EACCES:
		return -EPERM;
	default:
		return r;
	}
}

static int migrate(const struct mig_process *process, pid_t pid,
		   const struct mig_nodeset *from, const struct mig_nodeset *to,
		   struct mig_migration *migration)
{
	const struct mig_nodemask from_mask = mig_nodemask_of(from);
	const struct mig_nodemask to_mask = mig_nodemask_of(to);
	long r = process->context->calls->migrate_pages(pid, MIG_NODEMASK_MAXNODE,
							from_mask.words, to_mask.words);

	if (r == -ENOMEM)
		migration->error = ENOMEM;
	else if (r < 0)
		return (int)r;
	else
		migration->kernel_count = (uint64_t)r;
	return 0;
}

/* Nodes that are in @to as well keep what they have, or pages from others come. */
static struct mig_nodeset nodes_to_empty(const struct mig_nodeset *from,
					 const struct mig_nodeset *to)
{
	struct mig_nodeset nodes = *from;

	for (int node = mig_nodeset_next(to, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(to, node))
		mig_nodeset_remove(&nodes, node);
	return nodes;
}

int mig_nodes_migrate(struct mig_context *context, pid_t pid,
		      const struct mig_nodeset *from, const struct mig_nodeset *to,
		      struct mig_migration *ret_migration)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_migration migration = { 0 };
	struct mig_nodeset emptied;
	int r;

	if (!context || pid < 0 || !from || !to || !ret_migration)
		return -EINVAL;
	if (!context->live)
		return -EXDEV;
	emptied = nodes_to_empty(from, to);
	r = mig_process_open(context, pid ? pid : getpid(), &process);
	if (!r)
		r = count_pages(process, from, &migration.before_pages);
	/* Of a process whose leader has exited only a thread's number is taken. */
	if (!r)
		r = migrate(process, pid ? process->tid : 0, from, to, &migration);
	/* This also sees to it that the number has been the process's all the time. */
	if (!r)
		r = count_pages(process, &emptied, &migration.left_pages);
	if (r < 0)
		return as_the_call_says(r);
	*ret_migration = migration;
	return 0;
}
