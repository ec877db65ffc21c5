/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs on a fake kernel: what they say must be what happened. */
#include "engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "scene.h"

#define PID 42

static int set_up(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){ .nr_nodes = 4 });

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int set_up_unprivileged(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){
		.nr_nodes = 4, .hides_frames = true, .no_sys_nice = true });

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

/* ---- all goes well ---- */

static void pages_of_every_kind_move(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_map(scene, PID, FAKE_ANON, 3000, 0);
	scene_map(scene, PID, FAKE_FILE, 70, 0);
	scene_map(scene, PID, FAKE_SHMEM, 5, 0);
	scene_map(scene, PID, FAKE_HUGETLB, 2 * FAKE_HUGE_PAGES, 0);
	map_thp(scene, 3);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, totals->considered_pages);
	assert_int_equal(totals->moved_huge_pages, 5);
	assert_int_equal(totals->split_huge_pages, 0);
	assert_int_equal(totals->passes, 1);
	assert_int_equal(totals->processes, 1);
	assert_int_equal(totals->processes_gone, 0);
	assert_true(totals->elapsed_ns >= totals->longest_call_ns);
	assert_true(totals->longest_call_ns > 0);
	assert_false(totals->stopped || totals->timed_out);
	assert_int_equal(totals->error, 0);
}

static void without_frame_numbers_pages_move_as_well(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_map(scene, PID, FAKE_ANON, 3000, 0);
	scene_map(scene, PID, FAKE_FILE, 70, 0);
	scene_map(scene, PID, FAKE_HUGETLB, FAKE_HUGE_PAGES, 0);
	map_thp(scene, 2);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, totals->considered_pages);
}

static void a_second_run_finds_all_in_place(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;
	struct fake_truth truth;

	scene_map(scene, PID, FAKE_ANON, 100, 0);
	scene_run(scene, NULL);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->already_pages, 100);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 0);
}

static void a_process_without_memory_has_nothing_to_move(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals = scene_run(scene, NULL);

	assert_int_equal(totals->considered_pages, 0);
	assert_int_equal(totals->processes, 1);
}

static void what_is_not_resident_is_not_considered(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 0, 10, FAKE_SWAPPED);
	scene_set(scene, PID, start, 10, 20, FAKE_ZERO);
	scene_set(scene, PID, start, 30, 30, FAKE_ABSENT);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->considered_pages, 40);
	assert_int_equal(totals->moved_pages, 40);
}

static void the_kernels_own_pages_are_not_considered(void **state)
{
	struct scene *scene = *state;

	fake_kernel_map(scene->kernel, PID,
			&(struct fake_memory){ .nr_pages = 2, .name = "[vdso]" });
	scene_map(scene, PID, FAKE_ANON, 10, 0);
	assert_int_equal(scene_run(scene, NULL)->considered_pages, 10);
}

static void pages_of_sparse_memory_are_found(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 12000, 0);

	scene_set(scene, PID, start, 1, 5998, FAKE_ABSENT);
	scene_set(scene, PID, start, 6001, 5998, FAKE_ABSENT);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 4);
	scene_assert_true(scene);
}

/* ---- placements ---- */

static void overlapping_sets_move_each_page_once(void **state)
{
	struct scene *scene = *state;
	uint64_t first = scene_map(scene, PID, FAKE_ANON, 600, 0);
	uint64_t second = scene_map(scene, PID, FAKE_ANON, 500, 1);
	uint64_t third = scene_map(scene, PID, FAKE_ANON, 400, 2);

	scene_place(scene, 3, 6, MIG_PLACE_DEFAULT);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 600);
	assert_int_equal(scene_moved(scene, 1, 2), 500);
	for (uint64_t page = 0; page < 400; page++) {
		assert_int_equal(scene_node(scene, PID, first, page), 1);
		assert_int_equal(scene_node(scene, PID, second, page), 2);
		assert_int_equal(scene_node(scene, PID, third, page), 2);
	}
}

/* What one member has brought to node 1 must not be taken on to node 2 by the next. */
static void overlapping_sets_move_shared_pages_once(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_SHMEM, 300, 0);
	const struct mig_totals *totals;

	scene_add(scene, 43);
	fake_kernel_share(scene->kernel, 43, PID, start);
	scene_map(scene, 43, FAKE_ANON, 50, 1);
	scene_place(scene, 3, 6, MIG_PLACE_DEFAULT);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 300);
	assert_int_equal(scene_moved(scene, 1, 2), 50);
	assert_int_equal(totals->already_pages, 300);
	assert_int_equal(scene_node(scene, PID, start, 299), 1);
}

