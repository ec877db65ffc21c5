/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes in a made-up /proc, and system calls that hold them. */
#ifndef FAKE_PROCESS_H
#define FAKE_PROCESS_H

#include "fake_root.h"

/** PF_KTHREAD, for fake_thread.flags. */
#define FAKE_KERNEL_THREAD 0x00200000U

struct fake_thread {
	pid_t pid;        /**< of the process */
	pid_t tid;        /**< 0: the leader */
	pid_t parent;     /**< 0: 1 */
	const char *name; /**< NULL: "program" */
	char state;       /**< 0: 'S' */
	unsigned int flags;
	unsigned int cpu;
	const char *children;     /**< NULL: none; as "43 44 " */
	const char *mems_allowed; /**< NULL: "0-1" */
};

/**
 * fake_thread_write - write stat, status and children of one thread
 *
 * A leader has them under /proc/PID, and children as every thread below task/TID.
 */
void fake_thread_write(struct fake_root *root, const struct fake_thread *thread);

/** fake_process_write - a process with one thread. */
void fake_process_write(struct fake_root *root, pid_t pid, pid_t parent,
			const char *children);

/** fake_process_remove - all of /proc/PID. */
void fake_process_remove(struct fake_root *root, pid_t pid);

/**
 * fake_calls - the kernel's table with pidfds that hold fake processes
 *
 * Forgets all that the functions below did before.
 */
const struct mig_calls *fake_calls(void);

/** fake_process_reap - let a pidfd of @pid, open now or later, say that it is gone. */
void fake_process_reap(pid_t pid);

/** fake_process_reuse - pidfds of @pid that are opened from now on live again. */
void fake_process_reuse(pid_t pid);

/** fake_process_share - from now on @pid has the memory of @other; 0: its own. */
void fake_process_share(pid_t pid, pid_t other);

/** fake_process_let_move - the caller may move the memory of @pid from now on. */
void fake_process_let_move(pid_t pid);

/** fake_process_hide - kcmp_vm() with @pid fails with -EPERM. */
void fake_process_hide(pid_t pid);

/** fake_kcmp_count - how often kcmp_vm() was called since fake_calls(). */
unsigned int fake_kcmp_count(void);

#endif
