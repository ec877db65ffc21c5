/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Over a made-up /proc/kpageflags, which the made-up kernel poisons frames in, or not.
 */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake_root.h"
#include "handles.h"
#include "pagemap.h"

#define MEMORY "sys/devices/system/memory"
#define SOFT_OFFLINE MEMORY "/soft_offline_page"
#define NR_FRAMES 64U
#define BLOCK_FRAMES 16U
#define ANON (MIG_FLAG_LRU | MIG_FLAG_ANON | MIG_FLAG_SWAPBACKED)

static struct fake_root *root;
static struct mig_context *context;
static struct mig_topology *topology;
static struct mig_calls calls;
static uint64_t frames[NR_FRAMES]; /**< their flags */
static int answers[16];            /**< of the next writes; 1: success that is none */
static unsigned int nr_writes;
static char written[32];

static void show_frames(void)
{
	fake_root_write_bytes(root, "proc/kpageflags", frames, sizeof(frames));
}

static ssize_t soft_offline(int fd, const void *buffer, size_t length)
{
	int answer = nr_writes < 16 ? answers[nr_writes] : 0;

	(void)fd;
	nr_writes++;
	assert_true(length < sizeof(written));
	memcpy(written, buffer, length);
	written[length] = '\0';
	if (answer < 0)
		return answer;
	if (!answer)
		frames[strtoull(written, NULL, 0) / mig_context_get_page_size(context)] |=
			MIG_FLAG_POISONED;
	show_frames();
	return (ssize_t)length;
}

static void write_machine(void)
{
	char text[32];

	fake_root_write(root, "sys/devices/system/node/online", "0-1\n");
	fake_root_write(root, "sys/devices/system/node/has_memory", "0-1\n");
	fake_root_mkdir(root, "sys/devices/system/node/node0");
	fake_root_mkdir(root, "sys/devices/system/node/node1");
	snprintf(text, sizeof(text), "%zx\n",
		 BLOCK_FRAMES * mig_context_get_page_size(context));
	fake_root_write(root, MEMORY "/block_size_bytes", text);
	fake_root_mkdir(root, MEMORY "/memory0/node0");
	fake_root_mkdir(root, MEMORY "/memory1/node1");
	fake_root_mkdir(root, MEMORY "/memory2/node0");
	fake_root_mkdir(root, MEMORY "/memory2/node1");
	fake_root_write(root, SOFT_OFFLINE, "");
	memset(frames, 0, sizeof(frames));
	show_frames();
}

static int set_up(void **state)
{
	(void)state;
	root = fake_root_new();
	calls = mig_calls_kernel;
	calls.write = soft_offline;
	context = fake_root_context(root, &calls);
	memset(answers, 0, sizeof(answers));
	nr_writes = 0;
	write_machine();
	return mig_topology_new(context, &topology);
}

static int tear_down(void **state)
{
	(void)state;
	mig_topology_free(topology);
	mig_context_free(context);
	fake_root_free(root);
	return 0;
}

static void hold(uint64_t frame, uint64_t flags)
{
	frames[frame] = flags;
	show_frames();
}

static void a_frame_is_taken_out_of_use(void **state)
{
	struct mig_retirement retirement;
	char address[32];

	(void)state;
	hold(17, ANON);
	assert_int_equal(mig_frame_retire(topology, 17, &retirement), 0);
	assert_int_equal(retirement.error, 0);
	assert_false(retirement.was_poisoned);
	assert_true(retirement.is_poisoned);
	assert_int_equal(retirement.content, MIG_CONTENT_ANON);
	assert_int_equal(retirement.node, 1);
	snprintf(address, sizeof(address), "0x%zx",
		 17 * mig_context_get_page_size(context));
	assert_string_equal(written, address);
	assert_int_equal(nr_writes, 1);
}

static void one_that_was_out_of_use_is_left_alone(void **state)
{
	struct mig_retirement retirement;

	(void)state;
	hold(3, MIG_FLAG_POISONED);
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), 0);
	assert_int_equal(retirement.error, 0);
	assert_true(retirement.was_poisoned);
	assert_true(retirement.is_poisoned);
	assert_int_equal(nr_writes, 0);
}

static void a_busy_page_is_tried_again(void **state)
{
	struct mig_retirement retirement;

	(void)state;
	hold(3, ANON);
	answers[0] = answers[1] = -EBUSY;
	answers[2] = -EINTR;
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), 0);
	assert_int_equal(retirement.error, 0);
	assert_int_equal(nr_writes, 4);
}

static void a_page_that_stays_busy_is_given_up(void **state)
{
	struct mig_retirement retirement;

	(void)state;
	hold(3, ANON);
	for (int i = 0; i < 16; i++)
		answers[i] = -EBUSY;
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), 0);
	assert_int_equal(retirement.error, -EBUSY);
	assert_false(retirement.is_poisoned);
	assert_int_equal(nr_writes, 5);
}

