// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that are cached here and there, that change while they are moved, or that have
 * no name any more; and what is no file.
 */
#include "lab_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SIZE (16 * MEBIBYTE)

/* Nothing is read in: neither what is not cached, nor what is not there. */
static void of_a_file_with_holes_only_what_is_cached_moves(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	uint64_t nr = 0;

	lab_write_file(path, 0, 0, MEBIBYTE, 1);
	lab_write_file(path, 0, 12 * MEBIBYTE, MEBIBYTE, 1);
	assert_int_equal(truncate(path, (off_t)SIZE), 0);
	lab_drop_caches();
	for (uint64_t page = 0; page < 250; page += 3, nr++)
		lab_read_file(path, 0, page * PAGE_BYTES, PAGE_BYTES);
	/* Of a hole, and across its end. */
	lab_read_file(path, 1, 6 * MEBIBYTE, 8 * PAGE_BYTES);
	lab_read_file(path, 0, 12 * MEBIBYTE - 4 * PAGE_BYTES, 8 * PAGE_BYTES);
	/* Dirty, with clean neighbours. */
	lab_write_file(path, 0, 12 * MEBIBYTE + 64 * PAGE_BYTES, 8 * PAGE_BYTES, 1);
	nr += 24;
	assert_int_equal(lab_look_at_file(lab, path)->nr_cached, nr);
	lab_assert_file_moves(lab, &disk, path, "--to 2");
	lab_assert_file_on(lab, path, 2, nr);
	lab_assert_file_moves(lab, &disk, path, "--to 2");
	lab_drop_caches();
	lab_assert_file(path, 0, MEBIBYTE, 1);
	lab_assert_file(path, MEBIBYTE, 11 * MEBIBYTE, 0);
	lab_assert_file(path, 12 * MEBIBYTE, MEBIBYTE, 1);
}

/* ----------------------------------------------------------- while it is moved */

#define SLOW_SIZE (8 * MEBIBYTE)
#define NR_SLOW_PAGES (SLOW_SIZE / PAGE_BYTES)

static struct run *move_half_way(struct lab *lab, const char *path)
{
	lab_write_file(path, 0, 0, SLOW_SIZE, 1);
	return lab_move_file_half_way(lab, path, 1, NR_SLOW_PAGES);
}

static void finish_undisturbed(struct run *run)
{
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->considered.pages, NR_SLOW_PAGES);
	assert_int_equal(report_left(run->report, NULL), 0);
}

static void a_file_that_is_cut_off_meanwhile_is_no_error(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct run *run = move_half_way(lab, path);

	assert_int_equal(truncate(path, MEBIBYTE), 0);
	lab_resume(run);
	finish_undisturbed(run);
	assert_in_range(run->report->gone.pages, 1, NR_SLOW_PAGES - PAGES_PER_MEBIBYTE);
	lab_assert_file_on(lab, path, 1, PAGES_PER_MEBIBYTE);
	lab_assert_file(path, 0, MEBIBYTE, 1);
}

static void a_file_that_is_deleted_meanwhile_moves_on(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct run *run = move_half_way(lab, path);

	assert_int_equal(unlink(path), 0);
	lab_resume(run);
	finish_undisturbed(run);
}

/* Its new pages are nobody's task; the old ones are moved. */
static void a_file_that_grows_and_is_written_meanwhile_moves(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct run *run = move_half_way(lab, path);
	const struct lab_file_view *after;

	/* Before and while it goes on. */
	lab_write_file(path, 0, 0, MEBIBYTE, 2);
	lab_resume(run);
	for (uint64_t at = 0; at < SLOW_SIZE; at += MEBIBYTE)
		lab_write_file(path, 0, at, MEBIBYTE, 2);
	lab_write_file(path, 0, SLOW_SIZE, MEBIBYTE, 2);
	lab_finish(run);
	assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
	after = lab_look_at_file(lab, path);
	assert_in_range(after->node_pages[1],
			NR_SLOW_PAGES - report_left(run->report, NULL), NR_SLOW_PAGES);
	lab_drop_caches();
	lab_assert_file(path, 0, SLOW_SIZE + MEBIBYTE, 2);
}

