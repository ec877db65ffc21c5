/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "targeted.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_cgroup.h"
#include "fake_process.h"
#include "handles.h"

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_cgroup *cgroup;
	struct mig_target *target;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = fake_root_new();
	fixture->context = fake_root_context(fixture->root, fake_calls());
	fake_cgroups_mount(fixture->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(fixture->root, FAKE_V2, "/a", "");
	assert_int_equal(mig_cgroup_open(fixture->context, "a", &fixture->cgroup), 0);
	assert_int_equal(mig_target_new(fixture->context, &fixture->target), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_target_free(fixture->target);
	mig_cgroup_free(fixture->cgroup);
	mig_context_free(fixture->context);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static void all_members_of_a_cgroup_are_added(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_process_write(f->root, 44, 43, NULL);
	fake_process_write(f->root, 45, 42, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "44\n");
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "42 43 44 ");
	assert_int_equal(rescan_target(f->target), 0);
	assert_members(f->target, "42 43 44 ");
}

static void an_empty_cgroup_is_no_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "");
	assert_int_equal(mig_target_get_hidden(f->target), 0);
	assert_int_equal(mig_target_add_cgroup(NULL, f->cgroup), -EINVAL);
	assert_int_equal(mig_target_add_cgroup(f->target, NULL), -EINVAL);
	assert_int_equal(mig_target_get_hidden(NULL), 0);
}

static void a_rescan_finds_those_that_have_joined(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_process_write(f->root, 44, 1, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "43\n");
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/new", "44\n");
	assert_int_equal(rescan_target(f->target), 2);
	assert_members(f->target, "43 42 44 ");
	/* Those that have left stay. */
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	assert_int_equal(rescan_target(f->target), 0);
	assert_members(f->target, "43 42 44 ");
}

static void what_cannot_be_held_is_left_out(void **state)
{
	struct fixture *f = *state;

	fake_thread_write(f->root, &(struct fake_thread){ .pid = 41, .state = 'Z' });
	fake_thread_write(
		f->root, &(struct fake_thread){ .pid = 42, .flags = FAKE_KERNEL_THREAD });
	fake_process_write(f->root, 43, 1, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "0\n40\n41\n42\n43\n0\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "0\n");
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "43 ");
	assert_int_equal(mig_target_get_hidden(f->target), 3);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "0\n43\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "");
	assert_int_equal(rescan_target(f->target), 0);
	assert_int_equal(mig_target_get_hidden(f->target), 1);
}

static void hidden_members_of_all_cgroups_count(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	CLEANUP_MIG(cgroup) struct mig_cgroup *other = NULL;

	fake_cgroup_write(f->root, FAKE_V2, "/a", "0\n");
	fake_cgroup_write(f->root, FAKE_V2, "/b", "0\n0\n");
	assert_int_equal(mig_cgroup_open(f->context, "b", &other), 0);
	assert_int_equal(mig_target_new(f->context, &target), 0);
	assert_int_equal(mig_target_add_cgroup(target, f->cgroup), 0);
	assert_int_equal(mig_target_add_cgroup(target, other), 0);
	assert_int_equal(mig_target_get_hidden(target), 3);
	fake_cgroup_remove(f->root, FAKE_V2, "/b");
	assert_int_equal(rescan_target(target), 0);
	assert_int_equal(mig_target_get_hidden(target), 1);
}

static void a_cgroup_that_was_removed_is_refused_and_later_empty(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n");
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	fake_cgroup_remove(f->root, FAKE_V2, "/a");
	fake_cgroup_write(f->root, FAKE_V2, "/a", "43\n");
	assert_int_equal(rescan_target(f->target), 0);
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), -ENODEV);
	assert_members(f->target, "42 ");
}

static void a_member_may_be_named_by_itself_as_well(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, "50 ");
	fake_process_write(f->root, 50, 42, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n50\n50\n");
	assert_int_equal(mig_target_add_pid(f->target, 50), 0);
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "50 42 ");
	assert_int_equal(mig_target_add_pid(f->target, 42), -EEXIST);
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "50 42 ");
}

static void one_that_is_listed_twice_is_one_member(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	/* Their memories cannot be compared. */
	fake_process_hide(42);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n42\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "42\n");
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "42 ");
}

static void those_that_share_their_memory_are_one_member(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 42, NULL);
	fake_process_share(43, 42);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n");
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "42 ");
	assert_int_equal(rescan_target(f->target), 0);
	/* Until one of them calls execve(2). */
	fake_process_share(43, 0);
	assert_int_equal(rescan_target(f->target), 1);
	assert_members(f->target, "42 43 ");
}

/* As if a listed member died, and its number were given away, before it is opened. */
static struct fake_root *raced_root;
static int (*usual_pidfd_open)(pid_t pid);

static int leave_before_opening(pid_t pid)
{
	if (pid == 42)
		fake_cgroup_write(raced_root, FAKE_V2, "/a", "43\n");
	return usual_pidfd_open(pid);
}

static void a_number_that_is_a_strangers_by_now_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n");
	raced_root = f->root;
	usual_pidfd_open = calls.pidfd_open;
	calls.pidfd_open = leave_before_opening;
	mig_context_set_calls(f->context, &calls);
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "43 ");
}

static int reuse_after_opening(pid_t pid)
{
	int fd = usual_pidfd_open(pid);

	/* That of 42 is opened before, and holds one that is no more. */
	if (pid == 43)
		fake_process_reuse(42);
	return fd;
}

static void a_member_that_dies_before_it_is_seen_again_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 43, 1, NULL);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n");
	usual_pidfd_open = calls.pidfd_open;
	calls.pidfd_open = reuse_after_opening;
	mig_context_set_calls(f->context, &calls);
	assert_int_equal(mig_target_add_cgroup(f->target, f->cgroup), 0);
	assert_members(f->target, "43 ");
	/* The new bearer of the number is a member as any other. */
	calls.pidfd_open = usual_pidfd_open;
	assert_int_equal(rescan_target(f->target), 1);
	assert_members(f->target, "43 42 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_members_of_a_cgroup_are_added),
		TEST(an_empty_cgroup_is_no_error),
		TEST(a_rescan_finds_those_that_have_joined),
		TEST(what_cannot_be_held_is_left_out),
		TEST(hidden_members_of_all_cgroups_count),
		TEST(a_cgroup_that_was_removed_is_refused_and_later_empty),
		TEST(a_member_may_be_named_by_itself_as_well),
		TEST(one_that_is_listed_twice_is_one_member),
		TEST(those_that_share_their_memory_are_one_member),
		TEST(a_number_that_is_a_strangers_by_now_is_not_taken),
		TEST(a_member_that_dies_before_it_is_seen_again_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
