/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "residency.h"

#include <errno.h>
#include <stdlib.h>

#include "handles.h"
#include "mappings.h"
#include "meminfo.h"
#include "presence.h"
#include "procfs.h"
#include "topology.h"

/* 60 lines, some of them as long as a machine has processors and nodes. */
#define STATUS_SIZE 32768

struct row {
	uint64_t bytes[MIG_NR_KINDS];
};

struct mig_residency {
	struct mig_context *context;
	struct row *rows[MIG_MAX_NODES]; /**< NULL: nothing was counted there */
	uint64_t swapped_bytes;
};

int mig_residency_new(struct mig_context *context, struct mig_residency **ret_residency)
{
	struct mig_residency *residency;

	if (!context || !ret_residency)
		return -EINVAL;
	residency = calloc(1, sizeof(*residency));
	if (!residency)
		return -ENOMEM;
	residency->context = context;
	*ret_residency = residency;
	return 0;
}

void mig_residency_free(struct mig_residency *residency)
{
	if (!residency)
		return;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		free(residency->rows[node]);
	free(residency);
}

static int make_row(struct mig_residency *residency, int node)
{
	if (!residency->rows[node])
		residency->rows[node] = calloc(1, sizeof(*residency->rows[node]));
	return residency->rows[node] ? 0 : -ENOMEM;
}

/* Calls @visit for each node that has pages of the mapping. */
static int each_node(struct mig_residency *residency, const struct mig_mapping *mapping,
		     int (*visit)(struct mig_residency *residency,
				  const struct mig_mapping *mapping, int node))
{
	uint64_t left = mapping->resident_pages;
	int r = 0;

	for (int node = 0; node < MIG_MAX_NODES && left && !r; node++) {
		if (!mapping->node_pages[node])
			continue;
		left -= mapping->node_pages[node];
		r = visit(residency, mapping, node);
	}
	return r;
}

static int make_row_for(struct mig_residency *residency,
			const struct mig_mapping *mapping, int node)
{
	(void)mapping;
	return make_row(residency, node);
}

static int add_to_row(struct mig_residency *residency, const struct mig_mapping *mapping,
		      int node)
{
	residency->rows[node]->bytes[mapping->kind] += mapping->node_pages[node]
						       << residency->context->page_shift;
	return 0;
}

int mig_residency_add_mapping(struct mig_residency *residency,
			      const struct mig_mapping *mapping)
{
	int r;

	if (mapping->kind == MIG_KIND_KERNEL)
		return 0;
	r = each_node(residency, mapping, make_row_for);
	return r < 0 ? r : each_node(residency, mapping, add_to_row);
}

int mig_residency_add_pages(struct mig_residency *residency, int node, enum mig_kind kind,
			    uint64_t nr_pages)
{
	int r = make_row(residency, node);

	if (!r)
		residency->rows[node]->bytes[kind] += nr_pages
						      << residency->context->page_shift;
	return r;
}

/* A kernel without swap has no such line. */
static int read_swapped(const struct mig_process *process, uint64_t *ret_bytes)
{
	CLEANUP_CLOSE int fd = mig_process_open_file(process, "status");
	char buffer[STATUS_SIZE];
	struct mig_text value;
	ssize_t length;

	if (fd < 0)
		return fd;
	length = mig_procfs_read_fd(fd, buffer, sizeof(buffer));
	if (length < 0)
		return (int)length;
	*ret_bytes = 0;
	if (!mig_text_find_field((struct mig_text){ buffer, (size_t)length }, "VmSwap",
				 &value))
		return 0;
	return mig_meminfo_parse_size(value, ret_bytes);
}

int mig_residency_add_swapped(struct mig_residency *residency,
			      const struct mig_process *process)
{
	uint64_t bytes;
	int r = read_swapped(process, &bytes);

	if (r < 0)
		return r;
	residency->swapped_bytes += bytes;
	return 0;
}

static int add_by_numa_maps(struct mig_residency *residency,
			    const struct mig_process *process,
			    struct mig_mappings **mappings)
{
	int r = mig_mappings_reopen(process, true, mappings);

	if (r < 0)
		return r;
	if (!mig_mappings_have_residency(*mappings))
		return -ENOSYS;
	for (;;) {
		const struct mig_mapping *mapping;

		r = mig_mappings_next(*mappings, &mapping);
		if (r < 0 || !mapping)
			return r;
		r = mig_residency_add_mapping(residency, mapping);
		if (r < 0)
			return r;
	}
}

static int add_by_presence(struct mig_residency *residency,
			   const struct mig_process *process, int node)
{
	uint64_t bytes[MIG_NR_KINDS];
	int r = make_row(residency, node);

	if (r < 0)
		return r;
	r = mig_presence_count(process, bytes);
	if (r < 0)
		return r;
	for (size_t kind = 0; kind < MIG_NR_KINDS; kind++)
		residency->rows[node]->bytes[kind] += bytes[kind];
	return 0;
}

int mig_residency_merge(struct mig_residency *residency,
			const struct mig_residency *added)
{
	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (added->rows[node] && make_row(residency, node) < 0)
			return -ENOMEM;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		for (size_t kind = 0; added->rows[node] && kind < MIG_NR_KINDS; kind++)
			residency->rows[node]->bytes[kind] +=
				added->rows[node]->bytes[kind];
	residency->swapped_bytes += added->swapped_bytes;
	return 0;
}

int mig_residency_add_next(struct mig_residency *residency,
			   const struct mig_topology *topology,
			   const struct mig_process *process,
			   struct mig_mappings **mappings)
{
	/* Apart, so that a process that vanishes half-way leaves no trace. */
	CLEANUP_MIG(residency) struct mig_residency *added = NULL;
	int r, node;

	r = mig_residency_new(residency->context, &added);
	if (r < 0)
		return r;
	node = mig_topology_get_only_node(topology);
	r = -EOPNOTSUPP;
	if (residency->context->live && node != MIG_NO_NODE)
		r = add_by_presence(added, process, node);
	if (r == -EOPNOTSUPP)
		r = add_by_numa_maps(added, process, mappings);
	if (!r)
		r = mig_residency_add_swapped(added, process);
	return r < 0 ? r : mig_residency_merge(residency, added);
}

int mig_residency_add_process(struct mig_residency *residency,
			      const struct mig_topology *topology,
			      const struct mig_process *process)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;

	if (!residency || !topology || !process)
		return -EINVAL;
	return mig_residency_add_next(residency, topology, process, &mappings);
}

uint64_t mig_residency_get_bytes(const struct mig_residency *residency, int node,
				 enum mig_kind kind)
{
	if (!residency || node < 0 || node >= MIG_MAX_NODES || !residency->rows[node] ||
	    (unsigned int)kind >= MIG_NR_KINDS)
		return 0;
	return residency->rows[node]->bytes[kind];
}

uint64_t mig_residency_get_node_bytes(const struct mig_residency *residency, int node)
{
	uint64_t bytes = 0;

	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		bytes += mig_residency_get_bytes(residency, node, (enum mig_kind)kind);
	return bytes;
}

uint64_t mig_residency_get_total_bytes(const struct mig_residency *residency)
{
	uint64_t bytes = 0;

	for (int node = 0; node < MIG_MAX_NODES; node++)
		bytes += mig_residency_get_node_bytes(residency, node);
	return bytes;
}

uint64_t mig_residency_get_swapped_bytes(const struct mig_residency *residency)
{
	return residency ? residency->swapped_bytes : 0;
}
