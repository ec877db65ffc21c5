/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which node a CPU is on: ranges of CPU numbers, looked up by bisection. */
#ifndef MIG_CPU_RANGES_H
#define MIG_CPU_RANGES_H

#include "text.h"

struct mig_cpu_range {
	uint64_t first;
	uint64_t last;
	int node;
};

/** Zeroed before the first use. */
struct mig_cpu_ranges {
	struct mig_cpu_range *ranges;
	size_t count;
	size_t capacity;
};

/**
 * mig_cpu_ranges_add - the CPUs of one node, as "0-3,8"
 * Errors: -EBADMSG; -ENOMEM.
 */
int mig_cpu_ranges_add(struct mig_cpu_ranges *cpus, struct mig_text list, int node);

/** mig_cpu_ranges_sort - after the last node was added, before the first look-up. */
void mig_cpu_ranges_sort(struct mig_cpu_ranges *cpus);

/** mig_cpu_ranges_find - the node of a CPU, MIG_NO_NODE if it is not known. */
int mig_cpu_ranges_find(const struct mig_cpu_ranges *cpus, uint64_t cpu);

void mig_cpu_ranges_done(struct mig_cpu_ranges *cpus);

#endif
