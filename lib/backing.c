/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backing.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "filesystem.h"

void mig_backings_init(struct mig_backings *backings, const struct mig_context *context)
{
	*backings = (struct mig_backings){ .context = context };
	pthread_mutex_init(&backings->lock, NULL);
	if (mig_filesystems_new(context, getpid(), &backings->filesystems) < 0)
		backings->filesystems = NULL;
}

void mig_backings_done(struct mig_backings *backings)
{
	while (backings->first) {
		struct mig_backing *backing = backings->first;

		backings->first = backing->next;
		pthread_mutex_destroy(&backing->lock);
		free(backing);
	}
	mig_filesystems_free(backings->filesystems);
	pthread_mutex_destroy(&backings->lock);
}

bool mig_backing_may_write(const struct mig_backing *backing)
{
	enum mig_dirty dirty = __atomic_load_n(&backing->dirty, __ATOMIC_RELAXED);

	return dirty == MIG_DIRTY_UNKNOWN || dirty == MIG_DIRTY_WRITES;
}

bool mig_backing_moves_dirty(const char *type)
{
	/* Those with a migrate_folio for data on Linux 6.1, 6.12 and 7.2. */
	static const char *const movers[] = {
		"ext2",  "ext3",   "ext4",  "xfs",       "btrfs",    "f2fs",
		"tmpfs", "zonefs", "ubifs", "hugetlbfs", "devtmpfs", "ocfs2",
	};

	for (size_t i = 0; i < sizeof(movers) / sizeof(*movers); i++)
		if (!strcmp(type, movers[i]))
			return true;
	return false;
}

/* What the kernel mounts for itself is in no mount table. */
static const char *type_by_magic(int fd)
{
	struct statfs status;

	if (fstatfs(fd, &status) < 0)
		return "";
	switch (status.f_type) {
	case TMPFS_MAGIC:
		return "tmpfs";
	case HUGETLBFS_MAGIC:
		return "hugetlbfs";
	case SECRETMEM_MAGIC:
		return "secretmem";
	default:
		return "";
	}
}

/* Data in the journal: no migrate_folio before Linux 6.5. */
static bool journals(const struct mig_filesystems *filesystems, uint64_t mount_id)
{
	char value[16];

	return mig_filesystems_get_option(filesystems, mount_id, "data", value,
					  sizeof(value)) &&
	       !strcmp(value, "journal");
}

/* Dirty pages of an overlay are those of its upper layer; without one it has none. */
static bool upper_layer_moves_dirty(const struct mig_filesystems *filesystems,
				    uint64_t mount_id)
{
	struct statx status;
	const char *type;
	char path[4096];

	if (!mig_filesystems_get_option(filesystems, mount_id, "upperdir", path,
					sizeof(path)))
		return true;
	/* It may not be seen from here. */
	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &status) < 0 ||
	    !(status.stx_mask & STATX_MNT_ID))
		return false;
	type = mig_filesystems_get_mount_type(filesystems, status.stx_mnt_id);
	return type && mig_backing_moves_dirty(type) &&
	       !journals(filesystems, status.stx_mnt_id);
}

static bool moves_dirty(const struct mig_backings *backings, const struct statx *status,
			const struct mig_backing *backing)
{
	if (!strcmp(backing->type, "overlay") && backings->filesystems)
		return upper_layer_moves_dirty(backings->filesystems, status->stx_mnt_id);
	return mig_backing_moves_dirty(backing->type) && !backing->journals;
}

static void identify(const struct mig_backings *backings, int fd,
		     const struct statx *status, struct mig_backing *backing)
{
	const char *type = NULL;

	if (backings->filesystems && status->stx_mask & STATX_MNT_ID) {
		type = mig_filesystems_get_mount_type(backings->filesystems,
						      status->stx_mnt_id);
		backing->journals = journals(backings->filesystems, status->stx_mnt_id);
	}
	if (backings->filesystems)
		backing->home = mig_filesystems_get_home(
			backings->filesystems, backing->device,
			status->stx_mask & STATX_MNT_ID ? status->stx_mnt_id : 0);
	if (!type)
		type = type_by_magic(fd);
	snprintf(backing->type, sizeof(backing->type), "%s", type);
	backing->counts = strcmp(type, "overlay") && strcmp(type, "hugetlbfs");
	if (!moves_dirty(backings, status, backing))
		backing->dirty = MIG_DIRTY_UNKNOWN;
	if (!strcmp(type, "ramfs") || !strcmp(type, "rootfs"))
		backing->dirty = MIG_DIRTY_NEVER;
}

static struct mig_backing *add(struct mig_backings *backings, int fd,
			       const struct statx *status, dev_t device)
{
	struct mig_backing *backing = calloc(1, sizeof(*backing));

	if (!backing)
		return NULL;
	backing->device = device;
	pthread_mutex_init(&backing->lock, NULL);
	identify(backings, fd, status, backing);
	backing->next = backings->first;
	backings->first = backing;
	return backing;
}

struct mig_backing *mig_backings_get(struct mig_backings *backings, int fd,
				     const struct statx *status)
{
	dev_t device = makedev(status->stx_dev_major, status->stx_dev_minor);
	struct mig_backing *backing;

	pthread_mutex_lock(&backings->lock);
	for (backing = backings->first; backing; backing = backing->next)
		if (backing->device == device)
			break;
	if (!backing)
		backing = add(backings, fd, status, device);
	pthread_mutex_unlock(&backings->lock);
	return backing;
}
