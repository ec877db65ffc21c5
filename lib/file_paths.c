/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One path after the other: operands, the directories below them, lists, and the
 * files of processes. Holds no more than the directories it is in and the files that
 * it may come to again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "files.h"
#include "handles.h"

/* A directory that is being read. */
struct level {
	DIR *directory;
	size_t path_length; /**< of its path */
};

/* A file that was met. */
struct known {
	uint64_t device;
	uint64_t inode;
};

struct mig_file_paths {
	struct mig_files *files;
	size_t source;  /**< the next one to begin */
	bool remembers; /**< also files with one link */
	void *known;    /**< of tsearch(3) */
	/* a directory */
	struct level *levels;
	size_t nr_levels;
	char *path; /**< of the entry that is looked at */
	size_t path_size;
	uint64_t mount; /**< that the operand is on */
	bool crosses;
	/* a list */
	FILE *list;
	/* a process */
	char **names; /**< what it has open, then what it has mapped: path and name */
	size_t nr_names;
	size_t next_name;
	void *named; /**< of tsearch(3): the files that names lead to */
};

static int compare_known(const void *a, const void *b)
{
	const struct known *left = a, *right = b;

	if (left->device != right->device)
		return left->device < right->device ? -1 : 1;
	return (left->inode > right->inode) - (left->inode < right->inode);
}

/* Return: whether it was not known before. Without memory it counts twice. */
static bool remember(void **files, uint64_t device, uint64_t inode)
{
	struct known *known = malloc(sizeof(*known));
	struct known **place;

	if (!known)
		return true;
	*known = (struct known){ device, inode };
	place = (struct known **)tsearch(known, files, compare_known);
	if (place && *place == known)
		return true;
	free(known);
	return !place;
}

int mig_file_paths_new(struct mig_files *files, struct mig_file_paths **ret_paths)
{
	struct mig_file_paths *paths = calloc(1, sizeof(*paths));

	if (!paths)
		return -ENOMEM;
	paths->files = files;
	paths->remembers = files->nr_sources > 1;
	for (size_t i = 0; i < files->nr_sources; i++)
		paths->remembers |= files->sources[i].type != MIG_SOURCE_PATH ||
				    files->sources[i].flags & MIG_FILES_CROSS;
	*ret_paths = paths;
	return 0;
}

static void forget_names(struct mig_file_paths *paths)
{
	for (size_t i = 0; i < paths->nr_names; i++)
		free(paths->names[i]);
	free(paths->names);
	paths->names = NULL;
	paths->nr_names = paths->next_name = 0;
	tdestroy(paths->named, free);
	paths->named = NULL;
}

static void leave_directory(struct mig_file_paths *paths)
{
	closedir(paths->levels[--paths->nr_levels].directory);
}

void mig_file_paths_free(struct mig_file_paths *paths)
{
	if (!paths)
		return;
	while (paths->nr_levels)
		leave_directory(paths);
	free(paths->levels);
	free(paths->path);
	if (paths->list)
		fclose(paths->list);
	forget_names(paths);
	tdestroy(paths->known, free);
	free(paths);
}

/* ---- Directories ---- */

/* Where files are that belong together: a mount, or before Linux 5.8 a device. Unlike
 * devices, mounts do not tell the subvolumes of btrfs apart. */
static uint64_t mount_of(int fd)
{
	struct statx status;

	if (mig_file_stat(fd, "", AT_EMPTY_PATH, &status) < 0)
		return 0;
	return status.stx_mask & STATX_MNT_ID
		       ? status.stx_mnt_id
		       : makedev(status.stx_dev_major, status.stx_dev_minor);
}

