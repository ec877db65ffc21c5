/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl drain: move all that is on nodes to others, and take their memory offline. */
#include "drain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "clock.h"
#include "command.h"
#include "findings.h"
#include "handles.h"
#include "message.h"
#include "stop_signal.h"

#define EXCLUSIVE_WAY 1U
#define EXCLUSIVE_ZONE 2U
#define EXCLUSIVE_RECLAIM 4U
#define EXCLUSIVE_FENCE 8U

static const struct option_spec options[] = {
	{ OPTION_STRING(struct move_args, to), .letter = 't', .name = "to",
	  .metavar = "NODES",
	  .help = "where pages go; by default all other nodes, the nearest with room "
		  "first" },
	{ OPTION_STRING(struct drain_args, free), .name = "free",
	  .metavar = "SIZE|PERCENT",
	  .exclusive = EXCLUSIVE_WAY | EXCLUSIVE_RECLAIM | EXCLUSIVE_FENCE,
	  .help = "stop as soon as so much is free on each node: what nobody has mapped "
		  "goes first, then what is idle" },
	{ OPTION_STRING(struct drain_args, fence), .name = "fence",
	  .metavar = "CGROUP,...", .exclusive = EXCLUSIVE_FENCE,
	  .help = "take the nodes out of cpuset.mems of these cgroups, for good" },
	{ OPTION_STRING(struct move_args, search), .name = "search", .metavar = "PATH",
	  .help = "look for cache that nobody has mapped in files below PATH, also "
		  "where DAMON could move it" },
	{ OPTION_FLAG(struct move_args, writeback), .name = "writeback",
	  .help = "move dirty pages too where the file system has to write them out for "
		  "it" },
	{ OPTION_FLAG(struct drain_args, reclaim), .name = "reclaim",
	  .exclusive = EXCLUSIVE_RECLAIM,
	  .help = "have the kernel drop clean cache that would not move" },
	{ OPTION_UNSIGNED(struct drain_args, rounds), .name = "rounds", .metavar = "N",
	  .minimum = 1, .maximum = 1000,
	  .help = "how often at the most to look for what came meanwhile; 8 by "
		  "default" },
	{ OPTION_FLAG(struct drain_args, offline), .name = "offline",
	  .exclusive = EXCLUSIVE_WAY,
	  .help = "then take the memory blocks of the nodes offline" },
	{ OPTION_DURATION(struct drain_args, offline_timeout_ns),
	  .name = "offline-timeout", .metavar = "DURATION", .minimum = 1,
	  .help = "how long to try each block; 30s by default" },
	{ OPTION_FLAG(struct drain_args, online), .name = "online",
	  .exclusive = EXCLUSIVE_WAY,
	  .help = "drain nothing: bring the memory blocks of the nodes back" },
	{ OPTION_FLAG(struct drain_args, movable), .name = "movable",
	  .exclusive = EXCLUSIVE_ZONE,
	  .help = "with --online: for pages that move only, so that they can be taken "
		  "offline again" },
	{ OPTION_FLAG(struct drain_args, kernel), .name = "kernel",
	  .exclusive = EXCLUSIVE_ZONE, .help = "with --online: for the kernel too" },
	OPTIONS_MOVE_HOW,
	OPTIONS_MOVE_END,
	OPTIONS_TABLE,
};

static const struct column_set *const column_sets[] = { &move_columns, &blocks_columns };

static const struct drain_args defaults = {
	.move = { MOVE_DEFAULTS, .cache = true, .shared = MIG_SHARED_ALL },
	.rounds = 8,
};

/* ---- What is to be drained, and where to ---- */

static int parse_operands(struct drain *drain)
{
	const struct common_args *common = &drain->args->move.common;

	for (size_t i = 0; i < common->nr_operands; i++) {
		const char *text = common->operands[i];
		struct mig_nodeset nodes;
		int r = mig_nodeset_parse(drain->move.machine.topology, text,
					  strlen(text), &nodes);

		if (r < 0)
			return message_failure(SUBJECT_NODES, r, "'%s'", text);
		mig_nodeset_or(&drain->nodes, &nodes);
	}
	return STATUS_OK;
}

