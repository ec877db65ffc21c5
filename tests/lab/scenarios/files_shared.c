// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that others use or own, and destinations that are too small for them. */
#include "lab_files.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (4 * MEBIBYTE)
#define NR_PAGES (SIZE / PAGE_BYTES)

static const struct lab_as somebody = { .uid = 1000 };

/* Also what nobody but its mappers could make dirty again stays dirty. */
static void a_file_that_two_processes_map_moves_under_them(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct victim *victim[2];
	struct run *run;

	for (size_t i = 0; i < 2; i++)
		victim[i] = lab_victim(
			lab, "--kind file-shared --path %s --size 4M --node 0 --seed 7",
			path);
	run = lab_move_file(lab, "--shared none --to 1 %s", path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(report_skipped(run->report, "shared"), NR_PAGES);
	lab_assert_file_on(lab, path, 0, NR_PAGES);
	lab_assert_file_moves(lab, &disk, path, "--to 1");
	lab_assert_file_on(lab, path, 1, NR_PAGES);
	for (size_t i = 0; i < 2; i++) {
		lab_assert_all_on(lab, victim[i], 1);
		lab_assert_intact(victim[i]);
		lab_ask(victim[i], "write");
	}
	lab_assert_file_moves(lab, &disk, path, "--to 3");
	lab_assert_intact(victim[0]);
	lab_assert_intact(victim[1]);
}

/* ------------------------------------------------------------- a running program */

static unsigned long read_beat(const char *path)
{
	unsigned long beat = 0;
	FILE *stream = fopen(path, "re");

	if (stream && fscanf(stream, "%lu", &beat) != 1)
		beat = 0;
	if (stream)
		fclose(stream);
	return beat;
}

static void await_beat(const char *path, unsigned long more_than)
{
	double deadline = lab_now() + 120;

	while (read_beat(path) <= more_than) {
		if (lab_now() > deadline)
			fail_msg("the program does not go on");
		usleep(20000);
	}
}

/* A shell that counts, with a loader and a library of its own. */
static struct run *start_counting(struct lab *lab, const struct lab_disk *disk)
{
	lab_shell(lab, NULL,
		  "cd %s && cp \"$(readlink -f /bin/sh)\" shell && "
		  "cp /lib64/ld-linux-x86-64.so.2 loader && "
		  "cp \"$(ldd /bin/sh | awk '/libc.so/ { print $3 }')\" . && "
		  "sync && echo 3 >/proc/sys/vm/drop_caches",
		  disk->path);
	return lab_program(
		lab,
		"%s/loader --library-path %s %s/shell -c "
		"while\v:;\vdo\vi=$((i+1));\vj=0;\vwhile\v[\v$j\v-lt\v200\v];\vdo\v"
		"j=$((j+1));\vdone;\vecho\v$i\v>%s/beat;\vdone",
		disk->path, disk->path, disk->path, disk->path);
}

static void a_running_program_and_its_libraries_move(void **state)
{
	static const char *const names[] = { "shell", "loader", "libc.so.6" };
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *beat = lab_path(&disk, "beat");
	struct run *program = start_counting(lab, &disk);

	await_beat(beat, 0);
	for (int node = 1; node < 4; node++) {
		for (size_t i = 0; i < 3; i++) {
			const char *path = lab_path(&disk, names[i]);
			uint64_t nr_cached = lab_look_at_file(lab, path)->nr_cached;

			lab_assert_status(
				lab_move_file_busy(lab, "--to %d %s", node, path),
				EXIT_IN_PLACE);
			/* It may have come to a page that it had not read before. */
			assert_true(lab_look_at_file(lab, path)->node_pages[node] >=
				    nr_cached);
		}
		await_beat(beat, read_beat(beat));
	}
	assert_int_equal(waitpid(program->pid, NULL, WNOHANG), 0);
}

/* ------------------------------------------------------------ whose file it is */

/* Dirty pages too; of these nobody but the kernel tells it. */
static void the_owner_moves_a_file_without_any_privilege(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "own");
	const struct lab_file_view *before, *after;
	struct lab_io io;
	struct run *run;

	lab_write_file(path, 0, 0, SIZE, 1);
	assert_int_equal(chown(path, somebody.uid, somebody.uid), 0);
	before = lab_look_at_file(lab, path);
	io = lab_disk_io(&disk);
	run = lab_move_file_as(lab, &somebody, "--to 1 %s", path);
	lab_assert_no_io(&disk, &io);
	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look_at_file(lab, path);
	lab_assert_file_accounting(run->report, before, after);
	lab_assert_dirty_same(before, after);
	assert_int_equal(after->node_pages[1], NR_PAGES);
}

