/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl show-cgroup: where the memory that is charged to cgroups lies. */
#include "show-cgroup.h"

#include <errno.h>
#include <string.h>

#include "cgroup_args.h"
#include "command.h"
#include "handles.h"
#include "message.h"

static const struct option_spec options[] = {
	{ OPTION_FLAG(struct show_cgroup_args, by_kind), .name = "by-kind",
	  .help = "a row for each kind of memory, charged and mapped" },
	{ OPTION_FLAG(struct show_cgroup_args, tree), .name = "tree",
	  .help = "with all cgroups below, indented below their parents" },
	{ OPTION_FLAG(struct show_cgroup_args, all_nodes), .name = "all-nodes",
	  .help = "a column for each node with memory, however many there are" },
	OPTIONS_TABLE,
	OPTIONS_SYSROOT,
};

/** One call of show-cgroup, and how it went. */
struct show {
	const struct show_cgroup_args *args;
	struct common_args plain; /**< for the table that --output does not mean */
	struct machine machine;
	struct table *groups;
	struct table *kinds;
	size_t nr_shown;
	size_t nr_failed; /**< or only in part shown */
	int first_failure;
};

static void show_done(struct show *show)
{
	table_free(show->groups);
	table_free(show->kinds);
	machine_close(&show->machine);
}

static int make_tables(struct show *show)
{
	const struct show_cgroup_args *args = show->args;
	const struct mig_nodeset *nodes =
		mig_topology_get_nodes(show->machine.topology, MIG_NODES_MEMORY);
	/* With one operand and no tree it is known whose rows they are. */
	bool several = args->tree || args->common.nr_operands > 1;
	uint64_t all = (UINT64_C(1) << show_charge_columns.nr_columns) - 1;
	int status;

	show->plain = args->common;
	show->plain.output = NULL;
	status = table_new(args->by_kind ? &show->plain : &args->common, "show-cgroup",
			   &show_group_columns, 0, &show->groups);
	if (!status)
		status = table_new(args->by_kind ? &args->common : &show->plain,
				   "show-cgroup", &show_charge_columns, several ? all : 0,
				   &show->kinds);
	if (status)
		return status;
	table_set_nodes(show->groups, nodes, args->all_nodes);
	table_set_nodes(show->kinds, nodes, args->all_nodes);
	return STATUS_OK;
}

static void tally(struct show *show, int status)
{
	show->nr_shown += !status || status == STATUS_PARTLY;
	if (status && !show->nr_failed++)
		show->first_failure = status;
}

/* For people the tree shows where a cgroup is; programs get the whole path. */
static const char *name_row(const struct show *show, const struct mig_cgroup *cgroup,
			    bool is_child)
{
	const struct common_args *common = &show->args->common;
	const char *path = mig_cgroup_get_path(cgroup);
	const char *slash = strrchr(path, '/');

	return is_child && slash && !common->json && !common->raw ? slash + 1 : path;
}

#define NO_PARENT SIZE_MAX

static void show_group(struct show *show, struct mig_cgroup *cgroup, size_t parent);

struct children {
	struct show *show;
	size_t parent;
};

static int show_child(void *data, struct mig_cgroup *child)
{
	const struct children *children = data;

	show_group(children->show, child, children->parent);
	return 0;
}

static void show_children(struct show *show, struct mig_cgroup *cgroup, size_t row)
{
	struct children children = { .show = show, .parent = row };
	int r = mig_cgroup_visit_children(cgroup, show_child, &children);

	/* Removed since it was shown: then it has none. */
	if (r < 0 && r != -ENODEV)
		tally(show, message_failure(SUBJECT_CGROUP, r, "cgroups below '%s'",
					    mig_cgroup_get_path(cgroup)));
}

/* A cgroup and, with --tree, those below it. */
static void show_group(struct show *show, struct mig_cgroup *cgroup, size_t parent)
{
	CLEANUP_GROUP struct group group = { 0 };
	bool is_child = parent != NO_PARENT;
	int status = group_read(show->args, &show->machine, cgroup, is_child, &group);
	size_t row = table_get_nr_rows(show->groups);

	/* One below that was removed meanwhile is no failure. */
	if (status == GROUP_GONE)
		return;
	tally(show, status);
	if (status && status != STATUS_PARTLY)
		return;
	show_put_group(show->groups, &show->machine, &group,
		       name_row(show, cgroup, is_child));
	if (is_child)
		table_put_parent(show->groups, parent);
	if (show->args->by_kind)
		show_put_kinds(show->kinds, &group, !show->args->common.json);
	group_done(&group);
	if (show->args->tree)
		show_children(show, cgroup, row);
}

static int write_json(const struct show *show)
{
	size_t nr_groups = table_get_nr_rows(show->groups);
	/* Each has as many: a row for every kind, known or not. */
	size_t nr_kinds = nr_groups ? table_get_nr_rows(show->kinds) / nr_groups : 0;
	struct json json;

	json_begin(&json, stdout);
	json_open_array(&json, "cgroups");
	for (size_t i = 0; i < nr_groups; i++) {
		json_open_object(&json, NULL);
		table_write_row(show->groups, i, &json);
		if (show->args->by_kind)
			table_write_rows(show->kinds, i * nr_kinds, (i + 1) * nr_kinds,
					 &json, "kinds");
		json_close_object(&json);
	}
	json_close_array(&json);
	return json_end(&json);
}

static int print(const struct show *show)
{
	int status;

	if (!show->args->common.json)
		return table_print(show->args->by_kind ? show->kinds : show->groups);
	status = table_check(show->groups);
	if (!status)
		status = table_check(show->kinds);
	return status ? status : write_json(show);
}

static int run(const void *data)
{
	CLEANUP(show_done) struct show show = { .args = data };
	const struct common_args *common = &show.args->common;
	int status = machine_open(common->sysroot, &show.machine);

	if (!status)
		status = make_tables(&show);
	if (status)
		return status;
	for (size_t i = 0; i < common->nr_operands; i++) {
		CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;

		status = cgroup_open(&show.machine, common->sysroot, common->operands[i],
				     &cgroup);
		if (status)
			tally(&show, status);
		else
			show_group(&show, cgroup, NO_PARENT);
	}
	status = print(&show);
	if (status || !show.nr_failed)
		return status;
	return show.nr_shown ? STATUS_PARTLY : show.first_failure;
}

static const struct column_set *const column_sets[] = { &show_group_columns,
							&show_charge_columns };

const struct command command_show_cgroup = {
	.name = "show-cgroup",
	.summary = "show on which nodes the memory of cgroups lies",
	.operands = "CGROUP...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.description =
		"Shows a row for each cgroup: what is charged to it and to those "
		"below it, as much of it as lies on each node, and where its processes "
		"run.\n"
		"A CGROUP is a path, below /sys/fs/cgroup or as it is there; the name "
		"of a systemd unit; 'pid:N', the cgroup of a process; or 'job:ID', that "
		"of a "
		"Slurm or PBS job.",
	.notes = "A page is charged to one cgroup, that of whoever touched it first, "
		 "mapped or not. A page that several processes have mapped is counted in "
		 "each of them by --by-kind.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct show_cgroup_args),
	.run = run,
};
