// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What else has a page cache: a block device, huge pages, the tree that a host shares;
 * and what has one that cannot move.
 */
#include "lab_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (4 * MEBIBYTE)
#define NR_PAGES (SIZE / PAGE_BYTES)

/* Without a file system. Its name is what losetup(8) prints. */
static struct lab_disk make_device(struct lab *lab)
{
	struct lab_disk device;
	unsigned int number;
	char text[64];

	lab_set(lab, "/proc/sys/vm/dirty_writeback_centisecs", "0");
	lab_shell(lab, "rm /tmp/device.*",
		  "modprobe loop; truncate -s 16M /tmp/device.image && "
		  "losetup -f --show /tmp/device.image >/tmp/device.name");
	assert_int_equal(sscanf(lab_read("/tmp/device.name"), "/dev/loop%u", &number), 1);
	snprintf(device.path, sizeof(device.path), "/dev/loop%u", number);
	snprintf(device.counters_path, sizeof(device.counters_path),
		 "/sys/block/loop%u/stat", number);
	snprintf(text, sizeof(text), "losetup -d /dev/loop%u", number);
	lab_shell(lab, text, "true");
	snprintf(text, sizeof(text), "7:%u", number);
	lab_allow_dirty(lab, text);
	return device;
}

static void the_pages_of_a_block_device_move(void **state)
{
	struct lab *lab = *state;
	struct lab_disk device = make_device(lab);
	const struct lab_file_view *after;
	struct lab_io io;
	struct run *run;
	int fd;

	/* Whoever closes it last writes it out. */
	fd = open(device.path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	lab_write_file(device.path, 0, 0, SIZE, 1);
	assert_int_equal(lab_look_at_part(lab, device.path, 0, SIZE)->nr_dirty, NR_PAGES);
	io = lab_disk_io(&device);
	run = lab_move_file(lab, "--from 0 --to 1 %s", device.path);
	lab_assert_no_io(&device, &io);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_in_range(run->report->pairs[0][1], NR_PAGES, NR_PAGES + 64);
	after = lab_look_at_part(lab, device.path, 0, SIZE);
	assert_int_equal(after->node_pages[1], NR_PAGES);
	assert_int_equal(after->nr_dirty, NR_PAGES);
	close(fd);
	lab_drop_caches();
	lab_assert_file(device.path, 0, SIZE, 1);
}

/* Each page of its files is 2 MiB, of the pool of its node. */
static void mount_huge(struct lab *lab)
{
	lab_hugetlb_pool(lab, 0, 2);
	lab_hugetlb_pool(lab, 1, 2);
	lab_shell(lab, "umount /tmp/huge; rmdir /tmp/huge",
		  "mkdir /tmp/huge && mount -t hugetlbfs none /tmp/huge");
}

static void files_of_huge_pages_move(void **state)
{
	struct lab *lab = *state;
	struct run *run;

	mount_huge(lab);
	lab_shell(lab, NULL, "numactl --membind=0 fallocate -l 4M /tmp/huge/file");
	assert_int_equal(lab_hugetlb_free(0), 0);
	run = lab_show_file(lab, NULL, "/tmp/huge/file");
	assert_int_equal(run->files[0].node_bytes[0], SIZE);
	run = lab_move_file(lab, "--to 1 /tmp/huge/file");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->pairs[0][1], NR_PAGES);
	assert_int_equal(lab_hugetlb_free(0), 2);
	assert_int_equal(lab_hugetlb_free(1), 0);
	lab_shell(lab, NULL, "rm /tmp/huge/file");
}

#define NR_HOLES 6U

/* They begin and end it, and lie between: a touch of one would take a page of the pool. */
static void holes_of_files_of_huge_pages_stay_holes(void **state)
{
	static const struct lab_as owner = { .uid = 1000 };
	struct lab *lab = *state;
	struct stat before, after;
	struct run *run;

	mount_huge(lab);
	lab_shell(lab, NULL,
		  "cd /tmp/huge && truncate -s %uM file && "
		  "numactl --membind=0 fallocate -n -o 4M -l 2M file && "
		  "numactl --membind=0 fallocate -n -o 12M -l 2M file && "
		  "chown 1000 file && chmod 400 file",
		  2 * (NR_HOLES + 2));
	assert_int_equal(stat("/tmp/huge/file", &before), 0);
	run = lab_show_file(lab, &owner, "/tmp/huge/file");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->files[0].cached_bytes, SIZE);
	run = lab_show_file(lab, NULL, "/tmp/huge/file");
	assert_int_equal(run->files[0].node_bytes[0], SIZE);
	assert_int_equal(lab_hugetlb_free(1), 2);
	run = lab_move_file(lab, "--to 1 /tmp/huge/file");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->pairs[0][1], NR_PAGES);
	assert_int_equal(lab_hugetlb_free(0), 2);
	assert_int_equal(lab_hugetlb_free(1), 0);
	assert_int_equal(stat("/tmp/huge/file", &after), 0);
	assert_int_equal(after.st_blocks, before.st_blocks);
	lab_shell(lab, NULL, "rm /tmp/huge/file");
}

