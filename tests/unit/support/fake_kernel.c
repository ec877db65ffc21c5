/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a machine, changing it, and asking it for the truth. */
#include "fake_kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_kernel_memory.h"
#include "fake_process.h"

#define FIRST_START UINT64_C(0x7f0000000000)

static void begin_change(struct fake_kernel *kernel)
{
	pthread_mutex_lock(&kernel->lock);
}

static void end_change(struct fake_kernel *kernel)
{
	fake_files_write_changes(kernel);
	pthread_mutex_unlock(&kernel->lock);
}

struct fake_kernel *fake_kernel_new(const struct fake_kernel_options *options)
{
	struct fake_kernel *kernel = fake_need(calloc(1, sizeof(*kernel)));

	if (options)
		kernel->options = *options;
	if (!kernel->options.nr_nodes)
		kernel->options.nr_nodes = 2;
	if (!kernel->options.node_pages)
		kernel->options.node_pages = FAKE_BLOCK_FRAMES / 2;
	kernel->root = fake_root_new();
	kernel->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	kernel->folio_of_frame = fake_need(calloc(
		(FAKE_MOST_NODES + 1) * FAKE_BLOCK_FRAMES, sizeof(struct fake_folio *)));
	pthread_mutex_init(&kernel->lock, NULL);
	for (int node = 0; node < FAKE_MOST_NODES; node++)
		kernel->nodes[node].huge_pool = 8;
	fake_frames_take(kernel, 0, 1);
	fake_files_write_machine(kernel);
	fake_files_write_changes(kernel);
	fake_kernel_set_current(kernel);
	return kernel;
}

void fake_kernel_free(struct fake_kernel *kernel)
{
	if (!kernel)
		return;
	fake_kernel_set_current(NULL);
	fake_cache_free(kernel);
	while (kernel->folios) {
		struct fake_folio *folio = kernel->folios;

		kernel->folios = folio->next;
		free(folio->mapped);
		free(folio);
	}
	for (size_t i = 0; i < kernel->nr_tasks; i++)
		for (size_t m = 0; m < kernel->tasks[i].memory.nr_mappings; m++)
			free(kernel->tasks[i].memory.mappings[m].ptes);
	pthread_mutex_destroy(&kernel->lock);
	fake_root_free(kernel->root);
	free(kernel->folio_of_frame);
	free(kernel);
}

struct fake_root *fake_kernel_get_root(struct fake_kernel *kernel)
{
	return kernel->root;
}

struct mig_context *fake_kernel_context(struct fake_kernel *kernel)
{
	return fake_root_context(kernel->root, fake_kernel_calls());
}

static void give_memory(struct fake_kernel *kernel, struct fake_task *task)
{
	task->memory = (struct fake_process_memory){
		.id = ++kernel->last_memory,
		.page_size = kernel->page_size,
		.next_start = FIRST_START,
		.windows = kernel->cache && task->pid == getpid() ? kernel : NULL,
	};
	fake_files_write_task(kernel, task);
}

void fake_kernel_set_children(struct fake_kernel *kernel, pid_t pid, pid_t parent,
			      const char *children)
{
	char mems[32];

	snprintf(mems, sizeof(mems), "0-%d", kernel->options.nr_nodes - 1);
	fake_thread_write(kernel->root, &(struct fake_thread){ .pid = pid,
							       .parent = parent,
							       .children = children,
							       .mems_allowed = mems });
}

void fake_kernel_add_process(struct fake_kernel *kernel, pid_t pid, pid_t parent)
{
	struct fake_task *task;

	begin_change(kernel);
	if (kernel->nr_tasks == FAKE_MOST_PROCESSES)
		abort();
	task = &kernel->tasks[kernel->nr_tasks++];
	task->pid = pid;
	fake_kernel_set_children(kernel, pid, parent, "");
	give_memory(kernel, task);
	end_change(kernel);
}

static struct fake_task *must_find(struct fake_kernel *kernel, pid_t pid)
{
	return fake_need(fake_task_find(kernel, pid));
}

