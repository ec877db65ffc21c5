/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "move_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amounts.h"
#include "command.h"
#include "escape.h"
#include "message.h"
#include "move_json.h"

enum move_column {
	COL_RESULT,
	COL_PAGES,
	COL_SIZE,
	COL_FROM,
	COL_TO,
	COL_WHY,
};

static const struct column result_columns[] = {
	[COL_RESULT] = { "RESULT", "result", COLUMN_TEXT, COLUMN_DEFAULT,
			 "moved, already (there), skipped, left or gone" },
	[COL_PAGES] = { "PAGES", "pages", COLUMN_NUMBER, COLUMN_DEFAULT, "base pages" },
	[COL_SIZE] = { "SIZE", "bytes", COLUMN_SIZE, COLUMN_DEFAULT, "their bytes" },
	[COL_FROM] = { "FROM", "from", COLUMN_NUMBER, COLUMN_DEFAULT,
		       "the node they were on" },
	[COL_TO] = { "TO", "to", COLUMN_NUMBER, COLUMN_DEFAULT,
		     "the node they belong to" },
	[COL_WHY] = { "WHY", "reason", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_TRUNCATE,
		      "why they were skipped or left" },
};

const struct column_set move_columns = { "Columns", result_columns,
					 ARRAY_SIZE(result_columns) };

enum where_column {
	COL_WHEN,
	COL_NODES,
	COL_SWAP,
};

static const struct column where_columns[] = {
	[COL_WHEN] = { "RESIDENT", "when", COLUMN_TEXT, COLUMN_DEFAULT, "when" },
	[COL_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT, "where" },
	[COL_SWAP] = { "SWAP", "swapped_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "swapped out" },
};

static const struct column_set where_set = { "Residency", where_columns,
					     ARRAY_SIZE(where_columns) };

void move_report_begin(struct move_report *report, const struct move *move)
{
	*report = (struct move_report){
		.move = move,
		.page_size = mig_context_get_page_size(move->machine.context),
	};
	if (!move->args->common.json)
		return;
	json_begin(&report->json, stdout);
	json_open_array(&report->json, "targets");
}

int move_report_end(struct move_report *report)
{
	if (!report->move->args->common.json)
		return STATUS_OK;
	json_close_array(&report->json);
	return json_end(&report->json);
}

static void put_row(const struct move_report *report, struct table *table,
		    const char *result, uint64_t nr_pages, const char *why)
{
	table_add_row(table);
	table_put_text(table, COL_RESULT, result);
	table_put_number(table, COL_PAGES, nr_pages);
	table_put_number(table, COL_SIZE, nr_pages * report->page_size);
	if (why)
		table_put_text(table, COL_WHY, why);
}

static void put_moved(const struct move_report *report, struct table *table,
		      const struct mig_outcome *outcome)
{
	const struct mig_pair_count *pair;

	for (size_t i = 0; (pair = mig_outcome_get_pair(outcome, i)); i++) {
		put_row(report, table, "moved", pair->nr_pages, "");
		table_put_number(table, COL_FROM, (uint64_t)pair->from);
		table_put_number(table, COL_TO, (uint64_t)pair->to);
	}
	if (!mig_outcome_get_pair(outcome, 0))
		put_row(report, table, "moved", 0, "");
}

static void put_left(const struct move_report *report, struct table *table,
		     const struct mig_outcome *outcome)
{
	const struct mig_left *left;

	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++) {
		char why[128];

		if (left->error)
			snprintf(why, sizeof(why), "%s (errno %d)",
				 mig_reason_get_text(left->reason), left->error);
		else
			snprintf(why, sizeof(why), "%s",
				 mig_reason_get_text(left->reason));
		put_row(report, table, "left", left->nr_pages, why);
		if (left->node != MIG_NO_NODE)
			table_put_number(table, COL_TO, (uint64_t)left->node);
	}
}

static void put_skipped(const struct move_report *report, struct table *table,
			const struct mig_outcome *outcome, enum move_kind kind)
{
	for (unsigned int i = 0; i < MIG_NR_SKIPS; i++) {
		uint64_t pages = mig_outcome_get_skipped(outcome, (enum mig_skip)i);

		if (pages && (kind != MOVE_NODES || i != MIG_SKIP_NOT_FROM))
			put_row(report, table, "skipped", pages,
				mig_skip_get_text((enum mig_skip)i));
	}
}

