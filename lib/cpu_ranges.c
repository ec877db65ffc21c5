/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu_ranges.h"

#include <errno.h>
#include <stdlib.h>

#include "nodelist.h"

struct addition {
	struct mig_cpu_ranges *cpus;
	int node;
};

static int add_range(void *data, uint64_t first, uint64_t last)
{
	const struct addition *addition = data;
	struct mig_cpu_ranges *cpus = addition->cpus;

	if (cpus->count == cpus->capacity) {
		size_t capacity = cpus->capacity ? 2 * cpus->capacity : 16;
		struct mig_cpu_range *larger =
			reallocarray(cpus->ranges, capacity, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		cpus->ranges = larger;
		cpus->capacity = capacity;
	}
	cpus->ranges[cpus->count++] = (struct mig_cpu_range){
		.first = first,
		.last = last,
		.node = addition->node,
	};
	return 0;
}

int mig_cpu_ranges_add(struct mig_cpu_ranges *cpus, struct mig_text list, int node)
{
	struct addition addition = { .cpus = cpus, .node = node };
	int r = mig_nodelist_visit(list, add_range, &addition);

	return r == -EINVAL || r == -ERANGE ? -EBADMSG : r;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct mig_cpu_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void mig_cpu_ranges_sort(struct mig_cpu_ranges *cpus)
{
	if (cpus->count)
		qsort(cpus->ranges, cpus->count, sizeof(*cpus->ranges), compare_ranges);
}

static int compare_cpu(const void *key, const void *member)
{
	const struct mig_cpu_range *range = member;
	uint64_t cpu = *(const uint64_t *)key;

	return (cpu > range->last) - (cpu < range->first);
}

int mig_cpu_ranges_find(const struct mig_cpu_ranges *cpus, uint64_t cpu)
{
	const struct mig_cpu_range *range = NULL;

	if (cpus->count)
		range = bsearch(&cpu, cpus->ranges, cpus->count, sizeof(*range),
				compare_cpu);
	return range ? range->node : MIG_NO_NODE;
}

void mig_cpu_ranges_done(struct mig_cpu_ranges *cpus)
{
	free(cpus->ranges);
	*cpus = (struct mig_cpu_ranges){ 0 };
}
