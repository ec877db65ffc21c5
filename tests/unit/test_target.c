/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fake_process.h"
#include "targeted.h"

DEFINE_CLEANUP(context)
DEFINE_CLEANUP(target)

static void members_come_in_the_order_in_which_they_were_added(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 50, 1, NULL);
	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 47, 1, NULL);
	assert_members(f->target, "");
	assert_int_equal(mig_target_add_pid(f->target, 50), 0);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_int_equal(mig_target_add_pid(f->target, 47), 0);
	assert_members(f->target, "50 42 47 ");
	assert_null(mig_target_get_process(f->target, 3));
}

static void a_process_is_added_only_once(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 43 });
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_int_equal(mig_target_add_pid(f->target, 42), -EEXIST);
	assert_int_equal(mig_target_add_pid(f->target, 43), -EEXIST);
	assert_members(f->target, "42 ");
}

static void errors_of_opening_are_told(void **state)
{
	struct targeted *f = *state;

	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 2, .flags = FAKE_KERNEL_THREAD });
	assert_int_equal(mig_target_add_pid(f->target, 42), -ENODATA);
	assert_int_equal(mig_target_add_tree(f->target, 42), -ENODATA);
	assert_int_equal(mig_target_add_pid(f->target, 2), -ENXIO);
	assert_int_equal(mig_target_add_tree(f->target, 77), -ESRCH);
	assert_int_equal(mig_target_add_pid(f->target, 0), -EINVAL);
	assert_members(f->target, "");
}

static void a_process_that_shares_its_memory_with_a_member_is_refused(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_process_share(43, 42);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_int_equal(mig_target_add_pid(f->target, 43), -EEXIST);
	assert_members(f->target, "42 ");
}

static void shared_memory_is_found_among_many_with_few_questions(void **state)
{
	enum { COUNT = 200 };
	struct targeted *f = *state;

	for (pid_t pid = 100; pid < 100 + COUNT; pid++) {
		fake_process_write(f->root, pid, 1, NULL);
		assert_int_equal(mig_target_add_pid(f->target, pid), 0);
	}
	/* Each time one about itself, then at most 8 of the 200. */
	assert_in_range(fake_kcmp_count(), COUNT, COUNT * 9);
	for (pid_t pid = 500; pid < 500 + COUNT; pid++) {
		fake_process_write(f->root, pid, 1, NULL);
		fake_process_share(pid, pid - 400);
		assert_int_equal(mig_target_add_pid(f->target, pid), -EEXIST);
	}
	assert_int_equal(mig_target_get_count(f->target), COUNT);
}

static void dead_and_forbidden_members_do_not_hide_shared_memory(void **state)
{
	enum { COUNT = 64 };
	struct targeted *f = *state;

	for (pid_t pid = 100; pid < 100 + COUNT; pid++) {
		fake_process_write(f->root, pid, 1, NULL);
		assert_int_equal(mig_target_add_pid(f->target, pid), 0);
	}
	for (pid_t pid = 100; pid < 100 + COUNT; pid++) {
		if (pid % 3 == 0)
			fake_process_reap(pid);
		if (pid % 3 == 1)
			fake_process_hide(pid);
	}
	for (pid_t pid = 100; pid < 100 + COUNT; pid++) {
		if (pid % 3 != 2)
			continue;
		fake_process_write(f->root, pid + 400, 1, NULL);
		fake_process_share(pid + 400, pid);
		assert_int_equal(mig_target_add_pid(f->target, pid + 400), -EEXIST);
	}
	assert_int_equal(mig_target_get_count(f->target), COUNT);
}

static void processes_that_cannot_be_compared_count_as_distinct(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_process_share(43, 42);
	fake_process_hide(43);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_int_equal(mig_target_add_pid(f->target, 43), 0);
	assert_members(f->target, "42 43 ");
	assert_int_equal(rescan_target(f->target), 0);
	assert_members(f->target, "42 43 ");
	/* And they do not stand in the way of others. */
	fake_process_write(f->root, 44, 1, NULL);
	fake_process_share(44, 42);
	assert_int_equal(mig_target_add_pid(f->target, 44), -EEXIST);
}

static void a_tree_has_all_descendants(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 51 ");
	fake_process_write(f->root, 50, 42, "60 ");
	fake_process_write(f->root, 51, 42, NULL);
	fake_process_write(f->root, 60, 50, "70 ");
	fake_process_write(f->root, 70, 60, NULL);
	fake_process_write(f->root, 99, 1, NULL);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 50 51 60 70 ");
	assert_int_equal(mig_target_add_tree(f->target, 42), -EEXIST);
	assert_int_equal(mig_target_add_pid(f->target, 60), -EEXIST);
	assert_int_equal(rescan_target(f->target), 0);
}

