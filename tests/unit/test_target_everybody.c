/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All processes of a made-up machine as one target. */
#include "targeted.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_process.h"
#include "handles.h"

static bool has(const struct mig_target *target, pid_t pid)
{
	for (size_t i = 0; i < mig_target_get_count(target); i++)
		if (mig_process_get_pid(mig_target_get_process(target, i)) == pid)
			return true;
	return false;
}

static void all_processes_are_members(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 1, 0, NULL);
	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 42, NULL);
	fake_root_write(f->root, "proc/sys/vm/overcommit", "0\n");
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 3);
	assert_true(has(f->target, 1));
	assert_true(has(f->target, 42));
	assert_true(has(f->target, 43));
}

static void kernel_threads_zombies_and_the_caller_are_none(void **state)
{
	struct targeted *f = *state;
	char path[64], text[64];

	fake_process_write(f->root, 42, 1, NULL);
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 2, .flags = FAKE_KERNEL_THREAD });
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 43, .state = 'Z' });
	/* One that was reaped after the list was read. */
	fake_process_write(f->root, 44, 1, NULL);
	fake_process_reap(44);
	/* The fake calls would refuse so high a number. */
	snprintf(path, sizeof(path), "proc/%d/status", getpid());
	snprintf(text, sizeof(text), "Tgid:\t%d\n", getpid());
	fake_root_write(f->root, path, text);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 1);
	assert_true(has(f->target, 42));
	assert_int_equal(mig_target_get_hidden(f->target), 0);
}

static void a_rescan_finds_new_processes(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(rescan_target(f->target), 0);
	fake_process_write(f->root, 43, 1, NULL);
	fake_process_write(f->root, 41, 1, NULL);
	assert_int_equal(rescan_target(f->target), 2);
	assert_true(has(f->target, 43));
	/* Those that are gone stay members. */
	fake_process_remove(f->root, 43);
	fake_process_reap(43);
	assert_int_equal(rescan_target(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 3);
}

static void a_number_that_is_used_again_is_a_new_member(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	fake_process_reap(42);
	fake_process_reuse(42);
	assert_int_equal(rescan_target(f->target), 1);
	assert_int_equal(rescan_target(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 2);
}

static void who_shares_the_memory_of_a_member_is_none(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_process_share(43, 42);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 1);
	/* Until it runs a program of its own. */
	fake_process_share(43, 0);
	assert_int_equal(rescan_target(f->target), 1);
}

static void members_are_not_added_again(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 1);
}

static int refuse_pidfd(pid_t pid)
{
	(void)pid;
	return -EPERM;
}

static int no_pidfd_left(pid_t pid)
{
	(void)pid;
	return -EMFILE;
}

static void processes_that_are_hidden_are_counted(void **state)
{
	struct targeted *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	calls.pidfd_open = refuse_pidfd;
	mig_context_set_calls(f->context, &calls);
	assert_int_equal(mig_target_add_everybody(f->target), 0);
	assert_int_equal(mig_target_get_count(f->target), 0);
	assert_int_equal(mig_target_get_hidden(f->target), 2);
	assert_int_equal(rescan_target(f->target), 0);
	assert_int_equal(mig_target_get_hidden(f->target), 2);
}

static void errors_are_handed_on(void **state)
{
	struct targeted *f = *state;
	struct mig_calls calls = *fake_calls();
	size_t added = 7;

	assert_int_equal(mig_target_add_everybody(NULL), -EINVAL);
	/* No /proc at all. */
	assert_int_equal(mig_target_add_everybody(f->target), -ENOENT);
	fake_process_write(f->root, 42, 1, NULL);
	calls.pidfd_open = no_pidfd_left;
	mig_context_set_calls(f->context, &calls);
	assert_int_equal(mig_target_add_everybody(f->target), -EMFILE);
	/* It did not become everybody's. */
	assert_int_equal(mig_target_rescan(f->target, &added), 0);
	assert_int_equal(added, 0);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, targeted_set_up, targeted_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(all_processes_are_members),
		TEST(kernel_threads_zombies_and_the_caller_are_none),
		TEST(a_rescan_finds_new_processes),
		TEST(a_number_that_is_used_again_is_a_new_member),
		TEST(who_shares_the_memory_of_a_member_is_none),
		TEST(members_are_not_added_again),
		TEST(processes_that_are_hidden_are_counted),
		TEST(errors_are_handed_on),
	};

	return cmocka_run_group_tests_name("target_everybody", tests, NULL, NULL);
}