static int choose_targets(struct drain *drain)
{
	const struct machine *machine = &drain->move.machine;
	const char *to = drain->args->move.to;
	char text[128];
	int status = STATUS_OK;

	if (to)
		status = machine_parse_nodes(machine, "drain", "--to", to,
					     &drain->targets);
	else
		drain->targets =
			*mig_topology_get_nodes(machine->topology, MIG_NODES_ALLOWED);
	for (int node = mig_nodeset_next(&drain->nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(&drain->nodes, node)) {
		if (to && !status && mig_nodeset_has(&drain->targets, node))
			return message_usage(
				"drain", "option '--to': node %d is to be drained", node);
		mig_nodeset_remove(&drain->targets, node);
	}
	if (status || mig_nodeset_count(&drain->targets))
		return status;
	mig_nodeset_format(&drain->nodes, text, sizeof(text));
	message_error("nothing can leave node%s %s: no other node has memory",
		      mig_nodeset_count(&drain->nodes) > 1 ? "s" : "", text);
	return STATUS_FAILED;
}

int drain_choose(struct drain *drain, const struct mig_nodeset *nodes)
{
	const struct mig_placement_options placement = {
		.size = sizeof(placement),
		.place = MIG_PLACE_NEAREST,
		.from = nodes,
		.to = &drain->targets,
	};
	char text[200];
	int r;

	mig_placement_free(drain->move.placement);
	drain->move.placement = NULL;
	mig_nodeset_format(nodes, text, sizeof(text));
	snprintf(drain->name, sizeof(drain->name), "node%s %s",
		 mig_nodeset_count(nodes) > 1 ? "s" : "", text);
	drain->nodes = *nodes;
	r = mig_placement_new(drain->move.machine.topology, &placement,
			      &drain->move.placement);
	return r < 0 ? message_failure(SUBJECT_PLACEMENT, r, "cannot drain %s",
				       drain->name)
		     : STATUS_OK;
}

/* ---- Rounds ---- */

static struct move_target name_target(const struct drain *drain,
				      const struct drain_target *target)
{
	return (struct move_target){
		.target = target->target,
		.kind = MOVE_NODES,
		.name = drain->name,
		.label = drain->name,
		.nodes = &drain->nodes,
		.round = drain->round,
	};
}

/* Each round has the time that the others have left. */
static void set_timeout(struct drain *drain)
{
	uint64_t now = clock_get_ns();

	if (drain->end_ns)
		drain->moving.timeout_ns = drain->end_ns > now ? drain->end_ns - now : 1;
}

/* What something holds is as it was a moment ago; DAMON passes over what is locked, which
 * then is in no file. */
static uint64_t count_busy(const struct mig_outcome *outcome)
{
	const struct mig_left *left;
	uint64_t pages = 0;

	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++)
		if (left->reason == MIG_REASON_BUSY ||
		    left->reason == MIG_REASON_NO_MEMORY ||
		    left->reason == MIG_REASON_NO_FILE ||
		    left->reason == MIG_REASON_UNKNOWN)
			pages += left->nr_pages;
	return pages;
}

static void add_sums(struct drain_sums *sums, const struct mig_outcome *outcome,
		     bool had_enough)
{
	const struct mig_totals *totals = mig_outcome_get_totals(outcome);

	sums->moved_pages += totals->moved_pages;
	sums->left_pages = totals->left_pages;
	sums->busy_pages = count_busy(outcome);
	sums->is_broken_off |= (totals->stopped && !had_enough) || totals->timed_out ||
			       totals->processes_denied || totals->error;
}

static uint64_t planned_pages(const struct drain *drain, const struct mig_plan *plan)
{
	return mig_plan_get_total_bytes(plan) / drain->page_size;
}

void drain_begin(struct drain *drain)
{
	if (!drain->is_begun)
		move_report_begin(&drain->report, &drain->move);
	drain->is_begun = true;
}

int drain_run(struct drain *drain, const struct drain_target *target,
	      struct mig_plan *plan)
{
	CLEANUP_MIG(plan) struct mig_plan *own = NULL;
	CLEANUP_MIG(outcome) struct mig_outcome *outcome = NULL;
	struct move_target named;
	int status = STATUS_OK;

