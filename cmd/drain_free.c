/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making room on a node, and no more than is asked for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "drain.h"
#include "handles.h"
#include "message.h"
#include "number.h"
#include "size.h"
#include "stop_signal.h"

/* Who has not run in so long is idle. */
#define WATCH_NS UINT64_C(1000000000)

/* So much more cache is chosen at once than is needed: others take some meanwhile. */
#define MARGIN_BYTES (UINT64_C(4) << 20)

/** What is wanted of one node. */
struct goal {
	const struct mig_topology *topology;
	int node;
	uint64_t bytes;
	uint64_t before_bytes; /**< that were free */
};

/** A process, and how long it has run while it was watched. */
struct runner {
	pid_t pid;
	uint64_t ran_ns;
};

/** Everybody, in the order in which they are asked to go. */
struct runners {
	struct runner *runners;
	size_t nr;
};

/* Return: whether it is one; a share of a node in hundredths. */
static bool parse_percent(const char *text, uint64_t *ret_percent)
{
	size_t length = strlen(text);

	return length && text[length - 1] == '%' &&
	       !number_parse(text, length - 1, ret_percent) && *ret_percent &&
	       *ret_percent <= 100;
}

int drain_free_parse(const struct drain_args *args)
{
	uint64_t number;

	if (!args->free || parse_percent(args->free, &number) ||
	    (!size_parse(args->free, strlen(args->free), &number) && number))
		return STATUS_OK;
	return message_usage("drain",
			     "option '--free': '%s' is no size and no percentage",
			     args->free);
}

/* What has just become free is at first kept by the processor that freed it. */
static uint64_t free_bytes(const struct goal *goal)
{
	struct mig_node_memory memory;

	if (mig_topology_read_memory(goal->topology, goal->node, &memory) < 0 ||
	    memory.free_bytes == MIG_UNKNOWN_BYTES)
		return 0;
	return memory.held_bytes == MIG_UNKNOWN_BYTES
		       ? memory.free_bytes
		       : memory.free_bytes + memory.held_bytes;
}

static bool is_reached(void *data)
{
	const struct goal *goal = data;

	return free_bytes(goal) >= goal->bytes;
}

static bool is_late(const struct drain *drain)
{
	return drain->end_ns && clock_get_ns() >= drain->end_ns;
}

static bool is_over(const struct drain *drain, struct goal *goal)
{
	return is_reached(goal) || stop_signal_get() || is_late(drain);
}

static int set_goal(const struct drain *drain, int node, struct goal *goal)
{
	const struct mig_topology *topology = drain->move.machine.topology;
	struct mig_node_memory memory;
	uint64_t percent = 0;
	int r = mig_topology_read_memory(topology, node, &memory);

	if (r < 0)
		return message_failure(SUBJECT_MACHINE, r, "cannot read node %d", node);
	*goal = (struct goal){ .topology = topology, .node = node };
	if (parse_percent(drain->args->free, &percent))
		goal->bytes = memory.total_bytes / 100 * percent;
	else
		size_parse(drain->args->free, strlen(drain->args->free), &goal->bytes);
	goal->before_bytes = free_bytes(goal);
	if (goal->bytes <= memory.total_bytes)
		return STATUS_OK;
	message_error("node %d has less memory than is to be free there", node);
	return STATUS_FAILED;
}

