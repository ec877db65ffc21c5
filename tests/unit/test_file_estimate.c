// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are only counted before they are moved, because they fit anyhow. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "scene.h"

static const struct mig_plan_options estimating = { .size = sizeof(estimating),
						    .may_estimate = true };

static unsigned int count_touched(const struct scene *scene)
{
	struct fake_cache_counts counts;

	fake_cache_get_counts(scene->kernel, &counts);
	return counts.nr_touched;
}

/* So many bytes of files on a node, as the plan or the run says. */
static uint64_t pages_before(const struct scene *scene, int node)
{
	return mig_residency_get_node_bytes(mig_plan_get_residency(scene->plan), node) /
	       scene->page_size;
}

static uint64_t pages_after(const struct scene *scene, int node)
{
	struct mig_residency *residency = NULL;
	uint64_t bytes;

	assert_int_equal(mig_plan_read_residency(scene->plan, &residency), 0);
	bytes = mig_residency_get_node_bytes(residency, node);
	mig_residency_free(residency);
	return bytes / scene->page_size;
}

static void what_fits_anyhow_is_not_touched_before_the_run(void **state)
{
	struct scene *scene = *state;

	scene_add_file(scene, "file", 40, 0);
	scene_add_file(scene, "empty", 40, -1);
	scene_plan(scene, &estimating);
	assert_int_equal(count_touched(scene), 0);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan), 40 * scene->page_size);
	assert_null(mig_plan_get_pair(scene->plan, 0));
	assert_int_equal(pages_before(scene, 0), 0);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 40);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->files, 1);
	scene_assert_true(scene);
}

static void before_and_after_are_what_the_run_has_seen(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 40, 0);
	unsigned int touched;

	fake_cache_fill(scene->kernel, scene_add_file(scene, "other", 9, -1), 0, 9, 2, 1);
	fake_cache_set(scene->kernel, file, 3, 5, FAKE_PINNED);
	scene_place(scene, 1, 2, MIG_PLACE_DEFAULT);
	scene_plan(scene, &estimating);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 35);
	assert_int_equal(pages_before(scene, 0), 40);
	assert_int_equal(pages_before(scene, 1), 0);
	assert_int_equal(pages_before(scene, 2), 9);
	touched = count_touched(scene);
	assert_int_equal(pages_after(scene, 1), 35);
	assert_int_equal(count_touched(scene), touched);
	/* The second time all of them are looked at. */
	assert_int_equal(pages_after(scene, 0), 5);
	assert_int_equal(pages_after(scene, 2), 9);
	assert_true(count_touched(scene) > touched);
}

/* Looking at it tells more: it is refused, with both figures. */
static void what_may_not_fit_is_looked_at(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_add_file(scene, "file", 3000, 0);
	fake_kernel_fill(scene->kernel, 1, 2000);
	scene_plan(scene, &estimating);
	assert_true(count_touched(scene) > 0);
	finding = mig_plan_get_finding(scene->plan, 0);
	assert_non_null(finding);
	assert_int_equal(finding->code, MIG_FINDING_NO_ROOM);
	assert_int_equal(finding->needed_bytes, 3000 * scene->page_size);
	assert_int_equal(pages_before(scene, 0), 3000);
}

static void what_is_already_there_needs_no_room(void **state)
{
	struct scene *scene = *state;

	scene_add_file(scene, "file", 3000, 1);
	scene_add_file(scene, "other", 10, 0);
	fake_kernel_fill(scene->kernel, 1, 2000);
	scene_plan(scene, &estimating);
	assert_null(mig_plan_get_finding(scene->plan, 0));
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 10);
	scene_assert_true(scene);
}

static void what_may_have_to_be_written_is_looked_at(void **state)
{
	const struct fake_cache_options vfat = { .type = "vfat" };
	struct scene *scene = scene_new_with_files(NULL, &vfat);
	struct fake_file *file = scene_add_file(scene, "file", 40, 0);

	(void)state;
	fake_cache_set(scene->kernel, file, 0, 20, FAKE_DIRTY);
	scene_plan(scene, &estimating);
	assert_true(count_touched(scene) > 0);
	assert_int_equal(mig_plan_get_finding(scene->plan, 0)->code, MIG_FINDING_DIRTY);
	scene_free(scene);
}