	drain->round++;
	named = name_target(drain, target);
	set_timeout(drain);
	if (!plan)
		status = move_plan(&drain->move, &named, &own);
	if (!plan)
		plan = own;
	if (plan && !planned_pages(drain, plan)) {
		drain->round--;
		return STATUS_OK;
	}
	if (status)
		return status;
	status = move_run(&drain->move, &named, plan, &drain->report, &outcome);
	if (!outcome)
		return status;
	add_sums(&drain->sums, outcome,
		 drain->move.has_enough &&
			 drain->move.has_enough(drain->move.enough_data));
	return STATUS_OK;
}

/* Plan what is there now, and count what is more than was left. */
static int plan_again(struct drain *drain, const struct drain_target *target,
		      struct mig_plan **ret_plan, uint64_t *ret_pages)
{
	const struct move_target named = name_target(drain, target);
	uint64_t left = drain->sums.left_pages, found;
	int status = move_plan(&drain->move, &named, ret_plan);

	if (status)
		return status;
	found = planned_pages(drain, *ret_plan);
	if (drain->round && found > left)
		drain->sums.came_pages += found - left;
	if (!found)
		drain->sums.left_pages = 0;
	*ret_pages = found;
	return STATUS_OK;
}

/* What came to the nodes since the last round, or would not go and may now. */
static int run_again(struct drain *drain, bool *ret_goes_on)
{
	uint64_t moved_before = drain->sums.moved_pages, found = 0;
	uint64_t left_before = drain->sums.left_pages;
	bool is_first = !drain->round, busy_before = drain->sums.busy_pages > 0;
	CLEANUP(drain_target_close) struct drain_target target = { 0 };
	CLEANUP_MIG(plan) struct mig_plan *plan = NULL;
	int status = drain_target_open(drain, DRAIN_PROCESSES | DRAIN_CACHE, &target);

	if (!status)
		status = plan_again(drain, &target, &plan, &found);
	/* A page or two always come, if only of what is printed here. */
	if (!status &&
	    (is_first || busy_before || found > left_before + DRAIN_TRIFLE_PAGES))
		status = drain_run(drain, &target, plan);
	*ret_goes_on = drain->sums.moved_pages - moved_before > DRAIN_TRIFLE_PAGES ||
		       drain->sums.left_pages < left_before;
	return status;
}

static int run_rounds(struct drain *drain)
{
	bool goes_on = true;
	int status = STATUS_OK;

	while (!status && goes_on && drain->round < drain->args->rounds &&
	       !drain->sums.is_broken_off && !stop_signal_get())
		status = run_again(drain, &goes_on);
	return status;
}

/* --settle: only look. */
static int settle(struct drain *drain)
{
	CLEANUP(drain_target_close) struct drain_target target = { 0 };
	CLEANUP_MIG(plan) struct mig_plan *plan = NULL;
	uint64_t found;
	int status;

	move_wait_settled(drain->args->move.settle_ns);
	status = drain_target_open(drain, DRAIN_PROCESSES | DRAIN_CACHE, &target);
	return status ? status : plan_again(drain, &target, &plan, &found);
}

/* Huge pages in files that nobody has mapped. Those of processes are gone already. */
static int run_hugetlbfs(struct drain *drain)
{
	CLEANUP_MIG(files) struct mig_files *files = NULL;
	CLEANUP(drain_target_close) struct drain_target target = { 0 };
	CLEANUP_MIG(plan) struct mig_plan *plan = NULL;
	struct move_target named;
	int status = STATUS_OK;
	int r = mig_files_new(drain->move.machine.context, NULL, &files);

	if (!r)
		r = mig_files_add_mounts(files, "hugetlbfs");
	if (!r)
		r = mig_target_new(drain->move.machine.context, &target.target);
	if (!r)
		r = mig_target_add_files(target.target, files);
	if (r < 0)
		status = message_failure(SUBJECT_SYSTEM, r, "cannot list huge pages");
	named = name_target(drain, &target);
	if (!status)
		status = move_plan(&drain->move, &named, &plan);
	if (!status && planned_pages(drain, plan)) {
		uint64_t left = drain->sums.left_pages;

		status = drain_run(drain, &target, plan);
		drain->sums.left_pages += left;
	}
	return status;
}

/* ---- The whole ---- */

