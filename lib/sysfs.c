/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "procfs.h"
#include "text.h"

#define BUSY_ATTEMPTS 50
#define BUSY_PAUSE_NS 10000000

static int write_once(const struct mig_context *context, const char *path,
		      const char *text)
{
	CLEANUP_CLOSE int fd =
		openat(context->root_fd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	size_t length = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = context->calls->write(fd, text, length);
	while (n == -EINTR);
	if (n < 0)
		return (int)n;
	return (size_t)n == length ? 0 : -EIO;
}

static int write_text(const struct mig_context *context, const char *path,
		      const char *text)
{
	const struct timespec pause = { .tv_nsec = BUSY_PAUSE_NS };
	int r = write_once(context, path, text);

	for (int i = 1; r == -EBUSY && i < BUSY_ATTEMPTS; i++) {
		nanosleep(&pause, NULL);
		r = write_once(context, path, text);
	}
	return r;
}

__attribute__((format(printf, 2, 0))) static int
format_path(char path[MIG_PATH_SIZE], const char *format, va_list arguments)
{
	int length = vsnprintf(path, MIG_PATH_SIZE, format, arguments);

	return length < 0 || length >= MIG_PATH_SIZE ? -ENAMETOOLONG : 0;
}

int mig_sysfs_write(const struct mig_context *context, const char *text,
		    const char *format, ...)
{
	char path[MIG_PATH_SIZE];
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = format_path(path, format, arguments);
	va_end(arguments);
	return r < 0 ? r : write_text(context, path, text);
}

int mig_sysfs_write_number(const struct mig_context *context, uint64_t number,
			   const char *format, ...)
{
	char path[MIG_PATH_SIZE], text[32];
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = format_path(path, format, arguments);
	va_end(arguments);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%" PRIu64, number);
	return write_text(context, path, text);
}

int mig_sysfs_read_number(const struct mig_context *context, uint64_t *ret_number,
			  const char *format, ...)
{
	char path[MIG_PATH_SIZE], buffer[64];
	struct mig_text text = { .at = buffer };
	va_list arguments;
	uint64_t number;
	ssize_t length;
	int r;

	va_start(arguments, format);
	r = format_path(path, format, arguments);
	va_end(arguments);
	if (r < 0)
		return r;
	length = mig_procfs_read(context, buffer, sizeof(buffer), "%s", path);
	if (length < 0)
		return (int)length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	if (mig_text_take_number(&text, 10, &number) < 0 || text.length)
		return -EBADMSG;
	*ret_number = number;
	return 0;
}

bool mig_sysfs_is_yes(const struct mig_context *context, const char *path)
{
	char buffer[16];

	return mig_procfs_read(context, buffer, sizeof(buffer), "%s", path) > 0 &&
	       buffer[0] == 'Y';
}

bool mig_sysfs_exists(const struct mig_context *context, const char *path)
{
	return !faccessat(context->root_fd, path, F_OK, 0);
}
