/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "array.h"
#include "cleanup.h"
#include "filesystem.h"

static const char *const controller_names[MIG_NR_CONTROLLERS] = {
	[MIG_CONTROLLER_MEMORY] = "memory",
	[MIG_CONTROLLER_CPUSET] = "cpuset",
	[MIG_CONTROLLER_FREEZER] = "freezer",
};

static void cleanup_filesystems(struct mig_filesystems *const *filesystems)
{
	mig_filesystems_free(*filesystems);
}

const char *mig_controller_get_name(enum mig_controller controller)
{
	return controller_names[controller];
}

struct mount_scan {
	const struct mig_context *context;
	const struct mig_filesystems *filesystems;
	struct mig_cgroup_mounts *mounts;
	bool is_v1;
};

const char *mig_cgroup_path_below(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (!strcmp(directory, "/"))
		return path;
	if (strncmp(path, directory, length) != 0)
		return NULL;
	if (!path[length])
		return "/";
	return path[length] == '/' ? path + length : NULL;
}

static unsigned int find_hierarchies(const struct mount_scan *scan, uint64_t id)
{
	unsigned int hierarchies = 0;
	char value[16];

	if (!scan->is_v1)
		return 1U << MIG_HIERARCHY_V2;
	for (unsigned int i = 0; i < MIG_NR_CONTROLLERS; i++)
		if (mig_filesystems_get_option(scan->filesystems, id,
					       mig_controller_get_name(i), value,
					       sizeof(value)))
			hierarchies |= 1U << i;
	return hierarchies;
}

/* -1: something else is mounted over it, or it is not for us to see. */
static int open_mount(const struct mig_context *context, const char *directory)
{
	CLEANUP_CLOSE int fd =
		openat(context->root_fd, directory[1] ? directory + 1 : ".",
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int kept;

	/* Every cgroup of either kind has this. */
	if (fd < 0 || faccessat(fd, "cgroup.procs", F_OK, 0) < 0)
		return -1;
	kept = fd;
	fd = -1;
	return kept;
}

static int add_mount(void *data, const struct mig_mount *mount)
{
	const struct mount_scan *scan = data;
	struct mig_cgroup_mounts *mounts = scan->mounts;
	struct mig_cgroup_mount *added;
	void *array = mounts->mounts;
	int r;

	if (*mount->directory != '/' || *mount->root != '/')
		return 0;
	r = mig_array_reserve(&array, &mounts->capacity, mounts->nr,
			      sizeof(*mounts->mounts));
	mounts->mounts = array;
	if (r < 0)
		return r;
	added = &mounts->mounts[mounts->nr++];
	*added = (struct mig_cgroup_mount){
		.directory = strdup(mount->directory),
		.root = strdup(mount->root),
		.hierarchies = find_hierarchies(scan, mount->id),
		.fd = -1,
	};
	if (!added->directory || !added->root)
		return -ENOMEM;
	if (added->hierarchies)
		added->fd = open_mount(scan->context, added->directory);
	return 0;
}

static bool has_whole(const struct mig_cgroup_mount *mount)
{
	return !strcmp(mount->root, "/");
}

static void choose(struct mig_cgroup_mounts *mounts, unsigned int hierarchy)
{
	const struct mig_cgroup_mount **chosen = &mounts->of[hierarchy];

	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mig_cgroup_mount *mount = &mounts->mounts[i];

		if (mount->fd < 0 || !(mount->hierarchies & 1U << hierarchy))
			continue;
		if (!*chosen || (has_whole(mount) && !has_whole(*chosen)))
			*chosen = mount;
	}
}

int mig_cgroup_mounts_read(const struct mig_context *context,
			   struct mig_cgroup_mounts *ret_mounts)
{
	CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
	CLEANUP(cleanup_filesystems) struct mig_filesystems *filesystems = NULL;
	struct mount_scan scan = { .context = context, .mounts = &mounts };
	bool has_any = false;
	int r;

	r = mig_filesystems_new(context, 0, &filesystems);
	if (r < 0)
		return r;
	scan.filesystems = filesystems;
	r = mig_filesystems_visit(filesystems, "cgroup2", add_mount, &scan);
	scan.is_v1 = true;
	if (!r)
		r = mig_filesystems_visit(filesystems, "cgroup", add_mount, &scan);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < MIG_NR_HIERARCHIES; i++) {
		choose(&mounts, i);
		has_any = has_any || mounts.of[i];
	}
	if (!has_any)
		return -EOPNOTSUPP;
	*ret_mounts = mounts;
	mounts = (struct mig_cgroup_mounts){ 0 };
	return 0;
}

void mig_cgroup_mounts_done(struct mig_cgroup_mounts *mounts)
{
	for (size_t i = 0; i < mounts->nr; i++) {
		free(mounts->mounts[i].directory);
		free(mounts->mounts[i].root);
		if (mounts->mounts[i].fd >= 0)
			close(mounts->mounts[i].fd);
	}
	free(mounts->mounts);
	*mounts = (struct mig_cgroup_mounts){ 0 };
}

int mig_cgroup_mounts_open(const struct mig_cgroup_mounts *mounts, unsigned int hierarchy,
			   const char *path)
{
	const struct mig_cgroup_mount *mount = mounts->of[hierarchy];
	const char *below = mount ? mig_cgroup_path_below(path, mount->root) : NULL;
	int fd;

	if (!below)
		return -ENOENT;
	fd = openat(mount->fd, below[1] ? below + 1 : ".",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* A symbolic link is no directory. */
	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	return fd;
}
