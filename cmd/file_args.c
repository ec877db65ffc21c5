/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "file_args.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

/* Of a directory full of others' files the first few tell enough. */
#define MOST_TOLD 20

/* What a file is that has no page cache. Return: NULL: it cannot be told by its path. */
static const char *name_kind(const char *path)
{
	struct statx status;

	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0)
		return NULL;
	switch (status.stx_mode & S_IFMT) {
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
		return "a character device";
	case S_IFREG:
		return status.stx_attributes & STATX_ATTR_DAX
			       ? "a file with DAX, which programs map where it lies,"
			       : NULL;
	default:
		return NULL;
	}
}

static void tell_one(const char *path, int error)
{
	const char *kind = error == -EOPNOTSUPP ? name_kind(path) : NULL;

	if (kind)
		message_error("'%s': %s has no page cache", path, kind);
	else
		message_failure(SUBJECT_FILE, error, "'%s'", path);
}

static void tell(void *data, const char *path, int error)
{
	struct file_set *set = data;

	if (set->nr_problems++ < MOST_TOLD)
		tell_one(path, error);
	else if (set->nr_problems == MOST_TOLD + 1)
		message_error("and so on: further files that fail are only counted");
}

static int open_list(struct file_set *set, const char *path)
{
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return message_failure(SUBJECT_SYSTEM, -errno, "'%s'", path);
	set->list_fd = fd;
	return mig_files_add_list(set->files, fd) < 0
		       ? message_failure(SUBJECT_SYSTEM, -ENOMEM, "'%s'", path)
		       : STATUS_OK;
}

static int add_process(struct file_set *set, const struct machine *machine,
		       unsigned int pid)
{
	int r = mig_process_open(machine->context, (pid_t)pid, &set->process);

	if (!r)
		r = mig_files_add_process(set->files, set->process);
	return r < 0 ? message_failure(SUBJECT_PROCESS, r, "pid %u", pid) : STATUS_OK;
}

static int add_operands(struct file_set *set, const struct common_args *common,
			const struct file_args *args)
{
	unsigned int flags = (args->recurse ? MIG_FILES_RECURSE : 0) |
			     (args->cross ? MIG_FILES_CROSS : 0);

	for (size_t i = 0; i < common->nr_operands; i++) {
		int r = mig_files_add_path(set->files, common->operands[i], flags);

		if (r < 0)
			return message_failure(SUBJECT_SYSTEM, r, "'%s'",
					       common->operands[i]);
	}
	return STATUS_OK;
}

static int add_mount(struct file_set *set, const char *path)
{
	int r = mig_files_add_mount(set->files, path);

	return r < 0 ? message_failure(SUBJECT_FILE, r, "'%s'", path) : STATUS_OK;
}

static int add_all(struct file_set *set, const struct machine *machine,
		   const struct common_args *common, const struct file_args *args)
{
	int status = add_operands(set, common, args);

	if (!status && args->mount)
		status = add_mount(set, args->mount);
	if (!status && args->of_pid)
		status = add_process(set, machine, args->of_pid);
	if (!status && args->files0_from)
		status = open_list(set, args->files0_from);
	return status;
}

int file_set_open(const char *command, const struct machine *machine,
		  const struct common_args *common, const struct file_args *args,
		  struct file_set *ret_set)
{
	const struct mig_files_options options = {
		.size = sizeof(options),
		.problem = tell,
		.problem_data = ret_set,
	};
	int r, status;

	*ret_set = (struct file_set){ .list_fd = -1 };
	if (!common->nr_operands && !args->mount && !args->of_pid && !args->files0_from)
		return message_usage(command, "missing operand: PATH...");
	r = mig_files_new(machine->context, &options, &ret_set->files);
	if (r < 0)
		return message_failure(SUBJECT_FILE, r, "cannot look at files");
	status = add_all(ret_set, machine, common, args);
	if (status)
		file_set_close(ret_set);
	return status;
}

void file_set_close(struct file_set *set)
{
	mig_files_free(set->files);
	mig_process_free(set->process);
	if (set->list_fd > 0)
		close(set->list_fd);
	*set = (struct file_set){ .list_fd = -1 };
}
