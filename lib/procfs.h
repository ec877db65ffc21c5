/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of /proc and /sys, always relative to the context's root. */
#ifndef MIG_PROCFS_H
#define MIG_PROCFS_H

#include "context.h"

/** Enough for any path below /proc or /sys that is built here. */
#define MIG_PATH_SIZE 256

/**
 * mig_procfs_open - open a file for reading
 * @format: printf(3) format of the path, without a leading slash
 * Return: a descriptor (O_CLOEXEC) or a negative errno.
 */
__attribute__((format(printf, 2, 3))) int
mig_procfs_open(const struct mig_context *context, const char *format, ...);

/**
 * mig_procfs_read - read a whole small file
 * @buffer: filled and ended with NUL
 * @size:   of @buffer in bytes
 * Errors: -EFBIG: it does not fit; errnos of open(2) and read(2).
 * Return: its length without the NUL, or a negative errno.
 */
__attribute__((format(printf, 4, 5))) ssize_t
mig_procfs_read(const struct mig_context *context, char *buffer, size_t size,
		const char *format, ...);

/**
 * mig_procfs_read_alloc - read a whole file of any size
 * @ret_text: ended with NUL; the caller frees it
 * Return: its length without the NUL, or a negative errno.
 */
__attribute__((format(printf, 3, 4))) ssize_t
mig_procfs_read_alloc(const struct mig_context *context, char **ret_text,
		      const char *format, ...);

/** mig_procfs_read_fd - as mig_procfs_read(), of an open file. */
ssize_t mig_procfs_read_fd(int fd, char *buffer, size_t size);

/** mig_procfs_read_fd_alloc - as mig_procfs_read_alloc(), of an open file. */
ssize_t mig_procfs_read_fd_alloc(int fd, char **ret_text);

/** A file read line by line through a fixed window. */
struct mig_lines {
	int fd;
	char *buffer;
	size_t size;  /**< of buffer */
	size_t start; /**< of the part not yet handed out */
	size_t end;
	bool at_end;
};

/** mig_lines_init - take over @fd. Return: 0 or -ENOMEM (@fd stays the caller's). */
int mig_lines_init(struct mig_lines *lines, int fd);

/**
 * mig_lines_reopen - read another file with the same window; the one before is closed
 * @lines: zeroed, or initialised
 * Return: 0 or -ENOMEM (@fd stays the caller's).
 */
int mig_lines_reopen(struct mig_lines *lines, int fd);

/** mig_lines_done - close the file and free the window; zeroed ones are allowed. */
void mig_lines_done(struct mig_lines *lines);

/**
 * mig_lines_next - the next line
 * @ret_line:   borrowed, valid until the next call, without its newline
 * Errors: -EMSGSIZE: a line longer than the window (1 MiB); errnos of read(2).
 * Return: 1, 0 at the end, or a negative errno.
 */
int mig_lines_next(struct mig_lines *lines, const char **ret_line, size_t *ret_length);

#endif
