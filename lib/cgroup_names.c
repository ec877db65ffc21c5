/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup_search.h"
#include "cleanup.h"
#include "membership.h"
#include "procfs.h"

/* "//a/./b/../c/" is "/a/c"; ".." of the root is the root. NULL: no memory. */
static char *normalise(const char *name)
{
	char *path = malloc(strlen(name) + 2);
	size_t length = 0;

	if (!path)
		return NULL;
	while (*name) {
		size_t part = strcspn(name, "/");

		if (part == 2 && !strncmp(name, "..", 2)) {
			while (length && path[--length] != '/')
				;
		} else if (part && !(part == 1 && *name == '.')) {
			path[length++] = '/';
			memcpy(path + length, name, part);
			length += part;
		}
		name += part;
		name += strspn(name, "/");
	}
	if (!length)
		path[length++] = '/';
	path[length] = '\0';
	return path;
}

/*
 * Gives @path to @ret_spot if there is such a cgroup in some hierarchy; @hierarchy is
 * asked first.
 */
static int try_path(const struct mig_cgroup_mounts *mounts, const char *path,
		    unsigned int hierarchy, struct mig_cgroup_spot *ret_spot)
{
	int error = -ENOENT;

	for (unsigned int i = 0; i < MIG_NR_HIERARCHIES; i++) {
		/* The first and that of number 0 change places. */
		unsigned int asked = !i ? hierarchy : i == hierarchy ? 0 : i;
		CLEANUP_CLOSE int fd = mig_cgroup_mounts_open(mounts, asked, path);
		char *copy;

		if (fd < 0) {
			if (error == -ENOENT)
				error = fd;
			continue;
		}
		copy = strdup(path);
		if (!copy)
			return -ENOMEM;
		*ret_spot = (struct mig_cgroup_spot){ .path = copy, .hierarchy = asked };
		return 0;
	}
	return error;
}

/* The mount that a path of the file system lies on, if it is one of a hierarchy. */
static const struct mig_cgroup_mount *find_mount(const struct mig_cgroup_mounts *mounts,
						 const char *path)
{
	const struct mig_cgroup_mount *found = NULL;

	for (size_t i = 0; i < mounts->nr; i++) {
		const struct mig_cgroup_mount *mount = &mounts->mounts[i];

		if (mig_cgroup_path_below(path, mount->directory) &&
		    (!found || strlen(mount->directory) > strlen(found->directory)))
			found = mount;
	}
	return found;
}

static int try_below(const struct mig_cgroup_mounts *mounts, const char *root,
		     const char *path, unsigned int hierarchy,
		     struct mig_cgroup_spot *ret_spot)
{
	CLEANUP_FREE char *joined = mig_cgroup_path_join(root, path);

	return joined ? try_path(mounts, joined, hierarchy, ret_spot) : -ENOMEM;
}

static int try_mount(const struct mig_cgroup_mounts *mounts,
		     const struct mig_cgroup_mount *mount, const char *path,
		     struct mig_cgroup_spot *ret_spot)
{
	unsigned int hierarchy = 0;

	/* Of one that is not used, the same path in those that are. */
	if (mount->hierarchies)
		hierarchy = (unsigned int)__builtin_ctz(mount->hierarchies);
	return try_below(mounts, mount->root,
			 mig_cgroup_path_below(path, mount->directory), hierarchy,
			 ret_spot);
}

/* Below the root: that of the hierarchy, or what of it can be seen here. */
static int try_root(const struct mig_cgroup_mounts *mounts, const char *path,
		    struct mig_cgroup_spot *ret_spot)
{
	int r = try_path(mounts, path, 0, ret_spot);

	for (unsigned int i = 0; r == -ENOENT && i < MIG_NR_HIERARCHIES; i++)
		if (mounts->of[i])
			r = try_below(mounts, mounts->of[i]->root, path, i, ret_spot);
	return r;
}

static int find_path(const struct mig_context *context,
		     const struct mig_cgroup_mounts *mounts, const char *name,
		     struct mig_cgroup_spot *ret_spot)
{
	CLEANUP_FREE char *path = normalise(name);
	const struct mig_cgroup_mount *mount;
	struct stat status;
	int r;

	if (!path)
		return -ENOMEM;
	mount = *name == '/' ? find_mount(mounts, path) : NULL;
	if (mount)
		return try_mount(mounts, mount, path, ret_spot);
	r = try_root(mounts, path, ret_spot);
	if (r == -ENOENT && mig_cgroup_is_unit_name(name))
		return mig_cgroup_search_unit(mounts, name, ret_spot);
	/* There is such a file, and it is no cgroup. */
	if (r == -ENOENT && *name == '/' &&
	    !fstatat(context->root_fd, path + 1, &status, 0))
		return -EXDEV;
	return r;
}

static bool is_root(struct mig_text path)
{
	return mig_text_is(path, "/");
}

/*
 * On v1 a process is in one cgroup of each hierarchy. Where systemd does not count a
 * service's memory, that of memory is the root, and everybody would be meant.
 */
static int choose_membership(const struct mig_cgroup_mounts *mounts,
			     const struct mig_membership *membership,
			     struct mig_cgroup_spot *ret_spot)
{
	unsigned int chosen = MIG_NR_HIERARCHIES;
	CLEANUP_FREE char *path = NULL;

	for (unsigned int i = 0; i < MIG_NR_HIERARCHIES; i++) {
		if (!mounts->of[i] || !membership->paths[i].length)
			continue;
		if (chosen == MIG_NR_HIERARCHIES || (is_root(membership->paths[chosen]) &&
						     !is_root(membership->paths[i])))
			chosen = i;
	}
	if (chosen == MIG_NR_HIERARCHIES)
		return -ENOENT;
	path = strndup(membership->paths[chosen].at, membership->paths[chosen].length);
	return path ? try_path(mounts, path, chosen, ret_spot) : -ENOMEM;
}

static int find_pid(const struct mig_context *context,
		    const struct mig_cgroup_mounts *mounts, const char *number,
		    struct mig_cgroup_spot *ret_spot)
{
	struct mig_text text = { .at = number, .length = strlen(number) };
	CLEANUP_FREE char *file = NULL;
	struct mig_membership membership;
	ssize_t length;
	uint64_t pid;
	int r;

	if (mig_text_take_number(&text, 10, &pid) < 0 || text.length || !pid ||
	    pid > INT_MAX)
		return -EINVAL;
	length = mig_procfs_read_alloc(context, &file, "proc/%d/cgroup", (pid_t)pid);
	if (length < 0)
		return length == -ENOENT ? -ESRCH : (int)length;
	r = mig_membership_parse((struct mig_text){ file, (size_t)length }, &membership);
	if (r < 0) {
		mig_log(context, MIG_LOG_WARNING, "'proc/%d/cgroup' does not parse",
			(pid_t)pid);
		return r;
	}
	return choose_membership(mounts, &membership, ret_spot);
}

int mig_cgroup_names_find(const struct mig_context *context,
			  const struct mig_cgroup_mounts *mounts, const char *name,
			  struct mig_cgroup_spot *ret_spot)
{
	if (!*name)
		return -EINVAL;
	if (!strncmp(name, "pid:", 4))
		return find_pid(context, mounts, name + 4, ret_spot);
	if (!strncmp(name, "job:", 4))
		return mig_cgroup_search_job(mounts, name + 4, ret_spot);
	return find_path(context, mounts, name, ret_spot);
}