/* What has the name by then is another file. */
static void a_file_that_is_replaced_meanwhile_moves_on_and_not_the_new_one(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file"), *new_path = lab_path(&disk, "new");
	const char *old_path = lab_path(&disk, "old");
	struct run *run = move_half_way(lab, path);

	lab_write_file(new_path, 0, 0, MEBIBYTE, 2);
	assert_int_equal(link(path, old_path), 0);
	assert_int_equal(rename(new_path, path), 0);
	lab_resume(run);
	finish_undisturbed(run);
	assert_int_equal(run->report->moved.pages, NR_SLOW_PAGES);
	assert_int_equal(run->report->after_bytes[1], SLOW_SIZE);
	assert_int_equal(run->report->after_bytes[0], 0);
	lab_assert_file_on(lab, old_path, 1, NR_SLOW_PAGES);
	lab_assert_file_on(lab, path, 0, PAGES_PER_MEBIBYTE);
	lab_drop_caches();
	lab_assert_file(old_path, 0, SLOW_SIZE, 1);
	lab_assert_file(path, 0, MEBIBYTE, 2);
}

#define NR_FILES 64
#define FILE_SIZE (16 * PAGE_BYTES)

static void write_over(const struct lab_disk *disk, unsigned int file, unsigned int seed)
{
	const char *new_path = lab_path(disk, "new");
	char name[16];

	snprintf(name, sizeof(name), "tree/%u", file);
	lab_write_file(new_path, 0, 0, FILE_SIZE, seed);
	assert_int_equal(rename(new_path, lab_path(disk, name)), 0);
}

/* Whether one is gone or moved, old or new: it is there as a whole. */
static void files_that_are_replaced_over_and_over_move_or_are_gone(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	uint64_t nr_gone = 0;
	unsigned int nr = 0;
	char name[16];

	assert_int_equal(mkdir(lab_path(&disk, "tree"), 0700), 0);
	for (; nr < NR_FILES; nr++)
		write_over(&disk, nr, 1 + nr);
	for (int round = 1; round <= 4; round++) {
		struct run *run = lab_start_move_file(lab, "-r --rate 8M --to %d %s",
						      round % 4, lab_path(&disk, "tree"));
		const struct report *report;

		for (; !lab_has_ended(run); nr++)
			write_over(&disk, nr % NR_FILES, 1 + nr);
		lab_finish(run);
		lab_assert_status(run, EXIT_IN_PLACE);
		report = run->report;
		nr_gone += report->files_gone;
		assert_int_equal(report->files, NR_FILES);
		assert_int_equal(report->files_denied, 0);
		assert_int_equal(report->considered.pages,
				 (NR_FILES - report->files_gone) * FILE_SIZE /
					 PAGE_BYTES);
		assert_int_equal(report->gone.pages, 0);
	}
	printf("%u files replaced, %lu gone\n", nr - NR_FILES, (unsigned long)nr_gone);
	/* Each of them while it was moved, and some just before they were opened. */
	assert_true(nr >= 2 * NR_FILES);
	assert_true(nr_gone > 0);
	lab_drop_caches();
	for (unsigned int i = nr - NR_FILES; i < nr; i++) {
		snprintf(name, sizeof(name), "tree/%u", i % NR_FILES);
		lab_assert_file(lab_path(&disk, name), 0, FILE_SIZE, 1 + i);
	}
}

/* ---------------------------------------------------------------------- sparse */

static bool counts_without_looking(void)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	return major > 6 || (major == 6 && minor >= 5);
}

/* Older kernels tell of each page whether it is cached, and of nothing larger. */
static void in_a_huge_sparse_file_the_few_pages_are_found_soon(void **state)
{
	uint64_t bytes = counts_without_looking() ? UINT64_C(1) << 40 : UINT64_C(8) << 30;
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct lab_io io;
	struct run *run;

	lab_write_file(path, 0, 0, PAGE_BYTES, 1);
	assert_int_equal(truncate(path, (off_t)bytes), 0);
	lab_write_file(path, 0, bytes / 2, 3 * PAGE_BYTES, 1);
	lab_read_file(path, 0, bytes - PAGE_BYTES, PAGE_BYTES);
	io = lab_disk_io(&disk);
	run = lab_show_file(lab, NULL, "%s", path);
	lab_assert_status(run, EXIT_IN_PLACE);
	/* To look at each page of a terabyte would take many minutes. */
	assert_true(run->seconds < 60);
	assert_int_equal(run->files[0].size_bytes, bytes);
	assert_int_equal(run->files[0].node_bytes[0], 5 * PAGE_BYTES);
	run = lab_move_file(lab, "--to 3 %s", path);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_no_io(&disk, &io);
	assert_true(run->seconds < 60);
	assert_in_range(run->peak_kib, 0, 16383);
	assert_int_equal(run->report->pairs[0][3], 5);
	assert_int_equal(
		lab_look_at_part(lab, path, bytes / 2, 3 * PAGE_BYTES)->node_pages[3], 3);
	assert_int_equal(lab_look_at_part(lab, path, bytes - PAGE_BYTES, PAGE_BYTES)
				 ->node_pages[3],
			 1);
}

