/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl move-file: move the cached pages of files. */
#include <limits.h>
#include <stdio.h>

#include "command.h"
#include "file_args.h"
#include "handles.h"
#include "message.h"
#include "move.h"

struct move_file_args {
	struct move_args move;
	struct file_args files;
};

static const struct option_word fallback_words[] = {
	{ "reread", MIG_FALLBACK_REREAD },
	{ NULL, 0 },
};

static const struct option_spec options[] = {
	OPTIONS_MOVE_WHERE,
	OPTIONS_FILES(struct move_file_args),
	{ OPTION_WORD(struct move_args, shared), .name = "shared", .metavar = "WHICH",
	  .words = move_shared_words,
	  .help = "pages that processes have mapped: all (the default with "
		  "CAP_SYS_NICE), anon (of files in memory, as tmpfs), or none" },
	{ OPTION_FLAG(struct move_args, writeback), .name = "writeback",
	  .help = "move dirty pages too where the file system has to write them out for "
		  "it" },
	OPTIONS_MOVE_HOW,
	{ OPTION_WORD(struct move_args, fallback), .name = "fallback", .metavar = "WAY",
	  .words = fallback_words,
	  .help = "for clean pages that cannot be moved: reread drops them and reads "
		  "them again on the wanted node" },
	OPTIONS_MOVE_END,
	OPTIONS_TABLE,
};

static const struct column_set *const column_sets[] = { &move_columns };

static const struct move_file_args defaults = { .move = { MOVE_DEFAULTS } };

static bool only_operands(const struct file_args *args)
{
	return !args->recurse && !args->mount && !args->of_pid && !args->files0_from;
}

/* What the user named, in few words. */
static void name_files(const struct common_args *common, const struct file_args *args,
		       struct move_target *target, char *text, size_t size)
{
	target->name = text;
	if (common->nr_operands == 1 && !args->mount && !args->of_pid &&
	    !args->files0_from)
		target->name = common->operands[0];
	else if (common->nr_operands)
		snprintf(text, size, "%zu path%s", common->nr_operands,
			 only_operands(args) || args->recurse ? "s" : "s and more");
	else if (args->mount)
		target->name = args->mount;
	else if (args->of_pid)
		snprintf(text, size, "files of pid %u", args->of_pid);
	else
		snprintf(text, size, "listed files");
}

static bool all_failed(const struct common_args *common, const struct file_args *args,
		       const struct file_set *set)
{
	return only_operands(args) && set->nr_problems >= common->nr_operands;
}

static int move_files(struct move *move, const struct move_file_args *args,
		      struct file_set *set)
{
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	struct move_target named = { .kind = MOVE_FILES, .label = "the files" };
	char text[64];
	int status;
	int r = mig_target_new(move->machine.context, &target);

	if (!r)
		r = mig_target_add_files(target, set->files);
	if (r < 0)
		return message_failure(SUBJECT_SYSTEM, r, "cannot move files");
	named.target = target;
	name_files(&args->move.common, &args->files, &named, text, sizeof(text));
	status = move_targets(move, &named, 1, NULL);
	/* A dry run has no outcome that would count them. */
	if (status != STATUS_OK || !set->nr_problems)
		return status;
	return all_failed(&args->move.common, &args->files, set) ? STATUS_FAILED
								 : STATUS_PARTLY;
}

static int run(const void *given)
{
	const struct move_file_args *args = given;
	struct move move = { 0 };
	struct file_set set;
	int status = move_begin("move-file", &args->move, &move);

	if (status)
		return status;
	status = file_set_open("move-file", &move.machine, &args->move.common,
			       &args->files, &set);
	if (!status) {
		status = move_files(&move, args, &set);
		file_set_close(&set);
	}
	move_end(&move);
	return status;
}

const struct command command_move_file = {
	.name = "move-file",
	.summary = "move the cached pages of files to other nodes",
	.operands = "[PATH...]",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.description =
		"Move what is cached of files to other nodes, and say what moved, what "
		"did not, and why.\n"
		"Nothing is read in. Dirty pages arrive dirty; where the file system "
		"would have to write them out first they are passed over, unless "
		"--writeback is given. Pages that processes have mapped, running "
		"programs and their libraries among them, move while they are in use.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct move_file_args),
	.defaults = &defaults,
	.run = run,
};
