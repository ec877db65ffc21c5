/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call of move_pages(2) and what it really did.
 *
 * The kernel (Linux 6.1 to 7.2, do_pages_move) collects addresses and migrates
 * them together. Where that fails in part it returns the number of failed folios
 * plus the number of addresses that it never came to, or an errno, and writes no
 * status for either. Every status is therefore filled with a mark beforehand; the
 * marks that are still there tell which addresses failed (or moved) and which
 * were never tried, and the former are asked for again.
 */
#ifndef MIG_BATCH_H
#define MIG_BATCH_H

#include <limits.h>

#include "process.h"

/** Tried, and still elsewhere. */
#define MIG_STATUS_FAILED INT_MIN
/** The kernel stopped before it. */
#define MIG_STATUS_UNTRIED (INT_MIN + 1)

struct mig_batch {
	void **addresses;
	int *status; /**< a node, -errno as the kernel gave, or MIG_STATUS_* */
	int *nodes;  /**< all the same: filled_node */
	int filled_node;
	size_t capacity;
	size_t nr;
	uint64_t elapsed_ns; /**< of the last call that moved */
	bool no_memory;      /**< it ended because the destination was full */
};

/** mig_batch_init - room for @capacity addresses. Errors: -ENOMEM. */
int mig_batch_init(struct mig_batch *batch, size_t capacity);

/** mig_batch_done - a zeroed batch is allowed. */
void mig_batch_done(struct mig_batch *batch);

/**
 * mig_batch_move - move the addresses to @node
 * @pid:    or a thread's id
 * @shared: MPOL_MF_MOVE_ALL instead of MPOL_MF_MOVE
 *
 * On success every status is decoded; a full destination is no error here.
 * Errors: of the call as a whole, as kernel-wide as they come: -ESRCH, -EINVAL (no
 * memory), -EPERM, -EACCES (the target's cpuset), -ENODEV, -ENOSYS, -EINTR. Nothing
 * was moved then (or the process exited before it could be asked what was), and the
 * statuses are MIG_STATUS_UNTRIED.
 */
int mig_batch_move(const struct mig_context *context, struct mig_batch *batch, pid_t pid,
		   int node, bool shared);

/**
 * mig_batch_ask - on which nodes addresses are
 * @status: a node, or -errno for a page that is not there
 * Errors: as mig_batch_move().
 */
int mig_batch_ask(const struct mig_context *context, pid_t pid, void *const *addresses,
		  int *status, size_t nr);

/** mig_batch_ask_process - the same through any living thread of a process. */
int mig_batch_ask_process(const struct mig_process *process, void *const *addresses,
			  int *status, size_t nr);

/** mig_clock_ns - CLOCK_MONOTONIC. */
uint64_t mig_clock_ns(void);

#endif
