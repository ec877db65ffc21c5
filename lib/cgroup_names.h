/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What users call a cgroup. */
#ifndef MIG_CGROUP_NAMES_H
#define MIG_CGROUP_NAMES_H

#include "cgroup_mounts.h"

/** Where a cgroup is. */
struct mig_cgroup_spot {
	char *path;             /**< as /proc/PID/cgroup has it; the owner frees it */
	unsigned int hierarchy; /**< whose members count */
};

/**
 * mig_cgroup_names_find - what a name means, see mig_cgroup_open()
 *
 * A name without any slash is first what has this name below the root, then a unit. Of
 * units, those of the system's manager go before those of managers that run below a
 * service or a scope (of users, in containers).
 */
int mig_cgroup_names_find(const struct mig_context *context,
			  const struct mig_cgroup_mounts *mounts, const char *name,
			  struct mig_cgroup_spot *ret_spot);

#endif
