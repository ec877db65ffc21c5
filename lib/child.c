/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* The limit may be a thousand million, which nobody has open. */
#define MOST_FDS 65536U

pid_t mig_child_start(int (*run)(const void *data), const void *data)
{
	sigset_t all, before;
	long pid;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = syscall(SYS_clone, 0UL, 0UL, 0UL, 0UL, 0UL);
	if (!pid)
		_exit(run(data));
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -error : (pid_t)pid;
}

static int reap(pid_t pid, int flags)
{
	int status;
	pid_t r;

	do
		r = waitpid(pid, &status, flags | __WALL);
	while (r < 0 && errno == EINTR);
	if (!r)
		return MIG_CHILD_RUNS;
	return r == pid && WIFEXITED(status) ? WEXITSTATUS(status) : MIG_CHILD_KILLED;
}

int mig_child_reap(pid_t pid)
{
	return reap(pid, 0);
}

int mig_child_try_reap(pid_t pid)
{
	return reap(pid, WNOHANG);
}

static void close_between(unsigned int first, unsigned int last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0U))
		return;
	/* A filter forbids it. */
	for (unsigned int fd = first; fd <= last && fd < MOST_FDS; fd++)
		close((int)fd);
}

void mig_child_close_others(int *kept, size_t nr)
{
	unsigned int next = 0;

	for (size_t i = 1; i < nr; i++)
		for (size_t j = i; j && kept[j] < kept[j - 1]; j--) {
			int larger = kept[j - 1];

			kept[j - 1] = kept[j];
			kept[j] = larger;
		}
	for (size_t i = 0; i < nr; i++) {
		if (kept[i] < 0 || (unsigned int)kept[i] < next)
			continue;
		if (kept[i] > 0)
			close_between(next, (unsigned int)kept[i] - 1);
		next = (unsigned int)kept[i] + 1;
	}
	close_between(next, UINT32_MAX);
}
