/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cgroup, held by the directories that it has in the hierarchies. On cgroup v2 all
 * of them are one directory.
 */
#ifndef MIG_CGROUP_H
#define MIG_CGROUP_H

#include "context.h"

enum mig_controller {
	MIG_CONTROLLER_MEMORY = 0,
	MIG_CONTROLLER_CPUSET = 1,
	MIG_CONTROLLER_FREEZER = 2,
};

#define MIG_NR_CONTROLLERS 3

/**
 * A cgroup's directory in the hierarchy of one controller. Where v1 has no freezer for
 * it, that of v2, which always has one.
 */
struct mig_cgroup_place {
	int fd; /**< of its own; -1: the hierarchy does not have it */
	bool is_v1;
};

struct mig_cgroup {
	struct mig_context *context;
	char *path;   /**< in the hierarchy; begins with a slash */
	int fd;       /**< of its own; the directory whose members count */
	bool is_v1;   /**< of fd */
	bool is_root; /**< path is "/" */
	struct mig_cgroup_place places[MIG_NR_CONTROLLERS];
};

/**
 * mig_cgroup_open_file - open a file of a cgroup
 * @flags: of open(2); O_CLOEXEC is added
 * Errors: -ENODATA: there is no such place or file; -ENODEV: the cgroup was removed;
 * others of open(2).
 * Return: a descriptor or a negative errno.
 */
int mig_cgroup_open_file(const struct mig_cgroup *cgroup, enum mig_controller controller,
			 const char *name, int flags);

/**
 * mig_cgroup_read_file - read a small file of a cgroup
 * @buffer: filled and ended with NUL
 * Errors: as of mig_cgroup_open_file(); -EFBIG: it does not fit; those of read(2).
 * Return: its length without the NUL, or a negative errno.
 */
ssize_t mig_cgroup_read_file(const struct mig_cgroup *cgroup,
			     enum mig_controller controller, const char *name,
			     char *buffer, size_t size);

/**
 * mig_cgroup_write_file - write to a file of a cgroup, in one write(2)
 * Errors: as of mig_cgroup_open_file(); those of write(2).
 */
int mig_cgroup_write_file(const struct mig_cgroup *cgroup, enum mig_controller controller,
			  const char *name, const char *text);

/** mig_cgroup_is_removed - whether the directory whose members count is gone. */
bool mig_cgroup_is_removed(const struct mig_cgroup *cgroup);

/**
 * mig_cgroup_visit_inodes - the numbers by which /proc/kpagecgroup calls it
 *
 * Its own and those of all cgroups below it, of the memory hierarchy.
 * Errors: -ENODATA: no memory controller; -ENODEV; -EACCES; what @visit returned.
 */
int mig_cgroup_visit_inodes(const struct mig_cgroup *cgroup,
			    int (*visit)(void *data, uint64_t inode), void *data);

#endif
