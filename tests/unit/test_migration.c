/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migrate_pages(2) between node sets, and what numa_maps says that it left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fake_kernel.h"
#include "fake_process.h"

#define PID 42

/* What the system call was asked for. */
static struct {
	pid_t pid;
	unsigned long maxnode;
	unsigned long from[16];
	unsigned long to[16];
	long result;
	struct fake_kernel *exits; /**< PID exits in the call */
} asked;

static long recording_migrate_pages(pid_t pid, unsigned long maxnode,
				    const unsigned long *from, const unsigned long *to)
{
	asked.pid = pid;
	asked.maxnode = maxnode;
	memcpy(asked.from, from, sizeof(asked.from));
	memcpy(asked.to, to, sizeof(asked.to));
	if (asked.exits)
		fake_kernel_exit(asked.exits, PID);
	return asked.result;
}

struct fixture {
	struct fake_kernel *kernel;
	struct mig_context *context;
	struct mig_calls recording;
	struct mig_nodeset from;
	struct mig_nodeset to;
	uint64_t start;
	size_t page_size;
};

/* Three nodes; 100 pages on node 0, and on node 1 a huge page of 512. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	memset(&asked, 0, sizeof(asked));
	fixture->kernel = fake_kernel_new(&(struct fake_kernel_options){ .nr_nodes = 3 });
	fixture->context = fake_kernel_context(fixture->kernel);
	fixture->page_size = mig_context_get_page_size(fixture->context);
	fake_kernel_add_process(fixture->kernel, PID, 1);
	fixture->start = fake_kernel_map(
		fixture->kernel, PID,
		&(struct fake_memory){ .kind = FAKE_ANON, .nr_pages = 100 });
	fake_kernel_map(fixture->kernel, PID,
			&(struct fake_memory){ .kind = FAKE_HUGETLB,
					       .nr_pages = FAKE_HUGE_PAGES,
					       .node = 1 });
	mig_nodeset_add(&fixture->from, 0);
	mig_nodeset_add(&fixture->to, 2);
	fixture->recording = *fixture->context->calls;
	fixture->recording.migrate_pages = recording_migrate_pages;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_context_free(fixture->context);
	fake_kernel_free(fixture->kernel);
	free(fixture);
	return 0;
}

static int migrate(const struct fixture *fixture, struct mig_migration *migration)
{
	return mig_nodes_migrate(fixture->context, PID, &fixture->from, &fixture->to,
				 migration);
}

static void record(struct fixture *fixture)
{
	mig_context_set_calls(fixture->context, &fixture->recording);
}

static void a_migration_that_moves_all_leaves_nothing(void **state)
{
	const struct fixture *fixture = *state;
	struct mig_migration migration;

	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.kernel_count, 0);
	assert_int_equal(migration.error, 0);
	assert_int_equal(migration.before_pages, 100);
	assert_int_equal(migration.left_pages, 0);
	assert_int_equal(fake_kernel_get_node(fixture->kernel, PID, fixture->start), 2);
}

static void hugetlb_pages_count_as_base_pages(void **state)
{
	struct fixture *fixture = *state;
	struct mig_migration migration;

	mig_nodeset_add(&fixture->from, 1);
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.before_pages, 100 + FAKE_HUGE_PAGES);
	assert_int_equal(migration.left_pages, 0);
}

static void the_kernels_own_pages_do_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct mig_migration migration;

	record(fixture);
	fake_kernel_map(fixture->kernel, PID,
			&(struct fake_memory){ .nr_pages = 2, .name = "[vdso]" });
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.before_pages, 100);
	assert_int_equal(migration.left_pages, 100);
}

static void pages_that_the_kernel_knows_it_left_are_counted(void **state)
{
	const struct fixture *fixture = *state;
	struct mig_migration migration;

	fake_kernel_set(fixture->kernel, PID, fixture->start, 3, FAKE_PINNED);
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.kernel_count, 3);
	assert_int_equal(migration.left_pages, 3);
}

/* Without CAP_SYS_NICE it skips shared pages and says 0. */
static void pages_that_the_kernel_hides_are_counted_all_the_same(void **state)
{
	const struct fixture *fixture = *state;
	struct mig_calls unprivileged = *fixture->context->calls;
	struct mig_migration migration;

	unprivileged.migrate_pages = unprivileged.migrate_exclusive_pages;
	mig_context_set_calls(fixture->context, &unprivileged);
	fake_kernel_add_process(fixture->kernel, 43, 1);
	fake_kernel_share(fixture->kernel, 43, PID, fixture->start);
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.kernel_count, 0);
	assert_int_equal(migration.left_pages, 100);
}

static void a_full_node_is_no_error_but_is_told(void **state)
{
	const struct fixture *fixture = *state;
	struct mig_migration migration;

	fake_kernel_fill(fixture->kernel, 2, 60);
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.error, ENOMEM);
	assert_int_equal(migration.kernel_count, 0);
	assert_int_equal(migration.before_pages, 100);
	assert_int_equal(migration.left_pages, 40);
}

/* What others bring to a node that is in both sets cannot be told from what stayed. */
static void nodes_in_both_sets_do_not_count_as_left(void **state)
{
	struct fixture *fixture = *state;
	struct mig_migration migration;

	record(fixture);
	mig_nodeset_add(&fixture->from, 1);
	mig_nodeset_add(&fixture->to, 1);
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.before_pages, 100 + FAKE_HUGE_PAGES);
	assert_int_equal(migration.left_pages, 100);
}

