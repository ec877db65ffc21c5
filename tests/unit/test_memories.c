/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memories.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "cleanup.h"
#include "fake_process.h"

static const struct mig_calls *calls;

static int set_up(void **state)
{
	(void)state;
	calls = fake_calls();
	return 0;
}

static int add(struct mig_memories *memories, uint64_t mark, pid_t tid)
{
	const struct mig_memory memory = { .mark = mark, .tid = tid };

	return mig_memories_add(memories, calls, &memory);
}

static void marks_that_differ_need_no_question(void **state)
{
	CLEANUP(mig_memories_done) struct mig_memories memories = { 0 };

	(void)state;
	for (pid_t pid = 100; pid < 300; pid++)
		assert_int_equal(add(&memories, (uint64_t)(pid * 7919 % 1000), pid), 0);
	assert_int_equal(memories.count, 200);
	assert_int_equal(fake_kcmp_count(), 0);
}

static void one_mark_alone_does_not_make_one_memory(void **state)
{
	CLEANUP(mig_memories_done) struct mig_memories memories = { 0 };

	(void)state;
	for (pid_t pid = 100; pid < 200; pid++)
		assert_int_equal(add(&memories, pid % 2 ? 5 : 6, pid), 0);
	fake_process_share(300, 141);
	fake_process_share(301, 142);
	assert_int_equal(add(&memories, 5, 300), -EEXIST);
	assert_int_equal(add(&memories, 6, 301), -EEXIST);
	assert_int_equal(memories.count, 100);
}

static void those_that_cannot_be_asked_about_leave(void **state)
{
	CLEANUP(mig_memories_done) struct mig_memories memories = { 0 };

	(void)state;
	assert_int_equal(add(&memories, 5, 100), 0);
	fake_process_hide(100);
	assert_int_equal(add(&memories, 5, 101), 0);
	fake_process_share(102, 101);
	assert_int_equal(add(&memories, 5, 102), -EEXIST);
	assert_int_equal(memories.count, 1);
	/* Itself not either: it counts as different. */
	assert_int_equal(add(&memories, 5, 100), 0);
	assert_int_equal(memories.count, 1);
}

#define TEST(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(marks_that_differ_need_no_question),
		TEST(one_mark_alone_does_not_make_one_memory),
		TEST(those_that_cannot_be_asked_about_leave),
	};

	return cmocka_run_group_tests_name("memories", tests, NULL, NULL);
}
