// SPDX-License-Identifier: GPL-2.0-or-later
/* Which page goes where: relative, spread, weighted, mapped, nearest; and filters,
 * which say what goes at all. */
#include "lab.h"

#include <inttypes.h>
#include <stdio.h>

/* Pages of part @part of @nr_parts of the victim's range that are on a node. */
static uint64_t count_part(const struct victim *victim, const struct oracle_view *view,
			   int node, uint64_t part, uint64_t nr_parts)
{
	uint64_t size = (victim->end - victim->start) / nr_parts;

	return oracle_count(view, node, victim->start + part * size,
			    victim->start + (part + 1) * size);
}

static void relative_moves_keep_their_distance(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0,1");
	struct oracle_view *view;

	lab_assert_moves(lab, victim, "--from 0-1 --to 2-3");
	view = lab_look(lab, victim);
	assert_int_equal(count_part(victim, view, 2, 0, 2), victim->nr_pages / 2);
	assert_int_equal(count_part(victim, view, 3, 1, 2), victim->nr_pages / 2);
}

static void sets_that_overlap_move_each_page_once(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0,1");
	const struct report *report =
		lab_assert_moves(lab, victim, "--from 0-1 --to 1-2");
	struct oracle_view *view = lab_look(lab, victim);

	assert_int_equal(count_part(victim, view, 1, 0, 2), victim->nr_pages / 2);
	assert_int_equal(count_part(victim, view, 2, 1, 2), victim->nr_pages / 2);
	assert_int_equal(report->pairs[0][2], 0);
}

static void sets_that_overlap_exchange_pages(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0,1");
	struct oracle_view *view;

	lab_assert_moves(lab, victim, "--map 0:1,1:0");
	view = lab_look(lab, victim);
	assert_int_equal(count_part(victim, view, 1, 0, 2), victim->nr_pages / 2);
	assert_int_equal(count_part(victim, view, 0, 1, 2), victim->nr_pages / 2);
}

/* The kernel's own pairing is the standard: the same sets, the same result. */
static void pairs_are_those_of_migrate_pages(void **state)
{
	static const char *const sets[][2] = {
		{ "0-1", "1-2" }, { "0-3", "2-3" }, { "0-2", "1,3" },
		{ "1-2", "0-3" }, { "0-3", "1-3" }, { "0,3", "3,1" },
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct victim *ours = lab_victim(lab, "--size 8M --node 0,1,2,3");
		struct victim *theirs = lab_victim(lab, "--size 8M --node 0,1,2,3");
		struct oracle_view *our_view, *their_view;

		lab_assert_moves(lab, ours, "--from %s --to %s", sets[i][0], sets[i][1]);
		lab_shell(lab, NULL, "migratepages %d %s %s", theirs->pid, sets[i][0],
			  sets[i][1]);
		our_view = lab_look(lab, ours);
		their_view = lab_look(lab, theirs);
		for (uint64_t part = 0; part < 4; part++) {
			for (int node = 0; node < 4; node++) {
				assert_int_equal(
					count_part(ours, our_view, node, part, 4),
					count_part(theirs, their_view, node, part, 4));
			}
		}
		lab_end_victim(lab, ours);
		lab_end_victim(lab, theirs);
	}
}

static void pages_on_other_nodes_are_skipped(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0,3");
	const struct report *report = lab_assert_moves(lab, victim, "--from 0 --to 1");
	struct oracle_view *view = lab_look(lab, victim);

	assert_int_equal(count_part(victim, view, 1, 0, 2), victim->nr_pages / 2);
	assert_int_equal(count_part(victim, view, 3, 1, 2), victim->nr_pages / 2);
	assert_true(report_skipped(report, "not-from") >= victim->nr_pages / 2);
}

static void a_map_gives_each_node_its_destination(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0,1");
	struct oracle_view *view;

	lab_assert_moves(lab, victim, "--map 0:3,1:2");
	view = lab_look(lab, victim);
	assert_int_equal(count_part(victim, view, 3, 0, 2), victim->nr_pages / 2);
	assert_int_equal(count_part(victim, view, 2, 1, 2), victim->nr_pages / 2);
}

/* 4nodes is a ring: 0 and 2 are across from each other, 1 and 3 too. */
static void without_a_source_pages_go_to_the_nearest(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");

	lab_assert_moves(lab, victim, "--to 1-2");
	lab_assert_all_on(lab, victim, 1);
	victim = lab_victim(lab, "--size 8M --node 3");
	lab_assert_moves(lab, victim, "--to 1-2");
	lab_assert_all_on(lab, victim, 2);
}

static void what_the_nearest_has_no_room_for_goes_to_the_next(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 96M --node 0");
	struct oracle_view *view;

	lab_drop_caches();
	lab_leave_free(lab, 3, 60 * MEBIBYTE);
	lab_assert_moves(lab, victim, "--to 2-3");
	view = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, view, 0), 0);
	assert_true(lab_count(victim, view, 3) > 0);
	assert_true(lab_count(victim, view, 2) > 16 * PAGES_PER_MEBIBYTE);
}

