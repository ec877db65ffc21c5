/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_kernel_memory.h"

/* Pages that one fault may map, as fault_around_bytes has it. */
#define FAULT_AROUND_PAGES 16

struct fake_file {
	struct fake_file *next;
	char *path;
	uint64_t inode;
	struct fake_mapping content; /**< what is cached, by page; it starts at 0 */
};

struct window {
	struct window *next;
	struct fake_file *file;
	uint64_t first; /**< page of the file */
	struct fake_mapping mapping;
};

struct fake_cache {
	struct fake_cache_options options;
	enum fake_kind kind;
	struct fake_file *files;
	struct window *windows;
	struct fake_cache_counts counts;
	unsigned int nr_intact; /**< atomic: windows until the broken one; 0: none is */
	int broken_error;
};

/* The policy of a thread: below 0, none. */
static _Thread_local int bound_node = MIG_NO_NODE;

static void must(bool worked, const char *path)
{
	if (worked)
		return;
	perror(path);
	abort();
}

/* ---- the machine ---- */

static void write_mount(struct fake_kernel *kernel, const char *type, const char *options)
{
	char path[64], text[256];
	struct statx status;

	must(!statx(0, kernel->root->path, 0, STATX_MNT_ID, &status), "statx");
	snprintf(path, sizeof(path), "proc/%d/mountinfo", getpid());
	snprintf(text, sizeof(text), "%" PRIu64 " 1 %u:%u / / rw - %s none %s\n",
		 (uint64_t)status.stx_mnt_id, status.stx_dev_major, status.stx_dev_minor,
		 type, options);
	fake_root_write(kernel->root, path, text);
}

void fake_cache_begin(struct fake_kernel *kernel,
		      const struct fake_cache_options *options)
{
	struct fake_cache *cache = fake_need(calloc(1, sizeof(*cache)));
	const char *type;

	if (options)
		cache->options = *options;
	type = cache->options.type ? cache->options.type : "ext4";
	cache->kind = strcmp(type, "tmpfs") ? FAKE_FILE : FAKE_SHMEM;
	kernel->cache = cache;
	fake_kernel_add_process(kernel, getpid(), 1);
	write_mount(kernel, type, cache->options.options ? cache->options.options : "rw");
}

void fake_cache_set_options(struct fake_kernel *kernel,
			    const struct fake_cache_options *options)
{
	pthread_mutex_lock(&kernel->lock);
	kernel->cache->options = *options;
	pthread_mutex_unlock(&kernel->lock);
}

static void free_window(struct fake_kernel *kernel, struct window *window)
{
	for (uint64_t i = 0; i < window->mapping.nr_pages; i++)
		fake_pte_unmap(kernel, &window->mapping.ptes[i]);
	free(window->mapping.ptes);
	free(window);
}

void fake_cache_free(struct fake_kernel *kernel)
{
	struct fake_cache *cache = kernel->cache;

	while (cache && cache->windows) {
		struct window *window = cache->windows;

		cache->windows = window->next;
		free_window(kernel, window);
	}
	while (cache && cache->files) {
		struct fake_file *file = cache->files;

		cache->files = file->next;
		free(file->content.ptes);
		free(file->path);
		free(file);
	}
	free(cache);
	kernel->cache = NULL;
}

/* ---- files ---- */

struct fake_file *fake_cache_add(struct fake_kernel *kernel, const char *name,
				 uint64_t nr_pages)
{
	struct fake_file *file = fake_need(calloc(1, sizeof(*file)));
	struct stat status;

	fake_root_write(kernel->root, name, "");
	must(asprintf(&file->path, "%s/%s", kernel->root->path, name) > 0, name);
	must(!truncate(file->path, (off_t)(nr_pages * kernel->page_size)), file->path);
	must(!stat(file->path, &status), file->path);
	file->inode = status.st_ino;
	file->content = (struct fake_mapping){
		.kind = kernel->cache->kind,
		.nr_pages = nr_pages,
		.ptes = fake_need(calloc(nr_pages + 1, sizeof(struct fake_pte))),
	};
	pthread_mutex_lock(&kernel->lock);
	file->next = kernel->cache->files;
	kernel->cache->files = file;
	pthread_mutex_unlock(&kernel->lock);
	return file;
}

const char *fake_cache_get_path(const struct fake_file *file)
{
	return file->path;
}

