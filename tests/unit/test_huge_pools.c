/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools of huge pages of a made-up node. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "fake_machine.h"

#define POOLS NODES "/node1/hugepages"

static void put_pool(void **state, const char *size, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), POOLS "/hugepages-%skB/%s", size, name);
	fake_machine_write(state, path, text);
}

static const struct mig_topology *put_machine(void **state)
{
	fake_machine_write(state, NODES "/online", "0-1\n");
	fake_machine_write(state, NODES "/has_memory", "0-1\n");
	fake_machine_write_node(state, 0, "0\n", "10 20\n", 1000);
	fake_machine_write_node(state, 1, "1\n", "20 10\n", 1000);
	put_pool(state, "1048576", "nr_hugepages", "2\n");
	put_pool(state, "1048576", "free_hugepages", "1\n");
	put_pool(state, "1048576", "surplus_hugepages", "0\n");
	put_pool(state, "64", "nr_hugepages", "9\n");
	put_pool(state, "64", "free_hugepages", "0\n");
	put_pool(state, "64", "surplus_hugepages", "3\n");
	put_pool(state, "2048", "nr_hugepages", "10\n");
	put_pool(state, "2048", "free_hugepages", "4\n");
	return fake_machine_read_topology(state);
}

static void pools_come_in_the_order_of_their_sizes(void **state)
{
	const struct mig_topology *topology = put_machine(state);
	struct mig_huge_pool pools[4] = { 0 };
	size_t count = 0;

	assert_int_equal(mig_topology_read_huge_pools(topology, 1, pools, 4, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(pools[0].size_bytes, 64 << 10);
	assert_int_equal(pools[0].nr_pages, 9);
	assert_int_equal(pools[0].nr_free, 0);
	assert_int_equal(pools[0].nr_surplus, 3);
	assert_int_equal(pools[1].size_bytes, 2 << 20);
	assert_int_equal(pools[1].nr_pages, 10);
	assert_int_equal(pools[1].nr_free, 4);
	/* That was not captured. */
	assert_int_equal(pools[1].nr_surplus, 0);
	assert_int_equal(pools[2].size_bytes, 1 << 30);
}

static void of_too_many_sizes_the_smallest_are_given(void **state)
{
	const struct mig_topology *topology = put_machine(state);
	struct mig_huge_pool pools[3] = { [2] = { .size_bytes = 7 } };
	size_t count = 0;

	assert_int_equal(mig_topology_read_huge_pools(topology, 1, pools, 2, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(pools[0].size_bytes, 64 << 10);
	assert_int_equal(pools[1].size_bytes, 2 << 20);
	assert_int_equal(pools[2].size_bytes, 7);
	assert_int_equal(mig_topology_read_huge_pools(topology, 1, NULL, 0, &count), 0);
	assert_int_equal(count, 3);
}

static void pools_that_do_not_parse_are_refused(void **state)
{
	static const char *const texts[] = { "x\n", "\n", "1 2\n", "-1\n",
					     "18446744073709551615\n" };
	const struct mig_topology *topology = put_machine(state);
	struct mig_huge_pool pools[4];
	size_t count = 12345;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		put_pool(state, "2048", "surplus_hugepages", texts[i]);
		assert_int_equal(
			mig_topology_read_huge_pools(topology, 1, pools, 4, &count),
			-EBADMSG);
	}
	assert_int_equal(count, 12345);
}

static void a_node_without_pools_has_none(void **state)
{
	const struct mig_topology *topology = put_machine(state);
	struct mig_huge_pool pools[4];
	size_t count = 12345;

	assert_int_equal(mig_topology_read_huge_pools(topology, 0, pools, 4, &count),
			 -ENOENT);
	assert_int_equal(mig_topology_read_huge_pools(topology, 7, pools, 4, &count),
			 -ENODEV);
	assert_int_equal(mig_topology_read_huge_pools(NULL, 0, pools, 4, &count),
			 -EINVAL);
	assert_int_equal(mig_topology_read_huge_pools(topology, 0, NULL, 4, &count),
			 -EINVAL);
	assert_int_equal(mig_topology_read_huge_pools(topology, 0, pools, 4, NULL),
			 -EINVAL);
	assert_int_equal(count, 12345);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(pools_come_in_the_order_of_their_sizes),
		TEST(of_too_many_sizes_the_smallest_are_given),
		TEST(pools_that_do_not_parse_are_refused),
		TEST(a_node_without_pools_has_none),
	};

	return cmocka_run_group_tests_name("huge_pools", tests, NULL, NULL);
}