static int open_directory(const char *path, bool follow)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
	int fd = open(path, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

static int push_level(struct mig_file_paths *paths, int fd)
{
	struct level *levels =
		reallocarray(paths->levels, paths->nr_levels + 1, sizeof(*levels));
	DIR *directory;

	if (!levels)
		return -ENOMEM;
	paths->levels = levels;
	directory = fdopendir(fd);
	if (!directory)
		return -ENOMEM;
	levels[paths->nr_levels++] = (struct level){ directory, strlen(paths->path) };
	return 0;
}

/* The directory that paths->path names. What cannot be read is a problem, no error. */
static int enter_directory(struct mig_file_paths *paths, bool is_operand)
{
	int fd = open_directory(paths->path, is_operand);
	int r = 0;

	if (fd < 0) {
		mig_files_report(paths->files, paths->path, fd);
		return 0;
	}
	if (is_operand)
		paths->mount = mount_of(fd);
	else if (!paths->crosses && mount_of(fd) != paths->mount)
		goto out;
	r = push_level(paths, fd);
	if (!r)
		return 0;
out:
	close(fd);
	return r;
}

/* The path of an entry of the innermost directory. */
static int set_entry(struct mig_file_paths *paths, const char *name)
{
	size_t length = paths->levels[paths->nr_levels - 1].path_length;
	size_t size = length + strlen(name) + 2;

	if (size > paths->path_size) {
		char *path = realloc(paths->path, 2 * size);

		if (!path)
			return -ENOMEM;
		paths->path = path;
		paths->path_size = 2 * size;
	}
	if (length && paths->path[length - 1] == '/')
		length--;
	paths->path[length] = '/';
	strcpy(paths->path + length + 1, name);
	return 0;
}

static unsigned char type_of(const struct dirent *entry, DIR *directory)
{
	struct statx status;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type;
	if (mig_file_stat(dirfd(directory), entry->d_name, AT_SYMLINK_NOFOLLOW, &status) <
	    0)
		return DT_UNKNOWN;
	return (unsigned char)IFTODT(status.stx_mode);
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int give(const char *path, bool is_operand, struct mig_file_name *ret_name)
{
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	*ret_name = (struct mig_file_name){
		.path = copy,
		.follow = is_operand,
		.is_file = !is_operand,
	};
	return 1;
}

/* Return: 1 with a file, 0 where another directory is the innermost now. */
static int next_entry(struct mig_file_paths *paths, struct mig_file_name *ret_name)
{
	size_t depth = paths->nr_levels;
	DIR *directory = paths->levels[depth - 1].directory;
	struct dirent *entry;

	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		unsigned char type = type_of(entry, directory);
		int r;

		if (is_dot(entry->d_name) || (type != DT_DIR && type != DT_REG))
			continue;
		r = set_entry(paths, entry->d_name);
		if (r < 0)
			return r;
		if (type == DT_REG)
			return give(paths->path, false, ret_name);
		r = enter_directory(paths, false);
		if (r < 0)
			return r;
		if (paths->nr_levels > depth)
			return 0;
	}
	if (errno) {
		paths->path[paths->levels[depth - 1].path_length] = 0;
		mig_files_report(paths->files, paths->path, -errno);
	}
	leave_directory(paths);
	return 0;
}

/* ---- Processes ---- */

static int add_name(struct mig_file_paths *paths, const char *path, const char *shown,
		    const struct statx *status)
{
	uint64_t device = makedev(status->stx_dev_major, status->stx_dev_minor);
	char **names;

	/* Before it is opened, which may fail: that is to be said once. */
	if (!remember(&paths->named, device, status->stx_ino))
		return 0;
	names = reallocarray(paths->names, paths->nr_names + 2, sizeof(*names));
	if (!names)
		return -ENOMEM;
	paths->names = names;
	names[paths->nr_names] = strdup(path);
	names[paths->nr_names + 1] = strdup(shown);
	paths->nr_names += 2;
	return names[paths->nr_names - 2] && names[paths->nr_names - 1] ? 0 : -ENOMEM;
}

/* Whether a path leads to what may have a page cache, without opening it. */
static bool leads_to_file(const char *path, struct statx *ret_status)
{
	return !mig_file_stat(AT_FDCWD, path, 0, ret_status) &&
	       (S_ISREG(ret_status->stx_mode) || S_ISBLK(ret_status->stx_mode));
}

static int add_descriptor(struct mig_file_paths *paths, pid_t pid, const char *number)
{
	char path[64], shown[4097];
	struct statx status;
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, number);
	length = readlink(path, shown, sizeof(shown) - 1);
	if (length < 0 || !leads_to_file(path, &status))
		return 0; /* closed meanwhile, or no file */
	shown[length] = 0;
	return add_name(paths, path, shown, &status);
}

static int add_descriptors(struct mig_file_paths *paths,
			   const struct mig_process *process)
{
	struct dirent *entry;
	char path[64];
	DIR *directory;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", process->pid);
	directory = opendir(path);
	if (!directory)
		return -errno;
	while (!r && (entry = readdir(directory)))
		if (!is_dot(entry->d_name))
			r = add_descriptor(paths, process->pid, entry->d_name);
	closedir(directory);
	return r;
}

static bool is_named(const struct mig_mapping *mapping, struct statx *ret_status)
{
	return mapping->name[0] == '/' &&
	       !mig_file_stat(AT_FDCWD, mapping->name, 0, ret_status) &&
	       ret_status->stx_ino == mapping->inode;
}

/* By the mapping where the caller may, since that is the file whatever has become of
 * its name. */
