/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The accounting: moved + already + skipped + left + gone = considered, always. */
#include "outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "scene.h"

static struct mig_outcome *new_outcome(void)
{
	struct mig_outcome *outcome = NULL;

	assert_int_equal(mig_outcome_new(&outcome), 0);
	return outcome;
}

static uint64_t moved_between(const struct mig_outcome *outcome, int from, int to)
{
	return mig_pairs_get(&outcome->moved, from, to);
}

static void an_empty_account_adds_up(void **state)
{
	struct mig_outcome *outcome = new_outcome();

	(void)state;
	assert_adds_up(outcome);
	assert_int_equal(mig_outcome_get_totals(outcome)->considered_pages, 0);
	assert_null(mig_outcome_get_left(outcome, 0));
	assert_null(mig_outcome_get_pair(outcome, 0));
	mig_outcome_free(outcome);
	mig_outcome_free(NULL);
}

static void each_fate_has_its_sum(void **state)
{
	struct mig_outcome *outcome = new_outcome();
	const struct mig_totals *totals = mig_outcome_get_totals(outcome);

	(void)state;
	mig_outcome_add_moved(outcome, 0, 1, 1);
	mig_outcome_add_already(outcome, 20);
	mig_outcome_add_skipped(outcome, MIG_SKIP_SHARED, 300);
	mig_outcome_add_left(outcome, MIG_REASON_PINNED, 1, 0, 4000);
	mig_outcome_add_gone(outcome, 50000);
	assert_adds_up(outcome);
	assert_int_equal(totals->considered_pages, 54321);
	assert_int_equal(totals->moved_pages, 1);
	assert_int_equal(totals->already_pages, 20);
	assert_int_equal(totals->skipped_pages, 300);
	assert_int_equal(totals->left_pages, 4000);
	assert_int_equal(totals->gone_pages, 50000);
	mig_outcome_free(outcome);
}

static void reasons_are_told_apart_by_node_and_errno(void **state)
{
	struct mig_outcome *outcome = new_outcome();

	(void)state;
	mig_outcome_add_left(outcome, MIG_REASON_NO_MEMORY, 1, 0, 5);
	mig_outcome_add_left(outcome, MIG_REASON_NO_MEMORY, 2, 0, 7);
	mig_outcome_add_left(outcome, MIG_REASON_NO_MEMORY, 1, 0, 1);
	mig_outcome_add_left(outcome, MIG_REASON_UNKNOWN, 1, EIO, 2);
	mig_outcome_add_left(outcome, MIG_REASON_UNKNOWN, 1, EPERM, 3);
	mig_outcome_add_left(outcome, MIG_REASON_BUSY, 1, 0, 0);
	assert_int_equal(outcome->nr_left, 4);
	assert_adds_up(outcome);
	mig_outcome_free(outcome);
}

static void the_largest_reason_comes_first(void **state)
{
	struct mig_outcome *outcome = new_outcome();

	(void)state;
	mig_outcome_sort(outcome);
	mig_outcome_add_left(outcome, MIG_REASON_BUSY, 1, 0, 5);
	mig_outcome_add_left(outcome, MIG_REASON_PINNED, 1, 0, UINT64_C(1) << 40);
	mig_outcome_add_left(outcome, MIG_REASON_SECRET, 1, 0, 70);
	mig_outcome_sort(outcome);
	assert_int_equal(mig_outcome_get_left(outcome, 0)->reason, MIG_REASON_PINNED);
	assert_int_equal(mig_outcome_get_left(outcome, 1)->reason, MIG_REASON_SECRET);
	assert_int_equal(mig_outcome_get_left(outcome, 2)->reason, MIG_REASON_BUSY);
	assert_null(mig_outcome_get_left(outcome, 3));
	assert_null(mig_outcome_get_left(outcome, SIZE_MAX));
	mig_outcome_free(outcome);
}

static void a_skip_that_does_not_exist_has_no_pages(void **state)
{
	struct mig_outcome *outcome = new_outcome();

	(void)state;
	mig_outcome_add_skipped(outcome, MIG_SKIP_STOPPED, 5);
	assert_int_equal(mig_outcome_get_skipped(outcome, MIG_SKIP_STOPPED), 5);
	assert_int_equal(mig_outcome_get_skipped(outcome, (enum mig_skip)MIG_NR_SKIPS),
			 0);
	assert_int_equal(mig_outcome_get_skipped(outcome, (enum mig_skip) - 1), 0);
	mig_outcome_free(outcome);
}

