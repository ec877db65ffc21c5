/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-node: a row for each kind of memory, and what it has on each node. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "message.h"
#include "show-node.h"
#include "size.h"

enum kind_column {
	KIND_NAME,
	KIND_OF,
	KIND_TOTAL,
	KIND_NODES,
};

static const struct column columns[] = {
	[KIND_NAME] = { "KIND", "kind", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_TREE,
			"kind of memory; those that are indented add up to the one "
			"above, "
			"those at the end are counted there already" },
	[KIND_OF] = { "OF", "of", COLUMN_TEXT, 0, "kind that it is a part of" },
	[KIND_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "on all nodes that were named; of zswap and zswapped: of the "
			 "machine" },
	[KIND_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			 "of TOTAL: on each node, in columns N0, N1, ..." },
};

const struct column_set show_node_kind_columns = { "Columns", columns,
						   ARRAY_SIZE(columns) };

/* Pools of one size that are on the nodes. */
#define MOST_POOLS 32

uint64_t known_sum(uint64_t a, uint64_t b)
{
	return a == MIG_UNKNOWN_BYTES || b == MIG_UNKNOWN_BYTES ? MIG_UNKNOWN_BYTES
								: a + b;
}

uint64_t known_rest(uint64_t a, uint64_t b)
{
	if (a == MIG_UNKNOWN_BYTES || b == MIG_UNKNOWN_BYTES)
		return MIG_UNKNOWN_BYTES;
	return a > b ? a - b : 0;
}

/* Not every kernel has it, and one that does not tell has none. */
static uint64_t if_known(uint64_t bytes)
{
	return bytes == MIG_UNKNOWN_BYTES ? 0 : bytes;
}

static uint64_t get_clean(const struct mig_node_memory *memory)
{
	return known_rest(known_rest(memory->file_bytes, memory->dirty_bytes),
			  memory->writeback_bytes);
}

static uint64_t get_unmapped(const struct mig_node_memory *memory)
{
	return known_rest(known_sum(memory->file_bytes, memory->shmem_bytes),
			  memory->mapped_bytes);
}

/* Memory of the kernel's that its counters name. */
static uint64_t get_counted_kernel(const struct mig_node_memory *memory)
{
	return known_sum(known_sum(memory->slab_bytes, memory->page_table_bytes),
			 memory->kernel_stack_bytes);
}

static uint64_t get_other(const struct mig_node_memory *memory)
{
	uint64_t named = known_sum(memory->free_bytes, memory->anon_bytes);

	named = known_sum(named, memory->file_bytes);
	named = known_sum(named, memory->shmem_bytes);
	named = known_sum(named, get_counted_kernel(memory));
	named = known_sum(named, if_known(memory->hugetlb_total_bytes));
	named = known_sum(named, if_known(memory->zsmalloc_bytes));
	named = known_sum(named, if_known(memory->balloon_bytes));
	named = known_sum(named, if_known(memory->gpu_bytes));
	return known_rest(memory->total_bytes, named);
}

static uint64_t get_unmovable(const struct mig_node_memory *memory)
{
	return known_sum(get_counted_kernel(memory), get_other(memory));
}

/* A member of struct mig_node_memory, or a function of them. */
struct kind {
	const char *name;
	const char *of; /**< a kind above; NULL: none */
	size_t member;
	uint64_t (*get)(const struct mig_node_memory *memory);
	bool is_rare; /**< people see it only where there is any */
};

#define MEMBER(member) offsetof(struct mig_node_memory, member)

