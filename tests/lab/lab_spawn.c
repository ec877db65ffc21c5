// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting a process as somebody else: another user, in a cgroup, in a pid namespace,
 * or on a kernel that lacks system calls. */
#include "lab_world.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_DENIED 8

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "cannot %s: %s\n", what, strerror(errno));
	_exit(126);
}

static void enter_cgroup(const char *cgroup)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		give_up("enter the cgroup");
	close(fd);
}

/* A filter that answers some system calls as a kernel does that has none of them. */
static void lack_calls(const long *numbers)
{
	struct sock_filter code[2 * MAX_DENIED + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = { .len = 1, .filter = code };

	for (size_t i = 0; i < MAX_DENIED && numbers[i] >= 0; i++) {
		code[program.len++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)numbers[i], 0, 1);
		code[program.len++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	}
	code[program.len++] =
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		give_up("install the filter");
}

static void become(const struct lab_as *as)
{
	if (as->cgroup)
		enter_cgroup(as->cgroup);
	if (as->uid && (setgroups(0, NULL) || setresgid(as->uid, as->uid, as->uid) ||
			setresuid(as->uid, as->uid, as->uid)))
		give_up("become another user");
	if (as->without)
		lack_calls(as->without);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void connect_stream(int fd, int number)
{
	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (dup2(fd, number) < 0)
		give_up("connect a stream");
}

static pid_t fork_as(const struct lab_as *as)
{
	pid_t wanted = as->pid;
	struct clone_args arguments = {
		.flags = as->own_pid_namespace ? CLONE_NEWPID : 0,
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = wanted ? 1 : 0,
	};

	if (!wanted)
		arguments.set_tid = 0;
	return (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
}

pid_t lab_spawn(char *const *words, const struct lab_as *as, struct lab_streams streams)
{
	static const struct lab_as myself;
	pid_t pid;

	if (!as)
		as = &myself;
	fflush(NULL);
	pid = fork_as(as);
	if (pid < 0)
		fail_msg("cannot fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	signal(SIGPIPE, SIG_DFL);
	connect_stream(streams.in, STDIN_FILENO);
	connect_stream(streams.out, STDOUT_FILENO);
	connect_stream(streams.err, STDERR_FILENO);
	become(as);
	execvp(words[0], words);
	give_up(words[0]);
}

char **lab_split(const char *program, const char *line)
{
	size_t max_words = strlen(line) / 2 + 3, nr = 0;
	size_t size = max_words * sizeof(char *) + strlen(line) + 1;
	char **words = calloc(1, size + strlen(program) + 1), *copy, *rest;

	assert_non_null(words);
	copy = (char *)(words + max_words);
	rest = strcpy(copy, line);
	if (*program)
		words[nr++] = strcpy(copy + strlen(line) + 1, program);
	for (char *word; (word = strsep(&rest, " "));) {
		if (*word)
			words[nr++] = word;
		for (; *word; word++)
			*word = *word == '\v' ? ' ' : *word;
	}
	return words;
}

void lab_kill(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
