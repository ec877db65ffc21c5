/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "fake_kernel.h"
#include "handles.h"
#include "pagemap.h"

#define MOST_USERS 16

struct fixture {
	struct fake_kernel *kernel;
	struct mig_context *context;
	struct mig_frame_user users[MOST_USERS];
	pid_t pids[MOST_USERS];
	uint64_t starts[MOST_USERS]; /**< of their mappings */
	size_t nr_users;
	size_t most_users; /**< after as many the walk ends */
};

static int set_up_with(void **state, const struct fake_kernel_options *options)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->kernel = fake_kernel_new(options);
	f->context = fake_kernel_context(f->kernel);
	f->most_users = MOST_USERS;
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, NULL);
}

static int set_up_unprivileged(void **state)
{
	return set_up_with(state, &(struct fake_kernel_options){ .hides_frames = true });
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mig_context_free(f->context);
	fake_kernel_free(f->kernel);
	free(f);
	return 0;
}

static int note(void *data, const struct mig_frame_user *user)
{
	struct fixture *f = data;

	assert_true(f->nr_users < MOST_USERS);
	f->users[f->nr_users] = *user;
	f->pids[f->nr_users] = mig_process_get_pid(user->process);
	f->starts[f->nr_users] = user->mapping->start;
	f->nr_users++;
	return f->nr_users == f->most_users ? 77 : 0;
}

static uint64_t map(struct fixture *f, pid_t pid, enum fake_kind kind, uint64_t nr_pages)
{
	return fake_kernel_map(
		f->kernel, pid,
		&(struct fake_memory){ .kind = kind, .nr_pages = nr_pages });
}

static uint64_t frame_of(struct fixture *f, pid_t pid, uint64_t start, uint64_t page)
{
	uint64_t address = start + page * mig_context_get_page_size(f->context);

	return fake_kernel_get_entry(f->kernel, pid, address) & MIG_PAGEMAP_FRAME;
}

static int visit(struct fixture *f, const uint64_t *frames, size_t nr_frames)
{
	return mig_frames_visit_users(f->context, frames, nr_frames, note, f);
}

static void a_frame_is_found_where_it_is_mapped(void **state)
{
	struct fixture *f = *state;
	uint64_t page_size = mig_context_get_page_size(f->context), start, frame;

	fake_kernel_add_process(f->kernel, 100, 1);
	fake_kernel_add_process(f->kernel, 101, 1);
	map(f, 100, FAKE_ANON, 10);
	map(f, 101, FAKE_ANON, 7);
	start = map(f, 101, FAKE_ANON, 5000);
	frame = frame_of(f, 101, start, 4321);
	assert_int_equal(visit(f, &frame, 1), 0);
	assert_int_equal(f->nr_users, 1);
	assert_int_equal(f->pids[0], 101);
	assert_true(f->users[0].frame == frame);
	assert_true(f->users[0].address == start + 4321 * page_size);
	assert_true(f->starts[0] == start);
}

