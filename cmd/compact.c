/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl compact: bring the free memory of nodes together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "command.h"
#include "duration.h"
#include "handles.h"
#include "machine.h"
#include "message.h"
#include "output.h"
#include "stop_signal.h"

/* The kernel gives a round up where it meets others at work (mm/compaction.c, compact_zone,
 * COMPACT_CONTENDED), and does not say so: one that gained nothing proves nothing. */
#define FRUITLESS_ROUNDS 3
/* What others free meanwhile looks like a gain. */
#define MOST_ROUNDS 100
#define PAUSE_NS 50000000

struct compact_args {
	struct common_args common;
	uint64_t until_bytes; /**< 0: not given */
	uint64_t timeout_ns;  /**< 0: none */
	bool dry_run;
};

enum compact_column {
	COL_NODE,
	COL_ZONE,
	COL_FREE_BEFORE,
	COL_FREE,
	COL_HUGE_BEFORE,
	COL_HUGE,
	COL_GAINED,
	COL_FRAG_BEFORE,
	COL_FRAG,
};

static const struct column columns[] = {
	[COL_NODE] = { "NODE", "node", COLUMN_NUMBER, COLUMN_DEFAULT | COLUMN_OUTER,
		       "number" },
	[COL_ZONE] = { "ZONE", "zone", COLUMN_TEXT, COLUMN_DEFAULT, "its name" },
	[COL_FREE_BEFORE] = { "FREE-BEFORE", "free_before_bytes", COLUMN_SIZE, 0,
			      "free memory before" },
	[COL_FREE] = { "FREE", "free_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "free memory, without what processors keep for themselves" },
	[COL_HUGE_BEFORE] = { "HUGE-BEFORE", "huge_before_bytes", COLUMN_SIZE,
			      COLUMN_DEFAULT, "what HUGE was before" },
	[COL_HUGE] = { "HUGE", "huge_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "of FREE: in blocks of a huge page or more" },
	[COL_GAINED] = { "GAINED", "gained_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "by how much HUGE has grown" },
	[COL_FRAG_BEFORE] = { "FRAG-BEFORE", "frag_before_percent", COLUMN_PERCENT,
			      COLUMN_DEFAULT, "what FRAG was before" },
	[COL_FRAG] = { "FRAG", "frag_percent", COLUMN_PERCENT, COLUMN_DEFAULT,
		       "of FREE: in smaller blocks" },
};

static const struct column_set column_set = { "Columns", columns, ARRAY_SIZE(columns) };
static const struct column_set *const column_sets[] = { &column_set };

static const struct option_spec options[] = {
	{ OPTION_SIZE(struct compact_args, until_bytes), .name = "until",
	  .metavar = "SIZE",
	  .help = "go on only until so much of each node is free in blocks of a huge "
		  "page "
		  "or more",
	  .minimum = 1 },
	{ OPTION_DURATION(struct compact_args, timeout_ns), .name = "timeout",
	  .metavar = "DURATION", .help = "begin no further round after this time",
	  .minimum = 1 },
	{ OPTION_FLAG(struct compact_args, dry_run), .letter = 'n', .name = "dry-run",
	  .help = "say what there is; compact nothing" },
	OPTIONS_TABLE,
	OPTIONS_SYSROOT,
};

/** A node that is compacted. */
struct member {
	int node;
	struct mig_zones *before;
	struct mig_zones *after; /**< NULL: it was not come to */
	unsigned int rounds;
	uint64_t elapsed_ns;
	unsigned int nr_fruitless; /**< of rounds, the last ones */
	bool exhausted;            /**< nothing more can be gained */
	bool failed;
	size_t first_row; /**< of the table */
	size_t end_row;
};

struct compact {
	const struct compact_args *args;
	struct machine machine;
	struct mig_nodeset nodes;
	uint64_t begin_ns;
	uint64_t huge_bytes;
	struct member *members;
	size_t nr;
	size_t nr_failed;
	int first_failure;
	bool is_forbidden;
	bool timed_out;
};

static void compact_done(struct compact *compact)
{
	for (size_t i = 0; i < compact->nr; i++) {
		mig_zones_free(compact->members[i].before);
		mig_zones_free(compact->members[i].after);
	}
	free(compact->members);
	machine_close(&compact->machine);
}

static uint64_t sum_huge(const struct compact *compact, const struct member *member,
			 const struct mig_zones *zones)
{
	return mig_zones_sum_free(zones, member->node, compact->huge_bytes);
}

static const struct mig_zones *zones_now(const struct member *member)
{
	return member->after ? member->after : member->before;
}

static bool is_reached(const struct compact *compact, const struct member *member)
{
	return sum_huge(compact, member, zones_now(member)) >= compact->args->until_bytes;
}

static int read_zones(const struct compact *compact, struct mig_zones **ret_zones)
{
	int r = mig_zones_read(compact->machine.context, ret_zones);

	return r < 0 ? message_failure(SUBJECT_SYSTEM, r, "cannot read 'proc/buddyinfo'")
		     : STATUS_OK;
}

static bool is_stopped(struct compact *compact)
{
	const uint64_t timeout_ns = compact->args->timeout_ns;

	if (timeout_ns && clock_get_ns() - compact->begin_ns >= timeout_ns)
		compact->timed_out = true;
	return compact->timed_out || stop_signal_get();
}

static int compact_once(struct compact *compact, struct member *member)
{
	CLEANUP_MIG(zones) struct mig_zones *zones = NULL;
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	uint64_t had = sum_huge(compact, member, zones_now(member));
	int status, r;

	if (member->nr_fruitless)
		nanosleep(&pause, NULL);
	r = mig_node_compact(compact->machine.context, member->node);

	/* As here, so with all others. */
	compact->is_forbidden = r == -EACCES || r == -EPERM || r == -EOPNOTSUPP;
	if (r < 0)
		return message_failure(SUBJECT_COMPACT, r, "cannot compact node %d",
				       member->node);
	status = read_zones(compact, &zones);
	if (status)
		return status;
	member->rounds++;
	if (sum_huge(compact, member, zones) > had)
		member->nr_fruitless = 0;
	else
		member->nr_fruitless++;
	member->exhausted =
		member->nr_fruitless == FRUITLESS_ROUNDS || member->rounds == MOST_ROUNDS;
	mig_zones_free(member->after);
	member->after = STEAL(zones);
	return STATUS_OK;
}

/* Return: STATUS_OK also where the node could not be compacted. */
static int compact_member(struct compact *compact, struct member *member)
{
	const struct compact_args *args = compact->args;
	uint64_t begin_ns = clock_get_ns();
	int status = read_zones(compact, &member->before);

	if (status)
		return status;
	compact->huge_bytes = mig_zones_get_huge_page_bytes(member->before);
	while (!status && !args->dry_run && !member->exhausted && !is_stopped(compact) &&
	       !(args->until_bytes && is_reached(compact, member)))
		status = compact_once(compact, member);
	if (member->rounds)
		member->elapsed_ns = clock_get_ns() - begin_ns;
	member->failed = status;
	compact->nr_failed += member->failed;
	if (status && !compact->first_failure)
		compact->first_failure = status;
	return STATUS_OK;
}

/* ---- what came of it ---- */

static const struct mig_zone *find_zone(const struct mig_zones *zones,
					const struct mig_zone *like)
{
	const struct mig_zone *zone;

	for (size_t i = 0; (zone = mig_zones_get(zones, i)); i++)
		if (zone->node == like->node && !strcmp(zone->name, like->name))
			return zone;
	return NULL;
}

static uint64_t sum_zone(const struct compact *compact, const struct mig_zone *zone,
			 uint64_t block_bytes)
{
	size_t page_size = mig_context_get_page_size(compact->machine.context);
	uint64_t bytes = 0;

	for (unsigned int order = 0; order < zone->nr_orders; order++)
		if ((uint64_t)page_size << order >= block_bytes)
			bytes += zone->nr_free[order] * (page_size << order);
	return bytes;
}

/* Where no block of the kernel is that large, all that is free is in smaller ones. */
static uint64_t percent_small(const struct compact *compact, const struct mig_zone *zone)
{
	size_t page_size = mig_context_get_page_size(compact->machine.context);

	for (unsigned int order = 0; order < zone->nr_orders; order++)
		if ((uint64_t)page_size << order >= compact->huge_bytes)
			return (zone->unusable_thousandths[order] + 5) / 10;
	return 100;
}

static void put_before(const struct compact *compact, struct table *table,
		       const struct mig_zone *zone, uint64_t huge_now)
{
	uint64_t huge = sum_zone(compact, zone, compact->huge_bytes);

	table_put_number(table, COL_FREE_BEFORE, sum_zone(compact, zone, 0));
	table_put_number(table, COL_HUGE_BEFORE, huge);
	table_put_number(table, COL_FRAG_BEFORE, percent_small(compact, zone));
	table_put_number(table, COL_GAINED, huge_now > huge ? huge_now - huge : 0);
}

static void put_zone(const struct compact *compact, struct table *table,
		     const struct mig_zone *zone, const struct mig_zone *before)
{
	uint64_t huge = sum_zone(compact, zone, compact->huge_bytes);

	table_add_row(table);
	table_put_number(table, COL_NODE, (uint64_t)zone->node);
	table_put_text(table, COL_ZONE, zone->name);
	table_put_number(table, COL_FREE, sum_zone(compact, zone, 0));
	table_put_number(table, COL_HUGE, huge);
	table_put_number(table, COL_FRAG, percent_small(compact, zone));
	if (before)
		put_before(compact, table, before, huge);
}

static void put_member(const struct compact *compact, struct table *table,
		       struct member *member)
{
	const struct mig_zones *zones = zones_now(member);
	const struct mig_zone *zone;

	member->first_row = table_get_nr_rows(table);
	for (size_t i = 0; (zone = mig_zones_get(zones, i)); i++)
		if (zone->node == member->node)
			put_zone(compact, table, zone,
				 compact->args->dry_run
					 ? NULL
					 : find_zone(member->before, zone));
	member->end_row = table_get_nr_rows(table);
}

static void say_gain(const struct compact *compact, const struct member *member)
{
	uint64_t before = sum_huge(compact, member, member->before);
	uint64_t after = sum_huge(compact, member, zones_now(member));
	char size[OUTPUT_BYTES_SIZE], seconds[DURATION_TEXT_SIZE];

	if (!member->rounds)
		return;
	printf("node %d: %s gained in %u round%s, %s\n", member->node,
	       after > before ? output_format_bytes(after - before,
						    compact->args->common.bytes, size)
			      : "nothing",
	       member->rounds, member->rounds == 1 ? "" : "s",
	       duration_format(member->elapsed_ns, seconds));
}

/* Why it was not come as far as was asked for. */
static void say_shortfall(const struct compact *compact, const struct member *member)
{
	const struct compact_args *args = compact->args;
	uint64_t free_bytes = mig_zones_sum_free(zones_now(member), member->node, 0);
	char have[OUTPUT_BYTES_SIZE], want[OUTPUT_BYTES_SIZE], all[OUTPUT_BYTES_SIZE];
	const char *why = "nothing more can be gained";

	if (compact->timed_out && !member->exhausted)
		why = "the time is over";
	else if (!member->exhausted)
		why = "stopped by a signal";
	output_format_bytes(free_bytes, args->common.bytes, all);
	message_error(
		"node %d: %s of %s are free in blocks of a huge page: %s", member->node,
		output_format_bytes(sum_huge(compact, member, zones_now(member)),
				    args->common.bytes, have),
		output_format_bytes(args->until_bytes, args->common.bytes, want), why);
	if (free_bytes < args->until_bytes)
		message_hint("only %s of node %d are free at all: 'migratectl drain "
			     "--free' makes room",
			     all, member->node);
}

static void write_member(const struct compact *compact, const struct table *table,
			 const struct member *member, struct json *json)
{
	json_open_object(json, NULL);
	json_put_number(json, "node", (uint64_t)member->node);
	json_put_number(json, "rounds", member->rounds);
	json_put_seconds(json, "seconds", member->elapsed_ns);
	json_put_bool(json, "exhausted", member->exhausted);
	if (compact->args->until_bytes)
		json_put_bool(json, "reached", is_reached(compact, member));
	else
		json_put_null(json, "reached");
	table_write_rows(table, member->first_row, member->end_row, json, "zones");
	json_close_object(json);
}

static int write_json(const struct compact *compact, const struct table *table)
{
	const struct compact_args *args = compact->args;
	struct json json;

	json_begin(&json, stdout);
	json_put_bool(&json, "dry_run", args->dry_run);
	json_put_number(&json, "huge_page_bytes", compact->huge_bytes);
	if (args->until_bytes)
		json_put_number(&json, "until_bytes", args->until_bytes);
	else
		json_put_null(&json, "until_bytes");
	json_put_bool(&json, "stopped", stop_signal_get());
	json_put_bool(&json, "timed_out", compact->timed_out);
	json_open_array(&json, "nodes");
	for (size_t i = 0; i < compact->nr; i++)
		write_member(compact, table, &compact->members[i], &json);
	json_close_array(&json);
	return json_end(&json);
}

#define BIT(column) (UINT64_C(1) << (column))

static int report(struct compact *compact)
{
	const struct common_args *common = &compact->args->common;
	const uint64_t now = BIT(COL_NODE) | BIT(COL_ZONE) | BIT(COL_FREE) |
			     BIT(COL_HUGE) | BIT(COL_FRAG);
	CLEANUP_TABLE struct table *table = NULL;
	int status = table_new(common, "compact", &column_set,
			       compact->args->dry_run ? now : 0, &table);

	if (status)
		return status;
	for (size_t i = 0; i < compact->nr; i++)
		put_member(compact, table, &compact->members[i]);
	status = table_check(table);
	if (status)
		return status;
	if (common->json)
		return write_json(compact, table);
	for (size_t i = 0; i < compact->nr && !common->raw && !common->noheadings; i++)
		say_gain(compact, &compact->members[i]);
	return table_print(table);
}

/* Return: the exit status that all of it together stands for. */
static int judge(const struct compact *compact)
{
	bool all_are_done = !compact->first_failure;

	for (size_t i = 0; i < compact->nr; i++) {
		const struct member *member = &compact->members[i];
		bool is_short = compact->args->until_bytes ? !is_reached(compact, member)
							   : !member->exhausted;

		if (member->failed || !is_short)
			continue;
		all_are_done = false;
		if (compact->args->until_bytes)
			say_shortfall(compact, member);
		else
			message_error("node %d was not compacted as far as it goes: %s",
				      member->node,
				      compact->timed_out ? "the time is over"
							 : "stopped by a signal");
	}
	return all_are_done ? STATUS_OK : STATUS_PARTLY;
}

/* ---- what is asked for ---- */

static int add_operand(struct compact *compact, const char *operand)
{
	const struct mig_topology *topology = compact->machine.topology;
	struct mig_nodeset nodes;
	int r = mig_nodeset_parse(topology, operand, strlen(operand), &nodes);
	int status;

	if (!r) {
		mig_nodeset_or(&compact->nodes, &nodes);
		return STATUS_OK;
	}
	status = message_failure(SUBJECT_NODES, r, "'%s'", operand);
	return status == STATUS_USAGE ? message_try("compact") : status;
}

/* Those without memory are said and passed over. */
static int choose_nodes(struct compact *compact)
{
	const struct common_args *common = &compact->args->common;
	const struct mig_nodeset *memory =
		mig_topology_get_nodes(compact->machine.topology, MIG_NODES_MEMORY);

	if (!common->nr_operands)
		compact->nodes = *memory;
	for (size_t i = 0; i < common->nr_operands; i++) {
		int status = add_operand(compact, common->operands[i]);

		if (status == STATUS_USAGE)
			return status;
		if (status)
			compact->first_failure = status;
	}
	for (int node = mig_nodeset_next(&compact->nodes, MIG_NO_NODE);
	     node != MIG_NO_NODE; node = mig_nodeset_next(&compact->nodes, node)) {
		if (mig_nodeset_has(memory, node))
			continue;
		message_error("node %d has no memory", node);
		compact->first_failure = STATUS_FAILED;
	}
	mig_nodeset_and(&compact->nodes, memory);
	return mig_nodeset_count(&compact->nodes) ? STATUS_OK : compact->first_failure;
}

static int begin(struct compact *compact)
{
	int status = choose_nodes(compact);

	if (status)
		return status;
	compact->members =
		calloc(mig_nodeset_count(&compact->nodes), sizeof(*compact->members));
	if (!compact->members)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot compact");
	for (int node = mig_nodeset_next(&compact->nodes, MIG_NO_NODE);
	     node != MIG_NO_NODE; node = mig_nodeset_next(&compact->nodes, node))
		compact->members[compact->nr++].node = node;
	return STATUS_OK;
}

static int run(const void *given)
{
	CLEANUP(compact_done) struct compact compact = { .args = given };
	const struct compact_args *args = given;
	int status = table_check_columns(&args->common, "compact", &column_set);

	if (status)
		return status;
	if (args->common.sysroot && !args->dry_run)
		return message_usage("compact", "--sysroot needs --dry-run");
	status = machine_open(args->common.sysroot, &compact.machine);
	if (!status)
		status = begin(&compact);
	if (status)
		return status;
	compact.begin_ns = clock_get_ns();
	stop_signal_watch();
	for (size_t i = 0; i < compact.nr && !compact.is_forbidden && !status; i++)
		status = compact_member(&compact, &compact.members[i]);
	if (compact.is_forbidden || compact.nr_failed == compact.nr)
		return compact.first_failure;
	if (!status)
		status = report(&compact);
	if (status)
		return status;
	if (args->dry_run)
		return compact.first_failure ? STATUS_PARTLY : STATUS_OK;
	return judge(&compact);
}

const struct command command_compact = {
	.name = "compact",
	.summary = "bring the free memory of nodes together, for huge pages",
	.operands = "[NODES...]",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.description =
		"Have the kernel compact nodes, all that have memory if none is named, "
		"and say for each zone how much is free in blocks of a huge page or "
		"more, before and afterwards.\n"
		"Each is compacted until nothing more is gained. Pages move within their "
		"zone; nothing leaves its node.",
	.notes = "It needs root, except for --dry-run.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct compact_args),
	.run = run,
};
