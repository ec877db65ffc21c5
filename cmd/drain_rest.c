/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes hold, by kind, when nothing more moves. */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "drain.h"
#include "frame_users.h"
#include "handles.h"
#include "message.h"

enum rest_column {
	COL_CONTENT,
	COL_NODES,
	COL_MOVABLE,
};

static const struct column rest_columns[] = {
	[COL_CONTENT] = { "CONTENT", "content", COLUMN_TEXT, COLUMN_DEFAULT, "kind" },
	[COL_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT, "where" },
	[COL_MOVABLE] = { "MOVABLE", "movable", COLUMN_BOOL, COLUMN_DEFAULT,
			  "whether such pages can move" },
};

static const struct column_set rest_set = { "What is there", rest_columns,
					    ARRAY_SIZE(rest_columns) };

/* Compressed swap; by the flags of its frames it is the kernel's. */
#define ZSMALLOC "zsmalloc"

/** Bytes by kind and node. */
struct rest {
	uint64_t bytes[MIG_NR_CONTENTS][MIG_MAX_NODES];
	uint64_t zsmalloc[MIG_MAX_NODES];
};

/* A block that belongs to several nodes is on none of them alone. */
static int only_node(const struct mig_memory_block *block)
{
	return mig_nodeset_count(&block->nodes) == 1
		       ? mig_nodeset_next(&block->nodes, MIG_NO_NODE)
		       : MIG_NO_NODE;
}

static int add_block(const struct drain *drain, const struct mig_memory_block *block,
		     struct rest *rest)
{
	uint64_t page_size = drain->page_size;
	uint64_t pages[MIG_NR_CONTENTS];
	int node = only_node(block), r;

	if (node == MIG_NO_NODE || !mig_nodeset_has(&drain->nodes, node) ||
	    block->state != MIG_BLOCK_ONLINE)
		return 0;
	r = mig_contents_read(drain->move.machine.context, block->first_frame,
			      block->nr_pages, pages);
	for (int i = 0; !r && i < MIG_NR_CONTENTS; i++)
		rest->bytes[i][node] += pages[i] * page_size;
	return r;
}

static void take(uint64_t *from, uint64_t bytes, uint64_t *to)
{
	if (bytes == MIG_UNKNOWN_BYTES)
		return;
	if (bytes > *from)
		bytes = *from;
	*from -= bytes;
	*to += bytes;
}

/* What processors keep in their lists is free, and does not look it; nor does
 * compressed swap look like what it is. */
static void take_unseen(const struct drain *drain, int node, struct rest *rest)
{
	struct mig_node_memory memory;
	uint64_t *kernel = &rest->bytes[MIG_CONTENT_KERNEL][node];

	if (mig_topology_read_memory(drain->move.machine.topology, node, &memory) < 0)
		return;
	take(kernel, memory.held_bytes, &rest->bytes[MIG_CONTENT_FREE][node]);
	take(kernel, memory.zsmalloc_bytes, &rest->zsmalloc[node]);
}

static int read_rest(const struct drain *drain, struct rest *rest)
{
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;
	const struct mig_memory_block *block;
	int r = mig_memory_blocks_read(drain->move.machine.topology, &blocks);

	for (size_t i = 0; !r && (block = mig_memory_blocks_get(blocks, i)); i++)
		r = add_block(drain, block, rest);
	for (int node = mig_nodeset_next(&drain->nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(&drain->nodes, node))
		take_unseen(drain, node, rest);
	return r;
}

static uint64_t sum_of(const uint64_t *bytes)
{
	uint64_t sum = 0;

	for (int node = 0; node < MIG_MAX_NODES; node++)
		sum += bytes[node];
	return sum;
}

/* Return: whether there is any. */
static bool put_row(struct table *table, const char *name, const uint64_t *bytes)
{
	if (!sum_of(bytes))
		return false;
	table_add_row(table);
	table_put_text(table, COL_CONTENT, name);
	table_put_node_sizes(table, COL_NODES, bytes);
	return true;
}

static void put_rest(struct table *table, const struct rest *rest)
{
	for (unsigned int i = 0; i < MIG_NR_CONTENTS; i++) {
		enum mig_content content = (enum mig_content)i;

		if (content != MIG_CONTENT_ABSENT &&
		    put_row(table, mig_content_get_name(content), rest->bytes[i]) &&
		    content != MIG_CONTENT_FREE)
			table_put_bool(table, COL_MOVABLE,
				       mig_content_is_movable(content));
	}
	if (put_row(table, ZSMALLOC, rest->zsmalloc))
		table_put_bool(table, COL_MOVABLE, true);
}

static void say_compressed(const struct drain *drain, const struct rest *rest)
{
	uint64_t here = sum_of(rest->zsmalloc);
	struct mig_zswap zswap = { 0 };
	char size[OUTPUT_BYTES_SIZE];
	bool is_here = here > DRAIN_TRIFLE_PAGES * drain->page_size;
	bool is_hidden = !mig_topology_read_zswap(drain->move.machine.topology, &zswap) &&
			 zswap.hidden_bytes && zswap.hidden_bytes != MIG_UNKNOWN_BYTES;

	if (is_here)
		message_warning("%s: %s of compressed swap stay there", drain->name,
				output_format_bytes(here, false, size));
	if (is_hidden)
		message_warning("%s: up to %s of compressed swap may be there: the "
				"kernel does not tell where it is",
				drain->name,
				output_format_bytes(zswap.hidden_bytes, false, size));
	if (is_here || is_hidden)
		message_hint("swapoff brings it back as memory of processes, which can "
			     "move");
}

/* Whether processes have more of it than a trifle: it takes a look at all of them. */
static bool has_holders(const struct drain *drain, const struct rest *rest)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < MIG_NR_CONTENTS; i++)
		if (frame_content_may_be_mapped((enum mig_content)i))
			bytes += sum_of(rest->bytes[i]);
	return bytes >= DRAIN_TRIFLE_PAGES * drain->page_size;
}

/* For people beside the other tables only, as those are. */
static int report(struct drain *drain, const struct common_args *args,
		  struct table *table)
{
	struct json *json = &drain->report.json;

	if (args->json) {
		table_write_rows(table, 0, table_get_nr_rows(table), json, "rest");
		return table_check(table);
	}
	return args->noheadings || args->raw ? STATUS_OK : table_print(table);
}

int drain_rest_report(struct drain *drain)
{
	struct common_args args = drain->args->move.common;
	CLEANUP_FREE struct rest *rest = calloc(1, sizeof(*rest));
	CLEANUP_TABLE struct table *table = NULL;
	int status, r = rest ? read_rest(drain, rest) : -ENOMEM;

	if (r < 0)
		return message_failure(SUBJECT_SYSTEM, r,
				       "cannot tell what is still on %s", drain->name);
	args.output = NULL;
	args.output_all = false;
	status = table_new(&args, "drain", &rest_set, 0, &table);
	if (status)
		return status;
	table_set_nodes(table, &drain->nodes, true);
	put_rest(table, rest);
	say_compressed(drain, rest);
	status = report(drain, &args, table);
	if (!status && (args.json || (!args.noheadings && !args.raw)) &&
	    has_holders(drain, rest))
		status = drain_holders_report(drain);
	return status;
}