static void clean_files_of_such_a_system_are_not(void **state)
{
	const struct fake_cache_options vfat = { .type = "vfat" };
	struct scene *scene = scene_new_with_files(NULL, &vfat);

	(void)state;
	scene_add_file(scene, "file", 40, 0);
	scene_plan(scene, &estimating);
	assert_int_equal(count_touched(scene), 0);
	scene_free(scene);
}

/* Linux 6.1: no more can be cached than a file has. */
static void where_nobody_counts_the_sizes_must_fit(void **state)
{
	const struct fake_cache_options mute = { .count_error = -ENOSYS };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scene *scene = scene_new_with_files(NULL, &mute);
		struct fake_file *file = scene_add_file(scene, "file", 3000, -1);

		fake_cache_fill(scene->kernel, file, 7, 40, 0, 1);
		scene_add_file(scene, "empty", 10, -1);
		fake_kernel_fill(scene->kernel, 1, i ? 4000 : 3000);
		scene_plan(scene, &estimating);
		assert_int_equal(count_touched(scene) == 0, i);
		assert_int_equal(scene_run(scene, NULL)->moved_pages, 40);
		assert_int_equal(mig_outcome_get_totals(scene->outcome)->files, 1);
		scene_assert_true(scene);
		scene_free(scene);
	}
}

/* A target that is full leaves the rest to the next nearest, source by source. */
static void with_a_choice_of_targets_files_are_looked_at(void **state)
{
	struct scene *scene = *state;

	scene_add_file(scene, "file", 40, 0);
	scene_place(scene, 0, 6, MIG_PLACE_NEAREST);
	scene_plan(scene, &estimating);
	assert_true(count_touched(scene) > 0);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 40);
}

static void a_file_that_cannot_be_mapped_is_a_problem_of_the_run(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_add_file(scene, "one", 20, 0);
	scene_add_file(scene, "two", 20, 0);
	scene_plan(scene, &estimating);
	assert_int_equal(scene->nr_problems, 0);
	fake_cache_break_window(scene->kernel, 1, -EIO);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 20);
	assert_int_equal(totals->files, 1);
	assert_int_equal(totals->files_gone, 0);
	assert_int_equal(totals->files_denied, 1);
	assert_int_equal(scene->nr_problems, 1);
	assert_int_equal(scene->problem, -EIO);
}

/* Many more than are looked at before the first of them are moved. */
#define NR_SMALL 1500

static bool stop_soon(void *data, const struct mig_progress *progress)
{
	(void)data;
	return progress->done_bytes > 0;
}

/* Of what the run did not come to, neither is known: they are about the same pages. */
static void after_a_stop_before_and_after_have_the_same_pages(void **state)
{
	const struct mig_run_options options = {
		.size = sizeof(options),
		.threads = 1,
		.rate_bytes_per_second = 4096,
		.progress = stop_soon,
	};
	struct scene *scene = *state;
	uint64_t before = 0, after = 0;
	struct mig_residency *residency = NULL;

	for (int i = 0; i < NR_SMALL; i++) {
		char name[16];

		snprintf(name, sizeof(name), "small/%d", i);
		scene_add_file(scene, name, 1, 0);
	}
	scene_plan(scene, &estimating);
	assert_true(scene_run(scene, &options)->stopped);
	assert_int_equal(mig_plan_read_residency(scene->plan, &residency), 0);
	for (int node = 0; node < 4; node++) {
		before += pages_before(scene, node);
		after += mig_residency_get_node_bytes(residency, node) / scene->page_size;
	}
	mig_residency_free(residency);
	assert_true(before > 0 && before < NR_SMALL);
	assert_int_equal(before, after);
	assert_int_equal(before,
			 mig_outcome_get_totals(scene->outcome)->considered_pages);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scene_set_up_files, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_fits_anyhow_is_not_touched_before_the_run),
		TEST(before_and_after_are_what_the_run_has_seen),
		TEST(what_may_not_fit_is_looked_at),
		TEST(what_is_already_there_needs_no_room),
		cmocka_unit_test(what_may_have_to_be_written_is_looked_at),
		cmocka_unit_test(clean_files_of_such_a_system_are_not),
		cmocka_unit_test(where_nobody_counts_the_sizes_must_fit),
		TEST(with_a_choice_of_targets_files_are_looked_at),
		TEST(a_file_that_cannot_be_mapped_is_a_problem_of_the_run),
		TEST(after_a_stop_before_and_after_have_the_same_pages),
	};

	return cmocka_run_group_tests_name("file_estimate", tests, NULL, NULL);
}
