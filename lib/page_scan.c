/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "page_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "batch.h"
#include "procfs.h"

/* Large folios are aligned to their size and have at least four pages where they
 * are common: one frame of every four tells whether there is one. */
#define PROBE_ALIGN 4
#define PROBE_STRIDE 512

/* How long a page that seems to be migrating is waited for: half a second in all. */
#define FIRST_MOMENT_NS 2000000
#define LAST_MOMENT_NS 256000000

static uint64_t read_huge_size(const struct mig_context *context)
{
	char buffer[32];
	uint64_t size;

	if (mig_procfs_read(context, buffer, sizeof(buffer),
			    "sys/kernel/mm/transparent_hugepage/hpage_pmd_size") <= 0)
		return 0;
	size = strtoull(buffer, NULL, 10);
	return size / context->page_size > MIG_SCAN_PAGES ? 0 : size;
}

int mig_page_scan_init(struct mig_page_scan *scan, const struct mig_frames *frames)
{
	*scan = (struct mig_page_scan){ .frames = frames };
	scan->units = malloc(MIG_SCAN_PAGES * sizeof(*scan->units));
	scan->entries = malloc(MIG_SCAN_PAGES * sizeof(*scan->entries));
	scan->flags = malloc(MIG_SCAN_PAGES * sizeof(*scan->flags));
	if (scan->units && scan->entries && scan->flags)
		return 0;
	mig_page_scan_done(scan);
	return -ENOMEM;
}

void mig_page_scan_done(struct mig_page_scan *scan)
{
	free(scan->units);
	free(scan->entries);
	free(scan->flags);
	*scan = (struct mig_page_scan){ 0 };
}

void mig_page_scan_set_process(struct mig_page_scan *scan,
			       const struct mig_process *process,
			       struct mig_pagemap *pagemap)
{
	scan->pagemap = pagemap;
	scan->only_cache = NULL;
	scan->process = process;
	scan->lasting_marks = 0;
	scan->huge_size_bytes =
		pagemap->has_frames ? 0 : read_huge_size(process->context);
	scan->guess_huge = scan->huge_size_bytes != 0;
}

/* What shares nothing is where its frame says, or where the whole mapping is. */
static int node_of(const struct mig_page_scan *scan, uint64_t entry)
{
	uint64_t frame = entry & MIG_PAGEMAP_FRAME;
	int node = MIG_NO_NODE;

	if (scan->frames && frame)
		node = mig_frames_get_node(scan->frames, frame);
	if (node == MIG_NO_NODE && (entry & MIG_PAGEMAP_EXCLUSIVE))
		node = scan->only_node;
	return node;
}

static uint16_t flags_of(uint64_t entry)
{
	return (uint16_t)((entry & MIG_PAGEMAP_EXCLUSIVE ? 0 : MIG_UNIT_SHARED) |
			  (entry & MIG_PAGEMAP_FILE ? MIG_UNIT_FILE : 0));
}

static void add_unit(struct mig_page_scan *scan, uint64_t address, uint64_t entry,
		     uint64_t nr_pages, uint16_t more_flags)
{
	struct mig_units *last = scan->nr_units ? &scan->units[scan->nr_units - 1] : NULL;
	uint16_t flags = flags_of(entry) | more_flags;
	int node = node_of(scan, entry);

	if (last && node != MIG_NO_NODE && last->node == node && last->flags == flags &&
	    !(flags & MIG_UNIT_SHARED) && last->unit_pages == nr_pages &&
	    last->address + (mig_units_pages(last)
			     << scan->pagemap->context->page_shift) ==
		    address) {
		last->nr++;
		return;
	}
	scan->units[scan->nr_units++] = (struct mig_units){
		.address = address,
		.frame = entry & MIG_PAGEMAP_FRAME,
		.nr = 1,
		.unit_pages = (uint32_t)nr_pages,
		.node = (int16_t)node,
		.flags = flags,
	};
}

/* Whether a physically consecutive run may hold a large folio: looked for at its
 * first aligned frame and at every frame that a huge page could begin with. */