void fake_cache_fill(struct fake_kernel *kernel, struct fake_file *file, uint64_t first,
		     uint64_t nr_pages, int node, uint32_t folio_pages)
{
	uint32_t step = folio_pages ? folio_pages : 1;

	pthread_mutex_lock(&kernel->lock);
	for (uint64_t at = first; at < first + nr_pages; at += step) {
		struct fake_folio *folio =
			fake_folio_new(kernel, node, step, kernel->cache->kind);

		folio->cached = true;
		for (uint32_t page = 0; page < step; page++) {
			file->content.ptes[at + page] =
				(struct fake_pte){ .folio = folio, .page = page };
			folio->nr_mapped++;
		}
	}
	fake_files_write_changes(kernel);
	pthread_mutex_unlock(&kernel->lock);
}

static void unmap_everywhere(struct fake_kernel *kernel, const struct fake_file *file,
			     uint64_t page)
{
	for (struct window *window = kernel->cache->windows; window;
	     window = window->next)
		if (window->file == file && page >= window->first &&
		    page < window->first + window->mapping.nr_pages)
			fake_pte_unmap(kernel,
				       &window->mapping.ptes[page - window->first]);
}

/* The cache's own hold on a page is no mapping of it. */
static void drop_page(struct fake_kernel *kernel, struct fake_file *file, uint64_t page)
{
	struct fake_pte *pte = &file->content.ptes[page];

	if (!pte->folio)
		return;
	unmap_everywhere(kernel, file, page);
	pte->folio->mapped[pte->page]++;
	fake_pte_unmap(kernel, pte);
}

void fake_cache_set(struct fake_kernel *kernel, struct fake_file *file, uint64_t first,
		    uint64_t nr_pages, enum fake_state state)
{
	pthread_mutex_lock(&kernel->lock);
	for (uint64_t page = first; page < first + nr_pages; page++)
		if (state == FAKE_ABSENT)
			drop_page(kernel, file, page);
		else
			fake_pte_set(kernel, &file->content.ptes[page], state);
	fake_files_write_changes(kernel);
	pthread_mutex_unlock(&kernel->lock);
}

void fake_cache_truncate(struct fake_kernel *kernel, struct fake_file *file,
			 uint64_t nr_pages)
{
	must(!truncate(file->path, (off_t)(nr_pages * kernel->page_size)), file->path);
	fake_cache_set(kernel, file, nr_pages, file->content.nr_pages - nr_pages,
		       FAKE_ABSENT);
}

int fake_cache_get_node(struct fake_kernel *kernel, const struct fake_file *file,
			uint64_t page)
{
	const struct fake_folio *folio;
	int node;

	pthread_mutex_lock(&kernel->lock);
	folio = file->content.ptes[page].folio;
	node = folio ? folio->node : MIG_NO_NODE;
	pthread_mutex_unlock(&kernel->lock);
	return node;
}

bool fake_cache_is_dirty(struct fake_kernel *kernel, const struct fake_file *file,
			 uint64_t page)
{
	const struct fake_folio *folio;
	bool dirty;

	pthread_mutex_lock(&kernel->lock);
	folio = file->content.ptes[page].folio;
	dirty = folio && folio->dirty;
	pthread_mutex_unlock(&kernel->lock);
	return dirty;
}

void fake_cache_map(struct fake_kernel *kernel, pid_t pid, const struct fake_file *file)
{
	uint64_t start =
		fake_kernel_map(kernel, pid,
				&(struct fake_memory){ .kind = kernel->cache->kind,
						       .nr_pages = file->content.nr_pages,
						       .node = MIG_NO_NODE });

	pthread_mutex_lock(&kernel->lock);
	for (uint64_t page = 0; page < file->content.nr_pages; page++) {
		struct fake_pte *pte = fake_pte_find(&fake_task_find(kernel, pid)->memory,
						     start + page * kernel->page_size);

		fake_pte_map(pte, &file->content.ptes[page]);
	}
	fake_files_write_changes(kernel);
	pthread_mutex_unlock(&kernel->lock);
}

void fake_cache_get_counts(struct fake_kernel *kernel,
			   struct fake_cache_counts *ret_counts)
{
	pthread_mutex_lock(&kernel->lock);
	*ret_counts = kernel->cache->counts;
	pthread_mutex_unlock(&kernel->lock);
}

/* ---- for the rest of the kernel ---- */

