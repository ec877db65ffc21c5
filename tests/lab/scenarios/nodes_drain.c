// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drain: whole nodes, against page tables, the flags of every frame of a node, and the
 * counters of block devices. Node 3 is emptied, whose neighbours are 0 and 2.
 */
#include "lab_cgroups.h"
#include "lab_drain.h"

#include <inttypes.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define DAMON_STAT "/sys/module/damon_stat/parameters/enabled"
#define WAIT_SECONDS 60
#define NR_KILLS 8

/* What others of the machine come to have on a node in a moment, and what a file system
 * keeps for itself. */
#define SLACK_PAGES (2 * PAGES_PER_MEBIBYTE)

/* Without DAMON the files that the machine was started from are not found. */
#define HIDDEN_PAGES (16 * PAGES_PER_MEBIBYTE)

/* All that can be found has left. */
static void assert_done(const struct run *run)
{
	const struct report *last;

	if (lab_has_damon()) {
		lab_assert_status(run, EXIT_IN_PLACE);
		return;
	}
	assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
	assert_true(run->nr_reports > 0);
	last = &run->reports[run->nr_reports - 1];
	assert_int_equal(report_left(last, NULL), report_left(last, "no-file"));
	assert_in_range(report_left(last, NULL), 0, HIDDEN_PAGES);
}

static void assert_empty(int node)
{
	struct lab_node_pages pages = lab_look_at_node(node);

	assert_in_range(pages.anon + pages.shmem + pages.huge, 0, SLACK_PAGES);
	assert_in_range(pages.file, 0, lab_has_damon() ? SLACK_PAGES : HIDDEN_PAGES);
}

/* ------------------------------------------------------------------ everything */

static void everything_that_can_move_goes_to_the_node_that_was_asked_for(void **state)
{
	static const char *const kinds[] = { "anon",  "thp",          "mlocked", "shmem",
					     "tmpfs", "file-private", "hugetlb" };
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	const struct lab_file_view *before;
	struct victim *victims[7];
	struct lab_io io;
	struct run *run;

	lab_hugetlb_pool(lab, 3, 4);
	for (size_t i = 0; i < 7; i++)
		victims[i] = lab_victim(lab, "--kind %s --size 8M --node 3", kinds[i]);
	lab_write_file(path, 3, 0, 8 * MEBIBYTE, 7);
	before = lab_look_at_file(lab, path);
	lab_shell(lab, NULL, "find %s >/dev/null", disk.path);
	io = lab_disk_io(&disk);
	run = lab_drain(lab, "--to 1 --require 98 %s 3", lab_search(&disk));
	assert_done(run);
	lab_assert_no_io(&disk, &io);
	for (size_t i = 0; i < 7; i++) {
		lab_assert_all_on(lab, victims[i], 1);
		lab_assert_intact(victims[i]);
	}
	lab_assert_file_on(lab, path, 1, 8 * PAGES_PER_MEBIBYTE);
	lab_assert_dirty_same(before, lab_look_at_file(lab, path));
	lab_assert_file(path, 0, 8 * MEBIBYTE, 7);
	assert_empty(3);
	assert_true(lab_drained(run, 3, 1) >= 64 * PAGES_PER_MEBIBYTE);
	assert_int_equal(lab_drained(run, -1, -1), lab_drained(run, 3, 1));
}

static void what_it_says_is_there_is_what_is_there(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind vmsplice --size 8M --node 3");
	struct lab_node_pages pages;
	struct run *run;

	lab_show_all_free(lab);
	run = lab_drain(lab, "3");
	pages = lab_look_at_node(3);

	/* A mebibyte of it is in a pipe. */
	lab_assert_status(run, EXIT_PARTLY);
	assert_in_range(lab_drain_rest(run, "anon", 3), MEBIBYTE, 2 * MEBIBYTE);
	assert_in_range(pages.anon, 256, 512);
	assert_in_range(lab_drain_rest(run, "free", 3), lab_free_bytes(3) - 16 * MEBIBYTE,
			lab_free_bytes(3) + 64 * MEBIBYTE);
	assert_true(lab_drain_rest(run, "slab", 3) > 0);
	assert_true(lab_drain_rest(run, "reserved", 3) > 0);
	lab_assert_intact(victim);
	/* The second time there is nothing else, and nothing moves. */
	run = lab_drain(lab, "3");
	lab_assert_status(run, EXIT_PARTLY);
	assert_in_range(lab_drained(run, 3, -1), 0, SLACK_PAGES);
}