static int print_result_table(const struct move_report *report,
			      const struct mig_outcome *outcome, enum move_kind kind)
{
	const struct mig_totals *totals = mig_outcome_get_totals(outcome);
	CLEANUP_TABLE struct table *table = NULL;
	int status = table_new(&report->move->args->common, report->move->command,
			       &move_columns, 0, &table);

	if (status)
		return status;
	put_moved(report, table, outcome);
	/* Of nodes that are emptied, what is on others is of no interest. */
	if (kind != MOVE_NODES)
		put_row(report, table, "already", totals->already_pages, "");
	put_skipped(report, table, outcome, kind);
	put_left(report, table, outcome);
	if (totals->paged_out_pages)
		put_row(report, table, "paged out", totals->paged_out_pages,
			"of those left: they come back where they are touched next");
	if (totals->reread_pages)
		put_row(report, table, "reread", totals->reread_pages,
			"of those left: dropped, and read again where they belong");
	if (totals->gone_pages)
		put_row(report, table, "gone", totals->gone_pages,
			"unmapped, cut off, ended, or nothing but zeroes");
	return table_print(table);
}

static int put_residency(struct table *table, const char *when,
			 const struct mig_residency *residency)
{
	CLEANUP_FREE uint64_t *sums = NULL;

	if (!residency)
		return STATUS_OK;
	sums = calloc(MIG_MAX_NODES, sizeof(*sums));
	if (!sums)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot report");
	for (int node = 0; node < MIG_MAX_NODES; node++)
		sums[node] = mig_residency_get_node_bytes(residency, node);
	table_add_row(table);
	table_put_text(table, COL_WHEN, when);
	table_put_node_sizes(table, COL_NODES, sums);
	table_put_number(table, COL_SWAP, mig_residency_get_swapped_bytes(residency));
	return STATUS_OK;
}

static int print_residency(const struct move_report *report,
			   const struct move_result *result)
{
	struct common_args args = report->move->args->common;
	/* Files are not swapped out. */
	bool files = result->target->kind == MOVE_FILES;
	uint64_t shown = files ? 1U << COL_WHEN | 1U << COL_NODES : 0;
	CLEANUP_TABLE struct table *table = NULL;
	int status;

	args.output = NULL;
	args.output_all = false;
	status = table_new(&args, report->move->command, &where_set, shown, &table);
	if (status)
		return status;
	table_set_nodes(
		table,
		mig_topology_get_nodes(report->move->machine.topology, MIG_NODES_MEMORY),
		false);
	status = put_residency(table, "before", result->before);
	if (!status)
		status = put_residency(table, "bound", result->bound);
	if (!status)
		status = put_residency(table, "after", result->after);
	if (!status)
		status = put_residency(table, "settled", result->settled);
	return status ? status : table_print(table);
}

/* "42 (name)"; of files the only path, or how many there were; of a cgroup its path. */
static void print_name(const struct move_target *target)
{
	char name[ESCAPE_SIZE(256)];

	escape_text(target->name, strnlen(target->name, 255), name);
	if (target->kind == MOVE_PROCESSES)
		printf("%d (%s)", target->pid, name);
	else
		printf("%s", name);
}

/* How many there were, where the name does not say it. */
static void print_count(const struct move_target *target, const struct mig_totals *totals)
{
	if (target->kind == MOVE_FILES && totals->files != 1)
		printf(", %llu files with cached pages",
		       (unsigned long long)totals->files);
	if (target->kind == MOVE_NODES && target->round > 1)
		printf(", round %u", target->round);
	if (target->kind == MOVE_CGROUP ||
	    (target->kind == MOVE_NODES && totals->processes))
		printf(", %u process%s", totals->processes,
		       totals->processes == 1 ? "" : "es");
	if (target->kind == MOVE_PROCESSES && totals->processes > 1)
		printf(" and %u more processes", totals->processes - 1);
}

