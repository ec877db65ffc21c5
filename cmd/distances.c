/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "distances.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "message.h"
#include "output.h"

#define LABEL_WIDTH 4

enum distances_column {
	COL_FROM,
	COL_DISTANCE,
	COL_TO,
};

static const struct column columns[] = {
	[COL_FROM] = { "FROM", "from", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_LIST,
		       "nodes that see the same distances" },
	[COL_DISTANCE] = { "DISTANCE", "distance", COLUMN_NUMBER, COLUMN_DEFAULT,
			   "how far" },
	[COL_TO] = { "TO", "to", COLUMN_NODES, COLUMN_DEFAULT, "the nodes there" },
};

static const struct column_set column_set = { "Columns", columns, ARRAY_SIZE(columns) };

/* Nodes that see every other node at the same distance, and each other at one. */
struct group {
	struct mig_nodeset members;
	int first;
	unsigned int inner; /* between two members; 0: there is only one */
};

/* How the matrix is laid out. */
struct matrix {
	const struct common_args *args;
	const struct mig_topology *topology;
	const struct mig_nodeset *nodes;
	int label_width;
	int cell_width;
	size_t block_columns; /* that the terminal has room for */
};

void distances_write(const struct mig_topology *topology, struct json *json,
		     const char *key)
{
	const struct mig_nodeset *online =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);

	json_open_array(json, key);
	for (int from = mig_nodeset_next(online, MIG_NO_NODE); from != MIG_NO_NODE;
	     from = mig_nodeset_next(online, from)) {
		json_open_array(json, NULL);
		for (int to = mig_nodeset_next(online, MIG_NO_NODE); to != MIG_NO_NODE;
		     to = mig_nodeset_next(online, to))
			json_put_number(json, NULL,
					mig_topology_get_distance(topology, from, to));
		json_close_array(json);
	}
	json_close_array(json);
}

/* Digits of the largest node or distance. */
static int get_cell_width(const struct mig_topology *topology,
			  const struct mig_nodeset *nodes)
{
	unsigned int largest = 0;

	for (int from = mig_nodeset_next(nodes, MIG_NO_NODE); from != MIG_NO_NODE;
	     from = mig_nodeset_next(nodes, from)) {
		if ((unsigned int)from > largest)
			largest = (unsigned int)from;
		for (int to = mig_nodeset_next(nodes, MIG_NO_NODE); to != MIG_NO_NODE;
		     to = mig_nodeset_next(nodes, to)) {
			unsigned int distance =
				mig_topology_get_distance(topology, from, to);

			if (distance > largest)
				largest = distance;
		}
	}
	return snprintf(NULL, 0, "%u", largest);
}

static void print_heading(const struct matrix *matrix, const struct mig_nodeset *block)
{
	if (matrix->args->noheadings)
		return;
	printf("%*s", matrix->label_width, "NODE");
	for (int to = mig_nodeset_next(block, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(block, to))
		printf(" %*d", matrix->cell_width, to);
	putchar('\n');
}

static void print_block(const struct matrix *matrix, const struct mig_nodeset *block)
{
	print_heading(matrix, block);
	for (int from = mig_nodeset_next(matrix->nodes, MIG_NO_NODE); from != MIG_NO_NODE;
	     from = mig_nodeset_next(matrix->nodes, from)) {
		printf("%*d", matrix->label_width, from);
		for (int to = mig_nodeset_next(block, MIG_NO_NODE); to != MIG_NO_NODE;
		     to = mig_nodeset_next(block, to)) {
			unsigned int distance =
				mig_topology_get_distance(matrix->topology, from, to);

			if (distance)
				printf(" %*u", matrix->cell_width, distance);
			else
				printf(" %*s", matrix->cell_width, "-");
		}
		putchar('\n');
	}
}

/* Some columns at a time, with an empty line between. */
static void print_blocks(const struct matrix *matrix)
{
	struct mig_nodeset block = { 0 };
	size_t nr_columns = 0;

	for (int to = mig_nodeset_next(matrix->nodes, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(matrix->nodes, to)) {
		if (nr_columns == matrix->block_columns) {
			print_block(matrix, &block);
			putchar('\n');
			block = (struct mig_nodeset){ 0 };
			nr_columns = 0;
		}
		mig_nodeset_add(&block, to);
		nr_columns++;
	}
	print_block(matrix, &block);
}

static bool group_takes(const struct group *group, const struct mig_topology *topology,
			const struct mig_nodeset *nodes, int node)
{
	unsigned int inner =
		group->inner ? group->inner
			     : mig_topology_get_distance(topology, group->first, node);

	for (int other = mig_nodeset_next(nodes, MIG_NO_NODE); other != MIG_NO_NODE;
	     other = mig_nodeset_next(nodes, other)) {
		unsigned int there = mig_topology_get_distance(topology, node, other);

		if (other == node)
			continue;
		if (mig_nodeset_has(&group->members, other)) {
			if (there != inner ||
			    mig_topology_get_distance(topology, other, node) != inner)
				return false;
		} else if (there !=
			   mig_topology_get_distance(topology, group->first, other)) {
			return false;
		}
	}
	return true;
}

/* Return: how many groups. There is room for one per node. */
static size_t make_groups(const struct mig_topology *topology,
			  const struct mig_nodeset *nodes, struct group *groups)
{
	size_t nr_groups = 0;

	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node)) {
		struct group *group = groups;

		while (group < groups + nr_groups &&
		       !group_takes(group, topology, nodes, node))
			group++;
		if (group == groups + nr_groups) {
			group->first = node;
			nr_groups++;
		} else if (!group->inner) {
			group->inner =
				mig_topology_get_distance(topology, node, group->first);
		}
		mig_nodeset_add(&group->members, node);
	}
	return nr_groups;
}