static struct fake_mapping *add_mapping(struct fake_kernel *kernel,
					struct fake_process_memory *memory,
					enum fake_kind kind, uint64_t nr_pages)
{
	const uint64_t huge_bytes = FAKE_HUGE_PAGES * kernel->page_size;
	struct fake_mapping *mapping = &memory->mappings[memory->nr_mappings];

	if (memory->nr_mappings++ == FAKE_MOST_MAPPINGS)
		abort();
	*mapping = (struct fake_mapping){
		.kind = kind,
		.start = memory->next_start,
		.nr_pages = nr_pages,
		.ptes = fake_need(calloc(nr_pages, sizeof(struct fake_pte))),
	};
	/* So far apart that none can be taken for part of another. */
	memory->next_start += (nr_pages / FAKE_HUGE_PAGES + 2) * huge_bytes;
	return mapping;
}

static void map_folio(struct fake_folio *folio, struct fake_pte *ptes, uint64_t nr_pages)
{
	for (uint32_t page = 0; page < folio->nr_pages && page < nr_pages; page++) {
		ptes[page] = (struct fake_pte){ .folio = folio, .page = page };
		folio->mapped[page]++;
		folio->nr_mapped++;
	}
}

uint64_t fake_kernel_map(struct fake_kernel *kernel, pid_t pid,
			 const struct fake_memory *memory)
{
	uint32_t folio_pages = memory->folio_pages ? memory->folio_pages : 1;
	struct fake_mapping *mapping;

	if (memory->kind == FAKE_HUGETLB)
		folio_pages = FAKE_HUGE_PAGES;
	begin_change(kernel);
	mapping = add_mapping(kernel, &must_find(kernel, pid)->memory, memory->kind,
			      memory->nr_pages);
	if (memory->name)
		snprintf(mapping->name, sizeof(mapping->name), "%s", memory->name);
	for (uint64_t i = 0; memory->node >= 0 && i < memory->nr_pages; i += folio_pages)
		map_folio(fake_folio_new(kernel, memory->node, folio_pages, memory->kind),
			  &mapping->ptes[i], memory->nr_pages - i);
	end_change(kernel);
	return mapping->start;
}

uint64_t fake_kernel_share(struct fake_kernel *kernel, pid_t pid, pid_t other,
			   uint64_t address)
{
	const struct fake_mapping *theirs;
	struct fake_mapping *ours;

	begin_change(kernel);
	theirs = fake_need(fake_mapping_find(&must_find(kernel, other)->memory, address));
	ours = add_mapping(kernel, &must_find(kernel, pid)->memory, theirs->kind,
			   theirs->nr_pages);
	memcpy(ours->name, theirs->name, sizeof(ours->name));
	for (uint64_t i = 0; i < theirs->nr_pages; i++) {
		ours->ptes[i] = theirs->ptes[i];
		if (ours->ptes[i].folio) {
			ours->ptes[i].folio->mapped[ours->ptes[i].page]++;
			ours->ptes[i].folio->nr_mapped++;
		}
	}
	end_change(kernel);
	return ours->start;
}

static struct fake_pte *must_find_pte(struct fake_kernel *kernel, pid_t pid,
				      uint64_t address)
{
	return fake_need(fake_pte_find(&must_find(kernel, pid)->memory, address));
}

static void place_page(struct fake_kernel *kernel, const struct fake_pte *pte, int node)
{
	uint64_t frame;

	if (!pte->folio)
		return;
	frame = fake_frames_take(kernel, node, pte->folio->nr_pages);
	if (!frame)
		abort();
	fake_folio_move(kernel, pte->folio, node, frame);
	pte->folio->node_at_mark = node;
}

void fake_kernel_place_every(struct fake_kernel *kernel, pid_t pid, uint64_t address,
			     uint64_t nr_pages, uint64_t step, int node)
{
	begin_change(kernel);
	for (uint64_t i = 0; i < nr_pages; i += step)
		place_page(kernel,
			   must_find_pte(kernel, pid, address + i * kernel->page_size),
			   node);
	end_change(kernel);
}

