/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A share of work that threads take until nothing is left. */
struct work {
	unsigned int next; /**< atomic */
	unsigned int nr_threads;
	unsigned int times[1000];
};

static void *take_all(void *data)
{
	struct work *work = data;
	unsigned int item;

	__atomic_add_fetch(&work->nr_threads, 1, __ATOMIC_RELAXED);
	while ((item = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED)) < 1000)
		__atomic_add_fetch(&work->times[item], 1, __ATOMIC_RELAXED);
	return NULL;
}

static void there_is_a_thread_on_every_machine(void **state)
{
	(void)state;
	assert_in_range(mig_threads_count(), 1, MIG_MOST_THREADS);
}

static void all_is_done_once_when_it_returns(void **state)
{
	struct work work = { 0 };

	(void)state;
	mig_threads_run(1000, take_all, &work);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(work.times[i], 1);
	assert_int_equal(work.nr_threads, mig_threads_count());
}

static void no_more_threads_are_made_than_there_is_to_do(void **state)
{
	struct work one = { 0 }, none = { 0 };

	(void)state;
	mig_threads_run(1, take_all, &one);
	assert_int_equal(one.nr_threads, 1);
	mig_threads_run(0, take_all, &none);
	assert_int_equal(none.nr_threads, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_a_thread_on_every_machine),
		cmocka_unit_test(all_is_done_once_when_it_returns),
		cmocka_unit_test(no_more_threads_are_made_than_there_is_to_do),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