static bool run_has_folio(const struct mig_page_scan *scan, uint64_t frame,
			  size_t nr_pages)
{
	uint64_t end = frame + nr_pages;
	uint64_t probe = (frame + PROBE_ALIGN - 1) / PROBE_ALIGN * PROBE_ALIGN;
	uint64_t flags;

	while (probe < end) {
		if (mig_pagemap_read_flags(scan->pagemap, probe, &flags, 1) < 0)
			return false;
		if (flags & (MIG_FLAG_HEAD | MIG_FLAG_TAIL))
			return true;
		probe = (probe / PROBE_STRIDE + 1) * PROBE_STRIDE;
	}
	return false;
}

/* Cut a run whose flags are in scan->flags into folios, zero pages left out. */
static void add_folios(struct mig_page_scan *scan, uint64_t address, size_t first,
		       size_t nr_pages)
{
	size_t page_size = scan->pagemap->context->page_size;
	size_t at = 0;

	while (at < nr_pages) {
		uint64_t flags = scan->flags[at];
		size_t end = at + 1;

		if (flags & (MIG_FLAG_HEAD | MIG_FLAG_TAIL))
			while (end < nr_pages && (scan->flags[end] & MIG_FLAG_TAIL))
				end++;
		if (!(flags & MIG_FLAG_ZERO_PAGE))
			add_unit(scan, address + at * page_size,
				 scan->entries[first + at], end - at, 0);
		at = end;
	}
}

static void add_pages(struct mig_page_scan *scan, uint64_t address, size_t first,
		      size_t nr_pages)
{
	size_t page_size = scan->pagemap->context->page_size;

	for (size_t i = 0; i < nr_pages; i++)
		add_unit(scan, address + i * page_size, scan->entries[first + i], 1, 0);
}

/* A page that is mapped many times and of no file may be the zero page. */
static bool is_zero_page(struct mig_page_scan *scan, uint64_t entry)
{
	uint64_t frame = entry & MIG_PAGEMAP_FRAME;
	uint64_t flags;

	if (entry & (MIG_PAGEMAP_EXCLUSIVE | MIG_PAGEMAP_FILE))
		return false;
	if (scan->zero_frame && frame == scan->zero_frame)
		return true;
	if (mig_pagemap_read_flags(scan->pagemap, frame, &flags, 1) < 0 ||
	    !(flags & MIG_FLAG_ZERO_PAGE))
		return false;
	scan->zero_frame = frame;
	return true;
}

/* The pages from @first on that are consecutive in physical memory too. */
static size_t physical_run(const struct mig_page_scan *scan, size_t first,
			   size_t nr_pages)
{
	uint64_t frame = scan->entries[first] & MIG_PAGEMAP_FRAME;
	size_t end = first + 1;

	while (end < nr_pages && (scan->entries[end] & MIG_PAGEMAP_PRESENT) &&
	       (scan->entries[end] & MIG_PAGEMAP_FRAME) == frame + (end - first))
		end++;
	return end - first;
}

static size_t take_known(struct mig_page_scan *scan, uint64_t address, size_t first,
			 size_t nr_pages)
{
	size_t run = physical_run(scan, first, nr_pages);
	uint64_t frame = scan->entries[first] & MIG_PAGEMAP_FRAME;

	if (run == 1 && is_zero_page(scan, scan->entries[first]))
		return run;
	if (run >= PROBE_ALIGN && run_has_folio(scan, frame, run) &&
	    !mig_pagemap_read_flags(scan->pagemap, frame, scan->flags, run))
		add_folios(scan, address, first, run);
	else
		add_pages(scan, address, first, run);
	return run;
}

/* Where the whole mapping is on one node, so is a stretch that nobody shares. */
static bool is_on_one_node(const struct mig_page_scan *scan, uint64_t address,
			   uint64_t entry, size_t nr_pages)
{
	void *addresses[256];
	int status[256];
	int first = MIG_NO_NODE;

	if ((entry & MIG_PAGEMAP_EXCLUSIVE) && scan->only_node != MIG_NO_NODE)
		return true;
	for (size_t at = 0; at < nr_pages;) {
		size_t nr = 0;

		for (; at < nr_pages && nr < 256; at++, nr++)
			addresses[nr] = (void *)(uintptr_t)(address +
							    at * scan->pagemap->context
									    ->page_size);
		if (mig_batch_ask_process(scan->process, addresses, status, nr) < 0)
			return false;
		if (at == nr)
			first = status[0];
		for (size_t i = 0; i < nr; i++)
			if (status[i] != first)
				return false;
	}
	return true;
}

