/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A child process that watches the caller and undoes what it has done to the machine if
 * the caller dies before it could, by whatever: SIGKILL too, and exec.
 *
 * It is asked for before the machine is changed, so that there is no moment in which a
 * death leaves the change behind. What it writes must do no harm where the change was
 * not made.
 *
 * The child is in a session of its own, with all signals blocked, in "/", with no
 * descriptor but those that it needs. It sends no SIGCHLD when it ends, and wait(2) and
 * waitpid(2) of the caller do not see it. It is a copy of the caller, whose memory it
 * has until it ends.
 */
#ifndef MIG_GUARDIAN_H
#define MIG_GUARDIAN_H

#include <stddef.h>

/** One text into one file, in one write(2). The file is opened only then. */
struct mig_guardian_write {
	int dir_fd;       /**< any directory, O_PATH ones too */
	const char *name; /**< relative to it */
	const char *text;
};

#define MIG_GUARDIAN_MOST_WRITES 64

struct mig_guardian;

/**
 * mig_guardian_new - have somebody watch from now on
 * @writes: done in this order, all of them, also where one fails; those that the kernel
 *          is too busy for are tried again for a second
 * @nr:     up to MIG_GUARDIAN_MOST_WRITES
 *
 * All that @writes points to, and the descriptors, may go when this returns.
 * Threads: any; the child does nothing that a threaded caller's child may not do.
 * Errors: -EINVAL: too many; -EAGAIN: no child; -EMFILE, -ENFILE; -ENOMEM.
 * Ownership: ended with mig_guardian_free() or mig_guardian_undo().
 */
int mig_guardian_new(const struct mig_guardian_write *writes, size_t nr,
		     struct mig_guardian **ret_guardian);

/** mig_guardian_free - let it end without a write. @guardian may be NULL. */
void mig_guardian_free(struct mig_guardian *guardian);

/**
 * mig_guardian_undo - let it do its writes now, and wait for that
 * @guardian: freed in any case
 * Errors: of the first write that failed; -ESRCH: somebody has killed it.
 */
int mig_guardian_undo(struct mig_guardian *guardian);

#endif
