/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One node as the topology keeps it, and what is read of it. */
#ifndef MIG_NODE_H
#define MIG_NODE_H

#include "context.h"

#define MIG_NODE_DIRECTORY "sys/devices/system/node"

struct mig_node {
	int number;
	int tier;                 /**< -1: not told */
	char *cpulist;            /**< never NULL */
	unsigned char *distances; /**< one for each online node; NULL: not told */
};

/**
 * mig_node_read_tiers - which memory tier each node belongs to
 * @nodes: their tiers are set to -1 where the kernel does not tell
 * Errors: -EBADMSG; errnos of the files.
 */
int mig_node_read_tiers(const struct mig_context *context, struct mig_node *nodes,
			size_t nr_nodes);

/**
 * mig_node_read_performance - bandwidth and latency as HMAT tells
 * Errors: -ENODATA: not told; -EBADMSG; errnos of the files.
 */
int mig_node_read_performance(const struct mig_context *context, int node,
			      struct mig_node_performance *ret_performance);

/**
 * mig_node_read_memory - what a node holds at this moment
 * @has_directory: false on a kernel without NUMA, whose one node is the machine
 * Errors: -EBADMSG; errnos of the files.
 */
int mig_node_read_memory(const struct mig_context *context, int node, bool has_directory,
			 struct mig_node_memory *ret_memory);

/**
 * mig_node_gather_counters - have all processors add what they have counted by themselves
 *
 * Else what nodes tell may be some dozens of pages for each processor off, for a second.
 * As well as may be: nothing is told where that cannot be had.
 */
void mig_node_gather_counters(const struct mig_context *context);

/**
 * mig_node_read_unmapped - page cache and shared memory on a node that nobody has mapped
 * Errors: -ENODATA: its meminfo does not tell; -EBADMSG; errnos of the file.
 */
int mig_node_read_unmapped(const struct mig_context *context, int node,
			   uint64_t *ret_bytes);

/**
 * mig_node_read_pools - the huge pages of a node's pools, as mig_topology_read_huge_pools()
 * @has_directory: as above
 */
int mig_node_read_pools(const struct mig_context *context, int node, bool has_directory,
			struct mig_huge_pool *pools, size_t nr_pools, size_t *ret_count);

/**
 * mig_node_read_total - how much memory a node of the node directory has
 * @ret_bytes: MIG_UNKNOWN_BYTES where its meminfo does not tell
 * Errors: -EBADMSG; errnos of the file.
 */
int mig_node_read_total(const struct mig_context *context, int node, uint64_t *ret_bytes);

#endif
