/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Windows on real files, under the real kernel. What is written to a file with holes is
 * what is cached of it: the holes were never read.
 */
#include "pagecache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "live_files.h"

/* What the calls have seen and what they are to say. */
static struct {
	struct mig_calls calls;
	unsigned int nr_mincore;
	unsigned int bad_mincore; /**< the call that fails; 0: none */
	int mincore_error;
	unsigned int nr_touched;
	unsigned int nr_behind; /**< of them, those that were refused */
	int pread_error;
	/* after mincore() */
	struct live_files *cuts;
	/* pages that may be touched, from @start on */
	const char *start;
	unsigned char resident[MIG_FILE_PART / 4096];
	unsigned int nr_wrong;
} spy;

static size_t page_size;

static int spy_mincore(void *start, size_t length, unsigned char *resident)
{
	int r;

	if (++spy.nr_mincore == spy.bad_mincore)
		return spy.mincore_error;
	r = mig_calls_kernel.mincore(start, length, resident);
	spy.start = start;
	memcpy(spy.resident, resident, length / page_size);
	if (spy.cuts)
		live_files_resize(spy.cuts, "file", 3 * page_size);
	return r;
}

static int spy_touch(const void *address)
{
	size_t page = (size_t)((const char *)address - spy.start) / page_size;
	int r = mig_calls_kernel.touch(address);

	spy.nr_touched++;
	spy.nr_behind += r == -EFAULT;
	spy.nr_wrong += !(spy.resident[page] & 1);
	return r;
}

static ssize_t spy_pread(int fd, void *buffer, size_t length, off_t offset)
{
	return spy.pread_error ? spy.pread_error
			       : mig_calls_kernel.pread(fd, buffer, length, offset);
}

struct fixture {
	struct live_files *live;
	struct mig_self self;
	struct mig_window_scratch scratch;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *live;

