// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that don't keep still while they are moved: they write, map, unmap, grow,
 * fork, exec and exit. A move that is to be met half-way is slowed down and paused. */
#include "lab.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A move of 16 MiB to node 1 that has come to a few pages and stands still. */
static struct run *move_half_way(struct lab *lab, struct victim *victim)
{
	return lab_move_half_way(lab, victim, 1, "");
}

static void a_process_that_writes_all_the_time_is_moved(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run;

	lab_ask(victim, "start write");
	run = lab_move_busy(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
	run = lab_move_busy(lab, "--to 2 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_ask(victim, "stop");
	lab_assert_all_on(lab, victim, 2);
	lab_assert_intact(victim);
}

static void a_process_that_maps_unmaps_remaps_and_grows_is_moved(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run;

	lab_ask(victim, "start write");
	lab_ask(victim, "start churn");
	lab_ask(victim, "start remap");
	lab_ask(victim, "start grow");
	for (int to = 1; to <= 3; to++) {
		run = lab_move_busy(lab, "--to %d %d", to, victim->pid);
		assert_int_equal(report_left(run->report, "unknown"), 0);
		lab_assert_all_on(lab, victim, to);
	}
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
}

static void await_hints(uint64_t nr_hints)
{
	double deadline = lab_now() + 60;

	while (oracle_vmstat("numa_pte_updates") < nr_hints) {
		if (lab_now() > deadline)
			fail_msg("NUMA balancing does not look at the process");
		usleep(20000);
	}
}

/* Pages with hints of NUMA balancing look absent to move_pages(2) on 6.1. */
static void numa_balancing_does_not_hide_pages(void **state)
{
	uint64_t nr_hints;
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run;

	nr_hints = oracle_vmstat("numa_pte_updates");
	lab_set(lab, "/proc/sys/kernel/numa_balancing", "1");
	lab_set(lab, "/sys/kernel/debug/sched/numa_balancing/scan_delay_ms", "10");
	lab_set(lab, "/sys/kernel/debug/sched/numa_balancing/scan_period_min_ms", "20");
	lab_ask(victim, "start write");
	await_hints(nr_hints + victim->nr_pages);
	run = lab_move_busy(lab, "--to 1 %d", victim->pid);
	assert_int_equal(report_left(run->report, NULL), 0);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
}

static void what_settles_later_is_read_again(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 0");
	const struct report *report;
	report = lab_assert_moves(lab, victim, "--settle 1s --to 1");
	assert_true(report->has_settled);
	assert_memory_equal(report->settled_bytes, report->after_bytes,
			    sizeof(report->after_bytes));
}

static void a_process_that_exits_is_gone_and_no_error(void **state)
{
	struct lab *lab = *state;

	for (int is_reaped = 0; is_reaped <= 1; is_reaped++) {
		struct victim *victim = lab_victim(lab, "--size 16M --node 0");
		struct run *run = move_half_way(lab, victim);
		siginfo_t info;

		lab_tell(victim, "exit");
		assert_int_equal(waitid(P_PID, (id_t)victim->pid, &info,
					WEXITED | (is_reaped ? 0 : WNOWAIT)),
				 0);
		lab_resume(run);
		lab_finish(run);
		lab_assert_status(run, EXIT_IN_PLACE);
		assert_int_equal(run->report->processes_gone, 1);
		assert_int_equal(report_left(run->report, NULL), 0);
	}
}

static void others_are_moved_though_one_exits(void **state)
{
	struct lab *lab = *state;
	struct victim *first = lab_victim(lab, "--size 16M --node 0");
	struct victim *second = lab_victim(lab, "--size 4M --node 0");
	char behind[32];
	struct run *run;
	siginfo_t info;

	snprintf(behind, sizeof(behind), "%d", second->pid);
	run = lab_move_half_way(lab, first, 1, behind);
	lab_tell(first, "exit");
	assert_int_equal(waitid(P_PID, (id_t)first->pid, &info, WEXITED | WNOWAIT), 0);
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->nr_reports, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(run->reports[i].processes_gone,
				 run->reports[i].pid == first->pid);
	lab_assert_all_on(lab, second, 1);
}

static void what_a_process_execs_is_not_touched(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run = move_half_way(lab, victim);

	lab_tell(victim, "exec");
	lab_await_ready(victim);
	lab_assert_all_on(lab, victim, 0);
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes_gone, 1);
	lab_assert_all_on(lab, victim, 0);
	lab_assert_intact(victim);
}

/* The new process has the old one's pid before migratectl can look again. */
static void a_process_that_got_the_pid_of_another_is_not_touched(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct lab_as as = { .pid = victim->pid };
	struct run *run = move_half_way(lab, victim);
	struct oracle_view *before;

	lab_end_victim(lab, victim);
	victim = lab_victim_as(lab, &as, "--size 16M --node 0");
	assert_int_equal(victim->pid, as.pid);
	before = lab_look(lab, victim);
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes_gone, 1);
	lab_assert_nothing_moved(lab, victim, before);
	lab_assert_intact(victim);
}

static void what_is_unmapped_half_way_is_gone(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run = move_half_way(lab, victim);

	lab_ask(victim, "unmap");
	victim->end -= (victim->end - victim->start) / 2;
	victim->nr_pages /= 2;
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(report_left(run->report, NULL), 0);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_intact(victim);
}

static void what_is_remapped_half_way_is_never_reported_wrongly(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run = move_half_way(lab, victim);
	struct oracle_view *after;

	lab_ask(victim, "remap");
	lab_resume(run);
	lab_finish(run);
	after = lab_look(lab, victim);
	for (int node = 0; node < 4; node++)
		assert_int_equal(run->report->after_bytes[node] / PAGE_BYTES,
				 oracle_count(after, node, 0, UINT64_MAX));
	lab_assert_intact(victim);
	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
}

static void what_is_given_back_and_filled_anew_is_right(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run = move_half_way(lab, victim);

	lab_ask(victim, "refill");
	lab_resume(run);
	lab_finish(run);
	assert_int_equal(report_left(run->report, NULL), 0);
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_process_that_writes_all_the_time_is_moved),
		LAB_TEST(a_process_that_maps_unmaps_remaps_and_grows_is_moved),
		LAB_TEST(numa_balancing_does_not_hide_pages),
		LAB_TEST(what_settles_later_is_read_again),
		LAB_TEST(a_process_that_exits_is_gone_and_no_error),
		LAB_TEST(others_are_moved_though_one_exits),
		LAB_TEST(what_a_process_execs_is_not_touched),
		LAB_TEST(a_process_that_got_the_pid_of_another_is_not_touched),
		LAB_TEST(what_is_unmapped_half_way_is_gone),
		LAB_TEST(what_is_remapped_half_way_is_never_reported_wrongly),
		LAB_TEST(what_is_given_back_and_filled_anew_is_right),
	};

	return lab_main(tests, 4);
}