static const struct kind kinds[] = {
	{ "total", NULL, MEMBER(total_bytes), NULL, false },
	{ "free", "total", MEMBER(free_bytes), NULL, false },
	{ "anon", "total", MEMBER(anon_bytes), NULL, false },
	{ "thp", "anon", MEMBER(thp_bytes), NULL, false },
	{ "file", "total", MEMBER(file_bytes), NULL, false },
	{ "clean", "file", 0, get_clean, false },
	{ "dirty", "file", MEMBER(dirty_bytes), NULL, false },
	{ "writeback", "file", MEMBER(writeback_bytes), NULL, false },
	{ "shmem", "total", MEMBER(shmem_bytes), NULL, false },
	{ "hugetlb", "total", MEMBER(hugetlb_total_bytes), NULL, false },
	{ "slab", "total", MEMBER(slab_bytes), NULL, false },
	{ "slab-reclaimable", "slab", MEMBER(slab_reclaimable_bytes), NULL, false },
	{ "slab-unreclaimable", "slab", MEMBER(slab_unreclaimable_bytes), NULL, false },
	{ "page-tables", "total", MEMBER(page_table_bytes), NULL, false },
	{ "stacks", "total", MEMBER(kernel_stack_bytes), NULL, false },
	{ "zsmalloc", "total", MEMBER(zsmalloc_bytes), NULL, false },
	{ "balloon", "total", MEMBER(balloon_bytes), NULL, true },
	{ "gpu", "total", MEMBER(gpu_bytes), NULL, true },
	{ "other", "total", 0, get_other, false },
	{ "mapped", NULL, MEMBER(mapped_bytes), NULL, false },
	{ "unmapped", NULL, 0, get_unmapped, false },
	{ "unevictable", NULL, MEMBER(unevictable_bytes), NULL, false },
	{ "unmovable", NULL, 0, get_unmovable, false },
};

/* The table while it is filled. */
struct rows {
	struct table *table;
	const struct shown_nodes *nodes;
	bool for_people;
	size_t places[ARRAY_SIZE(kinds)]; /**< of the rows of kinds */
	uint64_t sizes[MIG_MAX_NODES];
};

static uint64_t get_bytes(const struct kind *kind, const struct mig_node_memory *memory)
{
	if (kind->get)
		return kind->get(memory);
	return *(const uint64_t *)(const void *)((const char *)memory + kind->member);
}

static void add_row(struct rows *rows, const char *name, const char *of)
{
	table_add_row(rows->table);
	table_put_text(rows->table, KIND_NAME, name);
	if (!of)
		return;
	table_put_text(rows->table, KIND_OF, of);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, of))
			table_put_parent(rows->table, rows->places[i]);
}

/* rows->sizes, which are known. */
static void put_sizes(struct rows *rows)
{
	uint64_t total = 0;

	for (size_t i = 0; i < rows->nodes->count; i++)
		total += rows->sizes[rows->nodes->numbers[i]];
	table_put_number(rows->table, KIND_TOTAL, total);
	table_put_node_sizes(rows->table, KIND_NODES, rows->sizes);
}

static void add_kind(struct rows *rows, size_t index)
{
	const struct kind *kind = &kinds[index];
	const struct shown_nodes *nodes = rows->nodes;
	bool is_known = true, has_any = false;

	for (size_t i = 0; i < nodes->count; i++) {
		uint64_t bytes = get_bytes(kind, &nodes->memory[i]);

		is_known &= bytes != MIG_UNKNOWN_BYTES;
		has_any |= bytes && bytes != MIG_UNKNOWN_BYTES;
		rows->sizes[nodes->numbers[i]] = bytes;
	}
	if (kind->is_rare && rows->for_people && !has_any)
		return;
	add_row(rows, kind->name, kind->of);
	rows->places[index] = table_get_nr_rows(rows->table) - 1;
	/* Where one node does not tell, its sum is not known either. */
	if (is_known)
		put_sizes(rows);
}

/* The pools of all nodes: MOST_POOLS for each. */
struct pools {
	struct mig_huge_pool *pools;
	size_t *counts;
};

static void pools_done(struct pools *pools)
{
	free(pools->pools);
	free(pools->counts);
}

/* A kernel without them has none. */
static int read_pools(const struct machine *machine, const struct shown_nodes *nodes,
		      struct pools *pools)
{
	pools->pools = calloc(nodes->count, MOST_POOLS * sizeof(*pools->pools));
	pools->counts = calloc(nodes->count, sizeof(*pools->counts));
	if (!pools->pools || !pools->counts)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot list huge pages");
	for (size_t i = 0; i < nodes->count; i++) {
		int r = mig_topology_read_huge_pools(machine->topology, nodes->numbers[i],
						     pools->pools + i * MOST_POOLS,
						     MOST_POOLS, &pools->counts[i]);

		if (r < 0 && r != -ENOENT)
			return message_failure(SUBJECT_MACHINE, r,
					       "huge pages of node %d",
					       nodes->numbers[i]);
		if (pools->counts[i] > MOST_POOLS)
			pools->counts[i] = MOST_POOLS;
	}
	return STATUS_OK;
}

