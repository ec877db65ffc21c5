/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A made-up machine with its context and its topology, as the state of a test. */
#ifndef FAKE_MACHINE_H
#define FAKE_MACHINE_H

#include "fake_root.h"
#include "libmigrate.h"

#define NODES "sys/devices/system/node"

struct fake_machine {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_topology *topology; /**< NULL until it is read */
};

/** fake_machine_set_up - cmocka's set-up: *@state is a captured machine with no files. */
int fake_machine_set_up(void **state);

/** fake_machine_tear_down - cmocka's tear-down. */
int fake_machine_tear_down(void **state);

/** fake_machine_set_calls - a new context, which counts as live unless @calls is NULL. */
void fake_machine_set_calls(void **state, const struct mig_calls *calls);

/** fake_machine_write - fake_root_write() of this machine's root. */
void fake_machine_write(void **state, const char *path, const char *text);

/** fake_machine_write_node - cpulist, distance and meminfo of one node. */
void fake_machine_write_node(void **state, int node, const char *cpulist,
			     const char *distance, unsigned long total_kilobytes);

/** fake_machine_read_topology - read it (again); fails the test where it cannot be. */
const struct mig_topology *fake_machine_read_topology(void **state);

#endif
