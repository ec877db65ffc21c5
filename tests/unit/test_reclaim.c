/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_root.h"
#include "procfs.h"

#define NODE "sys/devices/system/node/node1"

static struct fake_root *root;
static struct mig_context *context;
static struct mig_calls calls;
static unsigned int kilobytes; /**< of page cache */
static unsigned int goes;      /**< of them, with each write */
static int answer;             /**< of a write, 0: its length */
static char written[64];

static void put_meminfo(void)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "Node 1 MemTotal:       4096 kB\nNode 1 FilePages:      %u kB\n"
		 "Node 1 Shmem:          0 kB\n",
		 kilobytes);
	fake_root_write(root, NODE "/meminfo", text);
}

static ssize_t reclaim(int fd, const void *buffer, size_t length)
{
	(void)fd;
	snprintf(written, sizeof(written), "%.*s", (int)length, (const char *)buffer);
	kilobytes -= goes < kilobytes ? goes : kilobytes;
	put_meminfo();
	return answer ? answer : (ssize_t)length;
}

static int set_up(void **state)
{
	(void)state;
	root = fake_root_new();
	calls = mig_calls_kernel;
	calls.write = reclaim;
	context = fake_root_context(root, &calls);
	fake_root_write(root, NODE "/reclaim", "");
	kilobytes = 1000;
	goes = 1000;
	answer = 0;
	put_meminfo();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mig_context_free(context);
	fake_root_free(root);
	return 0;
}

static void all_of_a_nodes_cache_is_asked_for(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	assert_int_equal(mig_node_reclaim(context, 1, &bytes), 0);
	assert_string_equal(written, "1024000 swappiness=0");
	assert_int_equal(bytes, 1000 * 1024);
}

static void it_is_asked_again_until_nothing_goes(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	goes = 400;
	answer = -EAGAIN;
	assert_int_equal(mig_node_reclaim(context, 1, &bytes), 0);
	assert_int_equal(bytes, 1000 * 1024);
	kilobytes = 500;
	goes = 0;
	put_meminfo();
	assert_int_equal(mig_node_reclaim(context, 1, &bytes), 0);
	assert_int_equal(bytes, 0);
}

static void generations_do_it_where_the_node_has_no_file_for_it(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	fake_root_remove(root, NODE "/reclaim");
	fake_root_write(root, "sys/kernel/mm/lru_gen/enabled", "0x0007\n");
	fake_root_write(root, "sys/kernel/debug/lru_gen",
			"memcg 1 /\n node 1\n 3 100 0 250 \n");
	assert_int_equal(mig_node_reclaim(context, 1, &bytes), 0);
	assert_string_equal(written, "+ 1 1 3 0\n+ 1 1 4 0\n- 1 1 3 0\n");
	assert_int_equal(bytes, 1000 * 1024);
}

static void a_kernel_that_cannot_says_so(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	fake_root_remove(root, NODE "/reclaim");
	assert_int_equal(mig_node_reclaim(context, 1, &bytes), -EOPNOTSUPP);
	assert_int_equal(mig_node_reclaim(context, 2, &bytes), -ENODEV);
	assert_int_equal(mig_node_reclaim(NULL, 1, &bytes), -EINVAL);
	assert_int_equal(mig_node_reclaim(context, 1, NULL), -EINVAL);
	assert_int_equal(bytes, 7);
}

static void other_errors_are_told(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	answer = -EACCES;
	assert_int_equal(mig_node_reclaim(context, 1, &bytes), -EACCES);
	assert_int_equal(bytes, 7);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(all_of_a_nodes_cache_is_asked_for),
		TEST(it_is_asked_again_until_nothing_goes),
		TEST(generations_do_it_where_the_node_has_no_file_for_it),
		TEST(a_kernel_that_cannot_says_so),
		TEST(other_errors_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
