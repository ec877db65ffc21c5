// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that aren't simply there: merged, swapped out, never touched, protected,
 * scattered over a terabyte, secret. */
#include "lab.h"

#include <stdlib.h>
#include <unistd.h>

#define KSM "/sys/kernel/mm/ksm/"

static void await_merged(uint64_t nr_pages)
{
	double deadline = lab_now() + 240;

	while (strtoull(lab_read(KSM "pages_sharing"), NULL, 10) < nr_pages) {
		if (lab_now() > deadline)
			fail_msg("KSM merges nothing");
		usleep(50000);
	}
}

static void merged_pages_move_for_all_who_share_them(void **state)
{
	struct lab *lab = *state;
	struct oracle_change change;
	struct oracle_view *before;
	struct victim *victim;
	struct run *run;

	lab_set(lab, KSM "sleep_millisecs", "10");
	lab_set(lab, KSM "pages_to_scan", "5000");
	lab_set(lab, KSM "run", "1");
	victim = lab_victim(lab, "--kind ksm --size 4M --node 0");
	await_merged(victim->nr_pages - 64);
	/* No more merging or unmerging while they are counted. */
	lab_set(lab, KSM "run", "0");
	before = lab_look(lab, victim);
	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	change = lab_assert_accounting(run->report, before, lab_look(lab, victim));
	assert_true(change.nr_moved - change.nr_moved_frames >= victim->nr_pages - 64);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_intact(victim);
}

static void swapped_out_memory_is_reported_and_stays_out(void **state)
{
	struct lab *lab = *state;
	const struct report *report;
	struct oracle_view *view;
	struct victim *victim;

	lab_swap_on(lab, 64);
	victim = lab_victim(lab, "--kind swapped --size 8M --node 0");
	view = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, view, -1), 0);
	assert_true(view->nr_swapped >= victim->nr_pages);
	report = lab_assert_moves(lab, victim, "--to 1");
	assert_true(report->swapped_pages >= victim->nr_pages - UNSEEN_SWAPPED_PAGES);
}

static void untouched_memory_and_the_zero_pages_are_not_moved(void **state)
{
	static const char *const kinds[] = { "untouched", "huge-zero" };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 8M --node 0", kinds[i]);

		assert_true(lab_look(lab, victim)->nr_zero >= victim->nr_pages / 2);
		lab_assert_moves(lab, victim, "--to 1");
		assert_int_equal(lab_count(victim, victim->after, -1), 0);
	}
}

static void memory_without_access_rights_moves(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind protnone --size 8M --node 0");
	const struct report *report = lab_assert_moves(lab, victim, "--to 1");

	assert_true(report->pairs[0][1] >= victim->nr_pages);
	lab_assert_all_on(lab, victim, 1);
}

static void memory_without_access_rights_moves_with_a_neighbour(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind protnone --size 4M --node 0,1,2");

	/* Only what is on a source goes, and not what is on the same nodes by chance. */
	lab_assert_moves(lab, victim, "--from 0,2 --to 3");
	assert_int_equal(lab_count(victim, lab_look(lab, victim), 3),
			 victim->nr_pages - lab_count(victim, lab_look(lab, victim), 1));
}

static void a_terabyte_with_few_pages_is_quick_and_small(void **state)
{
	const uint64_t step = UINT64_C(4) << 30;
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind sparse --node 0");
	struct oracle_view *view;
	struct run *run;

	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	/* To look at each of its pages would take many minutes. */
	assert_true(run->seconds < 60);
	assert_in_range(run->peak_kib, 1024, 8191);
	view = lab_look(lab, victim);
	assert_int_equal(
		oracle_look_at(view, victim->pid, victim->start, victim->end, step), 0);
	assert_int_equal(lab_count(victim, view, 1), 256);
	assert_int_equal(run->report->considered.pages, view->nr_pages);
	lab_assert_intact(victim);
}

static void secret_memory_is_left_and_named(void **state)
{
	struct lab *lab = *state;
	struct oracle_view *before;
	struct victim *victim;
	struct run *run;

	victim = lab_victim(lab, "--kind secretmem --size 2M --node 0");
	before = lab_look(lab, victim);
	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_accounting(run->report, before, lab_look(lab, victim));
	assert_int_equal(report_left(run->report, "secret"), victim->nr_pages);
	assert_int_equal(report_left(run->report, NULL), victim->nr_pages);
	lab_assert_all_on(lab, victim, 0);
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(merged_pages_move_for_all_who_share_them),
		LAB_TEST(swapped_out_memory_is_reported_and_stays_out),
		LAB_TEST(untouched_memory_and_the_zero_pages_are_not_moved),
		LAB_TEST(memory_without_access_rights_moves),
		LAB_TEST(memory_without_access_rights_moves_with_a_neighbour),
		LAB_TEST(a_terabyte_with_few_pages_is_quick_and_small),
		LAB_TEST(secret_memory_is_left_and_named),
	};

	return lab_main(tests, 4);
}