/* What must leave has to fit somewhere. */
static int check_room(const struct drain *drain, const struct goal *goal)
{
	const struct mig_nodeset *targets =
		mig_placement_get_targets(drain->move.placement);
	uint64_t has = free_bytes(goal), room = 0;
	uint64_t needed = goal->bytes > has ? goal->bytes - has : 0;
	char needed_text[OUTPUT_BYTES_SIZE], room_text[OUTPUT_BYTES_SIZE];

	for (int node = mig_nodeset_next(targets, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(targets, node)) {
		struct mig_node_memory memory;

		if (mig_topology_read_memory(goal->topology, node, &memory) < 0 ||
		    memory.room_bytes == MIG_UNKNOWN_BYTES)
			return STATUS_OK;
		room += memory.room_bytes;
	}
	if (needed <= room || drain->args->move.force)
		return STATUS_OK;
	message_error("%s would leave node %d, and there is room for %s elsewhere",
		      output_format_bytes(needed, false, needed_text), goal->node,
		      output_format_bytes(room, false, room_text));
	message_hint("--force moves what fits; or name more nodes with --to");
	return STATUS_FAILED;
}

static int move_some(struct drain *drain, struct drain_target *target, struct goal *goal)
{
	uint64_t has = free_bytes(goal);

	drain->move.most_cache_bytes =
		MARGIN_BYTES + (goal->bytes > has ? goal->bytes - has : 0);
	return drain_run(drain, target, NULL);
}

static int move_cache(struct drain *drain, struct goal *goal)
{
	struct drain_target target;
	int status = drain_target_open(drain, DRAIN_CACHE, &target);

	if (status)
		return status;
	status = move_some(drain, &target, goal);
	drain_target_close(&target);
	return status;
}

/* Of what is chosen at once some may not go. Processes come when next to nothing does. */
static int move_all_cache(struct drain *drain, struct goal *goal)
{
	uint64_t moved_before;
	int status;

	do {
		moved_before = drain->sums.moved_pages;
		status = move_cache(drain, goal);
	} while (!status && !is_over(drain, goal) &&
		 drain->sums.moved_pages - moved_before > DRAIN_TRIFLE_PAGES);
	return status;
}

static int read_runners(struct mig_target *everybody, struct runners *runners)
{
	runners->nr = mig_target_get_count(everybody);
	runners->runners = calloc(runners->nr + 1, sizeof(*runners->runners));
	if (!runners->runners)
		return -ENOMEM;
	for (size_t i = 0; i < runners->nr; i++) {
		struct mig_process *process = mig_target_get_process(everybody, i);

		runners->runners[i].pid = mig_process_get_pid(process);
		mig_process_read_run_time(process, &runners->runners[i].ran_ns);
	}
	return 0;
}

static int by_run_time(const void *a, const void *b)
{
	const struct runner *left = a, *right = b;

	return (left->ran_ns > right->ran_ns) - (left->ran_ns < right->ran_ns);
}

/* How long they have run since they were read; those that have ended not at all. */
static void watch_runners(struct mig_target *everybody, struct runners *runners,
			  uint64_t watched_ns)
{
	const struct timespec rest = {
		.tv_nsec = watched_ns < WATCH_NS ? (long)(WATCH_NS - watched_ns) - 1 : 0,
	};

	nanosleep(&rest, NULL);
	for (size_t i = 0; i < runners->nr; i++) {
		struct runner *runner = &runners->runners[i];
		uint64_t ran_ns = runner->ran_ns;

		mig_process_read_run_time(mig_target_get_process(everybody, i), &ran_ns);
		runner->ran_ns = ran_ns - runner->ran_ns;
	}
	qsort(runners->runners, runners->nr, sizeof(*runners->runners), by_run_time);
}

/* The idle ones together, the others one after the other. */
static size_t count_alike(const struct runners *runners, size_t first)
{
	size_t end = first + 1;

	while (end < runners->nr && !runners->runners[first].ran_ns &&
	       !runners->runners[end].ran_ns)
		end++;
	return end - first;
}

/* What goes wrong is said, and the others go on: the goal decides. */
static void move_runners(struct drain *drain, const struct runner *runners, size_t nr,
			 struct goal *goal)
{
	struct drain_target target = { 0 };
	int r = mig_target_new(drain->move.machine.context, &target.target);

	for (size_t i = 0; !r && i < nr; i++) {
		r = mig_target_add_pid(target.target, runners[i].pid);
		if (r == -EEXIST || r == -ESRCH || r == -ENODATA || r == -ENXIO)
			r = 0;
	}
	if (r < 0)
		message_failure(SUBJECT_SYSTEM, r, "cannot hold processes");
	else if (mig_target_get_count(target.target))
		move_some(drain, &target, goal);
	drain_target_close(&target);
}

static void move_everybody(struct drain *drain, struct mig_target *everybody,
			   struct runners *runners, uint64_t begin_ns, struct goal *goal)
{
	watch_runners(everybody, runners, clock_get_ns() - begin_ns);
	for (size_t i = 0, nr; i < runners->nr && !is_over(drain, goal); i += nr) {
		nr = count_alike(runners, i);
		move_runners(drain, runners->runners + i, nr, goal);
	}
}

/* For the report, where there is one. */
static void keep_goal(struct drain *drain, const struct goal *goal, uint64_t bytes)
{
	drain->goals[drain->nr_goals++] = (struct drain_goal){
		.node = goal->node,
		.wanted_bytes = goal->bytes,
		.before_bytes = goal->before_bytes,
		.free_bytes = bytes,
	};
}

/* The node's goal is what decides; that this or that did not go is in the report. */
static int report_goal(struct drain *drain, const struct goal *goal)
{
	char has[OUTPUT_BYTES_SIZE], wanted[OUTPUT_BYTES_SIZE];
	uint64_t bytes = free_bytes(goal);

	keep_goal(drain, goal, bytes);
	if (bytes >= goal->bytes)
		return STATUS_OK;
	message_error("node %d: %s are free, not %s%s", goal->node,
		      output_format_bytes(bytes, false, has),
		      output_format_bytes(goal->bytes, false, wanted),
		      is_late(drain) ? ", and the time is up" : "");
	return STATUS_PARTLY;
}

/* A dry run says how much would have to leave, and not what that would be. */
static void say_needed(const struct drain *drain, const struct goal *goal)
{
	const struct common_args *common = &drain->args->move.common;
	uint64_t has = goal->before_bytes;
	char has_text[OUTPUT_BYTES_SIZE], needed[OUTPUT_BYTES_SIZE];

	if (common->json || common->noheadings || common->raw)
		return;
	output_format_bytes(has, common->bytes, has_text);
	output_format_bytes(goal->bytes > has ? goal->bytes - has : 0, common->bytes,
			    needed);
	printf("node %d: a dry run, nothing is moved: %s are free, %s would leave\n",
	       goal->node, has_text, needed);
}

/* Return: STATUS_OK, or the status of what has ended it. */
static int make_room(struct drain *drain, struct goal *goal)
{
	CLEANUP_MIG(target) struct mig_target *everybody = NULL;
	struct runners runners = { 0 };
	uint64_t begin_ns = clock_get_ns();
	int status = STATUS_OK;
	int r = mig_target_new(drain->move.machine.context, &everybody);

	if (!r)
		r = mig_target_add_everybody(everybody);
	if (!r)
		r = read_runners(everybody, &runners);
	if (r < 0)
		status = message_failure(SUBJECT_SYSTEM, r, "cannot list processes");
	if (!status)
		status = move_all_cache(drain, goal);
	if (status != STATUS_FAILED && !is_over(drain, goal))
		move_everybody(drain, everybody, &runners, begin_ns, goal);
	free(runners.runners);
	return status;
}

static int free_node(struct drain *drain, int node)
{
	bool is_dry = drain->args->move.dry_run;
	struct goal goal;
	int refused = STATUS_OK, status = set_goal(drain, node, &goal);

	if (!status && is_dry)
		say_needed(drain, &goal);
	if (!status && !is_reached(&goal))
		refused = check_room(drain, &goal);
	if (status || (refused && !is_dry))
		return status ? status : refused;
	drain_begin(drain);
	if (is_dry) {
		keep_goal(drain, &goal, goal.before_bytes);
		return refused;
	}
	drain->move.has_enough = is_reached;
	drain->move.enough_data = &goal;
	if (!is_reached(&goal))
		status = make_room(drain, &goal);
	drain->move.has_enough = NULL;
	return status == STATUS_FAILED ? status : report_goal(drain, &goal);
}

int drain_free(struct drain *drain)
{
	const struct mig_nodeset nodes = drain->nodes;
	int status = STATUS_OK;

	drain->goals = calloc(mig_nodeset_count(&nodes), sizeof(*drain->goals));
	if (!drain->goals)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "--free");
	for (int node = mig_nodeset_next(&nodes, MIG_NO_NODE);
	     node != MIG_NO_NODE && !stop_signal_get();
	     node = mig_nodeset_next(&nodes, node)) {
		struct mig_nodeset one = { { 0 } };
		int done;

		mig_nodeset_add(&one, node);
		done = drain_choose(drain, &one);
		if (!done)
			done = free_node(drain, node);
		status = node == mig_nodeset_next(&nodes, MIG_NO_NODE)
				 ? done
				 : move_worse(status, done);
	}
	return status;
}

void drain_free_write(const struct drain *drain, struct json *json)
{
	json_open_array(json, "free");
	for (size_t i = 0; i < drain->nr_goals; i++) {
		const struct drain_goal *goal = &drain->goals[i];
		uint64_t missing = goal->wanted_bytes > goal->free_bytes
					   ? goal->wanted_bytes - goal->free_bytes
					   : 0;

		json_open_object(json, NULL);
		json_put_signed(json, "node", goal->node);
		json_put_number(json, "wanted_bytes", goal->wanted_bytes);
		json_put_number(json, "before_bytes", goal->before_bytes);
		json_put_number(json, "free_bytes", goal->free_bytes);
		json_put_number(json, "missing_bytes", missing);
		json_close_object(json);
	}
	json_close_array(json);
}
