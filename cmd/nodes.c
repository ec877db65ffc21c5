/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl nodes: the machine. */
#include <errno.h>
#include <stdio.h>

#include "command.h"
#include "cpulist.h"
#include "distances.h"
#include "machine.h"
#include "message.h"
#include "output.h"

struct nodes_args {
	struct common_args common;
	bool distances;
};

enum nodes_column {
	COL_NODE,
	COL_CPUS,
	COL_TOTAL,
	COL_FREE,
	COL_ROOM,
	COL_ANON,
	COL_FILE,
	COL_SHMEM,
	COL_SLAB,
	COL_DIRTY,
	COL_WRITEBACK,
	COL_THP,
	COL_HUGETLB,
	COL_HUGETLB_FREE,
	COL_TIER,
	COL_READ_BW,
	COL_WRITE_BW,
	COL_READ_LAT,
	COL_WRITE_LAT,
};

static const struct column columns[] = {
	[COL_NODE] = { "NODE", "node", COLUMN_NUMBER, COLUMN_DEFAULT, "number" },
	[COL_CPUS] = { "CPUS", "cpus", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_LIST,
		       "its online CPUs; 0-6:2 stands for 0,2,4,6" },
	[COL_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			"memory that the kernel manages" },
	[COL_FREE] = { "FREE", "free_bytes", COLUMN_SIZE, COLUMN_DEFAULT, "free memory" },
	[COL_ROOM] = { "ROOM", "room_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "free above the high watermarks: what can be moved here before "
		       "the kernel begins to reclaim" },
	[COL_ANON] = { "ANON", "anon_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "anonymous memory of processes" },
	[COL_FILE] = { "FILE", "file_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "page cache without shmem" },
	[COL_SHMEM] = { "SHMEM", "shmem_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			"shared memory and tmpfs" },
	[COL_SLAB] = { "SLAB", "slab_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "objects of the kernel" },
	[COL_DIRTY] = { "DIRTY", "dirty_bytes", COLUMN_SIZE, 0,
			"page cache that is not written yet" },
	[COL_WRITEBACK] = { "WRITEBACK", "writeback_bytes", COLUMN_SIZE, 0,
			    "page cache that is being written" },
	[COL_THP] = { "THP", "thp_bytes", COLUMN_SIZE, 0,
		      "of ANON: transparent huge pages" },
	[COL_HUGETLB] = { "HUGETLB", "hugetlb_total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			  "pools of huge pages, all sizes" },
	[COL_HUGETLB_FREE] = { "HUGEFREE", "hugetlb_free_bytes", COLUMN_SIZE, 0,
			       "of HUGETLB: free" },
	[COL_TIER] = { "TIER", "tier", COLUMN_NUMBER, COLUMN_DEFAULT,
		       "memory tier: a smaller number is faster; if the kernel tells" },
	[COL_READ_BW] = { "READ-BW", "read_bandwidth_mbps", COLUMN_NUMBER, 0,
			  "read bandwidth in MB/s; if the firmware tells (HMAT)" },
	[COL_WRITE_BW] = { "WRITE-BW", "write_bandwidth_mbps", COLUMN_NUMBER, 0,
			   "write bandwidth in MB/s" },
	[COL_READ_LAT] = { "READ-LAT", "read_latency_ns", COLUMN_NUMBER, 0,
			   "read latency in nanoseconds" },
	[COL_WRITE_LAT] = { "WRITE-LAT", "write_latency_ns", COLUMN_NUMBER, 0,
			    "write latency in nanoseconds" },
};

static const struct column_set column_set = { "Columns", columns, ARRAY_SIZE(columns) };
static const struct column_set *const column_sets[] = { &column_set };

static const struct option_spec options[] = {
	{ OPTION_FLAG(struct nodes_args, distances), .name = "distances",
	  .help = "print how far the nodes are from each other: a matrix or, if that is "
		  "too wide for the terminal, the nodes at each distance, or the matrix "
		  "in blocks",
	  .exclusive = OPTION_EXCLUSIVE_COLUMNS },
	OPTIONS_TABLE,
	OPTIONS_SYSROOT,
};

#define BIT(column) (UINT64_C(1) << (column))

/* What is shown besides, or gives way, where HMAT or tiers tell more: 80 columns are
 * not enough for all. */
static uint64_t get_default_columns(const struct mig_topology *topology)
{
	const struct mig_nodeset *online =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);
	const uint64_t performance = BIT(COL_READ_BW) | BIT(COL_WRITE_BW) |
				     BIT(COL_READ_LAT) | BIT(COL_WRITE_LAT);
	bool has_tiers = false, has_performance = false;
	uint64_t defaults = 0;

	for (int node = mig_nodeset_next(online, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(online, node)) {
		struct mig_node_performance unused;

		has_tiers |= mig_topology_get_tier(topology, node) >= 0;
		has_performance |=
			!mig_topology_read_performance(topology, node, &unused);
	}
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].flags & COLUMN_DEFAULT)
			defaults |= BIT(i);
	if (!has_tiers)
		defaults &= ~BIT(COL_TIER);
	if (has_performance) {
		defaults |= performance;
		defaults &= ~(BIT(COL_ROOM) | BIT(COL_SHMEM) | BIT(COL_SLAB) |
			      BIT(COL_HUGETLB));
	}
	return defaults;
}

static void put_bytes(struct table *table, size_t column, uint64_t bytes)
{
	if (bytes != MIG_UNKNOWN_BYTES)
		table_put_number(table, column, bytes);
}

static int put_memory(struct table *table, const struct mig_topology *topology, int node)
{
	struct mig_node_memory memory;
	int r = mig_topology_read_memory(topology, node, &memory);

	if (r < 0)
		return message_failure(SUBJECT_MACHINE, r,
				       "cannot read the memory of node %d", node);
	put_bytes(table, COL_TOTAL, memory.total_bytes);
	put_bytes(table, COL_FREE, memory.free_bytes);
	put_bytes(table, COL_ROOM, memory.room_bytes);
	put_bytes(table, COL_ANON, memory.anon_bytes);
	put_bytes(table, COL_FILE, memory.file_bytes);
	put_bytes(table, COL_SHMEM, memory.shmem_bytes);
	put_bytes(table, COL_SLAB, memory.slab_bytes);
	put_bytes(table, COL_DIRTY, memory.dirty_bytes);
	put_bytes(table, COL_WRITEBACK, memory.writeback_bytes);
	put_bytes(table, COL_THP, memory.thp_bytes);
	put_bytes(table, COL_HUGETLB, memory.hugetlb_total_bytes);
	put_bytes(table, COL_HUGETLB_FREE, memory.hugetlb_free_bytes);
	return STATUS_OK;
}

static void put_speed(struct table *table, size_t column, uint64_t number)
{
	if (number)
		table_put_number(table, column, number);
}

/* Programs get the list as the kernel writes it. */
static int put_cpus(struct table *table, const struct common_args *args, const char *cpus)
{
	CLEANUP_FREE char *shorter = NULL;

	if (!*cpus)
		return STATUS_OK;
	if (args->json || args->raw) {
		table_put_text(table, COL_CPUS, cpus);
		return STATUS_OK;
	}
	shorter = cpulist_shorten(cpus);
	if (!shorter)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot list CPUs");
	table_put_text(table, COL_CPUS, shorter);
	return STATUS_OK;
}

static int put_performance(struct table *table, const struct mig_topology *topology,
			   int node)
{
	struct mig_node_performance performance;
	int r = mig_topology_read_performance(topology, node, &performance);

	if (r == -ENODATA)
		return STATUS_OK;
	if (r < 0)
		return message_failure(SUBJECT_MACHINE, r,
				       "cannot read the speed of node %d", node);
	put_speed(table, COL_READ_BW, performance.read_bandwidth_mbps);
	put_speed(table, COL_WRITE_BW, performance.write_bandwidth_mbps);
	put_speed(table, COL_READ_LAT, performance.read_latency_ns);
	put_speed(table, COL_WRITE_LAT, performance.write_latency_ns);
	return STATUS_OK;
}

static int add_node(struct table *table, const struct common_args *args,
		    const struct mig_topology *topology, int node)
{
	int tier = mig_topology_get_tier(topology, node);

	table_add_row(table);
	table_put_number(table, COL_NODE, (uint64_t)node);
	if (put_cpus(table, args, mig_topology_get_cpulist(topology, node)))
		return STATUS_FAILED;
	if (tier >= 0)
		table_put_number(table, COL_TIER, (uint64_t)tier);
	if (put_performance(table, topology, node))
		return STATUS_FAILED;
	return put_memory(table, topology, node);
}

static int write_json(const struct table *table, const struct mig_topology *topology)
{
	struct json json;

	json_begin(&json, stdout);
	table_write_rows(table, 0, table_get_nr_rows(table), &json, "nodes");
	distances_write(topology, &json, "distances");
	return json_end(&json);
}

static int show_nodes(const struct nodes_args *args, const struct mig_topology *topology)
{
	const struct mig_nodeset *online =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);
	CLEANUP_TABLE struct table *table = NULL;
	int worst = STATUS_OK, status;

	status = table_new(&args->common, "nodes", &column_set,
			   get_default_columns(topology), &table);
	if (status)
		return status;
	for (int node = mig_nodeset_next(online, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(online, node))
		if (add_node(table, &args->common, topology, node))
			worst = STATUS_PARTLY;
	status = table_check(table);
	if (status)
		return status;
	status = args->common.json ? write_json(table, topology) : table_print(table);
	return status ? status : worst;
}

static int run(const void *data)
{
	CLEANUP_MACHINE struct machine machine = { 0 };
	const struct nodes_args *args = data;
	int status = machine_open(args->common.sysroot, &machine);

	if (status)
		return status;
	if (args->distances && !args->common.json)
		return distances_print(&args->common, machine.topology);
	return show_nodes(args, machine.topology);
}

const struct command command_nodes = {
	.name = "nodes",
	.summary = "show the nodes: CPUs, memory, distances, tiers",
	.description = "Shows a row for each node that is online: its CPUs, how much "
		       "memory it has and what fills it. '-' stands for what is not "
		       "known, and for no CPUs.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct nodes_args),
	.run = run,
};
