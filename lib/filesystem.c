/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filesystem.h"

#include <errno.h>
#include <libmount.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "procfs.h"

struct mig_filesystems {
	struct libmnt_table *table;
};

DEFINE_CLEANUP(filesystems)

/* A line that does not parse ends it: half a table would give wrong answers. */
static int refuse_line(struct libmnt_table *table, const char *path, int line)
{
	(void)table;
	(void)path;
	(void)line;
	return -EBADMSG;
}

static int parse(struct libmnt_table *table, int fd)
{
	CLEANUP_FCLOSE FILE *stream = fdopen(fd, "r");
	int r;

	if (!stream) {
		r = -errno;
		close(fd);
		return r;
	}
	r = mnt_table_set_parser_errcb(table, refuse_line);
	if (!r)
		r = mnt_table_parse_stream(table, stream, "");
	return r;
}

int mig_filesystems_new(const struct mig_context *context, pid_t pid,
			struct mig_filesystems **ret_filesystems)
{
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;
	int fd = -ENOENT, r;

	filesystems = calloc(1, sizeof(*filesystems));
	if (!filesystems)
		return -ENOMEM;
	filesystems->table = mnt_new_table();
	if (!filesystems->table)
		return -ENOMEM;
	if (pid)
		fd = mig_procfs_open(context, "proc/%d/mountinfo", pid);
	if (fd < 0)
		fd = mig_procfs_open(context, "proc/self/mountinfo");
	if (fd < 0 && fd != -ENOENT)
		return fd;
	if (fd >= 0) {
		r = parse(filesystems->table, fd);
		if (r < 0)
			return r;
	}
	*ret_filesystems = STEAL(filesystems);
	return 0;
}

void mig_filesystems_free(struct mig_filesystems *filesystems)
{
	if (!filesystems)
		return;
	mnt_unref_table(filesystems->table);
	free(filesystems);
}

const char *mig_filesystems_get_type(const struct mig_filesystems *filesystems,
				     uint32_t device_major, uint32_t device_minor)
{
	struct libmnt_fs *entry = mnt_table_find_devno(
		filesystems->table, makedev(device_major, device_minor),
		MNT_ITER_BACKWARD);

	return entry ? mnt_fs_get_fstype(entry) : NULL;
}

static struct libmnt_fs *find_mount(const struct mig_filesystems *filesystems,
				    uint64_t mount_id)
{
	struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_BACKWARD);
	struct libmnt_fs *entry = NULL;

	while (iterator && !mnt_table_next_fs(filesystems->table, iterator, &entry) &&
	       (uint64_t)mnt_fs_get_id(entry) != mount_id)
		entry = NULL;
	mnt_free_iter(iterator);
	return entry;
}

const char *mig_filesystems_get_mount_type(const struct mig_filesystems *filesystems,
					   uint64_t mount_id)
{
	struct libmnt_fs *entry = find_mount(filesystems, mount_id);

	return entry ? mnt_fs_get_fstype(entry) : NULL;
}

bool mig_filesystems_get_option(const struct mig_filesystems *filesystems,
				uint64_t mount_id, const char *name, char *value,
				size_t size)
{
	struct libmnt_fs *entry = find_mount(filesystems, mount_id);
	const char *options = entry ? mnt_fs_get_fs_options(entry) : NULL;
	char *given = NULL;
	size_t length = 0;

	if (!options || mnt_optstr_get_option(options, name, &given, &length) ||
	    length >= size)
		return false;
	/* Not every option has a value. */
	if (length)
		memcpy(value, given, length);
	value[length] = 0;
	return true;
}

const char *mig_filesystems_get_directory(const struct mig_filesystems *filesystems,
					  uint64_t mount_id)
{
	struct libmnt_fs *entry = find_mount(filesystems, mount_id);

	return entry ? mnt_fs_get_target(entry) : NULL;
}

const char *mig_filesystems_get_home(const struct mig_filesystems *filesystems,
				     dev_t device, uint64_t mount_id)
{
	struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *entry = NULL, *part = NULL, *whole = NULL;

	while (iterator && !whole &&
	       !mnt_table_next_fs(filesystems->table, iterator, &entry)) {
		const char *root = mnt_fs_get_root(entry);

		/* Subvolumes of btrfs have devices that no table tells. */
		if (mnt_fs_get_devno(entry) != device &&
		    (uint64_t)mnt_fs_get_id(entry) != mount_id)
			continue;
		if (root && !strcmp(root, "/"))
			whole = entry;
		else if (!part)
			part = entry;
	}
	mnt_free_iter(iterator);
	entry = whole ? whole : part;
	return entry ? mnt_fs_get_target(entry) : NULL;
}

int mig_filesystems_visit(const struct mig_filesystems *filesystems, const char *type,
			  int (*visit)(void *data, const struct mig_mount *mount),
			  void *data)
{
	struct libmnt_iter *iterator = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *entry = NULL;
	int r = iterator ? 0 : -ENOMEM;

	while (!r && !mnt_table_next_fs(filesystems->table, iterator, &entry)) {
		const struct mig_mount mount = {
			.id = (uint64_t)mnt_fs_get_id(entry),
			.source = mnt_fs_get_source(entry),
			.directory = mnt_fs_get_target(entry),
			.root = mnt_fs_get_root(entry),
		};
		const char *its_type = mnt_fs_get_fstype(entry);

		if (its_type && mount.directory && mount.root &&
		    (!type || !strcmp(its_type, type)))
			r = visit(data, &mount);
	}
	mnt_free_iter(iterator);
	return r;
}
