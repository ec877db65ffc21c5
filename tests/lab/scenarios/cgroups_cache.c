// SPDX-License-Identifier: GPL-2.0-or-later
/* move-cgroup --cache: what a group is charged for and nobody has mapped. By DAMON where
 * the kernel has it, and by files; the witnesses are memory.numa_stat, kpagecgroup and
 * the device's counters. */
#include "lab_cache.h"
#include "lab_world.h"

#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"
#define DAMON_STAT "/sys/module/damon_stat/parameters/enabled"

#define WAIT_SECONDS 60

static bool has_damon(void)
{
	return !access(KDAMONDS, F_OK);
}

static void need_damon(void)
{
	if (!has_damon())
		lab_skip("this kernel has no DAMON");
}

/* A member that does nothing but have a file open. */
static pid_t hold_open(const char *group, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	pid_t pid;

	assert_true(fd >= 0);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	close(fd);
	assert_true(pid > 0);
	lab_join(group, pid);
	return pid;
}

static void end_member(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---------------------------------------------------------------------- the tests */

static void unmapped_dirty_cache_moves_by_damon_and_a_siblings_stays(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene;
	struct run *run;

	need_damon();
	scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_MUCH);
	run = lab_move_group(lab, "--cache --require 98 --to 1 %s", scene.group);
	lab_assert_cache_moved(run, scene.bytes, "damon");
	lab_assert_only_cache_moved(lab, &scene, 1);
}

static void unmapped_dirty_cache_is_found_in_files_below_a_path(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_MUCH);
	struct run *run =
		lab_move_group(lab, "--cache --search %s --require 98 --to 1 %s",
			       scene.disk.path, scene.group);

	lab_assert_cache_moved(run, scene.bytes, "files");
	lab_assert_only_cache_moved(lab, &scene, 1);
	/* A second time there is nothing to do. */
	run = lab_move_group(lab, "--cache --search %s --require 98 --to 1 %s",
			     scene.disk.path, scene.group);
	assert_in_range(run->report->moved.bytes, 0, LAB_CACHE_SLACK);
	assert_in_range(run->report->already.bytes, scene.bytes,
			scene.bytes + LAB_CACHE_SLACK);
}

static void what_is_in_no_file_is_left_and_said_with_its_size(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	struct run *run;

	lab_shell(lab, "rmdir /tmp/nothing", "mkdir /tmp/nothing");
	run = lab_move_group(lab, "--cache --search /tmp/nothing --to 1 %s", scene.group);
	lab_assert_status(run, EXIT_FAILED);
	assert_string_equal(lab_cache_way(run), "files");
	assert_in_range(report_left(run->report, "no-file"), scene.nr_pages,
			(scene.bytes + LAB_CACHE_SLACK) / PAGE_BYTES);
	assert_int_equal(run->report->moved.pages, 0);
	lab_assert_file_on(lab, scene.path, 0, scene.nr_pages);
}

/* Somebody else's kdamond, or a kernel without any: members' files are looked into. */
static void deleted_files_of_members_are_found_and_others_kdamonds_stay(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	char through[64];
	struct run *run;
	pid_t member;

	if (has_damon()) {
		lab_set(lab, KDAMONDS "/nr_kdamonds", "1");
		lab_set(lab, KDAMONDS "/0/contexts/nr_contexts", "1");
	}
	member = hold_open(scene.group, scene.path);
	snprintf(through, sizeof(through), "/proc/self/fd/%d",
		 open(scene.path, O_RDONLY | O_CLOEXEC));
	assert_int_equal(unlink(scene.path), 0);
	scene.path = through;
	run = lab_move_group(lab, "--cache --require 98 --to 1 %s", scene.group);
	assert_string_equal(lab_cache_way(run), "files");
	assert_in_range(run->report->moved.bytes, scene.bytes,
			scene.bytes + 8 * MEBIBYTE);
	lab_assert_only_cache_moved(lab, &scene, 1);
	if (has_damon()) {
		assert_string_equal(lab_read(KDAMONDS "/nr_kdamonds"), "1");
		assert_string_equal(lab_read(KDAMONDS "/0/contexts/nr_contexts"), "1");
	}
	end_member(member);
}