/* They come apart on the way, and their frames are known again all the same. */
static void overlapping_sets_move_shared_huge_pages_once(void **state)
{
	struct scene *scene = *state;
	uint64_t start = map_thp(scene, 2);

	scene_add(scene, 43);
	fake_kernel_share(scene->kernel, 43, PID, start);
	fake_kernel_fill(scene->kernel, 1, 3 * FAKE_HUGE_PAGES);
	fake_kernel_scatter(scene->kernel, 1);
	scene_place(scene, 3, 6, MIG_PLACE_DEFAULT);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 2 * FAKE_HUGE_PAGES);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->split_huge_pages, 2);
}

static void pages_can_be_spread(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 900, 0);

	scene_place(scene, 0, 0xe, MIG_PLACE_SPREAD);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	/* The first page of what was taken for a huge one may be out of turn. */
	for (int to = 1; to < 4; to++)
		assert_in_range(scene_moved(scene, 0, to), 299, 301);
	for (uint64_t page = 1; page < 897; page++)
		assert_int_equal(scene_node(scene, PID, start, page),
				 scene_node(scene, PID, start, page + 3));
}

/* A stretch that could be a huge page and is none, neither here nor there. */
static void pages_that_lie_mixed_are_told_apart(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 2 * FAKE_HUGE_PAGES, 1);
	const struct mig_totals *totals;

	fake_kernel_place_every(scene->kernel, PID, start, 2 * FAKE_HUGE_PAGES, 3, 0);
	/* One stretch begins on the source, the other on the destination. */
	assert_int_equal(scene_node(scene, PID, start, 0), 0);
	assert_int_equal(scene_node(scene, PID, start, FAKE_HUGE_PAGES), 1);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 342);
	assert_int_equal(totals->already_pages, 682);
}

static void sources_that_were_not_named_keep_their_pages(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);
	const struct mig_totals *totals;

	fake_kernel_place(scene->kernel, PID, start, 30, 2);
	fake_kernel_place(scene->kernel, PID, start + 30 * scene->page_size, 20, 1);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 50);
	assert_int_equal(totals->already_pages, 20);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_NOT_FROM), 30);
}

static void what_does_not_fit_on_the_nearest_goes_to_the_next(void **state)
{
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_ANON, 5000, 0);
	fake_kernel_fill(scene->kernel, 1, 1000 + FAKE_WATERMARK_PAGES);
	fake_kernel_fill(scene->kernel, 2, 3500 + FAKE_WATERMARK_PAGES);
	scene_place(scene, 0, 0xe, MIG_PLACE_NEAREST);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 1000);
	assert_int_equal(scene_moved(scene, 0, 2), 3500);
	assert_int_equal(scene_moved(scene, 0, 3), 500);
}

/* 5000 pages, and others take memory too after the plan was made. */
static void run_while_others_take(struct scene *scene, const uint64_t free_pages[3])
{
	scene_map(scene, PID, FAKE_ANON, 5000, 0);
	scene_place(scene, 0, 0xe, MIG_PLACE_NEAREST);
	scene_plan(scene, NULL);
	for (int node = 1; node <= 3; node++)
		fake_kernel_fill(scene->kernel, node,
				 free_pages[node - 1] + FAKE_WATERMARK_PAGES);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 1000);
}

static void what_a_target_has_no_memory_for_after_all_goes_to_the_next(void **state)
{
	run_while_others_take(*state, (const uint64_t[]){ 1000, 0, 6000 });
	assert_int_equal(scene_moved(*state, 0, 3), 4000);
}

static void what_no_target_has_memory_for_stays(void **state)
{
	run_while_others_take(*state, (const uint64_t[]){ 1000, 500, 0 });
	assert_int_equal(scene_moved(*state, 0, 2), 500);
	assert_int_equal(scene_left(*state, MIG_REASON_NO_MEMORY), 3500);
}

/* Memory that is touched on a node where there was none when the plan was made. */
static void pages_on_a_source_that_is_new_find_a_target(void **state)
{
	struct scene *scene = *state;

	uint64_t start = scene_map(scene, PID, FAKE_ANON, 20, 0);

	scene_place(scene, 0, 0xc, MIG_PLACE_NEAREST);
	scene_plan(scene, NULL);
	/* NUMA balancing comes between. */
	fake_kernel_place(scene->kernel, PID, start, 20, 1);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 1, 2), 20);
}

/* ---- filters ---- */

