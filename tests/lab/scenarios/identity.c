// SPDX-License-Identifier: GPL-2.0-or-later
/* Pids that are not an ordinary process's. */
#include "lab.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_kernel_thread_is_refused(void **state)
{
	struct lab *lab = *state;
	struct run *run = lab_move(lab, "--to 1 2");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "kernel thread");
}

static void a_zombie_is_refused(void **state)
{
	struct lab *lab = *state;
	pid_t pid = fork();
	siginfo_t info;
	struct run *run;

	if (pid == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	run = lab_move(lab, "--to 1 %d", pid);
	waitpid(pid, NULL, 0);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "zombie");
}

static void a_pid_that_nobody_has_is_refused(void **state)
{
	struct lab *lab = *state;
	struct run *run = lab_move(lab, "--to 1 4000000");

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "4000000");
}

static void pid_0_is_misuse(void **state)
{
	struct lab *lab = *state;

	lab_assert_status(lab_move(lab, "--to 1 0"), EXIT_MISUSED);
}

static void pid_1_is_a_process_like_any_other(void **state)
{
	struct lab *lab = *state;
	struct oracle_view *before = lab_look_pid(lab, 1);
	struct run *run = lab_move(lab, "--shared all --to 3 1");

	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_accounting(run->report, before, lab_look_pid(lab, 1));
	assert_true(run->report->moved.pages > 0);
}

static void migratectl_can_move_itself(void **state)
{
	struct lab *lab = *state;
	struct run *run;

	/* It may run on any node, but its memory is on node 0 at first. */
	lab_shell(lab, NULL, "echo 'exec %s move-pid --json --to 3 $$' >/tmp/move-itself",
		  getenv("MIGRATECTL"));
	run = lab_program(lab, "numactl --preferred=0 sh /tmp/move-itself");
	lab_expect_report(run);
	lab_finish(run);
	assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
	assert_true(run->report->moved.pages > 0);
}

static void a_process_in_another_pid_namespace_goes_by_the_outer_pid(void **state)
{
	struct lab_as as = { .own_pid_namespace = true };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &as, "--size 8M --node 0");

	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
}

/* Of the pids that the victim knows of them nobody here knows anything. */
static void await_children(pid_t pid, unsigned int nr)
{
	double deadline = lab_now() + 60;
	unsigned int nr_found;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	do {
		if (lab_now() > deadline)
			fail_msg("the process has no children");
		usleep(10000);
		nr_found = 0;
		for (const char *at = lab_read(path); *at; at++)
			nr_found += *at == ' ';
	} while (nr_found < nr);
}

static void a_tree_across_a_pid_namespace_is_found(void **state)
{
	struct lab_as as = { .own_pid_namespace = true };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &as, "--size 8M --node 0");
	struct run *run;

	lab_tell(victim, "fork 2");
	await_children(victim->pid, 2);
	run = lab_move(lab, "--tree --to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes, 3);
	lab_assert_all_on(lab, victim, 1);
}

static pid_t other_thread_of(pid_t pid)
{
	struct dirent *entry;
	pid_t found = 0;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) && !found) {
		if (atoi(entry->d_name) != pid)
			found = atoi(entry->d_name);
	}
	closedir(directory);
	return found;
}

static void a_process_whose_leader_has_left_is_moved(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct oracle_view *view;
	struct run *run;

	lab_ask(victim, "leave-leader");
	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	view = lab_look_pid(lab, other_thread_of(victim->pid));
	assert_int_equal(lab_count(victim, view, 1), victim->nr_pages);
	assert_int_equal(run->report->considered.pages, view->nr_pages);
	lab_assert_intact(victim);
}

/* Threads share one memory: it is moved and counted once. */
static void a_thread_and_its_process_are_one_target(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct run *run;
	pid_t thread;

	lab_ask(victim, "start churn");
	thread = other_thread_of(victim->pid);
	run = lab_move_busy(lab, "--to 1 %d", thread);
	lab_assert_status(run, EXIT_IN_PLACE);

	lab_assert_all_on(lab, victim, 1);
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_kernel_thread_is_refused),
		LAB_TEST(a_zombie_is_refused),
		LAB_TEST(a_pid_that_nobody_has_is_refused),
		LAB_TEST(pid_0_is_misuse),
		LAB_TEST(pid_1_is_a_process_like_any_other),
		LAB_TEST(migratectl_can_move_itself),
		LAB_TEST(a_process_in_another_pid_namespace_goes_by_the_outer_pid),
		LAB_TEST(a_tree_across_a_pid_namespace_is_found),
		LAB_TEST(a_process_whose_leader_has_left_is_moved),
		LAB_TEST(a_thread_and_its_process_are_one_target),
	};

	return lab_main(tests, 4);
}