static void a_buffer_of_io_uring_is_left_and_named(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind io-uring --size 8M --node 3");
	struct run *run = lab_drain(lab, "3");
	const struct report *last;

	lab_assert_status(run, EXIT_PARTLY);
	last = &run->reports[run->nr_reports - 1];
	assert_int_equal(report_left(last, "pinned-io-uring"), 4 * PAGES_PER_MEBIBYTE);
	assert_int_equal(lab_count(victim, lab_look(lab, victim), 3),
			 4 * PAGES_PER_MEBIBYTE);
	assert_in_range(lab_drain_rest(run, "anon", 3), 4 * MEBIBYTE, 8 * MEBIBYTE);
	lab_assert_intact(victim);
}

/* -------------------------------------------------------------------- where to */

static void by_default_it_goes_to_the_nearest_node_with_room(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 3");
	struct oracle_view *after;
	uint64_t room;
	struct run *run = lab_drain(lab, "3");

	assert_done(run);
	/* Nodes 0 and 2 are equally near. */
	assert_int_equal(lab_drained(run, 3, 1), 0);
	after = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, after, 0) + lab_count(victim, after, 2),
			 32 * PAGES_PER_MEBIBYTE);
	/* Where the neighbours are full it goes across. */
	lab_end_victim(lab, victim);
	room = lab_fill_node(lab, 1) + lab_fill_node(lab, 3);
	victim = lab_victim(lab, "--size %" PRIu64 "M --node 2", room + 32);
	lab_drain(lab, "--require 90 2");
	after = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, after, 2), 0);
	assert_true(lab_count(victim, after, 0) >= 32 * PAGES_PER_MEBIBYTE);
	lab_assert_intact(victim);
}

/* Not the nearest is allowed; of the other, none. */
static void a_cpuset_is_heeded(void **state)
{
	struct lab *lab = *state;
	const struct lab_as far = { .cgroup = lab_cgroup(lab, "lab-far", "1,3") };
	const struct lab_as bound = { .cgroup = lab_cgroup(lab, "lab-bound", "3") };
	struct victim *goes = lab_victim_as(lab, &far, "--size 8M --node 3");
	struct victim *stays = lab_victim_as(lab, &bound, "--size 8M --node 3");
	struct run *run = lab_drain(lab, "3");
	const struct report *last;

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_all_on(lab, goes, 1);
	lab_assert_all_on(lab, stays, 3);
	last = &run->reports[run->nr_reports - 1];
	assert_true(report_left(last, "cpuset-target") >= 8 * PAGES_PER_MEBIBYTE);
	lab_assert_intact(goes);
	lab_assert_intact(stays);
}

static void two_nodes_are_emptied_together(void **state)
{
	struct lab *lab = *state;
	struct victim *first = lab_victim(lab, "--size 8M --node 2");
	struct victim *second = lab_victim(lab, "--size 8M --node 3");
	struct run *run = lab_drain(lab, "2-3");

	assert_done(run);
	/* Each to its own neighbour. */
	lab_assert_all_on(lab, first, 1);
	lab_assert_all_on(lab, second, 0);
	assert_int_equal(lab_drained(run, 2, 3) + lab_drained(run, 3, 2), 0);
}

