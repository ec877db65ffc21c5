// SPDX-License-Identifier: GPL-2.0-or-later
/* Moves that are stopped, or bounded in time, rate, stall, and memory. */
#include "lab.h"

#include <signal.h>
#include <stdio.h>

/* A move that was stopped half-way: the report has what was done, to the page. */
static void assert_stopped_half_way(struct lab *lab, const struct victim *victim,
				    const struct run *run,
				    const struct oracle_view *before)
{
	struct oracle_view *after = lab_look(lab, victim);

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_accounting(run->report, before, after);
	assert_true(lab_count(victim, after, 1) > 0);
	assert_true(lab_count(victim, after, 0) > 0);
	assert_true(report_skipped(run->report, "stopped") >=
		    lab_count(victim, after, 0));
	assert_int_equal(report_left(run->report, NULL), 0);
}

static void a_signal_stops_it_and_the_report_says_what_was_done(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim = lab_victim(lab, "--size 32M --node 0");
		struct oracle_view *before = lab_look(lab, victim);
		struct run *run = lab_start_move(lab, "--rate 8M --to 1 %d", victim->pid);
		double sent;

		lab_await_moving(victim, 1, 512);
		sent = lab_now();
		kill(run->pid, signals[i]);
		lab_finish(run);
		assert_true(lab_now() - sent < 3);
		assert_true(run->report->stopped);
		assert_false(run->report->timed_out);
		assert_stopped_half_way(lab, victim, run, before);
		lab_assert_intact(victim);
	}
}

/* Not between slow steps, but while it works as fast as it can. */
static void a_signal_in_the_middle_of_the_work_is_obeyed_soon(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 512M --node 0");
	struct run *run = lab_start_move(lab, "--to 1 %d", victim->pid);
	double sent;

	lab_await_moving(victim, 1, 512);
	sent = lab_now();
	kill(run->pid, SIGINT);
	lab_finish(run);
	printf("stopped after %.3f s\n", lab_now() - sent);
	/* Long enough for a busy host, and much less than all of it takes there. */
	assert_true(lab_now() - sent < 15);
	assert_true(lab_count(victim, lab_look(lab, victim), 0) > 0);
	lab_assert_status(run, EXIT_PARTLY);
	assert_true(run->report->stopped);
	lab_assert_intact(victim);
}

static void the_time_limit_stops_it(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move(lab, "--rate 8M --timeout 2s --to 1 %d", victim->pid);

	assert_true(run->report->timed_out);
	assert_in_range((uint64_t)run->seconds, 1, 6);
	assert_stopped_half_way(lab, victim, run, before);
	lab_assert_intact(victim);
}

static void a_stopped_move_can_be_finished_later(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");

	lab_assert_status(lab_move(lab, "--rate 8M --timeout 1s --to 1 %d", victim->pid),
			  EXIT_PARTLY);
	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
}

static void the_rate_is_kept(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	const struct report *report = lab_assert_moves(lab, victim, "--rate 16M --to 1");

	/* The first piece goes at once. */
	assert_true(report->seconds > 1.3);
	assert_true(report->seconds < 6);
}

/* A host that is busy elsewhere stalls the machine as a whole now and then: the best of
 * a few runs counts. */
static void no_call_takes_much_longer_than_it_may(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 64M --node 0");
	double best = 1e9;

	for (int i = 0; i < 4 && best > 0.1; i++) {
		double longest = lab_assert_moves(lab, victim, "--max-stall 10ms --to %d",
						  1 - i % 2)
					 ->longest_call_seconds;

		printf("longest call: %.3f s\n", longest);
		best = longest < best ? longest : best;
	}
	assert_true(best < 0.25);
}

/* Every worker has its buffers, so with the same number of workers. */
static void memory_does_not_grow_with_the_process(void **state)
{
	static const unsigned int mebibytes[] = { 64, 512 };
	struct lab *lab = *state;
	long peak_kib[2];

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim =
			lab_victim(lab, "--size %uM --node 0", mebibytes[i]);
		struct run *run = lab_move(lab, "--to 1 %d", victim->pid);

		lab_assert_status(run, EXIT_IN_PLACE);
		assert_true(run->report->moved.pages >= victim->nr_pages);
		assert_in_range(run->peak_kib, 1024, 8191);
		run = lab_move(lab, "--threads 2 --to 0 %d", victim->pid);
		lab_assert_status(run, EXIT_IN_PLACE);
		peak_kib[i] = run->peak_kib;
		printf("%u MiB: peak of %ld KiB\n", mebibytes[i], peak_kib[i]);
		lab_end_victim(lab, victim);
	}
	assert_true(peak_kib[1] < peak_kib[0] + 512);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(memory_does_not_grow_with_the_process),
		LAB_TEST(a_signal_stops_it_and_the_report_says_what_was_done),
		LAB_TEST(a_signal_in_the_middle_of_the_work_is_obeyed_soon),
		LAB_TEST(the_time_limit_stops_it),
		LAB_TEST(a_stopped_move_can_be_finished_later),
		LAB_TEST(the_rate_is_kept),
		LAB_TEST(no_call_takes_much_longer_than_it_may),
	};

	return lab_main(tests, 4);
}
