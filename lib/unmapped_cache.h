/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a target's cgroups are charged for, or the whole machine has, and nobody has
 * mapped: page cache, and shared memory that has lost its processes. Its pages are
 * counted frame by frame, but where counting is all that is done with them and a counter
 * tells. They move by DAMON, which takes physical memory, and then, or where that cannot
 * be had or cannot send each page where it belongs, by the files that they are found in;
 * what is found in no file stays, and is said.
 */
#ifndef MIG_UNMAPPED_CACHE_H
#define MIG_UNMAPPED_CACHE_H

#include "charged.h"
#include "damon.h"

struct mig_plan;
struct mig_outcome;
struct mig_residency;
struct mig_target;

struct mig_unmapped_cache {
	bool is_open; /**< false: the target has none, and nothing here means anything */
	bool is_everybodys; /**< whoever is charged for it */
	struct mig_charged charged;
	struct mig_charged_owners owners; /**< where it is not everybody's */
	struct mig_nodeset by_counters;   /**< see mig_unmapped_cache_limit() */
	/** Where files are asked for what DAMON has left: not empty, and pages on other
	 *  nodes are none of the files' business. */
	struct mig_nodeset only_on;
};

/** Unmapped pages by node. */
struct mig_unmapped_pages {
	uint64_t file[MIG_MAX_NODES];
	uint64_t shmem[MIG_MAX_NODES];
	uint64_t writeback[MIG_MAX_NODES]; /**< of both, where frames were read */
};

/**
 * mig_unmapped_cache_open - find whose cache belongs to a target
 *
 * A target without caches has none.
 * Errors: -EACCES, -EPERM: not root; -ENOENT: the kernel has no memory cgroups; -ENODATA:
 * no memory controller for a cgroup; -EOPNOTSUPP: frames have no nodes; -ENOMEM.
 */
int mig_unmapped_cache_open(const struct mig_target *target,
			    const struct mig_context *context,
			    const struct mig_frames *frames,
			    struct mig_unmapped_cache *ret_cache);

/**
 * mig_unmapped_cache_limit - read no frames of nodes that a placement takes nothing from
 *
 * What they have is told by their counters: a node is emptied in a time that does not
 * depend on how much memory the others have. Cache of cgroups has no such counter, and
 * of it all frames are read.
 */
void mig_unmapped_cache_limit(struct mig_unmapped_cache *cache,
			      const struct mig_topology *topology,
			      const struct mig_placement *placement);

/** mig_unmapped_cache_close - a zeroed one is allowed. */
void mig_unmapped_cache_close(struct mig_unmapped_cache *cache);

/**
 * mig_unmapped_cache_visit - its frames that are read, as mig_charged_visit()
 * Errors: those of mig_charged_visit().
 */
int mig_unmapped_cache_visit(const struct mig_unmapped_cache *cache,
			     int (*visit)(void *data, const struct mig_charged_run *run),
			     void *data);

/**
 * mig_unmapped_cache_count - how many pages there are now, by node
 *
 * Counters do not tell shared memory from files: all of it counts as file there.
 * Errors: -ENOMEM; -EIO and errnos of read(2). The caller frees *@ret_pages.
 */
int mig_unmapped_cache_count(const struct mig_unmapped_cache *cache,
			     struct mig_unmapped_pages **ret_pages);

/** mig_unmapped_cache_add - count pages as residency. Errors: -ENOMEM. */
int mig_unmapped_cache_add(struct mig_residency *residency,
			   const struct mig_unmapped_pages *pages);

/**
 * mig_unmapped_cache_demand - fill a plan's residency and demand by it
 * Errors: those of mig_unmapped_cache_count().
 */
int mig_unmapped_cache_demand(struct mig_plan *plan);

/**
 * mig_unmapped_cache_keep - forget the pages of a file that are not its own
 * @entries: of pagemap, of the caller's own mapping of the file: those of other cgroups,
 *           and those that somebody else has mapped, become 0
 * Errors: -EIO and those of read(2).
 */
int mig_unmapped_cache_keep(const struct mig_unmapped_cache *cache, uint64_t *entries,
			    size_t nr);

/**
 * mig_unmapped_cache_take_damon - have DAMON, if it can do what the plan wants
 * Return: NULL: it goes by files.
 */
struct mig_damon *mig_unmapped_cache_take_damon(const struct mig_plan *plan);

/** What DAMON has done. The caller frees both. */
struct mig_unmapped_result {
	struct mig_unmapped_pages *after; /**< all that there is */
	struct mig_unmapped_pages *rest;  /**< what is not where it should be, and not
					   *   booked */
	int end;                          /**< 0, or as mig_damon_run() has ended */
};

/**
 * mig_unmapped_cache_move - move it by DAMON, and book what became of it
 * @timeout_ns: 0: as long as DAMON finds something to do, within ten minutes
 * @is_stopped: asked about ten times a second
 * Errors: -ENOMEM, -EIO.
 */
int mig_unmapped_cache_move(const struct mig_plan *plan, struct mig_damon *damon,
			    uint64_t timeout_ns, bool (*is_stopped)(void *data),
			    void *data, struct mig_outcome *outcome,
			    struct mig_unmapped_result *ret_result);

/**
 * mig_unmapped_cache_book - book what DAMON did, by what nodes have before and after
 * @end: as it has ended
 *
 * What a node has lost has moved as far as its target has gained as much; the rest is
 * gone, or, where the target was full (-ENOSPC), left on other nodes. What a target has
 * gained beyond that is new.
 */
void mig_unmapped_cache_book(const struct mig_plan *plan,
			     const struct mig_unmapped_pages *before,
			     const struct mig_unmapped_pages *after, int end,
			     struct mig_outcome *outcome,
			     struct mig_unmapped_pages *ret_rest);

/**
 * mig_unmapped_cache_book_rest - book what was in none of the files
 * @rest:  what files were asked for
 * @found: by node, pages that were come to in files
 * @end:   0: all of them were asked; -ECANCELED: the run was stopped; -ENOSPC: none was
 *         asked, for want of room
 */
void mig_unmapped_cache_book_rest(const struct mig_plan *plan,
				  const struct mig_unmapped_pages *rest,
				  const struct mig_residency *found, int end,
				  struct mig_outcome *outcome);

#endif