static void what_does_not_fit_is_refused_and_nothing_moves(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size %" PRIu64 "M --node 3",
					   lab_fill_node(lab, 2) + 32);
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run;

	run = lab_drain(lab, "--to 2 3");
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "which has room for");
	assert_int_equal(run->nr_reports, 0);
	lab_assert_nothing_moved(lab, victim, before);
	run = lab_migratectl(lab, "drain --dry-run --to 2 3");
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "which has room for");
	lab_assert_nothing_moved(lab, victim, before);
}

static void a_dry_run_moves_nothing(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 3");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_migratectl(lab, "drain --dry-run --to 1 3");

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_non_null(strstr(run->out, "a dry run, nothing is moved"));
	assert_non_null(strstr(run->out, "would move"));
	lab_assert_nothing_moved(lab, victim, before);
}

/* -------------------------------------------------------------- what is nobody's */

static void move_unmapped(struct lab *lab, const char *type)
{
	struct lab_disk disk = lab_disk(lab, type);
	const char *path = lab_path(&disk, "file");
	const struct lab_file_view *before;
	struct lab_io io;
	struct run *run;

	lab_write_file(path, 3, 0, 32 * MEBIBYTE, 7);
	lab_settle_lru();
	before = lab_look_at_file(lab, path);
	lab_shell(lab, NULL, "find %s >/dev/null", disk.path);
	io = lab_disk_io(&disk);
	run = lab_drain(lab, "--to 2 --require 98 %s 3", lab_search(&disk));
	assert_done(run);
	assert_string_equal(lab_drain_way(run), lab_has_damon() ? "damon" : "files");
	lab_assert_no_io(&disk, &io);
	lab_assert_file_on(lab, path, 2, 32 * PAGES_PER_MEBIBYTE);
	lab_assert_dirty_same(before, lab_look_at_file(lab, path));
	lab_assert_no_io(&disk, &io);
	lab_assert_file(path, 0, 32 * MEBIBYTE, 7);
	if (lab_has_damon())
		assert_string_equal(lab_read(LAB_KDAMONDS "/nr_kdamonds"), "0");
}

static void unmapped_dirty_cache_of_ext4_moves_without_being_written(void **state)
{
	move_unmapped(*state, "ext4");
}

static void unmapped_dirty_cache_of_xfs_moves_without_being_written(void **state)
{
	move_unmapped(*state, "xfs");
}

/* Of a node, and of no process. */
static int make_segment(struct lab *lab, int node)
{
	int id = shmget(IPC_PRIVATE, 8 * MEBIBYTE, IPC_CREAT | 0600);
	unsigned long nodes = 1UL << node;
	char undo[32], *segment;

	assert_true(id >= 0);
	snprintf(undo, sizeof(undo), "ipcrm -m %d", id);
	lab_shell(lab, undo, "true");
	segment = shmat(id, NULL, 0);
	assert_ptr_not_equal(segment, (void *)-1);
	assert_int_equal(syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 64), 0);
	memset(segment, 7, 8 * MEBIBYTE);
	assert_int_equal(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0), 0);
	assert_int_equal(shmdt(segment), 0);
	return id;
}

static void assert_segment(int id)
{
	const char *segment = shmat(id, NULL, SHM_RDONLY);

	assert_ptr_not_equal(segment, (void *)-1);
	for (size_t i = 0; i < 8 * MEBIBYTE; i++)
		if (segment[i] != 7)
			fail_msg("byte %zu of the segment has changed", i);
	shmdt(segment);
}

static void shared_memory_without_processes_moves_too(void **state)
{
	struct lab *lab = *state;
	struct lab_disk tmpfs = lab_disk(lab, "tmpfs");
	const char *path = lab_path(&tmpfs, "file");
	struct lab_node_pages pages;
	struct run *run;
	int id = make_segment(lab, 3);

	lab_write_file(path, 3, 0, 8 * MEBIBYTE, 7);
	lab_settle_lru();
	pages = lab_look_at_node(3);
	assert_true(pages.shmem >= 15 * PAGES_PER_MEBIBYTE);
	run = lab_drain(lab, "--to 1 --require 98 3");
	assert_done(run);
	lab_assert_file_on(lab, path, 1, 8 * PAGES_PER_MEBIBYTE);
	lab_assert_file(path, 0, 8 * MEBIBYTE, 7);
	pages = lab_look_at_node(3);
	assert_in_range(pages.shmem, 0, 64);
	assert_segment(id);
}

