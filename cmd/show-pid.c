/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl show-pid: where the memory of processes lies. */
#include "show-pid.h"

#include <errno.h>
#include <string.h>

#include "command.h"
#include "handles.h"
#include "message.h"
#include "pids.h"

/* --by-kind, --maps and --picture are different views; not all have a sum. */
#define EXCLUSIVE_VIEW (1U << 0)
#define EXCLUSIVE_TOTAL_MAPS (1U << 1)
#define EXCLUSIVE_TOTAL_PICTURE (1U << 2)

static const struct option_spec options[] = {
	{ OPTION_FLAG(struct show_pid_args, by_kind), .name = "by-kind",
	  .help = "a row for each kind of memory, and for huge pages by size",
	  .exclusive = EXCLUSIVE_VIEW },
	{ OPTION_FLAG(struct show_pid_args, maps), .name = "maps",
	  .help = "a row for each mapping",
	  .exclusive = EXCLUSIVE_VIEW | EXCLUSIVE_TOTAL_MAPS },
	{ OPTION_FLAG(struct show_pid_args, picture), .name = "picture",
	  .help = "draw the larger mappings, a character for the node of some pages",
	  .exclusive = EXCLUSIVE_VIEW | EXCLUSIVE_TOTAL_PICTURE |
		       OPTION_EXCLUSIVE_FORMAT | OPTION_EXCLUSIVE_COLUMNS },
	{ OPTION_FLAG(struct show_pid_args, tree), .name = "tree",
	  .help = "with all descendants, indented below their parents" },
	{ OPTION_FLAG(struct show_pid_args, total), .name = "total",
	  .help = "add the sum over the processes",
	  .exclusive = EXCLUSIVE_TOTAL_MAPS | EXCLUSIVE_TOTAL_PICTURE },
	{ OPTION_FLAG(struct show_pid_args, all_nodes), .name = "all-nodes",
	  .help = "a column for each node with memory, however many there are" },
	OPTIONS_TABLE,
	OPTIONS_SYSROOT,
};

static const struct show_view *get_view(const struct show_pid_args *args)
{
	if (args->maps)
		return &show_view_maps;
	if (args->picture)
		return &show_view_picture;
	return &show_view_sums;
}

const struct mig_nodeset *show_get_nodes(const struct show *show)
{
	return mig_topology_get_nodes(show->machine->topology, MIG_NODES_MEMORY);
}

static bool was_given(const struct show *show, pid_t pid)
{
	for (size_t i = 0; i < show->nr_pids; i++)
		if (show->pids[i] == pid)
			return true;
	return false;
}

int show_failure(const struct show *show, const struct mig_process *process, int error)
{
	if (error == -ESRCH && show->args->tree &&
	    !was_given(show, mig_process_get_pid(process)))
		return SHOW_GONE;
	return message_failure(
		SUBJECT_MEMORY, error, "cannot read the memory of process %d (%s)",
		(int)mig_process_get_pid(process), mig_process_get_name(process));
}

static bool is_member(const struct mig_target *target, pid_t pid)
{
	for (size_t i = 0; i < mig_target_get_count(target); i++)
		if (mig_process_get_pid(mig_target_get_process(target, i)) == pid)
			return true;
	return false;
}

/* Whether there may be more than one process: from what was written, so that the
 * same command line always prints the same columns. */
static bool may_be_several(const struct show_pid_args *args)
{
	return args->tree || args->common.nr_operands > 1 ||
	       !strcmp(args->common.operands[0], "-");
}

static int add_pid(struct show *show, pid_t pid)
{
	int r;

	r = show->args->tree ? mig_target_add_tree(show->target, pid)
			     : mig_target_add_pid(show->target, pid);
	if (r == -EEXIST) {
		/* Given twice is no news; under another number it is. */
		if (!is_member(show->target, pid))
			message_warning("process %d shares its memory with one that is "
					"shown: it is counted once",
					(int)pid);
		return STATUS_OK;
	}
	return r < 0 ? message_failure(SUBJECT_PROCESS, r, "process %d", (int)pid)
		     : STATUS_OK;
}

/** How it went, over all processes. */
struct tally {
	size_t nr_shown;
	size_t nr_failed;
	int first_failure; /**< its status */
};

static void tally_count(struct tally *tally, int status)
{
	if (status == SHOW_GONE)
		return;
	tally->nr_shown += !status || status == STATUS_PARTLY;
	if (status && !tally->nr_failed++)
		tally->first_failure = status;
}

static int show_processes(struct show *show, const struct show_view *view,
			  struct tally *tally)
{
	int status = view->begin(show);

	for (size_t i = 0; !status && i < mig_target_get_count(show->target); i++)
		tally_count(tally,
			    view->add(show, mig_target_get_process(show->target, i)));
	if (!status)
		status = view->print(show);
	view->done(show);
	return status;
}

static int run(const void *data)
{
	CLEANUP_MACHINE struct machine machine = { 0 };
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	struct show show = { .args = data, .machine = &machine };
	CLEANUP_FREE pid_t *pids = NULL;
	struct tally tally = { 0 };
	size_t nr_pids = 0;
	int status, r;

	status = pids_parse("show-pid", &show.args->common, &pids, &nr_pids);
	if (!status)
		status = machine_open(show.args->common.sysroot, &machine);
	if (status)
		return status;
	r = mig_target_new(machine.context, &target);
	if (r < 0)
		return message_failure(SUBJECT_SYSTEM, r, "cannot list processes");
	show.target = target;
	show.pids = pids;
	show.nr_pids = nr_pids;
	show.several = may_be_several(show.args);
	for (size_t i = 0; i < nr_pids; i++) {
		status = add_pid(&show, pids[i]);
		if (status)
			tally_count(&tally, status);
	}
	status = show_processes(&show, get_view(show.args), &tally);
	if (status || !tally.nr_failed)
		return status;
	return tally.nr_shown ? STATUS_PARTLY : tally.first_failure;
}

static const struct column_set *const column_sets[] = {
	&show_process_columns,
	&show_kind_columns,
	&show_map_columns,
};

const struct command command_show_pid = {
	.name = "show-pid",
	.summary = "show on which nodes the memory of processes lies",
	.operands = "PID...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description = "Shows a row for each process: its resident memory, as much of it "
		       "as lies on each node, and where its threads run. A PID of '-' "
		       "reads more of them from standard input.",
	.notes = "A page that several processes map is counted in each of them, so that "
		 "sums may exceed what the machine has.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct show_pid_args),
	.run = run,
};
