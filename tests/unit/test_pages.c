/* SPDX-License-Identifier: GPL-2.0-or-later */
/* move_pages(2) as programs have it that link the library, against a fake kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>

#include "fake_kernel.h"

#define PID 42

struct fixture {
	struct fake_kernel *kernel;
	struct mig_context *context;
	uint64_t start;
	size_t page_size;
	struct mig_page pages[64];
};

/* 64 pages on node 0, each asked for by its address. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->kernel = fake_kernel_new(NULL);
	fixture->context = fake_kernel_context(fixture->kernel);
	fixture->page_size = mig_context_get_page_size(fixture->context);
	fake_kernel_add_process(fixture->kernel, PID, 1);
	fixture->start = fake_kernel_map(
		fixture->kernel, PID,
		&(struct fake_memory){ .kind = FAKE_ANON, .nr_pages = 64 });
	for (size_t i = 0; i < 64; i++)
		fixture->pages[i].address = fixture->start + i * fixture->page_size;
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

static void set_page(const struct fixture *fixture, size_t page, enum fake_state state)
{
	fake_kernel_set(fixture->kernel, PID, fixture->pages[page].address, 1, state);
}

static void a_query_tells_nodes_and_what_is_absent(void **state)
{
	struct fixture *fixture = *state;

	set_page(fixture, 1, FAKE_ABSENT);
	set_page(fixture, 2, FAKE_ZERO);
	fake_kernel_place(fixture->kernel, PID, fixture->pages[3].address, 1, 1);
	assert_int_equal(mig_pages_query(fixture->context, PID, fixture->pages, 4), 0);
	assert_int_equal(fixture->pages[0].node, 0);
	assert_int_equal(fixture->pages[0].result, MIG_PAGE_MOVED);
	assert_int_equal(fixture->pages[1].node, MIG_NO_NODE);
	assert_int_equal(fixture->pages[1].result, MIG_PAGE_ABSENT);
	assert_int_equal(fixture->pages[2].result, MIG_PAGE_ABSENT);
	assert_int_equal(fixture->pages[3].node, 1);
}

static void pages_that_move_say_where_they_are_now(void **state)
{
	struct fixture *fixture = *state;
	size_t moved = 0;

	assert_int_equal(
		mig_pages_move(fixture->context, PID, fixture->pages, 64, 1, 0, &moved),
		0);
	assert_int_equal(moved, 64);
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(fixture->pages[i].node, 1);
		assert_int_equal(fixture->pages[i].result, MIG_PAGE_MOVED);
		assert_int_equal(fake_kernel_get_node(fixture->kernel, PID,
						      fixture->pages[i].address),
				 1);
	}
}

static void each_page_of_a_call_that_stopped_has_its_own_result(void **state)
{
	struct fixture *fixture = *state;
	size_t moved = 0;

	set_page(fixture, 5, FAKE_PINNED);
	set_page(fixture, 10, FAKE_ABSENT);
	assert_int_equal(
		mig_pages_move(fixture->context, PID, fixture->pages, 16, 1, 0, &moved),
		0);
	assert_int_equal(moved, 9);
	for (size_t i = 0; i < 16; i++) {
		enum mig_page_result expected = MIG_PAGE_MOVED;

		if (i == 5)
			expected = MIG_PAGE_FAILED;
		else if (i == 10)
			expected = MIG_PAGE_ABSENT;
		else if (i > 10)
			expected = MIG_PAGE_UNTRIED;
		assert_int_equal(fixture->pages[i].result, expected);
	}
	assert_int_equal(fixture->pages[5].node, 0);
	assert_int_equal(fixture->pages[10].node, MIG_NO_NODE);
	assert_int_equal(fixture->pages[15].node, 0);
}

static void a_shared_page_moves_only_with_the_flag(void **state)
{
	struct fixture *fixture = *state;
	size_t moved = 9;

	fake_kernel_add_process(fixture->kernel, 43, 1);
	fake_kernel_share(fixture->kernel, 43, PID, fixture->start);
	assert_int_equal(
		mig_pages_move(fixture->context, PID, fixture->pages, 1, 1, 0, &moved),
		0);
	assert_int_equal(moved, 0);
	assert_int_equal(fixture->pages[0].result, MIG_PAGE_SHARED);
	assert_int_equal(fixture->pages[0].node, 0);
	assert_int_equal(mig_pages_move(fixture->context, PID, fixture->pages, 1, 1,
					MIG_MOVE_SHARED, &moved),
			 0);
	assert_int_equal(moved, 1);
}

static void a_full_node_leaves_pages_that_failed(void **state)
{
	struct fixture *fixture = *state;
	size_t moved = 0;

	fake_kernel_fill(fixture->kernel, 1, 10);
	assert_int_equal(
		mig_pages_move(fixture->context, PID, fixture->pages, 64, 1, 0, &moved),
		0);
	assert_int_equal(moved, 10);
	assert_int_equal(fixture->pages[9].result, MIG_PAGE_MOVED);
	assert_int_equal(fixture->pages[10].result, MIG_PAGE_FAILED);
	assert_int_equal(fixture->pages[63].node, 0);
}

static void a_second_address_of_a_huge_page_has_moved_with_the_first(void **state)
{
	struct fixture *fixture = *state;
	struct mig_page pages[3];
	uint64_t start;
	size_t moved = 0;

	start = fake_kernel_map(fixture->kernel, PID,
				&(struct fake_memory){ .kind = FAKE_ANON,
						       .nr_pages = FAKE_HUGE_PAGES,
						       .folio_pages = FAKE_HUGE_PAGES });
	for (size_t i = 0; i < 3; i++)
		pages[i].address = start + i * fixture->page_size;
	assert_int_equal(mig_pages_move(fixture->context, PID, pages, 3, 1, 0, &moved),
			 0);
	assert_int_equal(moved, 3);
}

static void errors_of_the_call_leave_the_pages_untouched(void **state)
{
	static const int errors[] = { EPERM, EACCES, ENOSYS, ENODEV, EINVAL };
	struct fixture *fixture = *state;
	size_t moved = 77;

	fixture->pages[0].node = 55;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		fake_kernel_refuse(fixture->kernel, PID, errors[i]);
		assert_int_equal(mig_pages_move(fixture->context, PID, fixture->pages, 2,
						1, 0, &moved),
				 -errors[i]);
	}
	fake_kernel_exit(fixture->kernel, PID);
	assert_int_equal(
		mig_pages_move(fixture->context, PID, fixture->pages, 2, 1, 0, &moved),
		-ESRCH);
	assert_int_equal(mig_pages_query(fixture->context, PID, fixture->pages, 2),
			 -ESRCH);
	assert_int_equal(moved, 77);
	assert_int_equal(fixture->pages[0].node, 55);
}

static void a_node_that_does_not_exist_is_refused(void **state)
{
	static const int nodes[] = { -1, 2, 1024, INT_MAX };
	struct fixture *fixture = *state;
	size_t moved;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		assert_int_equal(mig_pages_move(fixture->context, PID, fixture->pages, 1,
						nodes[i], 0, &moved),
				 -ENODEV);
}

static void the_flag_for_shared_pages_needs_a_capability(void **state)
{
	struct fixture *fixture = *state;
	size_t moved;

	mig_context_free(fixture->context);
	fake_kernel_free(fixture->kernel);
	fixture->kernel =
		fake_kernel_new(&(struct fake_kernel_options){ .no_sys_nice = true });
	fixture->context = fake_kernel_context(fixture->kernel);
	fake_kernel_add_process(fixture->kernel, PID, 1);
	assert_int_equal(mig_pages_move(fixture->context, PID, fixture->pages, 1, 1,
					MIG_MOVE_SHARED, &moved),
			 -EPERM);
}

static void no_pages_are_moved_in_no_time(void **state)
{
	struct fixture *fixture = *state;
	size_t moved = 77;

	assert_int_equal(mig_pages_move(fixture->context, PID, NULL, 0, 1, 0, &moved), 0);
	assert_int_equal(moved, 0);
	assert_int_equal(mig_pages_query(fixture->context, PID, NULL, 0), 0);
}

static void what_is_no_request_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct mig_page *pages = fixture->pages;
	size_t moved;

	assert_int_equal(mig_pages_query(NULL, PID, pages, 1), -EINVAL);
	assert_int_equal(mig_pages_query(fixture->context, -1, pages, 1), -EINVAL);
	assert_int_equal(mig_pages_query(fixture->context, PID, NULL, 1), -EINVAL);
	assert_int_equal(mig_pages_move(NULL, PID, pages, 1, 1, 0, &moved), -EINVAL);
	assert_int_equal(mig_pages_move(fixture->context, PID, pages, 1, 1, 2, &moved),
			 -EINVAL);
	assert_int_equal(mig_pages_move(fixture->context, PID, pages, 1, 1, 0, NULL),
			 -EINVAL);
}

static void a_captured_machine_has_no_pages_to_move(void **state)
{
	struct fixture *fixture = *state;
	struct mig_context *captured =
		fake_root_context(fake_kernel_get_root(fixture->kernel), NULL);
	size_t moved;

	assert_int_equal(mig_pages_query(captured, PID, fixture->pages, 1), -EXDEV);
	assert_int_equal(mig_pages_move(captured, PID, fixture->pages, 1, 1, 0, &moved),
			 -EXDEV);
	mig_context_free(captured);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_query_tells_nodes_and_what_is_absent),
		test(pages_that_move_say_where_they_are_now),
		test(each_page_of_a_call_that_stopped_has_its_own_result),
		test(a_shared_page_moves_only_with_the_flag),
		test(a_full_node_leaves_pages_that_failed),
		test(a_second_address_of_a_huge_page_has_moved_with_the_first),
		test(errors_of_the_call_leave_the_pages_untouched),
		test(a_node_that_does_not_exist_is_refused),
		test(the_flag_for_shared_pages_needs_a_capability),
		test(no_pages_are_moved_in_no_time),
		test(what_is_no_request_is_refused),
		test(a_captured_machine_has_no_pages_to_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
