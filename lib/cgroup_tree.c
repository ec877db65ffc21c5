/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "array.h"
#include "cleanup.h"

static void cleanup_closedir(DIR *const *directory)
{
	if (*directory)
		closedir(*directory);
}

void mig_names_done(struct mig_names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->names[i]);
	free(names->names);
	*names = (struct mig_names){ 0 };
}

/* Takes @name over in any case; NULL: there was no memory for it. */
static int push(struct mig_names *names, char *name)
{
	void *array = names->names;
	int r = -ENOMEM;

	if (name)
		r = mig_array_reserve(&array, &names->capacity, names->nr,
				      sizeof(*names->names));
	names->names = array;
	if (r < 0)
		free(name);
	else
		names->names[names->nr++] = name;
	return r;
}

static bool is_directory(int fd, const struct dirent *entry)
{
	struct stat status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return !fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) &&
	       S_ISDIR(status.st_mode);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int mig_cgroup_tree_list(int fd, struct mig_names *names)
{
	CLEANUP(cleanup_closedir) DIR *stream = NULL;
	size_t first = names->nr;
	/* A position of its own, whoever else reads the directory. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (own < 0)
		return -errno;
	stream = fdopendir(own);
	if (!stream) {
		int r = -errno;

		close(own);
		return r;
	}
	for (;;) {
		const struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(stream);
		if (!entry && errno)
			return -errno;
		if (!entry)
			break;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !is_directory(own, entry))
			continue;
		r = push(names, strdup(entry->d_name));
		if (r < 0)
			return r;
	}
	if (names->nr > first)
		qsort(names->names + first, names->nr - first, sizeof(*names->names),
		      compare_names);
	return 0;
}

static char *join(const char *path, const char *name)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", path, *path ? "/" : "", name) < 0)
		return NULL;
	return joined;
}

/* Puts the directories below @path on the stack, the first of them uppermost. */
static int push_below(struct mig_names *stack, const char *path, int fd)
{
	CLEANUP(mig_names_done) struct mig_names below = { 0 };
	int r = mig_cgroup_tree_list(fd, &below);

	for (size_t i = below.nr; !r && i > 0; i--)
		r = push(stack, join(path, below.names[i - 1]));
	return r;
}

/* Removed, or made a file of, which only a made-up tree can do. */
static int unless_vanished(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -ENOTDIR ||
			       error == -ELOOP
		       ? 0
		       : error;
}

static int visit_one(struct mig_names *stack, int top, const char *path,
		     int (*visit)(void *data, const char *path, int fd), void *data)
{
	CLEANUP_CLOSE int fd = openat(top, *path ? path : ".",
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return unless_vanished(-errno);
	r = visit(data, path, fd);
	return r ? r : unless_vanished(push_below(stack, path, fd));
}

int mig_cgroup_tree_visit(int top, int (*visit)(void *data, const char *path, int fd),
			  void *data)
{
	CLEANUP(mig_names_done) struct mig_names stack = { 0 };
	int r = push(&stack, strdup(""));

	while (!r && stack.nr) {
		CLEANUP_FREE char *path = stack.names[--stack.nr];

		r = visit_one(&stack, top, path, visit, data);
	}
	return r;
}
