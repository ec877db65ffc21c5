/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "cgroup.h"
#include "cgroup_tree.h"
#include "cleanup.h"
#include "process.h"
#include "procfs.h"
#include "text.h"

struct member_walk {
	const struct mig_context *context;
	int (*visit)(void *data, pid_t pid);
	void *data;
	size_t nr_hidden;
	bool is_threaded; /**< that with which the walk began, and so all below it */
	pid_t last;       /**< threads of one process are mostly listed together */
};

/* Errors: -ESRCH among others, where the cgroup has gone. */
static ssize_t read_file(int fd, const char *name, char **ret_text)
{
	CLEANUP_CLOSE int file = openat(fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (file < 0)
		length = -errno;
	else
		length = mig_procfs_read_fd_alloc(file, ret_text);
	return length == -ENOENT || length == -ENODEV ? -ESRCH : length;
}

static int visit_thread(struct member_walk *walk, pid_t tid)
{
	pid_t pid;
	int r = mig_process_read_group(walk->context, tid, &pid);

	if (r < 0)
		return r == -ESRCH ? 0 : r;
	if (pid == walk->last)
		return 0;
	walk->last = pid;
	return walk->visit(walk->data, pid);
}

static int visit_line(struct member_walk *walk, struct mig_text line, bool has_threads)
{
	uint64_t number;

	if (mig_text_take_number(&line, 10, &number) < 0 || line.length ||
	    number > INT_MAX)
		return -EBADMSG;
	if (!number) {
		walk->nr_hidden++;
		return 0;
	}
	if (has_threads)
		return visit_thread(walk, (pid_t)number);
	return walk->visit(walk->data, (pid_t)number);
}

static int visit_directory(void *data, const char *path, int fd)
{
	struct member_walk *walk = data;
	CLEANUP_FREE char *text = NULL;
	struct mig_text rest;
	bool has_threads = false;
	ssize_t length;
	int r = 0;

	length = read_file(fd, "cgroup.procs", &text);
	if (length == -EOPNOTSUPP) {
		if (!*path)
			walk->is_threaded = true;
		/* The domain above it, which was seen, lists the processes of all. */
		if (!walk->is_threaded)
			return 0;
		has_threads = true;
		length = read_file(fd, "cgroup.threads", &text);
	}
	if (length < 0)
		return length == -ESRCH ? 0 : (int)length;
	rest = (struct mig_text){ text, (size_t)length };
	while (!r && rest.length)
		r = visit_line(walk, mig_text_take_line(&rest), has_threads);
	return r;
}

int mig_cgroup_visit_members(const struct mig_cgroup *cgroup,
			     int (*visit)(void *data, pid_t pid), void *data,
			     size_t *ret_hidden)
{
	struct member_walk walk = { .visit = visit, .data = data };
	int r;

	if (!cgroup || !visit)
		return -EINVAL;
	walk.context = cgroup->context;
	r = mig_cgroup_tree_visit(cgroup->fd, visit_directory, &walk);
	/* Nobody was in it, or it was not there to be asked. */
	if (!r && mig_cgroup_is_removed(cgroup))
		r = -ENODEV;
	if (!r && ret_hidden)
		*ret_hidden = walk.nr_hidden;
	return r;
}
