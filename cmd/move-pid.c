/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl move-pid: move processes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "handles.h"
#include "kind.h"
#include "message.h"
#include "move.h"
#include "pids.h"

struct move_pid_args {
	struct move_args move;
	bool tree;
};

static const struct option_word fallback_words[] = {
	{ "swap", MIG_FALLBACK_SWAP },
	{ NULL, 0 },
};

static const struct option_spec options[] = {
	OPTIONS_MOVE_WHERE,
	{ OPTION_WORD(struct move_args, shared), .name = "shared", .metavar = "WHICH",
	  .words = move_shared_words,
	  .help = "pages that other processes map too: anon (all but those of files; the "
		  "default with CAP_SYS_NICE), all, or none" },
	{ OPTION_WORDS(struct move_args, only), .name = "only", .metavar = "KINDS",
	  .words = kind_words, .help = "move only memory of these kinds" },
	{ OPTION_RANGE(struct move_args, range), .name = "range", .metavar = "START-END",
	  .help = "move only pages at these addresses" },
	{ OPTION_SIZE(struct move_args, min_size_bytes), .name = "min-size",
	  .metavar = "SIZE", .help = "pass over mappings with less resident memory" },
	OPTIONS_MOVE_HOW,
	{ OPTION_WORD(struct move_args, fallback), .name = "fallback", .metavar = "WAY",
	  .words = fallback_words,
	  .help = "for pages that cannot be moved: swap pages them out, so that they "
		  "come back where they are touched next" },
	OPTIONS_MOVE_END,
	{ OPTION_FLAG(struct move_pid_args, tree), .name = "tree",
	  .help = "with all descendants, looked for again until none is new" },
	OPTIONS_TABLE,
};

static const struct column_set *const column_sets[] = { &move_columns };

static const struct move_pid_args defaults = { .move = { MOVE_DEFAULTS } };

static void free_targets(struct move_target *targets, size_t nr_targets)
{
	for (size_t i = 0; i < nr_targets; i++) {
		mig_target_free(targets[i].target);
		free(targets[i].data);
	}
	free(targets);
}

static int open_target(const struct move *move, pid_t pid, bool tree,
		       struct move_target *ret_target)
{
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	char *label = NULL;
	int r = mig_target_new(move->machine.context, &target);

	if (!r)
		r = tree ? mig_target_add_tree(target, pid)
			 : mig_target_add_pid(target, pid);
	if (!r && asprintf(&label, "pid %d", pid) < 0)
		r = -ENOMEM;
	if (r < 0)
		return message_failure(SUBJECT_PROCESS, r, "pid %d", pid);
	*ret_target = (struct move_target){
		.target = target,
		.kind = MOVE_PROCESSES,
		.pid = pid,
		.name = mig_process_get_name(mig_target_get_process(target, 0)),
		.label = label,
		.data = label,
	};
	target = NULL;
	return STATUS_OK;
}

/* Those that cannot be held are said, and the others go on. */
static int open_targets(const struct move *move, const pid_t *pids, size_t nr_pids,
			bool tree, struct move_target *targets, size_t *ret_nr)
{
	int failure = STATUS_OK;
	size_t nr = 0;

	for (size_t i = 0; i < nr_pids; i++) {
		int status = open_target(move, pids[i], tree, &targets[nr]);

		if (status)
			failure = status;
		else
			nr++;
	}
	*ret_nr = nr;
	return failure;
}

/* Everybody whom the targets hold. */
static int join_targets(const struct move *move, const struct move_target *targets,
			size_t nr_targets, struct mig_target **ret_joined)
{
	CLEANUP_MIG(target) struct mig_target *joined = NULL;
	int r = mig_target_new(move->machine.context, &joined);

	for (size_t i = 0; !r && i < nr_targets; i++) {
		struct mig_target *target = targets[i].target;

		for (size_t j = 0; !r && j < mig_target_get_count(target); j++) {
			r = mig_target_add_pid(
				joined,
				mig_process_get_pid(mig_target_get_process(target, j)));
			if (r == -EEXIST || r == -ESRCH || r == -ENODATA)
				r = 0;
		}
	}
	if (r < 0)
		return message_failure(SUBJECT_PROCESS, r, "cannot hold all processes");
	*ret_joined = STEAL(joined);
	return STATUS_OK;
}

static int move_opened(const struct move *move, const struct move_target *targets,
		       size_t nr_targets)
{
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	struct move_target joined = { .label = "the processes" };
	int status = STATUS_OK;

	if (nr_targets > 1)
		status = join_targets(move, targets, nr_targets, &target);
	joined.target = target;
	return status ? status : move_targets(move, targets, nr_targets, &joined);
}

static int move_pids(const struct move *move, const struct move_pid_args *args,
		     const pid_t *pids, size_t nr_pids)
{
	struct move_target *targets = calloc(nr_pids, sizeof(*targets));
	size_t nr_targets = 0;
	int failure, status = STATUS_OK;

	if (!targets)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM,
				       "cannot hold the processes");
	failure = open_targets(move, pids, nr_pids, args->tree, targets, &nr_targets);
	if (nr_targets)
		status = move_opened(move, targets, nr_targets);
	free_targets(targets, nr_targets);
	if (!failure)
		return status;
	if (!nr_targets)
		return failure;
	return status == STATUS_OK ? STATUS_PARTLY : status;
}

static int run(const void *given)
{
	const struct move_pid_args *args = given;
	CLEANUP_FREE pid_t *pids = NULL;
	struct move move = { 0 };
	size_t nr_pids = 0;
	int status = pids_parse("move-pid", &args->move.common, &pids, &nr_pids);

	if (!status)
		status = move_begin("move-pid", &args->move, &move);
	if (!status)
		status = move_pids(&move, args, pids, nr_pids);
	move_end(&move);
	return status;
}

const struct command command_move_pid = {
	.name = "move-pid",
	.summary = "move the memory of processes to other nodes",
	.operands = "PID...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description =
		"Move the memory of running processes to other nodes, and say what "
		"moved, what did not, and why.\n"
		"The memory is moved while the processes run. Room, rights and "
		"cpusets are checked for the whole request before anything moves. "
		"With - as PID, numbers are read from standard input.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct move_pid_args),
	.defaults = &defaults,
	.run = run,
};
