/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An open file whose page cache is looked at or moved. */
#ifndef MIG_FILE_H
#define MIG_FILE_H

#include "backing.h"

/** How to come to a file. */
struct mig_file_name {
	char *path;
	char *shown;  /**< what to call it; NULL: by its path */
	bool follow;  /**< it may be a symbolic link */
	bool is_file; /**< its directory says that it is a regular file */
};

struct mig_file {
	const struct mig_context *context;
	struct mig_backing *backing;
	struct mig_file_name name; /**< its strings are the file's own */
	int fd;
	uint64_t device; /**< st_dev */
	uint64_t inode;
	uint64_t nr_links;
	uint64_t size_bytes; /**< when it was opened */
	enum mig_kind kind;  /**< FILE, SHMEM or HUGETLB */
	uint64_t page_size_bytes;
	bool has_holes;     /**< of HUGETLB: not every page is there */
	unsigned int users; /**< atomic */
	bool is_lost;       /**< atomic; some part of it could not be mapped */
	bool is_counted;    /**< atomic; some part of it had cached pages */
};

/** Pages of a stretch of a file, as cachestat(2) counts them. */
struct mig_cache_counts {
	uint64_t cached_pages;
	uint64_t dirty_pages;
	uint64_t writeback_pages;
};

/**
 * mig_file_stat - statx(2), but for the times
 * @flags: AT_*
 *
 * As the machine knows it, without asking a server: NFS writes out what is dirty before
 * it tells how old it is.
 */
int mig_file_stat(int fd, const char *path, int flags, struct statx *ret_status);

/**
 * mig_file_open - open a file for looking at its cache
 * @name: of a regular file, or of a block device
 *
 * What is neither is not opened at all. The access time is left alone where the
 * caller may ask for that (O_NOATIME: the owner, or CAP_FOWNER).
 * Errors: those of mig_files_look() for one file; -ELOOP; -ENOMEM.
 * Ownership: given back with mig_file_put().
 */
int mig_file_open(struct mig_backings *backings, const struct mig_file_name *name,
		  struct mig_file **ret_file);

/** mig_file_get_label - what to call it. Borrowed. */
const char *mig_file_get_label(const struct mig_file *file);

/** mig_file_get - one more user. Return: @file. */
struct mig_file *mig_file_get(struct mig_file *file);

/** mig_file_put - one user less; the last one closes it. NULL is allowed. */
void mig_file_put(struct mig_file *file);

/**
 * mig_file_count - what is cached in [@start, @end) of a file, without mapping it
 * Errors: -EOPNOTSUPP: it cannot be counted: before Linux 6.5, or on an overlay.
 */
int mig_file_count(const struct mig_file *file, uint64_t start, uint64_t end,
		   struct mig_cache_counts *ret_counts);

/**
 * mig_file_next_part - the next part of a file that may have cached pages
 * @offset:   where to begin; a multiple of MIG_FILE_PART
 * @ret_end:  of the part: at most MIG_FILE_PART behind *@ret_start
 *
 * Empty stretches cost nothing where they can be counted, and are parts like any
 * other where not.
 * Return: whether there is one.
 */
bool mig_file_next_part(const struct mig_file *file, uint64_t offset, uint64_t *ret_start,
			uint64_t *ret_end);

/** Bytes that are mapped at once; a multiple of every folio's size. */
#define MIG_FILE_PART (UINT64_C(32) << 20)

#endif
