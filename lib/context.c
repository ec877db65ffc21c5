/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options_struct.h"

static bool root_is_live(int root_fd)
{
	struct stat root, slash;

	return !fstat(root_fd, &root) && !stat("/", &slash) &&
	       root.st_dev == slash.st_dev && root.st_ino == slash.st_ino;
}

int mig_context_new(const struct mig_context_options *options,
		    struct mig_context **ret_context)
{
	struct mig_context_options known = { 0 };
	struct mig_context *context;
	int r;

	if (!ret_context)
		return -EINVAL;
	r = mig_options_copy(&known, sizeof(known), options);
	if (r < 0)
		return r;
	context = calloc(1, sizeof(*context));
	if (!context)
		return -ENOMEM;
	context->root_fd = open(known.root_path ? known.root_path : "/",
				O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (context->root_fd < 0) {
		r = -errno;
		free(context);
		return r;
	}
	context->live = root_is_live(context->root_fd);
	context->page_size = (size_t)sysconf(_SC_PAGESIZE);
	context->page_shift = (unsigned int)__builtin_ctzl(context->page_size);
	context->calls = &mig_calls_kernel;
	context->log = known.log;
	context->log_data = known.log_data;
	pthread_mutex_init(&context->frame_files.lock, NULL);
	*ret_context = context;
	return 0;
}

static void close_frame_files(struct mig_frame_files *files)
{
	if (files->is_known && files->flags_fd >= 0)
		close(files->flags_fd);
	if (files->is_known && files->count_fd >= 0)
		close(files->count_fd);
	files->is_known = false;
}

void mig_context_free(struct mig_context *context)
{
	if (!context)
		return;
	close_frame_files(&context->frame_files);
	pthread_mutex_destroy(&context->frame_files.lock);
	close(context->root_fd);
	free(context);
}

size_t mig_context_get_page_size(const struct mig_context *context)
{
	return context ? context->page_size : 0;
}

void mig_context_set_calls(struct mig_context *context, const struct mig_calls *calls)
{
	context->calls = calls;
	context->live = true;
	close_frame_files(&context->frame_files);
}

void mig_log(const struct mig_context *context, enum mig_log_level level,
	     const char *format, ...)
{
	char line[512];
	va_list arguments;

	if (!context->log)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	context->log(context->log_data, level, line);
}
