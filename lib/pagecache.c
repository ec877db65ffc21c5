/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pagecache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* One fault maps the cached neighbours within so many bytes too (fault_around_bytes,
 * mm/memory.c). */
#define FAULT_AROUND (UINT64_C(64) << 10)

/* Files up to this size are mapped one at a time. */
#define SMALL_FILE (UINT64_C(256) << 10)

/* The smallest huge page of any machine: nothing shorter becomes one. */
#define SMALLEST_HUGE ((size_t)2 << 20)

static int open_self(struct mig_context *context, struct mig_self *self)
{
	int r = mig_process_open(context, getpid(), &self->process);

	if (r < 0)
		return r;
	r = mig_pagemap_open(self->process, &self->pagemap);
	if (r < 0)
		return r;
	self->mapping = malloc(sizeof(*self->mapping));
	if (!self->mapping)
		return -ENOMEM;
	pthread_mutex_init(self->mapping, NULL);
	return 0;
}

int mig_self_open(struct mig_context *context, struct mig_self *ret_self)
{
	struct mig_self self = { .pagemap = {
					 .fd = -1, .flags_fd = -1, .count_fd = -1 } };
	int r = open_self(context, &self);

	if (r < 0) {
		mig_self_close(&self);
		return r;
	}
	*ret_self = self;
	return 0;
}

void mig_self_close(struct mig_self *self)
{
	if (!self->process)
		return;
	if (self->mapping) {
		pthread_mutex_destroy(self->mapping);
		free(self->mapping);
	}
	mig_pagemap_close(&self->pagemap);
	mig_process_free(self->process);
	*self = (struct mig_self){ 0 };
}

static size_t scratch_pages(void)
{
	/* The smallest page there is. */
	return MIG_FILE_PART / 4096;
}

int mig_window_scratch_init(struct mig_window_scratch *scratch)
{
	*scratch = (struct mig_window_scratch){
		.resident = malloc(scratch_pages()),
		.entries = malloc(scratch_pages() * sizeof(*scratch->entries)),
	};
	if (scratch->resident && scratch->entries)
		return 0;
	mig_window_scratch_done(scratch);
	return -ENOMEM;
}

void mig_window_scratch_done(struct mig_window_scratch *scratch)
{
	free(scratch->resident);
	free(scratch->entries);
	*scratch = (struct mig_window_scratch){ 0 };
}

/* The part of a window that is worked on at once, and how its pages are counted. */
struct stretch {
	const struct mig_context *context;
	const struct mig_pagemap *pagemap;
	const struct mig_window_scratch *scratch;
	char *start;
	size_t nr_pages;   /**< base pages */
	size_t step;       /**< base pages in the smallest page of the file */
	size_t neighbours; /**< base pages that one fault may map */
};

static void touch(const struct stretch *stretch, size_t page)
{
	/* What cannot be touched has been cut off meanwhile. */
	(void)stretch->context->calls->touch(stretch->start +
					     page * stretch->context->page_size);
}

/* One page of each neighbourhood. */
static void touch_first(const struct stretch *stretch)
{
	const unsigned char *resident = stretch->scratch->resident;

	for (size_t at = 0; at < stretch->nr_pages; at += stretch->neighbours)
		for (size_t i = at; i < at + stretch->neighbours && i < stretch->nr_pages;
		     i += stretch->step)
			if (resident[i] & 1) {
				touch(stretch, i);
				break;
			}
}

/* Those that did not come with their neighbours. */
static void touch_rest(const struct stretch *stretch)
{
	const unsigned char *resident = stretch->scratch->resident;
	uint64_t *entries = stretch->scratch->entries;
	ssize_t nr = mig_pagemap_read(stretch->pagemap, (uintptr_t)stretch->start,
				      entries, stretch->nr_pages);

	for (ssize_t i = 0; i < nr; i += (ssize_t)stretch->step)
		if (resident[i] & 1 && !(entries[i] & MIG_PAGEMAP_PRESENT))
			touch(stretch, (size_t)i);
}

static size_t count_resident(const struct stretch *stretch)
{
	size_t nr = 0;

	for (size_t i = 0; i < stretch->nr_pages; i++)
		nr += stretch->scratch->resident[i] & 1;
	return nr;
}

static int find_resident(const struct stretch *stretch)
{
	/* Those that are not are found out by touching them. */
	if (stretch->step > 1) {
		memset(stretch->scratch->resident, 1, stretch->nr_pages);
		return 0;
	}
	return stretch->context->calls->mincore(
		stretch->start, stretch->nr_pages * stretch->context->page_size,
		stretch->scratch->resident);
}

static size_t count_present(const struct stretch *stretch)
{
	uint64_t *entries = stretch->scratch->entries;
	ssize_t nr = mig_pagemap_read(stretch->pagemap, (uintptr_t)stretch->start,
				      entries, stretch->nr_pages);
	size_t nr_present = 0;

	for (ssize_t i = 0; i < nr; i++)
		nr_present += (entries[i] & MIG_PAGEMAP_PRESENT) != 0;
	return nr_present;
}

/* Where nothing is cached it is not worth the time: each call keeps the other threads
 * from their mappings. */