static void what_vanishes_and_what_has_no_memory_is_left_out_of_a_tree(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 51 52 53 54 ");
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 51, .parent = 42, .state = 'Z' });
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 52,
							  .parent = 42,
							  .flags = FAKE_KERNEL_THREAD });
	fake_process_write(f->root, 53, 42, NULL);
	fake_process_reap(53);
	fake_process_write(f->root, 54, 42, NULL);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 54 ");
}

static void a_rescan_finds_new_descendants_of_any_member(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, NULL);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	fake_process_write(f->root, 50, 42, "60 ");
	fake_process_write(f->root, 60, 50, "61 ");
	fake_process_write(f->root, 61, 60, NULL);
	assert_int_equal(rescan_target(f->target), 2);
	assert_members(f->target, "42 50 60 61 ");
	assert_int_equal(rescan_target(f->target), 0);
}

static void a_process_that_was_added_alone_is_not_rescanned(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, NULL);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_int_equal(rescan_target(f->target), 0);
	assert_members(f->target, "42 ");
	/* Until it is asked for as a tree. */
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 50 ");
}

static void a_member_that_a_tree_reaches_brings_its_descendants(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, "60 ");
	fake_process_write(f->root, 60, 50, "70 ");
	fake_process_write(f->root, 70, 60, NULL);
	assert_int_equal(mig_target_add_pid(f->target, 60), 0);
	assert_int_equal(mig_target_add_pid(f->target, 50), 0);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "60 50 42 70 ");
}

static void a_member_that_is_dead_stays_and_keeps_its_place(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 51 ");
	fake_process_write(f->root, 50, 42, NULL);
	fake_process_write(f->root, 51, 42, NULL);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	fake_process_reap(50);
	fake_process_remove(f->root, 50);
	fake_process_write(f->root, 42, 1, "51 52 ");
	fake_process_write(f->root, 52, 42, NULL);
	assert_int_equal(rescan_target(f->target), 1);
	assert_members(f->target, "42 50 51 52 ");
	assert_false(mig_process_is_alive(mig_target_get_process(f->target, 1)));
}

static void a_number_that_is_used_again_is_a_new_member(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, NULL);
	/* The fake memory of a number is the same in all its lives. */
	fake_process_hide(50);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	fake_process_reuse(50);
	assert_int_equal(rescan_target(f->target), 1);
	assert_members(f->target, "42 50 50 ");
	assert_false(mig_process_is_alive(mig_target_get_process(f->target, 1)));
	assert_true(mig_process_is_alive(mig_target_get_process(f->target, 2)));
	assert_int_equal(rescan_target(f->target), 0);
	for (int i = 0; i < 5; i++) {
		fake_process_reuse(50);
		assert_int_equal(rescan_target(f->target), 1);
		assert_int_equal(rescan_target(f->target), 0);
	}
	fake_process_reuse(42);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	assert_members(f->target, "42 50 50 50 50 50 50 50 42 ");
}

static void a_child_number_with_another_parent_is_not_taken(void **state)
{
	struct targeted *f = *state;

	/* 50 was a child when the list was read, and is a stranger now. */
	fake_process_write(f->root, 42, 1, "50 51 ");
	fake_process_write(f->root, 50, 7, NULL);
	fake_process_write(f->root, 51, 42, NULL);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 51 ");
}

/* As if the parent died, and its number were given away, while 50 is opened. */
static int (*usual_pidfd_open)(pid_t pid);

static int reuse_parent(pid_t pid)
{
	if (pid == 50)
		fake_process_reuse(42);
	return usual_pidfd_open(pid);
}

static void a_child_whose_parent_died_meanwhile_is_not_taken(void **state)
{
	struct targeted *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, NULL);
	usual_pidfd_open = calls.pidfd_open;
	calls.pidfd_open = reuse_parent;
	mig_context_set_calls(f->context, &calls);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 ");
}

static void a_child_number_that_has_become_a_thread_is_not_taken(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "51 50 ");
	fake_process_write(f->root, 51, 42, NULL);
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 51, .tid = 50, .parent = 42 });
	fake_process_hide(51);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 51 ");
}

static struct fake_root *dying_root;

static int compare_as_it_dies(pid_t a, pid_t b)
{
	(void)a;
	(void)b;
	fake_thread_write(dying_root, &(struct fake_thread){ .pid = 43, .state = 'Z' });
	return 0;
}

