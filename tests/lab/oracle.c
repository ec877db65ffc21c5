// SPDX-License-Identifier: GPL-2.0-or-later
#include "oracle.h"
#include "oracle_frames.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bits of /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_SWAP (UINT64_C(1) << 62)
#define PM_FILE (UINT64_C(1) << 61)
#define PM_FRAME ((UINT64_C(1) << 55) - 1)

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))
#define LARGEST_MAPPING (UINT64_C(16) << 30)
#define CHUNK 4096

/* A process while it is looked at. */
struct look {
	struct oracle_view *view;
	const struct oracle_frames *frames;
	pid_t pid;
	int pagemap_fd;
};

static int append_page(struct oracle_view *view, const struct oracle_page *page)
{
	size_t allocated = view->nr_allocated ? view->nr_allocated * 2 : 8192;
	struct oracle_page *pages;

	if (view->nr_pages == view->nr_allocated) {
		pages = reallocarray(view->pages, allocated, sizeof(*pages));
		if (!pages)
			return -ENOMEM;
		view->pages = pages;
		view->nr_allocated = allocated;
	}
	view->pages[view->nr_pages++] = *page;
	return 0;
}

static unsigned int flags_of(uint64_t entry, uint64_t kpf, uint64_t nr_mappings)
{
	unsigned int flags = 0;

	if (entry & PM_FILE)
		flags |= ORACLE_FILE;
	if (nr_mappings > 1)
		flags |= ORACLE_SHARED;
	if (kpf & KPF_THP)
		flags |= ORACLE_THP;
	if (kpf & KPF_HUGE)
		flags |= ORACLE_HUGETLB;
	if (kpf & KPF_DIRTY)
		flags |= ORACLE_DIRTY;
	if (kpf & KPF_COMPOUND_HEAD)
		flags |= ORACLE_HEAD;
	return flags;
}

/* Pages with consecutive addresses and frames, for which one read each is enough. */
static int add_run(struct look *look, uint64_t address, const uint64_t *entries,
		   size_t nr)
{
	uint64_t kpf[CHUNK], nr_mappings[CHUNK], first = entries[0] & PM_FRAME;
	int err = oracle_frames_read(look->frames, first, nr, kpf, nr_mappings);

	for (size_t i = 0; i < nr && !err; i++) {
		struct oracle_page page = {
			.pid = look->pid,
			.node = oracle_frames_node(look->frames, first + i),
			.flags = flags_of(entries[i], kpf[i], nr_mappings[i]),
			.address = address + i * PAGE,
			.frame = first + i,
		};

		if (kpf[i] & KPF_ZERO_PAGE)
			look->view->nr_zero++;
		else
			err = page.node < 0 ? -ENXIO : append_page(look->view, &page);
	}
	return err;
}

static size_t run_length(const uint64_t *entries, size_t nr)
{
	size_t i = 1;

	while (i < nr && entries[i] & PM_PRESENT &&
	       (entries[i] & PM_FRAME) == (entries[0] & PM_FRAME) + i)
		i++;
	return i;
}

static int add_entries(struct look *look, uint64_t address, const uint64_t *entries,
		       size_t nr)
{
	size_t length;
	int err = 0;

	for (size_t i = 0; i < nr && !err; i += length) {
		length = 1;
		if (entries[i] & PM_SWAP)
			look->view->nr_swapped++;
		if (!(entries[i] & PM_PRESENT))
			continue;
		length = run_length(entries + i, nr - i);
		err = add_run(look, address + i * PAGE, entries + i, length);
	}
	return err;
}

static int add_range(struct look *look, uint64_t start, uint64_t end)
{
	uint64_t entries[CHUNK];
	ssize_t got;
	size_t nr;
	int err = 0;

	for (uint64_t at = start; at < end && !err; at += nr * PAGE) {
		nr = (end - at) / PAGE < CHUNK ? (end - at) / PAGE : CHUNK;
		got = pread(look->pagemap_fd, entries, nr * sizeof(*entries),
			    (off_t)(at / PAGE * sizeof(*entries)));
		if (got <= 0)
			return got ? -errno : -ESRCH;
		nr = (size_t)got / sizeof(*entries);
		err = add_entries(look, at, entries, nr);
	}
	return err;
}

