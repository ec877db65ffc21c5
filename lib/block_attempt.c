/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking a memory block offline, and bringing it back: a write to its state, which a
 * child does, since nothing but a signal ends one that does not come to an end.
 *
 * The signal is one that kills: a handler could have run before the write begins, which
 * then nobody ends. The state of the block tells what came of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>

#include "child.h"
#include "handles.h"
#include "kmsg.h"
#include "memory_blocks.h"
#include "procfs.h"
#include "sysfs.h"

#define SECOND_NS UINT64_C(1000000000)
#define SLICE_MS 100
/* What a signal ends does so behind a pass over the block. */
#define PATIENCE_NS (30 * SECOND_NS)
/* It takes less than a second; but one at a time is changed, and others may do so. */
#define ONLINE_TIMEOUT_NS (60 * SECOND_NS)

/* What the child is to do. */
struct job {
	const struct mig_context *context;
	int fd; /**< of the state */
	const char *text;
	uint64_t timeout_ns;
	pid_t parent;
};

/* Who may end it. */
struct stop {
	bool (*is_stopped)(void *data);
	void *data;
};

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

/* ---- In the child. ---- */

/* Also where the caller stands still, as by ^Z. */
static void set_alarm(uint64_t timeout_ns)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };
	struct itimerval timer = {
		.it_value = {
			.tv_sec = (time_t)(timeout_ns / SECOND_NS),
			.tv_usec = (suseconds_t)(timeout_ns % SECOND_NS / 1000),
		},
	};
	sigset_t set;

	if (!timer.it_value.tv_sec && !timer.it_value.tv_usec)
		timer.it_value.tv_usec = 1;
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* Return: the errno, 0 if it is done. */
static int write_state(const void *data)
{
	const struct job *job = data;
	int kept[] = { job->fd };
	size_t length = strlen(job->text);
	ssize_t written;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* It may have died before that. */
	if (getppid() != job->parent)
		return ECANCELED;
	prctl(PR_SET_NAME, "mig-block");
	mig_child_close_others(kept, 1);
	set_alarm(job->timeout_ns);
	written = job->context->calls->write(job->fd, job->text, length);
	if (written < 0)
		return (int)-written;
	return (size_t)written == length ? 0 : EIO;
}

/* ---- In the caller. ---- */

/* Return: its status; MIG_CHILD_RUNS: the time was up. */
static int await(pid_t pid, int pidfd, uint64_t deadline_ns, const struct stop *stop)
{
	for (;;) {
		struct pollfd end = { .fd = pidfd, .events = POLLIN };
		int status = mig_child_try_reap(pid);

		if (status != MIG_CHILD_RUNS || now() >= deadline_ns ||
		    (stop && stop->is_stopped && stop->is_stopped(stop->data)))
			return status;
		/* Without a pidfd it is a nap. */
		poll(&end, 1, SLICE_MS);
	}
}

/* Return: its status; MIG_CHILD_RUNS: it does not even die. */
static int attempt_in_child(const struct job *job, const struct stop *stop,
			    struct mig_block_attempt *attempt)
{
	CLEANUP_CLOSE int pidfd = -1;
	uint64_t began = now();
	pid_t pid = mig_child_start(write_state, job);
	int status;

	if (pid < 0)
		return pid;
	pidfd = job->context->calls->pidfd_open(pid);
	status = await(pid, pidfd, began + job->timeout_ns, stop);
	if (status == MIG_CHILD_RUNS) {
		kill(pid, SIGKILL);
		status = await(pid, pidfd, now() + PATIENCE_NS, NULL);
	}
	attempt->elapsed_ns = now() - began;
	attempt->timed_out = status < 0 && attempt->elapsed_ns >= job->timeout_ns;
	if (status == MIG_CHILD_RUNS)
		attempt->error = -EINPROGRESS;
	else if (status == MIG_CHILD_KILLED)
		attempt->error = -EINTR;
	else
		attempt->error = -status;
	return 0;
}

static int open_state(const struct mig_context *context, uint64_t number)
{
	char path[MIG_PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), MIG_MEMORY_DIRECTORY "/memory%" PRIu64 "/state",
		 number);
	fd = openat(context->root_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ENODEV : -errno;
}

