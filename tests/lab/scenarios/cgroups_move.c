// SPDX-License-Identifier: GPL-2.0-or-later
/* move-cgroup on cgroup v2: all members of a group and of those below it, and nobody
 * else's memory. */
#include "lab_cgroups.h"

#include <dirent.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ------------------------------------------------------------ all that there is */

static const char *const kinds[] = {
	"anon",         "thp",     "hugetlb",  "heap",  "stack",
	"shmem",        "memfd",   "sysv",     "tmpfs", "file-shared",
	"file-private", "mlocked", "swapped",  "anon",  "untouched",
	"huge-zero",    "anon",    "protnone", "shmem", "file-private-written",
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What is in memory of it: nothing of what was swapped out or never written. */
static uint64_t resident_pages(const char *kind, const struct victim *victim)
{
	return !strcmp(kind, "swapped") || !strcmp(kind, "untouched") ||
			       !strcmp(kind, "huge-zero")
		       ? 0
		       : victim->nr_pages;
}

static void twenty_processes_with_memory_of_all_kinds_move(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-kinds");
	struct victim *victims[NR_KINDS];
	const struct report *report;

	lab_swap_on(lab, 64);
	lab_hugetlb_pool(lab, 0, 1);
	lab_hugetlb_pool(lab, 1, 1);
	for (size_t i = 0; i < NR_KINDS; i++)
		victims[i] =
			lab_member(lab, group, "--kind %s --size 2M --node 0", kinds[i]);
	lab_fork(victims[0], 2);
	report = lab_assert_group_moves(lab, group, "--to 1");
	assert_string_equal(report->cgroup, lab_group_name(group));
	assert_int_equal(report->processes, NR_KINDS + 2);
	assert_int_equal(report->processes_gone + report->processes_hidden, 0);
	assert_true(report->swapped_pages >=
		    2 * PAGES_PER_MEBIBYTE - UNSEEN_SWAPPED_PAGES);
	for (size_t i = 0; i < NR_KINDS; i++) {
		struct oracle_view *view = lab_look_pid(lab, victims[i]->pid);

		assert_int_equal(lab_count(victims[i], view, 1),
				 resident_pages(kinds[i], victims[i]));
		lab_assert_intact(victims[i]);
	}
}

/* ------------------------------------------------------------------- the group */

static void groups_below_go_with_it_and_those_beside_it_stay(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-top");
	const char *middle = lab_group_below(lab, top, "middle", NULL);
	const char *leaf = lab_group_below(lab, middle, "leaf", NULL);
	const char *beside = lab_group(lab, NULL, "lab-top-beside");
	struct victim *members[] = {
		lab_member(lab, top, "--size 4M --node 0"),
		lab_member(lab, middle, "--size 4M --node 0"),
		lab_member(lab, leaf, "--size 4M --node 0"),
	};
	struct victim *other = lab_member(lab, beside, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, other);

	assert_int_equal(lab_assert_group_moves(lab, middle, "--to 1")->processes, 2);
	lab_assert_all_on(lab, members[0], 0);
	lab_assert_all_on(lab, members[1], 1);
	lab_assert_all_on(lab, members[2], 1);
	assert_int_equal(lab_assert_group_moves(lab, top, "--to 2")->processes, 3);
	for (size_t i = 0; i < 3; i++) {
		lab_assert_all_on(lab, members[i], 2);
		lab_assert_intact(members[i]);
	}
	lab_assert_nothing_moved(lab, other, before);
}

/* Memory that only members share is the group's own. */
static void what_only_members_share_is_the_groups_own(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-shared");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");

	lab_fork(victim, 3);
	lab_assert_group_moves(lab, group, "--shared none --to 1");
	lab_assert_all_on(lab, victim, 1);
	/* When one of them leaves, it is others' too. */
	lab_join(LAB_CGROUPS, victim->children[1]);
	lab_assert_group_moves(lab, group, "--shared none --to 2");
	lab_assert_all_on(lab, victim, 1);
	lab_assert_group_moves(lab, group, "--to 2");
	lab_assert_all_on(lab, victim, 2);
	lab_assert_intact(victim);
}

/* A thread that is not the process's first. */
static pid_t await_thread(pid_t pid)
{
	char path[64];
	pid_t found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	for (double deadline = lab_now() + 60; !found;) {
		DIR *directory = opendir(path);
		struct dirent *entry;

		assert_non_null(directory);
		while ((entry = readdir(directory))) {
			if (atoi(entry->d_name) && atoi(entry->d_name) != pid)
				found = atoi(entry->d_name);
		}
		closedir(directory);
		assert_true(lab_now() < deadline);
	}
	return found;
}

/* It grows by 32 MiB, and then its thread only waits. */
static pid_t grow_a_thread(struct lab *lab, struct victim *victim)
{
	uint64_t wanted = lab_look(lab, victim)->nr_pages + 32 * PAGES_PER_MEBIBYTE;
	double deadline = lab_now() + 60;

	lab_ask(victim, "start grow");
	while (lab_look(lab, victim)->nr_pages < wanted) {
		assert_true(lab_now() < deadline);
		usleep(300000);
	}
	return await_thread(victim->pid);
}

