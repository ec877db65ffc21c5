/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages that do not go at the first try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scene.h"

#define PID 42

static int set_up(void **state)
{
	struct scene *scene = scene_new(NULL);

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int set_up_unprivileged(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){
		.hides_frames = true, .no_sys_nice = true });

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

/* ---- busy and pinned ---- */

static void busy_pages_go_in_a_later_pass(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 600, 0);
	const struct mig_totals *totals;

	fake_kernel_set_every(scene->kernel, PID, start + 5 * scene->page_size, 595, 50,
			      FAKE_BUSY);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 600);
	assert_int_equal(totals->passes, 3);
}

static void pinned_pages_stay_and_hold_up_nobody(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 600, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 0, 1, FAKE_PINNED);
	scene_set(scene, PID, start, 100, 40, FAKE_PINNED);
	scene_set(scene, PID, start, 599, 1, FAKE_PINNED);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 558);
	assert_int_equal(totals->left_pages, 42);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 42);
	assert_int_equal(mig_outcome_get_left(scene->outcome, 0)->node, 1);
}

static void pins_that_cannot_be_seen_are_called_busy(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 600, 0);

	scene_set(scene, PID, start, 100, 40, FAKE_PINNED);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 560);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_BUSY), 40);
}

static void one_pass_is_one_try(void **state)
{
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 1 };
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 50, 1, FAKE_BUSY);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 99);
	assert_int_equal(totals->left_pages, 1);
	assert_int_equal(totals->passes, 1);
}

static void a_pinned_huge_page_stays_whole(void **state)
{
	struct scene *scene = *state;
	uint64_t start =
		fake_kernel_map(scene->kernel, PID,
				&(struct fake_memory){ .kind = FAKE_ANON,
						       .nr_pages = 4 * FAKE_HUGE_PAGES,
						       .folio_pages = FAKE_HUGE_PAGES });
	const struct mig_totals *totals;

	scene_set(scene, PID, start, FAKE_HUGE_PAGES + 7, 1, FAKE_PINNED);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_huge_pages, 3);
	assert_int_equal(totals->left_pages, FAKE_HUGE_PAGES);
	assert_int_equal(scene_node(scene, PID, start, FAKE_HUGE_PAGES), 0);
}

static void pages_off_the_lists_are_a_drivers(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	scene_set(scene, PID, start, 10, 3, FAKE_OFF_LRU);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 97);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_DEVICE), 3);
}

/* A worker keeps so many and no more; what is beyond is accounted all the same. */
static void more_failures_than_are_kept_are_all_accounted(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 12000, 0);
	const struct mig_totals *totals;

	fake_kernel_set_every(scene->kernel, PID, start, 12000, 2, FAKE_PINNED);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 6000);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 6000);
}

/* ---- pages that Linux 6.1 hides from move_pages(2) ---- */

static void hinted_pages_go_once_they_were_touched(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	scene_set(scene, PID, start, 20, 30, FAKE_HINTED);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 100);
	scene_assert_true(scene);
}

static void protected_pages_go_with_their_whole_node(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	scene_set(scene, PID, start, 20, 30, FAKE_PROTECTED);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 100);
	scene_assert_true(scene);
}

static void protected_pages_stay_where_only_some_were_asked_for(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = {
		.size = sizeof(options),
		.only_kinds = 1U << MIG_KIND_ANON,
	};
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	scene_map(scene, PID, FAKE_SHMEM, 10, 0);
	scene_set(scene, PID, start, 20, 30, FAKE_PROTECTED);
	scene_plan(scene, &options);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 70);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PROTECTED), 30);
}

/* The other way takes no shared page along that was to be skipped. */
static void shared_pages_do_not_go_with_the_protected_ones(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .shared = MIG_SHARED_NONE };
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);
	uint64_t shared = scene_map(scene, PID, FAKE_SHMEM, 10, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 20, 30, FAKE_PROTECTED);
	fake_kernel_add_process(scene->kernel, 43, 1);
	fake_kernel_share(scene->kernel, 43, PID, shared);
	scene_plan(scene, &options);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 100);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 10);
	assert_int_equal(scene_node(scene, PID, shared, 0), 0);
}

static void without_frame_numbers_hidden_pages_are_named(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	scene_set(scene, PID, start, 20, 30, FAKE_PROTECTED);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PROTECTED), 30);
}

/* Its page by page account finds them, too. */
static void hidden_pages_of_a_huge_page_that_stays_are_not_gone(void **state)
{
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 1 };
	struct scene *scene = *state;
	uint64_t start =
		fake_kernel_map(scene->kernel, PID,
				&(struct fake_memory){ .kind = FAKE_ANON,
						       .nr_pages = FAKE_HUGE_PAGES,
						       .folio_pages = FAKE_HUGE_PAGES });

	scene_set(scene, PID, start, 0, 1, FAKE_PINNED);
	scene_set(scene, PID, start, 100, 9, FAKE_PROTECTED);
	scene_run(scene, &options);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_BUSY), FAKE_HUGE_PAGES - 9);
	assert_int_equal(scene_left(scene, MIG_REASON_PROTECTED), 9);
}

/* ---- swap instead ---- */

static void what_does_not_go_can_be_paged_out(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 2,
						 .fallback = MIG_FALLBACK_SWAP };
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 1000, 0);
	const struct mig_totals *totals;

	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 300);
	scene_set(scene, PID, start, 500, 20, FAKE_PINNED);
	totals = scene_run(scene, &options);
	assert_int_equal(totals->moved_pages, 300);
	assert_int_equal(totals->left_pages, 700);
	assert_int_equal(totals->paged_out_pages, 680);
}

static void hugetlb_pages_do_not_keep_others_from_being_paged_out(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 2,
						 .fallback = MIG_FALLBACK_SWAP };
	uint64_t start;
	const struct mig_totals *totals;

	scene_map(scene, PID, FAKE_HUGETLB, FAKE_HUGE_PAGES, 0);
	start = scene_map(scene, PID, FAKE_ANON, 10, 0);
	fake_kernel_set_huge_pool(scene->kernel, 1, 0);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES);
	totals = scene_run(scene, &options);
	assert_int_equal(totals->left_pages, FAKE_HUGE_PAGES + 10);
	assert_int_equal(totals->paged_out_pages, 10);
	assert_int_equal(scene_node(scene, PID, start, 0), MIG_NO_NODE);
}

static void nothing_is_paged_out_unasked(void **state)
{
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES);
	assert_int_equal(scene_run(scene, NULL)->paged_out_pages, 0);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 10);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define unprivileged(function) \
	cmocka_unit_test_setup_teardown(function, set_up_unprivileged, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(busy_pages_go_in_a_later_pass),
		unprivileged(busy_pages_go_in_a_later_pass),
		test(pinned_pages_stay_and_hold_up_nobody),
		unprivileged(pins_that_cannot_be_seen_are_called_busy),
		test(one_pass_is_one_try),
		test(a_pinned_huge_page_stays_whole),
		test(pages_off_the_lists_are_a_drivers),
		test(more_failures_than_are_kept_are_all_accounted),
		test(hinted_pages_go_once_they_were_touched),
		test(protected_pages_go_with_their_whole_node),
		test(protected_pages_stay_where_only_some_were_asked_for),
		test(shared_pages_do_not_go_with_the_protected_ones),
		unprivileged(without_frame_numbers_hidden_pages_are_named),
		unprivileged(hidden_pages_of_a_huge_page_that_stays_are_not_gone),
		test(what_does_not_go_can_be_paged_out),
		test(hugetlb_pages_do_not_keep_others_from_being_paged_out),
		test(nothing_is_paged_out_unasked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
