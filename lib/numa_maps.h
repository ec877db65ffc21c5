/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of /proc/PID/numa_maps. Its page counts are in units of page_size. */
#ifndef MIG_NUMA_MAPS_H
#define MIG_NUMA_MAPS_H

#include "libmigrate.h"
#include "text.h"

struct mig_numa_maps_line {
	uint64_t start;
	struct mig_text policy; /**< as "bind:0-1"; borrowed from the line */
	bool is_heap;
	bool is_stack;
	bool is_huge;             /**< hugetlb */
	bool has_file;            /**< shared memory has one too */
	uint64_t page_size_bytes; /**< 0: the line does not say (nothing resident) */
	uint64_t anon_pages;
	uint64_t dirty_pages;
	uint64_t swapcache_pages;
	uint64_t writeback_pages;
	uint64_t most_mappers;
	uint64_t resident_pages;
	int end_node; /**< behind the last that has pages */
	uint64_t node_pages[MIG_MAX_NODES];
};

/**
 * mig_numa_maps_parse - parse one line
 * @line_out: zeroed, or of an earlier call; overwritten; on error its contents are not
 *            to be used but for another call
 *
 * Words that it does not know are passed over (newer kernels add some).
 * Errors: -EBADMSG: no address and policy, a malformed count, a node out of range,
 * one node twice.
 */
int mig_numa_maps_parse(struct mig_text line, struct mig_numa_maps_line *line_out);

#endif
