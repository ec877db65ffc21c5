/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers that a process has registered with io_uring, and which are pinned for as
 * long. The kernel lists them with address and length in /proc/PID/fdinfo
 * (io_uring/fdinfo.c, Linux 5.12 and newer).
 */
#ifndef MIG_URING_H
#define MIG_URING_H

#include "process.h"
#include "text.h"

struct mig_uring_buffers {
	struct mig_address_range *ranges;
	size_t nr;
	bool unlisted; /**< a ring was in use, and has buffers that were not listed */
};

/**
 * mig_uring_parse - the buffers in one fdinfo file
 * @buffers: they are added to these
 * Without all the lines that it announces (before Linux 6.15), or without a table (since
 * then), the ring was in use.
 * Errors: -ENOMEM. Lines that do not parse are passed over.
 */
int mig_uring_parse(struct mig_text text, struct mig_uring_buffers *buffers);

/**
 * mig_uring_read - all of a process
 * The kernel does not wait for the lock of a ring, so that a busy one lists nothing: it
 * is asked again, for a tenth of a second in all.
 * Errors: -ENOMEM; -EACCES, -EPERM; -ESRCH.
 */
int mig_uring_read(const struct mig_process *process,
		   struct mig_uring_buffers *ret_buffers);

/** mig_uring_done - a zeroed one is allowed. */
void mig_uring_done(struct mig_uring_buffers *buffers);

/** mig_uring_has - whether any of [@start, @end) is in a buffer. */
bool mig_uring_has(const struct mig_uring_buffers *buffers, uint64_t start, uint64_t end);

#endif
