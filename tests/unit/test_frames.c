/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which node a page frame is on, by the memory blocks of made-up machines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "frames.h"
#include "topology.h"

#define MEMORY "sys/devices/system/memory"
#define BLOCK_BYTES (UINT64_C(128) << 20)

static void put_block(void **state, int node, const char *name)
{
	const struct fake_machine *machine = *state;
	char path[128], target[128];

	snprintf(path, sizeof(path), NODES "/node%d/%s", node, name);
	snprintf(target, sizeof(target), "../../memory/%s", name);
	fake_root_link(machine->root, path, target);
}

/* Node 0 has blocks 0, 1 and 4, node 1 blocks 2, 3 and 5 to 12, node 2 none. */
static void put_machine(void **state)
{
	char name[32];

	fake_machine_write(state, NODES "/online", "0-2\n");
	fake_machine_write(state, NODES "/has_memory", "0-1\n");
	fake_machine_write(state, MEMORY "/block_size_bytes", "8000000\n");
	put_block(state, 0, "memory4");
	put_block(state, 0, "memory0");
	put_block(state, 0, "memory1");
	put_block(state, 1, "memory2");
	put_block(state, 1, "memory3");
	for (int block = 5; block <= 12; block++) {
		snprintf(name, sizeof(name), "memory%d", block);
		put_block(state, 1, name);
	}
	fake_machine_write(state, NODES "/node0/memory_failure/total", "0\n");
	fake_machine_write(state, NODES "/node2/cpulist", "\n");
}

static struct mig_frames *read_frames(void **state)
{
	struct mig_frames *frames;

	assert_int_equal(mig_frames_new(fake_machine_read_topology(state), &frames), 0);
	return frames;
}

static void assert_refused(void **state, int error)
{
	struct mig_frames *frames = (struct mig_frames *)-1;

	assert_int_equal(mig_frames_new(fake_machine_read_topology(state), &frames),
			 error);
	assert_ptr_equal(frames, (struct mig_frames *)-1);
}

static uint64_t frames_a_block(void **state)
{
	const struct fake_machine *machine = *state;

	return BLOCK_BYTES / mig_context_get_page_size(machine->context);
}

static void every_frame_of_a_block_is_on_its_node(void **state)
{
	static const int node_of_block[] = { 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1 };
	const uint64_t n = frames_a_block(state);
	struct mig_frames *frames;

	put_machine(state);
	frames = read_frames(state);
	for (uint64_t block = 0; block < 13; block++) {
		assert_int_equal(mig_frames_get_node(frames, block * n),
				 node_of_block[block]);
		assert_int_equal(mig_frames_get_node(frames, block * n + n / 2),
				 node_of_block[block]);
		assert_int_equal(mig_frames_get_node(frames, block * n + n - 1),
				 node_of_block[block]);
	}
	mig_frames_free(frames);
}

static void frames_behind_the_last_block_are_on_no_node(void **state)
{
	const uint64_t n = frames_a_block(state);
	struct mig_frames *frames;

	put_machine(state);
	frames = read_frames(state);
	assert_int_equal(mig_frames_get_end(frames), 13 * n);
	assert_int_equal(mig_frames_get_node(frames, 13 * n), MIG_NO_NODE);
	assert_int_equal(mig_frames_get_node(frames, UINT64_MAX), MIG_NO_NODE);
	mig_frames_free(frames);
}

static void frames_in_a_hole_are_on_no_node(void **state)
{
	const struct fake_machine *machine = *state;
	const uint64_t n = frames_a_block(state);
	struct mig_frames *frames;

	put_machine(state);
	fake_root_remove(machine->root, NODES "/node0/memory0");
	fake_root_remove(machine->root, NODES "/node1/memory7");
	frames = read_frames(state);
	assert_int_equal(mig_frames_get_node(frames, 0), MIG_NO_NODE);
	assert_int_equal(mig_frames_get_node(frames, n), 0);
	assert_int_equal(mig_frames_get_node(frames, 7 * n - 1), 1);
	assert_int_equal(mig_frames_get_node(frames, 7 * n), MIG_NO_NODE);
	assert_int_equal(mig_frames_get_node(frames, 8 * n - 1), MIG_NO_NODE);
	assert_int_equal(mig_frames_get_node(frames, 8 * n), 1);
	mig_frames_free(frames);
}

static void a_block_that_nodes_share_is_on_no_node(void **state)
{
	const uint64_t n = frames_a_block(state);
	struct mig_frames *frames;

	put_machine(state);
	put_block(state, 0, "memory2");
	put_block(state, 2, "memory2");
	put_block(state, 2, "memory12");
	frames = read_frames(state);
	assert_int_equal(mig_frames_get_node(frames, 2 * n - 1), 0);
	assert_int_equal(mig_frames_get_node(frames, 2 * n), MIG_NO_NODE);
	assert_int_equal(mig_frames_get_node(frames, 3 * n), 1);
	assert_int_equal(mig_frames_get_node(frames, 12 * n - 1), 1);
	assert_int_equal(mig_frames_get_node(frames, 12 * n), MIG_NO_NODE);
	mig_frames_free(frames);
}

