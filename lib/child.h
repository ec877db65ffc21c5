/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Child processes that the library makes for itself, in whatever program it is used.
 *
 * Such a child sends no SIGCHLD when it ends, and wait(2) and waitpid(2) of the program
 * do not see it. It is a copy of the caller, whose memory it has until it ends; of a
 * caller with threads, so that it may do only what signal-safety(7) allows.
 */
#ifndef MIG_CHILD_H
#define MIG_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/**
 * mig_child_start - fork without anybody noticing
 * @run: in the child, with all signals blocked; its exit status
 *
 * No handler of the program runs in it, neither of pthread_atfork(3) nor of a signal.
 * Errors: -EAGAIN, -ENOMEM.
 * Return: its pid, or a negative errno. It is to be reaped.
 */
pid_t mig_child_start(int (*run)(const void *data), const void *data);

/** What is no exit status. */
#define MIG_CHILD_KILLED (-1)
#define MIG_CHILD_RUNS (-2)

/**
 * mig_child_reap - wait for its end
 * Return: its exit status; MIG_CHILD_KILLED, also if somebody else has waited for it.
 */
int mig_child_reap(pid_t pid);

/** mig_child_try_reap - the same, or MIG_CHILD_RUNS without waiting. */
int mig_child_try_reap(pid_t pid);

/**
 * mig_child_close_others - in the child: close all descriptors but some
 * @kept: in any order, which changes; negative ones are none
 *
 * A pipe that stayed open in it would keep its reader waiting.
 */
void mig_child_close_others(int *kept, size_t nr);

#endif
