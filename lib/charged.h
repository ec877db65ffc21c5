/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Page cache and shared memory that nobody has mapped, frame by frame, by the cgroup
 * that it is charged to: /proc/kpageflags and /proc/kpagecgroup. The memory of nodes is
 * read whole, a window at a time.
 *
 * A folio counts as mapped where one of its pages is: it can only move as a whole. The
 * kernel says that of each page by KPF_MMAP; kpagecount would tell of single pages.
 */
#ifndef MIG_CHARGED_H
#define MIG_CHARGED_H

#include "cgroup.h"
#include "frames.h"

/** The cgroups whose charges count, by the inodes of their directories. */
struct mig_charged_owners {
	uint64_t *inodes; /**< ascending */
	size_t nr;
	size_t capacity;
};

/**
 * mig_charged_owners_add - a cgroup and all below it beside those that it has
 * Errors: those of mig_cgroup_visit_inodes(); -ENOMEM. Nothing is added then.
 * Ownership: freed with mig_charged_owners_done().
 */
int mig_charged_owners_add(struct mig_charged_owners *owners,
			   const struct mig_cgroup *cgroup);

/** mig_charged_owners_done - zeroed ones are allowed. */
void mig_charged_owners_done(struct mig_charged_owners *owners);

/** mig_charged_owners_have - whether one of them is @inode. */
bool mig_charged_owners_have(const struct mig_charged_owners *owners, uint64_t inode);

/** Files that are open for reading frames. */
struct mig_charged {
	const struct mig_context *context;
	const struct mig_frames *frames;
	int flags_fd;
	int cgroup_fd; /**< -1: cgroups are not asked for */
};

/**
 * mig_charged_open - make ready for reading frames
 * @asks_cgroups: false: only for what is charged to anybody and to nobody
 * Errors: -EACCES, -EPERM: not root; -ENOENT: this kernel has no kpagecgroup (no memory
 * cgroups), where that is needed, or no kpageflags.
 */
int mig_charged_open(const struct mig_context *context, const struct mig_frames *frames,
		     bool asks_cgroups, struct mig_charged *ret_charged);

/** mig_charged_close - a zeroed one with descriptors of -1 is allowed. */
void mig_charged_close(struct mig_charged *charged);

/** Consecutive frames of one node that are alike. */
struct mig_charged_run {
	uint64_t frame;
	uint64_t nr_pages; /**< base pages */
	int node;
	bool is_shmem; /**< tmpfs and shared memory; otherwise of files */
	bool is_dirty;
	bool is_writeback;
};

/**
 * mig_charged_visit - unmapped cache that is charged to @owners
 * @owners:  NULL: to anybody and to nobody
 * @without: nodes whose memory is not read
 * @visit:   in ascending order; non-zero ends the walk with that value
 *
 * Pages on LRU lists only, onto which the processors are made to put what they hold
 * back: anonymous ones, those that are mapped, and what the kernel keeps for itself are
 * not among them, nor those of memory blocks that nodes share. On 6.1 the tail pages of
 * a large folio are charged by their head, which is looked at for them.
 * Errors: -EIO: fewer frames than the memory blocks have; errnos of read(2); -ENOMEM.
 */
int mig_charged_visit(const struct mig_charged *charged,
		      const struct mig_charged_owners *owners,
		      const struct mig_nodeset *without,
		      int (*visit)(void *data, const struct mig_charged_run *run),
		      void *data);

/** No folio crosses a multiple of this. */
#define MIG_CHARGED_STRIDE ((uint64_t)1 << 16)

/**
 * mig_charged_visit_range - the same between two frames
 * @first, @end: multiples of MIG_CHARGED_STRIDE
 *
 * Processors are not made to put anything on the lists.
 * Threads: any number at once, each with @data of its own.
 * Errors: those of mig_charged_visit().
 */
int mig_charged_visit_range(const struct mig_charged *charged,
			    const struct mig_charged_owners *owners,
			    const struct mig_nodeset *without, uint64_t first,
			    uint64_t end,
			    int (*visit)(void *data, const struct mig_charged_run *run),
			    void *data);

/**
 * mig_charged_read_inodes - whom consecutive frames are charged to
 * @inodes: 0: nobody, or, on 6.1, whom the head of their folio is charged to
 * Errors: -EIO, errnos of read(2).
 */
int mig_charged_read_inodes(const struct mig_charged *charged, uint64_t frame,
			    uint64_t *inodes, size_t nr);

/**
 * mig_charged_is_owned - whether one frame is charged to @owners
 * Errors: -EIO, errnos of read(2). Return: 1, 0, or a negative errno.
 */
int mig_charged_is_owned(const struct mig_charged *charged,
			 const struct mig_charged_owners *owners, uint64_t frame);

#endif
