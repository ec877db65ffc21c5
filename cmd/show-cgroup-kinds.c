/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-cgroup --by-kind: a row for each kind, of both accounts. */
#include "show-cgroup.h"

#include <string.h>

#include "command.h"
#include "kind.h"

enum charge_column {
	CHARGE_CGROUP,
	CHARGE_ACCOUNT,
	CHARGE_KIND,
	CHARGE_TOTAL,
	CHARGE_NODES,
};

static const struct column columns[] = {
	[CHARGE_CGROUP] = { "CGROUP", "cgroup", COLUMN_TEXT,
			    COLUMN_OUTER | COLUMN_KEEP_END,
			    "path of the cgroup; printed if there may be several" },
	[CHARGE_ACCOUNT] = { "ACCOUNT", "account", COLUMN_TEXT, COLUMN_DEFAULT,
			     "charged: to the cgroup, by whoever touched it first; "
			     "mapped: what its processes have in their address spaces" },
	[CHARGE_KIND] = { "KIND", "kind", COLUMN_TEXT, COLUMN_DEFAULT,
			  "kind of memory; total; swap, and zswap, what that takes; "
			  "then, "
			  "counted above already: thp of anon, and of the page cache "
			  "(file and shmem) unmapped, dirty, writeback" },
	[CHARGE_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			   "how much" },
	[CHARGE_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			   "of TOTAL: on each node, in columns N0, N1, ..." },
};

const struct column_set show_charge_columns = { "Columns of --by-kind", columns,
						ARRAY_SIZE(columns) };

static const char charged[] = "charged";
static const char mapped[] = "mapped";

static void add_row(struct table *table, const struct group *group, const char *account,
		    const char *kind)
{
	table_add_row(table);
	table_put_text(table, CHARGE_CGROUP, mig_cgroup_get_path(group->cgroup));
	table_put_text(table, CHARGE_ACCOUNT, account);
	table_put_text(table, CHARGE_KIND, kind);
}

static void put_sums(struct table *table, const struct node_sums *sums)
{
	if (!sums->known)
		return;
	table_put_number(table, CHARGE_TOTAL, sums->total);
	table_put_node_sizes(table, CHARGE_NODES, sums->bytes);
}

static void add_charge(struct table *table, const struct group *group, const char *kind,
		       unsigned int mask)
{
	struct node_sums sums;

	group_sum_charges(group, mask, &sums);
	add_row(table, group, charged, kind);
	put_sums(table, &sums);
}

/* Sizes that are on no node. */
static void add_swap(struct table *table, const struct group *group, const char *kind,
		     uint64_t (*get)(const struct mig_charges *charges))
{
	uint64_t bytes = group->charges ? get(group->charges) : MIG_UNKNOWN_BYTES;

	add_row(table, group, charged, kind);
	if (bytes != MIG_UNKNOWN_BYTES)
		table_put_number(table, CHARGE_TOTAL, bytes);
}

/* Page cache that no process has mapped. The kernel's counters are not read all at one
 * moment, so that one may be ahead of the other. */
static void add_unmapped(struct table *table, const struct group *group)
{
	struct node_sums cache, file, shmem, shown = { 0 };

	group_sum_charges(group, 1U << MIG_CHARGE_FILE, &file);
	group_sum_charges(group, 1U << MIG_CHARGE_SHMEM, &shmem);
	group_sum_charges(group, 1U << MIG_CHARGE_FILE_MAPPED, &cache);
	shown.known = file.known && shmem.known && cache.known;
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		uint64_t all = file.bytes[node] + shmem.bytes[node];

		if (all > cache.bytes[node])
			shown.bytes[node] = all - cache.bytes[node];
		shown.total += shown.bytes[node];
	}
	add_row(table, group, charged, "unmapped");
	put_sums(table, &shown);
}

static void add_charged(struct table *table, const struct group *group, bool with_totals)
{
	add_charge(table, group, "anon", 1U << MIG_CHARGE_ANON);
	add_charge(table, group, "file", 1U << MIG_CHARGE_FILE);
	add_charge(table, group, "shmem", 1U << MIG_CHARGE_SHMEM);
	add_charge(table, group, "kernel", 1U << MIG_CHARGE_KERNEL);
	if (with_totals)
		add_charge(table, group, "total", CHARGES_ALL);
	add_swap(table, group, "swap", mig_charges_get_swapped_bytes);
	add_swap(table, group, "zswap", mig_charges_get_zswapped_bytes);
	add_charge(table, group, "thp", 1U << MIG_CHARGE_ANON_THP);
	add_unmapped(table, group);
	add_charge(table, group, "dirty", 1U << MIG_CHARGE_FILE_DIRTY);
	add_charge(table, group, "writeback", 1U << MIG_CHARGE_FILE_WRITEBACK);
}

static void sum_kind(const struct group *group, enum mig_kind kind,
		     struct node_sums *ret_sums, struct node_sums *total)
{
	*ret_sums = (struct node_sums){ .known = group->residency };
	for (int node = 0; group->residency && node < MIG_MAX_NODES; node++) {
		uint64_t bytes = mig_residency_get_bytes(group->residency, node, kind);

		ret_sums->bytes[node] = bytes;
		ret_sums->total += bytes;
		total->bytes[node] += bytes;
		total->total += bytes;
	}
}

static void add_mapped(struct table *table, const struct group *group, bool with_totals)
{
	static const enum mig_kind kinds[] = { MIG_KIND_HEAP, MIG_KIND_STACK,
					       MIG_KIND_ANON, MIG_KIND_SHMEM,
					       MIG_KIND_FILE, MIG_KIND_HUGETLB };
	struct node_sums total = { .known = group->residency }, sums;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		sum_kind(group, kinds[i], &sums, &total);
		add_row(table, group, mapped, kind_get_name(kinds[i]));
		put_sums(table, &sums);
	}
	if (with_totals) {
		add_row(table, group, mapped, "total");
		put_sums(table, &total);
	}
	add_row(table, group, mapped, "swap");
	if (group->residency)
		table_put_number(table, CHARGE_TOTAL,
				 mig_residency_get_swapped_bytes(group->residency));
}

void show_put_kinds(struct table *table, const struct group *group, bool with_totals)
{
	add_charged(table, group, with_totals);
	add_mapped(table, group, with_totals);
}
