/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of /sys that hold one value and may be written, relative to the context's root. */
#ifndef MIG_SYSFS_H
#define MIG_SYSFS_H

#include "context.h"

/**
 * mig_sysfs_write - write a value in one write(2)
 * @format: printf(3) format of the path, without a leading slash
 *
 * Where the kernel is busy it is tried again for half a second.
 * Errors: errnos of open(2) and write(2); -ENAMETOOLONG.
 */
__attribute__((format(printf, 3, 4))) int
mig_sysfs_write(const struct mig_context *context, const char *text, const char *format,
		...);

/** mig_sysfs_write_number - the same, in decimal. */
__attribute__((format(printf, 3, 4))) int
mig_sysfs_write_number(const struct mig_context *context, uint64_t number,
		       const char *format, ...);

/**
 * mig_sysfs_read_number - read a decimal number
 * Errors: errnos of open(2) and read(2); -EBADMSG: it is none.
 */
__attribute__((format(printf, 3, 4))) int
mig_sysfs_read_number(const struct mig_context *context, uint64_t *ret_number,
		      const char *format, ...);

/** mig_sysfs_is_yes - whether a file is there, readable, and begins with Y. */
bool mig_sysfs_is_yes(const struct mig_context *context, const char *path);

/** mig_sysfs_exists - whether a path is there. */
bool mig_sysfs_exists(const struct mig_context *context, const char *path);

#endif
