/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_PROCESS_H
#define MIG_PROCESS_H

#include "context.h"

struct mig_process {
	struct mig_context *context;
	pid_t pid;    /**< thread-group leader */
	pid_t tid;    /**< a thread that lived at the opening; later: _next_thread() */
	pid_t parent; /**< when it was opened */
	int pidfd;    /**< -1 on a captured machine */
	uint64_t memory_mark; /**< see struct mig_memory */
	char name[64];
};

/**
 * mig_process_open_leader - as mig_process_open(), of a number that is no thread's
 *
 * Costs a third: for those that /proc lists. What was read is of the one that is held.
 */
int mig_process_open_leader(struct mig_context *context, pid_t pid,
			    struct mig_process **ret_process);

/**
 * mig_process_read_group - the process that a thread belongs to
 * Errors: -ESRCH; -EBADMSG.
 */
int mig_process_read_group(const struct mig_context *context, pid_t tid,
			   pid_t *ret_group);

/**
 * mig_process_holds_number - whether its pid still means this process
 *
 * True for a zombie: its number is free for others only when it is reaped. Asked
 * after something was read by number, it says whose that was.
 */
bool mig_process_holds_number(const struct mig_process *process);

/**
 * mig_process_probe_memory - whether the caller may move memory through a thread
 *
 * move_pages(2) with no pages checks rights and nothing else.
 * Errors: -EPERM; -EINVAL: it has no memory, as one that has exited; -ESRCH; -ENOSYS.
 */
int mig_process_probe_memory(const struct mig_process *process, pid_t tid);

/**
 * mig_process_find_thread - a thread that lives now
 *
 * Memory is reached through it where the leader has exited: files of such a leader
 * are empty, and move_pages(2) refuses its number but takes any thread's.
 * Errors: -ESRCH: all of them have exited.
 */
int mig_process_find_thread(const struct mig_process *process, pid_t *ret_tid);

/**
 * mig_process_next_thread - another way to its memory, where a call with *@tid failed
 * Return: whether there is a living thread other than *@tid, which that is now.
 */
bool mig_process_next_thread(const struct mig_process *process, pid_t *tid);

/**
 * mig_process_open_file - open a file of its directory through a live thread
 * @name: as "numa_maps"
 * Errors: -ESRCH: it has exited; -ENOENT: it lives and has no such file; other
 * errnos of open(2).
 * Return: a descriptor (O_CLOEXEC) or a negative errno.
 */
int mig_process_open_file(const struct mig_process *process, const char *name);

/** mig_process_open_file_of - the same through a thread that was just found alive. */
int mig_process_open_file_of(const struct mig_process *process, pid_t tid,
			     const char *name);

/**
 * mig_process_visit_children - the children of all its threads
 * @visit: non-zero ends the walk with that value
 *
 * A child that exits during the walk can hide the next one from it: walk again
 * until nothing new appears.
 * Errors: -ESRCH: it has exited; -ENOSYS: this kernel does not list children
 * (CONFIG_PROC_CHILDREN): use mig_process_visit_all().
 */
int mig_process_visit_children(const struct mig_process *process,
			       int (*visit)(void *data, pid_t pid), void *data);

/**
 * mig_process_visit_all - every process of the machine, with its parent
 * @visit: non-zero ends the walk with that value
 *
 * Those that vanish meanwhile are passed over.
 */
int mig_process_visit_all(const struct mig_context *context,
			  int (*visit)(void *data, pid_t pid, pid_t parent), void *data);

#endif