static void add_row(struct table *table, const struct group *group, unsigned int distance,
		    const struct mig_nodeset *to)
{
	char from[256];

	mig_nodeset_format(&group->members, from, sizeof(from));
	table_add_row(table);
	table_put_text(table, COL_FROM, from);
	if (distance)
		table_put_number(table, COL_DISTANCE, distance);
	table_put_nodes(table, COL_TO, to);
}

/* A row for each distance, nearest first. */
static void add_group(struct table *table, const struct mig_topology *topology,
		      const struct mig_nodeset *nodes, const struct group *group)
{
	struct mig_nodeset waiting = *nodes;

	if (!group->inner)
		mig_nodeset_remove(&waiting, group->first);
	while (mig_nodeset_count(&waiting)) {
		struct mig_nodeset nearest = { 0 };
		unsigned int least = UINT32_MAX;

		for (int to = mig_nodeset_next(&waiting, MIG_NO_NODE); to != MIG_NO_NODE;
		     to = mig_nodeset_next(&waiting, to)) {
			unsigned int distance =
				to == group->first ? group->inner
						   : mig_topology_get_distance(
							     topology, group->first, to);

			if (distance < least) {
				least = distance;
				nearest = (struct mig_nodeset){ 0 };
			}
			if (distance == least)
				mig_nodeset_add(&nearest, to);
		}
		add_row(table, group, least, &nearest);
		for (int to = mig_nodeset_next(&nearest, MIG_NO_NODE); to != MIG_NO_NODE;
		     to = mig_nodeset_next(&nearest, to))
			mig_nodeset_remove(&waiting, to);
	}
}

/* Nodes that see the same in one row for each distance. Nothing is printed where that
 * would be longer than the matrix in blocks. */
static int print_groups(const struct matrix *matrix, bool *ret_printed)
{
	size_t nr_nodes = mig_nodeset_count(matrix->nodes);
	size_t nr_blocks = (nr_nodes + matrix->block_columns - 1) / matrix->block_columns;
	CLEANUP_FREE struct group *groups = calloc(nr_nodes, sizeof(*groups));
	CLEANUP_TABLE struct table *table = NULL;
	size_t nr_groups;
	int status;

	if (!groups)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot compare nodes");
	status = table_new(matrix->args, "nodes", &column_set, 0, &table);
	if (status)
		return status;
	nr_groups = make_groups(matrix->topology, matrix->nodes, groups);
	for (size_t i = 0; i < nr_groups; i++)
		add_group(table, matrix->topology, matrix->nodes, &groups[i]);
	*ret_printed = table_get_nr_rows(table) <= nr_blocks * nr_nodes;
	return *ret_printed ? table_print(table) : STATUS_OK;
}

int distances_print(const struct common_args *args, const struct mig_topology *topology)
{
	const struct mig_nodeset *nodes =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);
	size_t terminal_width = args->raw ? 0 : output_get_width();
	struct matrix matrix = {
		.args = args,
		.topology = topology,
		.nodes = nodes,
		.label_width = args->raw ? 0 : LABEL_WIDTH,
		.cell_width = args->raw ? 0 : get_cell_width(topology, nodes),
		.block_columns = MIG_MAX_NODES,
	};
	bool printed = false;
	int status;

	if (terminal_width) {
		size_t cell_width = (size_t)matrix.cell_width + 1;

		matrix.block_columns =
			terminal_width > LABEL_WIDTH + cell_width
				? (terminal_width - LABEL_WIDTH) / cell_width
				: 1;
	}
	if (mig_nodeset_count(nodes) > matrix.block_columns) {
		status = print_groups(&matrix, &printed);
		if (status || printed)
			return status;
	}
	print_blocks(&matrix);
	return STATUS_OK;
}
