/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cgroups as the user names them. */
#ifndef MIGRATECTL_CGROUP_ARGS_H
#define MIGRATECTL_CGROUP_ARGS_H

#include <libmigrate.h>

#include "machine.h"

/**
 * cgroup_open - hold the cgroup that an operand names
 * @sysroot: as of machine_open()
 * Return: STATUS_OK, or a status after a message.
 */
int cgroup_open(const struct machine *machine, const char *sysroot, const char *name,
		struct mig_cgroup **ret_cgroup);

/** cgroup_say_hidden - that some members cannot be seen from here */
void cgroup_say_hidden(const struct mig_cgroup *cgroup, size_t nr_hidden, size_t nr_all);

#endif