/* Without frame numbers: an aligned stretch that is all present may be one folio. */
static size_t take_unknown(struct mig_page_scan *scan, uint64_t address, size_t first,
			   size_t nr_pages)
{
	size_t huge_pages = scan->huge_size_bytes / scan->pagemap->context->page_size;
	uint64_t same = MIG_PAGEMAP_PRESENT | MIG_PAGEMAP_FILE | MIG_PAGEMAP_EXCLUSIVE;
	size_t end = first;

	if (scan->guess_huge && !(address & (scan->huge_size_bytes - 1)) &&
	    nr_pages - first >= huge_pages) {
		while (end < first + huge_pages &&
		       (scan->entries[end] & same) == (scan->entries[first] & same))
			end++;
		if (end == first + huge_pages &&
		    is_on_one_node(scan, address, scan->entries[first], huge_pages)) {
			add_unit(scan, address, scan->entries[first], huge_pages,
				 MIG_UNIT_GUESSED);
			return huge_pages;
		}
	}
	add_unit(scan, address, scan->entries[first], 1, 0);
	return 1;
}

static void take_entries(struct mig_page_scan *scan, uint64_t start, size_t nr_pages)
{
	size_t page_size = scan->pagemap->context->page_size;
	size_t at = 0;

	while (at < nr_pages) {
		uint64_t address = start + at * page_size;
		uint64_t entry = scan->entries[at];

		if (!(entry & MIG_PAGEMAP_PRESENT)) {
			at++;
		} else if (entry & MIG_PAGEMAP_FRAME) {
			at += take_known(scan, address, at, nr_pages);
		} else {
			at += take_unknown(scan, address, at, nr_pages);
		}
	}
}

/* As many pages as one step takes, without cutting a huge page in two. */
static size_t step_pages(const struct mig_context *context, uint64_t start, uint64_t end)
{
	uint64_t huge_bytes = PROBE_STRIDE * (uint64_t)context->page_size;
	uint64_t limit = start + MIG_SCAN_PAGES * (uint64_t)context->page_size;

	if (end <= limit)
		return (end - start) / context->page_size;
	return (limit / huge_bytes * huge_bytes - start) / context->page_size;
}

/* Entries with marks that were not seen to last. */
static size_t count_marked(const struct mig_page_scan *scan, size_t nr_pages)
{
	size_t nr = 0;

	for (size_t i = 0; i < nr_pages; i++)
		nr += mig_pagemap_is_marked(scan->entries[i]) &&
		      !(scan->lasting_marks & 1U << (scan->entries[i] & 0x1f));
	return nr;
}

static void learn_marks(struct mig_page_scan *scan, size_t nr_pages)
{
	for (size_t i = 0; i < nr_pages; i++)
		if (mig_pagemap_is_marked(scan->entries[i]))
			scan->lasting_marks |= 1U << (scan->entries[i] & 0x1f);
}

/*
 * A page that another worker, or the kernel, is migrating this very moment looks as
 * if it were not there, and up to 512 of them are at once: look again until they are
 * back. Other marks (of guard regions, of userfaultfd) stay; those are waited for
 * once only.
 */
static ssize_t read_entries(struct mig_page_scan *scan, uint64_t start, size_t nr_pages)
{
	struct timespec moment = { .tv_nsec = FIRST_MOMENT_NS };
	ssize_t r = mig_pagemap_read(scan->pagemap, start, scan->entries, nr_pages);
	size_t marked = r > 0 ? count_marked(scan, (size_t)r) : 0;

	while (marked && moment.tv_nsec <= LAST_MOMENT_NS) {
		size_t before = marked;

		nanosleep(&moment, NULL);
		r = mig_pagemap_read(scan->pagemap, start, scan->entries, nr_pages);
		marked = r > 0 ? count_marked(scan, (size_t)r) : 0;
		moment.tv_nsec = marked < before ? FIRST_MOMENT_NS : 2 * moment.tv_nsec;
	}
	if (marked)
		learn_marks(scan, (size_t)r);
	return r;
}

