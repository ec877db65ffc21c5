/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "fake_process.h"
#include "one_cgroup.h"

#define SECOND UINT64_C(1000000000)
#define DIRECTORY ONE_CGROUPS "/batch/"
#define STILL "populated 1\nfrozen 1\n"
#define RUNNING "populated 1\nfrozen 0\n"

DEFINE_CLEANUP(context)

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_cgroup *cgroup;
	pthread_t kernel;
	bool has_kernel;
	bool is_over;
};

static void make(struct fixture *f, bool is_v1)
{
	mig_cgroup_free(f->cgroup);
	fake_root_remove(f->root, ONE_CGROUPS);
	f->cgroup = one_cgroup_new(f->context, f->root, "/batch", is_v1);
	if (is_v1) {
		fake_root_write(f->root, DIRECTORY "freezer.self_freezing", "0\n");
		fake_root_write(f->root, DIRECTORY "freezer.state", "THAWED\n");
	} else {
		fake_root_write(f->root, DIRECTORY "cgroup.freeze", "0\n");
		fake_root_write(f->root, DIRECTORY "cgroup.events", RUNNING);
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->root = fake_root_new();
	f->context = fake_root_context(f->root, fake_calls());
	fake_root_mkdir(f->root, ONE_CGROUPS);
	make(f, false);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	__atomic_store_n(&f->is_over, true, __ATOMIC_RELAXED);
	if (f->has_kernel)
		pthread_join(f->kernel, NULL);
	mig_cgroup_free(f->cgroup);
	mig_context_free(f->context);
	fake_root_free(f->root);
	free(f);
	return 0;
}

/* Takes its time, and then says that all stands still. */
static void *play_kernel(void *data)
{
	const struct timespec moment = { .tv_nsec = 30000000 };
	struct fixture *f = data;

	while (!__atomic_load_n(&f->is_over, __ATOMIC_RELAXED)) {
		nanosleep(&moment, NULL);
		if (*one_cgroup_read(f->root, DIRECTORY "cgroup.freeze") != '1')
			continue;
		nanosleep(&moment, NULL);
		fake_root_write(f->root, DIRECTORY "cgroup.events", STILL);
		break;
	}
	return NULL;
}

static void start_kernel(struct fixture *f)
{
	assert_int_equal(pthread_create(&f->kernel, NULL, play_kernel, f), 0);
	f->has_kernel = true;
}

static void assert_reads(const struct fixture *f, const char *path, const char *text)
{
	assert_string_equal(one_cgroup_read(f->root, path), text);
}

static struct mig_freeze *begin(const struct fixture *f)
{
	struct mig_freeze *freeze = NULL;

	assert_int_equal(mig_freeze_begin(f->cgroup, 20 * SECOND, &freeze), 0);
	assert_non_null(freeze);
	return freeze;
}

static void it_waits_until_the_kernel_says_that_all_stand_still(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze;

	start_kernel(f);
	freeze = begin(f);
	assert_reads(f, DIRECTORY "cgroup.events", STILL);
	assert_reads(f, DIRECTORY "cgroup.freeze", "1\n");
	assert_int_equal(mig_freeze_end(freeze), 0);
	assert_reads(f, DIRECTORY "cgroup.freeze", "0\n");
}

static void the_freezer_of_v1_is_driven_by_its_own_file(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze;

	make(f, true);
	freeze = begin(f);
	assert_reads(f, DIRECTORY "freezer.state", "FROZEN\n");
	assert_int_equal(mig_freeze_end(freeze), 0);
	assert_reads(f, DIRECTORY "freezer.state", "THAWED\n");
}

static void what_was_frozen_before_stays_frozen(void **state)
{
	struct fixture *f = *state;

	fake_root_write(f->root, DIRECTORY "cgroup.freeze", "1\n");
	fake_root_write(f->root, DIRECTORY "cgroup.events", STILL);
	assert_int_equal(mig_freeze_end(begin(f)), 0);
	assert_reads(f, DIRECTORY "cgroup.freeze", "1\n");

	make(f, true);
	fake_root_write(f->root, DIRECTORY "freezer.self_freezing", "1\n");
	fake_root_write(f->root, DIRECTORY "freezer.state", "FROZEN\n");
	assert_int_equal(mig_freeze_end(begin(f)), 0);
	assert_reads(f, DIRECTORY "freezer.state", "FROZEN\n");
}

static void what_was_told_to_freeze_before_is_waited_for_and_left_so(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;

	fake_root_write(f->root, DIRECTORY "cgroup.freeze", "1\n");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND / 20, &freeze), -ETIMEDOUT);
	assert_null(freeze);
	assert_reads(f, DIRECTORY "cgroup.freeze", "1\n");

	make(f, true);
	fake_root_write(f->root, DIRECTORY "freezer.self_freezing", "1\n");
	fake_root_write(f->root, DIRECTORY "freezer.state", "FREEZING\n");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND / 20, &freeze), -ETIMEDOUT);
	assert_reads(f, DIRECTORY "freezer.state", "FREEZING\n");
}

