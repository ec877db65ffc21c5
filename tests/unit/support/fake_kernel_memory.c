/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames, folios and page tables. Whoever calls holds the kernel's lock. */
#include "fake_kernel_memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "pagemap.h"

void *fake_need(void *pointer)
{
	if (!pointer) {
		fputs("no memory for a fake kernel\n", stderr);
		abort();
	}
	return pointer;
}

uint64_t fake_node_start(int node)
{
	return ((uint64_t)node + 1) * FAKE_BLOCK_FRAMES;
}

/* Taken on node 0 when the machine is made. */
uint64_t fake_zero_frame(void)
{
	return fake_node_start(0);
}

uint64_t fake_node_free(const struct fake_kernel *kernel, int node)
{
	return kernel->options.node_pages - kernel->nodes[node].nr_used;
}

static bool run_is_free(const struct fake_kernel *kernel, const struct fake_node *node,
			uint64_t first, uint32_t nr_pages)
{
	if (first + nr_pages > kernel->options.node_pages)
		return false;
	for (uint32_t i = 0; i < nr_pages; i++)
		if (node->used[first + i])
			return false;
	return true;
}

uint64_t fake_frames_take(struct fake_kernel *kernel, int node, uint32_t nr_pages)
{
	struct fake_node *from = &kernel->nodes[node];
	uint64_t nr_runs = kernel->options.node_pages / nr_pages;

	if (fake_node_free(kernel, node) < nr_pages)
		return 0;
	for (uint64_t i = 0; i < nr_runs; i++) {
		uint64_t first = (from->next / nr_pages + i) % nr_runs * nr_pages;

		if (!run_is_free(kernel, from, first, nr_pages))
			continue;
		for (uint32_t page = 0; page < nr_pages; page++)
			from->used[first + page] = true;
		from->nr_used += nr_pages;
		from->next = first + nr_pages;
		return fake_node_start(node) + first;
	}
	return 0;
}

static void give_back(struct fake_kernel *kernel, int node, uint64_t frame,
		      uint32_t nr_pages)
{
	struct fake_node *to = &kernel->nodes[node];
	uint64_t first = frame - fake_node_start(node);

	for (uint32_t page = 0; page < nr_pages; page++) {
		to->used[first + page] = false;
		kernel->folio_of_frame[frame + page] = NULL;
	}
	to->nr_used -= nr_pages;
}

static void settle_in(struct fake_kernel *kernel, struct fake_folio *folio, int node,
		      uint64_t frame)
{
	folio->node = node;
	folio->frame = frame;
	for (uint32_t page = 0; page < folio->nr_pages; page++)
		kernel->folio_of_frame[frame + page] = folio;
}

static struct fake_folio *add_folio(struct fake_kernel *kernel, uint32_t nr_pages,
				    enum fake_kind kind)
{
	struct fake_folio *folio = fake_need(calloc(1, sizeof(*folio)));

	folio->nr_pages = nr_pages;
	folio->kind = kind;
	folio->mapped = fake_need(calloc(nr_pages, sizeof(*folio->mapped)));
	folio->next = kernel->folios;
	kernel->folios = folio;
	return folio;
}

struct fake_folio *fake_folio_new(struct fake_kernel *kernel, int node, uint32_t nr_pages,
				  enum fake_kind kind)
{
	struct fake_folio *folio = add_folio(kernel, nr_pages, kind);
	uint64_t frame = fake_frames_take(kernel, node, nr_pages);

	if (!frame) {
		fputs("a fake node has no room for what the test maps\n", stderr);
		abort();
	}
	settle_in(kernel, folio, node, frame);
	folio->node_at_mark = node;
	return folio;
}

void fake_folio_move(struct fake_kernel *kernel, struct fake_folio *folio, int node,
		     uint64_t frame)
{
	give_back(kernel, folio->node, folio->frame, folio->nr_pages);
	settle_in(kernel, folio, node, frame);
}

/* What a folio falls apart into. */
struct split {
	const struct fake_folio *folio;
	struct fake_folio **parts;
};

