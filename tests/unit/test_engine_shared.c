/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that others map too: which of them move, and that they move once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan.h"
#include "scene.h"

#define PID 42
#define OTHER 43
#define OUTSIDER 99

static int set_up_kernel(void **state, const struct fake_kernel_options *options)
{
	struct scene *scene = scene_new(options);

	scene_add(scene, PID);
	fake_kernel_add_process(scene->kernel, OUTSIDER, 1);
	*state = scene;
	return 0;
}

static int set_up(void **state)
{
	return set_up_kernel(state, NULL);
}

static int set_up_without_sys_nice(void **state)
{
	return set_up_kernel(state, &(struct fake_kernel_options){ .no_sys_nice = true });
}

static int set_up_without_frames(void **state)
{
	return set_up_kernel(state,
			     &(struct fake_kernel_options){ .hides_frames = true });
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

/* Memory of PID that the outsider maps too. */
static uint64_t map_shared(struct scene *scene, enum fake_kind kind, uint64_t nr_pages)
{
	uint64_t start = scene_map(scene, PID, kind, nr_pages, 0);

	fake_kernel_share(scene->kernel, OUTSIDER, PID, start);
	return start;
}

/* The outsider's pages are in the truth too: only what moved is compared. */
static void run_with(struct scene *scene, enum mig_shared shared)
{
	const struct mig_plan_options options = { .size = sizeof(options),
						  .shared = shared };
	struct fake_truth truth;

	scene_plan(scene, &options);
	scene_run(scene, NULL);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(scene_moved(scene, 0, 1), truth.moved_pages);
}

/* 100 pages of its own, and 50, 30 and 10 that are not only its. */
static void map_some_of_each(struct scene *scene)
{
	scene_map(scene, PID, FAKE_ANON, 80, 0);
	scene_map(scene, PID, FAKE_FILE, 20, 0);
	map_shared(scene, FAKE_SHMEM, 50);
	map_shared(scene, FAKE_FILE, 30);
	map_shared(scene, FAKE_ANON, 10);
}

static uint64_t moved(const struct scene *scene)
{
	return mig_outcome_get_totals(scene->outcome)->moved_pages;
}

static void anon_moves_shared_memory_and_leaves_files(void **state)
{
	struct scene *scene = *state;

	map_some_of_each(scene);
	run_with(scene, MIG_SHARED_ANON);
	assert_int_equal(moved(scene), 160);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 30);
}

static void the_default_with_the_capability_is_anon(void **state)
{
	struct scene *scene = *state;

	map_some_of_each(scene);
	run_with(scene, MIG_SHARED_DEFAULT);
	assert_int_equal(moved(scene), 160);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 30);
}

static void all_moves_files_too(void **state)
{
	struct scene *scene = *state;

	map_some_of_each(scene);
	run_with(scene, MIG_SHARED_ALL);
	assert_int_equal(moved(scene), 190);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 0);
}

static void none_moves_what_is_its_own(void **state)
{
	struct scene *scene = *state;

	map_some_of_each(scene);
	run_with(scene, MIG_SHARED_NONE);
	assert_int_equal(moved(scene), 100);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 90);
}

/* ---- shared among the members of the target ---- */

static void what_only_members_map_is_their_own(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;
	uint64_t start = scene_map(scene, PID, FAKE_FILE, 40, 0);

	scene_add(scene, OTHER);
	fake_kernel_share(scene->kernel, OTHER, PID, start);
	run_with(scene, MIG_SHARED_NONE);
	scene_assert_true(scene);
	totals = mig_outcome_get_totals(scene->outcome);
	assert_int_equal(totals->moved_pages, 40);
	assert_int_equal(totals->already_pages, 40);
}

static void what_an_outsider_maps_as_well_is_not(void **state)
{
	struct scene *scene = *state;
	uint64_t start = map_shared(scene, FAKE_FILE, 40);

	scene_add(scene, OTHER);
	fake_kernel_share(scene->kernel, OTHER, PID, start);
	run_with(scene, MIG_SHARED_NONE);
	assert_int_equal(moved(scene), 0);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 80);
}

static void what_cannot_move_is_settled_by_the_plan(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .shared = MIG_SHARED_NONE };

	map_shared(scene, FAKE_FILE, 40);
	scene_plan(scene, &options);
	assert_int_equal(scene->plan->nr_spans, 0);
	scene_run(scene, NULL);
	assert_int_equal(moved(scene), 0);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 40);
}

