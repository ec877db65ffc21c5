// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle for files. It maps a file so that its accesses count for nothing, touches
 * what mincore(2) finds, and reads its own page table and the flags of the frames.
 */
#include "lab_files.h"
#include "lab_world.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PM_PRESENT (UINT64_C(1) << 63)
#define PM_FRAME ((UINT64_C(1) << 55) - 1)

/* Of a folio, tails are behind its head. */
#define LARGEST_FOLIO (UINT64_C(1) << 18)

#define assert_pages(what, reported, seen)                                           \
	do {                                                                         \
		if ((uint64_t)(reported) != (uint64_t)(seen))                        \
			fail_msg("%s: %" PRIu64 " pages reported, %" PRIu64 " seen", \
				 what, (uint64_t)(reported), (uint64_t)(seen));      \
	} while (0)

/* A file while it is looked at. */
struct look {
	struct oracle_frames *frames;
	int pagemap_fd;
	volatile char *start;
	unsigned char *resident;
	struct lab_file_view *view;
};

static uint64_t read_flags(const struct oracle_frames *frames, uint64_t frame)
{
	uint64_t flags, nr_mappings;

	if (oracle_frames_read(frames, frame, 1, &flags, &nr_mappings))
		fail_msg("the flags of frame %" PRIu64 " cannot be read", frame);
	return flags;
}

/* Some kernels keep a folio's flags in its head alone. */
static uint64_t folio_flags(const struct oracle_frames *frames, uint64_t frame)
{
	uint64_t flags = read_flags(frames, frame), head = flags;

	for (uint64_t i = 1; head & KPF_COMPOUND_TAIL && i < LARGEST_FOLIO; i++)
		head = read_flags(frames, frame - i);
	return flags | (head & ~KPF_COMPOUND_HEAD);
}

static void note_page(struct look *look, uint64_t index, uint64_t entry)
{
	struct lab_file_page *page = &look->view->pages[index];
	struct lab_file_view *view = look->view;

	page->frame = entry & PM_FRAME;
	page->flags = folio_flags(look->frames, page->frame);
	page->node = oracle_frames_node(look->frames, page->frame);
	assert_in_range(page->node, 0, ORACLE_MAX_NODES - 1);
	view->node_pages[page->node]++;
	view->nr_cached++;
	view->nr_dirty += (page->flags & KPF_DIRTY) != 0;
	view->nr_writeback += (page->flags & KPF_WRITEBACK) != 0;
	view->nr_large += (page->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL)) != 0;
}

/* While it is moved it is nowhere: a touch waits for that, and it may begin again. */
static uint64_t map_in(const struct look *look, uint64_t index)
{
	uint64_t address = (uintptr_t)look->start + index * PAGE_BYTES, entry;

	for (int i = 0; i < 100; i++) {
		(void)*(look->start + index * PAGE_BYTES);
		if (pread(look->pagemap_fd, &entry, sizeof(entry),
			  (off_t)(address / PAGE_BYTES * sizeof(entry))) !=
		    (ssize_t)sizeof(entry))
			fail_msg("no entry of the own page table");
		if (entry & PM_PRESENT)
			return entry;
	}
	fail_msg("page %" PRIu64 " is cached and cannot be mapped", index);
	return 0;
}

static void note_pages(struct look *look)
{
	for (uint64_t i = 0; i < look->view->nr_pages; i++) {
		look->view->pages[i].node = -1;
		if (look->resident[i] & 1)
			note_page(look, i, map_in(look, i));
	}
}

/* No read-ahead, no huge page, and no access that would count. */
static void look_at_mapping(struct look *look, int fd, uint64_t offset)
{
	size_t bytes = (size_t)(look->view->nr_pages * PAGE_BYTES);
	char *start;

	start = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd,
		     (off_t)offset);
	if (start == MAP_FAILED)
		fail_msg("the file cannot be mapped: %s", strerror(errno));
	madvise(start, bytes, MADV_NOHUGEPAGE);
	assert_int_equal(madvise(start, bytes, MADV_RANDOM), 0);
	assert_int_equal(mincore(start, bytes, look->resident), 0);
	look->start = start;
	note_pages(look);
	assert_int_equal(madvise(start, bytes, MADV_SEQUENTIAL), 0);
	munmap(start, bytes);
}

static int open_quietly(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOATIME | O_CLOEXEC);

	if (fd < 0)
		fail_msg("cannot open '%s': %s", path, strerror(errno));
	return fd;
}

const struct lab_file_view *lab_look_at_part(struct lab *lab, const char *path,
					     uint64_t offset, uint64_t bytes)
{
	uint64_t nr = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
	struct look look = { .pagemap_fd =
				     open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC) };
	int fd = open_quietly(path);

	look.view = calloc(1, sizeof(*look.view) + nr * sizeof(look.view->pages[0]));
	look.resident = malloc(nr + 1);
	assert_non_null(look.view);
	assert_non_null(look.resident);
	look.view->nr_pages = nr;
	look.view->next = lab->file_views;
	lab->file_views = look.view;
	assert_int_equal(oracle_frames_open(&look.frames), 0);
	if (nr)
		look_at_mapping(&look, fd, offset);
	oracle_frames_close(look.frames);
	free(look.resident);
	close(look.pagemap_fd);
	close(fd);
	return look.view;
}

