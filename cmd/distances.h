/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far nodes are from each other. */
#ifndef MIGRATECTL_DISTANCES_H
#define MIGRATECTL_DISTANCES_H

#include <libmigrate.h>

#include "json.h"
#include "options.h"

/**
 * distances_print - for people
 *
 * A matrix where it fits the terminal or there is none. Otherwise the shorter of two:
 * a row for each distance from a node to the nodes there, nodes that see the same
 * together; or the matrix, some columns at a time.
 * Return: exit status.
 */
int distances_print(const struct common_args *args, const struct mig_topology *topology);

/** distances_write - an array of rows, nodes in ascending order in both directions */
void distances_write(const struct mig_topology *topology, struct json *json,
		     const char *key);

#endif
