// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File systems that have to write dirty pages out before they can move, on kernels that
 * are old enough: by default they stay where they are. And khugepaged, which writes out
 * what it finds mapped, on those that are new enough.
 */
#include "lab_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SIZE (4 * MEBIBYTE)
#define NR_PAGES (SIZE / PAGE_BYTES)
#define SECTORS_PER_PAGE (PAGE_BYTES / 512)

/* So many pages may be written to find out that the file system writes. */
#define PROBES 4

static bool is_kernel(unsigned int wanted_major, unsigned int wanted_minor)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	return major == wanted_major && minor == wanted_minor;
}

/* The few pages that showed it have moved, and are clean. */
static void assert_almost_all_skipped(struct lab *lab, const struct lab_disk *disk,
				      const char *path, const struct lab_io *io)
{
	const struct lab_file_view *before = lab_look_at_file(lab, path), *after;
	struct run *run = lab_move_file(lab, "--to 1 %s", path);
	uint64_t skipped = report_skipped(run->report, "dirty");

	after = lab_look_at_file(lab, path);
	printf("%" PRIu64 " pages skipped, %" PRIu64 " sectors written\n", skipped,
	       lab_disk_io(disk).written_sectors - io->written_sectors);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_file_accounting(run->report, before, after);
	assert_in_range(skipped, NR_PAGES - PROBES, NR_PAGES - 1);
	assert_int_equal(after->nr_dirty, skipped);
	assert_int_equal(after->node_pages[0], skipped);
}

/* Those who let it write get all pages moved, clean or not. */
static void assert_moved_with_writeback(struct lab *lab, const char *path)
{
	const struct lab_file_view *before = lab_look_at_file(lab, path), *after;
	struct run *run = lab_move_file(lab, "--writeback --to 1 %s", path);

	after = lab_look_at_file(lab, path);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_file_accounting(run->report, before, after);
	assert_int_equal(report_skipped(run->report, NULL), 0);
	assert_int_equal(after->node_pages[1], NR_PAGES);
	assert_in_range(after->nr_dirty, 0, PROBES);
}

/* The dry run says it before; it neither moves nor writes. */
static void assert_said_beforehand(struct lab *lab, const struct lab_disk *disk,
				   const char *path)
{
	const struct lab_file_view *before = lab_look_at_file(lab, path);
	struct lab_io io = lab_disk_io(disk);
	struct run *run = lab_migratectl(lab, "move-file -n --to 1 %s", path);

	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_no_io(disk, &io);
	lab_assert_dirty_same(before, lab_look_at_file(lab, path));
	lab_assert_file_on(lab, path, 0, NR_PAGES);
	lab_assert_says(run, "4M may be dirty");
	lab_assert_says(run, "--writeback");
}

static void assert_journal_holds(const struct run *run)
{
	uint64_t nr_left = report_left(run->report, NULL);

	assert_int_equal(report_left(run->report, "file-system"), nr_left);
	assert_int_equal(report_skipped(run->report, NULL), 0);
	if (nr_left == NR_PAGES)
		lab_assert_status(run, EXIT_FAILED);
	else
		lab_assert_status(run, nr_left ? EXIT_PARTLY : EXIT_IN_PLACE);
}

/* Pages that the journal holds on to stay where they are, dirty: neither are they
 * written, nor is anybody else said to hold them. */
static void assert_journal_says_why(struct lab *lab, const struct lab_disk *disk,
				    const char *path)
{
	const struct lab_file_view *before = lab_look_at_file(lab, path), *after;
	struct lab_io io = lab_disk_io(disk);
	struct run *run = lab_move_file(lab, "--to 1 %s", path);

	lab_assert_no_io(disk, &io);
	after = lab_look_at_file(lab, path);
	lab_assert_file_accounting(run->report, before, after);
	lab_assert_dirty_same(before, after);
	assert_journal_holds(run);
	/* Whether it may write does not matter then. */
	before = after;
	run = lab_move_file(lab, "--writeback --to 1 %s", path);
	lab_assert_no_io(disk, &io);
	after = lab_look_at_file(lab, path);
	lab_assert_file_accounting(run->report, before, after);
	lab_assert_dirty_same(before, after);
	assert_journal_holds(run);
}

