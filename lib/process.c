/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <errno.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <string.h>

#include "cleanup.h"
#include "numbered.h"
#include "procfs.h"
#include "procstat.h"

/* 52 fields of at most 20 digits, and the name. */
#define STAT_SIZE 2048

DEFINE_CLEANUP(process)

/* What is read by number is gone as much when the file is as when the read says so. */
static int gone_or(ssize_t error)
{
	return error == -ENOENT ? -ESRCH : (int)error;
}

struct pid_walk {
	int (*visit)(void *data, pid_t pid);
	void *data;
};

static int visit_pid(void *data, uint64_t number)
{
	const struct pid_walk *walk = data;

	return number && number <= INT_MAX ? walk->visit(walk->data, (pid_t)number) : 0;
}

static int visit_threads(const struct mig_process *process,
			 int (*visit)(void *data, pid_t tid), void *data)
{
	struct pid_walk walk = { .visit = visit, .data = data };
	char path[MIG_PATH_SIZE];

	snprintf(path, sizeof(path), "proc/%d/task", process->pid);
	return gone_or(
		mig_numbered_visit(process->context, path, "", "", visit_pid, &walk));
}

/* A leader's files are taken without task/, which a captured machine may lack. */
static void thread_path(const struct mig_process *process, pid_t tid, const char *name,
			char path[MIG_PATH_SIZE])
{
	if (tid == process->pid)
		snprintf(path, MIG_PATH_SIZE, "proc/%d/%s", tid, name);
	else
		snprintf(path, MIG_PATH_SIZE, "proc/%d/task/%d/%s", process->pid, tid,
			 name);
}

/* The name in @ret_stat is in @buffer. */
static int read_stat(const struct mig_context *context, const char *path,
		     char buffer[STAT_SIZE], struct mig_procstat *ret_stat)
{
	ssize_t length = mig_procfs_read(context, buffer, STAT_SIZE, "%s", path);
	int r;

	if (length < 0)
		return gone_or(length);
	r = mig_procstat_parse((struct mig_text){ buffer, (size_t)length }, ret_stat);
	if (r < 0)
		mig_log(context, MIG_LOG_WARNING, "'%s' does not parse", path);
	return r;
}

static int read_thread_stat(const struct mig_process *process, pid_t tid,
			    char buffer[STAT_SIZE], struct mig_procstat *ret_stat)
{
	char path[MIG_PATH_SIZE];

	thread_path(process, tid, "stat", path);
	return read_stat(process->context, path, buffer, ret_stat);
}

int mig_process_probe_memory(const struct mig_process *process, pid_t tid)
{
	return (int)process->context->calls->move_pages(tid, 0, NULL, NULL, NULL,
							MPOL_MF_MOVE);
}

/* Return: 1 if it lives, 0 if not, or a negative errno. */
static int thread_lives(const struct mig_process *process, pid_t tid)
{
	char buffer[STAT_SIZE];
	struct mig_procstat stat;
	int r;

	/* One call, and for its stat the kernel sums up all threads. */
	if (process->context->live && !mig_process_probe_memory(process, tid))
		return 1;
	r = read_thread_stat(process, tid, buffer, &stat);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	return mig_procstat_is_live(&stat);
}

struct thread_search {
	const struct mig_process *process;
	pid_t found;
};

static int find_live(void *data, pid_t tid)
{
	struct thread_search *search = data;
	int r = thread_lives(search->process, tid);

	if (r > 0)
		search->found = tid;
	return r;
}

int mig_process_find_thread(const struct mig_process *process, pid_t *ret_tid)
{
	struct thread_search search = { .process = process };
	int r = thread_lives(process, process->tid);

	if (r > 0)
		search.found = process->tid;
	else if (!r)
		r = visit_threads(process, find_live, &search);
	if (r < 0)
		return r;
	if (!search.found)
		return -ESRCH;
	*ret_tid = search.found;
	return 0;
}

int mig_process_read_group(const struct mig_context *context, pid_t tid, pid_t *ret_group)
{
	CLEANUP_FREE char *text = NULL;
	ssize_t length;
	int r;

	length = mig_procfs_read_alloc(context, &text, "proc/%d/status", tid);
	if (length < 0)
		return gone_or(length);
	r = mig_procstatus_parse_group((struct mig_text){ text, (size_t)length },
				       ret_group);
	if (r == -EBADMSG)
		mig_log(context, MIG_LOG_WARNING, "'proc/%d/status' does not parse", tid);
	return r;
}

static int hold(struct mig_process *process)
{
	int fd;

	if (!process->context->live)
		return 0;
	fd = process->context->calls->pidfd_open(process->pid);
	/* The number has become a thread's of another process (newer kernels: -ENOENT). */
	if (fd == -EINVAL || fd == -ENOENT)
		return -ESRCH;
	if (fd < 0)
		return fd;
	process->pidfd = fd;
	return 0;
}