	live_files_set_up(&live);
	f->live = live;
	page_size = f->live->context->page_size;
	memset(&spy, 0, sizeof(spy));
	spy.calls = mig_calls_kernel;
	spy.calls.mincore = spy_mincore;
	spy.calls.touch = spy_touch;
	spy.calls.pread = spy_pread;
	mig_context_set_calls(f->live->context, &spy.calls);
	assert_int_equal(mig_self_open(f->live->context, &f->self), 0);
	assert_int_equal(mig_window_scratch_init(&f->scratch), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *live = f->live;

	mig_window_scratch_done(&f->scratch);
	mig_self_close(&f->self);
	live_files_tear_down(&live);
	free(f);
	return 0;
}

static int open_window(struct fixture *f, struct mig_file *file,
		       struct mig_window *window, uint64_t *pages)
{
	return mig_window_open(window, file, 0, file->size_bytes, &f->self.pagemap,
			       &f->scratch, pages);
}

static bool is_present(const struct fixture *f, const struct mig_window *window,
		       uint64_t page)
{
	uint64_t entry;

	assert_int_equal(mig_pagemap_read(&f->self.pagemap,
					  (uintptr_t)window->start + page * page_size,
					  &entry, 1),
			 1);
	return entry & MIG_PAGEMAP_PRESENT;
}

static bool is_mapped(const struct live_files *live)
{
	FILE *stream = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[4352];

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		found |= strstr(line, live->root->path) != NULL;
	fclose(stream);
	return found;
}

static void only_what_is_cached_is_touched_and_mapped_in(void **state)
{
	static const uint64_t cached[] = { 0, 5, 6, 40, 300, 301, 1022 };
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	uint64_t pages = 0;
	struct mig_file *file;

	for (size_t i = 0; i < 7; i++)
		live_files_write_pages(f->live, "file", cached[i], 1);
	live_files_resize(f->live, "file", 1024 * page_size);
	file = live_files_open(f->live, "file");
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	assert_int_equal(pages, 7);
	for (uint64_t page = 0, i = 0; page < 1024; page++) {
		bool expected = i < 7 && cached[i] == page;

		assert_int_equal(is_present(f, &window, page), expected);
		i += expected;
	}
	assert_int_equal(spy.nr_wrong, 0);
	assert_true(spy.nr_touched >= 1 && spy.nr_touched <= 7);
	mig_window_close(&window);
	/* Looking has read nothing in. */
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	assert_int_equal(pages, 7);
	mig_window_close(&window);
	mig_file_put(file);
}

static void neighbours_come_with_one_touch(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	uint64_t pages = 0;
	struct mig_file *file;

	live_files_write_pages(f->live, "file", 0, 512);
	file = live_files_open(f->live, "file");
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	assert_int_equal(pages, 512);
	for (uint64_t page = 0; page < 512; page++)
		assert_true(is_present(f, &window, page));
	assert_true(spy.nr_touched < 512);
	mig_window_close(&window);
	mig_file_put(file);
}

static void a_file_without_cached_pages_is_not_touched(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	uint64_t pages = 9;
	struct mig_file *file;

	fake_root_write(f->live->root, "file", "");
	live_files_resize(f->live, "file", 100 * page_size);
	file = live_files_open(f->live, "file");
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	assert_int_equal(pages, 0);
	assert_int_equal(spy.nr_touched, 0);
	mig_window_close(&window);
	mig_file_put(file);
}

static void a_file_that_is_cut_off_meanwhile_is_no_danger(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	uint64_t pages = 0;
	struct mig_file *file;

	live_files_write_pages(f->live, "file", 0, 200);
	file = live_files_open(f->live, "file");
	spy.cuts = f->live;
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	assert_true(spy.nr_behind > 0);
	assert_true(is_present(f, &window, 0));
	assert_true(is_present(f, &window, 2));
	assert_false(is_present(f, &window, 3));
	assert_false(is_present(f, &window, 199));
	/* The kernel's own word for it. */
	assert_int_equal(mig_calls_kernel.touch(window.start + 50 * page_size), -EFAULT);
	assert_int_equal(mig_calls_kernel.touch(window.start), 0);
	mig_window_close(&window);
	mig_file_put(file);
}

static void dirty_pages_stay_dirty_and_clean_ones_clean(void **state)
{
	struct fixture *f = *state;
	struct mig_cache_counts before, after;
	struct mig_window window = { 0 };
	struct mig_file *file;
	uint64_t pages;

	live_files_write_pages(f->live, "file", 0, 50);
	file = live_files_open(f->live, "file");
	if (mig_file_count(file, 0, file->size_bytes, &before) < 0) {
		mig_file_put(file);
		print_message("the kernel does not count cached pages\n");
		skip();
	}
	fsync(file->fd);
	live_files_write_pages(f->live, "file", 10, 5);
	assert_int_equal(mig_file_count(file, 0, file->size_bytes, &before), 0);
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	mig_window_close(&window);
	assert_int_equal(mig_file_count(file, 0, file->size_bytes, &after), 0);
	assert_int_equal(before.cached_pages, 50);
	assert_int_equal(after.cached_pages, 50);
	/* The kernel may have begun to write them by itself. */
	assert_true(after.dirty_pages <= before.dirty_pages);
	mig_file_put(file);
}

/* A page that reading ahead has marked would start the next stretch of it. */
static void reading_ahead_does_not_go_on(void **state)
{
	struct fixture *f = *state;
	struct mig_cache_counts before, after;
	struct mig_window window = { 0 };
	struct mig_file *file;
	uint64_t pages;
	char byte;

	live_files_write_pages(f->live, "file", 0, 4096);
	file = live_files_open(f->live, "file");
	fsync(file->fd);
	posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
	for (uint64_t page = 0; page < 40; page++)
		assert_int_equal(pread(file->fd, &byte, 1, (off_t)(page * page_size)), 1);
	if (mig_file_count(file, 0, file->size_bytes, &before) < 0 ||
	    before.cached_pages == 4096) {
		mig_file_put(file);
		print_message("needs a file system on a disk, and cachestat(2)\n");
		skip();
	}
	/* What is still being read is counted, and not resident yet. */
	for (int again = 0; again < 3; again++) {
		assert_int_equal(open_window(f, file, &window, &pages), 0);
		assert_true(pages >= 40 && pages <= before.cached_pages);
		mig_window_close(&window);
		usleep(20000);
	}
	assert_int_equal(mig_file_count(file, 0, file->size_bytes, &after), 0);
	assert_int_equal(after.cached_pages, before.cached_pages);
	mig_file_put(file);
}

/* As /proc/PID/smaps shows it: "rr" of MADV_RANDOM, "nh" of MADV_NOHUGEPAGE. */
static void nothing_is_read_ahead_and_no_huge_page_made_in_a_window(void **state)
{
	struct fixture *f = *state;
	FILE *stream = fopen("/proc/self/smaps", "re");
	struct mig_window window = { 0 };
	bool here = false, found = false;
	struct mig_file *file;
	char line[4352];
	uint64_t pages;

	assert_non_null(stream);
	/* No shorter one could have a huge page. */
	live_files_write_pages(f->live, "file", 0, 3);
	live_files_resize(f->live, "file", 2 << 20);
	file = live_files_open(f->live, "file");
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	while (fgets(line, sizeof(line), stream)) {
		here |= strstr(line, f->live->root->path) != NULL;
		if (!here || strncmp(line, "VmFlags:", 8))
			continue;
		found = true;
		assert_non_null(strstr(line, " rr"));
		/* Kernels without huge pages do not know of any. */
		if (!access("/sys/kernel/mm/transparent_hugepage", F_OK))
			assert_non_null(strstr(line, " nh"));
		break;
	}
	assert_true(found);
	fclose(stream);
	mig_window_close(&window);
	mig_file_put(file);
}

static void a_window_has_whole_pages_and_its_place_in_the_file(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	struct mig_span span;
	struct mig_file *file;
	uint64_t pages;

	live_files_write_pages(f->live, "file", 0, 20);
	live_files_resize(f->live, "file", 19 * page_size + 1);
	file = live_files_open(f->live, "file");
	assert_int_equal(mig_window_open(&window, file, 8 * page_size, file->size_bytes,
					 &f->self.pagemap, &f->scratch, &pages),
			 0);
	assert_int_equal(window.length, 12 * page_size);
	assert_int_equal(pages, 12);
	span = mig_window_get_span(&window);
	assert_int_equal(span.start, (uintptr_t)window.start);
	assert_int_equal(span.end - span.start, 12 * page_size);
	assert_int_equal(span.start - span.origin, 8 * page_size);
	assert_int_equal(span.kind, file->kind);
	assert_int_equal(span.only_node, MIG_NO_NODE);
	assert_int_equal(span.page_size_bytes, page_size);
	mig_window_close(&window);
	mig_file_put(file);
}

static void a_window_holds_its_file_and_is_gone_when_it_is_closed(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	struct mig_file *file;
	uint64_t pages;
	int fd;

	live_files_write_pages(f->live, "file", 0, 3);
	file = live_files_open(f->live, "file");
	fd = file->fd;
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	mig_file_put(file);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_true(is_mapped(f->live));
	mig_window_close(&window);
	assert_true(fcntl(fd, F_GETFD) < 0);
	assert_false(is_mapped(f->live));
	mig_window_close(&window);
}

/* ---- what fails ---- */

static void a_window_that_cannot_be_looked_at_leaves_nothing_behind(void **state)
{
	static const int errors[] = { -ENOMEM, -EAGAIN, -EFAULT, -ENOSYS, -EPERM };
	struct fixture *f = *state;
	struct mig_window window = { .offset = 77 };
	struct mig_file *file;
	uint64_t pages = 88;

	live_files_write_pages(f->live, "file", 0, 3);
	file = live_files_open(f->live, "file");
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		spy.bad_mincore = spy.nr_mincore + 1;
		spy.mincore_error = errors[i];
		assert_int_equal(open_window(f, file, &window, &pages), errors[i]);
	}
	assert_int_equal(window.offset, 77);
	assert_int_equal(pages, 88);
	assert_false(is_mapped(f->live));
	assert_int_equal(file->users, 1);
	mig_file_put(file);
}

