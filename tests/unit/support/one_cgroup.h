/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One cgroup: a made-up one, of plain files, or a real one where this machine lets us. */
#ifndef ONE_CGROUP_H
#define ONE_CGROUP_H

#include "cgroup.h"
#include "fake_root.h"

/** Where made-up cgroups are, below a fake root. */
#define ONE_CGROUPS "sys/fs/cgroup"

/**
 * one_cgroup_new - hold a directory of a fake root as the cgroup of all controllers
 * @path: below ONE_CGROUPS; "/" for that itself. Made if it is not there, with an empty
 *        cgroup.procs.
 *
 * Freed with mig_cgroup_free(), before the context.
 */
struct mig_cgroup *one_cgroup_new(struct mig_context *context, struct fake_root *root,
				  const char *path, bool is_v1);

/** one_cgroup_read - what a file of a fake root reads; one of several buffers. */
const char *one_cgroup_read(const struct fake_root *root, const char *path);

/** one_cgroup_comes_to_read - whether it begins so within a few seconds. */
bool one_cgroup_comes_to_read(const struct fake_root *root, const char *path,
			      const char *text);

/**
 * live_cgroup_make - a new, empty cgroup of the real kernel
 * @controller: of v1; NULL: of v2
 * @name:       its last component, to which the caller's pid is added
 *
 * Skips the test, and says why, where it cannot be made.
 * Return: its path; the caller removes it, and frees it.
 */
char *live_cgroup_make(const char *controller, const char *name);

/** live_cgroup_join - let a process be a member. */
void live_cgroup_join(const char *path, pid_t pid);

/** live_cgroup_read - what one of its files reads; one of several buffers. */
const char *live_cgroup_read(const char *path, const char *name);

/** live_cgroup_remove - all members must be gone or about to be. Frees @path. */
void live_cgroup_remove(char *path);

#endif