static void assert_share(const struct victim *victim, const struct oracle_view *view,
			 int node, uint64_t part, uint64_t of)
{
	uint64_t count = lab_count(victim, view, node);
	uint64_t share = victim->nr_pages * part / of;

	if (count + 8 < share || count > share + 8)
		fail_msg("node %d has %" PRIu64 " pages instead of %" PRIu64, node, count,
			 share);
}

static void spread_interleaves_evenly(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 12M --node 0");
	const struct report *report;
	struct oracle_view *view;

	lab_assert_moves(lab, victim, "--place spread --to 1-3");
	view = lab_look(lab, victim);
	for (int node = 1; node <= 3; node++) {
		assert_share(victim, view, node, 1, 3);
		/* Not in three big pieces, but everywhere. */
		for (uint64_t part = 0; part < 12; part++)
			assert_in_range(count_part(victim, view, node, part, 12),
					victim->nr_pages / 36 - 8,
					victim->nr_pages / 36 + 8);
	}
	/* What is spread is in place: again, only what the check touched meanwhile moves. */
	report = lab_assert_moves(lab, victim, "--place spread --to 1-3");
	assert_in_range(report->moved.pages, 0, 32);
	assert_int_equal(report->considered.pages,
			 report->moved.pages + report->already.pages +
				 report_skipped(report, "shared"));
}

static void weights_give_one_node_more(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct oracle_view *view;

	lab_assert_moves(lab, victim, "--place spread --weights 3:1 --to 1,2");
	view = lab_look(lab, victim);
	assert_share(victim, view, 1, 3, 4);
	assert_share(victim, view, 2, 1, 4);
}

static void huge_pages_are_spread_whole(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_huge_victim(lab, NULL, 16, 0);
	struct oracle_view *view;

	lab_assert_moves(lab, victim, "--place spread --to 2,3");
	view = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, view, 2), victim->nr_pages / 2);
	assert_int_equal(
		oracle_count_flag(view, ORACLE_THP, 3, victim->start, victim->end),
		victim->nr_pages / 2);
}

static void only_one_kind_moves(void **state)
{
	static const struct {
		const char *kind; /* of the victim's memory */
		const char *only;
	} cases[] = {
		{ "anon", "anon" },       { "heap", "heap" }, { "stack", "stack" },
		{ "shmem", "shmem" },     { "thp", "thp" },   { "file-shared", "file" },
		{ "hugetlb", "hugetlb" },
	};
	struct lab *lab = *state;

	lab_hugetlb_pool(lab, 1, 2);
	lab_hugetlb_pool(lab, 0, 2);
	/* A tmpfs file would be shmem. */
	lab_mount(lab, "ext4", 64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct victim *victim = lab_victim(
			lab, "--kind %s --size 4M --node 0 --path /tmp/lab-ext4/file",
			cases[i].kind);
		uint64_t elsewhere;
		const struct report *report =
			lab_assert_moves(lab, victim, "--only %s --to 1", cases[i].only);
		lab_assert_all_on(lab, victim, 1);
		/* Every process has a little of each. */
		elsewhere = report->moved.pages - victim->nr_pages;
		assert_in_range(elsewhere, 0, 256);
		assert_int_equal(report_skipped(report, "filtered") +
					 report_skipped(report, "shared") +
					 report->already.pages,
				 report->considered.pages - report->moved.pages);
		assert_true(report_skipped(report, "filtered") > 0);
		lab_end_victim(lab, victim);
	}
}

static void only_a_range_moves(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	uint64_t middle = victim->start + (victim->end - victim->start) / 2;
	const struct report *report = lab_assert_moves(
		lab, victim, "--range 0x%" PRIx64 "-0x%" PRIx64 " --to 1", victim->start,
		middle);
	struct oracle_view *view = lab_look(lab, victim);

	assert_int_equal(report->moved.pages, victim->nr_pages / 2);
	assert_int_equal(oracle_count(view, 1, victim->start, middle),
			 victim->nr_pages / 2);
	assert_int_equal(oracle_count(view, 0, middle, victim->end),
			 victim->nr_pages / 2);
}

static void small_mappings_can_be_left_out(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 8M --node 0");
	const struct report *report =
		lab_assert_moves(lab, victim, "--min-size 4M --to 1");

	assert_int_equal(report->moved.pages, victim->nr_pages);
	lab_assert_all_on(lab, victim, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(relative_moves_keep_their_distance),
		LAB_TEST(sets_that_overlap_move_each_page_once),
		LAB_TEST(sets_that_overlap_exchange_pages),
		LAB_TEST(pairs_are_those_of_migrate_pages),
		LAB_TEST(pages_on_other_nodes_are_skipped),
		LAB_TEST(a_map_gives_each_node_its_destination),
		LAB_TEST(without_a_source_pages_go_to_the_nearest),
		LAB_TEST(what_the_nearest_has_no_room_for_goes_to_the_next),
		LAB_TEST(spread_interleaves_evenly),
		LAB_TEST(weights_give_one_node_more),
		LAB_TEST(huge_pages_are_spread_whole),
		LAB_TEST(only_one_kind_moves),
		LAB_TEST(only_a_range_moves),
		LAB_TEST(small_mappings_can_be_left_out),
	};

	return lab_main(tests, 4);
}