const struct lab_file_view *lab_look_at_file(struct lab *lab, const char *path)
{
	struct stat status;

	if (stat(path, &status))
		fail_msg("no '%s': %s", path, strerror(errno));
	return lab_look_at_part(lab, path, 0, (uint64_t)status.st_size);
}

void lab_forget_files(struct lab *lab)
{
	struct lab_file_view *view;

	while ((view = lab->file_views)) {
		lab->file_views = view->next;
		free(view);
	}
}

/* ----------------------------------------------------------------- assertions */

void lab_assert_flags_same(const struct lab_file_view *before, uint64_t flags)
{
	struct oracle_frames *frames;

	assert_int_equal(oracle_frames_open(&frames), 0);
	for (uint64_t i = 0; i < before->nr_pages; i++) {
		const struct lab_file_page *page = &before->pages[i];
		uint64_t now;

		if (page->node < 0)
			continue;
		now = folio_flags(frames, page->frame);
		if ((now & flags) != (page->flags & flags))
			fail_msg("page %" PRIu64 " had the flags %#" PRIx64
				 " and has %#" PRIx64,
				 i, page->flags & flags, now & flags);
	}
	oracle_frames_close(frames);
}

void lab_assert_dirty_same(const struct lab_file_view *before,
			   const struct lab_file_view *after)
{
	assert_int_equal(before->nr_pages, after->nr_pages);
	for (uint64_t i = 0; i < before->nr_pages; i++) {
		if ((before->pages[i].flags ^ after->pages[i].flags) & KPF_DIRTY)
			fail_msg("page %" PRIu64 " became %s", i,
				 after->pages[i].flags & KPF_DIRTY ? "dirty" : "clean");
	}
}

static void assert_residency(const char *when, const uint64_t bytes[REPORT_MAX_NODES],
			     const struct lab_file_view *view)
{
	char what[64];

	for (int node = 0; node < ORACLE_MAX_NODES; node++) {
		snprintf(what, sizeof(what), "on node %d %s", node, when);
		assert_pages(what, bytes[node] / PAGE_BYTES, view->node_pages[node]);
	}
}

static void assert_pairs(const struct report *report,
			 uint64_t moved[ORACLE_MAX_NODES][ORACLE_MAX_NODES])
{
	char what[64];

	for (int from = 0; from < ORACLE_MAX_NODES; from++) {
		for (int to = 0; to < ORACLE_MAX_NODES; to++) {
			snprintf(what, sizeof(what), "moved from %d to %d", from, to);
			assert_pages(what, report->pairs[from][to], moved[from][to]);
		}
	}
}

void lab_assert_file_accounting(const struct report *report,
				const struct lab_file_view *before,
				const struct lab_file_view *after)
{
	uint64_t moved[ORACLE_MAX_NODES][ORACLE_MAX_NODES] = { { 0 } };
	uint64_t nr_moved = 0, nr_stayed = 0;

	assert_int_equal(before->nr_pages, after->nr_pages);
	for (uint64_t i = 0; i < before->nr_pages; i++) {
		int from = before->pages[i].node, to = after->pages[i].node;

		if ((from < 0) != (to < 0))
			fail_msg("page %" PRIu64 " is %s", i, to < 0 ? "gone" : "new");
		if (from < 0)
			continue;
		moved[from][to] += from != to;
		nr_moved += from != to;
		nr_stayed += from == to;
	}
	assert_pages("considered", report->considered.pages, before->nr_cached);
	assert_pages("gone", report->gone.pages, 0);
	assert_pages("moved", report->moved.pages, nr_moved);
	assert_pages("stayed",
		     report->already.pages + report_skipped(report, NULL) +
			     report_left(report, NULL),
		     nr_stayed);
	assert_pairs(report, moved);
	assert_true(report->has_after);
	assert_residency("before", report->before_bytes, before);
	assert_residency("after", report->after_bytes, after);
	assert_int_equal(report->files, before->nr_cached ? 1 : 0);
	assert_int_equal(report->files_gone + report->files_denied, 0);
}

void lab_assert_file_on(struct lab *lab, const char *path, int node, uint64_t nr_pages)
{
	const struct lab_file_view *view = lab_look_at_file(lab, path);

	assert_pages("cached", nr_pages, view->nr_cached);
	assert_pages("on the node", nr_pages, view->node_pages[node]);
}

const struct report *lab_assert_file_moves(struct lab *lab, const struct lab_disk *disk,
					   const char *path, const char *format, ...)
{
	const struct lab_file_view *before = lab_look_at_file(lab, path), *after;
	struct lab_io io = lab_disk_io(disk);
	char options[256];
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	vsnprintf(options, sizeof(options), format, arguments);
	va_end(arguments);
	run = lab_move_file(lab, "%s %s", options, path);
	lab_assert_no_io(disk, &io);
	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look_at_file(lab, path);
	lab_assert_file_accounting(run->report, before, after);
	lab_assert_dirty_same(before, after);
	assert_pages("left", report_left(run->report, NULL), 0);
	return run->report;
}
