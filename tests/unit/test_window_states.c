/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What flags of frames say of a window's pages. Both tables are made up. */
#include "window_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define PAGE 4096U
#define START UINT64_C(0x7000000000)
#define NR_PAGES 2048
#define FIRST_FRAME 0x100000
/* Others' frames, which stand before those. */
#define NR_BEFORE 512

enum { PAGEMAP_FD = 100, FLAGS_FD };

static struct {
	uint64_t entries[NR_PAGES];
	uint64_t flags[NR_PAGES]; /**< from FIRST_FRAME on */
	int pagemap_error, flags_error, count_error;
	uint64_t nr_dirty; /**< of cachestat(2) */
	uint64_t range[2];
} machine;

static ssize_t read_table(const uint64_t *table, uint64_t first, void *buffer,
			  size_t length)
{
	size_t nr = length / sizeof(*table);

	if (first + nr > NR_PAGES)
		return -EFAULT;
	memcpy(buffer, table + first, nr * sizeof(*table));
	return (ssize_t)(nr * sizeof(*table));
}

static ssize_t read_flags(uint64_t first, uint64_t *flags, size_t length)
{
	size_t nr = length / sizeof(*flags);

	if (machine.flags_error)
		return machine.flags_error;
	for (size_t i = 0; i < nr; i++) {
		uint64_t frame = first + i - (FIRST_FRAME - NR_BEFORE);

		assert_true(frame < NR_BEFORE + NR_PAGES);
		flags[i] = frame < NR_BEFORE ? MIG_FLAG_DIRTY
					     : machine.flags[frame - NR_BEFORE];
	}
	return (ssize_t)length;
}

static ssize_t fake_pread(int fd, void *buffer, size_t length, off_t offset)
{
	uint64_t index = (uint64_t)offset / sizeof(uint64_t);

	if (fd == PAGEMAP_FD)
		return machine.pagemap_error
			       ? machine.pagemap_error
			       : read_table(machine.entries, index - START / PAGE, buffer,
					    length);
	assert_int_equal(fd, FLAGS_FD);
	return read_flags(index, buffer, length);
}

static int fake_cachestat(int fd, const uint64_t range[2], uint64_t counts[5])
{
	assert_int_equal(fd, 3);
	memcpy(machine.range, range, sizeof(machine.range));
	memset(counts, 0, 5 * sizeof(*counts));
	counts[1] = machine.nr_dirty;
	return machine.count_error;
}

static const struct mig_calls calls = { .pread = fake_pread,
					.cachestat = fake_cachestat };
static const struct mig_context context = { .page_size = PAGE,
					    .page_shift = 12,
					    .calls = &calls };
static struct mig_backing backing = { .counts = true };
static struct mig_file file = { .context = &context, .backing = &backing, .fd = 3 };
static const struct mig_window window = {
	.file = &file,
	.offset = 40 * PAGE,
	.start = (char *)START, /* NOLINT: nothing is there */
	.length = NR_PAGES * PAGE,
};
static struct mig_pagemap pagemap = { .context = &context,
				      .fd = PAGEMAP_FD,
				      .flags_fd = FLAGS_FD,
				      .count_fd = -1,
				      .has_frames = true };

static int set_up(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	backing.counts = true;
	return 0;
}

static void map(uint64_t page, uint64_t frame, uint64_t flags)
{
	machine.entries[page] = MIG_PAGEMAP_PRESENT | (FIRST_FRAME + frame);
	machine.flags[frame] = flags;
}

static struct mig_window_states count(void)
{
	struct mig_window_scratch scratch;
	struct mig_window_states states = { 0 };

	assert_int_equal(mig_window_scratch_init(&scratch), 0);
	mig_window_count_states(&window, &pagemap, &scratch, &states);
	mig_window_scratch_done(&scratch);
	return states;
}

static void states_are_counted_wherever_the_frames_are(void **state)
{
	struct mig_window_states states;

	(void)state;
	map(0, 9, MIG_FLAG_DIRTY);
	map(1, 10, MIG_FLAG_WRITEBACK);
	map(2, 3, MIG_FLAG_DIRTY | MIG_FLAG_WRITEBACK);
	map(700, 4, 0);
	map(NR_PAGES - 1, NR_PAGES - 1, MIG_FLAG_DIRTY);
	/* Nobody's page that is dirty, and one that is swapped out. */
	machine.flags[11] = MIG_FLAG_DIRTY;
	machine.entries[5] = MIG_PAGEMAP_SWAPPED | (FIRST_FRAME + 11);
	states = count();
	assert_int_equal(states.dirty_pages, 3);
	assert_int_equal(states.writeback_pages, 2);
	assert_int_equal(states.large_pages, 0);
}