static void each_mapping_of_a_frame_is_found(void **state)
{
	struct fixture *f = *state;
	uint64_t start, frame;

	fake_kernel_add_process(f->kernel, 100, 1);
	fake_kernel_add_process(f->kernel, 101, 1);
	start = map(f, 100, FAKE_SHMEM, 4);
	fake_kernel_share(f->kernel, 100, 100, start);
	fake_kernel_share(f->kernel, 101, 100, start);
	frame = frame_of(f, 100, start, 2);
	assert_int_equal(visit(f, &frame, 1), 0);
	assert_int_equal(f->nr_users, 3);
	assert_int_equal(f->pids[0] + f->pids[1] + f->pids[2], 100 + 100 + 101);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void several_frames_take_one_walk(void **state)
{
	struct fixture *f = *state;
	uint64_t frames[4], small, huge;

	fake_kernel_add_process(f->kernel, 100, 1);
	fake_kernel_add_process(f->kernel, 101, 1);
	small = map(f, 100, FAKE_ANON, 4);
	huge = map(f, 101, FAKE_HUGETLB, 2 * (uint64_t)FAKE_HUGE_PAGES);
	frames[0] = frame_of(f, 100, small, 0);
	frames[1] = frame_of(f, 100, small, 3);
	frames[2] = frame_of(f, 101, huge, 700);
	/* Nobody's. */
	frames[3] = UINT64_C(1) << 40;
	qsort(frames, 4, sizeof(*frames), compare);
	assert_int_equal(visit(f, frames, 4), 0);
	assert_int_equal(f->nr_users, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct mig_frame_user *user = &f->users[i];
		uint64_t entry =
			fake_kernel_get_entry(f->kernel, f->pids[i], user->address);

		assert_true((entry & MIG_PAGEMAP_FRAME) == user->frame);
		assert_non_null(
			bsearch(&user->frame, frames, 4, sizeof(*frames), compare));
	}
}

static void what_is_swapped_out_is_in_no_frame(void **state)
{
	struct fixture *f = *state;
	uint64_t start, frame;

	fake_kernel_add_process(f->kernel, 100, 1);
	start = map(f, 100, FAKE_ANON, 4);
	frame = frame_of(f, 100, start, 1);
	fake_kernel_set(f->kernel, 100, start, 4, FAKE_SWAPPED);
	assert_int_equal(visit(f, &frame, 1), 0);
	assert_int_equal(f->nr_users, 0);
}

static void the_visitor_ends_the_walk(void **state)
{
	struct fixture *f = *state;
	uint64_t start, frame;

	fake_kernel_add_process(f->kernel, 100, 1);
	fake_kernel_add_process(f->kernel, 101, 1);
	start = map(f, 100, FAKE_SHMEM, 4);
	fake_kernel_share(f->kernel, 100, 100, start);
	fake_kernel_share(f->kernel, 101, 100, start);
	frame = frame_of(f, 100, start, 0);
	f->most_users = 2;
	assert_int_equal(visit(f, &frame, 1), 77);
	assert_int_equal(f->nr_users, 2);
}

static void a_process_that_has_gone_is_passed_over(void **state)
{
	struct fixture *f = *state;
	uint64_t start, frame;

	fake_kernel_add_process(f->kernel, 100, 1);
	fake_kernel_add_process(f->kernel, 101, 1);
	map(f, 100, FAKE_ANON, 4);
	start = map(f, 101, FAKE_ANON, 4);
	frame = frame_of(f, 101, start, 0);
	fake_kernel_exit(f->kernel, 100);
	assert_int_equal(visit(f, &frame, 1), 0);
	assert_int_equal(f->nr_users, 1);
}

static void frames_out_of_order_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(visit(f, (const uint64_t[]){ 7, 6 }, 2), -EINVAL);
	assert_int_equal(visit(f, (const uint64_t[]){ 7, 7 }, 2), -EINVAL);
	assert_int_equal(visit(f, NULL, 1), -EINVAL);
	assert_int_equal(mig_frames_visit_users(f->context, NULL, 0, NULL, NULL),
			 -EINVAL);
	assert_int_equal(visit(f, NULL, 0), 0);
}

static void who_is_shown_no_frames_is_told_so(void **state)
{
	struct fixture *f = *state;
	const uint64_t frame = 1;

	fake_kernel_add_process(f->kernel, 100, 1);
	map(f, 100, FAKE_ANON, 4);
	assert_int_equal(visit(f, &frame, 1), -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_frame_is_found_where_it_is_mapped),
		TEST(each_mapping_of_a_frame_is_found),
		TEST(several_frames_take_one_walk),
		TEST(what_is_swapped_out_is_in_no_frame),
		TEST(the_visitor_ends_the_walk),
		TEST(a_process_that_has_gone_is_passed_over),
		TEST(frames_out_of_order_are_refused),
		cmocka_unit_test_setup_teardown(who_is_shown_no_frames_is_told_so,
						set_up_unprivileged, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
