/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What zswap holds, of a made-up machine. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_machine.h"

#define ZPOOL "sys/module/zswap/parameters/zpool"

static const struct mig_topology *put_machine(void **state, const char *meminfo)
{
	fake_machine_write(state, NODES "/online", "0\n");
	fake_machine_write(state, NODES "/has_memory", "0\n");
	fake_machine_write_node(state, 0, "0\n", "10\n", 1000);
	if (meminfo)
		fake_machine_write(state, "proc/meminfo", meminfo);
	return fake_machine_read_topology(state);
}

static void both_sizes_are_read(void **state)
{
	const struct mig_topology *topology =
		put_machine(state, "MemTotal: 100 kB\nZswap: 12 kB\nZswapped: 40 kB\n");
	struct mig_zswap zswap;

	assert_int_equal(mig_topology_read_zswap(topology, &zswap), 0);
	assert_int_equal(zswap.pool_bytes, 12 << 10);
	assert_int_equal(zswap.stored_bytes, 40 << 10);
	assert_int_equal(zswap.hidden_bytes, 0);
}

static void only_of_zsmalloc_it_is_told_where_it_is(void **state)
{
	const struct mig_topology *topology =
		put_machine(state, "Zswap: 12 kB\nZswapped: 40 kB\n");
	struct mig_zswap zswap;

	fake_machine_write(state, ZPOOL, "zbud\n");
	assert_int_equal(mig_topology_read_zswap(topology, &zswap), 0);
	assert_int_equal(zswap.hidden_bytes, 12 << 10);
	fake_machine_write(state, ZPOOL, "zsmalloc\n");
	assert_int_equal(mig_topology_read_zswap(topology, &zswap), 0);
	assert_int_equal(zswap.hidden_bytes, 0);
}

static void a_kernel_without_it_does_not_tell(void **state)
{
	const struct mig_topology *topology = put_machine(state, "MemTotal: 100 kB\n");
	struct mig_zswap zswap;

	assert_int_equal(mig_topology_read_zswap(topology, &zswap), 0);
	assert_true(zswap.pool_bytes == MIG_UNKNOWN_BYTES);
	assert_true(zswap.stored_bytes == MIG_UNKNOWN_BYTES);
	assert_true(zswap.hidden_bytes == MIG_UNKNOWN_BYTES);
}

static void what_cannot_be_read_is_refused(void **state)
{
	const struct mig_topology *topology = put_machine(state, NULL);
	struct mig_zswap zswap = { .pool_bytes = 7 };

	assert_int_equal(mig_topology_read_zswap(topology, &zswap), -ENOENT);
	fake_machine_write(state, "proc/meminfo", "Zswap: x kB\n");
	assert_int_equal(mig_topology_read_zswap(topology, &zswap), -EBADMSG);
	assert_int_equal(mig_topology_read_zswap(NULL, &zswap), -EINVAL);
	assert_int_equal(mig_topology_read_zswap(topology, NULL), -EINVAL);
	assert_int_equal(zswap.pool_bytes, 7);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(both_sizes_are_read),
		TEST(only_of_zsmalloc_it_is_told_where_it_is),
		TEST(a_kernel_without_it_does_not_tell),
		TEST(what_cannot_be_read_is_refused),
	};

	return cmocka_run_group_tests_name("zswap", tests, NULL, NULL);
}