static void advise(struct mig_window *window)
{
	if (window->is_touched)
		return;
	/* -EINVAL without transparent huge pages in the kernel. */
	if (window->length >= SMALLEST_HUGE)
		madvise(window->start, window->length, MADV_NOHUGEPAGE);
	madvise(window->start, window->length, MADV_RANDOM);
	window->is_touched = true;
}

static int map_in(struct mig_window *window, const struct stretch *stretch,
		  uint64_t *pages)
{
	size_t nr;
	int r = find_resident(stretch);

	if (r < 0)
		return r;
	nr = count_resident(stretch);
	if (nr) {
		advise(window);
		touch_first(stretch);
		touch_rest(stretch);
	}
	*pages += stretch->step > 1 ? count_present(stretch) : nr;
	return 0;
}

static int map_in_all(struct mig_window *window, const struct mig_pagemap *pagemap,
		      const struct mig_window_scratch *scratch, uint64_t *pages)
{
	const struct mig_context *context = window->file->context;
	size_t page_size = context->page_size;
	size_t step = window->file->page_size_bytes / page_size;
	int r = 0;

	for (size_t at = 0; !r && at < window->length; at += MIG_FILE_PART) {
		size_t rest = window->length - at;
		const struct stretch stretch = {
			.context = context,
			.pagemap = pagemap,
			.scratch = scratch,
			.start = window->start + at,
			.nr_pages =
				(rest < MIG_FILE_PART ? rest : MIG_FILE_PART) / page_size,
			.step = step,
			.neighbours = step > 1 ? step : FAULT_AROUND / page_size,
		};

		r = map_in(window, &stretch, pages);
	}
	return r;
}

/* Private for huge pages: in a shared mapping only who may write the file may have a
 * guard. Cached pages are the same in both. */
static int map_file(struct mig_window *window, int fd, bool is_huge)
{
	/* MAP_NORESERVE: hugetlb pools reserve nothing for what is not there. */
	window->start = mmap(NULL, window->length, PROT_READ,
			     (is_huge ? MAP_PRIVATE : MAP_SHARED) | MAP_NORESERVE, fd,
			     (off_t)window->offset);
	return window->start == MAP_FAILED ? -errno : 0;
}

/* Before anything is touched. What becomes a hole meanwhile a private mapping does not
 * fill, it only takes a page of the pool for as long as the window is open. */
static int guard_holes(struct mig_window *window)
{
	const struct mig_file *file = window->file;
	int fd;

	if (!file->has_holes)
		return 0;
	fd = file->context->calls->guard_holes(window->start, window->length);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return fd;
	window->guard_fd = fd;
	return fd < 0 ? -ENXIO : 0;
}

int mig_window_open(struct mig_window *ret_window, struct mig_file *file, uint64_t start,
		    uint64_t end, const struct mig_pagemap *pagemap,
		    const struct mig_window_scratch *scratch, uint64_t *ret_pages)
{
	uint64_t unit = file->page_size_bytes;
	struct mig_window window = {
		.offset = start,
		.length = (end - start + unit - 1) / unit * unit,
		.guard_fd = -1,
	};
	uint64_t pages = 0;
	int r = map_file(&window, file->fd, file->kind == MIG_KIND_HUGETLB);

	if (r < 0)
		return r;
	window.file = mig_file_get(file);
	r = guard_holes(&window);
	if (!r)
		r = map_in_all(&window, pagemap, scratch, &pages);
	if (r < 0) {
		mig_window_close(&window);
		return r;
	}
	*ret_window = window;
	*ret_pages = pages;
	return 0;
}

void mig_window_close(struct mig_window *window)
{
	if (!window->file)
		return;
	if (window->is_touched)
		madvise(window->start, window->length, MADV_SEQUENTIAL);
	munmap(window->start, window->length);
	if (window->guard_fd >= 0)
		close(window->guard_fd);
	mig_file_put(window->file);
	*window = (struct mig_window){ 0 };
}

static int each_window(struct mig_file *file, const struct mig_self *self,
		       const struct mig_window_scratch *scratch, mig_window_fn visit,
		       void *data)
{
	uint64_t start, end;
	int r = 0;

	for (uint64_t at = 0; !r && mig_file_next_part(file, at, &start, &end);
	     at = end) {
		struct mig_window window;
		uint64_t nr_pages;

		r = mig_window_open(&window, file, start, end, &self->pagemap, scratch,
				    &nr_pages);
		if (r < 0)
			return r;
		if (nr_pages)
			r = visit(data, &window);
		mig_window_close(&window);
	}
	return r;
}

int mig_file_each_window(struct mig_file *file, const struct mig_self *self,
			 const struct mig_window_scratch *scratch, mig_window_fn visit,
			 void *data)
{
	int r;

	if (file->size_bytes > SMALL_FILE)
		return each_window(file, self, scratch, visit, data);
	pthread_mutex_lock(self->mapping);
	r = each_window(file, self, scratch, visit, data);
	pthread_mutex_unlock(self->mapping);
	return r;
}

struct mig_span mig_window_get_span(const struct mig_window *window)
{
	return (struct mig_span){
		.start = (uintptr_t)window->start,
		.end = (uintptr_t)window->start + window->length,
		.kind = window->file->kind,
		.page_size_bytes = window->file->page_size_bytes,
		.only_node = MIG_NO_NODE,
		.origin = (uintptr_t)window->start - window->offset,
	};
}
