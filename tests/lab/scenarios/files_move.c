// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cached pages of files, dirty and clean, moved on file systems that can: each page
 * is as dirty as before, the device has done nothing, and what is on it in the end is
 * what was written.
 */
#include "lab_files.h"

#include <stdio.h>

#define SIZE (4 * MEBIBYTE)
#define NR_PAGES (SIZE / PAGE_BYTES)

/* Of the mixed file every second piece is written anew. */
#define PIECE (UINT64_C(64) << 10)
#define FIRST 1
#define SECOND 2

static void write_every_second_piece(const char *path)
{
	for (uint64_t at = 0; at < SIZE; at += 2 * PIECE)
		lab_write_file(path, 0, at, PIECE, SECOND);
}

static void assert_mixed(const char *path)
{
	for (uint64_t at = 0; at < SIZE; at += PIECE)
		lab_assert_file(path, at, PIECE, at / PIECE % 2 ? FIRST : SECOND);
}

static void assert_dirty(struct lab *lab, const char *path, uint64_t least, uint64_t most)
{
	assert_in_range(lab_look_at_file(lab, path)->nr_dirty, least, most);
}

static void move_dirty(struct lab *lab, const struct lab_disk *disk, const char *path)
{
	lab_write_file(path, 0, 0, SIZE, FIRST);
	lab_assert_file_on(lab, path, 0, NR_PAGES);
	assert_dirty(lab, path, NR_PAGES, NR_PAGES);
	lab_assert_file_moves(lab, disk, path, "--to 1");
	lab_assert_file_on(lab, path, 1, NR_PAGES);
	assert_dirty(lab, path, NR_PAGES, NR_PAGES);
	lab_assert_file(path, 0, SIZE, FIRST);
}

/* Everything comes from the device again. */
static void move_clean(struct lab *lab, const struct lab_disk *disk, const char *path)
{
	lab_drop_caches();
	assert_int_equal(lab_look_at_file(lab, path)->nr_cached, 0);
	lab_read_file(path, 0, 0, SIZE);
	lab_assert_file_on(lab, path, 0, NR_PAGES);
	assert_dirty(lab, path, 0, 0);
	lab_assert_file(path, 0, SIZE, FIRST);
	lab_assert_file_moves(lab, disk, path, "--to 2");
	lab_assert_file_on(lab, path, 2, NR_PAGES);
}

static void move_mixed(struct lab *lab, const struct lab_disk *disk, const char *path)
{
	write_every_second_piece(path);
	assert_dirty(lab, path, NR_PAGES / 2, NR_PAGES - 1);
	lab_assert_file_moves(lab, disk, path, "--to 3");
	lab_assert_file_on(lab, path, 3, NR_PAGES);
	assert_dirty(lab, path, NR_PAGES / 2, NR_PAGES - 1);
	assert_mixed(path);
	lab_drop_caches();
	assert_mixed(path);
}

static struct lab_disk move_on(struct lab *lab, const char *type)
{
	struct lab_disk disk = lab_disk(lab, type);
	const char *path = lab_path(&disk, "file");

	move_dirty(lab, &disk, path);
	move_clean(lab, &disk, path);
	move_mixed(lab, &disk, path);
	return disk;
}

static void on_ext4_pages_move_as_dirty_as_they_are(void **state)
{
	move_on(*state, "ext4");
}

static void on_ext2_pages_move_as_dirty_as_they_are(void **state)
{
	move_on(*state, "ext2");
}

/* With the large folios of read-ahead, where the kernel makes any. */
static void on_xfs_pages_move_as_dirty_as_they_are(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = move_on(lab, "xfs");
	const char *path = lab_path(&disk, "file");

	lab_drop_caches();
	lab_shell(lab, NULL, "cat %s >/dev/null", path);
	printf("%lu pages in large folios\n",
	       (unsigned long)lab_look_at_file(lab, path)->nr_large);
	lab_assert_file_moves(lab, &disk, path, "--to 2");
	lab_assert_file_on(lab, path, 2, NR_PAGES);
	assert_mixed(path);
}

