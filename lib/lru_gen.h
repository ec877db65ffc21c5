/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The generations of pages that the kernel reclaims by, the oldest first, where it is
 * built and set to: debugfs has them for each cgroup and node.
 */
#ifndef MIG_LRU_GEN_H
#define MIG_LRU_GEN_H

#include <stdint.h>

#include "context.h"
#include "text.h"

#define MIG_LRU_GEN_FILE "sys/kernel/debug/lru_gen"

/** Pages of a cgroup on a node. */
struct mig_lru_gen {
	uint64_t
		memcg; /**< the kernel's number of the cgroup; 0 without the controller */
	uint64_t node;
	uint64_t youngest;   /**< number of the last generation */
	uint64_t file_pages; /**< clean or dirty page cache, without shmem */
	bool has_pages;      /**< the two above are known */
};

/**
 * mig_lru_gen_next - read all generations of the next cgroup and node
 * @text: of the kernel's file; what is read is taken
 * @gen:  zeroed at first; it remembers the cgroup from call to call
 * Errors: -EBADMSG. Return: 1, 0 at the end, or a negative errno.
 */
int mig_lru_gen_next(struct mig_text *text, struct mig_lru_gen *gen);

/**
 * mig_lru_gen_reclaim - drop clean page cache of a node, all generations of it
 *
 * Once: what was used since the kernel last looked becomes younger, and stays.
 * Errors: -EOPNOTSUPP: the kernel has no generations, or they are off; -EACCES; -EPERM;
 * -EBADMSG; -ENOMEM. Return: 0 or a negative errno.
 */
int mig_lru_gen_reclaim(const struct mig_context *context, int node);

#endif
