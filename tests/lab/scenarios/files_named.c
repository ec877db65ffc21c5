// SPDX-License-Identifier: GPL-2.0-or-later
/* How files are named: by mount, by tree, by list, by process; and images of files. */
#include "lab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE MEBIBYTE
#define NR_PAGES (SIZE / PAGE_BYTES)

static void write_clean(const char *path)
{
	lab_write_file(path, 0, 0, SIZE, 1);
}

static uint64_t pages_on(struct lab *lab, const char *path, int node)
{
	return lab_look_at_file(lab, path)->node_pages[node];
}

/* A file system mounted in a directory of another one. */
static struct lab_disk mount_below(struct lab *lab, const struct lab_disk *disk)
{
	struct lab_disk below = { 0 };
	const char *path = lab_path(disk, "below");
	char undo[96];

	assert_in_range(snprintf(below.path, sizeof(below.path), "%s", path), 1,
			sizeof(below.path) - 1);
	snprintf(undo, sizeof(undo), "umount %s", below.path);
	lab_shell(lab, undo, "mkdir %s && mount -t tmpfs none %s", below.path,
		  below.path);
	return below;
}

static void a_tree_ends_at_other_file_systems_unless_they_are_asked_for(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	struct lab_disk below = mount_below(lab, &disk);
	const char *near = lab_path(&disk, "near"), *far = lab_path(&below, "far");
	struct run *run;

	write_clean(near);
	write_clean(far);
	run = lab_move_file(lab, "-r --to 1 %s", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_file_on(lab, near, 1, NR_PAGES);
	lab_assert_file_on(lab, far, 0, NR_PAGES);
	run = lab_move_file(lab, "-r --cross --to 2 %s", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->pairs[1][2] >= NR_PAGES, 1);
	assert_int_equal(run->report->pairs[0][2], NR_PAGES);
	lab_assert_file_on(lab, near, 2, NR_PAGES);
	lab_assert_file_on(lab, far, 2, NR_PAGES);
}

static void a_mount_means_all_files_of_its_file_system(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "xfs"), other = lab_disk(lab, "ext4");
	struct run *run;

	lab_shell(lab, NULL, "mkdir -p %s/a/b/c", disk.path);
	write_clean(lab_path(&disk, "a/b/c/deep"));
	write_clean(lab_path(&disk, "a/shallow"));
	write_clean(lab_path(&other, "file"));
	run = lab_move_file(lab, "--to 1 --mount %s/a/b", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->files, 2);
	lab_assert_file_on(lab, lab_path(&disk, "a/b/c/deep"), 1, NR_PAGES);
	lab_assert_file_on(lab, lab_path(&disk, "a/shallow"), 1, NR_PAGES);
	lab_assert_file_on(lab, lab_path(&other, "file"), 0, NR_PAGES);
}

static void a_list_may_have_any_name(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "tmpfs");
	const char *odd = lab_path(&disk, "a\nb \033[1m"), *plain = lab_path(&disk, "c");
	struct run *run;

	write_clean(odd);
	write_clean(plain);
	write_clean(lab_path(&disk, "d"));
	lab_shell(lab, NULL, "find %s -type f ! -name d -print0 >/tmp/list0", disk.path);
	run = lab_move_file(lab, "--to 3 --files0-from /tmp/list0");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->files, 2);
	lab_assert_file_on(lab, odd, 3, NR_PAGES);
	lab_assert_file_on(lab, plain, 3, NR_PAGES);
	lab_assert_file_on(lab, lab_path(&disk, "d"), 0, NR_PAGES);
}

/* Nothing in it can be dirty, and its pages are made by decompressing. */
static void files_of_a_compressed_image_move(void **state)
{
	struct lab *lab = *state;
	struct lab_disk none = { .path = "/tmp/image" };
	const char *path = lab_path(&none, "file");

	if (system("command -v mksquashfs >/dev/null"))
		lab_skip("mksquashfs is not installed");
	lab_shell(lab, "umount /tmp/image; rm -r /tmp/image /tmp/tree",
		  "modprobe loop && modprobe squashfs && mkdir /tmp/image /tmp/tree && "
		  "seq 1 100000 >/tmp/tree/file && "
		  "mksquashfs /tmp/tree /tmp/image.squashfs -quiet -no-progress "
		  "-noappend >/dev/null && "
		  "mount -o loop /tmp/image.squashfs /tmp/image");
	lab_read_file(path, 0, 0, 64 * PAGE_BYTES);
	assert_true(pages_on(lab, path, 0) >= 64);
	lab_assert_file_moves(lab, &none, path, "--from 0 --to 1");
	assert_int_equal(pages_on(lab, path, 0), 0);
	assert_true(pages_on(lab, path, 1) >= 64);
	lab_shell(lab, NULL, "cmp /tmp/tree/file %s", path);
}

/* It is a file of the process that nobody may map, and no reason to fail for others. */
static void secret_memory_is_named_as_what_it_is(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind secretmem --size 1M --node 0");
	struct run *run = lab_show_file(lab, NULL, "--of-pid %d", victim->pid);
	const char *told;

	lab_assert_status(run, EXIT_PARTLY);
	told = strstr(run->err, "secretmem");
	assert_non_null(told);
	/* It is open and mapped. */
	assert_null(strstr(told + 1, "secretmem"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_tree_ends_at_other_file_systems_unless_they_are_asked_for),
		LAB_TEST(a_mount_means_all_files_of_its_file_system),
		LAB_TEST(a_list_may_have_any_name),
		LAB_TEST(files_of_a_compressed_image_move),
		LAB_TEST(secret_memory_is_named_as_what_it_is),
	};

	return lab_main(tests, 4);
}