/* If the one above is thawed meanwhile, this one must go on standing still. */
static void what_stands_still_with_its_parent_is_frozen_by_itself_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze;

	fake_root_write(f->root, DIRECTORY "cgroup.events", STILL);
	freeze = begin(f);
	assert_reads(f, DIRECTORY "cgroup.freeze", "1\n");
	assert_int_equal(mig_freeze_end(freeze), 0);
	assert_reads(f, DIRECTORY "cgroup.freeze", "0\n");
}

static void what_does_not_stand_still_in_time_is_thawed_again(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;

	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND / 20, &freeze), -ETIMEDOUT);
	assert_null(freeze);
	assert_reads(f, DIRECTORY "cgroup.freeze", "0\n");
}

static void add_caller(const struct fixture *f, const char *path)
{
	char text[32];

	snprintf(text, sizeof(text), "1\n%d\n", getpid());
	fake_root_write(f->root, path, text);
}

static void a_caller_who_is_a_member_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;

	add_caller(f, DIRECTORY "cgroup.procs");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -EDEADLK);
	fake_root_write(f->root, DIRECTORY "cgroup.procs", "1\n");
	add_caller(f, DIRECTORY "below/cgroup.procs");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -EDEADLK);
	assert_null(freeze);
	assert_reads(f, DIRECTORY "cgroup.freeze", "0\n");
}

/* On v1 each hierarchy has members of its own. */
static void a_caller_who_is_a_member_of_the_v1_freezer_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;
	struct mig_cgroup *other;

	make(f, true);
	other = one_cgroup_new(f->context, f->root, "/other", true);
	close(f->cgroup->fd);
	f->cgroup->fd = dup(other->fd);
	mig_cgroup_free(other);
	add_caller(f, DIRECTORY "cgroup.procs");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -EDEADLK);
	assert_reads(f, DIRECTORY "freezer.state", "THAWED\n");
}

/* Begins in a process of its own, which is killed then. */
static void begin_and_die(const struct fixture *f)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct mig_freeze *freeze;

		if (!mig_freeze_begin(f->cgroup, 20 * SECOND, &freeze))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void it_is_thawed_when_the_caller_is_killed(void **state)
{
	struct fixture *f = *state;

	start_kernel(f);
	begin_and_die(f);
	assert_true(one_cgroup_comes_to_read(f->root, DIRECTORY "cgroup.freeze", "0"));

	make(f, true);
	begin_and_die(f);
	assert_true(
		one_cgroup_comes_to_read(f->root, DIRECTORY "freezer.state", "THAWED"));
}

static void a_caller_without_a_descriptor_left_thaws_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, none;
	struct mig_freeze *freeze;
	int r;

	start_kernel(f);
	freeze = begin(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = mig_freeze_end(freeze);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, 0);
	assert_reads(f, DIRECTORY "cgroup.freeze", "0\n");
}

