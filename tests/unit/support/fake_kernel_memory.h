/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of fake_kernel: frames, folios, mappings and processes. */
#ifndef FAKE_KERNEL_MEMORY_H
#define FAKE_KERNEL_MEMORY_H

#include <pthread.h>

#include "fake_kernel.h"

/** Frames of one memory block; a node has one block, and none has block 0. */
#define FAKE_BLOCK_FRAMES UINT64_C(32768)
#define FAKE_MOST_PROCESSES 32
#define FAKE_MOST_MAPPINGS 32

struct fake_cache;

struct fake_folio {
	struct fake_folio *next; /**< in the list of all that ever were */
	uint64_t frame;
	uint32_t nr_pages;
	uint32_t nr_mapped; /**< mappings of any of its pages; 0: it is freed */
	int node;
	int node_at_mark;
	uint32_t pages_at_mark; /**< of its pages, those that are mapped */
	uint16_t *mapped;       /**< by page */
	enum fake_kind kind;
	bool pinned;
	bool off_lru;
	bool dirty;
	bool writeback;
	bool queued; /**< isolated in the call that runs */
	bool cached; /**< by a file: nr_mapped has one more for each page */
	unsigned int busy;
};

enum fake_sight {
	FAKE_SEEN,
	FAKE_HIDDEN, /**< from move_pages(2) */
	FAKE_HIDDEN_BY_HINT,
};

struct fake_pte {
	struct fake_folio *folio; /**< NULL: not resident */
	uint32_t page;            /**< in the folio */
	enum fake_sight sight;
	bool swapped;
	bool zero;
};

struct fake_mapping {
	enum fake_kind kind;
	uint64_t start;
	uint64_t nr_pages;
	char name[64];
	struct fake_pte *ptes;
};

struct fake_process_memory {
	unsigned int id;
	struct fake_kernel *windows; /**< it maps files: whose cache; NULL: it does not */
	uint64_t page_size;
	uint64_t next_start;
	struct fake_mapping mappings[FAKE_MOST_MAPPINGS];
	size_t nr_mappings;
};

struct fake_task {
	pid_t pid;
	bool gone;
	int refusal;
	struct fake_process_memory memory;
};

struct fake_node {
	bool used[FAKE_BLOCK_FRAMES];
	uint64_t nr_used;
	uint64_t next; /**< where the search for a free frame begins */
	unsigned int huge_pool;
};

struct fake_kernel {
	struct fake_root *root;
	struct fake_kernel_options options;
	pthread_mutex_t lock;
	uint64_t page_size;
	struct fake_node nodes[FAKE_MOST_NODES];
	struct fake_folio **folio_of_frame;
	struct fake_folio *folios;
	struct fake_task tasks[FAKE_MOST_PROCESSES];
	size_t nr_tasks;
	unsigned int last_memory;
	struct fake_cache *cache; /**< NULL: there are no files */
	void (*hook)(void *data, struct fake_kernel *kernel, unsigned int number);
	void *hook_data;
	unsigned int nr_calls;
	unsigned int nr_splits;
	uint64_t marked_pages;
};

/** fake_need - @pointer, unless it is NULL: then there is no memory for the test. */
void *fake_need(void *pointer);

uint64_t fake_node_start(int node);
uint64_t fake_node_free(const struct fake_kernel *kernel, int node);
uint64_t fake_zero_frame(void);

/** fake_frames_take - an aligned run. Return: its first frame, 0 if there is none. */
uint64_t fake_frames_take(struct fake_kernel *kernel, int node, uint32_t nr_pages);

struct fake_folio *fake_folio_new(struct fake_kernel *kernel, int node, uint32_t nr_pages,
				  enum fake_kind kind);

/** fake_folio_move - into frames that were taken on @node. */
void fake_folio_move(struct fake_kernel *kernel, struct fake_folio *folio, int node,
		     uint64_t frame);

/** fake_folio_split - into folios of one page each. */
void fake_folio_split(struct fake_kernel *kernel, struct fake_folio *folio);

void fake_pte_unmap(struct fake_kernel *kernel, struct fake_pte *pte);

/** fake_pte_map - let a page table entry map what another one does. */
void fake_pte_map(struct fake_pte *pte, const struct fake_pte *other);

/** fake_pte_set - what the page is, if there is one. */
void fake_pte_set(struct fake_kernel *kernel, struct fake_pte *pte,
		  enum fake_state state);

struct fake_task *fake_task_find(struct fake_kernel *kernel, pid_t pid);
struct fake_mapping *fake_mapping_find(struct fake_process_memory *memory,
				       uint64_t address);
struct fake_pte *fake_pte_find(struct fake_process_memory *memory, uint64_t address);

/** fake_pagemap_entry - as the kernel shows it to one who sees frames. */
uint64_t fake_pagemap_entry(const struct fake_pte *pte);

/** fake_files_write_machine - what does not change. */
void fake_files_write_machine(struct fake_kernel *kernel);

/** fake_files_write_changes - zoneinfo, vmstat, and what processes have where. */
void fake_files_write_changes(struct fake_kernel *kernel);

/** fake_files_write_task - the files that name its memory. */
void fake_files_write_task(struct fake_kernel *kernel, const struct fake_task *task);

/** fake_files_forget_memory - let files that are open read as empty. */
void fake_files_forget_memory(struct fake_kernel *kernel, const struct fake_task *task);

/** fake_files_remove_task - all of /proc/PID. */
void fake_files_remove_task(struct fake_kernel *kernel, const struct fake_task *task);

/* The page cache (fake_cache.c); all but the first two with the kernel's lock held. */
void fake_cache_free(struct fake_kernel *kernel);
uint64_t fake_cache_count(const struct fake_cache *cache);
void fake_cache_each_mapping(struct fake_cache *cache,
			     void (*visit)(void *data, struct fake_mapping *mapping),
			     void *data);
struct fake_pte *fake_cache_find_pte(const struct fake_kernel *kernel, uint64_t address);
void fake_cache_note_tried(struct fake_kernel *kernel, struct fake_folio *folio);
int fake_cache_mincore(struct fake_kernel *kernel, void *start, size_t length,
		       unsigned char *resident);
int fake_cache_touch(struct fake_kernel *kernel, const void *address);
int fake_cache_cachestat(struct fake_kernel *kernel, int fd, const uint64_t range[2],
			 uint64_t counts[5]);
long fake_cache_set_mempolicy(struct fake_kernel *kernel, int mode,
			      const unsigned long *mask);

/** fake_kernel_set_current - whose machine the table of calls is about. */
void fake_kernel_set_current(struct fake_kernel *kernel);

#endif
