/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in memory: nodes with frames, processes with pages, and the system calls
 * that move them. They behave as Linux 6.1 to 7.x do where that matters to the
 * engine: a call stops at the first batch with a failure and writes no status for it
 * or behind it, a second address of one folio is busy, a full node ends the call with
 * -ENOMEM when part has moved, huge pages without a huge destination are split.
 * /proc and /sys are a fake root, which follows every change; pagemap and its kin are
 * served through the table of calls.
 *
 * One machine at a time. The calls may come from any thread; the functions here are
 * for the test's own, except where they say otherwise.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "fake_root.h"
#include "libmigrate.h"

#define FAKE_MOST_NODES 8
/** Base pages in a huge page. */
#define FAKE_HUGE_PAGES 512U
/** What zoneinfo gives as the high watermark of each node. */
#define FAKE_WATERMARK_PAGES 64U

struct fake_kernel_options {
	int nr_nodes;            /**< 0: 2 */
	uint64_t node_pages;     /**< of each node; 0: 16384 */
	bool hides_frames;       /**< the caller lacks CAP_SYS_ADMIN */
	bool no_sys_nice;        /**< the caller lacks CAP_SYS_NICE */
	bool no_scan;            /**< no PAGEMAP_SCAN */
	uint64_t claimed_pages;  /**< that zoneinfo says are free beside those that are */
	const char *caller_mems; /**< what the caller's cpuset allows; NULL: all */
};

enum fake_kind {
	FAKE_ANON,
	FAKE_FILE,    /**< of a file system on a disk */
	FAKE_SHMEM,   /**< shared anonymous memory */
	FAKE_HUGETLB, /**< of 2 MiB; folio_pages does not matter */
};

struct fake_memory {
	enum fake_kind kind;
	uint64_t nr_pages;
	int node;             /**< where it is at first; below 0: nowhere */
	uint32_t folio_pages; /**< 0: 1; FAKE_HUGE_PAGES: transparent huge pages */
	const char *name;     /**< as maps shows it; NULL: what the kind has */
};

/** What else a page can be. */
enum fake_state {
	FAKE_ABSENT,
	FAKE_SWAPPED,
	FAKE_ZERO,      /**< the zero page is mapped */
	FAKE_PROTECTED, /**< present, and move_pages(2) does not see it (6.1, PROT_NONE) */
	FAKE_HINTED,    /**< the same until the process touches it */
	FAKE_PINNED,    /**< its folio never moves */
	FAKE_BUSY,      /**< its folio moves at the third try */
	FAKE_OFF_LRU,   /**< its folio cannot be isolated */
	FAKE_DIRTY,     /**< in kpageflags only */
	FAKE_WRITEBACK, /**< in kpageflags only */
};

struct fake_kernel;

struct fake_kernel *fake_kernel_new(const struct fake_kernel_options *options);
void fake_kernel_free(struct fake_kernel *kernel);

/** fake_kernel_get_root - for files of one's own. Borrowed. */
struct fake_root *fake_kernel_get_root(struct fake_kernel *kernel);

/** fake_kernel_context - a context on this machine; the caller frees it. */
struct mig_context *fake_kernel_context(struct fake_kernel *kernel);

/** fake_kernel_calls - what such a context has, for tests that break some of them. */
const struct mig_calls *fake_kernel_calls(void);

/** fake_kernel_add_process - one thread, on a CPU of node 0. */
void fake_kernel_add_process(struct fake_kernel *kernel, pid_t pid, pid_t parent);

/** fake_kernel_set_children - as "43 44 ". */
void fake_kernel_set_children(struct fake_kernel *kernel, pid_t pid, pid_t parent,
			      const char *children);

/** fake_kernel_map - Return: the address, which a huge page could begin at. */
uint64_t fake_kernel_map(struct fake_kernel *kernel, pid_t pid,
			 const struct fake_memory *memory);

/** fake_kernel_share - let @pid map what @other has mapped at @address. */
uint64_t fake_kernel_share(struct fake_kernel *kernel, pid_t pid, pid_t other,
			   uint64_t address);

/** fake_kernel_place - put single pages on a node, at no cost, where there are any. */
void fake_kernel_place(struct fake_kernel *kernel, pid_t pid, uint64_t address,
		       uint64_t nr_pages, int node);

/** fake_kernel_set - what pages are; those that are not resident stay what they are. */
void fake_kernel_set(struct fake_kernel *kernel, pid_t pid, uint64_t address,
		     uint64_t nr_pages, enum fake_state state);

/** fake_kernel_place_every - of the pages every @step-th, from the first on. */
void fake_kernel_place_every(struct fake_kernel *kernel, pid_t pid, uint64_t address,
			     uint64_t nr_pages, uint64_t step, int node);

/** fake_kernel_set_every - of the pages every @step-th, from the first on. */
void fake_kernel_set_every(struct fake_kernel *kernel, pid_t pid, uint64_t address,
			   uint64_t nr_pages, uint64_t step, enum fake_state state);

/** fake_kernel_fill - leave @free_pages free on a node. */
void fake_kernel_fill(struct fake_kernel *kernel, int node, uint64_t free_pages);

/** fake_kernel_scatter - of what is free on a node, no two pages are neighbours. */
void fake_kernel_scatter(struct fake_kernel *kernel, int node);

/** fake_kernel_set_huge_pool - how many hugetlb pages are free on a node; at first 8. */
void fake_kernel_set_huge_pool(struct fake_kernel *kernel, int node, unsigned int nr);

/** fake_kernel_exit - the process is gone. From any thread. */
void fake_kernel_exit(struct fake_kernel *kernel, pid_t pid);

/** fake_kernel_exec - it has new, empty memory. From any thread. */
void fake_kernel_exec(struct fake_kernel *kernel, pid_t pid);

/** fake_kernel_refuse - moving calls with pages for @pid fail so; 0: no longer. */
void fake_kernel_refuse(struct fake_kernel *kernel, pid_t pid, int error);

/**
 * fake_kernel_before_move - be called before each moving call that has pages
 * @number: of the call, from 1
 *
 * In the thread that makes the call.
 */
void fake_kernel_before_move(struct fake_kernel *kernel,
			     void (*hook)(void *data, struct fake_kernel *kernel,
					  unsigned int number),
			     void *data);

/** fake_kernel_get_node - of the page at an address; below 0: not resident. */
int fake_kernel_get_node(struct fake_kernel *kernel, pid_t pid, uint64_t address);

/** fake_kernel_get_entry - its entry of pagemap, frame number and all. */
uint64_t fake_kernel_get_entry(struct fake_kernel *kernel, pid_t pid, uint64_t address);

/** fake_kernel_count - the resident pages of a process, without the zero page and what
 *  files have cached. */
uint64_t fake_kernel_count(struct fake_kernel *kernel, pid_t pid);

/** fake_kernel_mark - what fake_kernel_compare() compares with. */
void fake_kernel_mark(struct fake_kernel *kernel);

/** What happened since the mark. */
struct fake_truth {
	uint64_t mapped_pages; /**< resident in processes, or cached, at the mark */
	uint64_t moved_pages;  /**< frames that went to another node */
	uint64_t moved[FAKE_MOST_NODES][FAKE_MOST_NODES];
	unsigned int nr_calls; /**< moving calls with pages */
	unsigned int nr_splits;
};

void fake_kernel_compare(struct fake_kernel *kernel, struct fake_truth *ret_truth);

#endif
