/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroup hierarchies in a made-up root, mounted where systemd mounts them. */
#ifndef FAKE_CGROUP_H
#define FAKE_CGROUP_H

#include "fake_root.h"

/** The root's cgroup on v2; directories of the hierarchies on v1 and hybrid. */
#define FAKE_V2 "sys/fs/cgroup"
#define FAKE_MEMORY "sys/fs/cgroup/memory"
#define FAKE_CPUSET "sys/fs/cgroup/cpuset"
#define FAKE_FREEZER "sys/fs/cgroup/freezer"
#define FAKE_UNIFIED "sys/fs/cgroup/unified"

enum fake_cgroups {
	FAKE_CGROUPS_V2,
	FAKE_CGROUPS_V1,
	FAKE_CGROUPS_HYBRID, /**< v1 for the controllers, and v2 without any */
};

/** fake_cgroups_mount - the mount table and the root of each hierarchy, without members. */
void fake_cgroups_mount(struct fake_root *root, enum fake_cgroups kind);

/**
 * fake_cgroup_write - a cgroup with members
 * @hierarchy: one of the above
 * @path: as "/a/b"; those above it have no members unless they are there already
 * @procs: as "42\n43\n"
 */
void fake_cgroup_write(struct fake_root *root, const char *hierarchy, const char *path,
		       const char *procs);

/** fake_cgroup_write_file - of a cgroup that is there. */
void fake_cgroup_write_file(struct fake_root *root, const char *hierarchy,
			    const char *path, const char *name, const char *text);

/** fake_cgroup_remove - with all below it. */
void fake_cgroup_remove(struct fake_root *root, const char *hierarchy, const char *path);

#endif
