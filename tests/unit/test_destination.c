/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is free on the nodes that pages are sent to. */
#include "destination.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include "fake_kernel.h"

struct fixture {
	struct fake_kernel *kernel;
	struct mig_context *context;
	struct mig_topology *topology;
	struct mig_destinations destinations;
};

/* Node 1 has room for 1000 pages above its watermark. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->kernel = fake_kernel_new(NULL);
	fake_kernel_fill(fixture->kernel, 1, 1000 + FAKE_WATERMARK_PAGES);
	fixture->context = fake_kernel_context(fixture->kernel);
	assert_int_equal(mig_topology_new(fixture->context, &fixture->topology), 0);
	mig_destinations_init(&fixture->destinations, fixture->topology,
			      mig_context_get_page_size(fixture->context));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_destinations_done(&fixture->destinations);
	mig_topology_free(fixture->topology);
	mig_context_free(fixture->context);
	fake_kernel_free(fixture->kernel);
	free(fixture);
	return 0;
}

static uint64_t reserve(void **state, int node, uint64_t nr_pages)
{
	struct fixture *fixture = *state;

	return mig_destinations_reserve(&fixture->destinations, node, nr_pages);
}

/* As if the kernel had been asked long ago. */
static void wait_long(void **state, int node)
{
	struct fixture *fixture = *state;

	fixture->destinations.nodes[node].asked_ns = 0;
}

static void room_is_given_away_once(void **state)
{
	assert_int_equal(reserve(state, 1, 600), 600);
	assert_int_equal(reserve(state, 1, 600), 400);
	assert_int_equal(reserve(state, 1, 1), 0);
}

static void room_that_is_given_back_can_be_had_again(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(reserve(state, 1, 1000), 1000);
	mig_destinations_give_back(&fixture->destinations, 1, 10);
	assert_int_equal(reserve(state, 1, 600), 10);
}

static void a_full_node_is_asked_again_after_a_while(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(reserve(state, 1, 1000), 1000);
	fake_kernel_fill(fixture->kernel, 1, FAKE_WATERMARK_PAGES + 30);
	assert_int_equal(reserve(state, 1, 100), 0);
	wait_long(state, 1);
	assert_int_equal(reserve(state, 1, 100), 30);
}

static void nothing_is_free_below_the_watermark(void **state)
{
	struct fixture *fixture = *state;

	fake_kernel_fill(fixture->kernel, 1, FAKE_WATERMARK_PAGES - 10);
	assert_int_equal(reserve(state, 1, 1), 0);
}

static void a_node_that_the_kernel_calls_full_is_full(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(reserve(state, 1, 1), 1);
	mig_destinations_set_full(&fixture->destinations, 1, false);
	assert_int_equal(reserve(state, 1, 1), 0);
	assert_false(mig_destinations_is_huge_full(&fixture->destinations, 1));
}

static void huge_pages_and_small_ones_are_full_apart(void **state)
{
	struct fixture *fixture = *state;

	mig_destinations_set_full(&fixture->destinations, 1, true);
	assert_true(mig_destinations_is_huge_full(&fixture->destinations, 1));
	assert_false(mig_destinations_is_huge_full(&fixture->destinations, 0));
	assert_int_equal(reserve(state, 1, 5), 5);
}

static void a_node_that_does_not_tell_has_room(void **state)
{
	struct fixture *fixture = *state;

	fake_root_remove(fake_kernel_get_root(fixture->kernel), "proc/zoneinfo");
	assert_true(reserve(state, 1, UINT64_C(1) << 40) == UINT64_C(1) << 40);
	/* For the machine's last writes. */
	fake_root_write(fake_kernel_get_root(fixture->kernel), "proc/zoneinfo", "");
}

static void *take_all(void *data)
{
	struct mig_destinations *destinations = data;
	uint64_t taken = 0;

	for (int i = 0; i < 500; i++)
		taken += mig_destinations_reserve(destinations, 1, 3);
	return (void *)(uintptr_t)taken;
}

static void workers_never_get_more_than_there_is(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[4];
	uint64_t sum = 0;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_all,
						&fixture->destinations),
				 0);
	for (int i = 0; i < 4; i++) {
		void *taken;

		pthread_join(threads[i], &taken);
		sum += (uintptr_t)taken;
	}
	/* Where the threads are slow it is asked again, and has all its room again. */
	assert_true(sum >= 1000 && sum % 1000 == 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(room_is_given_away_once),
		test(room_that_is_given_back_can_be_had_again),
		test(a_full_node_is_asked_again_after_a_while),
		test(nothing_is_free_below_the_watermark),
		test(a_node_that_the_kernel_calls_full_is_full),
		test(huge_pages_and_small_ones_are_full_apart),
		test(a_node_that_does_not_tell_has_room),
		test(workers_never_get_more_than_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
