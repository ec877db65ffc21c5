// SPDX-License-Identifier: GPL-2.0-or-later
/* Moves that are stopped, or bounded in time, rate, stall, and memory. */
#include "lab.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		struct run *run = lab_move_half_way(lab, victim, 1, "");

		kill(run->pid, signals[i]);
		lab_resume(run);
		lab_finish(run);
		assert_true(run->report->stopped);
		assert_false(run->report->timed_out);
		assert_stopped_half_way(lab, victim, run, victim->before);
		lab_assert_intact(victim);
	}
}

/* Returns whether it came in the middle. */
static bool stop_at_full_speed(struct lab *lab, struct victim *victim)
{
	uint64_t before = oracle_vmstat("pgmigrate_success");
	struct run *run = lab_start_move(lab, "--to 1 %d", victim->pid);
	double sent;

	while (!lab_has_ended(run) && oracle_vmstat("pgmigrate_success") < before + 512)
		usleep(1000);
	sent = lab_now();
	kill(run->pid, SIGINT);
	lab_finish(run);
	printf("stopped after %.3f s\n", lab_now() - sent);
	if (run->status == EXIT_IN_PLACE)
		return false;
	lab_assert_status(run, EXIT_PARTLY);
	assert_true(run->report->stopped);
	assert_true(lab_count(victim, lab_look(lab, victim), 0) > 0);
	return true;
}

/* Not between slow steps, but while it works as fast as it can: soon enough to be before
 * its end, most times. */
static void a_signal_in_the_middle_of_the_work_is_obeyed_soon(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 512M --node 0");
	int nr_tries = 1;

	for (; !stop_at_full_speed(lab, victim); nr_tries++) {
		assert_true(nr_tries < 5);
		lab_assert_status(lab_move(lab, "--to 0 %d", victim->pid), EXIT_IN_PLACE);
	}
	lab_assert_intact(victim);
}

/* Bounded in time, and more slowly the more time it has: on a machine that stood still
 * it may have done nothing at all by then. */
static struct run *stop_by_time_limit(struct lab *lab, struct victim *victim,
				      struct oracle_view **ret_before)
{
	struct run *run = NULL;

	for (unsigned int seconds = 1; seconds <= 16; seconds *= 2) {
		*ret_before = lab_look(lab, victim);
		run = lab_move(lab, "--rate %uM --timeout %us --to 1 %d", 16 / seconds,
			       seconds, victim->pid);
		assert_true(run->report->timed_out);
		if (run->report->moved.pages > 0)
			break;
	}
	return run;
}

static void the_time_limit_stops_it(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	struct oracle_view *before;
	struct run *run = stop_by_time_limit(lab, victim, &before);

	assert_true(run->report->seconds >= 1);
	assert_stopped_half_way(lab, victim, run, before);
	lab_assert_intact(victim);
}

static void a_stopped_move_can_be_finished_later(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	struct oracle_view *before;

	lab_assert_status(stop_by_time_limit(lab, victim, &before), EXIT_PARTLY);
	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
}

/* Never faster; and not much slower, unless the machine itself is. */
static void the_rate_is_kept(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	double best = 1e9;

	for (int i = 0; i < 5 && best > 4; i++) {
		double seconds =
			lab_assert_moves(lab, victim, "--rate 16M --to %d", 1 - i % 2)
				->seconds;

		/* The first piece goes at once. */
		assert_true(seconds > 1.3);
		best = seconds < best ? seconds : best;
	}
	assert_true(best < 6);
}

#define TRACE "/sys/kernel/tracing/instances/lab"
#define TRACED TRACE "/events/syscalls/sys_enter_move_pages"

/* Of the calls that move, in an instance of its own. */
static void trace_calls(struct lab *lab)
{
	lab_shell(lab, "echo 0 >" TRACED "/enable; rmdir " TRACE,
		  "mkdir " TRACE " && echo 'nodes != 0' >" TRACED "/filter && "
		  "echo 1 >" TRACED "/enable");
}

/* The most pages that were given to one call since the last time. */
static unsigned long take_longest_call(struct lab *lab)
{
	unsigned long nr_pages, most = 0;
	FILE *stream = fopen(TRACE "/trace", "re");
	char line[512], *at;

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		at = strstr(line, "nr_pages: ");
		if (!at)
			continue;
		nr_pages = strtoul(at + strlen("nr_pages: "), NULL, 16);
		most = nr_pages > most ? nr_pages : most;
	}
	fclose(stream);
	lab_shell(lab, NULL, ": >" TRACE "/trace");
	return most;
}

/* How long a call takes is up to the machine, too, which may stand still meanwhile; how
 * much it is given is up to migratectl, and adapts to that. */
static void a_call_is_given_no_more_than_it_may_take(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 64M --node 0");
	unsigned long most_by_default, most;

	trace_calls(lab);
	lab_assert_moves(lab, victim, "--to 1");
	most_by_default = take_longest_call(lab);
	printf("longest call: %.3f s\n",
	       lab_assert_moves(lab, victim, "--max-stall 10ms --to 0")
		       ->longest_call_seconds);
	most = take_longest_call(lab);
	printf("pages in one call: %lu, by default %lu\n", most, most_by_default);
	assert_in_range(most, 16, most_by_default / 2);
}

static long own_anonymous_kib(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[128];
	long kib = LONG_MAX;

	assert_non_null(status);
	while (fgets(line, sizeof(line), status))
		sscanf(line, "RssAnon: %ld kB", &kib);
	fclose(status);
	return kib;
}

/* The lowest peak of some moves to and fro: when pages are busy, lists of fixed size
 * come to use that otherwise don't. */
static long measure_peak(struct lab *lab, const struct victim *victim)
{
	long peak_kib = LONG_MAX;

	for (int i = 0; i < 4; i++) {
		struct run *run =
			lab_move(lab, "--threads 2 --to %d %d", 1 - i % 2, victim->pid);

		lab_assert_status(run, EXIT_IN_PLACE);
		assert_true(run->report->moved.pages >= victim->nr_pages);
		assert_in_range(run->whole_peak_kib, 1024, 8191);
		/* What the program had before it became migratectl is less. */
		assert_true(own_anonymous_kib() < run->whole_peak_kib / 2);
		if (run->whole_peak_kib < peak_kib)
			peak_kib = run->whole_peak_kib;
	}
	return peak_kib;
}

/* Every worker has its buffers, so with the same number of workers. Eight bytes for each
 * page would be 896 KiB more; the kernel counts no better than to some hundred. */
static void memory_does_not_grow_with_the_process(void **state)
{
	static const unsigned int mebibytes[] = { 64, 512 };
	struct lab *lab = *state;
	long peak_kib[2];

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim =
			lab_victim(lab, "--size %uM --node 0", mebibytes[i]);

		peak_kib[i] = measure_peak(lab, victim);
		printf("%u MiB: peak of %ld KiB\n", mebibytes[i], peak_kib[i]);
		lab_end_victim(lab, victim);
	}
	assert_true(peak_kib[1] < peak_kib[0] + 600);
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
		LAB_TEST(a_call_is_given_no_more_than_it_may_take),
	};

	return lab_main(tests, 4);
}