static void replace_in(void *data, struct fake_mapping *mapping)
{
	const struct split *split = data;

	for (uint64_t i = 0; i < mapping->nr_pages; i++) {
		struct fake_pte *pte = &mapping->ptes[i];

		if (pte->folio != split->folio)
			continue;
		pte->folio = split->parts[pte->page];
		pte->page = 0;
	}
}

void fake_folio_split(struct fake_kernel *kernel, struct fake_folio *folio)
{
	struct fake_folio **parts = fake_need(calloc(folio->nr_pages, sizeof(*parts)));
	struct split split = { folio, parts };

	for (uint32_t page = 0; page < folio->nr_pages; page++) {
		parts[page] = add_folio(kernel, 1, folio->kind);
		parts[page]->mapped[0] = folio->mapped[page];
		parts[page]->cached = folio->cached;
		parts[page]->dirty = folio->dirty;
		parts[page]->nr_mapped = folio->mapped[page] + folio->cached;
		parts[page]->node_at_mark = folio->node_at_mark;
		parts[page]->pages_at_mark = folio->cached || folio->mapped[page];
		settle_in(kernel, parts[page], folio->node, folio->frame + page);
	}
	for (size_t i = 0; i < kernel->nr_tasks; i++)
		for (size_t m = 0; m < kernel->tasks[i].memory.nr_mappings; m++)
			replace_in(&split, &kernel->tasks[i].memory.mappings[m]);
	fake_cache_each_mapping(kernel->cache, replace_in, &split);
	/* It is nothing and nowhere from now on. */
	folio->nr_mapped = 0;
	folio->node = folio->node_at_mark;
	kernel->nr_splits++;
	free(parts);
}

void fake_pte_unmap(struct fake_kernel *kernel, struct fake_pte *pte)
{
	struct fake_folio *folio = pte->folio;

	pte->folio = NULL;
	if (!folio)
		return;
	folio->mapped[pte->page]--;
	folio->nr_mapped--;
	if (!folio->nr_mapped)
		give_back(kernel, folio->node, folio->frame, folio->nr_pages);
}

void fake_pte_map(struct fake_pte *pte, const struct fake_pte *other)
{
	if (pte->folio || !other->folio)
		return;
	pte->folio = other->folio;
	pte->page = other->page;
	pte->folio->mapped[pte->page]++;
	pte->folio->nr_mapped++;
}

struct fake_task *fake_task_find(struct fake_kernel *kernel, pid_t pid)
{
	for (size_t i = 0; i < kernel->nr_tasks; i++)
		if (kernel->tasks[i].pid == pid && !kernel->tasks[i].gone)
			return &kernel->tasks[i];
	return NULL;
}

struct fake_mapping *fake_mapping_find(struct fake_process_memory *memory,
				       uint64_t address)
{
	for (size_t i = 0; i < memory->nr_mappings; i++) {
		struct fake_mapping *mapping = &memory->mappings[i];
		uint64_t page_size = memory->page_size;

		if (address >= mapping->start &&
		    address < mapping->start + mapping->nr_pages * page_size)
			return mapping;
	}
	return NULL;
}

struct fake_pte *fake_pte_find(struct fake_process_memory *memory, uint64_t address)
{
	struct fake_mapping *mapping = fake_mapping_find(memory, address);

	if (mapping)
		return &mapping->ptes[(address - mapping->start) / memory->page_size];
	return memory->windows ? fake_cache_find_pte(memory->windows, address) : NULL;
}

uint64_t fake_pagemap_entry(const struct fake_pte *pte)
{
	uint64_t entry = MIG_PAGEMAP_PRESENT;

	if (pte->swapped)
		return MIG_PAGEMAP_SWAPPED;
	if (pte->zero)
		return entry | fake_zero_frame();
	if (!pte->folio)
		return 0;
	entry |= pte->folio->frame + pte->page;
	if (pte->folio->kind == FAKE_FILE || pte->folio->kind == FAKE_SHMEM)
		entry |= MIG_PAGEMAP_FILE;
	if (pte->folio->mapped[pte->page] == 1)
		entry |= MIG_PAGEMAP_EXCLUSIVE;
	return entry;
}
