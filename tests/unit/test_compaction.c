/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fake_root.h"
#include "procfs.h"

#define NODES "sys/devices/system/node"

static struct fake_root *root;
static struct mig_context *context;
static struct mig_calls calls;
static int write_error;
static unsigned int nr_writes;

static ssize_t note_write(int fd, const void *buffer, size_t length)
{
	nr_writes++;
	return write_error ? write_error : mig_calls_kernel.write(fd, buffer, length);
}

static int set_up(void **state)
{
	(void)state;
	root = fake_root_new();
	calls = mig_calls_kernel;
	calls.write = note_write;
	context = fake_root_context(root, &calls);
	write_error = 0;
	nr_writes = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mig_context_free(context);
	fake_root_free(root);
	return 0;
}

static void assert_compacted(const char *path)
{
	char text[8];

	assert_true(mig_procfs_read(context, text, sizeof(text), "%s", path) >= 0);
	assert_string_equal(text, "1");
}

static void a_node_is_compacted_once(void **state)
{
	(void)state;
	fake_root_write(root, NODES "/node3/compact", "");
	assert_int_equal(mig_node_compact(context, 3), 0);
	assert_compacted(NODES "/node3/compact");
	assert_int_equal(nr_writes, 1);
}

static void a_node_that_does_not_exist_is_told_from_a_kernel_that_cannot(void **state)
{
	(void)state;
	fake_root_mkdir(root, NODES "/node0");
	assert_int_equal(mig_node_compact(context, 1), -ENODEV);
	assert_int_equal(mig_node_compact(context, -1), -ENODEV);
	assert_int_equal(mig_node_compact(context, 0), -EOPNOTSUPP);
}

static void without_numa_the_machine_is_the_node(void **state)
{
	(void)state;
	fake_root_mkdir(root, "proc/sys/vm");
	assert_int_equal(mig_node_compact(context, 0), -EOPNOTSUPP);
	fake_root_write(root, "proc/sys/vm/compact_memory", "");
	assert_int_equal(mig_node_compact(context, 0), 0);
	assert_compacted("proc/sys/vm/compact_memory");
	assert_int_equal(mig_node_compact(context, 1), -ENODEV);
}

static void what_the_kernel_refuses_is_told(void **state)
{
	(void)state;
	fake_root_write(root, NODES "/node0/compact", "");
	write_error = -EPERM;
	assert_int_equal(mig_node_compact(context, 0), -EPERM);
	assert_int_equal(mig_node_compact(NULL, 0), -EINVAL);
}

static void a_captured_machine_is_left_alone(void **state)
{
	struct mig_context *captured = fake_root_context(root, NULL);

	(void)state;
	fake_root_write(root, NODES "/node0/compact", "");
	assert_int_equal(mig_node_compact(captured, 0), -EXDEV);
	mig_context_free(captured);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_node_is_compacted_once),
		TEST(a_node_that_does_not_exist_is_told_from_a_kernel_that_cannot),
		TEST(without_numa_the_machine_is_the_node),
		TEST(what_the_kernel_refuses_is_told),
		TEST(a_captured_machine_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
