/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that end early: full nodes, split huge pages, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "scene.h"

#define PID 42

static int set_up(void **state)
{
	struct scene *scene = scene_new(NULL);

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

/* zoneinfo says that there is room where there is none. */
static int set_up_optimistic(void **state)
{
	struct scene *scene =
		scene_new(&(struct fake_kernel_options){ .claimed_pages = 100000 });

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int set_up_unprivileged(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){
		.hides_frames = true, .no_sys_nice = true, .claimed_pages = 100000 });

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

static uint64_t map_thp(struct scene *scene, uint64_t nr_huge)
{
	return fake_kernel_map(
		scene->kernel, PID,
		&(struct fake_memory){ .kind = FAKE_ANON,
				       .nr_pages = nr_huge * FAKE_HUGE_PAGES,
				       .folio_pages = FAKE_HUGE_PAGES });
}

/* ---- full nodes ---- */

static void a_node_is_filled_up_to_its_watermark(void **state)
{
	struct scene *scene = *state;
	struct fake_truth truth;

	scene_map(scene, PID, FAKE_ANON, 3000, 0);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 1000);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 1000);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 2000);
	/* Nothing was tried that could not fit. */
	fake_kernel_compare(scene->kernel, &truth);
	assert_in_range(truth.nr_calls, 1, 6);
}

static void what_moved_before_the_kernel_ran_out_counts(void **state)
{
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_ANON, 3000, 0);
	fake_kernel_fill(scene->kernel, 1, 1000);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 1000);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 2000);
	assert_int_equal(mig_outcome_get_left(scene->outcome, 0)->node, 1);
}

static void workers_fill_a_node_together_and_not_further(void **state)
{
	const struct mig_run_options options = { .size = sizeof(options), .threads = 4 };
	struct scene *scene = *state;

	for (pid_t pid = 50; pid < 56; pid++) {
		scene_add(scene, pid);
		scene_map(scene, pid, FAKE_ANON, 700, 0);
	}
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 1000);
	assert_int_equal(scene_run(scene, &options)->moved_pages, 1000);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 3200);
}

static void a_caller_whose_cpuset_lacks_the_node_is_told_so(void **state)
{
	struct scene *scene = *state;

	tear_down(state);
	scene = scene_new(&(struct fake_kernel_options){ .claimed_pages = 100000,
							 .caller_mems = "0" });
	*state = scene;
	scene_add(scene, PID);
	scene_map(scene, PID, FAKE_ANON, 10, 0);
	/* The kernel's answer is the same as for a full node. */
	fake_kernel_fill(scene->kernel, 1, 0);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_CPUSET_CALLER), 10);
}

static void hugetlb_pages_take_what_the_pool_has(void **state)
{
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_HUGETLB, 5 * FAKE_HUGE_PAGES, 0);
	scene_map(scene, PID, FAKE_ANON, 100, 0);
	fake_kernel_set_huge_pool(scene->kernel, 1, 2);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 2 * FAKE_HUGE_PAGES + 100);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_HUGETLB_POOL), 3 * FAKE_HUGE_PAGES);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 0);
}

/* ---- huge pages that come apart ---- */

static void huge_pages_that_were_split_on_the_way_are_counted(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	map_thp(scene, 3);
	/* No run of 512 is free any more, but pages enough. */
	scene_map(scene, PID, FAKE_ANON, 1, 1);
	fake_kernel_fill(scene->kernel, 1, 3 * FAKE_HUGE_PAGES + 100);
	fake_kernel_scatter(scene->kernel, 1);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 3 * FAKE_HUGE_PAGES);
	assert_int_equal(totals->split_huge_pages, 3);
	assert_int_equal(totals->moved_huge_pages, 0);
}

static void a_huge_page_that_moved_in_part_is_accounted_page_by_page(void **state)
{
	struct scene *scene = *state;

	map_thp(scene, 1);
	fake_kernel_fill(scene->kernel, 1, 200);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 200);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), FAKE_HUGE_PAGES - 200);
}

