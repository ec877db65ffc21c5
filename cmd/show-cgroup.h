/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of show-cgroup share: one cgroup, as it was read. */
#ifndef MIGRATECTL_SHOW_CGROUP_H
#define MIGRATECTL_SHOW_CGROUP_H

#include <libmigrate.h>

#include "cleanup.h"
#include "machine.h"
#include "options.h"
#include "output.h"

struct show_cgroup_args {
	struct common_args common;
	bool by_kind;
	bool tree;
	bool all_nodes;
};

/** A cgroup while it is shown. What is NULL is not known. */
struct group {
	struct mig_cgroup *cgroup; /**< borrowed */
	struct mig_charges *charges;
	struct mig_target *target;       /**< its members */
	struct mig_residency *residency; /**< what they have mapped: --by-kind */
};

extern const struct column_set show_group_columns;
extern const struct column_set show_charge_columns;

/** A cgroup below the one that was named, which was removed before it was read. */
#define GROUP_GONE (-1)

/**
 * group_read - all that is shown of a cgroup
 * @is_child: it was not named by the user
 *
 * What cannot be read is said and stays NULL.
 * Return: STATUS_OK; STATUS_PARTLY: a part of it could not be read; GROUP_GONE; or the
 * status after a message where it is not shown at all.
 */
int group_read(const struct show_cgroup_args *args, const struct machine *machine,
	       struct mig_cgroup *cgroup, bool is_child, struct group *ret_group);

/** group_done - a zeroed one is allowed. */
void group_done(struct group *group);

#define CLEANUP_GROUP CLEANUP(group_done)

/** Bytes on each node, or that they are not known. */
struct node_sums {
	bool known;
	uint64_t total;
	uint64_t bytes[MIG_MAX_NODES];
};

/** group_sum_charges - of the kinds in a mask, as far as the kernel tells them. */
void group_sum_charges(const struct group *group, unsigned int mask,
		       struct node_sums *ret_sums);

/** The kinds that do not overlap. */
#define CHARGES_ALL                                                               \
	(1U << MIG_CHARGE_ANON | 1U << MIG_CHARGE_FILE | 1U << MIG_CHARGE_SHMEM | \
	 1U << MIG_CHARGE_KERNEL)

/** show_put_group - fill a new row of show_group_columns. */
void show_put_group(struct table *table, const struct machine *machine,
		    const struct group *group, const char *name);

/** show_put_kinds - add a row of show_charge_columns for each kind. */
void show_put_kinds(struct table *table, const struct group *group, bool with_totals);

#endif
