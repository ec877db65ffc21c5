/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cgroups that are found by looking through a hierarchy: units and jobs. */
#ifndef MIG_CGROUP_SEARCH_H
#define MIG_CGROUP_SEARCH_H

#include "cgroup_names.h"

/** mig_cgroup_path_join - @root before @path. Return: the caller's; NULL: no memory. */
char *mig_cgroup_path_join(const char *root, const char *path);

/** mig_cgroup_is_unit_name - whether systemd has cgroups for units of that kind. */
bool mig_cgroup_is_unit_name(const char *name);

/**
 * mig_cgroup_search_unit - a unit of systemd
 * Errors: -ENOENT; -ENOTUNIQ; -EACCES; -ENOMEM.
 */
int mig_cgroup_search_unit(const struct mig_cgroup_mounts *mounts, const char *name,
			   struct mig_cgroup_spot *ret_spot);

/**
 * mig_cgroup_search_job - a job of Slurm or PBS
 *
 * Slurm: "job_ID" below something with "slurm" in its name. PBS: "ID" or "ID.SERVER"
 * below something with "pbs" in its name, or "pbspro-ID.slice", escaped as systemd does.
 * Errors: as above, and -EINVAL: no number at all, or a slash in it.
 */
int mig_cgroup_search_job(const struct mig_cgroup_mounts *mounts, const char *id,
			  struct mig_cgroup_spot *ret_spot);

#endif