/* The kernel's word on the page in the way. It is a help, and there may be none. */
static void ask_log(int kmsg, uint64_t number, uint64_t block_pages,
		    struct mig_block_attempt *attempt)
{
	struct mig_kmsg_scan scan = {
		.first_frame = number * block_pages,
		.end_frame = (number + 1) * block_pages,
	};

	if (kmsg < 0 || mig_kmsg_read(kmsg, &scan) < 0)
		return;
	attempt->obstacle = scan.obstacle;
	attempt->frame = scan.frame;
	snprintf(attempt->page, sizeof(attempt->page), "%s", scan.name);
}

/* Return: 1: it has that state already; 0; a negative errno. */
static int prepare(const struct mig_context *context, uint64_t number,
		   enum mig_block_state wanted)
{
	enum mig_block_state state;
	int r;

	if (!context->live)
		return -EXDEV;
	if (!mig_sysfs_exists(context, MIG_MEMORY_DIRECTORY))
		return -EOPNOTSUPP;
	r = mig_memory_block_read_state(context, number, &state);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	return state == wanted;
}

/* What was asked for is in place, whoever has done it, or whatever the child said. */
static int set_state(const struct job *job, uint64_t number, enum mig_block_state wanted,
		     const struct stop *stop, struct mig_block_attempt *attempt)
{
	enum mig_block_state state;
	int r = attempt_in_child(job, stop, attempt);

	if (r < 0 || !attempt->error)
		return r;
	r = mig_memory_block_read_state(job->context, number, &state);
	if (!r && state == wanted) {
		attempt->error = 0;
		attempt->timed_out = false;
	}
	return 0;
}

int mig_memory_block_offline(struct mig_context *context, uint64_t number,
			     uint64_t timeout_ns, bool (*is_stopped)(void *data),
			     void *data, struct mig_block_attempt *ret_attempt)
{
	const struct stop stop = { .is_stopped = is_stopped, .data = data };
	CLEANUP_CLOSE int kmsg = -1;
	CLEANUP_CLOSE int fd = -1;
	struct mig_block_attempt attempt = { 0 };
	uint64_t block_pages;
	struct job job;
	int r;

	if (!context || !timeout_ns || !ret_attempt)
		return -EINVAL;
	r = prepare(context, number, MIG_BLOCK_OFFLINE);
	if (!r)
		r = mig_memory_blocks_read_size(context, &block_pages);
	if (r < 0)
		return r;
	if (r) {
		*ret_attempt = (struct mig_block_attempt){ .was_done = true };
		return 0;
	}
	fd = open_state(context, number);
	if (fd < 0)
		return fd;
	kmsg = mig_kmsg_open(context);
	job = (struct job){ context, fd, "offline", timeout_ns, getpid() };
	r = set_state(&job, number, MIG_BLOCK_OFFLINE, &stop, &attempt);
	if (r < 0)
		return r;
	if (attempt.error)
		ask_log(kmsg, number, block_pages, &attempt);
	*ret_attempt = attempt;
	return 0;
}

int mig_memory_block_online(struct mig_context *context, uint64_t number,
			    enum mig_block_zone zone,
			    struct mig_block_attempt *ret_attempt)
{
	static const char *const words[] = {
		[MIG_ZONE_DEFAULT] = "online",
		[MIG_ZONE_MOVABLE] = "online_movable",
		[MIG_ZONE_KERNEL] = "online_kernel",
	};
	CLEANUP_CLOSE int fd = -1;
	struct mig_block_attempt attempt = { 0 };
	struct job job;
	int r;

	if (!context || !ret_attempt || (unsigned int)zone > MIG_ZONE_KERNEL)
		return -EINVAL;
	r = prepare(context, number, MIG_BLOCK_ONLINE);
	if (r < 0)
		return r;
	if (r) {
		*ret_attempt = (struct mig_block_attempt){ .was_done = true };
		return 0;
	}
	fd = open_state(context, number);
	if (fd < 0)
		return fd;
	job = (struct job){ context, fd, words[zone], ONLINE_TIMEOUT_NS, getpid() };
	r = set_state(&job, number, MIG_BLOCK_ONLINE, NULL, &attempt);
	if (r < 0)
		return r;
	*ret_attempt = attempt;
	return 0;
}
