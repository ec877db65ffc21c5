/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DAMON as a mover of physical memory: /sys/kernel/mm/damon/admin, Linux 6.12 and newer
 * (the action migrate_cold came with 6.11). It moves what nobody has mapped too, and
 * gives no reasons; ask the pages afterwards. There is one DAMON for the machine: what
 * others do with it is left as it is.
 *
 * Threads: one at a time.
 */
#ifndef MIG_DAMON_H
#define MIG_DAMON_H

#include "context.h"

struct mig_damon;

/**
 * mig_damon_open - take a kdamond that nobody uses
 *
 * Where damon_stat holds DAMON for itself (Linux 7.0 and newer), it is switched off
 * until mig_damon_close(). A child process watches: if the caller dies before, by
 * whatever, it stops the kdamond, takes it away and switches damon_stat on again.
 * Others use it also where their kdamonds are off: to make one takes away all that there
 * are, with their settings. DAMON's own modules (damon_reclaim, damon_lru_sort) are
 * others too.
 * Errors: -EOPNOTSUPP: no DAMON, or none that can migrate, or a captured machine; -EBUSY:
 * others use it; -EACCES: not root; -ENOMEM; -EAGAIN: no child; errnos of the files.
 * Ownership: ended with mig_damon_close().
 */
int mig_damon_open(const struct mig_context *context, struct mig_damon **ret_damon);

/** mig_damon_close - all as it was. @damon may be NULL. */
void mig_damon_close(struct mig_damon *damon);

/** What to move: physical memory of whom, and where to. */
struct mig_damon_scheme {
	uint64_t start; /**< physical address, bytes */
	uint64_t end;
	int to; /**< node */
	/** Path below the v2 root, "/" the root's own; NULL: of everybody. The cgroups
	 *  below it are not meant by it; what removed ones were charged for is, as their
	 *  parent's, on 7.2, and nobody's on 6.12. */
	const char *cgroup;
	bool only_unmapped; /**< where the kernel can tell (7.0 and newer); else, what is
			     *   not anonymous */
};

/** What it said of itself. */
struct mig_damon_stats {
	uint64_t tried_bytes;
	uint64_t applied_bytes;
};

/**
 * mig_damon_run - apply schemes until they have nothing left to do
 * @nr_schemes: any number: they are applied at the same time
 * @timeout_ns: an end in any case; not 0
 * @is_stopped: asked about ten times a second; true ends it. May be NULL.
 *
 * Ends when two rounds have applied nothing more. The memory is gone through a few GiB
 * after the other; the kernel cannot be stopped before it has tried all of these once.
 * What processors have not yet put on LRU lists is put there before each look.
 *
 * See to it that there is room before. 6.12 leaves what does not fit; 7.2 puts it on any
 * other node until the full target is noticed here, some tenths of a second later.
 *
 * Errors: -EINVAL: the kernel refuses the schemes, as where a cgroup is not there;
 * -EBUSY; -EIO: the kernel has ended it. What was done is in *@ret_stats all the same
 * after -ETIMEDOUT, -ECANCELED: stopped, and -ENOSPC: a target has nothing free above its
 * high watermarks. Errnos of the files.
 */
int mig_damon_run(struct mig_damon *damon, const struct mig_damon_scheme *schemes,
		  size_t nr_schemes, uint64_t timeout_ns, bool (*is_stopped)(void *data),
		  void *data, struct mig_damon_stats *ret_stats);

#endif