void fake_kernel_place(struct fake_kernel *kernel, pid_t pid, uint64_t address,
		       uint64_t nr_pages, int node)
{
	fake_kernel_place_every(kernel, pid, address, nr_pages, 1, node);
}

void fake_pte_set(struct fake_kernel *kernel, struct fake_pte *pte, enum fake_state state)
{
	if (!pte->folio)
		return;
	switch (state) {
	case FAKE_ABSENT:
	case FAKE_SWAPPED:
	case FAKE_ZERO:
		fake_pte_unmap(kernel, pte);
		pte->swapped = state == FAKE_SWAPPED;
		pte->zero = state == FAKE_ZERO;
		break;
	case FAKE_PROTECTED:
		pte->sight = FAKE_HIDDEN;
		break;
	case FAKE_HINTED:
		pte->sight = FAKE_HIDDEN_BY_HINT;
		break;
	case FAKE_PINNED:
		pte->folio->pinned = true;
		break;
	case FAKE_BUSY:
		pte->folio->busy = 2;
		break;
	case FAKE_OFF_LRU:
		pte->folio->off_lru = true;
		break;
	case FAKE_DIRTY:
		pte->folio->dirty = true;
		break;
	case FAKE_WRITEBACK:
		pte->folio->writeback = true;
		break;
	}
}

void fake_kernel_set_every(struct fake_kernel *kernel, pid_t pid, uint64_t address,
			   uint64_t nr_pages, uint64_t step, enum fake_state state)
{
	begin_change(kernel);
	for (uint64_t i = 0; i < nr_pages; i += step)
		fake_pte_set(kernel,
			     must_find_pte(kernel, pid, address + i * kernel->page_size),
			     state);
	end_change(kernel);
}

void fake_kernel_set(struct fake_kernel *kernel, pid_t pid, uint64_t address,
		     uint64_t nr_pages, enum fake_state state)
{
	fake_kernel_set_every(kernel, pid, address, nr_pages, 1, state);
}

void fake_kernel_fill(struct fake_kernel *kernel, int node, uint64_t free_pages)
{
	begin_change(kernel);
	while (fake_node_free(kernel, node) > free_pages)
		fake_frames_take(kernel, node, 1);
	end_change(kernel);
}

void fake_kernel_scatter(struct fake_kernel *kernel, int node)
{
	struct fake_node *scattered = &kernel->nodes[node];
	uint64_t nr_free;

	begin_change(kernel);
	nr_free = fake_node_free(kernel, node);
	/* Pages that are taken and nobody's change places with free ones. */
	for (uint64_t i = 0; i < kernel->options.node_pages; i++)
		if (!kernel->folio_of_frame[fake_node_start(node) + i])
			scattered->used[i] = true;
	for (uint64_t i = 1; nr_free && i < kernel->options.node_pages; i += 2) {
		if (kernel->folio_of_frame[fake_node_start(node) + i])
			continue;
		scattered->used[i] = false;
		nr_free--;
	}
	if (nr_free)
		abort();
	end_change(kernel);
}

void fake_kernel_set_huge_pool(struct fake_kernel *kernel, int node, unsigned int nr)
{
	begin_change(kernel);
	kernel->nodes[node].huge_pool = nr;
	end_change(kernel);
}

static void drop_memory(struct fake_kernel *kernel, struct fake_task *task)
{
	for (size_t m = 0; m < task->memory.nr_mappings; m++) {
		struct fake_mapping *mapping = &task->memory.mappings[m];

		for (uint64_t i = 0; i < mapping->nr_pages; i++)
			fake_pte_unmap(kernel, &mapping->ptes[i]);
		free(mapping->ptes);
	}
	task->memory.nr_mappings = 0;
	fake_files_forget_memory(kernel, task);
}

void fake_kernel_exit(struct fake_kernel *kernel, pid_t pid)
{
	struct fake_task *task;

	begin_change(kernel);
	task = fake_task_find(kernel, pid);
	if (task) {
		drop_memory(kernel, task);
		fake_files_remove_task(kernel, task);
		task->gone = true;
	}
	end_change(kernel);
}

