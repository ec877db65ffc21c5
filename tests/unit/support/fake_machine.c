/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

int fake_machine_set_up(void **state)
{
	struct fake_machine *machine = calloc(1, sizeof(*machine));

	assert_non_null(machine);
	machine->root = fake_root_new();
	machine->context = fake_root_context(machine->root, NULL);
	*state = machine;
	return 0;
}

int fake_machine_tear_down(void **state)
{
	struct fake_machine *machine = *state;

	mig_topology_free(machine->topology);
	mig_context_free(machine->context);
	fake_root_free(machine->root);
	free(machine);
	return 0;
}

void fake_machine_set_calls(void **state, const struct mig_calls *calls)
{
	struct fake_machine *machine = *state;

	mig_topology_free(machine->topology);
	machine->topology = NULL;
	mig_context_free(machine->context);
	machine->context = fake_root_context(machine->root, calls);
}

void fake_machine_write(void **state, const char *path, const char *text)
{
	const struct fake_machine *machine = *state;

	fake_root_write(machine->root, path, text);
}

void fake_machine_write_node(void **state, int node, const char *cpulist,
			     const char *distance, unsigned long total_kilobytes)
{
	char path[128], text[256];

	snprintf(path, sizeof(path), NODES "/node%d/cpulist", node);
	fake_machine_write(state, path, cpulist);
	snprintf(path, sizeof(path), NODES "/node%d/distance", node);
	fake_machine_write(state, path, distance);
	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	snprintf(text, sizeof(text),
		 "Node %d MemTotal: %lu kB\nNode %d MemFree: 100 kB\n", node,
		 total_kilobytes, node);
	fake_machine_write(state, path, text);
}

const struct mig_topology *fake_machine_read_topology(void **state)
{
	struct fake_machine *machine = *state;

	mig_topology_free(machine->topology);
	machine->topology = NULL;
	assert_int_equal(mig_topology_new(machine->context, &machine->topology), 0);
	return machine->topology;
}
