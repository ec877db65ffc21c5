// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that is made to be shared: anonymous, memfd, System V, tmpfs. */
#include "lab.h"

#include <stdio.h>

static const char *const kinds[] = { "shmem", "memfd", "sysv", "tmpfs" };

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void it_moves_with_its_only_process(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < NR_KINDS; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 0", kinds[i]);
		const struct report *report = lab_assert_moves(lab, victim, "--to 1");

		assert_in_range(report->pairs[0][1], victim->nr_pages,
				report->moved.pages);
		lab_assert_all_on(lab, victim, 1);
		lab_end_victim(lab, victim);
	}
}

static void what_another_process_maps_moves_by_default(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < NR_KINDS; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 0", kinds[i]);

		lab_fork(victim, 1);
		/* The child maps nothing of it before it looks. */
		lab_assert_intact(victim);
		lab_assert_status(lab_move(lab, "--to 1 %d", victim->pid), EXIT_IN_PLACE);
		lab_assert_all_on(lab, victim, 1);
		lab_assert_intact(victim);
		lab_end_victim(lab, victim);
	}
}

static void what_another_process_maps_stays_if_no_shared_page_may_move(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < NR_KINDS; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 0", kinds[i]);
		struct run *run;

		lab_fork(victim, 1);
		lab_assert_intact(victim);
		run = lab_move(lab, "--shared none --to 1 %d", victim->pid);
		lab_assert_status(run, EXIT_IN_PLACE);
		assert_true(report_skipped(run->report, "shared") >= victim->nr_pages);
		lab_assert_all_on(lab, victim, 0);
		lab_end_victim(lab, victim);
	}
}

/* Its pages are in memory, and page cache of nobody's mapping is not the process's. */
static void pages_that_it_no_longer_maps_are_not_considered(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind memfd --size 4M --node 0");
	const struct report *report;

	lab_ask(victim, "unmap");
	report = lab_assert_moves(lab, victim, "--to 1");
	assert_in_range(report->pairs[0][1], victim->nr_pages / 2, victim->nr_pages - 1);
}

/* mbind(2) would leave its policy behind in the inode, for every later page. */
static void no_policy_is_left_behind(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind tmpfs --size 4M --node 0");

	lab_assert_moves(lab, victim, "--to 1");
	lab_shell(lab, NULL, "! grep -E 'bind|prefer|interleave' /proc/%d/numa_maps",
		  victim->pid);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(it_moves_with_its_only_process),
		LAB_TEST(what_another_process_maps_moves_by_default),
		LAB_TEST(what_another_process_maps_stays_if_no_shared_page_may_move),
		LAB_TEST(pages_that_it_no_longer_maps_are_not_considered),
		LAB_TEST(no_policy_is_left_behind),
	};

	return lab_main(tests, 4);
}