/* The kernel would say that all of it is cached, which a few pages are. */
static void of_others_files_nothing_is_told_or_moved(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *own = lab_path(&disk, "own"), *other = lab_path(&disk, "other");
	struct run *run;

	lab_write_file(own, 0, 0, SIZE, 1);
	lab_write_file(other, 0, 0, SIZE, 2);
	assert_int_equal(chown(own, somebody.uid, somebody.uid), 0);
	lab_drop_caches();
	lab_read_file(own, 0, 0, SIZE);
	lab_read_file(other, 0, 0, 4 * PAGE_BYTES);
	run = lab_show_file(lab, &somebody, "%s %s", own, other);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, other);
	assert_int_equal(run->nr_files, 1);
	assert_int_equal(run->files[0].node_bytes[0], SIZE);
	run = lab_move_file_as(lab, &somebody, "--to 1 %s %s", other, own);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, other);
	lab_assert_says(run, "hint:");
	assert_int_equal(run->report->files_denied, 1);
	lab_assert_file_on(lab, own, 1, NR_PAGES);
	lab_assert_file_on(lab, other, 0, 4);
	run = lab_show_file(lab, &somebody, "%s", other);
	lab_assert_status(run, EXIT_FAILED);
	/* Who may write to it may know. */
	assert_int_equal(chmod(other, 0666), 0);
	run = lab_move_file_as(lab, &somebody, "--to 2 %s", other);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_file_on(lab, other, 2, 4);
}

static void a_file_that_may_not_be_opened_does_not_stop_the_others(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *own = lab_path(&disk, "own"), *secret = lab_path(&disk, "secret");
	struct run *run;

	lab_write_file(own, 0, 0, SIZE, 1);
	lab_write_file(secret, 0, 0, SIZE, 2);
	assert_int_equal(chown(own, somebody.uid, somebody.uid), 0);
	assert_int_equal(chmod(secret, 0600), 0);
	run = lab_move_file_as(lab, &somebody, "-r --to 1 %s", disk.path);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "Permission denied");
	lab_assert_file_on(lab, own, 1, NR_PAGES);
	lab_assert_file_on(lab, secret, 0, NR_PAGES);
}

/* ------------------------------------------------------------------------- room */

#define LARGE (96 * MEBIBYTE)

static void without_room_a_move_is_refused_and_with_force_what_fits_moves(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	const struct lab_file_view *after;
	struct run *run;

	/* The kernel would find room by forgetting what is cached there. */
	lab_drop_caches();
	lab_write_file(path, 0, 0, LARGE, 1);
	/* What is being written at that moment would be busy. */
	lab_shell(lab, NULL, "sync");
	lab_leave_free(lab, 3, 48 * MEBIBYTE);
	run = lab_move_file(lab, "--to 3 %s", path);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "node 3");
	lab_assert_says(run, "96M");
	lab_assert_says(run, "--force");
	lab_assert_file_on(lab, path, 0, LARGE / PAGE_BYTES);
	run = lab_move_file(lab, "--force --to 3 %s", path);
	/* It may have found room for all of it, after all: the checks are cautious. */
	lab_assert_status(run,
			  report_left(run->report, NULL) ? EXIT_PARTLY : EXIT_IN_PLACE);
	after = lab_look_at_file(lab, path);
	assert_int_equal(report_left(run->report, NULL),
			 report_left(run->report, "no-memory"));
	assert_int_equal(after->node_pages[0], report_left(run->report, NULL));
	/* In its need the kernel forgets clean pages there, those that came too. */
	assert_in_range(after->node_pages[3], 8 * PAGES_PER_MEBIBYTE,
			run->report->pairs[0][3]);
	lab_assert_file(path, 0, LARGE, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_file_that_two_processes_map_moves_under_them),
		LAB_TEST(a_running_program_and_its_libraries_move),
		LAB_TEST(the_owner_moves_a_file_without_any_privilege),
		LAB_TEST(of_others_files_nothing_is_told_or_moved),
		LAB_TEST(a_file_that_may_not_be_opened_does_not_stop_the_others),
		LAB_TEST(without_room_a_move_is_refused_and_with_force_what_fits_moves),
	};

	return lab_main(tests, 4);
}