static void a_threaded_group_moves_the_processes_of_its_threads(void **state)
{
	struct lab *lab = *state;
	const char *domain = lab_group(lab, NULL, "lab-domain");
	const char *threads = lab_group_below(lab, domain, "threads", NULL);
	struct victim *victim = lab_member(lab, domain, "--size 8M --node 0");
	struct victim *other = lab_member(lab, domain, "--size 4M --node 0");
	char tid[16];

	assert_true(lab_group_write(threads, "cgroup.type", "threaded"));
	snprintf(tid, sizeof(tid), "%d", grow_a_thread(lab, victim));
	assert_true(lab_group_write(threads, "cgroup.threads", tid));
	assert_false(lab_group_write(threads, "cgroup.procs", "rubbish"));
	assert_int_equal(lab_assert_group_moves(lab, threads, "--to 1")->processes, 1);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_all_on(lab, other, 0);
	assert_int_equal(lab_assert_group_moves(lab, domain, "--to 2")->processes, 2);
	lab_assert_all_on(lab, victim, 2);
	lab_assert_all_on(lab, other, 2);
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
}

static void members_in_another_pid_namespace_are_counted_and_said(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-hidden");
	struct victim *victim = lab_member(lab, group, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run;

	lab_member(lab, group, "--size 4M --node 0");
	run = lab_move_group_by(lab, "unshare --pid --fork --mount-proc ", "--to 1 %s",
				group);
	assert_true(run->status == EXIT_PARTLY || run->status == EXIT_FAILED);
	lab_assert_says(run, "pid namespace");
	lab_assert_nothing_moved(lab, victim, before);
}

/* ------------------------------------------------- groups that do not keep still */

static void a_fork_storm_is_moved_and_comes_to_an_end(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-storm");
	struct victim *victims[3];
	struct run *run;

	for (size_t i = 0; i < 3; i++) {
		victims[i] = lab_member(lab, group, "--size 4M --node 0");
		lab_ask(victims[i], "start fork");
	}
	run = lab_move_group(lab, "--to 1 %s", group);
	for (size_t i = 0; i < 3; i++)
		lab_ask(victims[i], "stop");
	assert_non_null(run->report);
	assert_int_equal(report_left(run->report, "unknown"), 0);
	assert_int_equal(report_left(run->report, "permission"), 0);
	assert_true(run->report->processes >= 3);
	/* Those that were gone before they could be walked are among them. */
	assert_true(run->report->processes_gone <= run->report->processes - 3);
	/* A page may have been shared or under copy at the moment. */
	lab_assert_group_moves(lab, group, "--to 1");
	for (size_t i = 0; i < 3; i++) {
		lab_assert_all_on(lab, victims[i], 1);
		lab_assert_intact(victims[i]);
	}
}

static void members_that_come_and_go_meanwhile_are_moved_or_gone(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-change");
	struct victim *stays = lab_member(lab, group, "--size 24M --node 0");
	struct victim *goes = lab_member(lab, group, "--size 24M --node 0");
	struct victim *comes = lab_victim(lab, "--size 4M --node 0");
	struct run *run =
		lab_start_move_group(lab, "--threads 1 --rate 8M --to 1 %s", group);

	lab_await_on(stays, 1, 256);
	lab_join(group, comes->pid);
	lab_end_victim(lab, goes);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes, 3);
	assert_int_equal(run->report->processes_gone, 1);
	lab_assert_all_on(lab, stays, 1);
	lab_assert_all_on(lab, comes, 1);
	lab_assert_intact(stays);
	lab_assert_intact(comes);
}

static void an_empty_group_has_nothing_to_move(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-empty");
	struct run *run = lab_move_group(lab, "--to 1 %s", group);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->considered.pages, 0);
	assert_int_equal(run->report->processes, 0);
}

static void a_group_that_is_removed_meanwhile_is_said(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-removed");
	struct victim *victim = lab_member(lab, group, "--size 24M --node 0");
	struct run *run = lab_start_move_group(lab, "--rate 8M --to 1 %s", group);

	lab_await_on(victim, 1, 256);
	lab_end_victim(lab, victim);
	lab_shell(lab, NULL, "while ! rmdir %s; do sleep 0.1; done 2>/dev/null", group);
	lab_finish(run);
	lab_assert_says(run, "removed meanwhile");
	assert_non_null(run->report);
	assert_int_equal(run->report->processes_gone, 1);
	run = lab_move_group(lab, "--to 1 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "no such cgroup");
}

/* ------------------------------------------------------------- what does not go */

static void a_member_with_pinned_pages_keeps_them_and_the_others_move(void **state)
{
	struct lab *lab = *state;
	struct lab_pinned members = lab_pinned(lab);
	struct oracle_view *before = lab_look_group(lab, members.group);
	struct run *run = lab_move_group(lab, "--to 1 %s", members.group);

	lab_assert_pinned_left(&members, run);
	lab_assert_accounting(run->report, before, lab_look_group(lab, members.group));
	lab_assert_all_on(lab, members.other, 1);
	lab_assert_intact(members.pinned);
}

static void a_dry_run_says_what_would_move_and_moves_nothing(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-dry");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct json_object *root, *target, *planned;
	struct run *run = lab_migratectl(
		lab, "move-cgroup --json --dry-run --freeze --bind --to 1 %s", group);

	lab_assert_status(run, EXIT_IN_PLACE);
	root = json_tokener_parse(run->out);
	assert_non_null(root);
	target = json_object_array_get_idx(json_object_object_get(root, "targets"), 0);
	planned = json_object_object_get(target, "planned");
	assert_true(json_object_get_uint64(json_object_object_get(planned, "pages")) >=
		    victim->nr_pages);
	json_object_put(root);
	lab_assert_nothing_moved(lab, victim, before);
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "");
	assert_false(lab_is_frozen(group));
}