/* Our own memory is no part of what moves: it changes with each page that does. */
static void move_self(const struct drain *drain)
{
	struct mig_migration migration;
	int r = mig_nodes_migrate(drain->move.machine.context, 0, &drain->nodes,
				  &drain->targets, &migration);

	if (r < 0)
		message_failure(SUBJECT_SYSTEM, r,
				"cannot move migratectl's own memory off %s",
				drain->name);
}

/* Return: STATUS_OK, or a status after a message. */
static int reclaim(struct drain *drain)
{
	const struct common_args *common = &drain->args->move.common;
	char text[OUTPUT_BYTES_SIZE];
	int status = STATUS_OK;

	for (int node = mig_nodeset_next(&drain->nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(&drain->nodes, node)) {
		uint64_t bytes = 0;
		int r = mig_node_reclaim(drain->move.machine.context, node, &bytes);

		drain->sums.reclaimed_bytes += bytes;
		if (r < 0)
			status = message_failure(SUBJECT_RECLAIM, r, "node %d", node);
	}
	if (!common->json && !common->noheadings && !common->raw)
		printf("%s of page cache reclaimed\n",
		       output_format_bytes(drain->sums.reclaimed_bytes, common->bytes,
					   text));
	return status;
}

/* The share that has left of what should: memory of the kernel's own does not count. */
static int status_of_sums(const struct drain *drain)
{
	const struct drain_sums *sums = &drain->sums;
	unsigned int percent = drain->args->move.require_percent;

	if (sums->is_broken_off || stop_signal_get())
		return STATUS_PARTLY;
	if ((double)sums->moved_pages * 100 >=
	    (double)percent * (double)(sums->moved_pages + sums->left_pages))
		return STATUS_OK;
	/* Also where nothing moved: all the rest was elsewhere already. */
	return STATUS_PARTLY;
}

static void say_came(const struct drain *drain)
{
	char text[OUTPUT_BYTES_SIZE];

	if (drain->sums.came_pages <= DRAIN_TRIFLE_PAGES)
		return;
	message_warning("%s: %s came there meanwhile", drain->name,
			output_format_bytes(drain->sums.came_pages * drain->page_size,
					    false, text));
	if (!drain->args->fence)
		message_hint("--fence keeps the processes of cgroups off");
}

/* With fences, what there is left to do is another thing than what was planned. */
static int run_first(struct drain *drain, const struct drain_target *target,
		     struct mig_plan *plan)
{
	int status = STATUS_OK;

	move_self(drain);
	if (drain->fences.nr)
		status = drain_fences_set(drain, &drain->fences);
	else
		status = drain_run(drain, target, plan);
	return status;
}

static int run_all(struct drain *drain, const struct drain_target *target,
		   struct mig_plan *plan)
{
	int status = run_first(drain, target, plan);
	int unclaimed = STATUS_OK;

	if (!status)
		status = run_rounds(drain);
	if (!status && !stop_signal_get())
		status = run_hugetlbfs(drain);
	if (!status && drain->args->move.settle_ns && !stop_signal_get())
		status = settle(drain);
	if (!status && drain->args->reclaim && !stop_signal_get())
		unclaimed = reclaim(drain);
	drain->has_failed = status != STATUS_OK;
	if (!status)
		status = unclaimed ? STATUS_PARTLY : status_of_sums(drain);
	say_came(drain);
	return status;
}

static int drain_nodes(struct drain *drain)
{
	CLEANUP(drain_target_close) struct drain_target target = { 0 };
	CLEANUP_MIG(plan) struct mig_plan *plan = NULL;
	struct move_target named;
	int refused = STATUS_OK;
	int status = drain_fences_open(drain, &drain->fences);

	if (!status)
		status = drain_target_open(drain, DRAIN_PROCESSES | DRAIN_CACHE, &target);
	named = name_target(drain, &target);
	if (!status)
		status = move_plan(&drain->move, &named, &plan);
	if (!status)
		refused = findings_say(plan, drain->args->move.force, 0);
	if (status || (refused && !drain->args->move.dry_run))
		return status ? status : refused;
	drain_begin(drain);
	if (!drain->args->move.dry_run)
		return run_all(drain, &target, plan);
	status = move_report_add_plan(&drain->report, &named, plan);
	return refused ? refused : status;
}

static void put_sums(struct drain *drain)
{
	struct json *json = &drain->report.json;

	json_put_number(json, "came_bytes", drain->sums.came_pages * drain->page_size);
	json_put_number(json, "reclaimed_bytes", drain->sums.reclaimed_bytes);
	if (drain->args->free)
		drain_free_write(drain, json);
}

/* What is there afterwards, and what becomes of it. */
static int finish(struct drain *drain, int status)
{
	const struct common_args *common = &drain->args->move.common;
	int rest, offline = STATUS_OK, written = STATUS_OK;

	if (common->json) {
		json_close_array(&drain->report.json);
		put_sums(drain);
	}
	rest = drain_rest_report(drain);
	if (drain->args->offline && !stop_signal_get())
		offline = drain_offline(drain);
	if (common->json)
		written = json_end(&drain->report.json);
	/* Whoever ends it before that finds them as they were. */
	if (drain_fences_end(&drain->fences, !drain->has_failed && !stop_signal_get()))
		status = move_worse(status, STATUS_PARTLY);
	if (drain->args->offline)
		status = move_worse(status, offline);
	if (rest)
		status = move_worse(status, rest);
	return written ? written : status;
}

/* A node whose memory is offline already is as it should be. */
static bool has_memory(const struct drain *drain)
{
	struct mig_nodeset nodes = drain->nodes;

	mig_nodeset_and(&nodes, mig_topology_get_nodes(drain->move.machine.topology,
						       MIG_NODES_MEMORY));
	return mig_nodeset_count(&nodes) > 0;
}

static void say_empty(struct drain *drain)
{
	message_warning("%s: no memory to be drained", drain->name);
	drain_begin(drain);
}

static int run_drain(struct drain *drain)
{
	const struct mig_nodeset nodes = drain->nodes;
	int status = choose_targets(drain);

	if (!status)
		status = drain_choose(drain, &nodes);
	if (status)
		return status;
	stop_signal_watch();
	if (drain->moving.timeout_ns)
		drain->end_ns = clock_get_ns() + drain->moving.timeout_ns;
	drain->page_size = mig_context_get_page_size(drain->move.machine.context);
	if (has_memory(drain))
		status = drain->args->free ? drain_free(drain) : drain_nodes(drain);
	else
		say_empty(drain);
	if (!drain->is_begun || drain_choose(drain, &nodes))
		return status ? status : STATUS_FAILED;
	return finish(drain, status);
}

static int check_args(const struct drain_args *args)
{
	if ((args->movable || args->kernel) && !args->online)
		return message_usage("drain", "--%s needs --online",
				     args->movable ? "movable" : "kernel");
	if (args->offline_timeout_ns && !args->offline)
		return message_usage("drain", "--offline-timeout needs --offline");
	if (args->online &&
	    (args->move.to || args->fence || args->move.search || args->reclaim))
		return message_usage("drain", "--online moves nothing");
	return drain_free_parse(args);
}

static int run(const void *given)
{
	const struct drain_args *args = given;
	struct drain drain = { .args = args, .moving = args->move };
	int status = check_args(args);

	if (!status)
		status = table_check_columns(&args->move.common, "drain",
					     args->online ? &blocks_columns
							  : &move_columns);
	if (!status)
		status = machine_open(NULL, &drain.move.machine);
	if (status)
		return status;
	drain.moving.settle_ns = 0;
	drain.move.args = &drain.moving;
	drain.move.command = "drain";
	status = parse_operands(&drain);
	if (!status)
		status = args->online ? drain_online(&drain) : run_drain(&drain);
	move_end(&drain.move);
	drain_fences_close(&drain.fences);
	free(drain.goals);
	return status;
}

const struct command command_drain = {
	.name = "drain",
	.summary = "move all memory off nodes, and take it offline",
	.operands = "NODE...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description =
		"Move what is on nodes to other nodes: the memory of all processes, "
		"what "
		"they share, page cache that nobody has mapped, and huge pages. Say "
		"what "
		"moved, what did not, and why, and what is on the nodes afterwards.\n"
		"It is planned first, and refused if it does not fit. What comes to "
		"the "
		"nodes meanwhile is moved in further rounds.",
	.notes = "Memory of the kernel's own cannot move. It needs root.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct drain_args),
	.defaults = &defaults,
	.run = run,
};
