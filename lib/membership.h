/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /proc/PID/cgroup: the cgroup of a process in each hierarchy. */
#ifndef MIG_MEMBERSHIP_H
#define MIG_MEMBERSHIP_H

#include "cgroup_mounts.h"
#include "text.h"

struct mig_membership {
	/** Borrowed; of length 0: not in this hierarchy. */
	struct mig_text paths[MIG_NR_HIERARCHIES];
};

/** mig_membership_parse - the whole of such a file. Errors: -EBADMSG. */
int mig_membership_parse(struct mig_text text, struct mig_membership *ret_membership);

#endif
