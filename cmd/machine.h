/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that a command looks at: context and topology, opened with messages. */
#ifndef MIGRATECTL_MACHINE_H
#define MIGRATECTL_MACHINE_H

#include <libmigrate.h>

#include "cleanup.h"
#include "exit_status.h"

struct machine {
	struct mig_context *context;
	struct mig_topology *topology;
};

/**
 * machine_open - open context and topology
 * @sysroot: directory with /proc and /sys; NULL: this machine
 *
 * Warnings of the library go to standard error.
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int machine_open(const char *sysroot, struct machine *ret_machine);

/** machine_close - a zeroed one is allowed. */
void machine_close(struct machine *machine);

#define CLEANUP_MACHINE CLEANUP(machine_close)

/**
 * machine_parse_nodes - a node set that the user gave
 * @command: for the line that says where help is
 * @option:  where it stood, as "--to"
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int machine_parse_nodes(const struct machine *machine, const char *command,
			const char *option, const char *text,
			struct mig_nodeset *ret_nodes);

#endif