static void without_frame_numbers_splits_are_not_known(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	map_thp(scene, 2);
	fake_kernel_fill(scene->kernel, 1, 2 * FAKE_HUGE_PAGES + 100);
	fake_kernel_scatter(scene->kernel, 1);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 2 * FAKE_HUGE_PAGES);
	scene_assert_true(scene);
	assert_true(totals->split_huge_pages == MIG_UNKNOWN_BYTES ||
		    !totals->moved_huge_pages);
}

static void small_pages_that_look_like_a_huge_one_all_move(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 4 * FAKE_HUGE_PAGES, 0);

	scene_set(scene, PID, start, 700, 1, FAKE_PINNED);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 4 * FAKE_HUGE_PAGES - 1);
	scene_assert_true(scene);
}

/* ---- refusals of a whole call ---- */

struct refusal {
	int error;
	enum mig_reason reason;
};

static const struct refusal refusals[] = {
	{ ENOSYS, MIG_REASON_UNSUPPORTED },   { EPERM, MIG_REASON_PERMISSION },
	{ EACCES, MIG_REASON_CPUSET_TARGET }, { ENODEV, MIG_REASON_NODE_GONE },
	{ EIO, MIG_REASON_UNKNOWN },
};

/* From the second call on. */
static void refuse_later(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct refusal *refusal = data;

	if (number == 2)
		fake_kernel_refuse(kernel, PID, refusal->error);
}

static void a_refusal_half_way_leaves_the_rest_with_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct scene *scene = scene_new(NULL);
		struct refusal refusal = refusals[i];
		const struct mig_totals *totals;

		scene_add(scene, PID);
		scene_map(scene, PID, FAKE_ANON, 6000, 0);
		fake_kernel_before_move(scene->kernel, refuse_later, &refusal);
		totals = scene_run(scene, NULL);
		scene_assert_true(scene);
		assert_true(totals->moved_pages > 0 && totals->left_pages > 0);
		assert_int_equal(totals->moved_pages + totals->left_pages, 6000);
		assert_int_equal(scene_left(scene, refusal.reason), totals->left_pages);
		assert_int_equal(mig_outcome_get_left(scene->outcome, 0)->error,
				 refusal.reason == MIG_REASON_UNKNOWN ? EIO : 0);
		assert_int_equal(totals->passes, 1);
		scene_free(scene);
	}
}

static void a_refusal_of_one_process_is_none_of_the_others(void **state)
{
	struct scene *scene = *state;

	scene_add(scene, 43);
	scene_map(scene, PID, FAKE_ANON, 100, 0);
	scene_map(scene, 43, FAKE_ANON, 50, 0);
	scene_plan(scene, NULL);
	fake_kernel_refuse(scene->kernel, PID, EPERM);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 50);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PERMISSION), 100);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define optimistic(function) \
	cmocka_unit_test_setup_teardown(function, set_up_optimistic, tear_down)
#define unprivileged(function) \
	cmocka_unit_test_setup_teardown(function, set_up_unprivileged, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_node_is_filled_up_to_its_watermark),
		optimistic(what_moved_before_the_kernel_ran_out_counts),
		unprivileged(what_moved_before_the_kernel_ran_out_counts),
		test(workers_fill_a_node_together_and_not_further),
		test(a_caller_whose_cpuset_lacks_the_node_is_told_so),
		test(hugetlb_pages_take_what_the_pool_has),
		optimistic(huge_pages_that_were_split_on_the_way_are_counted),
		optimistic(a_huge_page_that_moved_in_part_is_accounted_page_by_page),
		unprivileged(a_huge_page_that_moved_in_part_is_accounted_page_by_page),
		unprivileged(without_frame_numbers_splits_are_not_known),
		unprivileged(small_pages_that_look_like_a_huge_one_all_move),
		cmocka_unit_test(a_refusal_half_way_leaves_the_rest_with_its_reason),
		test(a_refusal_of_one_process_is_none_of_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
