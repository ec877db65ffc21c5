// SPDX-License-Identifier: GPL-2.0-or-later
/* Huge pages, transparent and from the pools, move as units. */
#include "lab.h"

#include <inttypes.h>

#define PAGES_OF_HUGE 512

static uint64_t count_thp(struct lab *lab, const struct victim *victim, int node)
{
	return oracle_count_flag(lab_look(lab, victim), ORACLE_THP, node, victim->start,
				 victim->end);
}

/* Where the destination has huge pages to give: after a split they are looked for. */
static void transparent_huge_pages_move_whole(void **state)
{
	struct lab *lab = *state;
	const struct report *report = NULL;
	struct victim *victim;
	uint64_t splits = 1;

	for (int i = 0; i < 5 && splits > 0; i++) {
		victim = lab_huge_victim(lab, NULL, 16, 0);
		splits = oracle_vmstat("thp_migration_split");
		report = lab_assert_moves(lab, victim, "--to 1");
		splits = oracle_vmstat("thp_migration_split") - splits;
		assert_int_equal(report->huge_moved_whole,
				 count_thp(lab, victim, 1) / PAGES_OF_HUGE);
		assert_int_equal(report->huge_moved_whole + report->huge_split,
				 victim->nr_pages / PAGES_OF_HUGE);
		if (splits > 0)
			lab_shell(lab, NULL, "echo 1 >/proc/sys/vm/compact_memory");
	}
	assert_int_equal(splits, 0);
	assert_int_equal(report->huge_split, 0);
}

/* Takes all of a node but every second page of a locked mapping: there is room for
 * pages, but not for one huge page. */
static void fragment(struct lab *lab, int node)
{
	struct victim *hog;

	lab_drop_caches();
	lab_show_all_free(lab);
	lab_set(lab, "/proc/sys/vm/compact_unevictable_allowed", "0");
	hog = lab_victim(lab, "--kind mlocked --size 128M --at %d", node);
	lab_ask(hog, "holes");
	lab_leave_free(lab, node, 0);
}

/* Of a move of the victim's range alone. In its need the kernel forgets what is cached,
 * so that the sums of the whole process change; those of its own memory don't. */
static void assert_range_accounting(const struct report *report,
				    const struct victim *victim,
				    const struct oracle_view *after, int to)
{
	uint64_t nr_there = lab_count(victim, after, to);

	assert_int_equal(report->moved.pages, nr_there);
	assert_int_equal(report->pairs[0][to], nr_there);
	assert_int_equal(report_left(report, NULL), lab_count(victim, after, 0));
	assert_int_equal(nr_there + lab_count(victim, after, 0), victim->nr_pages);
}

/* Returns how many the kernel has split: what is huge no more, as the frames say. */
static uint64_t move_where_no_huge_page_is_free(struct lab *lab)
{
	struct victim *victim = lab_huge_victim(lab, NULL, 8, 0);
	uint64_t nr_huge = victim->nr_pages / PAGES_OF_HUGE, nr_split;
	struct oracle_view *after;
	struct run *run;

	lab_leave_free(lab, 3, 0);
	run = lab_move(lab, "--force --range 0x%" PRIx64 "-0x%" PRIx64 " --to 3 %d",
		       victim->start, victim->end, victim->pid);
	after = lab_look(lab, victim);
	assert_range_accounting(run->report, victim, after, 3);
	nr_split = nr_huge - count_thp(lab, victim, -1) / PAGES_OF_HUGE;
	assert_int_equal(run->report->huge_split, nr_split);
	assert_int_equal(run->report->huge_moved_whole,
			 count_thp(lab, victim, 3) / PAGES_OF_HUGE);
	lab_assert_intact(victim);
	return nr_split;
}

/* Now and then the kernel finds huge pages after all; then those are gone, too. */
static void the_split_is_reported_when_the_kernel_splits(void **state)
{
	struct lab *lab = *state;
	uint64_t nr_split = 0;

	fragment(lab, 3);
	for (int i = 0; i < 5 && !nr_split; i++)
		nr_split = move_where_no_huge_page_is_free(lab);
	assert_true(nr_split > 0);
}

static void part_of_a_split_huge_page_moves_too(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_huge_victim(lab, NULL, 4, 0);

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

/* All of them, and no more can be made. */
static void take_huge_pages(struct lab *lab, int node)
{
	unsigned int nr_free;

	lab_leave_free(lab, node, 0);
	nr_free = lab_hugetlb_free(node);
	if (nr_free)
		lab_victim(lab, "--kind ballast --size %uM", 2 * nr_free);
}

/* Returns how many pages of it stay where they are. */
static uint64_t move_where_no_pool_page_is_free(struct lab *lab, struct victim *victim)
{
	struct oracle_view *after;
	struct run *run;
	uint64_t left;

	take_huge_pages(lab, 3);
	run = lab_move(lab, "--force --to 3 %d", victim->pid);
	after = lab_look(lab, victim);
	left = lab_count(victim, after, 0);
	lab_assert_status(run, left ? EXIT_PARTLY : EXIT_IN_PLACE);
	assert_int_equal(report_left(run->report, "hugetlb-pool"), left);
	assert_int_equal(report_left(run->report, NULL), left);
	assert_int_equal(left + lab_count(victim, after, 3), victim->nr_pages);
	/* The stack and the heap had no such trouble. */
	assert_true(run->report->moved.pages > 0);
	lab_assert_intact(victim);
	return left;
}

/* Now and then the kernel makes one after all. */
static void
pool_pages_without_room_are_left_and_keep_nothing_else_from_moving(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;
	uint64_t left;

	lab_hugetlb_pool(lab, 0, 4);
	victim = lab_victim(lab, "--kind hugetlb --size 8M --node 0");
	fragment(lab, 3);
	left = move_where_no_pool_page_is_free(lab, victim);
	for (int i = 0; i < 4 && !left; i++) {
		lab_assert_status(lab_move(lab, "--to 0 %d", victim->pid), EXIT_IN_PLACE);
		left = move_where_no_pool_page_is_free(lab, victim);
	}
	assert_true(left > 0);
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
