/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-cgroup: one cgroup is read, and becomes a row. */
#include "show-cgroup.h"

#include <errno.h>
#include <stdlib.h>

#include "cgroup_args.h"
#include "command.h"
#include "handles.h"
#include "message.h"

enum group_column {
	GROUP_NAME,
	GROUP_PROCS,
	GROUP_HIDDEN,
	GROUP_TOTAL,
	GROUP_NODES,
	GROUP_SWAP,
	GROUP_ZSWAP,
	GROUP_RUNS,
	GROUP_LOCAL,
	GROUP_MEMS,
	GROUP_OWNMEMS,
};

static const struct column columns[] = {
	[GROUP_NAME] = { "CGROUP", "cgroup", COLUMN_TEXT,
			 COLUMN_DEFAULT | COLUMN_TREE | COLUMN_KEEP_END,
			 "path below the root of its hierarchy" },
	[GROUP_PROCS] = { "PROCS", "processes", COLUMN_NUMBER, COLUMN_DEFAULT,
			  "processes in it and below it" },
	[GROUP_HIDDEN] = { "HIDDEN", "hidden_processes", COLUMN_NUMBER, 0,
			   "of PROCS: in other pid namespaces" },
	[GROUP_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			  "memory charged to it and below it" },
	[GROUP_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			  "of TOTAL: on each node, in columns N0, N1, ..." },
	[GROUP_SWAP] = { "SWAP", "swapped_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "swapped out, so on no node" },
	[GROUP_ZSWAP] = { "ZSWAP", "zswapped_bytes", COLUMN_SIZE, 0,
			  "memory that zswap takes for it" },
	[GROUP_RUNS] = { "RUNS", "run_nodes", COLUMN_NODES, COLUMN_DEFAULT,
			 "nodes where its threads run" },
	[GROUP_LOCAL] = { "LOCAL", "local_percent", COLUMN_PERCENT, COLUMN_DEFAULT,
			  "percentage of TOTAL that lies on the nodes of RUNS" },
	[GROUP_MEMS] = { "MEMS", "mems_effective", COLUMN_NODES, COLUMN_DEFAULT,
			 "nodes that its cpuset allows" },
	[GROUP_OWNMEMS] = { "OWNMEMS", "mems", COLUMN_NODES, 0,
			    "what was written to its cpuset.mems" },
};

const struct column_set show_group_columns = { "Columns", columns, ARRAY_SIZE(columns) };

void group_done(struct group *group)
{
	mig_residency_free(group->residency);
	mig_target_free(group->target);
	mig_charges_free(group->charges);
	*group = (struct group){ 0 };
}

/* Return: 0, with nothing read where the kernel has no account of it. */
static int read_charges(struct group *group)
{
	int r = mig_charges_read(group->cgroup, &group->charges);

	return r == -ENODATA ? 0 : r;
}

static int read_members(const struct machine *machine, struct group *group)
{
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	int r = mig_target_new(machine->context, &target);

	if (!r)
		r = mig_target_add_cgroup(target, group->cgroup);
	if (!r)
		group->target = STEAL(target);
	return r;
}

static int say_denied(const struct group *group, size_t nr_denied, size_t nr_members,
		      int error)
{
	if (nr_denied)
		message_failure(SUBJECT_MEMORY, error,
				"cgroup '%s': the mapped rows lack %zu of %zu processes",
				mig_cgroup_get_path(group->cgroup), nr_denied,
				nr_members);
	return nr_denied ? STATUS_PARTLY : STATUS_OK;
}

/* Of those that may be looked at; none of them: nothing is known. */
static int read_mapped(const struct machine *machine, struct group *group)
{
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;
	size_t nr_members = mig_target_get_count(group->target), nr_denied = 0;
	int r = mig_residency_new(machine->context, &residency), error = 0;

	if (r < 0)
		return message_failure(SUBJECT_SYSTEM, r, "cannot count memory");
	for (size_t i = 0; i < nr_members; i++) {
		r = mig_residency_add_process(residency, machine->topology,
					      mig_target_get_process(group->target, i));
		if (!r || r == -ESRCH)
			continue;
		nr_denied++;
		error = r;
	}
	if (!nr_members || nr_denied < nr_members)
		group->residency = STEAL(residency);
	return say_denied(group, nr_denied, nr_members, error);
}

/* What the kernel does not tell here. */
static void say_unknown(const struct group *group, int charges)
{
	size_t nr_hidden;

	if (!charges && !group->charges)
		message_warning(
			"cgroup '%s': it has no memory controller: what is charged "
			"is not known",
			mig_cgroup_get_path(group->cgroup));
	if (!group->target)
		return;
	nr_hidden = mig_target_get_hidden(group->target);
	cgroup_say_hidden(group->cgroup, nr_hidden,
			  nr_hidden + mig_target_get_count(group->target));
}

int group_read(const struct show_cgroup_args *args, const struct machine *machine,
	       struct mig_cgroup *cgroup, bool is_child, struct group *ret_group)
{
	CLEANUP_GROUP struct group group = { .cgroup = cgroup };
	const char *path = mig_cgroup_get_path(cgroup);
	int charges = read_charges(&group);
	int members = charges == -ENODEV ? charges : read_members(machine, &group);
	int status = STATUS_OK;

	if (members == -ENODEV)
		return is_child ? GROUP_GONE
				: message_failure(SUBJECT_CGROUP, members, "cgroup '%s'",
						  path);
	if (charges < 0)
		status = message_failure(SUBJECT_CGROUP, charges,
					 "cgroup '%s': what is charged to it", path);
	if (members < 0)
		status = message_failure(SUBJECT_CGROUP, members,
					 "cgroup '%s': its processes", path);
	if (charges < 0 && members < 0)
		return status;
	/* Of those below it is said once, with the one that was named. */
	if (!is_child)
		say_unknown(&group, charges);
	if (args->by_kind && !members && read_mapped(machine, &group))
		status = STATUS_PARTLY;
	*ret_group = group;
	group = (struct group){ 0 };
	return status ? STATUS_PARTLY : STATUS_OK;
}

static void add_charge(const struct mig_charges *charges, enum mig_charge charge,
		       struct node_sums *sums)
{
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		uint64_t bytes = mig_charges_get_bytes(charges, node, charge);

		if (bytes == MIG_UNKNOWN_BYTES)
			continue;
		sums->known = true;
		sums->total += bytes;
		sums->bytes[node] += bytes;
	}
}