static void success_without_poison_is_none(void **state)
{
	struct mig_retirement retirement;

	(void)state;
	hold(3, MIG_FLAG_FREE);
	for (int i = 0; i < 16; i++)
		answers[i] = 1;
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), 0);
	assert_int_equal(retirement.error, -EBUSY);
	assert_false(retirement.is_poisoned);
}

static void what_the_kernel_refuses_is_said_of_the_frame(void **state)
{
	struct mig_retirement retirement;

	(void)state;
	hold(3, MIG_FLAG_SLAB);
	answers[0] = -EIO;
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), 0);
	assert_int_equal(retirement.error, -EIO);
	assert_int_equal(retirement.content, MIG_CONTENT_SLAB);
	assert_int_equal(nr_writes, 1);
}

static void what_holds_for_all_frames_is_an_error(void **state)
{
	static const int errors[] = { -EPERM, -EACCES, -EOPNOTSUPP };
	struct mig_retirement retirement = { .node = 77 };

	(void)state;
	hold(3, ANON);
	for (size_t i = 0; i < 3; i++) {
		answers[i] = errors[i];
		assert_int_equal(mig_frame_retire(topology, 3, &retirement), errors[i]);
	}
	fake_root_remove(root, SOFT_OFFLINE);
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), -ENOSYS);
	assert_int_equal(mig_frame_retire(topology, NR_FRAMES, &retirement), -ENXIO);
	fake_root_remove(root, "proc/kpageflags");
	assert_int_equal(mig_frame_retire(topology, 3, &retirement), -ENOENT);
	assert_int_equal(retirement.node, 77);
}

static void a_frame_is_looked_at(void **state)
{
	enum mig_content content;
	int node;

	(void)state;
	hold(2, MIG_FLAG_FREE);
	assert_int_equal(mig_frame_look(topology, 2, &content, &node), 0);
	assert_int_equal(content, MIG_CONTENT_FREE);
	assert_int_equal(node, 0);
	/* In a block of two nodes, and in none. */
	assert_int_equal(mig_frame_look(topology, 2 * BLOCK_FRAMES, &content, &node), 0);
	assert_int_equal(node, MIG_NO_NODE);
	assert_int_equal(mig_frame_look(topology, 3 * BLOCK_FRAMES, &content, &node), 0);
	assert_int_equal(node, MIG_NO_NODE);
	assert_int_equal(mig_frame_look(topology, NR_FRAMES, &content, &node), 0);
	assert_int_equal(content, MIG_CONTENT_ABSENT);
	assert_int_equal(node, MIG_NO_NODE);
	assert_int_equal(mig_frame_look(NULL, 2, &content, &node), -EINVAL);
	assert_int_equal(nr_writes, 0);
}

static void it_is_known_beforehand_whether_it_can_be_done(void **state)
{
	(void)state;
	/* The frame numbers of this process are not in the made-up root. */
	assert_int_equal(mig_retirement_check(context), -EPERM);
	fake_root_write(root, "proc/sys/vm/enable_soft_offline", "1\n");
	assert_int_equal(mig_retirement_check(context), -EPERM);
	fake_root_write(root, "proc/sys/vm/enable_soft_offline", "0\n");
	assert_int_equal(mig_retirement_check(context), -EOPNOTSUPP);
	fake_root_remove(root, SOFT_OFFLINE);
	assert_int_equal(mig_retirement_check(context), -ENOSYS);
	assert_int_equal(mig_retirement_check(NULL), -EINVAL);
}

static void a_captured_machine_is_left_alone(void **state)
{
	struct mig_context *captured = fake_root_context(root, NULL);
	struct mig_topology *its_topology = NULL;
	struct mig_retirement retirement;

	(void)state;
	assert_int_equal(mig_topology_new(captured, &its_topology), 0);
	assert_int_equal(mig_retirement_check(captured), -EXDEV);
	assert_int_equal(mig_frame_retire(its_topology, 3, &retirement), -EXDEV);
	mig_topology_free(its_topology);
	mig_context_free(captured);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_frame_is_taken_out_of_use),
		TEST(one_that_was_out_of_use_is_left_alone),
		TEST(a_busy_page_is_tried_again),
		TEST(a_page_that_stays_busy_is_given_up),
		TEST(success_without_poison_is_none),
		TEST(what_the_kernel_refuses_is_said_of_the_frame),
		TEST(what_holds_for_all_frames_is_an_error),
		TEST(a_frame_is_looked_at),
		TEST(it_is_known_beforehand_whether_it_can_be_done),
		TEST(a_captured_machine_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
