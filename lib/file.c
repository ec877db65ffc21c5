/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"

/* Stretches that are counted at once on the search for cached pages. */
#define LARGEST_STRETCH (UINT64_C(1) << 40)

int mig_file_stat(int fd, const char *path, int flags, struct statx *ret_status)
{
	const unsigned int mask = STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID |
				  STATX_INO | STATX_SIZE | STATX_BLOCKS | STATX_MNT_ID;

	return statx(fd, path, flags | AT_STATX_DONT_SYNC, mask, ret_status) < 0 ? -errno
										 : 0;
}

static int check_type(const struct statx *status)
{
	switch (status->stx_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
		return status->stx_attributes & STATX_ATTR_DAX ? -EOPNOTSUPP : 0;
	case S_IFDIR:
		return -EISDIR;
	case S_IFLNK:
		return -ELOOP;
	default:
		return -EOPNOTSUPP;
	}
}

/* O_NONBLOCK: what has become a FIFO since it was looked at must not be waited for. */
static int open_fd(const struct mig_file_name *name)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
		    (name->follow ? 0 : O_NOFOLLOW);
	int fd = open(name->path, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = open(name->path, flags);
	if (fd >= 0)
		return fd;
	/* Secret memory, even by the descriptor of who has it, and sockets. */
	if (errno == ENXIO)
		return -EOPNOTSUPP;
	/* -EPERM is for what may be opened and not seen. */
	return errno == EPERM ? -EACCES : -errno;
}

static bool has_fowner(void)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	return !syscall(SYS_capget, &header, data) &&
	       data[0].effective & 1U << CAP_FOWNER;
}

/* mincore(2) calls every page of others' files resident (mm/mincore.c,
 * can_do_mincore, Linux 5.2 and newer): its rule is asked first. */
static bool may_see(int fd, const struct statx *status)
{
	return status->stx_uid == geteuid() || has_fowner() ||
	       !faccessat(fd, "", W_OK, AT_EACCESS | AT_EMPTY_PATH);
}

static uint64_t size_of(int fd, const struct statx *status)
{
	off_t end;

	if (!S_ISBLK(status->stx_mode))
		return status->stx_size;
	end = lseek(fd, 0, SEEK_END);
	return end < 0 ? 0 : (uint64_t)end;
}

static enum mig_kind kind_of(const struct mig_backing *backing)
{
	if (!strcmp(backing->type, "tmpfs"))
		return MIG_KIND_SHMEM;
	return strcmp(backing->type, "hugetlbfs") ? MIG_KIND_FILE : MIG_KIND_HUGETLB;
}

/* A touch would fill a hole in hugetlbfs, unless it is guarded (pagecache.c). */
static void note_holes(struct mig_file *file, const struct statx *status)
{
	if (file->kind != MIG_KIND_HUGETLB)
		return;
	if (!status->stx_blocks)
		file->size_bytes = 0; /* none of them was ever used */
	file->has_holes = status->stx_blocks * 512 < file->size_bytes;
}

static int fill(struct mig_backings *backings, struct mig_file *file)
{
	struct statx status;
	int r = mig_file_stat(file->fd, "", AT_EMPTY_PATH, &status);

	if (!r)
		r = check_type(&status);
	if (r < 0)
		return r;
	file->backing = mig_backings_get(backings, file->fd, &status);
	if (!file->backing)
		return -ENOMEM;
	if (!strcmp(file->backing->type, "secretmem"))
		return -EOPNOTSUPP;
	if (!may_see(file->fd, &status))
		return -EPERM;
	file->device = file->backing->device;
	file->inode = status.stx_ino;
	file->nr_links = status.stx_nlink;
	file->size_bytes = size_of(file->fd, &status);
	file->kind = kind_of(file->backing);
	file->page_size_bytes = file->kind == MIG_KIND_HUGETLB ? status.stx_blksize
							       : file->context->page_size;
	note_holes(file, &status);
	return 0;
}