static void the_block_size_is_hexadecimal(void **state)
{
	const struct fake_machine *machine = *state;
	struct mig_frames *frames;

	put_machine(state);
	fake_machine_write(state, MEMORY "/block_size_bytes", "80000000\n");
	frames = read_frames(state);
	assert_int_equal(mig_frames_get_end(frames),
			 13 * (UINT64_C(2) << 30) /
				 mig_context_get_page_size(machine->context));
	mig_frames_free(frames);
}

static void a_block_size_that_makes_no_sense_is_refused(void **state)
{
	static const char *const texts[] = {
		"",    "\n",          "0\n",
		"1\n", "801",         "0x8000000\n",
		"-1",  "8000000 8\n", "10000000000000000000\n"
	};

	put_machine(state);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		fake_machine_write(state, MEMORY "/block_size_bytes", texts[i]);
		assert_refused(state, -EBADMSG);
	}
}

static void a_block_beyond_every_frame_is_refused(void **state)
{
	put_machine(state);
	put_block(state, 0, "memory18446744073709551614");
	assert_refused(state, -EBADMSG);
}

static void a_kernel_without_blocks_is_told(void **state)
{
	const struct fake_machine *machine = *state;

	fake_machine_write(state, NODES "/online", "0\n");
	assert_refused(state, -ENOENT);
	fake_machine_write(state, NODES "/has_memory", "0\n");
	fake_machine_write(state, MEMORY "/block_size_bytes", "8000000\n");
	assert_refused(state, -ENOENT);
	put_machine(state);
	fake_root_remove(machine->root, NODES "/node0");
	fake_root_remove(machine->root, NODES "/node1");
	assert_refused(state, -ENOENT);
}

static void without_numa_all_blocks_are_of_the_one_node(void **state)
{
	const uint64_t n = frames_a_block(state);
	struct mig_frames *frames;

	fake_machine_write(state, MEMORY "/block_size_bytes", "8000000\n");
	fake_machine_write(state, MEMORY "/memory0/state", "online\n");
	fake_machine_write(state, MEMORY "/memory2/state", "online\n");
	fake_machine_write(state, MEMORY "/auto_online_blocks", "online\n");
	frames = read_frames(state);
	assert_int_equal(mig_frames_get_node(frames, 0), 0);
	assert_int_equal(mig_frames_get_node(frames, n), MIG_NO_NODE);
	assert_int_equal(mig_frames_get_node(frames, 2 * n), 0);
	mig_frames_free(frames);
}

static void many_blocks_in_any_order_are_found(void **state)
{
	const uint64_t n = frames_a_block(state);
	struct mig_frames *frames;
	char name[32];

	put_machine(state);
	/* Every third block is missing, the others alternate. */
	for (unsigned int i = 0; i < 600; i++) {
		unsigned int block = 100 + i * 7 % 600;

		if (block % 3 == 2)
			continue;
		snprintf(name, sizeof(name), "memory%u", block);
		put_block(state, (int)(block % 3), name);
	}
	frames = read_frames(state);
	for (unsigned int block = 100; block < 700; block++)
		assert_int_equal(mig_frames_get_node(frames, block * n + 5),
				 block % 3 == 2 ? MIG_NO_NODE : (int)(block % 3));
	mig_frames_free(frames);
}

static void nothing_is_freed_without_harm(void **state)
{
	(void)state;
	mig_frames_free(NULL);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

static void runs_are_given_one_after_the_other(void **state)
{
	static const struct mig_frames_run expected[] = {
		{ 0, 2, 0 }, { 2, 4, 1 }, { 4, 5, 0 }, { 5, 7, 1 }, { 8, 12, 1 },
	};
	const struct fake_machine *machine = *state;
	const uint64_t n = frames_a_block(state);
	struct mig_frames_run run = { .end = 0 };
	struct mig_frames *frames;

	put_machine(state);
	fake_root_remove(machine->root, NODES "/node1/memory7");
	put_block(state, 0, "memory12");
	frames = read_frames(state);
	for (size_t i = 0; i < 5; i++) {
		assert_true(mig_frames_next_run(frames, run.end, &run));
		assert_int_equal(run.start, expected[i].start * n);
		assert_int_equal(run.end, expected[i].end * n);
		assert_int_equal(run.node, expected[i].node);
	}
	assert_false(mig_frames_next_run(frames, run.end, &run));
	assert_int_equal(run.end, 12 * n);
	/* From inside one, and from a hole. */
	assert_true(mig_frames_next_run(frames, 4 * n - 1, &run));
	assert_int_equal(run.start, 2 * n);
	assert_true(mig_frames_next_run(frames, 7 * n, &run));
	assert_int_equal(run.start, 8 * n);
	assert_false(mig_frames_next_run(frames, UINT64_MAX, &run));
	mig_frames_free(frames);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(every_frame_of_a_block_is_on_its_node),
		TEST(frames_behind_the_last_block_are_on_no_node),
		TEST(frames_in_a_hole_are_on_no_node),
		TEST(a_block_that_nodes_share_is_on_no_node),
		TEST(the_block_size_is_hexadecimal),
		TEST(a_block_size_that_makes_no_sense_is_refused),
		TEST(a_block_beyond_every_frame_is_refused),
		TEST(a_kernel_without_blocks_is_told),
		TEST(without_numa_all_blocks_are_of_the_one_node),
		TEST(many_blocks_in_any_order_are_found),
		TEST(runs_are_given_one_after_the_other),
		TEST(nothing_is_freed_without_harm),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
