/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_TARGET_H
#define MIG_TARGET_H

#include "held.h"
#include "libmigrate.h"

struct mig_target {
	struct mig_context *context;
	struct mig_files *files; /**< the caller's */
	struct mig_held_set held;
	struct mig_cgroup **cgroups; /**< the caller's */
	size_t *hidden;              /**< of each, how many members cannot be held */
	size_t nr_cgroups;
	struct mig_cgroup **caches; /**< those whose cache belongs to the target too */
	size_t nr_caches;
	bool has_all_cache; /**< also what is charged to nobody */
	bool has_everybody; /**< all processes of the machine */
	size_t nr_refused;  /**< of those, how many cannot be held */
};

/** mig_target_get_files - those of mig_target_add_files(); NULL: none. */
struct mig_files *mig_target_get_files(const struct mig_target *target);

/**
 * mig_target_scan_trees - add what has appeared below processes that are held
 * @place: of the first to look at, in the array of held ones
 */
int mig_target_scan_trees(struct mig_target *target, size_t place);

/** mig_target_scan_cgroups - add what has joined the cgroups. */
int mig_target_scan_cgroups(struct mig_target *target);

/** mig_target_scan_everybody - add what is new on the machine. */
int mig_target_scan_everybody(struct mig_target *target);

#endif
