/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define V2_LINE "31 22 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_LINES                                                             \
	"31 22 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"         \
	"32 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,"   \
	"name=systemd\n"                                                     \
	"33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu," \
	"cpuacct\n"                                                          \
	"34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"  \
	"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"  \
	"36 31 0:33 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
#define UNIFIED_LINE "37 31 0:34 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

void fake_cgroups_mount(struct fake_root *root, enum fake_cgroups kind)
{
	static const char *const tables[] = {
		[FAKE_CGROUPS_V2] = V2_LINE,
		[FAKE_CGROUPS_V1] = V1_LINES,
		[FAKE_CGROUPS_HYBRID] = V1_LINES UNIFIED_LINE,
	};

	fake_root_write(root, "proc/self/mountinfo", tables[kind]);
	if (kind == FAKE_CGROUPS_V2) {
		fake_cgroup_write(root, FAKE_V2, "", "");
		return;
	}
	fake_cgroup_write(root, FAKE_MEMORY, "", "");
	fake_cgroup_write(root, FAKE_CPUSET, "", "");
	fake_cgroup_write(root, FAKE_FREEZER, "", "");
	fake_cgroup_write(root, "sys/fs/cgroup/systemd", "", "");
	if (kind == FAKE_CGROUPS_HYBRID)
		fake_cgroup_write(root, FAKE_UNIFIED, "", "");
}

static void format(char path[PATH_MAX], const char *hierarchy, size_t length,
		   const char *cgroup, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s%.*s%s%s", hierarchy, (int)length, cgroup,
			 *name ? "/" : "", name);

	if (n < 0 || n >= PATH_MAX)
		fail_msg("'%s' is too long a path", cgroup);
}

static bool is_there(const struct fake_root *root, const char *path)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s/%s", root->path, path) < PATH_MAX &&
	       !access(full, F_OK);
}

void fake_cgroup_write(struct fake_root *root, const char *hierarchy, const char *path,
		       const char *procs)
{
	char file[PATH_MAX];
	const char *slash = *path ? strchr(path + 1, '/') : NULL;

	for (; slash; slash = strchr(slash + 1, '/')) {
		format(file, hierarchy, (size_t)(slash - path), path, "cgroup.procs");
		if (!is_there(root, file))
			fake_root_write(root, file, "");
	}
	fake_cgroup_write_file(root, hierarchy, path, "cgroup.procs", procs);
}

void fake_cgroup_write_file(struct fake_root *root, const char *hierarchy,
			    const char *path, const char *name, const char *text)
{
	char file[PATH_MAX];

	format(file, hierarchy, strlen(path), path, name);
	fake_root_write(root, file, text);
}

void fake_cgroup_remove(struct fake_root *root, const char *hierarchy, const char *path)
{
	char file[PATH_MAX];

	format(file, hierarchy, strlen(path), path, "");
	fake_root_remove(root, file);
}