static int examine(struct mig_process *process)
{
	char buffer[STAT_SIZE];
	struct mig_procstat stat;
	size_t length;
	int r;

	r = read_thread_stat(process, process->pid, buffer, &stat);
	if (r < 0)
		return r;
	if (stat.is_kernel_thread)
		return -ENXIO;
	process->parent = stat.parent;
	process->memory_mark = stat.stack_start;
	length = stat.name.length;
	if (length >= sizeof(process->name))
		length = sizeof(process->name) - 1;
	memcpy(process->name, stat.name.at, length);
	if (mig_procstat_is_live(&stat))
		return 0;
	r = mig_process_find_thread(process, &process->tid);
	return r == -ESRCH ? -ENODATA : r;
}

int mig_process_open_leader(struct mig_context *context, pid_t pid,
			    struct mig_process **ret_process)
{
	CLEANUP_MIG(process) struct mig_process *process = calloc(1, sizeof(*process));
	int r;

	if (!process)
		return -ENOMEM;
	process->context = context;
	process->pid = process->tid = pid;
	process->pidfd = -1;
	/* The kernel makes no pidfd of a thread's number. */
	r = hold(process);
	if (!r)
		r = examine(process);
	if (r < 0)
		return r;
	if (!mig_process_holds_number(process))
		return -ESRCH;
	*ret_process = STEAL(process);
	return 0;
}

int mig_process_open(struct mig_context *context, pid_t pid,
		     struct mig_process **ret_process)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	pid_t group, group_now;
	int r;

	if (!context || pid < 1 || !ret_process)
		return -EINVAL;
	r = mig_process_read_group(context, pid, &group);
	if (!r)
		r = mig_process_open_leader(context, group, &process);
	if (r < 0)
		return r;
	/*
	 * The numbers may have come to mean others before the process was held. If
	 * @pid is still of the group, and the group's number has not been free by
	 * the time that this was read, all that was read is of the one that is held.
	 */
	r = mig_process_read_group(context, pid, &group_now);
	if (r < 0)
		return r;
	if (group_now != group || !mig_process_holds_number(process))
		return -ESRCH;
	*ret_process = STEAL(process);
	return 0;
}

void mig_process_free(struct mig_process *process)
{
	if (!process)
		return;
	if (process->pidfd >= 0)
		close(process->pidfd);
	free(process);
}

pid_t mig_process_get_pid(const struct mig_process *process)
{
	return process ? process->pid : 0;
}

pid_t mig_process_get_parent(const struct mig_process *process)
{
	return process->parent;
}

const char *mig_process_get_name(const struct mig_process *process)
{
	return process ? process->name : "";
}

bool mig_process_holds_number(const struct mig_process *process)
{
	/* Other errors (-EPERM above all) come from one that is there. */
	return process->pidfd < 0 ||
	       process->context->calls->pidfd_probe(process->pidfd) != -ESRCH;
}

bool mig_process_is_alive(const struct mig_process *process)
{
	pid_t tid;

	return process && mig_process_find_thread(process, &tid) != -ESRCH &&
	       mig_process_holds_number(process);
}

bool mig_process_next_thread(const struct mig_process *process, pid_t *tid)
{
	pid_t living;

	if (mig_process_find_thread(process, &living) < 0 || living == *tid)
		return false;
	*tid = living;
	return true;
}

int mig_process_open_file_of(const struct mig_process *process, pid_t tid,
			     const char *name)
{
	char path[MIG_PATH_SIZE];
	int fd;

	thread_path(process, tid, name, path);
	fd = mig_procfs_open(process->context, "%s", path);
	if (!mig_process_holds_number(process)) {
		if (fd >= 0)
			close(fd);
		return -ESRCH;
	}
	/* The thread may have gone just now, and its files with it. */
	if (fd == -ENOENT && thread_lives(process, tid) == 0)
		return -ESRCH;
	return fd;
}

int mig_process_open_file(const struct mig_process *process, const char *name)
{
	pid_t tid;
	int r = mig_process_find_thread(process, &tid);

	return r < 0 ? r : mig_process_open_file_of(process, tid, name);
}

int mig_process_read_mems_allowed(const struct mig_process *process,
				  struct mig_nodeset *ret_nodes)
{
	CLEANUP_FREE char *text = NULL;
	char path[MIG_PATH_SIZE];
	ssize_t length;
	pid_t tid;
	int r;

