/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frametable.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>

static void frames_are_counted_each_by_itself(void **state)
{
	struct mig_frametable table = { 0 };

	(void)state;
	assert_int_equal(mig_frametable_init(&table, 1000), 0);
	assert_int_equal(mig_frametable_count(&table, 7), 0);
	assert_int_equal(mig_frametable_count(&table, 7), 1);
	assert_int_equal(mig_frametable_count(&table, 999), 0);
	assert_int_equal(mig_frametable_get(&table, 7), 2);
	assert_int_equal(mig_frametable_get(&table, 6), 0);
	assert_int_equal(mig_frametable_get(&table, 999), 1);
	mig_frametable_done(&table);
}

static void frames_out_of_range_are_not_counted(void **state)
{
	struct mig_frametable table = { 0 };

	(void)state;
	assert_int_equal(mig_frametable_init(&table, 10), 0);
	assert_int_equal(mig_frametable_count(&table, 10), 0);
	assert_int_equal(mig_frametable_count(&table, 10), 0);
	assert_int_equal(mig_frametable_count(&table, UINT64_MAX), 0);
	assert_int_equal(mig_frametable_get(&table, 10), 0);
	assert_int_equal(mig_frametable_get(&table, UINT64_MAX), 0);
	mig_frametable_done(&table);
}

static void counting_stops_at_the_largest_number(void **state)
{
	struct mig_frametable table = { 0 };

	(void)state;
	assert_int_equal(mig_frametable_init(&table, 1), 0);
	for (int i = 0; i < MIG_FRAMETABLE_MAX + 10; i++)
		mig_frametable_count(&table, 0);
	assert_int_equal(mig_frametable_get(&table, 0), MIG_FRAMETABLE_MAX);
	assert_int_equal(mig_frametable_count(&table, 0), MIG_FRAMETABLE_MAX);
	mig_frametable_done(&table);
}

static void an_empty_table_holds_nothing(void **state)
{
	struct mig_frametable table = { 0 };

	(void)state;
	assert_int_equal(mig_frametable_get(&table, 0), 0);
	assert_int_equal(mig_frametable_count(&table, 5), 0);
	assert_int_equal(mig_frametable_get(&table, 5), 0);
	mig_frametable_done(&table);
	assert_int_equal(mig_frametable_init(&table, 0), 0);
	mig_frametable_done(&table);
	assert_int_equal(mig_frametable_get(&table, 0), 0);
}

/* 16 TiB of memory: the table is large, what it costs is not. */
static void a_large_machine_costs_only_what_is_touched(void **state)
{
	struct mig_frametable table = { 0 };
	const uint64_t nr_frames = UINT64_C(1) << 32;

	(void)state;
	assert_int_equal(mig_frametable_init(&table, nr_frames), 0);
	assert_int_equal(mig_frametable_count(&table, nr_frames - 1), 0);
	assert_int_equal(mig_frametable_get(&table, nr_frames - 1), 1);
	mig_frametable_done(&table);
}

static void *count_often(void *data)
{
	for (int i = 0; i < 10000; i++)
		mig_frametable_count(data, (uint64_t)(i % 3));
	return NULL;
}

static void threads_do_not_lose_each_others_counts(void **state)
{
	struct mig_frametable table = { 0 };
	pthread_t threads[4];
	unsigned int sum = 0;

	(void)state;
	assert_int_equal(mig_frametable_init(&table, 3), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_often, &table),
				 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t frame = 0; frame < 3; frame++)
		sum += mig_frametable_get(&table, frame);
	assert_int_equal(sum, 40000);
	mig_frametable_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_counted_each_by_itself),
		cmocka_unit_test(frames_out_of_range_are_not_counted),
		cmocka_unit_test(counting_stops_at_the_largest_number),
		cmocka_unit_test(an_empty_table_holds_nothing),
		cmocka_unit_test(a_large_machine_costs_only_what_is_touched),
		cmocka_unit_test(threads_do_not_lose_each_others_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