/* As with KSM, or a file that is mapped in two places. */
static void what_is_mapped_twice_is_in_place_twice(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;
	struct fake_truth truth;
	uint64_t start = scene_map(scene, PID, FAKE_SHMEM, 40, 0);

	fake_kernel_share(scene->kernel, PID, PID, start);
	scene_run(scene, NULL);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.moved_pages, 40);
	totals = mig_outcome_get_totals(scene->outcome);
	assert_int_equal(totals->considered_pages, 80);
	assert_int_equal(totals->moved_pages + totals->already_pages, 80);
}

static void a_plan_counts_a_shared_page_once(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_SHMEM, 40, 0);

	scene_add(scene, OTHER);
	fake_kernel_share(scene->kernel, OTHER, PID, start);
	scene_map(scene, OTHER, FAKE_ANON, 7, 0);
	scene_plan(scene, NULL);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan), 47 * scene->page_size);
}

/* Several threads plan so many. */
static void many_members_are_planned_side_by_side(void **state)
{
	enum { COUNT = 28 };
	struct scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .shared = MIG_SHARED_NONE };
	uint64_t own = scene_map(scene, PID, FAKE_FILE, 40, 0);
	uint64_t foreign = map_shared(scene, FAKE_FILE, 30);

	for (pid_t pid = 200; pid < 200 + COUNT; pid++) {
		scene_add(scene, pid);
		scene_map(scene, pid, FAKE_ANON, 3, 0);
		fake_kernel_share(scene->kernel, pid, PID, own);
		fake_kernel_share(scene->kernel, pid, PID, foreign);
	}
	scene_plan(scene, &options);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan),
			 (40 + COUNT * 3) * scene->page_size);
	assert_int_equal(
		mig_residency_get_node_bytes(mig_plan_get_residency(scene->plan), 0),
		((COUNT + 1) * 70 + COUNT * 3) * scene->page_size);
	/* Of each, its own memory and what it shares with the others. */
	assert_int_equal(scene->plan->nr_spans, COUNT * 2 + 1);
	for (size_t i = 1; i < scene->plan->nr_spans; i++) {
		const struct mig_member_span *span = &scene->plan->spans[i];

		assert_true(span->member != span[-1].member ||
			    span->span.start > span[-1].span.start);
	}
	scene_run(scene, NULL);
	assert_int_equal(moved(scene), 40 + COUNT * 3);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), (COUNT + 1) * 30);
}

/* ---- fewer rights ---- */

static void without_the_capability_no_shared_page_moves(void **state)
{
	struct scene *scene = *state;

	map_some_of_each(scene);
	run_with(scene, MIG_SHARED_DEFAULT);
	assert_int_equal(moved(scene), 100);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 90);
}

static void without_frame_numbers_whose_a_page_is_cannot_be_known(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_FILE, 40, 0);

	scene_add(scene, OTHER);
	fake_kernel_share(scene->kernel, OTHER, PID, start);
	run_with(scene, MIG_SHARED_NONE);
	scene_assert_true(scene);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 80);
}

/* It was the process's own when it was found, and is not when it is to move. */
static void share_all(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const uint64_t *start = data;

	if (number == 1)
		fake_kernel_share(kernel, OUTSIDER, PID, *start);
}

static void a_page_that_becomes_shared_meanwhile_is_skipped(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_SHMEM, 40, 0);

	fake_kernel_before_move(scene->kernel, share_all, &start);
	run_with(scene, MIG_SHARED_DEFAULT);
	assert_int_equal(moved(scene), 0);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 40);
}

#define with(function, set_up) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(anon_moves_shared_memory_and_leaves_files, set_up),
		with(anon_moves_shared_memory_and_leaves_files, set_up_without_frames),
		with(the_default_with_the_capability_is_anon, set_up),
		with(all_moves_files_too, set_up),
		with(all_moves_files_too, set_up_without_frames),
		with(none_moves_what_is_its_own, set_up),
		with(none_moves_what_is_its_own, set_up_without_frames),
		with(what_only_members_map_is_their_own, set_up),
		with(what_an_outsider_maps_as_well_is_not, set_up),
		with(what_is_mapped_twice_is_in_place_twice, set_up),
		with(what_cannot_move_is_settled_by_the_plan, set_up),
		with(a_plan_counts_a_shared_page_once, set_up),
		with(many_members_are_planned_side_by_side, set_up),
		with(without_the_capability_no_shared_page_moves,
		     set_up_without_sys_nice),
		with(without_frame_numbers_whose_a_page_is_cannot_be_known,
		     set_up_without_frames),
		with(a_page_that_becomes_shared_meanwhile_is_skipped,
		     set_up_without_sys_nice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
