/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-node --by: the largest holders of the nodes' memory, and what nobody was found
 * for. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "show-node.h"

enum holder_column {
	HOLDER_PID,
	HOLDER_TOTAL,
	HOLDER_NODES,
	HOLDER_TYPE,
	HOLDER_NAME,
};

static const struct column columns[] = {
	[HOLDER_PID] = { "PID", "pid", COLUMN_NUMBER, 0,
			 "number of the process; printed with --by=process" },
	[HOLDER_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			   "what it has on the nodes that were named" },
	[HOLDER_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			   "of TOTAL: on each node, in columns N0, N1, ..." },
	[HOLDER_TYPE] = { "TYPE", "type", COLUMN_TEXT, 0,
			  "type of the file system; printed with --by=mount" },
	[HOLDER_NAME] = { "NAME", "name", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_KEEP_END,
			  "of the process, cgroup, file, or where the file system is "
			  "mounted; then how many others there are, and what was not "
			  "attributed to any" },
};

const struct column_set show_node_holder_columns = { "Columns of --by", columns,
						     ARRAY_SIZE(columns) };

/* Beyond those that are shown, so that not each one that comes means sorting. */
#define SLACK 16

static void free_holder(struct holder *holder)
{
	free(holder->name);
	free(holder->type);
	free(holder->node_bytes);
}

int holders_init(struct holders *holders, const struct shown_nodes *nodes, size_t top)
{
	*holders = (struct holders){
		.nodes = nodes,
		.top = top,
		.other_bytes = calloc(nodes->count, sizeof(uint64_t)),
		.found_bytes = calloc(nodes->count, sizeof(uint64_t)),
	};
	return holders->other_bytes && holders->found_bytes ? 0 : -ENOMEM;
}

void holders_done(struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		free_holder(&holders->all[i]);
	free(holders->all);
	free(holders->other_bytes);
	free(holders->found_bytes);
	*holders = (struct holders){ 0 };
}

static uint64_t sum_up(const struct holders *holders, const uint64_t *node_bytes)
{
	uint64_t total = 0;

	for (size_t i = 0; i < holders->nodes->count; i++)
		total += node_bytes[i];
	return total;
}

static void add_bytes(const struct holders *holders, uint64_t *sums,
		      const uint64_t *node_bytes)
{
	for (size_t i = 0; i < holders->nodes->count; i++)
		sums[i] += node_bytes[i];
}

static int compare(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;

	if (left->total_bytes != right->total_bytes)
		return left->total_bytes > right->total_bytes ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return strcmp(left->name, right->name);
}

void holders_sort(struct holders *holders)
{
	if (!holders->count)
		return;
	qsort(holders->all, holders->count, sizeof(*holders->all), compare);
	holders->nr_sorted =
		holders->count < holders->top ? holders->count : holders->top;
	while (holders->count > holders->top) {
		struct holder *last = &holders->all[--holders->count];

		holders->nr_others++;
		add_bytes(holders, holders->other_bytes, last->node_bytes);
		free_holder(last);
	}
}

bool holders_pass_over(struct holders *holders, uint64_t pid, const uint64_t *node_bytes)
{
	uint64_t total = sum_up(holders, node_bytes);
	const struct holder *last;

	if (!total)
		return true;
	if (!holders->top || holders->nr_sorted < holders->top)
		return false;
	last = &holders->all[holders->top - 1];
	if (total > last->total_bytes || (total == last->total_bytes && pid <= last->pid))
		return false;
	holders->nr_others++;
	add_bytes(holders, holders->other_bytes, node_bytes);
	add_bytes(holders, holders->found_bytes, node_bytes);
	return true;
}

static int make_room(struct holders *holders)
{
	size_t capacity;
	struct holder *all;

	if (holders->count < holders->capacity)
		return 0;
	if (holders->count >= holders->top + SLACK) {
		holders_sort(holders);
		return 0;
	}
	capacity = holders->capacity ? 2 * holders->capacity : 64;
	all = reallocarray(holders->all, capacity, sizeof(*all));
	if (!all)
		return -ENOMEM;
	holders->all = all;
	holders->capacity = capacity;
	return 0;
}

