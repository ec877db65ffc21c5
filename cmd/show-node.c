/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl show-node: what fills nodes, and who. */
#include "show-node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "message.h"

static const struct option_word by_words[] = {
	{ "process", BY_PROCESS },
	{ "cgroup", BY_CGROUP },
	{ "file", BY_FILE },
	{ "mount", BY_MOUNT },
	{ NULL, 0 },
};

#define DEFAULT_TOP 10

/* top 0: not given */
static const struct option_spec options[] = {
	{ OPTION_FLAG(struct show_node_args, blocks), .name = "blocks",
	  .help = "a row for each memory block of the nodes: its state, its zone, and "
		  "what can be moved" },
	{ OPTION_WORD(struct show_node_args, by), .name = "by", .metavar = "WHAT",
	  .words = by_words,
	  .help = "who holds the most: process, cgroup, file, or mount, which sums up "
		  "files" },
	{ OPTION_UNSIGNED(struct show_node_args, top), .name = "top", .metavar = "N",
	  .minimum = 1, .help = "with --by: as many rows (10 by default)" },
	{ OPTION_STRING(struct show_node_args, search), .name = "search",
	  .metavar = "PATH",
	  .help = "with --by=file and mount: look into the files below PATH too" },
	{ OPTION_FLAG(struct show_node_args, all_nodes), .name = "all-nodes",
	  .help = "a column for each of the nodes, however many there are" },
	OPTIONS_TABLE,
	OPTIONS_SYSROOT,
};

/** One call of show-node. */
struct show {
	const struct show_node_args *args;
	struct common_args plain; /**< for tables that --output does not mean */
	struct machine machine;
	struct shown_nodes nodes;
	struct holders holders;
	struct table *kinds;
	struct table *blocks;
	struct table *by;
};

static void show_done(struct show *show)
{
	table_free(show->kinds);
	table_free(show->blocks);
	table_free(show->by);
	holders_done(&show->holders);
	shown_nodes_done(&show->nodes);
	machine_close(&show->machine);
}

void shown_nodes_done(struct shown_nodes *nodes)
{
	free(nodes->numbers);
	free(nodes->memory);
	*nodes = (struct shown_nodes){ 0 };
}

int shown_nodes_read(const struct machine *machine, const struct mig_nodeset *set,
		     struct shown_nodes *ret_nodes)
{
	struct shown_nodes *nodes = ret_nodes;
	size_t count = mig_nodeset_count(set);

	*nodes = (struct shown_nodes){
		.set = *set,
		.numbers = calloc(count, sizeof(*nodes->numbers)),
		.memory = calloc(count, sizeof(*nodes->memory)),
	};
	if (!nodes->numbers || !nodes->memory)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot list nodes");
	for (int node = mig_nodeset_next(set, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(set, node)) {
		int r = mig_topology_read_memory(machine->topology, node,
						 &nodes->memory[nodes->count]);

		if (r < 0)
			return message_failure(SUBJECT_MACHINE, r,
					       "cannot read the memory of node %d", node);
		nodes->numbers[nodes->count++] = node;
	}
	return STATUS_OK;
}

static int check_args(const struct show_node_args *args)
{
	if (args->blocks && args->by && !args->common.json)
		return message_usage("show-node",
				     "--blocks and --by exclude each other without "
				     "--json");
	if (args->top && !args->by)
		return message_usage("show-node", "--top needs --by");
	if (args->search && args->by != BY_FILE && args->by != BY_MOUNT)
		return message_usage("show-node",
				     "--search needs --by=file or --by=mount");
	return STATUS_OK;
}

static int parse_operands(const struct common_args *common, const struct machine *machine,
			  struct mig_nodeset *ret_set)
{
	struct mig_nodeset all = { 0 };

