/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File systems that are mounted, by device or mount. The only user of libmount. */
#ifndef MIG_FILESYSTEM_H
#define MIG_FILESYSTEM_H

#include "context.h"

struct mig_filesystems;

/**
 * mig_filesystems_new - read what is mounted
 * @pid: where this process sees it; 0, or if it has no such file: where the caller does
 *
 * File systems that the kernel mounts for itself (SysV memory, memfd) are not
 * among them. A root without mountinfo has none.
 * Errors: -EBADMSG; -ENOMEM; errnos of open(2) and read(2).
 * Ownership: freed with mig_filesystems_free().
 */
int mig_filesystems_new(const struct mig_context *context, pid_t pid,
			struct mig_filesystems **ret_filesystems);

/** mig_filesystems_free - @filesystems may be NULL. */
void mig_filesystems_free(struct mig_filesystems *filesystems);

/**
 * mig_filesystems_get_type - as "tmpfs"
 * Return: borrowed, valid as long as @filesystems; NULL if none has this device.
 */
const char *mig_filesystems_get_type(const struct mig_filesystems *filesystems,
				     uint32_t device_major, uint32_t device_minor);

/**
 * mig_filesystems_get_mount_type - the same by the mount's number in mountinfo
 * Return: borrowed; NULL if there is no such mount.
 */
const char *mig_filesystems_get_mount_type(const struct mig_filesystems *filesystems,
					   uint64_t mount_id);

/**
 * mig_filesystems_get_option - the value of an option of a mount's file system
 * @value: ended with NUL
 * Return: false if there is no such mount or option, or the value does not fit.
 */
bool mig_filesystems_get_option(const struct mig_filesystems *filesystems,
				uint64_t mount_id, const char *name, char *value,
				size_t size);

/**
 * mig_filesystems_get_directory - where a mount is mounted
 * Return: borrowed; NULL if there is no such mount.
 */
const char *mig_filesystems_get_directory(const struct mig_filesystems *filesystems,
					  uint64_t mount_id);

/**
 * mig_filesystems_get_home - where a file system can be seen best
 * @mount_id: of the mount by which a file of it was reached
 *
 * Where all of it is mounted, if it is anywhere, before where a part of it is.
 * Return: borrowed; NULL if it is not mounted here.
 */
const char *mig_filesystems_get_home(const struct mig_filesystems *filesystems,
				     dev_t device, uint64_t mount_id);

/** A mount. All is borrowed, and valid as long as the table. */
struct mig_mount {
	uint64_t id;           /**< its number in mountinfo */
	const char *source;    /**< what is mounted, as "/dev/sda1"; NULL: nothing */
	const char *directory; /**< where it is mounted */
	const char *root; /**< what of the file system is mounted there: "/" is all */
};

/**
 * mig_filesystems_visit - each mount of a type, in the order of the table
 * @type: NULL: any
 * @visit: non-zero ends the walk with that value
 * Errors: -ENOMEM.
 */
int mig_filesystems_visit(const struct mig_filesystems *filesystems, const char *type,
			  int (*visit)(void *data, const struct mig_mount *mount),
			  void *data);

#endif