uint64_t fake_cache_count(const struct fake_cache *cache)
{
	uint64_t nr = 0;

	for (const struct fake_file *file = cache ? cache->files : NULL; file;
	     file = file->next)
		for (uint64_t page = 0; page < file->content.nr_pages; page++)
			nr += file->content.ptes[page].folio != NULL;
	return nr;
}

void fake_cache_each_mapping(struct fake_cache *cache,
			     void (*visit)(void *data, struct fake_mapping *mapping),
			     void *data)
{
	if (!cache)
		return;
	for (struct fake_file *file = cache->files; file; file = file->next)
		visit(data, &file->content);
	for (struct window *window = cache->windows; window; window = window->next)
		visit(data, &window->mapping);
}

static struct window *find_window(const struct fake_kernel *kernel, uint64_t address)
{
	struct window *window = kernel->cache ? kernel->cache->windows : NULL;

	for (; window; window = window->next)
		if (address >= window->mapping.start &&
		    address < window->mapping.start +
				      window->mapping.nr_pages * kernel->page_size)
			return window;
	return NULL;
}

struct fake_pte *fake_cache_find_pte(const struct fake_kernel *kernel, uint64_t address)
{
	struct window *window = find_window(kernel, address);

	return window ? &window->mapping.ptes[(address - window->mapping.start) /
					      kernel->page_size]
		      : NULL;
}

void fake_cache_note_tried(struct fake_kernel *kernel, struct fake_folio *folio)
{
	if (!folio->cached || !folio->dirty || !kernel->cache->options.writes_dirty)
		return;
	folio->dirty = false;
	kernel->cache->counts.nr_written += folio->nr_pages;
}

/* ---- windows ---- */

/* A mapping of this process, as the real kernel knows it. */
struct region {
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	uint64_t inode;
};

static size_t read_regions(struct region **ret_regions)
{
	FILE *stream = fake_need(fopen("/proc/self/maps", "re"));
	struct region *regions = NULL, region;
	char line[4352];
	size_t nr = 0;

	while (fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %" SCNu64,
			   &region.start, &region.end, &region.offset,
			   &region.inode) != 4 ||
		    !region.inode)
			continue;
		regions = fake_need(reallocarray(regions, nr + 1, sizeof(*regions)));
		regions[nr++] = region;
	}
	fclose(stream);
	*ret_regions = regions;
	return nr;
}

static const struct region *find_region(const struct region *regions, size_t nr,
					uint64_t address)
{
	for (size_t i = 0; i < nr; i++)
		if (address >= regions[i].start && address < regions[i].end)
			return &regions[i];
	return NULL;
}

static bool is_mapped_still(const struct fake_kernel *kernel, const struct window *window,
			    const struct region *regions, size_t nr)
{
	const struct region *region = find_region(regions, nr, window->mapping.start);

	return region && region->inode == window->file->inode &&
	       region->offset + window->mapping.start - region->start ==
		       window->first * kernel->page_size;
}

static void forget_unmapped(struct fake_kernel *kernel, const struct region *regions,
			    size_t nr, uint64_t renewed)
{
	struct window **link = &kernel->cache->windows;

	while (*link) {
		struct window *window = *link;

		if (window->mapping.start != renewed &&
		    is_mapped_still(kernel, window, regions, nr)) {
			link = &window->next;
			continue;
		}
		*link = window->next;
		free_window(kernel, window);
	}
}

static struct fake_file *find_file(const struct fake_cache *cache, uint64_t inode)
{
	struct fake_file *file = cache->files;

	while (file && file->inode != inode)
		file = file->next;
	return file;
}

static struct window *add_window(struct fake_kernel *kernel, uint64_t start,
				 uint64_t nr_pages)
{
	struct window *window = fake_need(calloc(1, sizeof(*window)));
	struct region *regions;
	size_t nr = read_regions(&regions);
	const struct region *region;

	forget_unmapped(kernel, regions, nr, start);
	region = fake_need((void *)(uintptr_t)find_region(regions, nr, start));
	window->file = fake_need(find_file(kernel->cache, region->inode));
	window->first = (region->offset + start - region->start) / kernel->page_size;
	window->mapping = (struct fake_mapping){
		.kind = window->file->content.kind,
		.start = start,
		.nr_pages = nr_pages,
		.ptes = fake_need(calloc(nr_pages, sizeof(struct fake_pte))),
	};
	window->next = kernel->cache->windows;
	kernel->cache->windows = window;
	free(regions);
	return window;
}

