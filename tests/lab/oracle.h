/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the pages of processes really are, page by page, from the kernel's own
 * tables: /proc/PID/pagemap, /proc/kpageflags, and the memory blocks of the nodes.
 * Knows nothing of libmigrate, whose word it is there to check. Needs root.
 *
 * Functions return 0 or a negative errno.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ORACLE_MAX_NODES 64

enum oracle_flag {
	ORACLE_FILE = 1 << 0,   /**< of a file or of shmem, not anonymous */
	ORACLE_SHARED = 1 << 1, /**< mapped more than once */
	ORACLE_THP = 1 << 2,    /**< part of a large folio */
	ORACLE_HUGETLB = 1 << 3,
	ORACLE_DIRTY = 1 << 4,
	ORACLE_HEAD = 1 << 5, /**< the first page of a compound one */
};

/** A page of a process that is in memory. The zero page is none. */
struct oracle_page {
	pid_t pid;
	int node;
	unsigned int flags; /**< enum oracle_flag */
	uint64_t address;
	uint64_t frame;
};

/** What was looked at, ordered as it was added and by address. */
struct oracle_view {
	struct oracle_page *pages;
	size_t nr_pages;
	size_t nr_allocated;
	size_t nr_swapped; /**< anonymous pages in swap */
	size_t nr_zero;    /**< mappings of the zero page */
};

/**
 * oracle_look - add all pages of a process to a view
 *
 * Leaves out the kernel's own mappings ([vdso] and the like) and mappings of more
 * than 16 GiB, of which oracle_look_at() takes samples.
 */
int oracle_look(struct oracle_view *view, pid_t pid);

/** oracle_look_at - add the pages at start, start + step … below end. */
int oracle_look_at(struct oracle_view *view, pid_t pid, uint64_t start, uint64_t end,
		   uint64_t step);

/** oracle_forget - free the pages; the view is empty again. */
void oracle_forget(struct oracle_view *view);

/**
 * oracle_count - pages on a node
 * @node: -1: on any
 * @start, @end: addresses; 0, UINT64_MAX: anywhere
 */
size_t oracle_count(const struct oracle_view *view, int node, uint64_t start,
		    uint64_t end);

/** oracle_count_flag - as oracle_count(), but only pages with a flag. */
size_t oracle_count_flag(const struct oracle_view *view, enum oracle_flag flag, int node,
			 uint64_t start, uint64_t end);

/** What became of the pages of one view in another. */
struct oracle_change {
	size_t moved[ORACLE_MAX_NODES][ORACLE_MAX_NODES]; /**< from, to */
	size_t stayed[ORACLE_MAX_NODES];
	size_t nr_moved;
	size_t nr_moved_frames; /**< of them, different pages: some are mapped twice */
	size_t nr_stayed;
	size_t nr_gone; /**< no longer there */
	size_t nr_new;  /**< not there before */
};

void oracle_compare(const struct oracle_view *before, const struct oracle_view *after,
		    struct oracle_change *ret_change);

/**
 * oracle_read_numa_maps - the kernel's own sum over the mappings of oracle_look()
 * @ret_pages: base pages for each node
 */
int oracle_read_numa_maps(pid_t pid, size_t ret_pages[ORACLE_MAX_NODES]);

/** oracle_vmstat - a counter of /proc/vmstat; 0 if the kernel has none of that name. */
uint64_t oracle_vmstat(const char *name);

#endif
