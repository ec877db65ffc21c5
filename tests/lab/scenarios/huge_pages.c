// SPDX-License-Identifier: GPL-2.0-or-later
/* Huge pages, transparent and from the pools, move as units. */
#include "lab.h"

#define PAGES_OF_HUGE 512

static uint64_t count_thp(struct lab *lab, const struct victim *victim, int node)
{
	return oracle_count_flag(lab_look(lab, victim), ORACLE_THP, node, victim->start,
				 victim->end);
}

static void transparent_huge_pages_move_whole(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind thp --size 16M --node 0");
	uint64_t splits = oracle_vmstat("thp_migration_split");
	const struct report *report;

	assert_int_equal(count_thp(lab, victim, 0), victim->nr_pages);
	report = lab_assert_moves(lab, victim, "--to 1");
	assert_int_equal(count_thp(lab, victim, 1), victim->nr_pages);
	assert_int_equal(oracle_vmstat("thp_migration_split"), splits);
	assert_int_equal(report->huge_moved_whole, victim->nr_pages / PAGES_OF_HUGE);
	assert_int_equal(report->huge_split, 0);
}

/* Takes all of a node but every second page of a locked mapping: there is room for
 * pages, but not for one huge page. */
static void fragment(struct lab *lab, int node)
{
	struct victim *hog;

	lab_show_all_free(lab);
	lab_set(lab, "/proc/sys/vm/compact_unevictable_allowed", "0");
	hog = lab_victim(lab, "--kind mlocked --size 128M --at %d", node);
	lab_ask(hog, "holes");
	lab_leave_free(lab, node, 0);
}

static void the_split_is_reported_when_the_kernel_splits(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind thp --size 8M --node 0");
	uint64_t splits = oracle_vmstat("thp_migration_split");
	struct oracle_view *before, *after;
	struct run *run;

	fragment(lab, 3);
	before = lab_look(lab, victim);
	run = lab_move(lab, "--force --to 3 %d", victim->pid);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	splits = oracle_vmstat("thp_migration_split") - splits;
	assert_true(splits > 0);
	assert_int_equal(run->report->huge_split, splits);
	assert_int_equal(run->report->huge_moved_whole,
			 count_thp(lab, victim, 3) / PAGES_OF_HUGE);
	lab_assert_intact(victim);
}

static void part_of_a_split_huge_page_moves_too(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind thp --size 4M --node 0");

	/* What is unmapped of a huge page leaves the rest mapped page by page. */
	lab_ask(victim, "holes");
	lab_assert_moves(lab, victim, "--to 1");
	assert_int_equal(lab_count(victim, lab_look(lab, victim), 1),
			 victim->nr_pages / 2);
}

static void pool_pages_move_into_the_pool_of_the_destination(void **state)
{
	struct lab *lab = *state;
	const struct report *report;
	struct victim *victim;

	lab_hugetlb_pool(lab, 1, 4);
	lab_hugetlb_pool(lab, 0, 4);
	victim = lab_victim(lab, "--kind hugetlb --size 8M --node 0");
	report = lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
	assert_int_equal(lab_hugetlb_free(1), 0);
	assert_int_equal(report->huge_moved_whole, 4);
	assert_int_equal(report->pairs[0][1] >= victim->nr_pages, 1);
}

static void without_a_pool_there_the_kernel_makes_one(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;

	lab_hugetlb_pool(lab, 1, 0);
	lab_hugetlb_pool(lab, 0, 4);
	victim = lab_victim(lab, "--kind hugetlb --size 8M --node 0");
	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
	/* The other way round they find the pool that stayed. */
	lab_assert_moves(lab, victim, "--to 0");
	lab_assert_all_on(lab, victim, 0);
}

static void
pool_pages_without_room_are_left_and_keep_nothing_else_from_moving(void **state)
{
	struct oracle_view *before, *after;
	struct lab *lab = *state;
	struct victim *victim;
	struct run *run;

	lab_hugetlb_pool(lab, 0, 4);
	victim = lab_victim(lab, "--kind hugetlb --size 8M --node 0");
	fragment(lab, 3);
	lab_victim(lab, "--kind ballast --size %uM", 2 * lab_hugetlb_free(3));
	before = lab_look(lab, victim);
	run = lab_move(lab, "--force --to 3 %d", victim->pid);
	lab_assert_status(run, EXIT_PARTLY);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	assert_int_equal(report_left(run->report, "hugetlb-pool"), victim->nr_pages);
	assert_int_equal(lab_count(victim, after, 0), victim->nr_pages);
	/* The stack and the heap had no such trouble. */
	assert_true(run->report->moved.pages > 0);
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(transparent_huge_pages_move_whole),
		LAB_TEST(the_split_is_reported_when_the_kernel_splits),
		LAB_TEST(part_of_a_split_huge_page_moves_too),
		LAB_TEST(pool_pages_move_into_the_pool_of_the_destination),
		LAB_TEST(without_a_pool_there_the_kernel_makes_one),
		LAB_TEST(
			pool_pages_without_room_are_left_and_keep_nothing_else_from_moving),
	};

	return lab_main(tests, 4);
}