static void what_was_frozen_before_stays_so_when_the_caller_is_killed(void **state)
{
	const struct timespec moment = { .tv_nsec = 100000000 };
	struct fixture *f = *state;

	fake_root_write(f->root, DIRECTORY "cgroup.freeze", "1\n");
	fake_root_write(f->root, DIRECTORY "cgroup.events", STILL);
	begin_and_die(f);
	nanosleep(&moment, NULL);
	assert_reads(f, DIRECTORY "cgroup.freeze", "1\n");
}

static void what_has_no_freezer_is_told_of(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;

	fake_root_remove(f->root, DIRECTORY "cgroup.freeze");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -ENODATA);
	close(f->cgroup->places[MIG_CONTROLLER_FREEZER].fd);
	f->cgroup->places[MIG_CONTROLLER_FREEZER].fd = -1;
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -ENODATA);
	assert_null(freeze);
}

static void a_cgroup_that_is_removed_is_told_of_and_ends_well(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze;

	start_kernel(f);
	freeze = begin(f);
	fake_root_remove(f->root, ONE_CGROUPS "/batch");
	assert_int_equal(mig_freeze_end(freeze), 0);
	freeze = NULL;
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -ENODEV);
	assert_null(freeze);
}

static void rubbish_is_not_taken_for_an_answer(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;

	fake_root_write(f->root, DIRECTORY "cgroup.freeze", "");
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -EBADMSG);
	assert_reads(f, DIRECTORY "cgroup.freeze", "");
}

static void a_captured_machine_is_not_written_to(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(context)
	struct mig_context *captured = fake_root_context(f->root, NULL);
	struct mig_freeze *freeze = NULL;

	f->cgroup->context = captured;
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, &freeze), -EXDEV);
	f->cgroup->context = f->context;
	assert_reads(f, DIRECTORY "cgroup.freeze", "0\n");
}

static void nothing_is_frozen_and_ended_without_complaint(void **state)
{
	struct fixture *f = *state;
	struct mig_freeze *freeze = NULL;

	assert_int_equal(mig_freeze_begin(NULL, SECOND, &freeze), -EINVAL);
	assert_int_equal(mig_freeze_begin(f->cgroup, SECOND, NULL), -EINVAL);
	assert_int_equal(mig_freeze_end(NULL), 0);
}

/* A member of a real cgroup that counts as long as it runs. */
struct member {
	char *path;
	pid_t pid;
	unsigned long *count;
	struct mig_context *context;
	struct mig_cgroup *cgroup;
};