static const struct mig_huge_pool *find_pool(const struct pools *pools, size_t node,
					     uint64_t size_bytes)
{
	static const struct mig_huge_pool none;

	for (size_t i = 0; i < pools->counts[node]; i++)
		if (pools->pools[node * MOST_POOLS + i].size_bytes == size_bytes)
			return &pools->pools[node * MOST_POOLS + i];
	return &none;
}

enum pool_part {
	PART_USED,
	PART_FREE,
	PART_SURPLUS,
};

static uint64_t count_part(const struct mig_huge_pool *pool, enum pool_part part)
{
	switch (part) {
	case PART_USED:
		return pool->nr_pages > pool->nr_free ? pool->nr_pages - pool->nr_free
						      : 0;
	case PART_FREE:
		return pool->nr_free;
	case PART_SURPLUS:
		break;
	}
	return pool->nr_surplus;
}

static void add_part(struct rows *rows, const struct pools *pools, uint64_t size_bytes,
		     enum pool_part part)
{
	static const char *const parts[] = { "used", "free", "surplus" };
	char size[SIZE_TEXT_SIZE], name[SIZE_TEXT_SIZE + 32];
	bool has_any = false;

	for (size_t i = 0; i < rows->nodes->count; i++) {
		const struct mig_huge_pool *pool = find_pool(pools, i, size_bytes);
		uint64_t bytes = count_part(pool, part) * size_bytes;

		has_any |= part == PART_SURPLUS ? bytes : pool->nr_pages;
		rows->sizes[rows->nodes->numbers[i]] = bytes;
	}
	if (rows->for_people && !has_any)
		return;
	snprintf(name, sizeof(name), "hugetlb-%s-%s", size_format(size_bytes, size),
		 parts[part]);
	add_row(rows, name, "hugetlb");
	put_sizes(rows);
}

static void add_pools(struct rows *rows, const struct pools *pools)
{
	/* All nodes have the same sizes. */
	for (size_t i = 0; i < pools->counts[0]; i++)
		for (int part = PART_USED; part <= PART_SURPLUS; part++)
			add_part(rows, pools, pools->pools[i].size_bytes,
				 (enum pool_part)part);
}

/* Of the machine, so on no node. */
static void add_zswap(struct rows *rows, const char *name, uint64_t bytes)
{
	add_row(rows, name, NULL);
	if (bytes != MIG_UNKNOWN_BYTES)
		table_put_number(rows->table, KIND_TOTAL, bytes);
}

int show_node_put_kinds(struct table *table, const struct show_node_args *args,
			const struct machine *machine, const struct shown_nodes *nodes)
{
	CLEANUP(pools_done) struct pools pools = { 0 };
	struct mig_zswap zswap = { .pool_bytes = MIG_UNKNOWN_BYTES,
				   .stored_bytes = MIG_UNKNOWN_BYTES };
	struct rows rows = {
		.table = table,
		.nodes = nodes,
		.for_people = !args->common.json && !args->common.raw,
	};
	int status = read_pools(machine, nodes, &pools);
	int r = mig_topology_read_zswap(machine->topology, &zswap);

	if (status)
		return status;
	/* A captured machine may lack the file. */
	if (r < 0 && r != -ENOENT)
		return message_failure(SUBJECT_MACHINE, r, "/proc/meminfo");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		add_kind(&rows, i);
		if (!strcmp(kinds[i].name, "hugetlb"))
			add_pools(&rows, &pools);
	}
	add_zswap(&rows, "zswap", zswap.pool_bytes);
	add_zswap(&rows, "zswapped", zswap.stored_bytes);
	return STATUS_OK;
}
