/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl move-cgroup: move the processes of cgroups. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cgroup_args.h"
#include "clock.h"
#include "command.h"
#include "handles.h"
#include "kind.h"
#include "message.h"
#include "move.h"

/* How long a cgroup may take to stand still: what waits for a disk needs some time. */
#define FREEZE_NS UINT64_C(10000000000)

struct move_cgroup_args {
	struct move_args move;
	bool freeze;
	bool bind;
	bool cpus;
};

static const struct option_word fallback_words[] = {
	{ "swap", MIG_FALLBACK_SWAP },
	{ NULL, 0 },
};

/* What a cpuset cannot do: the kernel moves everything that is not on its nodes. */
#define EXCLUSIVE_BIND_FROM MOVE_EXCLUSIVE_MAP_FROM
#define EXCLUSIVE_BIND_ONLY (1U << 4)
#define EXCLUSIVE_BIND_RANGE (1U << 5)
#define EXCLUSIVE_BIND_MIN_SIZE (1U << 6)
/* What belongs to no mapping has neither an address nor a kind. */
#define EXCLUSIVE_CACHE_ONLY (1U << 7)
#define EXCLUSIVE_CACHE_RANGE (1U << 10)
#define EXCLUSIVE_CACHE_MIN_SIZE (1U << 11)

static const struct option_spec options[] = {
	OPTIONS_MOVE_WHERE,
	{ OPTION_FLAG(struct move_cgroup_args, bind), .name = "bind",
	  .help = "also set cpuset.mems to the nodes of --to, so that it stays there",
	  .exclusive = EXCLUSIVE_BIND_FROM | EXCLUSIVE_BIND_ONLY | EXCLUSIVE_BIND_RANGE |
		       EXCLUSIVE_BIND_MIN_SIZE },
	{ OPTION_FLAG(struct move_cgroup_args, cpus), .name = "cpus",
	  .help = "with --bind: also set cpuset.cpus to the CPUs of these nodes" },
	{ OPTION_WORD(struct move_args, shared), .name = "shared", .metavar = "WHICH",
	  .words = move_shared_words,
	  .help = "pages that processes outside map too: anon (all but those of files; "
		  "the default with CAP_SYS_NICE), all, or none" },
	{ OPTION_WORDS(struct move_args, only), .name = "only", .metavar = "KINDS",
	  .words = kind_words, .help = "move only memory of these kinds",
	  .exclusive = EXCLUSIVE_BIND_ONLY | EXCLUSIVE_CACHE_ONLY },
	{ OPTION_RANGE(struct move_args, range), .name = "range", .metavar = "START-END",
	  .help = "move only pages at these addresses",
	  .exclusive = EXCLUSIVE_BIND_RANGE | EXCLUSIVE_CACHE_RANGE },
	{ OPTION_SIZE(struct move_args, min_size_bytes), .name = "min-size",
	  .metavar = "SIZE", .help = "pass over mappings with less resident memory",
	  .exclusive = EXCLUSIVE_BIND_MIN_SIZE | EXCLUSIVE_CACHE_MIN_SIZE },
	{ OPTION_FLAG(struct move_args, cache), .name = "cache",
	  .help = "move the page cache and shared memory too that the cgroup is charged "
		  "for and nobody has mapped",
	  .exclusive = EXCLUSIVE_CACHE_ONLY | EXCLUSIVE_CACHE_RANGE |
		       EXCLUSIVE_CACHE_MIN_SIZE },
	{ OPTION_STRING(struct move_args, search), .name = "search", .metavar = "PATH",
	  .help = "with --cache: look for it in the files of the members and below PATH, "
		  "also where DAMON could move it" },
	{ OPTION_FLAG(struct move_cgroup_args, freeze), .name = "freeze",
	  .help = "stop the processes while their memory moves" },
	OPTIONS_MOVE_HOW,
	{ OPTION_WORD(struct move_args, fallback), .name = "fallback", .metavar = "WAY",
	  .words = fallback_words,
	  .help = "for pages that cannot be moved: swap pages them out, so that they "
		  "come back where they are touched next" },
	OPTIONS_MOVE_END,
	OPTIONS_TABLE,
};

static const struct column_set *const column_sets[] = { &move_columns };

static const struct move_cgroup_args defaults = { .move = { MOVE_DEFAULTS } };