/* Its pages are dirty for ever, and the kernel has no way to move them. */
static void of_ramfs_nothing_moves_and_why_is_said(void **state)
{
	struct lab *lab = *state;
	const struct lab_file_view *before;
	struct run *run;

	lab_shell(lab, "umount /tmp/ramfs; rmdir /tmp/ramfs",
		  "mkdir /tmp/ramfs && mount -t ramfs none /tmp/ramfs");
	lab_write_file("/tmp/ramfs/file", 0, 0, MEBIBYTE, 1);
	before = lab_look_at_file(lab, "/tmp/ramfs/file");
	assert_int_equal(before->nr_cached, PAGES_PER_MEBIBYTE);
	run = lab_move_file(lab, "--to 1 /tmp/ramfs/file");
	lab_assert_file_accounting(run->report, before,
				   lab_look_at_file(lab, "/tmp/ramfs/file"));
	assert_int_equal(run->report->moved.pages, 0);
	assert_int_equal(report_left(run->report, "file-system") +
				 report_left(run->report, "device") +
				 report_skipped(run->report, "dirty"),
			 PAGES_PER_MEBIBYTE);
	lab_assert_file("/tmp/ramfs/file", 0, MEBIBYTE, 1);
}

/* A part of the machine's memory that is a disk: what is mapped of a file is that disk. */
static struct lab_disk make_dax_disk(struct lab *lab)
{
	struct lab_disk disk = { .path = "/tmp/dax" };

	lab_shell(lab, "rmmod nd_pmem", "modprobe -a nd_e820 nd_pmem");
	if (system("i=0; until [ -b /dev/pmem0 ] || [ $i = 50 ]; do "
		   "i=$((i + 1)); sleep 0.1; done; [ -b /dev/pmem0 ]"))
		lab_skip("the machine has no /dev/pmem0");
	lab_shell(lab, "umount /tmp/dax; rmdir /tmp/dax",
		  "mkfs.ext4 -q -F -b 4096 /dev/pmem0 && mkdir /tmp/dax && "
		  "mount -o dax /dev/pmem0 /tmp/dax");
	return disk;
}

static void of_dax_nothing_moves_and_why_is_said(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = make_dax_disk(lab), other = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file"), *usual = lab_path(&other, "file");
	struct run *run;

	lab_write_file(path, 0, 0, SIZE, 1);
	lab_write_file(usual, 0, 0, SIZE, 1);
	run = lab_show_file(lab, NULL, "%s", path);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "a file with DAX");
	run = lab_move_file(lab, "--to 1 %s %s", path, usual);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "a file with DAX");
	assert_int_equal(run->report->pairs[0][1], NR_PAGES);
	run = lab_move_file(lab, "-r --to 1 %s", disk.path);
	lab_assert_says(run, "a file with DAX");
	lab_assert_file(path, 0, SIZE, 1);
}

/* The system's own tree: an overlay over what the host shares. */
static void clean_files_of_a_network_file_system_move(void **state)
{
	static const char path[] = "/usr/share/common-licenses/GPL-3";
	struct lab *lab = *state;
	struct lab_disk none = { .path = "/" };
	uint64_t nr;

	lab_read_file(path, 0, 0, 8 * PAGE_BYTES);
	nr = lab_look_at_file(lab, path)->nr_cached;
	assert_true(nr >= 8);
	for (int node = 1; node < 3; node++) {
		lab_assert_file_moves(lab, &none, path, "--to %d", node);
		lab_assert_file_on(lab, path, node, nr);
	}
}

/* -------------------------------------------------------------- reading again */

#define NR_HELD 16

/* A pipe refers to the first pages of a file, so that they cannot move. */
static void hold_pages(const char *path, int *ret_file, int pipes[2])
{
	loff_t offset = 0;

	*ret_file = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(*ret_file >= 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(
		splice(*ret_file, &offset, pipes[1], NULL, NR_HELD * PAGE_BYTES, 0),
		NR_HELD * PAGE_BYTES);
}

/* Returns the run, or NULL if it was over before the pages could be let go. */
static struct run *move_and_let_go(struct lab *lab, const char *path,
				   unsigned int rate_kib)
{
	uint64_t nr_failed = oracle_vmstat("pgmigrate_fail");
	int fd, pipes[2];
	struct run *run;
	bool is_over;

	hold_pages(path, &fd, pipes);
	run = lab_start_move_file(
		lab, "--rate %uK --passes 1 --fallback reread --to 1 %s", rate_kib, path);
	/* They have been tried, and most of the file has not: that takes seconds. */
	while (!lab_has_ended(run) &&
	       oracle_vmstat("pgmigrate_fail") < nr_failed + NR_HELD)
		usleep(5000);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
	is_over = lab_has_ended(run);
	lab_finish(run);
	return is_over ? NULL : run;
}

/* With one pass they are not tried again; but by the end nobody holds them any more. */
static void pages_that_stay_are_dropped_and_read_again_where_they_belong(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct run *run = NULL;

	lab_write_file(path, 0, 0, 8 * MEBIBYTE, 1);
	for (unsigned int rate_kib = 4096; rate_kib >= 512 && !run; rate_kib /= 2) {
		lab_drop_caches();
		lab_read_file(path, 0, 0, 8 * MEBIBYTE);
		run = move_and_let_go(lab, path, rate_kib);
	}
	assert_non_null(run);
	lab_assert_status(run, EXIT_PARTLY);
	assert_int_equal(report_left(run->report, NULL), NR_HELD);
	assert_int_equal(run->report->reread.pages, NR_HELD);
	lab_assert_file_on(lab, path, 1, 8 * PAGES_PER_MEBIBYTE);
	lab_assert_file(path, 0, 8 * MEBIBYTE, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(the_pages_of_a_block_device_move),
		LAB_TEST(files_of_huge_pages_move),
		LAB_TEST(holes_of_files_of_huge_pages_stay_holes),
		LAB_TEST(of_ramfs_nothing_moves_and_why_is_said),
		LAB_TEST(of_dax_nothing_moves_and_why_is_said),
		LAB_TEST(clean_files_of_a_network_file_system_move),
		LAB_TEST(pages_that_stay_are_dropped_and_read_again_where_they_belong),
	};

	return lab_main(tests, 4);
}
