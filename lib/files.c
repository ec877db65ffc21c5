/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "filesystem.h"
#include "handles.h"
#include "options_struct.h"

int mig_files_new(struct mig_context *context, const struct mig_files_options *options,
		  struct mig_files **ret_files)
{
	struct mig_files *files;
	int r;

	if (!context || !ret_files)
		return -EINVAL;
	if (!context->live)
		return -EXDEV;
	files = calloc(1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	files->context = context;
	r = mig_options_copy(&files->options, sizeof(files->options), options);
	if (r < 0) {
		free(files);
		return r;
	}
	mig_backings_init(&files->backings, context);
	pthread_mutex_init(&files->lock, NULL);
	*ret_files = files;
	return 0;
}

void mig_files_free(struct mig_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->nr_sources; i++)
		free(files->sources[i].path);
	free(files->sources);
	mig_backings_done(&files->backings);
	pthread_mutex_destroy(&files->lock);
	free(files);
}

static int add_source(struct mig_files *files, const struct mig_file_source *source)
{
	struct mig_file_source *sources =
		reallocarray(files->sources, files->nr_sources + 1, sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	files->sources = sources;
	sources[files->nr_sources++] = *source;
	return 0;
}

int mig_files_add_path(struct mig_files *files, const char *path, unsigned int flags)
{
	struct mig_file_source source = { .type = MIG_SOURCE_PATH, .flags = flags };
	int r;

	if (!files || !path || flags & ~(MIG_FILES_RECURSE | MIG_FILES_CROSS))
		return -EINVAL;
	source.path = strdup(path);
	r = source.path ? add_source(files, &source) : -ENOMEM;
	if (r < 0)
		free(source.path);
	return r;
}

int mig_files_add_mount(struct mig_files *files, const char *path)
{
	const char *directory;
	struct statx status;

	if (!files || !path)
		return -EINVAL;
	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &status) < 0)
		return -errno;
	directory = files->backings.filesystems && status.stx_mask & STATX_MNT_ID
			    ? mig_filesystems_get_directory(files->backings.filesystems,
							    status.stx_mnt_id)
			    : NULL;
	return directory ? mig_files_add_path(files, directory, MIG_FILES_RECURSE)
			 : -ENODATA;
}

static int add_mounted(void *data, const struct mig_mount *mount)
{
	return mig_files_add_path(data, mount->directory, MIG_FILES_RECURSE);
}

int mig_files_add_mounts(struct mig_files *files, const char *type)
{
	if (!files || !type)
		return -EINVAL;
	if (!files->backings.filesystems)
		return -ENODATA;
	return mig_filesystems_visit(files->backings.filesystems, type, add_mounted,
				     files);
}

static int add_source_of(void *data, const struct mig_mount *mount)
{
	if (!mount->source || strncmp(mount->source, "/dev/", strlen("/dev/")) != 0)
		return 0;
	return mig_files_add_path(data, mount->source, 0);
}

int mig_files_add_devices(struct mig_files *files)
{
	if (!files)
		return -EINVAL;
	if (!files->backings.filesystems)
		return -ENODATA;
	return mig_filesystems_visit(files->backings.filesystems, NULL, add_source_of,
				     files);
}

int mig_files_add_list(struct mig_files *files, int fd)
{
	const struct mig_file_source source = { .type = MIG_SOURCE_LIST, .fd = fd };

	return files && fd >= 0 ? add_source(files, &source) : -EINVAL;
}

int mig_files_add_process(struct mig_files *files, const struct mig_process *process)
{
	const struct mig_file_source source = { .type = MIG_SOURCE_PROCESS,
						.process = process };

	return files && process ? add_source(files, &source) : -EINVAL;
}

void mig_files_report(struct mig_files *files, const char *path, int error)
{
	__atomic_fetch_add(&files->nr_problems, 1, __ATOMIC_RELAXED);
	if (!files->options.problem)
		return;
	pthread_mutex_lock(&files->lock);
	files->options.problem(files->options.problem_data, path, error);
	pthread_mutex_unlock(&files->lock);
}