static void what_cannot_be_mapped_is_an_error(void **state)
{
	struct fixture *f = *state;
	const struct mig_file_name name = {
		.path = (char[]){ "/sys/kernel/mm/transparent_hugepage/enabled" },
		.follow = true
	};
	struct mig_window window = { .offset = 77 };
	struct rlimit limit, none;
	struct mig_file *file = NULL;
	uint64_t pages = 88;
	int r;

	if (!mig_file_open(&f->live->files->backings, &name, &file)) {
		assert_int_equal(open_window(f, file, &window, &pages), -ENODEV);
		mig_file_put(file);
	}
	live_files_write_pages(f->live, "file", 0, 3);
	file = live_files_open(f->live, "file");
	getrlimit(RLIMIT_AS, &limit);
	none = limit;
	none.rlim_cur = 4096;
	setrlimit(RLIMIT_AS, &none);
	r = open_window(f, file, &window, &pages);
	setrlimit(RLIMIT_AS, &limit);
	assert_int_equal(r, -ENOMEM);
	assert_int_equal(window.offset, 77);
	assert_int_equal(pages, 88);
	assert_int_equal(file->users, 1);
	mig_file_put(file);
}

static void without_pagemap_pages_are_counted_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	struct mig_file *file;
	uint64_t pages = 0;

	live_files_write_pages(f->live, "file", 0, 30);
	file = live_files_open(f->live, "file");
	spy.pread_error = -EIO;
	assert_int_equal(open_window(f, file, &window, &pages), 0);
	assert_int_equal(pages, 30);
	mig_window_close(&window);
	mig_file_put(file);
}

