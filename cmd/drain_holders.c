/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes have what is still on the nodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "drain.h"
#include "handles.h"
#include "message.h"

#define MOST_HOLDERS 8

/* A few pages of who has just started say nothing. */
#define LEAST_PAGES 16

enum holder_column {
	COL_PID,
	COL_SIZE,
	COL_COMMAND,
};

static const struct column columns[] = {
	[COL_PID] = { "PID", "pid", COLUMN_NUMBER, COLUMN_DEFAULT, "of the process" },
	[COL_SIZE] = { "SIZE", "bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "what it has mapped there" },
	[COL_COMMAND] = { "COMMAND", "command", COLUMN_TEXT, COLUMN_DEFAULT, "its name" },
};

static const struct column_set holder_set = { "Who has it", columns,
					      ARRAY_SIZE(columns) };

struct holder {
	pid_t pid;
	uint64_t bytes;
	char *command;
};

/** The largest, in descending order. */
struct holders {
	const struct mig_nodeset *nodes;
	uint64_t least_bytes;
	struct holder holders[MOST_HOLDERS];
	size_t nr;
};

static void holders_done(struct holders *holders)
{
	for (size_t i = 0; i < holders->nr; i++)
		free(holders->holders[i].command);
}

static int keep(struct holders *holders, struct holder holder,
		const struct mig_holder *process)
{
	struct holder *all = holders->holders;
	size_t place = holders->nr;
	char command[64];
	int r;

	while (place && all[place - 1].bytes < holder.bytes)
		place--;
	if (place == MOST_HOLDERS)
		return 0;
	r = mig_holder_read_name(process, command, sizeof(command));
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	holder.command = strdup(command);
	if (!holder.command)
		return -ENOMEM;
	if (holders->nr == MOST_HOLDERS)
		free(all[--holders->nr].command);
	memmove(&all[place + 1], &all[place], (holders->nr - place) * sizeof(*all));
	all[place] = holder;
	holders->nr++;
	return 0;
}

static int add_process(void *data, const struct mig_holder *process)
{
	struct holders *holders = data;
	struct holder holder = { .pid = mig_holder_get_pid(process) };

	for (int node = mig_nodeset_next(holders->nodes, MIG_NO_NODE);
	     node != MIG_NO_NODE; node = mig_nodeset_next(holders->nodes, node))
		holder.bytes += mig_holder_get_node_bytes(process, node);
	return holder.bytes < holders->least_bytes ? 0 : keep(holders, holder, process);
}

int drain_holders_report(struct drain *drain)
{
	struct common_args args = drain->args->move.common;
	CLEANUP(holders_done)
	struct holders holders = {
		.nodes = &drain->nodes,
		.least_bytes = LEAST_PAGES * drain->page_size,
	};
	CLEANUP_TABLE struct table *table = NULL;
	struct mig_holders_counts counts;
	int status, r = mig_holders_look(drain->move.machine.topology, add_process,
					 &holders, &counts);

	if (r < 0)
		return message_failure(SUBJECT_MEMORY, r,
				       "cannot tell who has memory on %s", drain->name);
	args.output = NULL;
	args.output_all = false;
	status = table_new(&args, "drain", &holder_set, 0, &table);
	for (size_t i = 0; !status && i < holders.nr; i++) {
		table_add_row(table);
		table_put_number(table, COL_PID, (uint64_t)holders.holders[i].pid);
		table_put_number(table, COL_SIZE, holders.holders[i].bytes);
		table_put_text(table, COL_COMMAND, holders.holders[i].command);
	}
	if (status)
		return status;
	if (!args.json)
		return holders.nr ? table_print(table) : STATUS_OK;
	table_write_rows(table, 0, holders.nr, &drain->report.json, "holders");
	return table_check(table);
}