/* What has left other nodes and what has come to those of the cpuset are not the same
 * while the processes allocate and free memory: the smaller of both has moved. */
uint64_t move_report_get_bound_bytes(const struct move_result *result)
{
	uint64_t came = 0, went = 0;

	for (int node = 0; result->bound && node < MIG_MAX_NODES; node++) {
		uint64_t before = mig_residency_get_node_bytes(result->before, node);
		uint64_t after = mig_residency_get_node_bytes(result->bound, node);

		if (!mig_nodeset_has(&result->binding.mems, node))
			went += before > after ? before - after : 0;
		else
			came += after > before ? after - before : 0;
	}
	return came < went ? came : went;
}

static void print_binding(const struct move_report *report,
			  const struct move_result *result)
{
	char moved[OUTPUT_BYTES_SIZE];
	char nodes[256];

	if (!result->binding.is_set)
		return;
	output_format_bytes(move_report_get_bound_bytes(result),
			    report->move->args->common.bytes, moved);
	mig_nodeset_format(&result->binding.mems, nodes, sizeof(nodes));
	printf("cpuset.mems is %s: the kernel moved %s by itself in %.2f s\n", nodes,
	       moved, (double)result->binding.elapsed_ns / 1e9);
}

const char *move_report_get_cache_way(const struct mig_totals *totals)
{
	switch (totals->cache_way) {
	case MIG_CACHE_BY_DAMON:
		return "damon";
	case MIG_CACHE_BY_FILES:
		return "files";
	case MIG_CACHE_NONE:
		break;
	}
	return NULL;
}

static void print_cache_way(const struct mig_totals *totals)
{
	switch (totals->cache_way) {
	case MIG_CACHE_NONE:
		break;
	case MIG_CACHE_BY_DAMON:
		puts("what nobody has mapped was moved by DAMON");
		break;
	case MIG_CACHE_BY_FILES:
		printf("what nobody has mapped was looked for in files: %llu had some\n",
		       (unsigned long long)totals->files);
		break;
	}
}

static void print_title(const struct move_report *report,
			const struct move_result *result)
{
	const struct mig_totals *totals = mig_outcome_get_totals(result->outcome);
	char moved[OUTPUT_BYTES_SIZE], rate[OUTPUT_BYTES_SIZE];
	uint64_t bytes = totals->moved_pages * report->page_size;
	double seconds = (double)totals->elapsed_ns / 1e9;
	uint64_t per_second = seconds > 0 ? (uint64_t)((double)bytes / seconds) : 0;

	output_format_bytes(bytes, report->move->args->common.bytes, moved);
	output_format_bytes(per_second, report->move->args->common.bytes, rate);
	print_name(result->target);
	print_count(result->target, totals);
	printf(": %s moved in %.2f s", moved, seconds);
	if (bytes)
		printf(", %s/s", rate);
	putchar('\n');
	if (totals->moved_huge_pages || totals->split_huge_pages) {
		printf("%llu %s moved whole",
		       (unsigned long long)totals->moved_huge_pages,
		       result->target->kind == MOVE_FILES ? "large folios"
							  : "huge pages");
		if (totals->split_huge_pages == MIG_UNKNOWN_BYTES)
			printf("; the kernel has split some, whose is not known");
		else if (totals->split_huge_pages)
			printf(", %llu were split",
			       (unsigned long long)totals->split_huge_pages);
		putchar('\n');
	}
	print_cache_way(totals);
}

/* The share in place of what should be: skipped pages and gone ones don't count. */
static bool is_enough(const struct mig_totals *totals, unsigned int percent)
{
	uint64_t in_place = totals->moved_pages + totals->already_pages;
	uint64_t wanted = in_place + totals->left_pages;

	return (double)in_place * 100 >= (double)percent * (double)wanted;
}

static int status_of(const struct move_result *result, unsigned int percent)
{
	const struct mig_totals *totals = mig_outcome_get_totals(result->outcome);

	if (totals->files_denied && !totals->files)
		return STATUS_FAILED;
	if ((totals->stopped && !result->had_enough) || totals->timed_out ||
	    totals->processes_denied || totals->files_denied || totals->error ||
	    mig_target_get_hidden(result->target->target))
		return STATUS_PARTLY;
	if (result->had_enough || is_enough(totals, percent))
		return STATUS_OK;
	return totals->moved_pages || totals->already_pages ? STATUS_PARTLY
							    : STATUS_FAILED;
}

