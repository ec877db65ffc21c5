// SPDX-License-Identifier: GPL-2.0-or-later
/* move-cgroup --freeze: nobody in the group runs while its memory moves, and whoever ran
 * before runs again, whatever becomes of migratectl. */
#include "lab_cgroups.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its answer is there only if it runs. */
static void assert_runs(const char *group, struct victim *victim)
{
	assert_string_equal(lab_group_read(group, "cgroup.freeze"), "0");
	assert_false(lab_is_frozen(group));
	lab_assert_intact(victim);
}

static void a_running_group_stands_still_meanwhile_and_runs_afterwards(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-running");
	struct victim *victim = lab_member(lab, group, "--size 24M --node 0");
	struct victim *busy = lab_member(lab, group, "--size 4M --node 0");
	struct run *run;

	lab_ask(busy, "start write");
	run = lab_start_move_group(lab, "--freeze --rate 8M --to 1 %s", group);
	lab_await_on(victim, 1, 256);
	assert_true(lab_is_frozen(group));
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(report_left(run->report, NULL), 0);
	assert_runs(group, victim);
	lab_ask(busy, "stop");
	lab_assert_intact(busy);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_all_on(lab, busy, 1);
}

/* Nothing is busy, and so all is as in an idle group: to the page. */
static void a_busy_group_that_is_frozen_moves_as_an_idle_one(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-busy");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	const char *below = lab_group_below(lab, group, "below", NULL);
	struct victim *other = lab_member(lab, below, "--size 4M --node 0");
	struct run *run;

	lab_ask(victim, "start fork");
	lab_ask(other, "start write");
	run = lab_move_group(lab, "--freeze --to 1 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->gone.pages, 0);
	assert_int_equal(report_left(run->report, NULL), 0);
	lab_ask(victim, "stop");
	lab_ask(other, "stop");
	lab_assert_all_on(lab, victim, 1);
	lab_assert_all_on(lab, other, 1);
	assert_runs(group, victim);
	assert_runs(below, other);
}

static void a_frozen_group_moves_and_stays_frozen(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-frozen");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");

	assert_true(lab_group_write(group, "cgroup.freeze", "1"));
	lab_await_frozen(group, true);
	lab_assert_group_moves(lab, group, "--freeze --to 1");
	assert_true(lab_is_frozen(group));
	lab_assert_group_moves(lab, group, "--to 2");
	assert_true(lab_is_frozen(group));
	lab_assert_all_on(lab, victim, 2);
	assert_true(lab_group_write(group, "cgroup.freeze", "0"));
	lab_await_frozen(group, false);
	lab_assert_intact(victim);
}

static void what_stands_still_with_its_parent_goes_on_doing_so(void **state)
{
	struct lab *lab = *state;
	const char *parent = lab_group(lab, NULL, "lab-parent");
	const char *group = lab_group_below(lab, parent, "below", NULL);
	struct victim *victim = lab_member(lab, group, "--size 4M --node 0");

	assert_true(lab_group_write(parent, "cgroup.freeze", "1"));
	lab_await_frozen(group, true);
	lab_assert_group_moves(lab, group, "--freeze --to 1");
	assert_true(lab_is_frozen(group));
	assert_string_equal(lab_group_read(group, "cgroup.freeze"), "0");
	assert_true(lab_group_write(parent, "cgroup.freeze", "0"));
	lab_await_frozen(group, false);
	lab_assert_intact(victim);
}

/* A move that would take half a minute. */
static struct run *start_slowly(struct lab *lab, const char *group,
				const struct victim *victim)
{
	struct run *run =
		lab_start_move_group(lab, "--freeze --rate 1M --to 1 %s", group);

	lab_await_on(victim, 1, 128);
	assert_true(lab_is_frozen(group));
	return run;
}

static void it_runs_again_after_a_signal_has_stopped_the_move(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		const char *group =
			lab_group(lab, NULL, i ? "lab-interrupted" : "lab-stopped");
		struct victim *victim = lab_member(lab, group, "--size 32M --node 0");
		struct oracle_view *before = lab_look_group(lab, group);
		struct run *run = start_slowly(lab, group, victim);

		kill(run->pid, signals[i]);
		lab_finish(run);
		lab_assert_status(run, EXIT_PARTLY);
		assert_true(run->report->stopped);
		lab_assert_accounting(run->report, before, lab_look_group(lab, group));
		assert_runs(group, victim);
	}
}