static int add_mapping(struct mig_file_paths *paths, const struct mig_process *process,
		       const struct mig_mapping *mapping)
{
	struct statx status;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
		 process->pid, mapping->start, mapping->end);
	if (leads_to_file(path, &status))
		return add_name(paths, path, mapping->name, &status);
	return is_named(mapping, &status)
		       ? add_name(paths, mapping->name, mapping->name, &status)
		       : 0;
}

/* The inode of a System V segment is its number, and they begin with 0. */
static bool is_of_file(const struct mig_mapping *mapping)
{
	return mapping->inode || mapping->name[0] == '/';
}

static int add_mappings(struct mig_file_paths *paths, const struct mig_process *process)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;
	struct known last = { 0, 0 }, file;
	bool has_last = false;
	int r = mig_mappings_open(process, false, &mappings);

	/* Those of one file often follow each other. */
	while (!r && !(r = mig_mappings_next(mappings, &mapping)) && mapping) {
		file.device = makedev(mapping->device_major, mapping->device_minor);
		file.inode = mapping->inode;
		if (is_of_file(mapping) &&
		    (!has_last || file.device != last.device || file.inode != last.inode))
			r = add_mapping(paths, process, mapping);
		has_last = is_of_file(mapping);
		last = file;
	}
	return r;
}

static int begin_process(struct mig_file_paths *paths, const struct mig_process *process)
{
	char shown[32];
	int r;

	forget_names(paths);
	r = add_descriptors(paths, process);
	if (!r)
		r = add_mappings(paths, process);
	if (!r || r == -ENOMEM)
		return r;
	snprintf(shown, sizeof(shown), "/proc/%d", process->pid);
	mig_files_report(paths->files, shown, r == -ENOENT ? -ESRCH : r);
	return 0;
}

static int next_of_process(struct mig_file_paths *paths, struct mig_file_name *ret_name)
{
	char **pair = paths->names + paths->next_name;

	*ret_name = (struct mig_file_name){ .path = pair[0],
					    .shown = pair[1],
					    .follow = true };
	pair[0] = pair[1] = NULL;
	paths->next_name += 2;
	return 1;
}

/* ---- Sources ---- */

static int next_of_list(struct mig_file_paths *paths, struct mig_file_name *ret_name)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length = getdelim(&line, &size, '\0', paths->list);

	if (length > 0) {
		*ret_name = (struct mig_file_name){ .path = line, .follow = true };
		return 1;
	}
	free(line);
	if (ferror(paths->list))
		mig_files_report(paths->files, "-", -EIO);
	fclose(paths->list);
	paths->list = NULL;
	return 0;
}

static int begin_list(struct mig_file_paths *paths, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	paths->list = copy < 0 ? NULL : fdopen(copy, "r");
	if (paths->list)
		return 0;
	if (copy >= 0)
		close(copy);
	mig_files_report(paths->files, "-", copy < 0 ? -errno : -ENOMEM);
	return 0;
}

static int begin_path(struct mig_file_paths *paths, const struct mig_file_source *source,
		      struct mig_file_name *ret_name)
{
	struct statx status;

	if (!(source->flags & MIG_FILES_RECURSE) ||
	    mig_file_stat(AT_FDCWD, source->path, 0, &status) < 0 ||
	    !S_ISDIR(status.stx_mode))
		return give(source->path, true, ret_name);
	free(paths->path);
	paths->path = strdup(source->path);
	if (!paths->path)
		return -ENOMEM;
	paths->path_size = strlen(paths->path) + 1;
	paths->crosses = source->flags & MIG_FILES_CROSS;
	return enter_directory(paths, true);
}

static int begin_source(struct mig_file_paths *paths, struct mig_file_name *ret_name)
{
	const struct mig_file_source *source = &paths->files->sources[paths->source++];

	switch (source->type) {
	case MIG_SOURCE_LIST:
		return begin_list(paths, source->fd);
	case MIG_SOURCE_PROCESS:
		return begin_process(paths, source->process);
	case MIG_SOURCE_PATH:
		break;
	}
	return begin_path(paths, source, ret_name);
}

int mig_file_paths_next(struct mig_file_paths *paths, struct mig_file_name *ret_name)
{
	for (;;) {
		int r = 0;

		if (paths->nr_levels)
			r = next_entry(paths, ret_name);
		else if (paths->list)
			r = next_of_list(paths, ret_name);
		else if (paths->next_name < paths->nr_names)
			r = next_of_process(paths, ret_name);
		else if (paths->source < paths->files->nr_sources)
			r = begin_source(paths, ret_name);
		else
			return 0;
		if (r)
			return r;
	}
}

bool mig_file_paths_is_first(struct mig_file_paths *paths, const struct mig_file *file)
{
	if (!paths->remembers && file->nr_links < 2)
		return true;
	return remember(&paths->known, file->device, file->inode);
}