/* ------------------------------------------------------------------ without name */

static void await_name(pid_t pid, const char *name)
{
	double deadline = lab_now() + 60;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	while (strcmp(lab_read(path), name)) {
		if (lab_now() > deadline)
			fail_msg("it does not become '%s'", name);
		usleep(10000);
	}
}

/* A shell that has a deleted file open, and becomes another program. */
static void deleted_files_of_a_process_move(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	char opened[64];
	struct run *holder, *run;

	lab_write_file(path, 0, 0, MEBIBYTE, 1);
	holder = lab_program(lab, "sh -c exec\v3<%s;\vrm\v%s;\vexec\vsleep\v1000", path,
			     path);
	await_name(holder->pid, "sleep");
	assert_int_equal(access(path, F_OK), -1);
	snprintf(opened, sizeof(opened), "/proc/%d/fd/3", holder->pid);
	lab_assert_file_on(lab, opened, 0, PAGES_PER_MEBIBYTE);
	run = lab_move_file(lab, "--shared none --to 2 --of-pid %d", holder->pid);
	assert_true(run->report->moved.pages >= PAGES_PER_MEBIBYTE);
	lab_assert_file_on(lab, opened, 2, PAGES_PER_MEBIBYTE);
	assert_int_equal(lab_look_at_file(lab, opened)->nr_dirty, PAGES_PER_MEBIBYTE);
	lab_assert_file(opened, 0, MEBIBYTE, 1);
	run = lab_show_file(lab, NULL, "--of-pid %d", holder->pid);
	assert_non_null(strstr(run->out, "(deleted)"));
}

/* Memory that has no name but a descriptor's, or none at all. Of what the process has
 * mapped of other files, the libraries, nothing is meant. */
static void memory_files_of_a_process_move(void **state)
{
	static const char *const kinds[] = { "memfd", "sysv" };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 0", kinds[i]);
		struct run *run = lab_move_file(lab, "--shared anon --to 1 --of-pid %d",
						victim->pid);

		assert_true(run->report->moved.pages >= victim->nr_pages);
		lab_assert_all_on(lab, victim, 1);
		lab_assert_intact(victim);
		lab_end_victim(lab, victim);
	}
}

/* ----------------------------------------------------------------- what is no file */

/* Whoever opened the FIFO would wait for a writer. */
static void what_is_no_file_is_passed_over(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "tree/file"), *fifo;
	struct run *run;

	lab_shell(lab, NULL,
		  "cd %s && mkdir tree && cd tree && mkfifo fifo && mknod null c 1 3 && "
		  "ln -s / link && : >empty && ln -s file alias",
		  disk.path);
	lab_write_file(path, 0, 0, MEBIBYTE, 1);
	lab_shell(lab, NULL, "ln %s %s/tree/again", path, disk.path);
	run = lab_show_file(lab, NULL, "-r %s/tree", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->nr_files, 1);
	assert_int_equal(run->files[1].cached_bytes, MEBIBYTE);
	run = lab_move_file(lab, "-r --to 1 %s/tree", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->files, 1);
	assert_int_equal(run->report->files_denied, 0);
	lab_assert_file_on(lab, path, 1, PAGES_PER_MEBIBYTE);
	fifo = lab_path(&disk, "tree/fifo");
	run = lab_move_file(lab, "--to 2 %s %s", fifo, path);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, fifo);
	lab_assert_file_on(lab, path, 2, PAGES_PER_MEBIBYTE);
	lab_assert_status(lab_show_file(lab, NULL, "%s", fifo), EXIT_FAILED);
	/* A directory is not meant without -r. */
	run = lab_move_file(lab, "--to 3 %s/tree %s", disk.path, path);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_file_on(lab, path, 3, PAGES_PER_MEBIBYTE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(of_a_file_with_holes_only_what_is_cached_moves),
		LAB_TEST(a_file_that_is_cut_off_meanwhile_is_no_error),
		LAB_TEST(a_file_that_is_deleted_meanwhile_moves_on),
		LAB_TEST(a_file_that_grows_and_is_written_meanwhile_moves),
		LAB_TEST(a_file_that_is_replaced_meanwhile_moves_on_and_not_the_new_one),
		LAB_TEST(files_that_are_replaced_over_and_over_move_or_are_gone),
		LAB_TEST(in_a_huge_sparse_file_the_few_pages_are_found_soon),
		LAB_TEST(deleted_files_of_a_process_move),
		LAB_TEST(memory_files_of_a_process_move),
		LAB_TEST(what_is_no_file_is_passed_over),
	};

	return lab_main(tests, 4);
}