static void groups_that_fit_only_one_by_one_are_refused_together(void **state)
{
	struct lab *lab = *state;
	const char *groups[] = { lab_group(lab, NULL, "lab-one"),
				 lab_group(lab, NULL, "lab-two") };
	struct victim *victims[2];
	struct oracle_view *before[2];
	struct run *run;

	for (size_t i = 0; i < 2; i++)
		victims[i] = lab_member(lab, groups[i], "--size 48M --node 0");
	lab_leave_free(lab, 3, 96 * MEBIBYTE);
	for (size_t i = 0; i < 2; i++)
		before[i] = lab_look(lab, victims[i]);
	run = lab_move_group(lab, "--to 3 %s %s", groups[0], groups[1]);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "node 3");
	lab_assert_says(run, "--force");
	for (size_t i = 0; i < 2; i++)
		lab_assert_nothing_moved(lab, victims[i], before[i]);
	run = lab_move_group(lab, "--to 3 %s", groups[1]);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victims[1], 3);
}

static void several_groups_are_reported_one_by_one(void **state)
{
	struct lab *lab = *state;
	const char *first = lab_group(lab, NULL, "lab-first");
	const char *second = lab_group(lab, NULL, "lab-second");
	struct victim *one = lab_member(lab, first, "--size 4M --node 0");
	struct victim *two = lab_member(lab, second, "--size 4M --node 2");
	/* Each way to write a path, and one that is not there. */
	struct run *run = lab_move_group(lab, "--to 1 %s %s no-such-group", first,
					 lab_group_name(second) + 1);

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "'no-such-group': no such cgroup");
	assert_int_equal(run->nr_reports, 2);
	assert_string_equal(run->reports[0].cgroup, lab_group_name(first));
	assert_string_equal(run->reports[1].cgroup, lab_group_name(second));
	assert_true(run->reports[0].pairs[0][1] >= one->nr_pages);
	assert_true(run->reports[1].pairs[2][1] >= two->nr_pages);
	lab_assert_all_on(lab, one, 1);
	lab_assert_all_on(lab, two, 1);
	lab_assert_intact(one);
	lab_assert_intact(two);
}

static void a_signal_and_the_time_limit_stop_it_half_way(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-stopped");
	struct victim *victim = lab_member(lab, group, "--size 24M --node 0");
	struct oracle_view *before = lab_look_group(lab, group);
	struct run *run = lab_start_move_group(lab, "--rate 8M --to 1 %s", group);

	lab_await_on(victim, 1, 256);
	kill(run->pid, SIGTERM);
	lab_finish(run);
	lab_assert_status(run, EXIT_PARTLY);
	assert_true(run->report->stopped);
	lab_assert_accounting(run->report, before, lab_look_group(lab, group));
	run = lab_move_group(lab, "--rate 2M --timeout 1s --to 2 %s", group);
	lab_assert_status(run, EXIT_PARTLY);
	assert_true(run->report->timed_out);
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(twenty_processes_with_memory_of_all_kinds_move),
		LAB_TEST(groups_below_go_with_it_and_those_beside_it_stay),
		LAB_TEST(what_only_members_share_is_the_groups_own),
		LAB_TEST(a_threaded_group_moves_the_processes_of_its_threads),
		LAB_TEST(members_in_another_pid_namespace_are_counted_and_said),
		LAB_TEST(a_fork_storm_is_moved_and_comes_to_an_end),
		LAB_TEST(members_that_come_and_go_meanwhile_are_moved_or_gone),
		LAB_TEST(an_empty_group_has_nothing_to_move),
		LAB_TEST(a_group_that_is_removed_meanwhile_is_said),
		LAB_TEST(a_member_with_pinned_pages_keeps_them_and_the_others_move),
		LAB_TEST(a_dry_run_says_what_would_move_and_moves_nothing),
		LAB_TEST(groups_that_fit_only_one_by_one_are_refused_together),
		LAB_TEST(several_groups_are_reported_one_by_one),
		LAB_TEST(a_signal_and_the_time_limit_stop_it_half_way),
	};

	return lab_main(tests, 4);
}