static void add_anything(struct mig_outcome *outcome)
{
	uint64_t nr_pages = (uint64_t)rand() % 1000;
	int from = rand() % 4, to = rand() % 4;

	switch (rand() % 5) {
	case 0:
		mig_outcome_add_moved(outcome, from, to, nr_pages);
		break;
	case 1:
		mig_outcome_add_already(outcome, nr_pages);
		break;
	case 2:
		mig_outcome_add_skipped(outcome, (enum mig_skip)(rand() % MIG_NR_SKIPS),
					nr_pages);
		break;
	case 3:
		mig_outcome_add_left(outcome, (enum mig_reason)(rand() % MIG_NR_REASONS),
				     to, rand() % 3, nr_pages);
		break;
	default:
		mig_outcome_add_gone(outcome, nr_pages);
	}
}

static void whatever_is_added_adds_up(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 100; seed++) {
		struct mig_outcome *outcome = new_outcome();

		srand(seed);
		for (int i = 0; i < 200; i++)
			add_anything(outcome);
		mig_outcome_sort(outcome);
		assert_adds_up(outcome);
		mig_outcome_free(outcome);
	}
}

/* The same seed fills one account, and several that are merged. */
static void accounts_that_are_merged_say_what_one_would_have_said(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 50; seed++) {
		struct mig_outcome *one = new_outcome(), *sum = new_outcome();
		struct mig_outcome *parts[3] = { new_outcome(), new_outcome(),
						 new_outcome() };

		srand(seed);
		for (int i = 0; i < 300; i++)
			add_anything(one);
		srand(seed);
		for (int i = 0; i < 300; i++)
			add_anything(parts[i / 100]);
		for (int i = 0; i < 3; i++) {
			mig_outcome_merge(sum, parts[i]);
			mig_outcome_free(parts[i]);
		}
		assert_adds_up(sum);
		assert_memory_equal(&sum->totals, &one->totals, sizeof(sum->totals));
		assert_memory_equal(sum->skipped, one->skipped, sizeof(sum->skipped));
		assert_int_equal(sum->nr_left, one->nr_left);
		for (int from = 0; from < 4; from++)
			for (int to = 0; to < 4; to++)
				assert_int_equal(moved_between(sum, from, to),
						 moved_between(one, from, to));
		mig_outcome_free(one);
		mig_outcome_free(sum);
	}
}

static void a_merge_keeps_what_stands_beside_the_equation(void **state)
{
	struct mig_outcome *sum = new_outcome(), *part = new_outcome();
	const struct mig_totals *totals = mig_outcome_get_totals(sum);

	(void)state;
	part->totals.paged_out_pages = 3;
	part->totals.moved_huge_pages = 4;
	part->totals.split_huge_pages = 5;
	part->totals.reread_pages = 6;
	part->totals.files = 7;
	part->totals.files_gone = 8;
	part->totals.files_denied = 9;
	part->totals.longest_call_ns = 60;
	part->error = -ENOMEM;
	mig_outcome_merge(sum, part);
	part->totals.longest_call_ns = 10;
	mig_outcome_merge(sum, part);
	assert_int_equal(totals->paged_out_pages, 6);
	assert_int_equal(totals->moved_huge_pages, 8);
	assert_int_equal(totals->split_huge_pages, 10);
	assert_int_equal(totals->reread_pages, 12);
	assert_int_equal(totals->files, 14);
	assert_int_equal(totals->files_gone, 16);
	assert_int_equal(totals->files_denied, 18);
	assert_int_equal(totals->longest_call_ns, 60);
	assert_int_equal(sum->error, -ENOMEM);
	mig_outcome_free(sum);
	mig_outcome_free(part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_account_adds_up),
		cmocka_unit_test(each_fate_has_its_sum),
		cmocka_unit_test(reasons_are_told_apart_by_node_and_errno),
		cmocka_unit_test(the_largest_reason_comes_first),
		cmocka_unit_test(a_skip_that_does_not_exist_has_no_pages),
		cmocka_unit_test(whatever_is_added_adds_up),
		cmocka_unit_test(accounts_that_are_merged_say_what_one_would_have_said),
		cmocka_unit_test(a_merge_keeps_what_stands_beside_the_equation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