static void no_memory_is_not_a_shared_memory(void **state)
{
	struct targeted *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	assert_int_equal(mig_target_add_pid(f->target, 42), 0);
	dying_root = f->root;
	calls.kcmp_vm = compare_as_it_dies;
	mig_context_set_calls(f->context, &calls);
	assert_int_equal(mig_target_add_pid(f->target, 43), 0);
	assert_members(f->target, "42 43 ");
}

static void a_tree_goes_on_below_one_that_shares_memory(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, "60 ");
	fake_process_write(f->root, 60, 50, NULL);
	fake_process_share(50, 42);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 60 ");
	assert_int_equal(rescan_target(f->target), 0);
}

static void one_that_shared_memory_is_a_member_after_execve(void **state)
{
	struct targeted *f = *state;

	fake_process_write(f->root, 42, 1, "50 51 ");
	fake_process_write(f->root, 50, 42, NULL);
	fake_process_write(f->root, 51, 42, NULL);
	fake_process_share(50, 42);
	fake_process_share(51, 42);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 ");
	fake_process_share(50, 0);
	/* The other one has exited meanwhile. */
	fake_process_share(51, 0);
	fake_process_reap(51);
	fake_process_remove(f->root, 51);
	assert_int_equal(rescan_target(f->target), 1);
	assert_members(f->target, "42 50 ");
	assert_int_equal(rescan_target(f->target), 0);
}

static void where_children_are_not_listed_parents_are_read(void **state)
{
	struct targeted *f = *state;
	static const char *const lists[] = { "proc/42/task/42/children",
					     "proc/50/task/50/children",
					     "proc/60/task/60/children" };

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 60, 42, NULL);
	fake_process_write(f->root, 50, 60, NULL);
	fake_process_write(f->root, 99, 1, NULL);
	for (size_t i = 0; i < 3; i++)
		fake_root_remove(f->root, lists[i]);
	assert_int_equal(mig_target_add_tree(f->target, 42), 0);
	assert_members(f->target, "42 60 50 ");
	fake_process_write(f->root, 44, 50, NULL);
	assert_int_equal(rescan_target(f->target), 1);
	assert_members(f->target, "42 60 50 44 ");
}

static void parents_are_found_among_many_in_any_order(void **state)
{
	enum { COUNT = 60 };
	struct targeted *f = *state;

	/* Each has two children; half of the numbers run down. */
	for (pid_t i = 1; i <= COUNT; i++) {
		pid_t pid = 100 + (i % 2 ? i : COUNT * 2 - i);
		pid_t j = i / 2;
		char path[64];

		fake_process_write(f->root, pid, 100 + (j % 2 ? j : COUNT * 2 - j), NULL);
		snprintf(path, sizeof(path), "proc/%d/task/%d/children", pid, pid);
		fake_root_remove(f->root, path);
	}
	assert_int_equal(mig_target_add_tree(f->target, 101), 0);
	assert_int_equal(mig_target_get_count(f->target), COUNT);
}

static void trees_are_found_on_a_captured_machine_too(void **state)
{
	struct targeted *f = *state;
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(target) struct mig_target *target = NULL;

	context = fake_root_context(f->root, NULL);
	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, NULL);
	fake_process_share(50, 42);
	assert_int_equal(mig_target_new(context, &target), 0);
	assert_int_equal(mig_target_add_tree(target, 42), 0);
	assert_members(target, "42 50 ");
	assert_int_equal(fake_kcmp_count(), 0);
}

static void files_are_added_once_and_are_no_members(void **state)
{
	struct targeted *f = *state;
	struct mig_files *files = NULL, *others = NULL;

	assert_null(mig_target_get_files(f->target));
	assert_int_equal(mig_files_new(f->context, NULL, &files), 0);
	assert_int_equal(mig_files_new(f->context, NULL, &others), 0);
	assert_int_equal(mig_target_add_files(f->target, NULL), -EINVAL);
	assert_int_equal(mig_target_add_files(NULL, files), -EINVAL);
	assert_int_equal(mig_target_add_files(f->target, files), 0);
	assert_int_equal(mig_target_add_files(f->target, others), -EEXIST);
	assert_int_equal(mig_target_add_files(f->target, files), -EEXIST);
	assert_ptr_equal(mig_target_get_files(f->target), files);
	assert_int_equal(mig_target_get_count(f->target), 0);
	mig_files_free(others);
	mig_files_free(files);
}

