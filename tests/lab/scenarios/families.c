// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that fork: memory shared copy-on-write, whole trees, trees that grow. */
#include "lab.h"

#include <unistd.h>

static uint64_t family_pages(const struct victim *victim)
{
	return victim->nr_pages * (1 + victim->nr_children);
}

static void memory_shared_with_children_moves_for_all_of_them(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct oracle_view *before, *after;
	struct oracle_change change;
	struct run *run;

	lab_fork(victim, 2);
	before = lab_look_pid(lab, victim->pid);
	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_accounting(run->report, before, lab_look_pid(lab, victim->pid));
	assert_int_equal(run->report->processes, 1);
	lab_assert_all_on(lab, victim, 1);
	/* No copy was made: what was one page is one still. */
	after = lab_look(lab, victim);
	oracle_compare(after, after, &change);
	assert_int_equal(
		oracle_count_flag(after, ORACLE_SHARED, 1, victim->start, victim->end),
		family_pages(victim));
	lab_assert_intact(victim);
}

static void without_shared_pages_only_what_is_its_own_moves(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct run *run;

	lab_fork(victim, 1);
	run = lab_move(lab, "--shared none --to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(report_skipped(run->report, "shared") >= victim->nr_pages);
	lab_assert_all_on(lab, victim, 0);
	lab_assert_intact(victim);
}

static void a_tree_moves_with_what_each_member_has(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct oracle_view *before, *after;
	struct run *run;

	lab_fork(victim, 3);
	before = lab_look(lab, victim);
	run = lab_move(lab, "--tree --to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	assert_int_equal(run->report->processes, 4);
	assert_int_equal(run->report->processes_gone, 0);
	lab_assert_all_on(lab, victim, 1);
	/* Anonymous memory is nowhere else, not even the children's own stacks. */
	for (size_t i = 0; i < after->nr_pages; i++) {
		if (!(after->pages[i].flags & ORACLE_FILE))
			assert_int_equal(after->pages[i].node, 1);
	}
	lab_assert_intact(victim);
}

/* Pages that only members of the tree share are the target's own. */
static void a_tree_moves_what_it_shares_with_nobody_else(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	struct run *run;

	lab_fork(victim, 2);
	run = lab_move(lab, "--tree --shared none --to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_intact(victim);
}

/* With sets that overlap, the second member that shares a page finds it on a node
 * that is a source too, and must leave it there. */
static void a_page_that_members_share_is_moved_once(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0,1");
	uint64_t half = victim->nr_pages / 2 * 3;
	struct oracle_view *after;
	struct run *run;

	lab_fork(victim, 2);
	run = lab_move(lab, "--tree --from 0-1 --to 1-2 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, after, 1), half);
	assert_int_equal(lab_count(victim, after, 2), half);
	assert_int_equal(oracle_count(after, 1, victim->start,
				      victim->start + (victim->end - victim->start) / 2),
			 half);
	lab_assert_intact(victim);
}

/* The first children are gone before they can be held; that is no error. */
static void a_tree_that_keeps_forking_is_moved(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	unsigned int nr_processes = 0;
	struct run *run;

	lab_ask(victim, "start fork");
	/* Now and then it has no child at all. */
	for (int i = 0; i < 20 && nr_processes <= 1; i++) {
		run = lab_move(lab, "--tree --to %d %d", 1 + i % 2, victim->pid);
		assert_int_equal(report_left(run->report, "unknown"), 0);
		assert_int_equal(report_left(run->report, "permission"), 0);
		nr_processes = run->report->processes;
	}
	lab_ask(victim, "stop");
	assert_true(nr_processes > 1);
	lab_assert_intact(victim);
	/* A page may have been shared or under copy at the moment. */
	lab_assert_moves(lab, victim, "--tree --to 1");
	lab_assert_all_on(lab, victim, 1);
}

static void children_that_appear_meanwhile_are_moved_too(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 32M --node 0");
	struct run *run = lab_move_half_way(lab, victim, 1, "--tree");

	lab_fork(victim, 2);
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes, 3);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_intact(victim);
}

static void members_that_end_meanwhile_are_gone_and_no_error(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run;

	lab_fork(victim, 2);
	run = lab_move_half_way(lab, victim, 1, "--tree");
	lab_shell(lab, NULL, "kill -9 %d %d", victim->children[0], victim->children[1]);
	victim->nr_children = 0;
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes_gone, 2);
	lab_assert_all_on(lab, victim, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(memory_shared_with_children_moves_for_all_of_them),
		LAB_TEST(without_shared_pages_only_what_is_its_own_moves),
		LAB_TEST(a_tree_moves_with_what_each_member_has),
		LAB_TEST(a_tree_moves_what_it_shares_with_nobody_else),
		LAB_TEST(a_page_that_members_share_is_moved_once),
		LAB_TEST(a_tree_that_keeps_forking_is_moved),
		LAB_TEST(children_that_appear_meanwhile_are_moved_too),
		LAB_TEST(members_that_end_meanwhile_are_gone_and_no_error),
	};

	return lab_main(tests, 4);
}