/* On old kernels pages become dirty when the journal has their data. */
static void await_dirty(struct lab *lab, const char *path)
{
	double deadline = lab_now() + 120;

	while (lab_look_at_file(lab, path)->nr_dirty != NR_PAGES) {
		if (lab_now() > deadline)
			fail_msg("the pages do not become dirty");
		usleep(200000);
	}
}

static void move_dirty_on(struct lab *lab, const struct lab_disk *disk, bool is_journal)
{
	const char *path = lab_path(disk, "file");
	struct lab_io io;

	lab_write_file(path, 0, 0, SIZE, 1);
	await_dirty(lab, path);
	assert_said_beforehand(lab, disk, path);
	io = lab_disk_io(disk);
	if (is_kernel(6, 1)) {
		assert_almost_all_skipped(lab, disk, path, &io);
		assert_moved_with_writeback(lab, path);
		assert_true(lab_disk_io(disk).written_sectors - io.written_sectors >=
			    NR_PAGES * SECTORS_PER_PAGE);
	} else if (is_journal) {
		assert_journal_says_why(lab, disk, path);
	} else {
		lab_assert_file_moves(lab, disk, path, "--to 1");
		assert_int_equal(lab_look_at_file(lab, path)->nr_dirty, NR_PAGES);
	}
	lab_assert_file(path, 0, SIZE, 1);
	lab_drop_caches();
	lab_assert_file(path, 0, SIZE, 1);
	/* Clean now. */
	lab_assert_file_moves(lab, disk, path, "--to 2");
	lab_assert_file_on(lab, path, 2, NR_PAGES);
}

static void on_vfat_nothing_is_written_unless_allowed(void **state)
{
	struct lab_disk disk = lab_disk(*state, "vfat");

	move_dirty_on(*state, &disk, false);
}

static void on_minix_nothing_is_written_unless_allowed(void **state)
{
	struct lab_disk disk = lab_disk(*state, "minix");

	move_dirty_on(*state, &disk, false);
}

static void
on_ext4_with_data_in_the_journal_nothing_is_written_unless_allowed(void **state)
{
	struct lab_disk disk = lab_disk_with(
		*state, "ext4",
		is_kernel(6, 1)
			? "data=journal,noinit_itable,no_prefetch_block_bitmaps,commit=1"
			: "data=journal,noinit_itable,no_prefetch_block_bitmaps,commit="
			  "300");

	move_dirty_on(*state, &disk, true);
}

/* It looks for files to make huge pages of in every process that maps one. */
static void an_eager_khugepaged_writes_nothing(void **state)
{
	static const char thp[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	static const char dir[] = "/sys/kernel/mm/transparent_hugepage/khugepaged";
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	char knob[128];

	lab_set(lab, thp, "always");
	snprintf(knob, sizeof(knob), "%s/pages_to_scan", dir);
	lab_set(lab, knob, "65536");
	snprintf(knob, sizeof(knob), "%s/scan_sleep_millisecs", dir);
	lab_set(lab, knob, "5");
	lab_write_file(path, 0, 0, SIZE, 1);
	/* Slow enough to be found while it maps the file. */
	for (int i = 0; i < 2; i++) {
		lab_assert_file_moves(lab, &disk, path, "--rate 4M --to %d", 1 + i);
		assert_int_equal(lab_look_at_file(lab, path)->nr_dirty, NR_PAGES);
	}
	lab_drop_caches();
	lab_assert_file(path, 0, SIZE, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(on_vfat_nothing_is_written_unless_allowed),
		LAB_TEST(on_minix_nothing_is_written_unless_allowed),
		LAB_TEST(
			on_ext4_with_data_in_the_journal_nothing_is_written_unless_allowed),
		LAB_TEST(an_eager_khugepaged_writes_nothing),
	};

	return lab_main(tests, 4);
}