void group_sum_charges(const struct group *group, unsigned int mask,
		       struct node_sums *ret_sums)
{
	*ret_sums = (struct node_sums){ 0 };
	for (unsigned int i = 0; group->charges && i < MIG_NR_CHARGES; i++)
		if (mask >> i & 1)
			add_charge(group->charges, (enum mig_charge)i, ret_sums);
}

static void put_known(struct table *table, size_t column, uint64_t bytes)
{
	if (bytes != MIG_UNKNOWN_BYTES)
		table_put_number(table, column, bytes);
}

static void put_charges(struct table *table, const struct group *group,
			const struct node_sums *sums)
{
	if (sums->known) {
		table_put_number(table, GROUP_TOTAL, sums->total);
		table_put_node_sizes(table, GROUP_NODES, sums->bytes);
	}
	if (!group->charges)
		return;
	put_known(table, GROUP_SWAP, mig_charges_get_swapped_bytes(group->charges));
	put_known(table, GROUP_ZSWAP, mig_charges_get_zswapped_bytes(group->charges));
}

static bool read_run_nodes(const struct machine *machine, const struct mig_target *target,
			   struct mig_nodeset *ret_nodes)
{
	struct mig_nodeset all = { 0 };

	for (size_t i = 0; i < mig_target_get_count(target); i++) {
		struct mig_nodeset nodes;

		if (!mig_process_read_run_nodes(mig_target_get_process(target, i),
						machine->topology, &nodes))
			mig_nodeset_or(&all, &nodes);
	}
	*ret_nodes = all;
	return mig_nodeset_count(&all) != 0;
}

static void put_members(struct table *table, const struct machine *machine,
			const struct group *group, const struct node_sums *sums)
{
	size_t nr_hidden = mig_target_get_hidden(group->target);
	struct mig_nodeset nodes;
	uint64_t local = 0;

	table_put_number(table, GROUP_PROCS,
			 mig_target_get_count(group->target) + nr_hidden);
	table_put_number(table, GROUP_HIDDEN, nr_hidden);
	if (!read_run_nodes(machine, group->target, &nodes))
		return;
	table_put_nodes(table, GROUP_RUNS, &nodes);
	for (int node = mig_nodeset_next(&nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(&nodes, node))
		local += sums->bytes[node];
	if (sums->total)
		table_put_number(table, GROUP_LOCAL,
				 (uint64_t)((double)local * 100 / (double)sums->total));
}

void show_put_group(struct table *table, const struct machine *machine,
		    const struct group *group, const char *name)
{
	struct mig_nodeset own, effective;
	struct node_sums sums;

	group_sum_charges(group, CHARGES_ALL, &sums);
	table_add_row(table);
	table_put_text(table, GROUP_NAME, name);
	put_charges(table, group, &sums);
	if (group->target)
		put_members(table, machine, group, &sums);
	/* Without a cpuset of its own it is not known here what counts. */
	if (mig_cgroup_read_mems(group->cgroup, &own, &effective) < 0)
		return;
	table_put_nodes(table, GROUP_MEMS, &effective);
	table_put_nodes(table, GROUP_OWNMEMS, &own);
}
