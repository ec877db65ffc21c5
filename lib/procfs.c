/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"

/* The longest line of numa_maps: a path of 4 KiB, escaped, and 1024 nodes. */
#define WINDOW_SIZE ((size_t)1 << 20)

__attribute__((format(printf, 2, 0))) static int
open_path(const struct mig_context *context, const char *format, va_list arguments)
{
	char path[MIG_PATH_SIZE];
	int length, fd;

	length = vsnprintf(path, sizeof(path), format, arguments);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(context->root_fd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t read_some(int fd, char *buffer, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Reads until the end or until @size bytes are there. */
static ssize_t read_full(int fd, char *buffer, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read_some(fd, buffer + length, size - length);

		if (n < 0)
			return n;
		if (!n)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

int mig_procfs_open(const struct mig_context *context, const char *format, ...)
{
	va_list arguments;
	int fd;

	va_start(arguments, format);
	fd = open_path(context, format, arguments);
	va_end(arguments);
	return fd;
}

ssize_t mig_procfs_read_fd(int fd, char *buffer, size_t size)
{
	ssize_t length;

	if (!size)
		return -EFBIG;
	length = read_full(fd, buffer, size);
	if (length < 0)
		return length;
	/* The place of the NUL is taken: more than fits. */
	if ((size_t)length == size)
		return -EFBIG;
	buffer[length] = '\0';
	return length;
}

ssize_t mig_procfs_read(const struct mig_context *context, char *buffer, size_t size,
			const char *format, ...)
{
	CLEANUP_CLOSE int fd = -1;
	va_list arguments;

	va_start(arguments, format);
	fd = open_path(context, format, arguments);
	va_end(arguments);
	return fd < 0 ? fd : mig_procfs_read_fd(fd, buffer, size);
}

/* The sizes that /proc and /sys give to stat(2) say nothing, so grow as it comes. */
ssize_t mig_procfs_read_fd_alloc(int fd, char **ret_text)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 4096, length = 0;

	for (;;) {
		char *larger = realloc(text, size);
		ssize_t n;

		if (!larger)
			return -ENOMEM;
		text = larger;
		n = read_full(fd, text + length, size - length);
		if (n < 0)
			return n;
		length += (size_t)n;
		if (length < size)
			break;
		size *= 2;
	}
	text[length] = '\0';
	*ret_text = STEAL(text);
	return (ssize_t)length;
}

ssize_t mig_procfs_read_alloc(const struct mig_context *context, char **ret_text,
			      const char *format, ...)
{
	CLEANUP_CLOSE int fd = -1;
	va_list arguments;

	va_start(arguments, format);
	fd = open_path(context, format, arguments);
	va_end(arguments);
	return fd < 0 ? fd : mig_procfs_read_fd_alloc(fd, ret_text);
}

int mig_lines_init(struct mig_lines *lines, int fd)
{
	char *buffer = malloc(WINDOW_SIZE);

	if (!buffer)
		return -ENOMEM;
	*lines = (struct mig_lines){ .fd = fd, .buffer = buffer, .size = WINDOW_SIZE };
	return 0;
}

int mig_lines_reopen(struct mig_lines *lines, int fd)
{
	if (!lines->buffer)
		return mig_lines_init(lines, fd);
	close(lines->fd);
	*lines = (struct mig_lines){ .fd = fd,
				     .buffer = lines->buffer,
				     .size = lines->size };
	return 0;
}

void mig_lines_done(struct mig_lines *lines)
{
	/* A zeroed one has no file, although its fd reads 0. */
	if (!lines->buffer)
		return;
	close(lines->fd);
	free(lines->buffer);
	*lines = (struct mig_lines){ .fd = -1 };
}

/* Makes room behind what is not yet handed out, and reads there. */
static int fill(struct mig_lines *lines)
{
	size_t kept = lines->end - lines->start;
	ssize_t n;

	/* Moving only when it is needed or free keeps this linear. */
	if (!kept || lines->end == lines->size) {
		if (kept == lines->size)
			return -EMSGSIZE;
		memmove(lines->buffer, lines->buffer + lines->start, kept);
		lines->start = 0;
		lines->end = kept;
	}
	n = read_some(lines->fd, lines->buffer + lines->end, lines->size - lines->end);
	if (n < 0)
		return (int)n;
	lines->end += (size_t)n;
	lines->at_end = !n;
	return 0;
}

int mig_lines_next(struct mig_lines *lines, const char **ret_line, size_t *ret_length)
{
	size_t searched = 0;

	for (;;) {
		char *line = lines->buffer + lines->start;
		size_t length = lines->end - lines->start;
		char *newline = memchr(line + searched, '\n', length - searched);
		int r;

		if (!newline && !lines->at_end) {
			searched = length;
			r = fill(lines);
			if (r < 0)
				return r;
			continue;
		}
		/* The last line may lack its newline. */
		if (!newline && !length)
			return 0;
		*ret_line = line;
		*ret_length = newline ? (size_t)(newline - line) : length;
		lines->start += *ret_length + (newline ? 1 : 0);
		return 1;
	}
}
