// SPDX-License-Identifier: GPL-2.0-or-later
/* Destinations that a cpuset forbids: the target's, which move_pages(2) refuses with
 * EACCES, and the caller's, which looks like a lack of memory. */
#include "lab.h"

static void a_destination_outside_the_targets_cpuset_is_refused(void **state)
{
	struct lab *lab = *state;
	struct lab_as as = { .cgroup = lab_cgroup(lab, "target", "0-1") };
	struct victim *victim = lab_victim_as(lab, &as, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move(lab, "--to 2 %d", victim->pid);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "cpuset");
	lab_assert_says(run, "node 2");
	lab_assert_nothing_moved(lab, victim, before);
	lab_assert_moves(lab, victim, "--to 1");
}

static void with_force_it_is_the_reason_for_what_is_left(void **state)
{
	struct lab *lab = *state;
	struct lab_as as = { .cgroup = lab_cgroup(lab, "target", "0-1") };
	struct victim *victim = lab_victim_as(lab, &as, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move(lab, "--force --to 2 %d", victim->pid);

	assert_int_equal(run->report->moved.pages, 0);
	lab_assert_status(run, run->report->already.pages ? EXIT_PARTLY : EXIT_FAILED);
	lab_assert_accounting(run->report, before, lab_look(lab, victim));
	assert_true(report_left(run->report, "cpuset-target") >= victim->nr_pages);
	assert_int_equal(report_left(run->report, NULL),
			 report_left(run->report, "cpuset-target"));
	lab_assert_all_on(lab, victim, 0);
}

static void a_destination_outside_the_callers_cpuset_is_refused(void **state)
{
	struct lab *lab = *state;
	struct lab_as as = { .cgroup = lab_cgroup(lab, "caller", "0-1") };
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move_as(lab, &as, "--to 2 %d", victim->pid);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "cpuset");
	lab_assert_nothing_moved(lab, victim, before);
}

static void with_force_it_is_not_taken_for_a_lack_of_memory(void **state)
{
	struct lab *lab = *state;
	struct lab_as as = { .cgroup = lab_cgroup(lab, "caller", "0-1") };
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move_as(lab, &as, "--force --to 2 %d", victim->pid);

	assert_int_equal(run->report->moved.pages, 0);
	lab_assert_status(run, run->report->already.pages ? EXIT_PARTLY : EXIT_FAILED);
	lab_assert_accounting(run->report, before, lab_look(lab, victim));
	assert_true(report_left(run->report, "cpuset-caller") >= victim->nr_pages);
	assert_int_equal(report_left(run->report, NULL),
			 report_left(run->report, "cpuset-caller"));
}

/* Memory that a policy binds to its node moves, and new memory will not: a warning. */
static void a_policy_that_binds_to_the_source_is_warned_of(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0 --keep-policy");
	struct run *run = lab_move(lab, "--to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_says(run, "warning");
	lab_assert_says(run, "memory policy");
	lab_assert_all_on(lab, victim, 1);
}

static void numa_balancing_is_warned_of(void **state)
{
	struct lab *lab = *state;
	struct lab_as as = { 0 };
	struct victim *victim;
	struct run *run;

	lab_set(lab, "/proc/sys/kernel/numa_balancing", "1");
	victim = lab_victim_as(lab, &as, "--size 4M --node 0");
	/* It runs on the first node's processor, whatever the scheduler would like. */
	lab_shell(lab, NULL, "taskset -p 1 %d >/dev/null", victim->pid);
	lab_assert_intact(victim);
	run = lab_move(lab, "--to 3 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_says(run, "balancing");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_destination_outside_the_targets_cpuset_is_refused),
		LAB_TEST(with_force_it_is_the_reason_for_what_is_left),
		LAB_TEST(a_destination_outside_the_callers_cpuset_is_refused),
		LAB_TEST(with_force_it_is_not_taken_for_a_lack_of_memory),
		LAB_TEST(a_policy_that_binds_to_the_source_is_warned_of),
		LAB_TEST(numa_balancing_is_warned_of),
	};

	return lab_main(tests, 4);
}