/* ---------------------------------------------------------------- who comes back */

static struct victim *allocating(struct lab *lab, const struct lab_as *as)
{
	struct victim *victim =
		lab_victim_as(lab, as, "--size 8M --node 3 --keep-policy");

	lab_ask(victim, "start churn");
	return victim;
}

static void a_process_that_goes_on_allocating_is_followed_and_said(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = allocating(lab, NULL);
	struct run *run = lab_drain(lab, "--rounds 4 --settle 200ms 3");

	assert_in_range(run->nr_reports, 1, 4);
	if (lab_drain_number(run, "came_bytes") > MEBIBYTE)
		lab_assert_says(run, "came there meanwhile");
	lab_ask(victim, "stop");
	assert_int_equal(lab_count(victim, lab_look(lab, victim), 3), 0);
	lab_assert_intact(victim);
}

static void a_fence_keeps_a_cgroup_off(void **state)
{
	struct lab *lab = *state;
	const struct lab_as as = { .cgroup = lab_group(lab, NULL, "lab-fenced") };
	struct victim *victim;
	struct run *run;

	lab_group_write(LAB_CGROUPS, "cgroup.subtree_control", "+cpuset");
	victim = allocating(lab, &as);
	run = lab_drain(lab, "--fence %s --settle 200ms 3", as.cgroup);
	assert_done(run);
	assert_string_equal(lab_group_read(as.cgroup, "cpuset.mems"), "0-2");
	assert_int_equal(oracle_count(lab_look(lab, victim), 3, 0, UINT64_MAX), 0);
	usleep(300000);
	assert_int_equal(oracle_count(lab_look(lab, victim), 3, 0, UINT64_MAX), 0);
	assert_empty(3);
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
}

static void a_fence_that_cannot_be_set_changes_nothing(void **state)
{
	struct lab *lab = *state;
	const char *first = lab_cgroup(lab, "lab-both", "2-3");
	const char *second = lab_cgroup(lab, "lab-only", "3");
	struct victim *victim = lab_victim(lab, "--size 8M --node 3");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_migratectl(lab, "drain --fence %s,%s 3", first, second);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "lab-only");
	assert_string_equal(lab_group_read(first, "cpuset.mems"), "2-3");
	assert_string_equal(lab_group_read(second, "cpuset.mems"), "3");
	lab_assert_nothing_moved(lab, victim, before);
}

/* -------------------------------------------------------------- what is no node */

static void a_node_that_is_not_there_is_refused(void **state)
{
	struct lab *lab = *state;
	struct run *run = lab_migratectl(lab, "drain 9");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "'9': no such node");
}

static void the_last_nodes_with_memory_have_nowhere_to_go(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 3");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_migratectl(lab, "drain 0-3");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "nothing can leave nodes 0-3: no other node has memory");
	lab_assert_nothing_moved(lab, victim, before);
}

static void an_ordinary_user_moves_nothing(void **state)
{
	const struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &nobody, "--size 8M --node 3");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_migratectl_as(lab, &nobody, "drain 3");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "Permission denied");
	lab_assert_says(run, "CAP_SYS_ADMIN");
	lab_assert_nothing_moved(lab, victim, before);
}

/* ----------------------------------------------------------------------- signals */

static void a_signal_ends_it_and_the_rest_was_not_tried(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 48M --node 3");
	struct run *run = lab_start_drain(lab, "--rate 8M --to 1 3");

	lab_await_on(victim, 1, 256);
	kill(run->pid, SIGTERM);
	lab_finish(run);
	lab_assert_status(run, EXIT_PARTLY);
	assert_true(run->report->stopped);
	assert_true(report_skipped(run->report, "stopped") > 0);
	assert_int_equal(run->nr_reports, 1);
	assert_true(lab_drain_rest(run, "anon", 3) > MEBIBYTE);
	lab_assert_intact(victim);
}