/** A cgroup that is moved, and what is done to it meanwhile. */
struct member {
	const struct move_cgroup_args *args;
	struct mig_cgroup *cgroup;
	struct mig_files *files; /**< where its cache is looked for */
	struct mig_freeze *freeze;
	struct mig_cpuset_change *change;
	char *label;
};

struct members {
	struct member *members;
	struct move_target *targets; /**< as many, each with its member as data */
	size_t nr;
};

static void members_done(struct members *all)
{
	for (size_t i = 0; i < all->nr; i++) {
		mig_target_free(all->targets[i].target);
		mig_files_free(all->members[i].files);
		mig_cgroup_free(all->members[i].cgroup);
		free(all->members[i].label);
	}
	free(all->targets);
	free(all->members);
}

/* What its processes have open or mapped, and what the user names beside. */
static int find_files(const struct move *move, const struct move_cgroup_args *args,
		      struct mig_target *target, struct mig_files **ret_files)
{
	CLEANUP_MIG(files) struct mig_files *files = NULL;
	int r = mig_files_new(move->machine.context, NULL, &files);

	for (size_t i = 0; !r && i < mig_target_get_count(target); i++)
		r = mig_files_add_process(files, mig_target_get_process(target, i));
	if (!r && args->move.search)
		r = mig_files_add_path(files, args->move.search, MIG_FILES_RECURSE);
	if (!r)
		r = mig_target_add_files(target, files);
	if (!r)
		*ret_files = STEAL(files);
	return r;
}

static int open_member(const struct move *move, const struct move_cgroup_args *args,
		       const char *name, struct members *all)
{
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	CLEANUP_MIG(files) struct mig_files *files = NULL;
	char *label;
	int status = cgroup_open(&move->machine, NULL, name, &cgroup);
	int r;

	if (status)
		return status;
	r = mig_target_new(move->machine.context, &target);
	if (!r)
		r = mig_target_add_cgroup(target, cgroup);
	if (!r && args->move.cache)
		r = mig_target_add_cache(target, cgroup);
	if (!r && args->move.cache)
		r = find_files(move, args, target, &files);
	if (r < 0)
		return message_failure(SUBJECT_CGROUP, r, "'%s'", name);
	if (asprintf(&label, "cgroup '%s'", mig_cgroup_get_path(cgroup)) < 0)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "'%s'", name);
	all->members[all->nr] = (struct member){
		.args = args,
		.cgroup = cgroup,
		.files = STEAL(files),
		.label = label,
	};
	all->targets[all->nr] = (struct move_target){
		.target = STEAL(target),
		.kind = MOVE_CGROUP,
		.name = mig_cgroup_get_path(cgroup),
		.label = label,
		.data = &all->members[all->nr],
	};
	all->nr++;
	cgroup = NULL;
	return STATUS_OK;
}

/* Those that cannot be held are said, and the others go on. */
static int open_members(const struct move *move, const struct move_cgroup_args *args,
			struct members *all)
{
	const struct common_args *common = &args->move.common;
	int failure = STATUS_OK;

	all->members = calloc(common->nr_operands, sizeof(*all->members));
	all->targets = calloc(common->nr_operands, sizeof(*all->targets));
	if (!all->members || !all->targets)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot hold cgroups");
	for (size_t i = 0; i < common->nr_operands; i++) {
		int status = open_member(move, args, common->operands[i], all);

		if (status)
			failure = status;
	}
	return failure;
}

static int join_members(const struct move *move, const struct members *all,
			struct mig_target **ret_joined)
{
	CLEANUP_MIG(target) struct mig_target *joined = NULL;
	int r = mig_target_new(move->machine.context, &joined);

	for (size_t i = 0; !r && i < all->nr; i++) {
		r = mig_target_add_cgroup(joined, all->members[i].cgroup);
		if (!r && all->members[i].args->move.cache)
			r = mig_target_add_cache(joined, all->members[i].cgroup);
		/* Named twice, or removed since: its own target says so. */
		if (r == -EEXIST || r == -ENODEV)
			r = 0;
	}
	if (r < 0)
		return message_failure(SUBJECT_CGROUP, r, "cannot hold all cgroups");
	*ret_joined = STEAL(joined);
	return STATUS_OK;
}

static int bind_member(const struct move *move, struct member *member,
		       struct move_binding *binding)
{
	const struct mig_nodeset *nodes = mig_placement_get_targets(move->placement);
	uint64_t begin_ns = clock_get_ns();
	int r = mig_cpuset_bind(member->cgroup, move->machine.topology, nodes,
				member->args->cpus ? MIG_CPUSET_CPUS : 0,
				&member->change);