void fake_kernel_exec(struct fake_kernel *kernel, pid_t pid)
{
	struct fake_task *task;

	begin_change(kernel);
	task = must_find(kernel, pid);
	drop_memory(kernel, task);
	give_memory(kernel, task);
	end_change(kernel);
}

void fake_kernel_refuse(struct fake_kernel *kernel, pid_t pid, int error)
{
	pthread_mutex_lock(&kernel->lock);
	must_find(kernel, pid)->refusal = error;
	pthread_mutex_unlock(&kernel->lock);
}

void fake_kernel_before_move(struct fake_kernel *kernel,
			     void (*hook)(void *data, struct fake_kernel *kernel,
					  unsigned int number),
			     void *data)
{
	kernel->hook = hook;
	kernel->hook_data = data;
}

uint64_t fake_kernel_get_entry(struct fake_kernel *kernel, pid_t pid, uint64_t address)
{
	uint64_t entry;

	pthread_mutex_lock(&kernel->lock);
	entry = fake_pagemap_entry(must_find_pte(kernel, pid, address));
	pthread_mutex_unlock(&kernel->lock);
	return entry;
}

int fake_kernel_get_node(struct fake_kernel *kernel, pid_t pid, uint64_t address)
{
	const struct fake_pte *pte;
	int node;

	pthread_mutex_lock(&kernel->lock);
	pte = must_find_pte(kernel, pid, address);
	node = pte->folio ? pte->folio->node : MIG_NO_NODE;
	pthread_mutex_unlock(&kernel->lock);
	return node;
}

/* What is cached of files is counted there. */
static uint64_t count_mapped(const struct fake_process_memory *memory)
{
	uint64_t nr = 0;

	for (size_t m = 0; m < memory->nr_mappings; m++)
		for (uint64_t i = 0; i < memory->mappings[m].nr_pages; i++)
			nr += memory->mappings[m].ptes[i].folio &&
			      !memory->mappings[m].ptes[i].folio->cached;
	return nr;
}

uint64_t fake_kernel_count(struct fake_kernel *kernel, pid_t pid)
{
	uint64_t nr;

	pthread_mutex_lock(&kernel->lock);
	nr = count_mapped(&must_find(kernel, pid)->memory);
	pthread_mutex_unlock(&kernel->lock);
	return nr;
}

void fake_kernel_mark(struct fake_kernel *kernel)
{
	pthread_mutex_lock(&kernel->lock);
	for (struct fake_folio *folio = kernel->folios; folio; folio = folio->next) {
		folio->node_at_mark = folio->node;
		folio->pages_at_mark = 0;
		for (uint32_t page = 0; page < folio->nr_pages; page++)
			folio->pages_at_mark += folio->cached || folio->mapped[page];
	}
	kernel->marked_pages = fake_cache_count(kernel->cache);
	for (size_t i = 0; i < kernel->nr_tasks; i++)
		kernel->marked_pages += count_mapped(&kernel->tasks[i].memory);
	kernel->nr_calls = kernel->nr_splits = 0;
	pthread_mutex_unlock(&kernel->lock);
}

void fake_kernel_compare(struct fake_kernel *kernel, struct fake_truth *ret_truth)
{
	struct fake_truth truth = { 0 };

	pthread_mutex_lock(&kernel->lock);
	truth.mapped_pages = kernel->marked_pages;
	truth.nr_calls = kernel->nr_calls;
	truth.nr_splits = kernel->nr_splits;
	for (struct fake_folio *folio = kernel->folios; folio; folio = folio->next) {
		if (folio->node == folio->node_at_mark)
			continue;
		truth.moved_pages += folio->pages_at_mark;
		truth.moved[folio->node_at_mark][folio->node] += folio->pages_at_mark;
	}
	pthread_mutex_unlock(&kernel->lock);
	*ret_truth = truth;
}