static void tmpfs_that_dead_processes_have_left_moves(void **state)
{
	struct lab *lab = *state;
	struct lab_disk tmpfs = lab_disk(lab, "tmpfs");
	const char *group = lab_cache_group(lab, LAB_CGROUPS, "lab-left-behind");
	const char *path = lab_path(&tmpfs, "file");
	struct run *run;

	lab_write_as(group, path, 8 * MEBIBYTE);
	lab_await_charged(group, "shmem", 0, 8 * MEBIBYTE,
			  8 * MEBIBYTE + LAB_CACHE_SLACK);
	run = lab_move_group(lab, "--cache --require 98 %s%s --to 1 %s",
			     has_damon() ? "" : "--search ",
			     has_damon() ? "" : tmpfs.path, group);
	lab_assert_cache_moved(run, 8 * MEBIBYTE, has_damon() ? "damon" : "files");
	assert_int_equal(run->report->processes, 0);
	lab_assert_file_on(lab, path, 1, 8 * PAGES_PER_MEBIBYTE);
	lab_await_charged(group, "shmem", 1, 8 * MEBIBYTE,
			  8 * MEBIBYTE + LAB_CACHE_SLACK);
	lab_assert_file(path, 0, 8 * MEBIBYTE, 7);
}

/* DAMON on 6.12 cannot name it: what it leaves is found in the files of members. */
static void what_a_removed_group_was_charged_for_is_its_parents(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *group = lab_cache_group(lab, LAB_CGROUPS, "lab-parent");
	const char *path = lab_path(&disk, "file");
	const char *child = lab_group_below(lab, group, "dead", "+memory");
	struct run *run;
	pid_t member;

	lab_write_as(child, path, 8 * MEBIBYTE);
	assert_int_equal(rmdir(child), 0);
	lab_await_file_bytes(group, 0, 8 * MEBIBYTE);
	assert_true(lab_group_write(group, "cgroup.subtree_control", "-memory"));
	member = hold_open(group, path);
	run = lab_move_group(lab, "--cache --require 98 --to 1 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_cache_way(run), has_damon() ? "damon" : "files");
	lab_assert_file_on(lab, path, 1, 8 * PAGES_PER_MEBIBYTE);
	end_member(member);
	run = lab_move_group(lab, "--cache --search %s --require 98 --to 2 %s", disk.path,
			     group);
	lab_assert_cache_moved(run, 8 * MEBIBYTE, "files");
	lab_assert_file_on(lab, path, 2, 8 * PAGES_PER_MEBIBYTE);
	lab_await_file_bytes(group, 2, 8 * MEBIBYTE);
}

static void a_dry_run_says_how_much_it_is(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	struct run *run = lab_migratectl(
		lab, "move-cgroup --json --dry-run --cache --to 1 %s", scene.group);
	json_object *all, *targets, *planned, *pages;

	lab_assert_status(run, EXIT_IN_PLACE);
	all = json_tokener_parse(run->out);
	assert_true(json_object_object_get_ex(all, "targets", &targets));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(targets, 0),
					      "planned", &planned));
	assert_true(json_object_object_get_ex(planned, "pages", &pages));
	assert_in_range(json_object_get_uint64(pages), scene.nr_pages,
			(scene.bytes + LAB_CACHE_SLACK) / PAGE_BYTES);
	json_object_put(all);
	lab_assert_file_on(lab, scene.path, 0, scene.nr_pages);
}

static void what_does_not_fit_is_refused_before(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_MUCH);
	struct run *run;

	lab_leave_free(lab, 1, 32 * MEBIBYTE);
	lab_show_all_free(lab);
	run = lab_migratectl(lab, "move-cgroup --cache --to 1 %s", scene.group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_file_on(lab, scene.path, 0, scene.nr_pages);
}

/* Without one, as if it were on: there is nothing to look at. */
static const char *read_damon_stat(void)
{
	return access(DAMON_STAT, F_OK) ? "Y" : lab_read(DAMON_STAT);
}

static void damon_is_afterwards_as_it_was(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene;
	struct run *run;

	need_damon();
	scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	if (!access(DAMON_STAT, F_OK))
		lab_set(lab, DAMON_STAT, "Y");
	run = lab_move_group(lab, "--cache --require 98 --to 1 %s", scene.group);
	assert_string_equal(lab_cache_way(run), "damon");
	assert_string_equal(lab_read(KDAMONDS "/nr_kdamonds"), "0");
	assert_string_equal(read_damon_stat(), "Y");
	if (access(DAMON_STAT, F_OK))
		return;
	/* What was off stays off. */
	lab_set(lab, DAMON_STAT, "N");
	run = lab_move_group(lab, "--cache --require 98 --to 2 %s", scene.group);
	assert_string_equal(lab_cache_way(run), "damon");
	assert_string_equal(read_damon_stat(), "N");
}

/* Return: false if it has ended before. */
static bool kill_with_damon(struct run *run)
{
	siginfo_t ended = { .si_pid = 0 };
	bool has_it = false;

	while (!has_it && !ended.si_pid) {
		has_it = !strcmp(lab_read(KDAMONDS "/nr_kdamonds"), "1");
		waitid(P_PID, (id_t)run->pid, &ended, WEXITED | WNOHANG | WNOWAIT);
	}
	kill(run->pid, SIGKILL);
	lab_finish(run);
	return has_it && run->status == 128 + SIGKILL;
}