/* It can do nothing about that itself. */
static void it_runs_again_after_migratectl_was_killed(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-killed");
	struct victim *victim = lab_member(lab, group, "--size 32M --node 0");
	struct run *run = start_slowly(lab, group, victim);

	kill(run->pid, SIGKILL);
	lab_finish(run);
	lab_assert_status(run, 128 + SIGKILL);
	lab_await_frozen(group, false);
	assert_runs(group, victim);
	assert_true(lab_count(victim, lab_look(lab, victim), 0) > 0);
	lab_assert_group_moves(lab, group, "--freeze --to 1");
	assert_runs(group, victim);
}

static void a_frozen_group_stays_so_after_migratectl_was_killed(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-killed");
	struct victim *victim = lab_member(lab, group, "--size 32M --node 0");
	struct run *run;

	assert_true(lab_group_write(group, "cgroup.freeze", "1"));
	lab_await_frozen(group, true);
	run = start_slowly(lab, group, victim);
	kill(run->pid, SIGKILL);
	lab_finish(run);
	/* Who would thaw it has had the time to. */
	sleep(2);
	assert_true(lab_is_frozen(group));
	assert_true(lab_group_write(group, "cgroup.freeze", "0"));
	lab_await_frozen(group, false);
	lab_assert_intact(victim);
}

static void a_group_with_migratectl_in_it_is_not_frozen(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-own");
	struct victim *victim = lab_member(lab, group, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	char prefix[160];
	struct run *run;

	/* A vertical tab is a blank within a word. */
	snprintf(prefix, sizeof(prefix),
		 "sh -c echo\v0\v>%s/cgroup.procs;exec\v\"$@\" sh ", group);
	run = lab_move_group_by(lab, prefix, "--freeze --to 1 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "migratectl is in it itself");
	assert_runs(group, victim);
	lab_assert_nothing_moved(lab, victim, before);
	/* Without that it moves itself along. */
	run = lab_move_group_by(lab, prefix, "--to 1 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
}

static void the_root_is_not_frozen(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move_group(lab, "--force --freeze --to 1 /");

	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "cannot be frozen");
	lab_assert_nothing_moved(lab, victim, before);
}

static void of_several_groups_each_is_frozen_in_its_turn(void **state)
{
	struct lab *lab = *state;
	const char *first = lab_group(lab, NULL, "lab-first");
	const char *second = lab_group(lab, NULL, "lab-second");
	struct victim *one = lab_member(lab, first, "--size 24M --node 0");
	struct victim *two = lab_member(lab, second, "--size 4M --node 0");
	struct run *run = lab_start_move_group(lab, "--freeze --rate 8M --to 1 %s %s",
					       first, second);

	lab_await_on(one, 1, 256);
	assert_true(lab_is_frozen(first));
	assert_runs(second, two);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_runs(first, one);
	assert_runs(second, two);
	lab_assert_all_on(lab, one, 1);
	lab_assert_all_on(lab, two, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_running_group_stands_still_meanwhile_and_runs_afterwards),
		LAB_TEST(a_busy_group_that_is_frozen_moves_as_an_idle_one),
		LAB_TEST(a_frozen_group_moves_and_stays_frozen),
		LAB_TEST(what_stands_still_with_its_parent_goes_on_doing_so),
		LAB_TEST(it_runs_again_after_a_signal_has_stopped_the_move),
		LAB_TEST(it_runs_again_after_migratectl_was_killed),
		LAB_TEST(a_frozen_group_stays_so_after_migratectl_was_killed),
		LAB_TEST(a_group_with_migratectl_in_it_is_not_frozen),
		LAB_TEST(the_root_is_not_frozen),
		LAB_TEST(of_several_groups_each_is_frozen_in_its_turn),
	};

	return lab_main(tests, 4);
}
