/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory that a victim offers to be moved: made in one of many kinds, placed
 * on given nodes, filled with a pattern that a seed determines, and checked.
 */
#ifndef VICTIM_MEMORY_H
#define VICTIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VICTIM_MAX_NODES 16
#define VICTIM_PAGE ((size_t)4096)

/** What the victim was asked for. */
struct victim_options {
	const char *kind;
	const char *path; /**< of the file kinds; NULL: a temporary file */
	size_t size;
	uint64_t seed;
	int nodes[VICTIM_MAX_NODES]; /**< consecutive parts go to these */
	unsigned int nr_nodes;       /**< 0: wherever the kernel likes */
	bool keep_policy;            /**< stay bound to the nodes */
	bool memory_only;            /**< the rest of the process may be elsewhere */
};

struct victim_memory;

/** How a kind of memory is made. A function that is NULL is not needed. */
struct victim_kind {
	const char *name;
	/** Sets start and size; nothing is resident yet. */
	int (*map)(struct victim_memory *memory);
	/** Makes a part resident; NULL: the pattern is written to it. */
	int (*fill)(struct victim_memory *memory, size_t offset, size_t length);
	/** After all parts are filled. */
	int (*finish)(struct victim_memory *memory);
	/** Around each check. */
	int (*open)(struct victim_memory *memory);
	int (*close)(struct victim_memory *memory);
	size_t stride;   /**< bytes from one filled page to the next; 0: all */
	size_t distinct; /**< the pattern repeats after so many pages; 0: never */
	bool is_empty;   /**< holds zeroes, not the pattern */
};

struct victim_memory {
	const struct victim_kind *kind;
	const struct victim_options *options;
	unsigned char *start;
	size_t size;
	int fd;                /**< of kinds that have a file, or -1 */
	int pipe[2];           /**< of vmsplice */
	bool has_holes;        /**< every second page was given back */
	uint32_t *generations; /**< how often writers changed each page, or NULL */
};

/** victim_kind_find - NULL if there is no such kind. */
const struct victim_kind *victim_kind_find(const char *name);

/** victim_kind_list - the i-th kind's name, NULL behind the last. */
const char *victim_kind_list(size_t i);

/**
 * victim_memory_make - map, place and fill
 * @start: where the memory is if the caller has it already (stack), else NULL
 * Return: 0 or a negative errno.
 */
int victim_memory_make(struct victim_memory *memory, const struct victim_options *options,
		       void *start);

/**
 * victim_memory_check - compare every byte with the pattern
 * @ret_offset: where the first difference is; SIZE_MAX: there is none
 * Return: 0, or a negative errno if it cannot be read.
 */
int victim_memory_check(struct victim_memory *memory, size_t *ret_offset);

/** victim_memory_write - write its own pattern to every page again; 0 or -errno. */
int victim_memory_write(struct victim_memory *memory);

/**
 * victim_memory_bump - change one page so that a lost write is noticed
 *
 * One thread at a time for each page. Since the page's last word counts its
 * changes, it must hold what the last call left there.
 * Return: false if it does not.
 */
bool victim_memory_bump(struct victim_memory *memory, size_t page);

/** victim_bind - put what this thread allocates next on @node; -1: anywhere. */
int victim_bind(int node);

/** victim_is_bound - whether this thread allocates on @node only. */
bool victim_is_bound(int node);

/** victim_pattern_fill - page @page of a pattern to @to. */
void victim_pattern_fill(void *to, uint64_t seed, size_t page);

#endif