	if (r < 0)
		return message_failure(SUBJECT_CPUSET, r, "cannot bind %s",
				       member->label);
	*binding = (struct move_binding){
		.is_set = true,
		.mems = *nodes,
		.elapsed_ns = clock_get_ns() - begin_ns,
	};
	return STATUS_OK;
}

/* Nothing of this may stay behind: mig_freeze_begin() has a child that thaws if we are
 * killed. */
static int thaw(struct member *member)
{
	int r = mig_freeze_end(STEAL(member->freeze));

	return r < 0 ? message_failure(SUBJECT_FREEZE, r, "cannot thaw %s", member->label)
		     : STATUS_OK;
}

static int prepare(const struct move *move, const struct move_target *target,
		   struct move_binding *binding)
{
	struct member *member = target->data;
	int status = STATUS_OK;

	if (member->args->freeze) {
		int r = mig_freeze_begin(member->cgroup, FREEZE_NS, &member->freeze);

		if (r < 0)
			return message_failure(SUBJECT_FREEZE, r, "cannot freeze %s",
					       member->label);
	}
	if (member->args->bind)
		status = bind_member(move, member, binding);
	if (status)
		thaw(member);
	return status;
}

static int finish(const struct move *move, const struct move_target *target, bool undo)
{
	struct member *member = target->data;
	int thawed, r = 0;

	(void)move;
	if (undo)
		r = mig_cpuset_undo(STEAL(member->change));
	else
		mig_cpuset_keep(STEAL(member->change));
	thawed = thaw(member);
	if (r < 0)
		return message_failure(SUBJECT_CPUSET, r, "cannot unbind %s",
				       member->label);
	return thawed;
}

static int stop_at_first(void *data, pid_t pid)
{
	(void)data;
	(void)pid;
	return 1;
}

static void say_removed(const struct members *all)
{
	for (size_t i = 0; i < all->nr; i++)
		if (mig_cgroup_visit_members(all->members[i].cgroup, stop_at_first, NULL,
					     NULL) == -ENODEV)
			message_warning("%s was removed meanwhile",
					all->members[i].label);
}

static const struct move_hooks hooks = { .prepare = prepare, .finish = finish };

static int move_members(struct move *move, const struct move_cgroup_args *args)
{
	CLEANUP(members_done) struct members all = { 0 };
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	struct move_target joined = { .kind = MOVE_CGROUP, .label = "the cgroups" };
	int failure = open_members(move, args, &all), status = STATUS_OK;

	if (!all.nr)
		return failure;
	if (args->freeze || args->bind)
		move->hooks = &hooks;
	if (args->bind)
		move->mended = 1U << MIG_FINDING_CPUSET_TARGET;
	if (all.nr > 1)
		status = join_members(move, &all, &target);
	joined.target = target;
	if (!status)
		status = move_targets(move, all.targets, all.nr, &joined);
	say_removed(&all);
	return failure && status == STATUS_OK ? STATUS_PARTLY : status;
}

static int run(const void *given)
{
	const struct move_cgroup_args *args = given;
	struct move move = { 0 };
	int status;

	if (args->cpus && !args->bind)
		return message_usage("move-cgroup", "--cpus needs --bind");
	if (args->move.search && !args->move.cache)
		return message_usage("move-cgroup", "--search needs --cache");
	if (args->move.search && access(args->move.search, F_OK) < 0)
		return message_failure(SUBJECT_FILE, -errno, "cannot search '%s'",
				       args->move.search);
	status = move_begin("move-cgroup", &args->move, &move);
	if (!status)
		status = move_members(&move, args);
	move_end(&move);
	return status;
}

const struct command command_move_cgroup = {
	.name = "move-cgroup",
	.summary = "move the memory of the processes of cgroups to other nodes",
	.operands = "CGROUP...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description =
		"Move the memory of all processes of cgroups, and of those below "
		"them, to other nodes, and say what moved, what did not, and why.\n"
		"The members of a cgroup move as one, and are looked for again until "
		"none is new. Room, rights and cpusets are checked for the whole "
		"request before anything moves. A CGROUP is a path, below "
		"/sys/fs/cgroup or as it is there; the name of a systemd unit; 'pid:N', "
		"the cgroup of a process; or 'job:ID', that of a Slurm or PBS job.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct move_cgroup_args),
	.defaults = &defaults,
	.run = run,
};