static void damon_is_as_it_was_after_migratectl_was_killed(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene;
	struct run *run;
	int to = 0;

	need_damon();
	scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_MUCH);
	if (!access(DAMON_STAT, F_OK))
		lab_set(lab, DAMON_STAT, "Y");
	/* It is there for a moment only. */
	do {
		to = to % 3 + 1;
		run = lab_start_move_group(lab, "--cache --require 98 --to %d %s", to,
					   scene.group);
	} while (!kill_with_damon(run));
	for (double deadline = lab_now() + WAIT_SECONDS;
	     strcmp(lab_read(KDAMONDS "/nr_kdamonds"), "0") ||
	     strcmp(read_damon_stat(), "Y");) {
		assert_true(lab_now() < deadline);
		usleep(100000);
	}
	run = lab_move_group(lab, "--cache --require 98 --to %d %s", to, scene.group);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_cache_way(run), "damon");
	lab_assert_file_on(lab, scene.path, to, scene.nr_pages);
}

static void a_signal_ends_it_and_the_rest_was_not_tried(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	struct victim *victim = lab_member(lab, scene.group, "--size 32M --node 0");
	struct run *run =
		lab_start_move_group(lab, "--cache --search %s --rate 4M --to 1 %s",
				     scene.disk.path, scene.group);

	lab_await_on(victim, 1, 256);
	kill(run->pid, SIGTERM);
	lab_finish(run);
	assert_true(run->report->stopped);
	assert_true(report_skipped(run->report, "stopped") > 0);
	assert_int_equal(report_left(run->report, "no-file"), 0);
	lab_assert_file_on(lab, scene.path, 0, scene.nr_pages);
}

/* With a member that is at work before and afterwards. */
static void members_stand_still_while_the_cache_moves(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	struct victim *victim = lab_member(lab, scene.group, "--size 24M --node 0");

	lab_assert_cache_moves_frozen(lab, &scene, victim, scene.group, scene.group);
}

/* The kernel moves what is mapped by itself, and knows nothing of the cache. */
static void of_a_group_that_is_bound_the_cache_moves_too(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene = lab_cache(lab, LAB_CGROUPS, LAB_CACHE_LITTLE);
	struct victim *victim = lab_member(lab, scene.group, "--size 8M --node 0");
	struct run *run =
		lab_move_group(lab, "--cache --bind --freeze %s%s --require 98 --to 1 %s",
			       has_damon() ? "" : "--search ",
			       has_damon() ? "" : scene.disk.path, scene.group);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_cache_way(run), has_damon() ? "damon" : "files");
	assert_true(run->report->bound_pages >= victim->nr_pages);
	assert_in_range(run->report->moved.bytes, scene.bytes,
			scene.bytes + 8 * MEBIBYTE);
	assert_string_equal(lab_group_read(scene.group, "cpuset.mems"), "1");
	assert_false(lab_is_frozen(scene.group));
	lab_assert_intact(victim);
	lab_ask(victim, "refill");
	lab_assert_all_on(lab, victim, 1);
	lab_assert_only_cache_moved(lab, &scene, 1);
}

static void without_the_rights_it_is_refused(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_cache_group(lab, LAB_CGROUPS, "lab-rights");
	struct run *run =
		lab_program(lab,
			    "setpriv --reuid 65534 --regid 65534 --clear-groups %s "
			    "move-cgroup --cache --to 1 %s",
			    lab_program_path("MIGRATECTL", "migratectl"), group);

	lab_finish(run);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "nobody has mapped needs CAP_SYS_ADMIN");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(unmapped_dirty_cache_moves_by_damon_and_a_siblings_stays),
		LAB_TEST(unmapped_dirty_cache_is_found_in_files_below_a_path),
		LAB_TEST(what_is_in_no_file_is_left_and_said_with_its_size),
		LAB_TEST(deleted_files_of_members_are_found_and_others_kdamonds_stay),
		LAB_TEST(tmpfs_that_dead_processes_have_left_moves),
		LAB_TEST(what_a_removed_group_was_charged_for_is_its_parents),
		LAB_TEST(a_dry_run_says_how_much_it_is),
		LAB_TEST(what_does_not_fit_is_refused_before),
		LAB_TEST(damon_is_afterwards_as_it_was),
		LAB_TEST(damon_is_as_it_was_after_migratectl_was_killed),
		LAB_TEST(a_signal_ends_it_and_the_rest_was_not_tried),
		LAB_TEST(members_stand_still_while_the_cache_moves),
		LAB_TEST(of_a_group_that_is_bound_the_cache_moves_too),
		LAB_TEST(without_the_rights_it_is_refused),
	};

	return lab_main(tests, 4);
}
