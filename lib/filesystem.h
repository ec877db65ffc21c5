/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File systems that are mounted, by device number. The only user of libmount. */
#ifndef MIG_FILESYSTEM_H
#define MIG_FILESYSTEM_H

#include "context.h"

struct mig_filesystems;

/**
 * mig_filesystems_new - read what is mounted
 * @pid: where this process sees it; if it has no such file, where the caller does
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

#endif
