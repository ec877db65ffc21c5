/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large a call may be, and when the next one may begin. */
#include "pace.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "batch.h"

#define PAGE 4096
#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

static struct mig_pace pace;

static uint64_t limit_of(enum mig_pace_class pace_class)
{
	return mig_pace_get_limit(&pace, pace_class);
}

static void begin(uint64_t max_stall_ns, uint64_t rate)
{
	mig_pace_init(&pace, PAGE, max_stall_ns, rate);
}

static int tear_down(void **state)
{
	(void)state;
	mig_pace_done(&pace);
	return 0;
}

/* Full calls on a machine that takes so long for a page. */
static void run_calls(enum mig_pace_class pace_class, uint64_t page_ns, int nr_calls)
{
	while (nr_calls--) {
		uint64_t nr_pages = limit_of(pace_class);

		mig_pace_record(&pace, pace_class, nr_pages, nr_pages * page_ns);
	}
}

static void calls_begin_at_a_size_that_was_seen_to_be_good(void **state)
{
	(void)state;
	begin(0, 0);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 4096);
	assert_int_equal(limit_of(MIG_PACE_LARGE), 16384);
}

static void a_fast_machine_gets_large_calls(void **state)
{
	(void)state;
	begin(0, 0);
	run_calls(MIG_PACE_SMALL, 100, 20);
	assert_int_equal(limit_of(MIG_PACE_SMALL), MIG_PACE_MOST_ADDRESSES);
	assert_int_equal(limit_of(MIG_PACE_LARGE), 16384);
	run_calls(MIG_PACE_LARGE, 100, 20);
	/* 256 MiB, whatever the speed. */
	assert_int_equal(limit_of(MIG_PACE_LARGE), 65536);
}

static void a_slow_machine_gets_calls_that_fit_into_the_time(void **state)
{
	(void)state;
	begin(0, 0);
	run_calls(MIG_PACE_SMALL, 100 * MILLISECOND / 1000, 20);
	assert_in_range(limit_of(MIG_PACE_SMALL), 2499, 2501);
}

static void a_call_is_never_too_small_to_be_worth_its_cost(void **state)
{
	(void)state;
	begin(0, 0);
	run_calls(MIG_PACE_SMALL, 10 * MILLISECOND, 20);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 512);
}

static void a_bound_that_the_user_gave_is_kept_at_any_cost(void **state)
{
	(void)state;
	begin(MILLISECOND, 0);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 128);
	run_calls(MIG_PACE_SMALL, MILLISECOND / 20, 20);
	assert_in_range(limit_of(MIG_PACE_SMALL), 19, 20);
	run_calls(MIG_PACE_SMALL, 10 * MILLISECOND, 20);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 16);
}

static void one_slow_call_does_not_stop_everything(void **state)
{
	(void)state;
	begin(0, 0);
	mig_pace_record(&pace, MIG_PACE_SMALL, 4096, 1000 * SECOND);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 1024);
}

static void a_size_grows_twofold_at_most(void **state)
{
	(void)state;
	begin(0, 0);
	mig_pace_record(&pace, MIG_PACE_LARGE, 16384, 1);
	assert_int_equal(limit_of(MIG_PACE_LARGE), 32768);
	mig_pace_record(&pace, MIG_PACE_LARGE, 32768, 0);
	assert_int_equal(limit_of(MIG_PACE_LARGE), 65536);
}

/* Its time is that of the drain of the LRU caches, not of its pages. */
static void a_short_call_says_nothing_about_longer_ones(void **state)
{
	(void)state;
	begin(0, 0);
	mig_pace_record(&pace, MIG_PACE_SMALL, 10, 1);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 4096);
}

static void a_short_call_that_took_long_is_heeded(void **state)
{
	(void)state;
	begin(0, 0);
	mig_pace_record(&pace, MIG_PACE_SMALL, 10, SECOND);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 1024);
}

static void a_rate_bounds_the_size_of_a_call(void **state)
{
	(void)state;
	begin(0, UINT64_C(1000) * PAGE);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 100);
	mig_pace_done(&pace);
	begin(0, 1);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 1);
	mig_pace_done(&pace);
	begin(0, UINT64_MAX);
	assert_int_equal(limit_of(MIG_PACE_SMALL), 4096);
}

static void without_a_rate_a_call_begins_at_once(void **state)
{
	(void)state;
	begin(0, 0);
	assert_int_equal(mig_pace_reserve(&pace, UINT64_C(1) << 40), 0);
	assert_int_equal(mig_pace_reserve(&pace, UINT64_C(1) << 40), 0);
}

static void a_rate_makes_calls_wait_for_those_before(void **state)
{
	uint64_t before = mig_clock_ns(), first, second;

	(void)state;
	begin(0, UINT64_C(1000) * PAGE);
	assert_int_equal(mig_pace_reserve(&pace, 5000), 0);
	first = mig_pace_reserve(&pace, 1000);
	second = mig_pace_reserve(&pace, 1);
	assert_true(first >= before + 5 * SECOND);
	assert_in_range(second - first, SECOND - 1, SECOND + 1);
}

#define test(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(calls_begin_at_a_size_that_was_seen_to_be_good),
		test(a_fast_machine_gets_large_calls),
		test(a_slow_machine_gets_calls_that_fit_into_the_time),
		test(a_call_is_never_too_small_to_be_worth_its_cost),
		test(a_bound_that_the_user_gave_is_kept_at_any_cost),
		test(one_slow_call_does_not_stop_everything),
		test(a_size_grows_twofold_at_most),
		test(a_short_call_says_nothing_about_longer_ones),
		test(a_short_call_that_took_long_is_heeded),
		test(a_rate_bounds_the_size_of_a_call),
		test(without_a_rate_a_call_begins_at_once),
		test(a_rate_makes_calls_wait_for_those_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