static void what_is_filtered_stays(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = {
		.size = sizeof(options),
		.only_kinds = 1U << MIG_KIND_SHMEM,
	};

	scene_map(scene, PID, FAKE_ANON, 100, 0);
	scene_map(scene, PID, FAKE_SHMEM, 30, 0);
	scene_plan(scene, &options);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 30);
	scene_assert_true(scene);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_FILTERED), 100);
}

static void a_range_cuts_through_a_mapping(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);
	const struct mig_address_range range = { start + 10 * scene->page_size,
						 start + 40 * scene->page_size };
	const struct mig_plan_options options = { .size = sizeof(options),
						  .range = &range };

	scene_map(scene, PID, FAKE_ANON, 5, 0);
	scene_plan(scene, &options);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 30);
	scene_assert_true(scene);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_FILTERED), 75);
	assert_int_equal(scene_node(scene, PID, start, 10), 1);
	assert_int_equal(scene_node(scene, PID, start, 40), 0);
}

static void only_huge_pages_can_be_asked_for(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .only_thp = true };

	scene_map(scene, PID, FAKE_ANON, 100, 0);
	scene_map(scene, PID, FAKE_HUGETLB, FAKE_HUGE_PAGES, 0);
	map_thp(scene, 2);
	scene_plan(scene, &options);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 2 * FAKE_HUGE_PAGES);
	scene_assert_true(scene);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_FILTERED), 100 + FAKE_HUGE_PAGES);
}

/* ---- several processes and workers ---- */

static void several_workers_share_the_work(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options), .threads = 4 };
	const struct mig_totals *totals;

	for (pid_t pid = 50; pid < 56; pid++) {
		scene_add(scene, pid);
		scene_map(scene, pid, FAKE_ANON, 500, 0);
	}
	scene_map(scene, PID, FAKE_ANON, 9000, 0);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 12000);
	assert_int_equal(totals->processes, 7);
	assert_int_equal(totals->threads, 4);
}

static void a_child_that_appears_meanwhile_is_moved_too(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	fake_kernel_add_process(scene->kernel, 60, 1);
	assert_int_equal(mig_target_add_tree(scene->target, 60), 0);
	scene_map(scene, 60, FAKE_ANON, 10, 0);
	scene_plan(scene, NULL);
	fake_kernel_add_process(scene->kernel, 61, 60);
	fake_kernel_set_children(scene->kernel, 60, 1, "61 ");
	scene_map(scene, 61, FAKE_ANON, 20, 0);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 30);
	assert_int_equal(totals->processes, 3);
}

static void a_run_needs_a_plan_and_a_place_for_its_outcome(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options small = { .size = 1 };
	struct mig_outcome *outcome = NULL;

	scene_plan(scene, NULL);
	assert_int_equal(mig_plan_run(NULL, NULL, &outcome), -EINVAL);
	assert_int_equal(mig_plan_run(scene->plan, NULL, NULL), -EINVAL);
	assert_int_equal(mig_plan_run(scene->plan, &small, &outcome), -EINVAL);
	assert_null(outcome);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define unprivileged(function) \
	cmocka_unit_test_setup_teardown(function, set_up_unprivileged, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(pages_of_every_kind_move),
		unprivileged(without_frame_numbers_pages_move_as_well),
		test(a_second_run_finds_all_in_place),
		test(a_process_without_memory_has_nothing_to_move),
		test(what_is_not_resident_is_not_considered),
		unprivileged(what_is_not_resident_is_not_considered),
		test(the_kernels_own_pages_are_not_considered),
		test(pages_of_sparse_memory_are_found),
		test(overlapping_sets_move_each_page_once),
		unprivileged(overlapping_sets_move_each_page_once),
		test(overlapping_sets_move_shared_pages_once),
		test(overlapping_sets_move_shared_huge_pages_once),
		test(pages_can_be_spread),
		unprivileged(pages_can_be_spread),
		test(pages_that_lie_mixed_are_told_apart),
		unprivileged(pages_that_lie_mixed_are_told_apart),
		test(sources_that_were_not_named_keep_their_pages),
		test(what_does_not_fit_on_the_nearest_goes_to_the_next),
		test(what_a_target_has_no_memory_for_after_all_goes_to_the_next),
		test(what_no_target_has_memory_for_stays),
		test(pages_on_a_source_that_is_new_find_a_target),
		test(what_is_filtered_stays),
		test(a_range_cuts_through_a_mapping),
		test(only_huge_pages_can_be_asked_for),
		test(several_workers_share_the_work),
		test(a_child_that_appears_meanwhile_is_moved_too),
		test(a_run_needs_a_plan_and_a_place_for_its_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
