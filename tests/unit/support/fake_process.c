/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MAX_FD 4096
#define MAX_PID 4096

static struct mig_calls calls;
static struct {
	pid_t pid_of_fd[MAX_FD];
	unsigned int life_of_fd[MAX_FD];
	unsigned int life[MAX_PID];
	bool is_reaped[MAX_PID];
	bool is_hidden[MAX_PID];
	bool is_movable[MAX_PID];
	pid_t memory[MAX_PID];
	unsigned int nr_kcmp;
} machine;

static void write_in(struct fake_root *root, const char *directory, const char *name,
		     const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fake_root_write(root, path, text);
}

static void write_stat(struct fake_root *root, const char *directory,
		       const struct fake_thread *thread, pid_t tid)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "%d (%s) %c %d %d %d 0 -1 %u 100 0 0 0 1 2 0 0 20 0 1 0 500 8192 1 "
		 "18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0\n",
		 tid, thread->name ? thread->name : "program",
		 thread->state ? thread->state : 'S', thread->parent ? thread->parent : 1,
		 thread->pid, thread->pid, thread->flags, thread->cpu);
	write_in(root, directory, "stat", text);
}

static void write_status(struct fake_root *root, const char *directory,
			 const struct fake_thread *thread, pid_t tid)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "Name:\tprogram\nState:\tS (sleeping)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\n"
		 "PPid:\t%d\nMems_allowed:\t00000003\nMems_allowed_list:\t%s\n",
		 thread->pid, tid, thread->parent ? thread->parent : 1,
		 thread->mems_allowed ? thread->mems_allowed : "0-1");
	write_in(root, directory, "status", text);
}

void fake_thread_write(struct fake_root *root, const struct fake_thread *thread)
{
	pid_t tid = thread->tid ? thread->tid : thread->pid;
	char own[64], in_task[64];

	/* As in the kernel, any thread has a directory of its own number. */
	snprintf(own, sizeof(own), "proc/%d", tid);
	snprintf(in_task, sizeof(in_task), "proc/%d/task/%d", thread->pid, tid);
	write_stat(root, own, thread, tid);
	write_status(root, own, thread, tid);
	write_stat(root, in_task, thread, tid);
	write_status(root, in_task, thread, tid);
	write_in(root, in_task, "children", thread->children ? thread->children : "");
}

void fake_process_write(struct fake_root *root, pid_t pid, pid_t parent,
			const char *children)
{
	fake_thread_write(root, &(struct fake_thread){ .pid = pid,
						       .parent = parent,
						       .children = children });
}

void fake_process_remove(struct fake_root *root, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d", pid);
	fake_root_remove(root, path);
}

static void check_pid(pid_t pid)
{
	if (pid < 1 || pid >= MAX_PID)
		fail_msg("fake processes have numbers below %d", MAX_PID);
}

static int fake_pidfd_open(pid_t pid)
{
	int fd;

	check_pid(pid);
	if (machine.is_reaped[pid])
		return -ESRCH;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd >= MAX_FD)
		fail_msg("no descriptor for a fake pidfd");
	machine.pid_of_fd[fd] = pid;
	machine.life_of_fd[fd] = machine.life[pid];
	return fd;
}

static int fake_pidfd_probe(int fd)
{
	pid_t pid = machine.pid_of_fd[fd];

	return machine.is_reaped[pid] || machine.life_of_fd[fd] != machine.life[pid]
		       ? -ESRCH
		       : 0;
}

static pid_t memory_of(pid_t pid)
{
	return machine.memory[pid] ? machine.memory[pid] : pid;
}

/* The order is not that of the numbers, as the kernel's is not. */
static int fake_kcmp_vm(pid_t a, pid_t b)
{
	unsigned int left, right;

	check_pid(a);
	check_pid(b);
	machine.nr_kcmp++;
	if (machine.is_reaped[a] || machine.is_reaped[b])
		return -ESRCH;
	if (machine.is_hidden[a] || machine.is_hidden[b])
		return -EPERM;
	left = (unsigned int)memory_of(a) * 2654435761U;
	right = (unsigned int)memory_of(b) * 2654435761U;
	if (left == right)
		return 0;
	return left < right ? 1 : 2;
}

/* Asked for rights and nothing else. */
static long fake_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	(void)pages;
	(void)nodes;
	(void)status;
	(void)flags;
	check_pid(pid);
	assert_int_equal(count, 0);
	return machine.is_movable[pid] ? 0 : -EPERM;
}

const struct mig_calls *fake_calls(void)
{
	memset(&machine, 0, sizeof(machine));
	calls = mig_calls_kernel;
	calls.pidfd_open = fake_pidfd_open;
	calls.pidfd_probe = fake_pidfd_probe;
	calls.kcmp_vm = fake_kcmp_vm;
	calls.move_pages = fake_move_pages;
	return &calls;
}

void fake_process_reap(pid_t pid)
{
	check_pid(pid);
	machine.is_reaped[pid] = true;
}

void fake_process_reuse(pid_t pid)
{
	check_pid(pid);
	machine.is_reaped[pid] = false;
	machine.life[pid]++;
}

void fake_process_share(pid_t pid, pid_t other)
{
	check_pid(pid);
	machine.memory[pid] = other;
}

void fake_process_hide(pid_t pid)
{
	check_pid(pid);
	machine.is_hidden[pid] = true;
}

void fake_process_let_move(pid_t pid)
{
	check_pid(pid);
	machine.is_movable[pid] = true;
}

unsigned int fake_kcmp_count(void)
{
	return machine.nr_kcmp;
}