/* What is no file is not opened at all: that alone may mean something to a device. */
static int check_path(const struct mig_file_name *name)
{
	struct statx status;
	int r = mig_file_stat(AT_FDCWD, name->path,
			      name->follow ? 0 : AT_SYMLINK_NOFOLLOW, &status);

	return r < 0 ? r : check_type(&status);
}

static int copy_name(struct mig_file_name *copy, const struct mig_file_name *name)
{
	copy->follow = name->follow;
	copy->is_file = name->is_file;
	copy->path = strdup(name->path);
	copy->shown = name->shown ? strdup(name->shown) : NULL;
	return copy->path && (copy->shown || !name->shown) ? 0 : -ENOMEM;
}

int mig_file_open(struct mig_backings *backings, const struct mig_file_name *name,
		  struct mig_file **ret_file)
{
	struct mig_file *file;
	int r = name->is_file ? 0 : check_path(name);

	if (r < 0)
		return r;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->context = backings->context;
	file->users = 1;
	r = copy_name(&file->name, name);
	file->fd = r < 0 ? r : open_fd(name);
	r = file->fd < 0 ? file->fd : fill(backings, file);
	if (r < 0) {
		mig_file_put(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

const char *mig_file_get_label(const struct mig_file *file)
{
	return file->name.shown ? file->name.shown : file->name.path;
}

struct mig_file *mig_file_get(struct mig_file *file)
{
	__atomic_fetch_add(&file->users, 1, __ATOMIC_RELAXED);
	return file;
}

void mig_file_put(struct mig_file *file)
{
	if (!file || __atomic_sub_fetch(&file->users, 1, __ATOMIC_ACQ_REL))
		return;
	if (file->fd >= 0)
		close(file->fd);
	free(file->name.path);
	free(file->name.shown);
	free(file);
}

int mig_file_count(const struct mig_file *file, uint64_t start, uint64_t end,
		   struct mig_cache_counts *ret_counts)
{
	const uint64_t range[2] = { start, end - start };
	/* cached, dirty, under writeback, evicted, recently evicted */
	uint64_t counts[5];
	bool *can_count = &file->backing->counts;
	int r;

	if (!__atomic_load_n(can_count, __ATOMIC_RELAXED))
		return -EOPNOTSUPP;
	r = file->context->calls->cachestat(file->fd, range, counts);
	/* The kernel has no such call, or a filter forbids it; or not for these files. */
	if (r < 0)
		__atomic_store_n(can_count, false, __ATOMIC_RELAXED);
	if (r < 0)
		return -EOPNOTSUPP;
	*ret_counts = (struct mig_cache_counts){ counts[0], counts[1], counts[2] };
	return 0;
}

/* One huge page of a file may be larger than a part. */
static uint64_t part_bytes(const struct mig_file *file)
{
	return file->page_size_bytes > MIG_FILE_PART ? file->page_size_bytes
						     : MIG_FILE_PART;
}

static bool is_empty(const struct mig_file *file, uint64_t start, uint64_t end)
{
	struct mig_cache_counts counts;

	return !mig_file_count(file, start, end, &counts) && !counts.cached_pages;
}

/* Stretches double while they are empty, and are halved to where the pages are. */
static uint64_t skip_empty(const struct mig_file *file, uint64_t at)
{
	uint64_t part = part_bytes(file), stretch = part;

	while (at < file->size_bytes && is_empty(file, at, at + stretch)) {
		at += stretch;
		if (stretch < LARGEST_STRETCH)
			stretch *= 2;
	}
	while (at < file->size_bytes && stretch > part) {
		stretch /= 2;
		if (is_empty(file, at, at + stretch))
			at += stretch;
	}
	return at;
}

bool mig_file_next_part(const struct mig_file *file, uint64_t offset, uint64_t *ret_start,
			uint64_t *ret_end)
{
	uint64_t at = skip_empty(file, offset);

	if (at >= file->size_bytes)
		return false;
	*ret_start = at;
	*ret_end = file->size_bytes - at < part_bytes(file) ? file->size_bytes
							    : at + part_bytes(file);
	return true;
}