static const struct fake_pte *content_of(const struct window *window, uint64_t page)
{
	static const struct fake_pte nothing;
	const struct fake_mapping *content = &window->file->content;
	uint64_t index = window->first + page;

	return index < content->nr_pages ? &content->ptes[index] : &nothing;
}

void fake_cache_break_window(struct fake_kernel *kernel, unsigned int number, int error)
{
	kernel->cache->nr_intact = number;
	kernel->cache->broken_error = error;
}

static bool is_broken(struct fake_cache *cache)
{
	return __atomic_load_n(&cache->nr_intact, __ATOMIC_RELAXED) &&
	       !__atomic_sub_fetch(&cache->nr_intact, 1, __ATOMIC_RELAXED);
}

int fake_cache_mincore(struct fake_kernel *kernel, void *start, size_t length,
		       unsigned char *resident)
{
	const struct window *window;
	uint64_t nr_pages = length / kernel->page_size;

	if (kernel->cache->options.mincore_error)
		return kernel->cache->options.mincore_error;
	if (is_broken(kernel->cache))
		return kernel->cache->broken_error;
	window = add_window(kernel, (uintptr_t)start, nr_pages);
	for (uint64_t page = 0; page < nr_pages; page++)
		resident[page] = content_of(window, page)->folio != NULL;
	return 0;
}

/* A page that was dropped is read again where the policy of the thread says. */
static void reread(struct fake_kernel *kernel, struct fake_folio *folio)
{
	uint64_t frame;

	if (folio->pinned || folio->nr_mapped > 2 * folio->nr_pages)
		return;
	kernel->cache->counts.nr_reread++;
	kernel->cache->counts.nr_lost += folio->dirty;
	frame = fake_frames_take(kernel, bound_node, folio->nr_pages);
	if (frame)
		fake_folio_move(kernel, folio, bound_node, frame);
}

static void map_neighbours(struct window *window, uint64_t page, uint64_t nr_around)
{
	uint64_t at = page / nr_around * nr_around;

	for (uint64_t end = at + nr_around; at < end && at < window->mapping.nr_pages;
	     at++)
		fake_pte_map(&window->mapping.ptes[at], content_of(window, at));
}

int fake_cache_touch(struct fake_kernel *kernel, const void *address)
{
	struct fake_cache *cache = kernel->cache;
	struct window *window =
		fake_need(find_window(kernel, (uint64_t)(uintptr_t)address));
	uint64_t page = ((uintptr_t)address - window->mapping.start) / kernel->page_size;
	struct fake_folio *folio = content_of(window, page)->folio;
	struct stat status;

	cache->counts.nr_touched++;
	if (!stat(window->file->path, &status) &&
	    (window->first + page) * kernel->page_size >= (uint64_t)status.st_size) {
		cache->counts.nr_behind++;
		return -EFAULT;
	}
	if (!folio) {
		cache->counts.nr_read++;
		return 0;
	}
	if (bound_node != MIG_NO_NODE)
		reread(kernel, folio);
	map_neighbours(window, page,
		       cache->options.no_fault_around ? 1 : FAULT_AROUND_PAGES);
	return 0;
}

int fake_cache_cachestat(struct fake_kernel *kernel, int fd, const uint64_t range[2],
			 uint64_t counts[5])
{
	const struct fake_file *file;
	uint64_t first = range[0] / kernel->page_size;
	uint64_t end = (range[0] + range[1]) / kernel->page_size;
	struct stat status;

	kernel->cache->counts.nr_counted++;
	if (kernel->cache->options.count_error)
		return kernel->cache->options.count_error;
	must(!fstat(fd, &status), "fstat");
	file = fake_need(find_file(kernel->cache, status.st_ino));
	memset(counts, 0, 5 * sizeof(*counts));
	for (uint64_t page = first; page < end && page < file->content.nr_pages; page++) {
		const struct fake_folio *folio = file->content.ptes[page].folio;

		counts[0] += folio != NULL;
		counts[1] += folio && folio->dirty;
		counts[2] += folio && folio->writeback;
	}
	return 0;
}

long fake_cache_set_mempolicy(struct fake_kernel *kernel, int mode,
			      const unsigned long *mask)
{
	if (mode == MPOL_BIND) {
		bound_node = __builtin_ctzl(*mask);
		kernel->cache->counts.nr_policies++;
	} else {
		bound_node = MIG_NO_NODE;
		kernel->cache->counts.nr_resets++;
	}
	return 0;
}