static void start_member(struct member *member, const char *controller)
{
	member->path = live_cgroup_make(controller, "freeze");
	member->count = mmap(NULL, sizeof(*member->count), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(member->count, MAP_FAILED);
	member->pid = fork();
	if (!member->pid) {
		const struct timespec moment = { .tv_nsec = 1000000 };

		/* It outlives no test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;; nanosleep(&moment, NULL))
			__atomic_add_fetch(member->count, 1, __ATOMIC_RELAXED);
	}
	live_cgroup_join(member->path, member->pid);
	assert_int_equal(mig_context_new(NULL, &member->context), 0);
	assert_int_equal(mig_cgroup_open(member->context, member->path, &member->cgroup),
			 0);
}

static void kill_member(struct member *member)
{
	kill(member->pid, SIGKILL);
	waitpid(member->pid, NULL, 0);
}

static void forget_member(struct member *member)
{
	mig_cgroup_free(member->cgroup);
	mig_context_free(member->context);
	munmap(member->count, sizeof(*member->count));
}

static bool counts_within(const struct member *member, int nr_looks)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	unsigned long before = __atomic_load_n(member->count, __ATOMIC_RELAXED);

	for (int i = 0; i < nr_looks; i++) {
		nanosleep(&moment, NULL);
		if (__atomic_load_n(member->count, __ATOMIC_RELAXED) != before)
			return true;
	}
	return false;
}

static bool stands_still(const struct member *member)
{
	return !counts_within(member, 20);
}

/* A machine with other work to do may be slow to thaw it. */
static bool counts(const struct member *member)
{
	return counts_within(member, 6000);
}

/* Lets a child do it. Return: how it ended, as of waitpid(2). */
static int in_child(const struct member *member, int (*call)(const struct member *member))
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		_exit(call(member));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int freeze_and_die(const struct member *member)
{
	struct mig_freeze *freeze;

	if (!mig_freeze_begin(member->cgroup, 10 * SECOND, &freeze) &&
	    stands_still(member))
		raise(SIGKILL);
	return 1;
}

static int join_and_freeze(const struct member *member)
{
	struct mig_freeze *freeze;

	live_cgroup_join(member->path, getpid());
	return mig_freeze_begin(member->cgroup, 10 * SECOND, &freeze) == -EDEADLK ? 7 : 1;
}

static void freeze_live(const char *controller)
{
	struct mig_freeze *freeze = NULL, *inner = NULL;
	struct member member;
	int status;

	start_member(&member, controller);
	assert_true(counts(&member));
	assert_int_equal(mig_freeze_begin(member.cgroup, 10 * SECOND, &freeze), 0);
	assert_true(stands_still(&member));
	/* One who comes later finds it frozen, and leaves it so. */
	assert_int_equal(mig_freeze_begin(member.cgroup, 10 * SECOND, &inner), 0);
	assert_int_equal(mig_freeze_end(inner), 0);
	assert_true(stands_still(&member));
	assert_int_equal(mig_freeze_end(freeze), 0);
	assert_true(counts(&member));

	status = in_child(&member, freeze_and_die);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_true(counts(&member));

	status = in_child(&member, join_and_freeze);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_true(counts(&member));
	kill_member(&member);
	live_cgroup_remove(member.path);
	forget_member(&member);
}

static void the_kernel_freezes_and_thaws_a_cgroup_of_v2(void **state)
{
	(void)state;
	freeze_live(NULL);
}

static void the_kernel_freezes_and_thaws_a_cgroup_of_v1(void **state)
{
	(void)state;
	freeze_live("freezer");
}

static void a_real_cgroup_that_is_removed_while_it_is_frozen_ends_well(void **state)
{
	struct mig_freeze *freeze = NULL;
	struct member member;

	(void)state;
	start_member(&member, NULL);
	assert_int_equal(mig_freeze_begin(member.cgroup, 10 * SECOND, &freeze), 0);
	/* Members of a frozen cgroup can be killed on v2. */
	kill_member(&member);
	live_cgroup_remove(member.path);
	assert_int_equal(mig_freeze_end(freeze), 0);
	assert_int_equal(mig_freeze_begin(member.cgroup, SECOND, &freeze), -ENODEV);
	forget_member(&member);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_waits_until_the_kernel_says_that_all_stand_still),
		TEST(the_freezer_of_v1_is_driven_by_its_own_file),
		TEST(what_was_frozen_before_stays_frozen),
		TEST(what_was_told_to_freeze_before_is_waited_for_and_left_so),
		TEST(what_stands_still_with_its_parent_is_frozen_by_itself_meanwhile),
		TEST(what_does_not_stand_still_in_time_is_thawed_again),
		TEST(a_caller_who_is_a_member_is_refused),
		TEST(a_caller_who_is_a_member_of_the_v1_freezer_is_refused),
		TEST(it_is_thawed_when_the_caller_is_killed),
		TEST(a_caller_without_a_descriptor_left_thaws_all_the_same),
		TEST(what_was_frozen_before_stays_so_when_the_caller_is_killed),
		TEST(what_has_no_freezer_is_told_of),
		TEST(a_cgroup_that_is_removed_is_told_of_and_ends_well),
		TEST(rubbish_is_not_taken_for_an_answer),
		TEST(a_captured_machine_is_not_written_to),
		TEST(nothing_is_frozen_and_ended_without_complaint),
		cmocka_unit_test(the_kernel_freezes_and_thaws_a_cgroup_of_v2),
		cmocka_unit_test(the_kernel_freezes_and_thaws_a_cgroup_of_v1),
		cmocka_unit_test(
			a_real_cgroup_that_is_removed_while_it_is_frozen_ends_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