static int scan_pages(struct mig_page_scan *scan, uint64_t start, uint64_t end,
		      uint64_t *ret_next)
{
	size_t page_size = scan->pagemap->context->page_size;
	size_t nr_pages = step_pages(scan->pagemap->context, start, end);
	ssize_t r;

	r = read_entries(scan, start, nr_pages);
	if (r <= 0)
		return r ? (int)r : -ESRCH;
	*ret_next = start + (uint64_t)r * page_size;
	if (scan->only_cache) {
		int kept = mig_unmapped_cache_keep(scan->only_cache, scan->entries,
						   (size_t)r);

		if (kept < 0)
			return kept;
	}
	take_entries(scan, start, (size_t)r);
	return 0;
}

/* One entry for each huge page: the others say the same. */
static int scan_hugetlb(struct mig_page_scan *scan, const struct mig_span *span,
			uint64_t start, uint64_t end, uint64_t *ret_next)
{
	size_t nr_pages = span->page_size_bytes / scan->pagemap->context->page_size;
	uint64_t entry;

	while (start < end && scan->nr_units < MIG_SCAN_PAGES) {
		ssize_t r = mig_pagemap_read(scan->pagemap, start, &entry, 1);

		if (r <= 0)
			return r ? (int)r : -ESRCH;
		if (entry & MIG_PAGEMAP_PRESENT)
			add_unit(scan, start, entry, nr_pages, MIG_UNIT_HUGETLB);
		start += span->page_size_bytes;
	}
	*ret_next = start;
	return 0;
}

/*
 * Without its frame the zero page looks like a page that is shared, and a huge one
 * like one of a file besides; but it is on no node, and nothing else that is mapped
 * makes the kernel answer -EFAULT.
 */
static void take_answer(struct mig_units *units, int status)
{
	if (status >= 0) {
		units->node = (int16_t)status;
	} else if (status == -EFAULT && !units->frame &&
		   (units->flags & MIG_UNIT_SHARED) &&
		   (!(units->flags & MIG_UNIT_FILE) || units->unit_pages > 1)) {
		units->nr = 0;
	}
}

/* Ask for the nodes of some units that are not known. Return: where to go on. */
static int ask_some(struct mig_page_scan *scan, size_t *at)
{
	void *addresses[256];
	int status[256];
	size_t asked[256];
	size_t nr = 0;
	int r;

	for (; *at < scan->nr_units && nr < 256; ++*at) {
		if (scan->units[*at].node != MIG_NO_NODE)
			continue;
		addresses[nr] = (void *)(uintptr_t)scan->units[*at].address;
		asked[nr++] = *at;
	}
	r = nr ? mig_batch_ask_process(scan->process, addresses, status, nr) : 0;
	if (r < 0)
		return r == -EINVAL ? -ESRCH : r;
	for (size_t i = 0; i < nr; i++)
		take_answer(&scan->units[asked[i]], status[i]);
	return 0;
}

static int ask_nodes(struct mig_page_scan *scan)
{
	size_t kept = 0;

	for (size_t at = 0; at < scan->nr_units;) {
		int r = ask_some(scan, &at);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < scan->nr_units; i++)
		if (scan->units[i].nr)
			scan->units[kept++] = scan->units[i];
	scan->nr_units = kept;
	return 0;
}

static bool has_unknown_node(const struct mig_page_scan *scan)
{
	for (size_t i = 0; i < scan->nr_units; i++)
		if (scan->units[i].node == MIG_NO_NODE)
			return true;
	return false;
}

int mig_page_scan_next(struct mig_page_scan *scan, const struct mig_span *span,
		       uint64_t start, uint64_t end, uint64_t *ret_next)
{
	uint64_t next = start;
	int r;

	scan->nr_units = 0;
	scan->only_node = span->only_node;
	if (span->sparse)
		start = mig_pagemap_skip_hole(scan->pagemap, start, end);
	/* Huge pages of hugetlbfs are no cache, and charged by themselves. */
	if (scan->only_cache && span->kind == MIG_KIND_HUGETLB)
		start = end;
	if (start >= end) {
		*ret_next = end;
		return 0;
	}
	if (span->kind == MIG_KIND_HUGETLB)
		r = scan_hugetlb(scan, span, start, end, &next);
	else
		r = scan_pages(scan, start, end, &next);
	if (!r && has_unknown_node(scan))
		r = ask_nodes(scan);
	if (r < 0)
		return r;
	*ret_next = next;
	return 0;
}
