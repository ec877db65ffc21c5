/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memory_blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <errno.h>

#include "handles.h"
#include "rooted.h"

#define MEMORY "sys/devices/system/memory"

static void write_block(struct fake_root *root, unsigned int number, const char *state,
			const char *zones)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY "/memory%u/state", number);
	fake_root_write(root, path, state);
	snprintf(path, sizeof(path), MEMORY "/memory%u/valid_zones", number);
	if (zones)
		fake_root_write(root, path, zones);
}

static void link_block(struct fake_root *root, int node, unsigned int number)
{
	char path[128], target[64];

	snprintf(path, sizeof(path), "sys/devices/system/node/node%d/memory%u", node,
		 number);
	snprintf(target, sizeof(target), "../../memory/memory%u", number);
	fake_root_link(root, path, target);
}

/* Three nodes, the first two of which share a block; the last block is nobody's. */
static void write_machine(struct fake_root *root)
{
	fake_root_write(root, "sys/devices/system/node/online", "0-2\n");
	fake_root_write(root, "sys/devices/system/node/has_memory", "0-2\n");
	fake_root_mkdir(root, "sys/devices/system/node/node2/memory_failure");
	fake_root_write(root, MEMORY "/block_size_bytes", "8000000\n");
	write_block(root, 0, "online\n", "none\n");
	write_block(root, 1, "online\n", "Normal\n");
	write_block(root, 9, "offline\n", "Normal Movable\n");
	write_block(root, 10, "going-offline\n", "Movable\n");
	write_block(root, 32, "online\n", "Movable\n");
	link_block(root, 0, 0);
	link_block(root, 0, 1);
	link_block(root, 1, 1);
	link_block(root, 2, 9);
	link_block(root, 2, 10);
}

static int read_blocks(struct rooted *rooted, struct mig_memory_blocks **ret_blocks)
{
	CLEANUP_MIG(topology) struct mig_topology *topology = NULL;

	assert_int_equal(mig_topology_new(rooted->context, &topology), 0);
	return mig_memory_blocks_read(topology, ret_blocks);
}

static void assert_nodes(const struct mig_memory_block *block, const char *expected)
{
	char nodes[64];

	mig_nodeset_format(&block->nodes, nodes, sizeof(nodes));
	assert_string_equal(nodes, expected);
}

static void blocks_come_with_state_zones_and_nodes(void **state)
{
	struct rooted *rooted = *state;
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;
	const struct mig_memory_block *block;

	write_machine(rooted->root);
	assert_int_equal(read_blocks(rooted, &blocks), 0);
	assert_int_equal(mig_memory_blocks_get_count(blocks), 5);
	block = mig_memory_blocks_get(blocks, 0);
	assert_int_equal(block->number, 0);
	assert_int_equal(block->state, MIG_BLOCK_ONLINE);
	assert_string_equal(block->zones, "none");
	assert_nodes(block, "0");
	block = mig_memory_blocks_get(blocks, 2);
	assert_int_equal(block->number, 9);
	assert_int_equal(block->first_frame, 9 * 0x8000);
	assert_int_equal(block->nr_pages, 0x8000);
	assert_int_equal(block->state, MIG_BLOCK_OFFLINE);
	assert_string_equal(block->zones, "Normal Movable");
	assert_nodes(block, "2");
	block = mig_memory_blocks_get(blocks, 3);
	assert_int_equal(block->number, 10);
	assert_int_equal(block->state, MIG_BLOCK_GOING_OFFLINE);
	block = mig_memory_blocks_get(blocks, 4);
	assert_int_equal(block->number, 32);
	assert_nodes(block, "");
	assert_null(mig_memory_blocks_get(blocks, 5));
}

static void a_block_may_be_part_of_several_nodes(void **state)
{
	struct rooted *rooted = *state;
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;

	write_machine(rooted->root);
	assert_int_equal(read_blocks(rooted, &blocks), 0);
	assert_nodes(mig_memory_blocks_get(blocks, 1), "0-1");
}