	if (!process || !ret_nodes)
		return -EINVAL;
	r = mig_process_find_thread(process, &tid);
	if (r < 0)
		return r;
	thread_path(process, tid, "status", path);
	length = mig_procfs_read_alloc(process->context, &text, "%s", path);
	if (length < 0)
		return gone_or(length);
	if (!mig_process_holds_number(process))
		return -ESRCH;
	r = mig_procstatus_parse_mems_allowed((struct mig_text){ text, (size_t)length },
					      ret_nodes);
	if (r < 0)
		mig_log(process->context, MIG_LOG_WARNING, "'%s' does not parse", path);
	return r;
}

struct run_nodes {
	const struct mig_process *process;
	const struct mig_topology *topology;
	struct mig_nodeset nodes;
	size_t nr_live;
};

static int add_run_node(void *data, pid_t tid)
{
	struct run_nodes *run = data;
	char buffer[STAT_SIZE];
	struct mig_procstat stat;
	int r = read_thread_stat(run->process, tid, buffer, &stat);

	if (r < 0)
		return r == -ESRCH ? 0 : r;
	if (!mig_procstat_is_live(&stat))
		return 0;
	run->nr_live++;
	mig_nodeset_add(&run->nodes,
			mig_topology_get_node_of_cpu(run->topology, stat.cpu));
	return 0;
}

int mig_process_read_run_nodes(const struct mig_process *process,
			       const struct mig_topology *topology,
			       struct mig_nodeset *ret_nodes)
{
	struct run_nodes run = { .process = process, .topology = topology };
	int r;

	if (!process || !topology || !ret_nodes)
		return -EINVAL;
	r = visit_threads(process, add_run_node, &run);
	if (r < 0)
		return r;
	if (!run.nr_live || !mig_process_holds_number(process))
		return -ESRCH;
	*ret_nodes = run.nodes;
	return 0;
}

int mig_process_read_run_time(const struct mig_process *process, uint64_t *ret_ns)
{
	char buffer[STAT_SIZE];
	struct mig_procstat stat;
	int r;

	if (!process || !ret_ns)
		return -EINVAL;
	r = read_thread_stat(process, process->pid, buffer, &stat);
	if (r < 0)
		return r;
	if (!mig_process_holds_number(process))
		return -ESRCH;
	*ret_ns = stat.ticks * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}

struct child_walk {
	const struct mig_process *process;
	int (*visit)(void *data, pid_t pid);
	void *data;
};

static int visit_listed(const struct child_walk *walk, struct mig_text text)
{
	mig_text_trim(&text);
	while (text.length) {
		uint64_t pid;
		int r;

		if (mig_text_take_number(&text, 10, &pid) < 0 || pid > INT_MAX ||
		    (!mig_text_take_blanks(&text) && text.length))
			return -EBADMSG;
		/* 0 is a child that has no number in the reader's namespace. */
		r = pid ? walk->visit(walk->data, (pid_t)pid) : 0;
		if (r)
			return r;
	}
	return 0;
}

static int visit_thread_children(void *data, pid_t tid)
{
	const struct child_walk *walk = data;
	const struct mig_process *process = walk->process;
	CLEANUP_FREE char *text = NULL;
	ssize_t length;

	length = mig_procfs_read_alloc(process->context, &text,
				       "proc/%d/task/%d/children", process->pid, tid);
	if (length == -ESRCH)
		return 0;
	if (length == -ENOENT) {
		int r = thread_lives(process, tid);

		return r > 0 ? -ENOSYS : r;
	}
	if (length < 0)
		return (int)length;
	/* Before anybody acts on it: these are this process's children. */
	if (!mig_process_holds_number(process))
		return -ESRCH;
	return visit_listed(walk, (struct mig_text){ text, (size_t)length });
}

int mig_process_visit_children(const struct mig_process *process,
			       int (*visit)(void *data, pid_t pid), void *data)
{
	struct child_walk walk = { .process = process, .visit = visit, .data = data };

	return visit_threads(process, visit_thread_children, &walk);
}

struct all_walk {
	const struct mig_context *context;
	int (*visit)(void *data, pid_t pid, pid_t parent);
	void *data;
};

static int visit_with_parent(void *data, pid_t pid)
{
	const struct all_walk *walk = data;
	char path[MIG_PATH_SIZE], buffer[STAT_SIZE];
	struct mig_procstat stat;
	int r;

	snprintf(path, sizeof(path), "proc/%d/stat", pid);
	r = read_stat(walk->context, path, buffer, &stat);
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	return walk->visit(walk->data, pid, stat.parent);
}

int mig_process_visit_all(const struct mig_context *context,
			  int (*visit)(void *data, pid_t pid, pid_t parent), void *data)
{
	struct all_walk all = { .context = context, .visit = visit, .data = data };
	struct pid_walk walk = { .visit = visit_with_parent, .data = &all };

	return mig_numbered_visit(context, "proc", "", "", visit_pid, &walk);
}