static void one_that_is_not_there_has_no_memory_to_map_into(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, &mig_calls_kernel);
	struct mig_self self = { 0 };

	(void)state;
	assert_true(mig_self_open(context, &self) < 0);
	assert_null(self.process);
	mig_self_close(&self);
	mig_context_free(context);
	fake_root_free(root);
}

/* ---- one window after the other ---- */

struct visits {
	unsigned int nr;
	uint64_t offsets[4];
	uint64_t lengths[4];
	unsigned int end_at; /**< the visit that ends it; 0: none */
};

static int visit(void *data, struct mig_window *window)
{
	struct visits *visits = data;

	assert_true(visits->nr < 4);
	visits->offsets[visits->nr] = window->offset;
	visits->lengths[visits->nr++] = window->length;
	return visits->nr == visits->end_at ? 42 : 0;
}

static struct mig_file *open_large(struct fixture *f)
{
	uint64_t part_pages = MIG_FILE_PART / page_size;

	live_files_write_pages(f->live, "file", 7, 2);
	live_files_write_pages(f->live, "file", 2 * part_pages, 1);
	live_files_write_pages(f->live, "file", 5 * part_pages + 1, 1);
	live_files_resize(f->live, "file", 10 * MIG_FILE_PART);
	return live_files_open(f->live, "file");
}

static void windows_with_pages_are_visited_and_closed(void **state)
{
	struct fixture *f = *state;
	struct mig_file *file = open_large(f);

	/* With the kernel's counting, and without. */
	for (int counts = 0; counts < 2; counts++) {
		struct visits visits = { 0 };

		file->backing->counts = counts;
		assert_int_equal(
			mig_file_each_window(file, &f->self, &f->scratch, visit, &visits),
			0);
		assert_int_equal(visits.nr, 3);
		assert_int_equal(visits.offsets[1], 2 * MIG_FILE_PART);
		assert_int_equal(visits.offsets[2], 5 * MIG_FILE_PART);
		assert_int_equal(visits.lengths[2], MIG_FILE_PART);
		assert_false(is_mapped(f->live));
	}
	assert_int_equal(spy.nr_wrong, 0);
	mig_file_put(file);
}

static void a_visitor_ends_the_walk(void **state)
{
	struct fixture *f = *state;
	struct mig_file *file = open_large(f);
	struct visits visits = { .end_at = 2 };

	assert_int_equal(
		mig_file_each_window(file, &f->self, &f->scratch, visit, &visits), 42);
	assert_int_equal(visits.nr, 2);
	assert_false(is_mapped(f->live));
	mig_file_put(file);
}

static void an_error_ends_the_walk(void **state)
{
	struct fixture *f = *state;
	struct mig_file *file = open_large(f);
	struct visits visits = { 0 };

	spy.bad_mincore = 1;
	spy.mincore_error = -EAGAIN;
	assert_int_equal(
		mig_file_each_window(file, &f->self, &f->scratch, visit, &visits),
		-EAGAIN);
	assert_int_equal(visits.nr, 0);
	assert_false(is_mapped(f->live));
	mig_file_put(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(only_what_is_cached_is_touched_and_mapped_in),
		TEST(neighbours_come_with_one_touch),
		TEST(a_file_without_cached_pages_is_not_touched),
		TEST(a_file_that_is_cut_off_meanwhile_is_no_danger),
		TEST(dirty_pages_stay_dirty_and_clean_ones_clean),
		TEST(reading_ahead_does_not_go_on),
		TEST(nothing_is_read_ahead_and_no_huge_page_made_in_a_window),
		TEST(a_window_has_whole_pages_and_its_place_in_the_file),
		TEST(a_window_holds_its_file_and_is_gone_when_it_is_closed),
		TEST(a_window_that_cannot_be_looked_at_leaves_nothing_behind),
		TEST(what_cannot_be_mapped_is_an_error),
		TEST(without_pagemap_pages_are_counted_all_the_same),
		cmocka_unit_test(one_that_is_not_there_has_no_memory_to_map_into),
		TEST(windows_with_pages_are_visited_and_closed),
		TEST(a_visitor_ends_the_walk),
		TEST(an_error_ends_the_walk),
	};

	return cmocka_run_group_tests_name("pagecache", tests, NULL, NULL);
}