static void without_numa_all_are_the_one_nodes(void **state)
{
	struct rooted *rooted = *state;
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;

	fake_root_write(rooted->root, MEMORY "/block_size_bytes", "8000000\n");
	write_block(rooted->root, 3, "online\n", "Normal\n");
	assert_int_equal(read_blocks(rooted, &blocks), 0);
	assert_int_equal(mig_memory_blocks_get_count(blocks), 1);
	assert_nodes(mig_memory_blocks_get(blocks, 0), "0");
}

/* Without CONFIG_MEMORY_HOTREMOVE. */
static void a_kernel_may_tell_no_zones(void **state)
{
	struct rooted *rooted = *state;
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;

	fake_root_write(rooted->root, MEMORY "/block_size_bytes", "8000000\n");
	write_block(rooted->root, 3, "online\n", NULL);
	assert_int_equal(read_blocks(rooted, &blocks), 0);
	assert_string_equal(mig_memory_blocks_get(blocks, 0)->zones, "");
}

static void a_kernel_may_have_no_blocks(void **state)
{
	struct rooted *rooted = *state;
	struct mig_memory_blocks *blocks = NULL;

	assert_int_equal(read_blocks(rooted, &blocks), -EOPNOTSUPP);
	assert_null(blocks);
}

static void a_block_that_is_unplugged_meanwhile_is_none(void **state)
{
	struct rooted *rooted = *state;
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;

	write_machine(rooted->root);
	fake_root_remove(rooted->root, MEMORY "/memory9/state");
	assert_int_equal(read_blocks(rooted, &blocks), 0);
	assert_int_equal(mig_memory_blocks_get_count(blocks), 4);
	assert_int_equal(mig_memory_blocks_get(blocks, 2)->number, 10);
	assert_nodes(mig_memory_blocks_get(blocks, 2), "2");
}

static void what_does_not_parse_is_refused(void **state)
{
	static const char *const sizes[] = { "", "x\n", "0\n", "1\n", "8000001\n" };
	struct rooted *rooted = *state;
	struct mig_memory_blocks *blocks = NULL;

	write_machine(rooted->root);
	write_block(rooted->root, 9, "idle\n", "Movable\n");
	assert_int_equal(read_blocks(rooted, &blocks), -EBADMSG);
	write_block(rooted->root, 9, "online\n", "Movable\n");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fake_root_write(rooted->root, MEMORY "/block_size_bytes", sizes[i]);
		assert_int_equal(read_blocks(rooted, &blocks), -EBADMSG);
	}
	/* Its frames would have numbers beyond 64 bits. */
	fake_root_write(rooted->root, MEMORY "/block_size_bytes", "4000000000000000\n");
	assert_int_equal(read_blocks(rooted, &blocks), 0);
	mig_memory_blocks_free(blocks);
	fake_root_write(rooted->root, MEMORY "/memory8192000000000000/state", "online\n");
	assert_int_equal(read_blocks(rooted, &blocks), -EBADMSG);
}

static void null_is_refused(void **state)
{
	struct mig_memory_blocks *blocks = NULL;

	(void)state;
	assert_int_equal(mig_memory_blocks_read(NULL, &blocks), -EINVAL);
	assert_int_equal(mig_memory_blocks_get_count(NULL), 0);
	assert_null(mig_memory_blocks_get(NULL, 0));
	mig_memory_blocks_free(NULL);
}

#define ROOTED_TEST(function) \
	cmocka_unit_test_setup_teardown(function, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOTED_TEST(blocks_come_with_state_zones_and_nodes),
		ROOTED_TEST(a_block_may_be_part_of_several_nodes),
		ROOTED_TEST(without_numa_all_are_the_one_nodes),
		ROOTED_TEST(a_kernel_may_tell_no_zones),
		ROOTED_TEST(a_kernel_may_have_no_blocks),
		ROOTED_TEST(a_block_that_is_unplugged_meanwhile_is_none),
		ROOTED_TEST(what_does_not_parse_is_refused),
		ROOTED_TEST(null_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