int holders_add(struct holders *holders, const char *name, const char *type, uint64_t pid,
		const uint64_t *node_bytes)
{
	size_t nr_nodes = holders->nodes->count;
	struct holder holder = { .pid = pid, .total_bytes = sum_up(holders, node_bytes) };
	int r;

	if (holders_pass_over(holders, pid, node_bytes))
		return 0;
	r = make_room(holders);
	if (r < 0)
		return r;
	holder.name = strdup(name);
	holder.type = type ? strdup(type) : NULL;
	holder.node_bytes = calloc(nr_nodes, sizeof(*holder.node_bytes));
	if (!holder.name || (type && !holder.type) || !holder.node_bytes) {
		free_holder(&holder);
		return -ENOMEM;
	}
	memcpy(holder.node_bytes, node_bytes, nr_nodes * sizeof(*node_bytes));
	holders->all[holders->count++] = holder;
	add_bytes(holders, holders->found_bytes, node_bytes);
	return 0;
}

/* ---- The table ---- */

/* What of a node's memory can have holders of a sort. */
static uint64_t get_class_bytes(const struct mig_node_memory *memory, unsigned int by)
{
	uint64_t huge =
		known_rest(memory->hugetlb_total_bytes, memory->hugetlb_free_bytes);
	uint64_t cache = known_sum(memory->file_bytes, memory->shmem_bytes);

	/* A kernel without such pools has none. */
	if (huge == MIG_UNKNOWN_BYTES)
		huge = 0;
	switch (by) {
	case BY_PROCESS:
		return known_sum(known_sum(memory->anon_bytes, cache), huge);
	case BY_CGROUP:
		/* No pages of the pools are charged as memory. */
		huge = memory->hugetlb_total_bytes == MIG_UNKNOWN_BYTES
			       ? 0
			       : memory->hugetlb_total_bytes;
		return known_rest(known_rest(memory->total_bytes, memory->free_bytes),
				  huge);
	default:
		return known_sum(cache, huge);
	}
}

static void put_sizes(struct table *table, const struct shown_nodes *nodes,
		      const uint64_t *node_bytes)
{
	uint64_t sizes[MIG_MAX_NODES] = { 0 }, total = 0;

	for (size_t i = 0; i < nodes->count; i++) {
		sizes[nodes->numbers[i]] = node_bytes[i];
		total += node_bytes[i];
	}
	table_put_number(table, HOLDER_TOTAL, total);
	table_put_node_sizes(table, HOLDER_NODES, sizes);
}

static void put_holder(struct table *table, const struct holders *holders,
		       const struct holder *holder)
{
	table_add_row(table);
	if (holder->pid)
		table_put_number(table, HOLDER_PID, holder->pid);
	if (holder->type)
		table_put_text(table, HOLDER_TYPE, holder->type);
	table_put_text(table, HOLDER_NAME, holder->name);
	put_sizes(table, holders->nodes, holder->node_bytes);
}

/* Memory that was found twice is not given back to others: never below 0. */
static void put_rest(struct table *table, const struct show_node_args *args,
		     const struct holders *holders)
{
	const struct shown_nodes *nodes = holders->nodes;
	uint64_t rest[MIG_MAX_NODES];
	bool is_known = true;

	for (size_t i = 0; i < nodes->count; i++) {
		uint64_t bytes = get_class_bytes(&nodes->memory[i], args->by);

		is_known &= bytes != MIG_UNKNOWN_BYTES;
		rest[i] = known_rest(bytes, holders->found_bytes[i]);
	}
	table_add_row(table);
	table_put_text(table, HOLDER_NAME, "not attributed");
	if (is_known)
		put_sizes(table, nodes, rest);
}

void show_node_put_holders(struct table *table, const struct show_node_args *args,
			   const struct holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		put_holder(table, holders, &holders->all[i]);
	if (holders->nr_others || args->common.json) {
		table_add_row(table);
		table_put_format(table, HOLDER_NAME, "%" PRIu64 " %s", holders->nr_others,
				 holders->nr_others == 1 ? "other" : "others");
		put_sizes(table, holders->nodes, holders->other_bytes);
	}
	put_rest(table, args, holders);
}

void show_node_write_holders(const struct table *table, const struct show_node_args *args,
			     const struct holders *holders, struct json *json)
{
	static const char *const sorts[] = { "", "process", "cgroup", "file", "mount" };

	json_put_text(json, "by", sorts[args->by]);
	table_write_rows(table, 0, holders->count, json, "holders");
	json_put_number(json, "nr_others", holders->nr_others);
	json_open_object(json, "others");
	table_write_row(table, holders->count, json);
	json_close_object(json);
	json_open_object(json, "not_attributed");
	table_write_row(table, holders->count + 1, json);
	json_close_object(json);
	json_put_number(json, "nr_denied", holders->nr_denied);
}