static void masks_have_room_for_every_node(void **state)
{
	struct fixture *fixture = *state;
	struct mig_migration migration;

	record(fixture);
	asked.result = 7;
	mig_nodeset_add(&fixture->from, 1023);
	mig_nodeset_add(&fixture->to, 64);
	assert_int_equal(migrate(fixture, &migration), 0);
	assert_int_equal(migration.kernel_count, 7);
	assert_int_equal(asked.pid, PID);
	assert_int_equal(asked.maxnode, 1025);
	assert_true(asked.from[0] == 1 && asked.from[15] == UINT64_C(1) << 63);
	assert_true(asked.to[0] == 4 && asked.to[1] == 1 && asked.to[15] == 0);
}

static void the_caller_itself_is_number_0(void **state)
{
	struct fixture *fixture = *state;
	struct mig_migration migration;

	record(fixture);
	fake_kernel_add_process(fixture->kernel, getpid(), 1);
	fake_kernel_map(fixture->kernel, getpid(),
			&(struct fake_memory){ .kind = FAKE_ANON, .nr_pages = 5 });
	asked.pid = PID;
	assert_int_equal(mig_nodes_migrate(fixture->context, 0, &fixture->from,
					   &fixture->to, &migration),
			 0);
	assert_int_equal(asked.pid, 0);
	assert_int_equal(migration.before_pages, 5);
	assert_int_equal(migration.left_pages, 5);
}

static void errors_are_told_and_leave_the_answer_untouched(void **state)
{
	static const int errors[] = { EPERM, ESRCH, EINVAL, ENOSYS };
	struct fixture *fixture = *state;
	struct mig_migration migration = { .before_pages = 77 };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		fake_kernel_refuse(fixture->kernel, PID, errors[i]);
		assert_int_equal(migrate(fixture, &migration), -errors[i]);
	}
	assert_int_equal(mig_nodes_migrate(fixture->context, 99, &fixture->from,
					   &fixture->to, &migration),
			 -ESRCH);
	assert_int_equal(migration.before_pages, 77);
}

static void a_process_that_exits_meanwhile_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct mig_migration migration = { .before_pages = 77 };

	record(fixture);
	asked.exits = fixture->kernel;
	assert_int_equal(migrate(fixture, &migration), -ESRCH);
	assert_int_equal(migration.before_pages, 77);
}

/* As move_pages(2) and migrate_pages(2) themselves say of them. */
static void what_has_no_memory_is_refused_as_the_kernel_does(void **state)
{
	struct fixture *fixture = *state;
	struct fake_root *root = fake_kernel_get_root(fixture->kernel);
	struct mig_migration migration;

	fake_root_write(root, "proc/50/pidfd", "pidfd 42\n");
	fake_root_write(root, "proc/51/pidfd", "pidfd 42\n");
	fake_thread_write(
		root, &(struct fake_thread){ .pid = 50, .flags = FAKE_KERNEL_THREAD });
	fake_thread_write(root, &(struct fake_thread){ .pid = 51, .state = 'Z' });
	assert_int_equal(mig_nodes_migrate(fixture->context, 50, &fixture->from,
					   &fixture->to, &migration),
			 -EINVAL);
	assert_int_equal(mig_nodes_migrate(fixture->context, 51, &fixture->from,
					   &fixture->to, &migration),
			 -EINVAL);
}

static void what_is_no_request_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct mig_nodeset *from = &fixture->from, *to = &fixture->to;
	struct mig_migration migration;

	assert_int_equal(mig_nodes_migrate(NULL, PID, from, to, &migration), -EINVAL);
	assert_int_equal(mig_nodes_migrate(fixture->context, -1, from, to, &migration),
			 -EINVAL);
	assert_int_equal(mig_nodes_migrate(fixture->context, PID, NULL, to, &migration),
			 -EINVAL);
	assert_int_equal(mig_nodes_migrate(fixture->context, PID, from, NULL, &migration),
			 -EINVAL);
	assert_int_equal(mig_nodes_migrate(fixture->context, PID, from, to, NULL),
			 -EINVAL);
}

static void a_captured_machine_migrates_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct mig_context *captured =
		fake_root_context(fake_kernel_get_root(fixture->kernel), NULL);
	struct mig_migration migration;

	assert_int_equal(mig_nodes_migrate(captured, PID, &fixture->from, &fixture->to,
					   &migration),
			 -EXDEV);
	mig_context_free(captured);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_migration_that_moves_all_leaves_nothing),
		test(hugetlb_pages_count_as_base_pages),
		test(the_kernels_own_pages_do_not_count),
		test(pages_that_the_kernel_knows_it_left_are_counted),
		test(pages_that_the_kernel_hides_are_counted_all_the_same),
		test(a_full_node_is_no_error_but_is_told),
		test(nodes_in_both_sets_do_not_count_as_left),
		test(masks_have_room_for_every_node),
		test(the_caller_itself_is_number_0),
		test(errors_are_told_and_leave_the_answer_untouched),
		test(a_process_that_exits_meanwhile_is_gone),
		test(what_has_no_memory_is_refused_as_the_kernel_does),
		test(what_is_no_request_is_refused),
		test(a_captured_machine_migrates_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
