// SPDX-License-Identifier: GPL-2.0-or-later
/* Placing and filling the memory of a victim, whatever its kind. */
#include "victim_memory.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NODE_BITS 1024
#define BITS_PER_LONG (8 * sizeof(unsigned long))

struct node_mask {
	unsigned long bits[NODE_BITS / BITS_PER_LONG];
};

/* The kernel looks at one bit less than it is told. */
#define MAX_NODE ((unsigned long)NODE_BITS + 1)

static struct node_mask mask_of(int node)
{
	struct node_mask mask = { 0 };

	mask.bits[(size_t)node / BITS_PER_LONG] |= 1UL << ((size_t)node % BITS_PER_LONG);
	return mask;
}

int victim_bind(int node)
{
	struct node_mask mask;
	long err;

	if (node < 0) {
		err = syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL);
	} else {
		mask = mask_of(node);
		err = syscall(SYS_set_mempolicy, MPOL_BIND, mask.bits, MAX_NODE);
	}
	return err ? -errno : 0;
}

bool victim_is_bound(int node)
{
	struct node_mask wanted = mask_of(node), mask = { 0 };
	int mode;

	if (syscall(SYS_get_mempolicy, &mode, mask.bits, MAX_NODE, NULL, 0UL))
		return false;
	return mode == MPOL_BIND && !memcmp(&wanted, &mask, sizeof(mask));
}

static void fill_with_pattern(struct victim_memory *memory, size_t offset, size_t length)
{
	const struct victim_kind *kind = memory->kind;
	size_t step = kind->stride ? kind->stride : VICTIM_PAGE;
	size_t page;

	for (size_t at = offset; at < offset + length; at += step) {
		page = at / VICTIM_PAGE;
		victim_pattern_fill(memory->start + at, memory->options->seed,
				    kind->distinct ? page % kind->distinct : page);
	}
}

/* The i-th of n parts; huge pages are never cut. */
static size_t part_offset(const struct victim_memory *memory, unsigned int i,
			  unsigned int n)
{
	const size_t unit = 2UL << 20;
	size_t offset = memory->size / n * i;

	return memory->size / n >= unit ? offset / unit * unit
					: offset / VICTIM_PAGE * VICTIM_PAGE;
}

static int fill_part(struct victim_memory *memory, unsigned int i, unsigned int nr_parts)
{
	size_t offset = part_offset(memory, i, nr_parts);
	size_t end =
		i + 1 < nr_parts ? part_offset(memory, i + 1, nr_parts) : memory->size;
	int err;

	if (memory->options->nr_nodes) {
		err = victim_bind(memory->options->nodes[i]);
		if (err)
			return err;
	}
	if (memory->kind->fill)
		return memory->kind->fill(memory, offset, end - offset);
	fill_with_pattern(memory, offset, end - offset);
	return 0;
}

int victim_memory_make(struct victim_memory *memory, const struct victim_options *options,
		       void *start)
{
	unsigned int nr_parts = options->nr_nodes ? options->nr_nodes : 1;
	int err;

	*memory = (struct victim_memory){
		.kind = victim_kind_find(options->kind),
		.options = options,
		.start = start,
		.size = options->size,
		.fd = -1,
		.pipe = { -1, -1 },
	};
	err = memory->kind->map ? memory->kind->map(memory) : 0;
	for (unsigned int i = 0; i < nr_parts && !err && memory->size; i++)
		err = fill_part(memory, i, nr_parts);
	if (!err && memory->kind->finish)
		err = memory->kind->finish(memory);
	if (!err && options->nr_nodes && !options->keep_policy)
		err = victim_bind(-1);
	return err;
}
