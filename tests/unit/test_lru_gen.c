/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lru_gen.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_root.h"

#define ENABLED "sys/kernel/mm/lru_gen/enabled"

static const char listing[] = "memcg     1 /\n"
			      " node     0\n"
			      "          0      85432          0       1234 \n"
			      "          1      12110         99          0 \n"
			      " node     3\n"
			      "          4       5432          0          5 \n"
			      "          5       5432          0          7 \n"
			      "memcg    77 /system.slice\n"
			      " node     3\n"
			      "          8        100          0          0 \n"
			      "          9        100         50          0 \n"
			      "memcg    78 /user.slice\n"
			      " node     3\n"
			      "          2        100          0       4096 \n";

static struct fake_root *root;
static struct mig_context *context;
static struct mig_calls calls;
static char written[1024];
static int answer;

static ssize_t note(int fd, const void *buffer, size_t length)
{
	size_t before = strlen(written);

	(void)fd;
	snprintf(written + before, sizeof(written) - before, "%.*s", (int)length,
		 (const char *)buffer);
	return answer ? answer : (ssize_t)length;
}

static int set_up(void **state)
{
	(void)state;
	root = fake_root_new();
	calls = mig_calls_kernel;
	calls.write = note;
	context = fake_root_context(root, &calls);
	fake_root_write(root, ENABLED, "0x0007\n");
	fake_root_write(root, MIG_LRU_GEN_FILE, listing);
	written[0] = '\0';
	answer = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mig_context_free(context);
	fake_root_free(root);
	return 0;
}

static void each_cgroup_and_node_is_one(void **state)
{
	struct mig_text text = { listing, sizeof(listing) - 1 };
	struct mig_lru_gen gen = { 0 };

	(void)state;
	assert_int_equal(mig_lru_gen_next(&text, &gen), 1);
	assert_int_equal(gen.memcg, 1);
	assert_int_equal(gen.node, 0);
	assert_int_equal(gen.youngest, 1);
	assert_int_equal(gen.file_pages, 1234);
	assert_int_equal(mig_lru_gen_next(&text, &gen), 1);
	assert_int_equal(gen.memcg, 1);
	assert_int_equal(gen.node, 3);
	assert_int_equal(gen.youngest, 5);
	assert_int_equal(gen.file_pages, 12);
	assert_int_equal(mig_lru_gen_next(&text, &gen), 1);
	assert_int_equal(gen.memcg, 77);
	assert_int_equal(gen.file_pages, 0);
	assert_int_equal(mig_lru_gen_next(&text, &gen), 1);
	assert_int_equal(gen.memcg, 78);
	assert_int_equal(mig_lru_gen_next(&text, &gen), 0);
}

static void what_is_no_listing_is_refused(void **state)
{
	static const char *const texts[] = {
		"memcg /\n",
		"memcg 1 /\n node x\n",
		"memcg 1 /\n node 0\n 1 2 3\n",
		"memcg 1 /\n node 0\n 1 2 3 99999999999999999999\n",
		"0x0007\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct mig_text text = { texts[i], strlen(texts[i]) };
		struct mig_lru_gen gen = { 0 };

		assert_int_equal(mig_lru_gen_next(&text, &gen), -EBADMSG);
	}
}

static void those_with_cache_on_the_node_are_made_older_and_dropped(void **state)
{
	(void)state;
	assert_int_equal(mig_lru_gen_reclaim(context, 3), 0);
	assert_string_equal(written, "+ 1 3 5 0\n+ 1 3 6 0\n- 1 3 5 0\n"
				     "+ 78 3 2 0\n+ 78 3 3 0\n- 78 3 2 0\n");
}

static void a_cgroup_that_is_removed_meanwhile_is_none(void **state)
{
	(void)state;
	answer = -EINVAL;
	assert_int_equal(mig_lru_gen_reclaim(context, 3), 0);
	assert_non_null(strstr(written, "+ 78 "));
}

static void without_generations_it_cannot_be_done(void **state)
{
	(void)state;
	fake_root_write(root, ENABLED, "0x0000\n");
	assert_int_equal(mig_lru_gen_reclaim(context, 3), -EOPNOTSUPP);
	fake_root_remove(root, ENABLED);
	assert_int_equal(mig_lru_gen_reclaim(context, 3), -EOPNOTSUPP);
	fake_root_write(root, ENABLED, "0x0001\n");
	fake_root_remove(root, MIG_LRU_GEN_FILE);
	assert_int_equal(mig_lru_gen_reclaim(context, 3), -EOPNOTSUPP);
	assert_string_equal(written, "");
}

static void other_errors_end_it(void **state)
{
	(void)state;
	answer = -EPERM;
	assert_int_equal(mig_lru_gen_reclaim(context, 3), -EPERM);
	assert_null(strstr(written, "+ 78 "));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_cgroup_and_node_is_one),
		TEST(what_is_no_listing_is_refused),
		TEST(those_with_cache_on_the_node_are_made_older_and_dropped),
		TEST(a_cgroup_that_is_removed_meanwhile_is_none),
		TEST(without_generations_it_cannot_be_done),
		TEST(other_errors_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
