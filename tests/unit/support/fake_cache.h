/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page cache of a fake kernel. The files are real ones, empty but of some size, in
 * the root of the machine; what is cached of them, and on which nodes, is made up. A
 * window that the library maps is recognised by /proc/self/maps when its pages are
 * first asked for, and from then on its addresses are those of the made-up pages.
 *
 * The process of the test must be on the machine for that: fake_cache_begin().
 */
#ifndef FAKE_CACHE_H
#define FAKE_CACHE_H

#include "fake_kernel.h"

struct fake_cache_options {
	const char *type;     /**< of the file system; NULL: "ext4" */
	const char *options;  /**< it is mounted with; NULL: "rw" */
	bool writes_dirty;    /**< dirty pages that are moved come out clean */
	bool no_fault_around; /**< one touch maps one page */
	int count_error;      /**< negative: what cachestat(2) says */
	int mincore_error;    /**< negative: what mincore(2) says */
};

struct fake_file;

void fake_cache_begin(struct fake_kernel *kernel,
		      const struct fake_cache_options *options);

/** fake_cache_set_options - from now on; the type stays what it was. */
void fake_cache_set_options(struct fake_kernel *kernel,
			    const struct fake_cache_options *options);

/** fake_cache_break_window - the @number-th mincore(2) from now on says @error. */
void fake_cache_break_window(struct fake_kernel *kernel, unsigned int number, int error);

/** fake_cache_add - a file of some pages, none of them cached. */
struct fake_file *fake_cache_add(struct fake_kernel *kernel, const char *name,
				 uint64_t nr_pages);

/** fake_cache_get_path - Borrowed. */
const char *fake_cache_get_path(const struct fake_file *file);

/** fake_cache_fill - @folio_pages: as in struct fake_memory. */
void fake_cache_fill(struct fake_kernel *kernel, struct fake_file *file, uint64_t first,
		     uint64_t nr_pages, int node, uint32_t folio_pages);

/** fake_cache_set - pages that are not cached stay so; FAKE_ABSENT drops them. */
void fake_cache_set(struct fake_kernel *kernel, struct fake_file *file, uint64_t first,
		    uint64_t nr_pages, enum fake_state state);

/** fake_cache_truncate - pages behind the new end are gone from all windows. */
void fake_cache_truncate(struct fake_kernel *kernel, struct fake_file *file,
			 uint64_t nr_pages);

/** fake_cache_get_node - of a page; below 0: not cached. */
int fake_cache_get_node(struct fake_kernel *kernel, const struct fake_file *file,
			uint64_t page);

bool fake_cache_is_dirty(struct fake_kernel *kernel, const struct fake_file *file,
			 uint64_t page);

/** fake_cache_map - let a process map a cached page. */
void fake_cache_map(struct fake_kernel *kernel, pid_t pid, const struct fake_file *file);

/** What was done to the cache since it was made. */
struct fake_cache_counts {
	unsigned int nr_touched;  /**< calls that touched a page */
	unsigned int nr_read;     /**< of them, those that had to read the device */
	unsigned int nr_behind;   /**< of them, those behind the end of the file */
	unsigned int nr_counted;  /**< calls of cachestat(2) */
	unsigned int nr_policies; /**< calls that set a policy, and that reset it */
	unsigned int nr_resets;
	uint64_t nr_written; /**< dirty pages that came out clean */
	uint64_t nr_reread;  /**< pages that were dropped and read under a policy */
	uint64_t nr_lost;    /**< of them, dirty ones */
};

void fake_cache_get_counts(struct fake_kernel *kernel,
			   struct fake_cache_counts *ret_counts);

#endif