static void say_hidden(const struct move_target *target)
{
	size_t hidden = mig_target_get_hidden(target->target);

	if (hidden)
		message_error("%s: %zu more processes cannot be moved from here: another "
			      "pid namespace",
			      target->label, hidden);
}

/* What a person should know beside the table. */
static void say_remarks(const struct move_result *result)
{
	const struct mig_totals *totals = mig_outcome_get_totals(result->outcome);
	const char *label = result->target->label;

	if (totals->stopped && !result->had_enough)
		message_error("%s: stopped by a signal; the rest was not tried", label);
	if (totals->timed_out)
		message_error("%s: the time is up; the rest was not tried", label);
	/* Of all that a machine has some always end. */
	if (totals->processes_gone && result->target->kind != MOVE_NODES)
		message_warning("%s: %u of %u processes ended, or ran another program, "
				"meanwhile",
				label, totals->processes_gone, totals->processes);
	say_hidden(result->target);
	if (totals->processes_denied)
		message_error("%s: %u of %u processes may not be looked at", label,
			      totals->processes_denied, totals->processes);
	if (totals->files_gone)
		message_warning("%s: %llu were deleted or replaced meanwhile", label,
				(unsigned long long)totals->files_gone);
	if (totals->error)
		message_failure(SUBJECT_MOVE, totals->error, "%s: not walked to the end",
				label);
}

/* Each once, however many targets and rounds there are. */
static void say_hints(struct move_report *report, const struct mig_outcome *outcome)
{
	const struct mig_left *left;

	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++) {
		uint64_t bit = UINT64_C(1) << left->reason;

		if (mig_reason_get_hint(left->reason) && !(report->hinted & bit))
			message_hint("%s: %s", mig_reason_get_text(left->reason),
				     mig_reason_get_hint(left->reason));
		report->hinted |= bit;
	}
}

int move_report_add(struct move_report *report, const struct move_result *result)
{
	const struct move_args *args = report->move->args;
	int status;

	if (args->common.json) {
		move_json_put_result(&report->json, result, report->page_size);
	} else {
		if (!args->common.noheadings && !args->common.raw) {
			print_title(report, result);
			print_binding(report, result);
		}
		status =
			print_result_table(report, result->outcome, result->target->kind);
		if (!status && !args->common.noheadings && !args->common.raw &&
		    result->target->kind != MOVE_NODES)
			status = print_residency(report, result);
		if (status)
			return status;
	}
	say_remarks(result);
	say_hints(report, result->outcome);
	return status_of(result, args->require_percent);
}

static int print_plan_table(const struct move_report *report, const struct mig_plan *plan)
{
	const struct mig_pair_count *pair;
	CLEANUP_TABLE struct table *table = NULL;
	int status = table_new(&report->move->args->common, report->move->command,
			       &move_columns,
			       1U << COL_RESULT | 1U << COL_PAGES | 1U << COL_SIZE |
				       1U << COL_FROM | 1U << COL_TO,
			       &table);

	if (status)
		return status;
	for (size_t i = 0; (pair = mig_plan_get_pair(plan, i)); i++) {
		put_row(report, table, "would move", pair->nr_pages, "");
		table_put_number(table, COL_FROM, (uint64_t)pair->from);
		table_put_number(table, COL_TO, (uint64_t)pair->to);
	}
	if (!mig_plan_get_pair(plan, 0))
		put_row(report, table, "would move", 0, "");
	return table_print(table);
}

int move_report_add_plan(struct move_report *report, const struct move_target *target,
			 const struct mig_plan *plan)
{
	const struct common_args *args = &report->move->args->common;

	say_hidden(target);
	if (args->json) {
		move_json_put_plan(&report->json, target, plan, report->page_size);
		return STATUS_OK;
	}
	if (!args->noheadings && !args->raw) {
		print_name(target);
		puts(": a dry run, nothing is moved");
	}
	return print_plan_table(report, plan);
}
