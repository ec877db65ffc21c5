/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-pid: a row for each process, or with --by-kind for each kind of its memory. */
#include "show-pid.h"

#include <stdio.h>

#include "amounts.h"
#include "command.h"
#include "handles.h"
#include "kind.h"
#include "message.h"
#include "size.h"

#define MAX_HUGE_SIZES 16

enum process_column {
	PROCESS_PID,
	PROCESS_PPID,
	PROCESS_NAME,
	PROCESS_TOTAL,
	PROCESS_NODES,
	PROCESS_SWAP,
	PROCESS_RUNS,
	PROCESS_LOCAL,
};

static const struct column process_columns[] = {
	[PROCESS_PID] = { "PID", "pid", COLUMN_NUMBER, COLUMN_DEFAULT,
			  "number of the process" },
	[PROCESS_PPID] = { "PPID", "ppid", COLUMN_NUMBER, 0, "its parent" },
	[PROCESS_NAME] = { "COMMAND", "name", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_TREE,
			   "its name" },
	[PROCESS_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			    "resident memory" },
	[PROCESS_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			    "of TOTAL: on each node, in columns N0, N1, ...; if they are "
			    "too wide for the terminal those of the smaller ones are "
			    "summed in OTHERS" },
	[PROCESS_SWAP] = { "SWAP", "swapped_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			   "swapped out, so on no node" },
	[PROCESS_RUNS] = { "RUNS", "run_nodes", COLUMN_NODES, COLUMN_DEFAULT,
			   "nodes where its threads run" },
	[PROCESS_LOCAL] = { "LOCAL", "local_percent", COLUMN_PERCENT, COLUMN_DEFAULT,
			    "percentage of TOTAL that lies on the nodes of RUNS" },
};

enum kind_column {
	KIND_PID,
	KIND_NAME,
	KIND_KIND,
	KIND_TOTAL,
	KIND_NODES,
};

static const struct column kind_columns[] = {
	[KIND_PID] = { "PID", "pid", COLUMN_NUMBER, COLUMN_OUTER,
		       "number of the process; printed if there may be several" },
	[KIND_NAME] = { "COMMAND", "name", COLUMN_TEXT, COLUMN_OUTER,
			"its name; likewise" },
	[KIND_KIND] = { "KIND", "kind", COLUMN_TEXT, COLUMN_DEFAULT,
			"kind of memory; total; swap; then, counted above already, what "
			"lies in huge pages of some size: thp-2M, hugetlb-1G" },
	[KIND_TOTAL] = { "TOTAL", "total_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "how much" },
	[KIND_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			 "of TOTAL: on each node, in columns N0, N1, ..." },
};

enum huge_column {
	HUGE_SIZE,
	HUGE_HUGETLB,
	HUGE_THP,
};

/* Only in JSON; for people they are rows among the kinds. */
static const struct column huge_columns[] = {
	[HUGE_SIZE] = { "SIZE", "size_bytes", COLUMN_SIZE, 0, "" },
	[HUGE_HUGETLB] = { "HUGETLB", "hugetlb_pages", COLUMN_NUMBER, 0, "" },
	[HUGE_THP] = { "THP", "thp_pages", COLUMN_NUMBER, 0, "" },
};

const struct column_set show_process_columns = { "Columns", process_columns,
						 ARRAY_SIZE(process_columns) };
const struct column_set show_kind_columns = { "Columns of --by-kind", kind_columns,
					      ARRAY_SIZE(kind_columns) };
static const struct column_set huge_column_set = { "", huge_columns,
						   ARRAY_SIZE(huge_columns) };

/* Shown in this order; the kernel's own mappings hold nothing that is counted. */
static const enum mig_kind kinds[] = { MIG_KIND_HEAP,  MIG_KIND_STACK, MIG_KIND_ANON,
				       MIG_KIND_SHMEM, MIG_KIND_FILE,  MIG_KIND_HUGETLB };

/* A process that has been added, and where its rows begin. */
struct shown {
	pid_t pid;
	size_t first_kind;
	size_t first_huge;
};

struct sums {
	struct common_args plain; /* for tables that --output does not mean */
	struct table *processes;
	struct table *kinds;
	struct table *huge;
	struct shown *shown; /* as many as processes has rows, and an end */
	size_t nr_shown;
	struct amounts one; /* of the process that is added */
	struct amounts total;
};

static void done(struct show *show)
{
	struct sums *sums = show->state;

	if (!sums)
		return;
	table_free(sums->processes);
	table_free(sums->kinds);
	table_free(sums->huge);
	free(sums->shown);
	free(sums);
}

static int make_tables(const struct show *show, struct sums *sums)
{
	const struct show_pid_args *args = show->args;
	uint64_t kind_defaults = 1U << KIND_KIND | 1U << KIND_TOTAL | 1U << KIND_NODES;
	int status;

	if (show->several)
		kind_defaults |= 1U << KIND_PID | 1U << KIND_NAME;
	sums->plain = args->common;
	sums->plain.output = NULL;
	status = table_new(args->by_kind ? &sums->plain : &args->common, "show-pid",
			   &show_process_columns, 0, &sums->processes);
	if (!status)
		status = table_new(args->by_kind ? &args->common : &sums->plain,
				   "show-pid", &show_kind_columns, kind_defaults,
				   &sums->kinds);
	if (!status)
		status = table_new(&sums->plain, "show-pid", &huge_column_set, 0,
				   &sums->huge);
	if (status)
		return status;
	table_set_nodes(sums->processes, show_get_nodes(show), args->all_nodes);
	table_set_nodes(sums->kinds, show_get_nodes(show), args->all_nodes);
	return STATUS_OK;
}

static int begin(struct show *show)
{
	struct sums *sums = calloc(1, sizeof(*sums));

	show->state = sums;
	if (sums)
		sums->shown = calloc(mig_target_get_count(show->target) + 2,
				     sizeof(*sums->shown));
	if (!sums || !sums->shown)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot list processes");
	return make_tables(show, sums);
}

static int read_amounts(const struct show *show, const struct mig_process *process,
			struct amounts *amounts)
{
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;
	int r = mig_residency_new(show->machine->context, &residency);

	if (!r)
		r = mig_residency_add_process(residency, show->machine->topology,
					      process);
	if (r < 0)
		return show_failure(show, process, r);
	amounts_take(amounts, residency);
	return STATUS_OK;
}

static void put_amounts(struct table *table, const struct amounts *amounts)
{
	uint64_t nodes[MIG_MAX_NODES];

	amounts_sum_nodes(amounts, nodes);
	table_put_number(table, PROCESS_TOTAL, amounts_sum(amounts));
	table_put_node_sizes(table, PROCESS_NODES, nodes);
	table_put_number(table, PROCESS_SWAP, amounts->swapped_bytes);
}

static void put_run_nodes(const struct show *show, struct table *table,
			  const struct mig_process *process,
			  const struct amounts *amounts)
{
	uint64_t total = amounts_sum(amounts);
	struct mig_nodeset nodes;

	/* That it has exited meanwhile takes nothing from what was read before. */
	if (mig_process_read_run_nodes(process, show->machine->topology, &nodes) < 0)
		return;
	table_put_nodes(table, PROCESS_RUNS, &nodes);
	if (total && mig_nodeset_count(&nodes))
		table_put_number(table, PROCESS_LOCAL,
				 (uint64_t)((double)amounts_sum_on(amounts, &nodes) *
					    100 / (double)total));
}

static void put_parent(const struct show *show, const struct sums *sums,
		       const struct mig_process *process)
{
	pid_t parent = mig_process_get_parent(process);

	if (parent)
		table_put_number(sums->processes, PROCESS_PPID, (uint64_t)parent);
	for (size_t i = 0; show->args->tree && i < sums->nr_shown; i++)
		if (sums->shown[i].pid == parent)
			table_put_parent(sums->processes, i);
}

static void add_kind(struct table *table, const char *pid_name, uint64_t pid,
		     const char *kind)
{
	table_add_row(table);
	if (pid)
		table_put_number(table, KIND_PID, pid);
	table_put_text(table, KIND_NAME, pid_name);
	table_put_text(table, KIND_KIND, kind);
}

/* Rows of one process, or of the total: @pid 0. */
static void add_kinds(struct sums *sums, const char *name, uint64_t pid,
		      const struct amounts *amounts)
{
	uint64_t nodes[MIG_MAX_NODES];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		add_kind(sums->kinds, name, pid, kind_get_name(kinds[i]));
		table_put_number(sums->kinds, KIND_TOTAL,
				 amounts_sum_kind(amounts, kinds[i]));
		table_put_node_sizes(sums->kinds, KIND_NODES, amounts->bytes[kinds[i]]);
	}
	/* In JSON these are members of the process. */
	if (sums->plain.json)
		return;
	amounts_sum_nodes(amounts, nodes);
	add_kind(sums->kinds, name, pid, "total");
	table_put_number(sums->kinds, KIND_TOTAL, amounts_sum(amounts));
	table_put_node_sizes(sums->kinds, KIND_NODES, nodes);
	add_kind(sums->kinds, name, pid, "swap");
	table_put_number(sums->kinds, KIND_TOTAL, amounts->swapped_bytes);
}

static void add_huge_row(struct sums *sums, const struct mig_process *process,
			 const char *type, uint64_t size_bytes, uint64_t nr_pages)
{
	char size[SIZE_TEXT_SIZE], kind[SIZE_TEXT_SIZE + 16];

	if (!nr_pages)
		return;
	snprintf(kind, sizeof(kind), "%s-%s", type, size_format(size_bytes, size));
	add_kind(sums->kinds, mig_process_get_name(process),
		 (uint64_t)mig_process_get_pid(process), kind);
	table_put_number(sums->kinds, KIND_TOTAL, nr_pages * size_bytes);
}

static int add_huge_pages(const struct show *show, const struct mig_process *process)
{
	struct sums *sums = show->state;
	struct mig_huge_pages sizes[MAX_HUGE_SIZES];
	size_t count = 0;
	int r = mig_residency_read_huge_pages(process, sizes, ARRAY_SIZE(sizes), &count);

	/* A captured machine may come without smaps: then it is not known. */
	if (r == -ENOENT)
		return STATUS_OK;
	if (r < 0) {
		show_failure(show, process, r);
		return STATUS_PARTLY;
	}
	for (size_t i = 0; i < count && i < ARRAY_SIZE(sizes); i++) {
		if (!sums->plain.json) {
			add_huge_row(sums, process, "thp", sizes[i].size_bytes,
				     sizes[i].nr_thp);
			add_huge_row(sums, process, "hugetlb", sizes[i].size_bytes,
				     sizes[i].nr_hugetlb);
			continue;
		}
		table_add_row(sums->huge);
		table_put_number(sums->huge, HUGE_SIZE, sizes[i].size_bytes);
		table_put_number(sums->huge, HUGE_HUGETLB, sizes[i].nr_hugetlb);
		table_put_number(sums->huge, HUGE_THP, sizes[i].nr_thp);
	}
	return STATUS_OK;
}

/* Where the rows of the next process begin is where those of the last one end. */
static void mark_rows(struct sums *sums)
{
	sums->shown[sums->nr_shown].first_kind = table_get_nr_rows(sums->kinds);
	sums->shown[sums->nr_shown].first_huge = table_get_nr_rows(sums->huge);
}

static int add(struct show *show, const struct mig_process *process)
{
	struct sums *sums = show->state;
	pid_t pid = mig_process_get_pid(process);
	int status = read_amounts(show, process, &sums->one);

	if (status)
		return status;
	table_add_row(sums->processes);
	table_put_number(sums->processes, PROCESS_PID, (uint64_t)pid);
	table_put_text(sums->processes, PROCESS_NAME, mig_process_get_name(process));
	put_parent(show, sums, process);
	put_amounts(sums->processes, &sums->one);
	put_run_nodes(show, sums->processes, process, &sums->one);
	amounts_add(&sums->total, &sums->one);
	mark_rows(sums);
	sums->shown[sums->nr_shown].pid = pid;
	if (show->args->by_kind) {
		add_kinds(sums, mig_process_get_name(process), (uint64_t)pid, &sums->one);
		status = add_huge_pages(show, process);
	}
	sums->nr_shown++;
	mark_rows(sums);
	return status;
}

static int write_json(const struct show *show, const struct sums *sums)
{
	struct json json;

	json_begin(&json, stdout);
	json_open_array(&json, "processes");
	for (size_t i = 0; i < sums->nr_shown; i++) {
		json_open_object(&json, NULL);
		table_write_row(sums->processes, i, &json);
		if (show->args->by_kind) {
			table_write_rows(sums->kinds, sums->shown[i].first_kind,
					 sums->shown[i + 1].first_kind, &json, "kinds");
			table_write_rows(sums->huge, sums->shown[i].first_huge,
					 sums->shown[i + 1].first_huge, &json,
					 "huge_pages");
		}
		json_close_object(&json);
	}
	json_close_array(&json);
	if (show->args->total) {
		json_open_object(&json, "total");
		table_write_row(sums->processes, sums->nr_shown, &json);
		if (show->args->by_kind)
			table_write_rows(sums->kinds,
					 sums->shown[sums->nr_shown].first_kind,
					 table_get_nr_rows(sums->kinds), &json, "kinds");
		json_close_object(&json);
	}
	return json_end(&json);
}

static int print(struct show *show)
{
	struct sums *sums = show->state;
	struct table *table = show->args->by_kind ? sums->kinds : sums->processes;
	int status;

	if (show->args->total) {
		table_add_row(sums->processes);
		table_put_text(sums->processes, PROCESS_NAME, "total");
		put_amounts(sums->processes, &sums->total);
		if (show->args->by_kind)
			add_kinds(sums, "total", 0, &sums->total);
	}
	if (!show->args->common.json)
		return table_print(table);
	status = table_check(sums->processes);
	if (!status)
		status = table_check(sums->kinds);
	if (!status)
		status = table_check(sums->huge);
	return status ? status : write_json(show, sums);
}

const struct show_view show_view_sums = {
	.begin = begin,
	.add = add,
	.print = print,
	.done = done,
};