/* Subvolumes are one mount, and have a device number each. */
static void move_subvolume(struct lab *lab, const struct lab_disk *disk)
{
	const char *outer = lab_path(disk, "outer"), *inner = lab_path(disk, "sub/in");
	struct lab_io io;
	struct run *run;

	lab_shell(lab, NULL, "rm %s/file; btrfs -q subvolume create %s/sub", disk->path,
		  disk->path);
	lab_write_file(outer, 0, 0, SIZE, FIRST);
	lab_write_file(inner, 0, 0, SIZE, SECOND);
	io = lab_disk_io(disk);
	run = lab_move_file(lab, "-r --to 2 %s", disk->path);
	lab_assert_no_io(disk, &io);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->files, 2);
	assert_int_equal(run->report->pairs[0][2], 2 * NR_PAGES);
	lab_assert_file_on(lab, outer, 2, NR_PAGES);
	lab_assert_file_on(lab, inner, 2, NR_PAGES);
	assert_dirty(lab, inner, NR_PAGES, NR_PAGES);
	lab_drop_caches();
	lab_assert_file(outer, 0, SIZE, FIRST);
	lab_assert_file(inner, 0, SIZE, SECOND);
}

static void on_btrfs_pages_move_as_dirty_as_they_are_in_subvolumes_too(void **state)
{
	struct lab_disk disk = move_on(*state, "btrfs");

	move_subvolume(*state, &disk);
}

static void on_f2fs_pages_move_as_dirty_as_they_are(void **state)
{
	move_on(*state, "f2fs");
}

/* Its pages are the file: nothing is clean, nothing comes back from elsewhere. */
static void on_tmpfs_pages_move_as_dirty_as_they_are(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "tmpfs");
	const char *path = lab_path(&disk, "file");

	move_dirty(lab, &disk, path);
	write_every_second_piece(path);
	lab_assert_file_moves(lab, &disk, path, "--to 3");
	lab_assert_file_on(lab, path, 3, NR_PAGES);
	assert_mixed(path);
	lab_drop_caches();
	assert_mixed(path);
}

/* ----------------------------------------------------- one file by several ways */

static void move_bind_mount(struct lab *lab, const struct lab_disk *disk)
{
	const char *path = lab_path(disk, "there/file"),
		   *bound = lab_path(disk, "here/file");

	lab_shell(lab, NULL, "cd %s && mkdir there here", disk->path);
	lab_write_file(path, 0, 0, SIZE, FIRST);
	lab_shell(lab, "umount /tmp/disk*/here", "cd %s && mount --bind there here",
		  disk->path);
	lab_assert_file_moves(lab, disk, bound, "--to 1");
	lab_assert_file_on(lab, path, 1, NR_PAGES);
	assert_dirty(lab, path, NR_PAGES, NR_PAGES);
}

/* The file is the one of the layer that has it. What is written through the overlay is
 * dirty in the upper one. */
static void move_overlay(struct lab *lab, const struct lab_disk *disk)
{
	const char *lower = lab_path(disk, "lower/below"),
		   *upper = lab_path(disk, "upper/above"),
		   *below = lab_path(disk, "merged/below"),
		   *above = lab_path(disk, "merged/above");

	lab_shell(lab, NULL, "cd %s && mkdir lower upper work merged", disk->path);
	lab_write_file(lower, 0, 0, SIZE, FIRST);
	lab_shell(lab, "umount /tmp/disk*/merged",
		  "sync; cd %s && mount -t overlay -o "
		  "lowerdir=lower,upperdir=upper,workdir=work overlay merged",
		  disk->path);
	lab_write_file(above, 0, 0, SIZE, SECOND);
	lab_assert_file_moves(lab, disk, below, "--to 1");
	lab_assert_file_on(lab, lower, 1, NR_PAGES);
	assert_dirty(lab, upper, NR_PAGES, NR_PAGES);
	lab_assert_file_moves(lab, disk, above, "--to 2");
	lab_assert_file_on(lab, upper, 2, NR_PAGES);
	assert_dirty(lab, upper, NR_PAGES, NR_PAGES);
	lab_drop_caches();
	lab_assert_file(lower, 0, SIZE, FIRST);
	lab_assert_file(upper, 0, SIZE, SECOND);
}

static void bind_mounts_and_overlays_lead_to_the_same_pages(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");

	move_bind_mount(lab, &disk);
	move_overlay(lab, &disk);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(on_ext4_pages_move_as_dirty_as_they_are),
		LAB_TEST(on_ext2_pages_move_as_dirty_as_they_are),
		LAB_TEST(on_xfs_pages_move_as_dirty_as_they_are),
		LAB_TEST(on_btrfs_pages_move_as_dirty_as_they_are_in_subvolumes_too),
		LAB_TEST(on_f2fs_pages_move_as_dirty_as_they_are),
		LAB_TEST(on_tmpfs_pages_move_as_dirty_as_they_are),
		LAB_TEST(bind_mounts_and_overlays_lead_to_the_same_pages),
	};

	return lab_main(tests, 4);
}
