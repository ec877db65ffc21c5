/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"
#include "cleanup.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define MOST_KEPT (MIG_GUARDIAN_MOST_WRITES + 2)
#define TRIES 100
#define PAUSE_NS 10000000L

struct mig_guardian {
	pid_t pid;
	int fd; /**< the caller's end of a pair of sockets */
};

/* What the child has of the caller, as it was when it began. */
struct watch {
	const struct mig_guardian_write *writes;
	size_t nr;
	int fd;     /**< the child's end */
	int caller; /**< a pidfd; -1: the kernel or a filter has none */
};

/* ---- In the child: only what may be called after a fork of a threaded program. ---- */

static int write_once(const struct mig_guardian_write *what)
{
	size_t length = strlen(what->text);
	int fd = openat(what->dir_fd, what->name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t written;
	int r;

	if (fd < 0)
		return -errno;
	written = write(fd, what->text, length);
	r = written < 0 ? -errno : 0;
	close(fd);
	return !r && (size_t)written != length ? -EIO : r;
}

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	nanosleep(&pause, NULL);
}

static int write_patiently(const struct mig_guardian_write *what)
{
	int r = write_once(what);

	for (int i = 1; i < TRIES && (r == -EBUSY || r == -EAGAIN); i++) {
		rest();
		r = write_once(what);
	}
	return r;
}

static int write_all(const struct watch *watch)
{
	int first_error = 0;

	for (size_t i = 0; i < watch->nr; i++) {
		int r = write_patiently(&watch->writes[i]);

		if (!first_error)
			first_error = r;
	}
	return first_error;
}

static void close_others(const struct watch *watch)
{
	int kept[MOST_KEPT] = { watch->fd, watch->caller };
	size_t nr = 2;

	for (size_t i = 0; i < watch->nr; i++)
		kept[nr++] = watch->writes[i].dir_fd;
	mig_child_close_others(kept, nr);
}

/* Where memory runs out, the guardian of what is frozen must not be what is ended; with
 * memory.oom.group it would be ended together with the caller. */
static void keep_from_oom(void)
{
	static const char never[] = "-1000";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, never, sizeof(never) - 1) < 0)
		errno = 0; /* not root: it takes its chance */
	close(fd);
}

/* Return: whether to undo. */
static bool wait_for_end(const struct watch *watch)
{
	struct pollfd ends[] = {
		{ .fd = watch->fd, .events = POLLIN },
		{ .fd = watch->caller, .events = POLLIN },
	};
	char byte;

	while (poll(ends, 2, -1) <= 0)
		rest();
	/* A byte is a farewell. */
	return recv(watch->fd, &byte, 1, MSG_DONTWAIT) != 1;
}

static int be_guardian(const void *data)
{
	const struct watch *watch = data;
	int r = 0;

	setsid();
	prctl(PR_SET_NAME, "mig-guardian");
	close_others(watch);
	keep_from_oom();
	/* Holds no mount, and no directory that somebody wants to remove. */
	if (chdir("/") < 0 || send(watch->fd, "", 1, MSG_NOSIGNAL) != 1)
		return EIO;
	if (wait_for_end(watch))
		r = write_all(watch);
	return -r;
}

/* ---- In the caller. ---- */

static int open_self(int *ret_fd)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0U);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	*ret_fd = fd;
	return 0;
}

static bool is_ready(int fd)
{
	char byte;
	ssize_t r;

	do
		r = recv(fd, &byte, 1, 0);
	while (r < 0 && errno == EINTR);
	return r == 1;
}

static int start(struct mig_guardian *guardian, struct watch *watch)
{
	CLEANUP_CLOSE int caller = -1;
	CLEANUP_CLOSE int fd = -1;
	CLEANUP_CLOSE int childs_fd = -1;
	int pair[2], r;

	r = open_self(&caller);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fd = pair[0];
	childs_fd = pair[1];
	watch->fd = childs_fd;
	watch->caller = caller;
	guardian->pid = mig_child_start(be_guardian, watch);
	if (guardian->pid < 0)
		return guardian->pid;
	/* Only the child holds its end from here on: is_ready() sees if it dies. */
	close(childs_fd);
	childs_fd = -1;
	if (!is_ready(fd)) {
		close(fd);
		fd = -1;
		mig_child_reap(guardian->pid);
		return -EAGAIN;
	}
	guardian->fd = fd;
	fd = -1;
	return 0;
}

int mig_guardian_new(const struct mig_guardian_write *writes, size_t nr,
		     struct mig_guardian **ret_guardian)
{
	struct watch watch = { .writes = writes, .nr = nr };
	CLEANUP_FREE struct mig_guardian *guardian = NULL;
	int r;

	if (nr > MIG_GUARDIAN_MOST_WRITES)
		return -EINVAL;
	guardian = malloc(sizeof(*guardian));
	if (!guardian)
		return -ENOMEM;
	r = start(guardian, &watch);
	if (r < 0)
		return r;
	*ret_guardian = STEAL(guardian);
	return 0;
}

void mig_guardian_free(struct mig_guardian *guardian)
{
	if (!guardian)
		return;
	/* A caller who has become somebody else since may send no signal. */
	if (send(guardian->fd, "", 1, MSG_NOSIGNAL) != 1)
		kill(guardian->pid, SIGKILL);
	mig_child_reap(guardian->pid);
	close(guardian->fd);
	free(guardian);
}

int mig_guardian_undo(struct mig_guardian *guardian)
{
	int status;

	/* Also where a child of the caller's own holds a copy of the descriptor. */
	shutdown(guardian->fd, SHUT_RDWR);
	status = mig_child_reap(guardian->pid);
	close(guardian->fd);
	free(guardian);
	return status < 0 ? -ESRCH : -status;
}
