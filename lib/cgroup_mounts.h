/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the cgroup hierarchies are mounted: v2, v1 by controller, or both (hybrid). */
#ifndef MIG_CGROUP_MOUNTS_H
#define MIG_CGROUP_MOUNTS_H

#include "cgroup.h"

/** The hierarchies that are used: of v1 one for each controller, and that of v2. */
#define MIG_HIERARCHY_V2 MIG_NR_CONTROLLERS
#define MIG_NR_HIERARCHIES (MIG_NR_CONTROLLERS + 1)

/** mig_controller_get_name - as the kernel calls it. */
const char *mig_controller_get_name(enum mig_controller controller);

struct mig_cgroup_mount {
	char *directory; /**< absolute */
	char *root;      /**< its cgroup's path in the hierarchy; in containers not "/" */
	unsigned int hierarchies; /**< bits 1 << number; 0: of v1, and not used */
	int fd;                   /**< its directory; -1: not used */
};

struct mig_cgroup_mounts {
	struct mig_cgroup_mount *mounts;
	size_t nr;
	size_t capacity;
	/** Through which mount each hierarchy is reached; NULL: it is not mounted. */
	const struct mig_cgroup_mount *of[MIG_NR_HIERARCHIES];
};

/**
 * mig_cgroup_mounts_read - from the mount table
 *
 * Mounts that are hidden below others are none. Where a hierarchy has several, one that
 * has the whole of it goes first.
 * Errors: -EOPNOTSUPP: no hierarchy that is used; -EBADMSG; -ENOMEM; errnos of reading
 * the table.
 */
int mig_cgroup_mounts_read(const struct mig_context *context,
			   struct mig_cgroup_mounts *ret_mounts);

/** mig_cgroup_mounts_done - zeroed ones are allowed. */
void mig_cgroup_mounts_done(struct mig_cgroup_mounts *mounts);

/**
 * mig_cgroup_path_below - what is left of a path behind a directory that leads it
 * @path, @directory: begin with a slash and do not end in one, unless they are "/"
 * Return: of @path, from a slash on; "/" if both are the same; NULL if it is not below.
 */
const char *mig_cgroup_path_below(const char *path, const char *directory);

/**
 * mig_cgroup_mounts_open - the directory of a cgroup in one hierarchy
 * @path: in the hierarchy, as /proc/PID/cgroup has it; begins with a slash
 * Errors: -ENOENT: it is not there, not below the mount, or there is no such hierarchy;
 * -ENOTDIR; -EACCES; others of open(2).
 * Return: a descriptor (O_CLOEXEC) or a negative errno.
 */
int mig_cgroup_mounts_open(const struct mig_cgroup_mounts *mounts, unsigned int hierarchy,
			   const char *path);

#endif