static void a_long_run_of_frames_is_counted_whole(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < NR_PAGES; i++)
		map(i, i, i % 2 ? MIG_FLAG_DIRTY : 0);
	assert_int_equal(count().dirty_pages, NR_PAGES / 2);
}

/* Linux 6.1 has the flags of a folio in its head alone. */
static void tails_are_what_their_head_is(void **state)
{
	struct mig_window_states states;

	(void)state;
	for (uint64_t i = 0; i < 1024; i++)
		map(100 + i, i, MIG_FLAG_TAIL);
	machine.flags[0] = MIG_FLAG_HEAD | MIG_FLAG_DIRTY;
	machine.flags[16] = MIG_FLAG_HEAD;
	machine.flags[1000] = 0;
	machine.flags[1001] = MIG_FLAG_HEAD | MIG_FLAG_WRITEBACK;
	states = count();
	assert_int_equal(states.dirty_pages, 16);
	assert_int_equal(states.writeback_pages, 23);
	assert_int_equal(states.large_pages, 1023);
}

static void what_cannot_be_read_is_not_counted(void **state)
{
	(void)state;
	map(0, 0, MIG_FLAG_DIRTY);
	machine.flags_error = -EIO;
	assert_int_equal(count().dirty_pages, 0);
	machine.flags_error = 0;
	machine.pagemap_error = -EIO;
	assert_int_equal(count().dirty_pages, 0);
}

static enum mig_is_dirty is_dirty(uint64_t page)
{
	return mig_window_is_dirty(&window, &pagemap, START + page * PAGE);
}

static void a_page_is_dirty_as_its_frame_says(void **state)
{
	(void)state;
	map(0, 1, MIG_FLAG_DIRTY);
	map(1, 2, MIG_FLAG_WRITEBACK);
	machine.nr_dirty = 1;
	assert_int_equal(is_dirty(0), MIG_IS_DIRTY);
	assert_int_equal(is_dirty(1), MIG_IS_CLEAN);
}

static void a_tail_is_dirty_as_its_head_is(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 512; i++)
		map(i, i, MIG_FLAG_TAIL);
	machine.flags[0] = MIG_FLAG_HEAD | MIG_FLAG_DIRTY;
	assert_int_equal(is_dirty(0), MIG_IS_DIRTY);
	assert_int_equal(is_dirty(1), MIG_IS_DIRTY);
	assert_int_equal(is_dirty(511), MIG_IS_DIRTY);
	machine.flags[0] = MIG_FLAG_HEAD;
	assert_int_equal(is_dirty(511), MIG_IS_CLEAN);
}

static void without_frames_the_kernel_counts_that_page(void **state)
{
	(void)state;
	machine.entries[7] = MIG_PAGEMAP_PRESENT;
	assert_int_equal(is_dirty(7), MIG_IS_CLEAN);
	assert_int_equal(machine.range[0], 47 * PAGE);
	assert_int_equal(machine.range[1], PAGE);
	machine.nr_dirty = 1;
	assert_int_equal(is_dirty(7), MIG_IS_DIRTY);
}

static void flags_that_cannot_be_read_are_counted_instead(void **state)
{
	(void)state;
	map(0, 1, 0);
	machine.flags_error = -EACCES;
	machine.nr_dirty = 1;
	assert_int_equal(is_dirty(0), MIG_IS_DIRTY);
}

static void where_nobody_tells_it_may_be_dirty(void **state)
{
	static const int errors[] = { -ENOSYS, -EOPNOTSUPP, -EBADF, -EPERM };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		machine.count_error = errors[i];
		backing.counts = true;
		assert_int_equal(is_dirty(0), MIG_MAY_BE_DIRTY);
	}
	machine.count_error = 0;
	backing.counts = false;
	assert_int_equal(is_dirty(0), MIG_MAY_BE_DIRTY);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(states_are_counted_wherever_the_frames_are),
		TEST(a_long_run_of_frames_is_counted_whole),
		TEST(tails_are_what_their_head_is),
		TEST(what_cannot_be_read_is_not_counted),
		TEST(a_page_is_dirty_as_its_frame_says),
		TEST(a_tail_is_dirty_as_its_head_is),
		TEST(without_frames_the_kernel_counts_that_page),
		TEST(flags_that_cannot_be_read_are_counted_instead),
		TEST(where_nobody_tells_it_may_be_dirty),
	};

	return cmocka_run_group_tests_name("window_states", tests, NULL, NULL);
}