static void null_is_refused_where_it_is_not_allowed(void **state)
{
	struct targeted *f = *state;
	struct mig_target *target = NULL;
	size_t added;

	assert_int_equal(mig_target_new(NULL, &target), -EINVAL);
	assert_int_equal(mig_target_new(f->context, NULL), -EINVAL);
	assert_int_equal(mig_target_add_pid(NULL, 42), -EINVAL);
	assert_int_equal(mig_target_add_tree(NULL, 42), -EINVAL);
	assert_int_equal(mig_target_rescan(NULL, &added), -EINVAL);
	assert_int_equal(mig_target_rescan(f->target, NULL), -EINVAL);
	assert_int_equal(mig_target_get_count(NULL), 0);
	assert_null(mig_target_get_process(NULL, 0));
	mig_target_free(NULL);
}

static int wait_for_ever(void *data)
{
	(void)data;
	for (;;)
		pause();
	return 0;
}

static void a_real_family_is_found_and_real_shared_memory_recognised(void **state)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t own, sharing;
	size_t expected = 2;
	size_t count;

	(void)state;
	assert_ptr_not_equal(stack, MAP_FAILED);
	own = fork();
	if (!own)
		wait_for_ever(NULL);
	sharing = clone(wait_for_ever, stack + 65536, CLONE_VM | SIGCHLD, NULL);
	assert_true(own > 0 && sharing > 0);
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_target_new(context, &target), 0);
	assert_int_equal(mig_target_add_tree(target, getpid()), 0);
	if (mig_calls_kernel.kcmp_vm(getpid(), getpid()) != 0) {
		print_message("kcmp(2) is not to be had: memory counts twice\n");
		expected = 3;
	}
	count = mig_target_get_count(target);
	kill(own, SIGKILL);
	kill(sharing, SIGKILL);
	waitpid(own, NULL, 0);
	waitpid(sharing, NULL, 0);
	munmap(stack, 65536);
	assert_int_equal(count, expected);
	assert_int_equal(mig_process_get_pid(mig_target_get_process(target, 0)),
			 getpid());
}

static void running_out_of_descriptors_is_an_error_and_members_stay(void **state)
{
	struct targeted *f = *state;
	struct rlimit limit, small;
	int r;

	fake_process_write(f->root, 42, 1, "50 51 52 53 54 55 56 57 58 59 ");
	for (pid_t pid = 50; pid < 60; pid++)
		fake_process_write(f->root, pid, 42, NULL);
	assert_int_equal(mig_target_add_tree(f->target, 50), 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	small = limit;
	small.rlim_cur = (rlim_t)dup(0) + 1;
	close((int)small.rlim_cur - 1);
	setrlimit(RLIMIT_NOFILE, &small);
	r = mig_target_add_pid(f->target, 51);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(r, -EMFILE);
	assert_members(f->target, "50 ");
	assert_int_equal(mig_target_add_pid(f->target, 51), 0);
	assert_members(f->target, "50 51 ");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, targeted_set_up, targeted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_come_in_the_order_in_which_they_were_added),
		TEST(a_process_is_added_only_once),
		TEST(errors_of_opening_are_told),
		TEST(a_process_that_shares_its_memory_with_a_member_is_refused),
		TEST(shared_memory_is_found_among_many_with_few_questions),
		TEST(dead_and_forbidden_members_do_not_hide_shared_memory),
		TEST(processes_that_cannot_be_compared_count_as_distinct),
		TEST(a_tree_has_all_descendants),
		TEST(what_vanishes_and_what_has_no_memory_is_left_out_of_a_tree),
		TEST(a_rescan_finds_new_descendants_of_any_member),
		TEST(a_process_that_was_added_alone_is_not_rescanned),
		TEST(a_member_that_a_tree_reaches_brings_its_descendants),
		TEST(a_member_that_is_dead_stays_and_keeps_its_place),
		TEST(a_number_that_is_used_again_is_a_new_member),
		TEST(a_child_number_with_another_parent_is_not_taken),
		TEST(a_child_whose_parent_died_meanwhile_is_not_taken),
		TEST(a_child_number_that_has_become_a_thread_is_not_taken),
		TEST(no_memory_is_not_a_shared_memory),
		TEST(a_tree_goes_on_below_one_that_shares_memory),
		TEST(one_that_shared_memory_is_a_member_after_execve),
		TEST(where_children_are_not_listed_parents_are_read),
		TEST(parents_are_found_among_many_in_any_order),
		TEST(trees_are_found_on_a_captured_machine_too),
		TEST(files_are_added_once_and_are_no_members),
		TEST(null_is_refused_where_it_is_not_allowed),
		TEST(running_out_of_descriptors_is_an_error_and_members_stay),
		cmocka_unit_test(
			a_real_family_is_found_and_real_shared_memory_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
