/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pairs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void pages_are_counted_by_pair(void **state)
{
	struct mig_pairs pairs = { 0 };

	(void)state;
	assert_int_equal(mig_pairs_add(&pairs, 0, 1, 5), 0);
	assert_int_equal(mig_pairs_add(&pairs, 1, 0, 7), 0);
	assert_int_equal(mig_pairs_add(&pairs, 0, 1, 10), 0);
	assert_int_equal(mig_pairs_add(&pairs, 2, 1, 1), 0);
	assert_int_equal(mig_pairs_get(&pairs, 0, 1), 15);
	assert_int_equal(mig_pairs_get(&pairs, 1, 0), 7);
	assert_int_equal(mig_pairs_get(&pairs, 1, 2), 0);
	assert_int_equal(mig_pairs_get_into(&pairs, 1), 16);
	assert_int_equal(mig_pairs_get_out_of(&pairs, 0), 15);
	assert_int_equal(mig_pairs_get_out_of(&pairs, 3), 0);
	assert_int_equal(mig_pairs_get_total(&pairs), 23);
	assert_int_equal(pairs.nr, 3);
	mig_pairs_done(&pairs);
}

static void no_pages_make_no_pair(void **state)
{
	struct mig_pairs pairs = { 0 };

	(void)state;
	assert_int_equal(mig_pairs_add(&pairs, 0, 1, 0), 0);
	assert_int_equal(pairs.nr, 0);
	assert_int_equal(mig_pairs_get_total(&pairs), 0);
	mig_pairs_done(&pairs);
}

static void every_pair_of_a_large_machine_has_its_count(void **state)
{
	struct mig_pairs pairs = { 0 };

	(void)state;
	for (int from = 0; from < 64; from++)
		for (int to = 0; to < 64; to++)
			assert_int_equal(mig_pairs_add(&pairs, from, to,
						       (uint64_t)(from * 64 + to + 1)),
					 0);
	assert_int_equal(mig_pairs_get(&pairs, 63, 62), 63 * 64 + 62 + 1);
	assert_int_equal(mig_pairs_get_total(&pairs), 4096 * 4097 / 2);
	mig_pairs_done(&pairs);
	assert_int_equal(mig_pairs_get_total(&pairs), 0);
	mig_pairs_done(&pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_counted_by_pair),
		cmocka_unit_test(no_pages_make_no_pair),
		cmocka_unit_test(every_pair_of_a_large_machine_has_its_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
