// SPDX-License-Identifier: GPL-2.0-or-later
/* The plain case: a process's own memory, asked for in every way. */
#include "lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void a_process_moves_to_another_node(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	const struct report *report = lab_assert_moves(lab, victim, "--to 1");

	lab_assert_all_on(lab, victim, 1);
	assert_int_equal(report->pid, victim->pid);
	assert_int_equal(report->processes, 1);
	assert_in_range(report->pairs[0][1], victim->nr_pages, report->moved.pages);
	assert_true(report->seconds > 0);
	assert_true(report->longest_call_seconds > 0);
	assert_true(report->longest_call_seconds <= report->seconds);
}

static void it_moves_back_and_then_there_is_nothing_to_do(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 2");
	const struct report *report;

	lab_assert_moves(lab, victim, "--to 3");
	lab_assert_moves(lab, victim, "--to 2");
	lab_assert_all_on(lab, victim, 2);
	report = lab_assert_moves(lab, victim, "--to 2");
	/* At most what the check touched for the first time. */
	assert_in_range(report->moved.pages, 0, 32);
	assert_true(report->already.pages >= victim->nr_pages);
}

static void the_heap_and_the_stack_move(void **state)
{
	static const char *const kinds[] = { "heap", "stack" };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 0", kinds[i]);

		lab_assert_moves(lab, victim, "--to 1");
		lab_assert_all_on(lab, victim, 1);
	}
}

static void memory_in_parts_on_all_nodes_is_gathered(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0,1,2,3");
	const struct report *report = lab_assert_moves(lab, victim, "--to 2");
	uint64_t quarter = victim->nr_pages / 4;

	lab_assert_all_on(lab, victim, 2);
	assert_true(report->pairs[0][2] >= quarter);
	assert_true(report->pairs[1][2] >= quarter);
	assert_true(report->pairs[3][2] >= quarter);
	assert_true(report->already.pages >= quarter);
}

static void a_stopped_process_moves(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct run *run;

	kill(victim->pid, SIGSTOP);
	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
	kill(victim->pid, SIGCONT);
	lab_assert_intact(victim);
}

static void mlocked_memory_moves_and_stays_locked(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind mlocked --size 8M --node 0");

	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
	lab_shell(lab, NULL, "grep -q 'VmLck:.* 8192 kB' /proc/%d/status", victim->pid);
}

static void several_processes_are_reported_one_by_one(void **state)
{
	struct lab *lab = *state;
	struct victim *first = lab_victim(lab, "--size 4M --node 0");
	struct victim *second = lab_victim(lab, "--size 8M --node 2");
	struct run *run = lab_move(lab, "--to 1 %d %d", first->pid, second->pid);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->nr_reports, 2);
	assert_int_equal(run->reports[0].pid, first->pid);
	assert_int_equal(run->reports[1].pid, second->pid);
	assert_true(run->reports[1].pairs[2][1] >= second->nr_pages);
	lab_assert_all_on(lab, first, 1);
	lab_assert_all_on(lab, second, 1);
	lab_assert_intact(first);
	lab_assert_intact(second);
}

static void pids_are_read_from_standard_input(void **state)
{
	struct lab *lab = *state;
	struct victim *first = lab_victim(lab, "--size 4M --node 0");
	struct victim *second = lab_victim(lab, "--size 4M --node 0");
	struct lab_as as = { 0 };
	char input[64];
	struct run *run;

	snprintf(input, sizeof(input), "%d\n%d\n", first->pid, second->pid);
	as.input = input;
	run = lab_move_as(lab, &as, "--to 1 -");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->nr_reports, 2);
	lab_assert_all_on(lab, first, 1);
	lab_assert_all_on(lab, second, 1);
}

static void a_dry_run_moves_nothing(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run =
		lab_migratectl(lab, "move-pid --dry-run --to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_nothing_moved(lab, victim, before);
}

static void one_worker_and_several_do_the_same(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	const struct report *report = lab_assert_moves(lab, victim, "--threads 1 --to 1");

	assert_int_equal(report->threads, 1);
	lab_assert_all_on(lab, victim, 1);
	report = lab_assert_moves(lab, victim, "--threads 3 --to 0");
	assert_in_range(report->threads, 1, 3);
	lab_assert_all_on(lab, victim, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_process_moves_to_another_node),
		LAB_TEST(it_moves_back_and_then_there_is_nothing_to_do),
		LAB_TEST(the_heap_and_the_stack_move),
		LAB_TEST(memory_in_parts_on_all_nodes_is_gathered),
		LAB_TEST(a_stopped_process_moves),
		LAB_TEST(mlocked_memory_moves_and_stays_locked),
		LAB_TEST(several_processes_are_reported_one_by_one),
		LAB_TEST(pids_are_read_from_standard_input),
		LAB_TEST(a_dry_run_moves_nothing),
		LAB_TEST(one_worker_and_several_do_the_same),
	};

	return lab_main(tests, 4);
}
