/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is booked of the cache of cgroups, by what nodes have before and after. */
#include "unmapped_cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "outcome.h"
#include "plan.h"
#include "residency.h"
#include "scene.h"

static int set_up(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){ .nr_nodes = 4 });

	assert_int_equal(mig_outcome_new(&scene->outcome), 0);
	*state = scene;
	return 0;
}

struct book {
	struct mig_unmapped_pages before;
	struct mig_unmapped_pages after;
	struct mig_unmapped_pages rest;
	const struct mig_totals *totals;
};

static void book(struct scene *scene, struct book *book, int end)
{
	struct mig_plan plan = {
		.context = scene->context,
		.topology = scene->topology,
		.placement = scene->placement,
	};

	mig_unmapped_cache_book(&plan, &book->before, &book->after, end, scene->outcome,
				&book->rest);
	book->totals = &scene->outcome->totals;
	assert_int_equal(book->totals->moved_pages + book->totals->already_pages +
				 book->totals->skipped_pages + book->totals->left_pages +
				 book->totals->gone_pages,
			 book->totals->considered_pages);
}

static void all_that_arrived_has_moved(void **state)
{
	struct scene *scene = *state;
	struct book all = { .before.file = { 100 }, .before.shmem = { 20 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	all.after.file[1] = 100;
	all.after.shmem[1] = 20;
	book(scene, &all, 0);
	assert_int_equal(all.totals->considered_pages, 120);
	assert_int_equal(scene_moved(scene, 0, 1), 120);
	assert_int_equal(all.rest.file[0], 0);
}

static void what_stayed_is_not_booked_yet(void **state)
{
	struct scene *scene = *state;
	struct book some = { .before.file = { 100 }, .after.file = { 30, 70 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	some.after.writeback[0] = 40;
	book(scene, &some, 0);
	assert_int_equal(some.totals->considered_pages, 70);
	assert_int_equal(scene_moved(scene, 0, 1), 70);
	assert_int_equal(some.rest.file[0], 30);
	assert_int_equal(some.rest.writeback[0], 30);
	assert_int_equal(some.rest.file[1], 0);
}

static void what_was_new_meanwhile_has_not_moved(void **state)
{
	struct scene *scene = *state;
	struct book more = { .before.file = { 100, 5 }, .after.file = { 60, 500 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book(scene, &more, 0);
	assert_int_equal(scene_moved(scene, 0, 1), 40);
	assert_int_equal(more.totals->already_pages, 5);
	assert_int_equal(more.rest.file[0], 60);
	/* More on the source than before: none of it has gone. */
	more = (struct book){ .before.file = { 100 }, .after.file = { 150, 9 } };
	book(scene, &more, 0);
	assert_int_equal(scene_moved(scene, 0, 1), 40);
	assert_int_equal(more.rest.file[0], 100);
}

static void what_did_not_arrive_is_gone(void **state)
{
	struct scene *scene = *state;
	struct book lost = { .before.file = { 100 }, .after.file = { 0, 60, 30 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book(scene, &lost, 0);
	assert_int_equal(scene_moved(scene, 0, 1), 60);
	assert_int_equal(lost.totals->gone_pages, 40);
	assert_int_equal(lost.totals->left_pages, 0);
}

/* Some kernels take memory from anywhere then. */
static void what_strayed_from_a_full_target_is_left(void **state)
{
	struct scene *scene = *state;
	struct book strays = { .before.file = { 100 }, .after.file = { 10, 50, 30 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book(scene, &strays, -ENOSPC);
	assert_int_equal(scene_moved(scene, 0, 1), 50);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 30);
	assert_int_equal(strays.totals->gone_pages, 10);
	assert_int_equal(strays.rest.file[0], 10);
}

static void two_sources_share_what_their_target_has_gained(void **state)
{
	struct scene *scene = *state;
	struct book two = { .before.file = { 100, 0, 50 }, .after.file = { 0, 120, 0 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book(scene, &two, 0);
	assert_int_equal(scene_moved(scene, 0, 1), 100);
	assert_int_equal(scene_moved(scene, 2, 1), 20);
	assert_int_equal(two.totals->gone_pages, 30);
}

static void each_source_goes_to_its_own_target(void **state)
{
	struct scene *scene = *state;
	struct book two = { .before.file = { 10, 20 }, .after.file = { 0, 0, 10, 20 } };

	scene_place(scene, 1 << 0 | 1 << 1, 1 << 2 | 1 << 3, MIG_PLACE_RELATIVE);
	book(scene, &two, 0);
	assert_int_equal(scene_moved(scene, 0, 2), 10);
	assert_int_equal(scene_moved(scene, 1, 3), 20);
}

static void what_is_no_source_stays(void **state)
{
	struct scene *scene = *state;
	struct book none = { .before.file = { 0, 7, 8 }, .after.file = { 0, 7, 8 } };

	scene_place(scene, 1 << 0, 1 << 1, MIG_PLACE_DEFAULT);
	book(scene, &none, 0);
	assert_int_equal(none.totals->already_pages, 7);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_NOT_FROM), 8);
	assert_int_equal(none.rest.file[1] + none.rest.file[2], 0);
}

static void book_rest(struct scene *scene, const struct mig_unmapped_pages *rest,
		      uint64_t found_on_0, int end)
{
	struct mig_plan plan = {
		.context = scene->context,
		.topology = scene->topology,
		.placement = scene->placement,
	};
	struct mig_residency *found;

	mig_outcome_free(scene->outcome);
	scene->outcome = NULL;
	assert_int_equal(mig_outcome_new(&scene->outcome), 0);
	assert_int_equal(mig_residency_new(plan.context, &found), 0);
	if (found_on_0)
		assert_int_equal(
			mig_residency_add_pages(found, 0, MIG_KIND_FILE, found_on_0), 0);
	mig_unmapped_cache_book_rest(&plan, rest, found, end, scene->outcome);
	mig_residency_free(found);
}

static void what_was_in_no_file_is_left(void **state)
{
	struct scene *scene = *state;
	const struct mig_unmapped_pages rest = { .file = { 60, 5 }, .shmem = { 40 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book_rest(scene, &rest, 0, 0);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_FILE), 100);
	assert_int_equal(scene->outcome->totals.already_pages, 5);
	book_rest(scene, &rest, 70, 0);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_FILE), 30);
	/* More was found than there had been. */
	book_rest(scene, &rest, 500, 0);
	assert_int_equal(scene->outcome->totals.left_pages, 0);
}

static void what_is_being_written_is_busy(void **state)
{
	struct scene *scene = *state;
	const struct mig_unmapped_pages rest = { .file = { 60 }, .writeback = { 50 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book_rest(scene, &rest, 0, 0);
	assert_int_equal(scene_left(scene, MIG_REASON_BUSY), 50);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_FILE), 10);
	book_rest(scene, &rest, 20, 0);
	assert_int_equal(scene_left(scene, MIG_REASON_BUSY), 40);
}

static void what_nobody_came_to_has_a_reason_of_its_own(void **state)
{
	struct scene *scene = *state;
	const struct mig_unmapped_pages rest = { .file = { 60 } };

	scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	book_rest(scene, &rest, 10, -ECANCELED);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_STOPPED), 50);
	assert_int_equal(scene->outcome->totals.left_pages, 0);
	book_rest(scene, &rest, 0, -ENOSPC);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), 60);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(all_that_arrived_has_moved),
		TEST(what_stayed_is_not_booked_yet),
		TEST(what_was_new_meanwhile_has_not_moved),
		TEST(what_did_not_arrive_is_gone),
		TEST(what_strayed_from_a_full_target_is_left),
		TEST(two_sources_share_what_their_target_has_gained),
		TEST(each_source_goes_to_its_own_target),
		TEST(what_is_no_source_stays),
		TEST(what_was_in_no_file_is_left),
		TEST(what_is_being_written_is_busy),
		TEST(what_nobody_came_to_has_a_reason_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