static int open_of(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int begin_look(struct look *look, struct oracle_view *view, pid_t pid,
		      struct oracle_frames **ret_frames)
{
	int err = oracle_frames_open(ret_frames);

	if (err)
		return err;
	*look = (struct look){ .view = view, .frames = *ret_frames, .pid = pid };
	look->pagemap_fd = open_of(pid, "pagemap");
	if (look->pagemap_fd < 0) {
		oracle_frames_close(*ret_frames);
		return look->pagemap_fd;
	}
	return 0;
}

static void end_look(struct look *look, struct oracle_frames *frames)
{
	close(look->pagemap_fd);
	oracle_frames_close(frames);
}

static bool is_kernels_own(const char *line)
{
	return strstr(line, "[vdso]") || strstr(line, "[vvar") ||
	       strstr(line, "[vsyscall]");
}

int oracle_look(struct oracle_view *view, pid_t pid)
{
	struct oracle_frames *frames;
	uint64_t start, end;
	struct look look;
	char line[4400];
	FILE *maps;
	int err, fd;

	err = begin_look(&look, view, pid, &frames);
	if (err)
		return err;
	fd = open_of(pid, "maps");
	err = fd < 0 ? fd : 0;
	maps = fd < 0 ? NULL : fdopen(fd, "r");
	while (!err && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			err = -EBADMSG;
		else if (!is_kernels_own(line) && end - start <= LARGEST_MAPPING)
			err = add_range(&look, start, end);
	}
	if (maps)
		fclose(maps);
	end_look(&look, frames);
	return err;
}

int oracle_look_at(struct oracle_view *view, pid_t pid, uint64_t start, uint64_t end,
		   uint64_t step)
{
	struct oracle_frames *frames;
	struct look look;
	int err;

	err = begin_look(&look, view, pid, &frames);
	if (err)
		return err;
	for (uint64_t at = start; at < end && !err; at += step)
		err = add_range(&look, at, at + PAGE);
	end_look(&look, frames);
	return err;
}

void oracle_forget(struct oracle_view *view)
{
	free(view->pages);
	*view = (struct oracle_view){ 0 };
}

static bool is_in(const struct oracle_page *page, int node, uint64_t start, uint64_t end)
{
	return (node < 0 || page->node == node) && page->address >= start &&
	       page->address < end;
}

size_t oracle_count(const struct oracle_view *view, int node, uint64_t start,
		    uint64_t end)
{
	size_t nr = 0;

	for (size_t i = 0; i < view->nr_pages; i++)
		nr += is_in(&view->pages[i], node, start, end);
	return nr;
}

size_t oracle_count_flag(const struct oracle_view *view, enum oracle_flag flag, int node,
			 uint64_t start, uint64_t end)
{
	size_t nr = 0;

	for (size_t i = 0; i < view->nr_pages; i++) {
		const struct oracle_page *page = &view->pages[i];

		nr += is_in(page, node, start, end) && page->flags & (unsigned int)flag;
	}
	return nr;
}

static int by_process_and_address(const void *a, const void *b)
{
	const struct oracle_page *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static const struct oracle_page *find_page(const struct oracle_view *view,
					   const struct oracle_page *page)
{
	return bsearch(page, view->pages, view->nr_pages, sizeof(*page),
		       by_process_and_address);
}

static int by_frame(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static size_t count_different(uint64_t *frames, size_t nr)
{
	size_t nr_different = 0;

	qsort(frames, nr, sizeof(*frames), by_frame);
	for (size_t i = 0; i < nr; i++)
		nr_different += !i || frames[i] != frames[i - 1];
	return nr_different;
}

void oracle_compare(const struct oracle_view *before, const struct oracle_view *after,
		    struct oracle_change *ret_change)
{
	uint64_t *moved_frames = calloc(before->nr_pages + 1, sizeof(*moved_frames));
	const struct oracle_page *was, *is;

	if (!moved_frames)
		abort();
	/* What was added process by process need not be in the order of pids. */
	qsort(after->pages, after->nr_pages, sizeof(*after->pages),
	      by_process_and_address);
	*ret_change = (struct oracle_change){ 0 };
	for (size_t i = 0; i < before->nr_pages; i++) {
		was = &before->pages[i];
		is = find_page(after, was);
		if (!is) {
			ret_change->nr_gone++;
		} else if (is->node == was->node) {
			ret_change->stayed[was->node]++;
			ret_change->nr_stayed++;
		} else {
			ret_change->moved[was->node][is->node]++;
			moved_frames[ret_change->nr_moved++] = was->frame;
		}
	}
	ret_change->nr_new = after->nr_pages - (before->nr_pages - ret_change->nr_gone);
	ret_change->nr_moved_frames = count_different(moved_frames, ret_change->nr_moved);
	free(moved_frames);
}

/* ------------------------------------------------------------- other witnesses */

static size_t page_size_of_line(const char *line)
{
	const char *at = strstr(line, "kernelpagesize_kB=");

	return at ? strtoul(at + strlen("kernelpagesize_kB="), NULL, 10) * 1024 : PAGE;
}

/* numa_maps does not name the kernel's own mappings, and 7.2 counts pages of [vvar]. */
static size_t find_kernels_own(pid_t pid, uint64_t *starts, size_t max)
{
	int fd = open_of(pid, "maps");
	FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
	char line[4400];
	size_t nr = 0;

	while (maps && nr < max && fgets(line, sizeof(line), maps)) {
		if (is_kernels_own(line))
			starts[nr++] = strtoull(line, NULL, 16);
	}
	if (maps)
		fclose(maps);
	return nr;
}

static bool is_among(uint64_t start, const uint64_t *starts, size_t nr)
{
	while (nr && starts[nr - 1] != start)
		nr--;
	return nr > 0;
}

int oracle_read_numa_maps(pid_t pid, size_t ret_pages[ORACLE_MAX_NODES])
{
	int fd = open_of(pid, "numa_maps");
	uint64_t kernels_own[8];
	size_t nr_kernels_own = find_kernels_own(pid, kernels_own, 8);
	size_t size = 0, factor;
	char *line = NULL;
	FILE *stream;
	uint64_t nr;
	int node;

	if (fd < 0)
		return fd;
	stream = fdopen(fd, "r");
	memset(ret_pages, 0, ORACLE_MAX_NODES * sizeof(*ret_pages));
	while (getline(&line, &size, stream) > 0) {
		if (is_among(strtoull(line, NULL, 16), kernels_own, nr_kernels_own))
			continue;
		factor = page_size_of_line(line) / PAGE;
		for (char *rest = line, *word; (word = strsep(&rest, " \n"));) {
			if (sscanf(word, "N%d=%" SCNu64, &node, &nr) == 2 &&
			    node < ORACLE_MAX_NODES)
				ret_pages[node] += nr * factor;
		}
	}
	free(line);
	fclose(stream);
	return 0;
}

uint64_t oracle_vmstat(const char *name)
{
	FILE *stream = fopen("/proc/vmstat", "re");
	uint64_t value, found = 0;
	char word[128];

	while (stream && fscanf(stream, "%127s %" SCNu64, word, &value) == 2) {
		if (!strcmp(word, name))
			found = value;
	}
	if (stream)
		fclose(stream);
	return found;
}