/* Without one, as if it were on: there is nothing to look at. */
static const char *read_damon_stat(void)
{
	return access(DAMON_STAT, F_OK) ? "Y" : lab_read(DAMON_STAT);
}

static bool is_undone(const char *group)
{
	return (!lab_has_damon() ||
		!strcmp(lab_read(LAB_KDAMONDS "/nr_kdamonds"), "0")) &&
	       !strcmp(read_damon_stat(), "Y") &&
	       !strcmp(lab_group_read(group, "cpuset.mems"), "0-3");
}

static void nothing_is_left_half_done_wherever_it_is_killed(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	const char *group = lab_cgroup(lab, "lab-fenced", "0-3");
	const struct lab_as as = { .cgroup = group };
	struct victim *anon = lab_victim_as(lab, &as, "--size 8M --node 3");
	struct victim *shmem = lab_victim(lab, "--kind shmem --size 8M --node 3");
	unsigned int nr_killed = 0;

	if (!access(DAMON_STAT, F_OK))
		lab_set(lab, DAMON_STAT, "Y");
	lab_write_file(path, 3, 0, 16 * MEBIBYTE, 7);
	srandom(7);
	for (int i = 0; i < NR_KILLS; i++) {
		int from = i % 2 ? 2 : 3;
		struct run *run = lab_start_drain(
			lab, "%s%s %s --to %d %d", i % 4 ? "" : "--fence ",
			i % 4 ? "" : group, lab_search(&disk), 5 - from, from);

		usleep((useconds_t)random() % 1500000);
		kill(run->pid, SIGKILL);
		lab_finish(run);
		nr_killed += run->status == 128 + SIGKILL;
		for (double deadline = lab_now() + WAIT_SECONDS; !is_undone(group);) {
			/* One that ended before has set its fence for good. */
			if (run->status != 128 + SIGKILL)
				lab_group_write(group, "cpuset.mems", "0-3");
			assert_true(lab_now() < deadline);
			usleep(50000);
		}
		lab_assert_intact(anon);
		lab_assert_intact(shmem);
	}
	assert_in_range(nr_killed, NR_KILLS / 4, NR_KILLS);
	lab_assert_file(path, 0, 16 * MEBIBYTE, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(everything_that_can_move_goes_to_the_node_that_was_asked_for),
		LAB_TEST(what_it_says_is_there_is_what_is_there),
		LAB_TEST(a_buffer_of_io_uring_is_left_and_named),
		LAB_TEST(by_default_it_goes_to_the_nearest_node_with_room),
		LAB_TEST(a_cpuset_is_heeded),
		LAB_TEST(two_nodes_are_emptied_together),
		LAB_TEST(what_does_not_fit_is_refused_and_nothing_moves),
		LAB_TEST(a_dry_run_moves_nothing),
		LAB_TEST(unmapped_dirty_cache_of_ext4_moves_without_being_written),
		LAB_TEST(unmapped_dirty_cache_of_xfs_moves_without_being_written),
		LAB_TEST(shared_memory_without_processes_moves_too),
		LAB_TEST(a_process_that_goes_on_allocating_is_followed_and_said),
		LAB_TEST(a_fence_keeps_a_cgroup_off),
		LAB_TEST(a_fence_that_cannot_be_set_changes_nothing),
		LAB_TEST(a_node_that_is_not_there_is_refused),
		LAB_TEST(the_last_nodes_with_memory_have_nowhere_to_go),
		LAB_TEST(an_ordinary_user_moves_nothing),
		LAB_TEST(a_signal_ends_it_and_the_rest_was_not_tried),
		LAB_TEST(nothing_is_left_half_done_wherever_it_is_killed),
	};

	return lab_main(tests, 4);
}