	for (size_t i = 0; i < common->nr_operands; i++) {
		const char *text = common->operands[i];
		struct mig_nodeset set;
		int r = mig_nodeset_parse(machine->topology, text, strlen(text), &set);

		if (r < 0) {
			int status = message_failure(SUBJECT_NODES, r, "'%s'", text);

			return status == STATUS_USAGE ? message_try("show-node") : status;
		}
		mig_nodeset_or(&all, &set);
	}
	*ret_set = all;
	return STATUS_OK;
}

/* --output means the one that people would see. */
static int make_table(struct show *show, const struct column_set *set, uint64_t defaults,
		      bool is_meant, struct table **ret_table)
{
	int status = table_new(is_meant ? &show->args->common : &show->plain, "show-node",
			       set, defaults, ret_table);

	if (!status)
		table_set_nodes(*ret_table, &show->nodes.set, show->args->all_nodes);
	return status;
}

/* The columns that are shown by default, and one more. */
static uint64_t get_defaults(const struct column_set *set, const char *more)
{
	uint64_t defaults = 0;

	for (size_t i = 0; i < set->nr_columns; i++)
		if (set->columns[i].flags & COLUMN_DEFAULT ||
		    (more && !strcmp(set->columns[i].name, more)))
			defaults |= UINT64_C(1) << i;
	return defaults;
}

static int make_tables(struct show *show)
{
	static const char *const more[] = {
		[BY_PROCESS] = "PID",
		[BY_MOUNT] = "TYPE",
	};
	const struct show_node_args *args = show->args;
	int status;

	show->plain = args->common;
	show->plain.output = NULL;
	status = make_table(show, &show_node_kind_columns, 0, !args->blocks && !args->by,
			    &show->kinds);
	if (!status)
		status = make_table(show, &show_node_block_columns, 0,
				    args->blocks && !args->by, &show->blocks);
	if (!status)
		status = make_table(
			show, &show_node_holder_columns,
			get_defaults(&show_node_holder_columns, more[args->by]), args->by,
			&show->by);
	return status;
}

static int find_holders(struct show *show)
{
	const struct show_node_args *args = show->args;
	struct holders *holders = &show->holders;
	int status;

	if (holders_init(holders, &show->nodes, args->top ? args->top : DEFAULT_TOP) < 0)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot list holders");
	if (args->by == BY_PROCESS)
		status = show_node_find_processes(&show->machine, holders);
	else if (args->by == BY_CGROUP)
		status = show_node_find_cgroups(&show->machine, holders);
	else
		status = show_node_find_files(args, &show->machine, holders);
	if (status && status != STATUS_PARTLY)
		return status;
	holders_sort(holders);
	show_node_put_holders(show->by, args, holders);
	return status;
}

/* Return: STATUS_OK, STATUS_PARTLY, or another status where there is nothing to show. */
static int fill_tables(struct show *show)
{
	const struct show_node_args *args = show->args;
	bool json = args->common.json, is_partly = false;
	int status = STATUS_OK;

	if (json || (!args->blocks && !args->by))
		status = show_node_put_kinds(show->kinds, args, &show->machine,
					     &show->nodes);
	if (!status && args->blocks)
		status = show_node_put_blocks(show->blocks, &show->machine, &show->nodes);
	is_partly |= status == STATUS_PARTLY;
	if ((!status || is_partly) && args->by)
		status = find_holders(show);
	return !status && is_partly ? STATUS_PARTLY : status;
}

static int write_json(const struct show *show)
{
	struct json json;

	json_begin(&json, stdout);
	json_put_nodes(&json, "nodes", &show->nodes.set);
	table_write_rows(show->kinds, 0, table_get_nr_rows(show->kinds), &json, "kinds");
	if (show->args->blocks)
		table_write_rows(show->blocks, 0, table_get_nr_rows(show->blocks), &json,
				 "blocks");
	if (show->args->by)
		show_node_write_holders(show->by, show->args, &show->holders, &json);
	return json_end(&json);
}

static int print(const struct show *show)
{
	const struct show_node_args *args = show->args;
	int status;

	if (!args->common.json && args->blocks)
		return table_print(show->blocks);
	if (!args->common.json)
		return table_print(args->by ? show->by : show->kinds);
	status = table_check(show->kinds);
	if (!status)
		status = table_check(show->blocks);
	if (!status)
		status = table_check(show->by);
	return status ? status : write_json(show);
}

static int run(const void *data)
{
	CLEANUP(show_done) struct show show = { .args = data };
	const struct common_args *common = &show.args->common;
	struct mig_nodeset set;
	int filled, status = check_args(show.args);

	if (!status)
		status = machine_open(common->sysroot, &show.machine);
	if (!status)
		status = parse_operands(common, &show.machine, &set);
	if (!status)
		status = shown_nodes_read(&show.machine, &set, &show.nodes);
	if (!status)
		status = make_tables(&show);
	if (status)
		return status;
	filled = fill_tables(&show);
	if (filled && filled != STATUS_PARTLY)
		return filled;
	status = print(&show);
	return status ? status : filled;
}

static const struct column_set *const column_sets[] = { &show_node_kind_columns,
							&show_node_block_columns,
							&show_node_holder_columns };

const struct command command_show_node = {
	.name = "show-node",
	.summary = "show what fills nodes, and who",
	.operands = "NODE...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description =
		"Shows a row for each kind of memory, and how much of it is on each of "
		"the nodes; with --by the processes, cgroups, files or mounts that have "
		"the most there; with --blocks the memory blocks.\n"
		"A NODE is a node or several, as '0', '2-3', 'all' or '!0'.",
	.notes = "'-' stands for what the kernel does not tell.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct show_node_args),
	.run = run,
};
