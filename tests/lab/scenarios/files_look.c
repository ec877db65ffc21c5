// SPDX-License-Identifier: GPL-2.0-or-later
/* What show-file says is right, and what it looked at is as it was before. */
#include "lab_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (8 * MEBIBYTE)

/* Anything that could become visible of an access. */
#define VISIBLE (KPF_REFERENCED | KPF_DIRTY | KPF_ACTIVE | KPF_WRITEBACK)

static const struct lab_as somebody = { .uid = 1000 };

/* Clean, dirty and missing pages, on two nodes, some of them used often. */
static void make_motley_file(const char *path)
{
	lab_write_file(path, 0, 0, SIZE, 1);
	lab_drop_caches();
	lab_read_file(path, 0, 0, MEBIBYTE);
	lab_read_file(path, 1, 3 * MEBIBYTE, 2 * MEBIBYTE);
	lab_write_file(path, 2, 6 * MEBIBYTE, MEBIBYTE, 2);
	for (int i = 0; i < 3; i++)
		lab_read_file(path, 0, 3 * MEBIBYTE, MEBIBYTE);
	lab_settle_lru();
}

static void assert_file_is(const struct report_file *file,
			   const struct lab_file_view *view)
{
	for (int node = 0; node < ORACLE_MAX_NODES; node++)
		assert_int_equal(file->node_bytes[node],
				 view->node_pages[node] * PAGE_BYTES);
	assert_int_equal(file->cached_bytes, view->nr_cached * PAGE_BYTES);
	if (file->dirty_bytes != REPORT_UNKNOWN)
		assert_int_equal(file->dirty_bytes, view->nr_dirty * PAGE_BYTES);
	if (file->writeback_bytes != REPORT_UNKNOWN)
		assert_int_equal(file->writeback_bytes, view->nr_writeback * PAGE_BYTES);
	if (file->large_bytes != REPORT_UNKNOWN)
		assert_int_equal(file->large_bytes, view->nr_large * PAGE_BYTES);
}

static void assert_same_cached(const struct lab_file_view *before,
			       const struct lab_file_view *after)
{
	for (uint64_t i = 0; i < before->nr_pages; i++) {
		if (before->pages[i].node != after->pages[i].node ||
		    before->pages[i].frame != after->pages[i].frame)
			fail_msg("page %" PRIu64 " is another", i);
	}
}

static void assert_look_leaves_alone(struct lab *lab, const struct lab_disk *disk,
				     const char *path, const struct lab_as *as)
{
	const struct lab_file_view *before = lab_look_at_file(lab, path);
	struct lab_io io = lab_disk_io(disk);
	struct stat was, is;
	struct run *run;

	assert_int_equal(stat(path, &was), 0);
	for (int i = 0; i < 2; i++) {
		run = lab_show_file(lab, as, "%s", path);
		lab_assert_status(run, EXIT_IN_PLACE);
		assert_int_equal(run->nr_files, 1);
		assert_file_is(&run->files[0], before);
		assert_true(as || run->files[0].dirty_bytes != REPORT_UNKNOWN);
		assert_true(as || run->files[0].large_bytes != REPORT_UNKNOWN);
		lab_assert_flags_same(before, VISIBLE);
	}
	lab_assert_no_io(disk, &io);
	assert_same_cached(before, lab_look_at_file(lab, path));
	assert_int_equal(stat(path, &is), 0);
	assert_memory_equal(&was.st_atim, &is.st_atim, sizeof(is.st_atim));
}

static void look_on(struct lab *lab, const char *type, const char *options)
{
	struct lab_disk disk = lab_disk_with(lab, type, options);
	const char *path = lab_path(&disk, "file");

	make_motley_file(path);
	assert_look_leaves_alone(lab, &disk, path, NULL);
	assert_int_equal(chown(path, somebody.uid, somebody.uid), 0);
	assert_look_leaves_alone(lab, &disk, path, &somebody);
}

static void on_ext4_what_is_looked_at_stays_as_it_is(void **state)
{
	look_on(*state, "ext4",
		"commit=300,noinit_itable,no_prefetch_block_bitmaps,strictatime");
}

static void on_xfs_what_is_looked_at_stays_as_it_is(void **state)
{
	look_on(*state, "xfs", "strictatime");
}

/* Control: that flags and times would be seen to change. */
static void a_read_would_be_noticed(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk_with(
		lab, "ext4",
		"commit=300,noinit_itable,no_prefetch_block_bitmaps,strictatime");
	const char *path = lab_path(&disk, "file");
	const struct lab_file_view *before, *after;
	uint64_t nr_changed = 0;
	struct stat was, is;

	make_motley_file(path);
	before = lab_look_at_file(lab, path);
	assert_int_equal(stat(path, &was), 0);
	usleep(20000);
	lab_shell(lab, NULL, "cat %s >/dev/null", path);
	after = lab_look_at_file(lab, path);
	assert_int_equal(stat(path, &is), 0);
	assert_memory_not_equal(&was.st_atim, &is.st_atim, sizeof(is.st_atim));
	for (uint64_t i = 0; i < before->nr_pages; i++)
		nr_changed += before->pages[i].node >= 0 &&
			      ((before->pages[i].flags ^ after->pages[i].flags) &
			       (KPF_REFERENCED | KPF_ACTIVE));
	assert_true(nr_changed > 0);
}

/* ------------------------------------------------------------------ many files */

#define NR_FILES 4000
#define EVERY 100
#define NR_CACHED (NR_FILES / EVERY)

static void of_many_files_those_that_are_cached_move(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	double started = lab_now();
	struct lab_io io;
	struct run *run;

	lab_make_files(disk.path, NR_FILES, EVERY);
	/* A journal that fills up writes on for a while. */
	lab_shell(lab, NULL, "sync");
	printf("%d files made in %.1f s\n", NR_FILES, lab_now() - started);
	io = lab_disk_io(&disk);
	run = lab_show_file(lab, NULL, "-r --total %s", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->nr_files, NR_CACHED);
	assert_int_equal(run->files[NR_CACHED].node_bytes[0], NR_CACHED * PAGE_BYTES);
	assert_int_equal(run->files[NR_CACHED].size_bytes, NR_FILES * PAGE_BYTES);
	run = lab_move_file(lab, "-r --to 3 %s", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	/* Directories are read, and ahead; of files without data nothing can be. */
	assert_int_equal(lab_disk_io(&disk).writes, io.writes);
	assert_int_equal(run->report->files, NR_CACHED);
	assert_int_equal(run->report->considered.pages, NR_CACHED);
	assert_int_equal(run->report->pairs[0][3], NR_CACHED);
	assert_in_range(run->peak_kib, 1, 8191);
	lab_assert_file_on(lab, lab_path(&disk, "0/0"), 3, 1);
	lab_assert_file_on(lab, lab_path(&disk, "3/3900"), 3, 1);
	lab_assert_file_on(lab, lab_path(&disk, "3/3901"), 3, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(on_ext4_what_is_looked_at_stays_as_it_is),
		LAB_TEST(on_xfs_what_is_looked_at_stays_as_it_is),
		LAB_TEST(a_read_would_be_noticed),
		LAB_TEST(of_many_files_those_that_are_cached_move),
	};

	return lab_main(tests, 4);
}
