/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory and those below it, as a cgroup hierarchy has them. */
#ifndef MIG_CGROUP_TREE_H
#define MIG_CGROUP_TREE_H

#include <stddef.h>

/** Names, each of which is owned. */
struct mig_names {
	char **names;
	size_t nr;
	size_t capacity;
};

/** mig_names_done - a zeroed list is allowed. */
void mig_names_done(struct mig_names *names);

/**
 * mig_cgroup_tree_list - the directories directly below
 * @names: they are added to it, behind the others, in the order of their names
 *
 * A symbolic link is none of them.
 * Errors: -ENOENT: it has been removed; -EACCES; -ENOMEM; those of readdir(3). What was
 * added until then is in @names.
 */
int mig_cgroup_tree_list(int fd, struct mig_names *names);

/**
 * mig_cgroup_tree_visit - a directory and all below it, parents before children
 * @visit: @path is below @top, "" for itself; @fd is borrowed for the call; non-zero
 *         ends the walk with that value
 *
 * Takes memory for the directories that are still to come, and few descriptors and no
 * stack however deep they lie. Those that vanish meanwhile are passed over, @top too.
 * Errors: -EACCES; -ENOMEM; -ENAMETOOLONG; those of readdir(3).
 */
int mig_cgroup_tree_visit(int top, int (*visit)(void *data, const char *path, int fd),
			  void *data);

#endif
