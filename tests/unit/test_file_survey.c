/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan says of files before anything is moved, and where they are afterwards. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "scene.h"

static void a_dry_run_moves_nothing_and_tells_how_much_it_is(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 40, 0);
	const struct mig_residency *residency;
	struct fake_cache_counts counts;
	struct fake_truth truth;

	fake_cache_fill(scene->kernel, scene_add_file(scene, "other", 9, -1), 0, 9, 2, 1);
	fake_kernel_mark(scene->kernel);
	scene_plan(scene, NULL);
	residency = mig_plan_get_residency(scene->plan);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan), 40 * scene->page_size);
	assert_int_equal(mig_residency_get_bytes(residency, 0, MIG_KIND_FILE),
			 40 * scene->page_size);
	assert_int_equal(mig_residency_get_bytes(residency, 2, MIG_KIND_FILE),
			 9 * scene->page_size);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 0);
	assert_int_equal(fake_cache_get_node(scene->kernel, file, 0), 0);
	fake_cache_get_counts(scene->kernel, &counts);
	assert_int_equal(counts.nr_read, 0);
	assert_true(counts.nr_touched > 0);
}

static void where_it_all_is_can_be_read_again_after_a_run(void **state)
{
	struct scene *scene = *state;
	struct mig_residency *residency = NULL;

	scene_add_file(scene, "file", 30, 0);
	scene_add_file(scene, "doomed", 5, 0);
	scene_run(scene, NULL);
	unlink(fake_cache_get_path(scene_add_file(scene, "late", 5, 0)));
	assert_int_equal(mig_plan_read_residency(scene->plan, &residency), 0);
	assert_int_equal(mig_residency_get_bytes(residency, 0, MIG_KIND_FILE), 0);
	assert_int_equal(mig_residency_get_bytes(residency, 1, MIG_KIND_FILE),
			 35 * scene->page_size);
	mig_residency_free(residency);
	residency = NULL;
	/* Its files can be read a second time, and what is gone since is no problem. */
	unlink(fake_cache_get_path(scene_add_file(scene, "file", 0, -1)));
	assert_int_equal(mig_plan_read_residency(scene->plan, &residency), 0);
	assert_int_equal(mig_residency_get_bytes(residency, 1, MIG_KIND_FILE),
			 5 * scene->page_size);
	mig_residency_free(residency);
	assert_int_equal(mig_plan_read_residency(NULL, &residency), -EINVAL);
	assert_int_equal(mig_plan_read_residency(scene->plan, NULL), -EINVAL);
}

static const struct mig_finding *find_dirty(const struct scene *scene)
{
	const struct mig_finding *finding;

	for (size_t i = 0; (finding = mig_plan_get_finding(scene->plan, i)); i++)
		if (finding->code == MIG_FINDING_DIRTY)
			return finding;
	return NULL;
}

/* 60 pages, of which the first 20 are dirty. */
static struct fake_file *add_dirty_file(struct scene *scene, const char *name)
{
	struct fake_file *file = scene_add_file(scene, name, 60, 0);

	fake_cache_set(scene->kernel, file, 0, 20, FAKE_DIRTY);
	return file;
}

static void a_plan_says_how_much_may_have_to_be_written(void **state)
{
	const struct fake_cache_options cases[] = {
		{ .type = "vfat" },
		{ .type = "overlay", .options = "rw,lowerdir=/a,upperdir=/nowhere" },
		{ .type = "vfat", .count_error = -ENOSYS },
		{ .type = "ext4", .options = "rw,data=journal" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scene *scene = scene_new_with_files(NULL, &cases[i]);
		const struct mig_finding *finding;

		add_dirty_file(scene, "file");
		add_dirty_file(scene, "other");
		scene_plan(scene, NULL);
		finding = find_dirty(scene);
		assert_non_null(finding);
		assert_false(finding->refuses);
		assert_int_equal(finding->needed_bytes, 40 * scene->page_size);
		scene_free(scene);
	}
}

/* Without an upper layer nothing can become dirty. */
static void of_a_read_only_overlay_nothing_is_said(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "overlay",
						    .options = "ro,lowerdir=/a:/b" });

	(void)state;
	add_dirty_file(scene, "file");
	scene_plan(scene, NULL);
	assert_null(find_dirty(scene));
	scene_free(scene);
}

static void what_nobody_tells_may_all_be_dirty(void **state)
{
	struct scene *scene = scene_new_with_files(
		&(struct fake_kernel_options){ .hides_frames = true },
		&(struct fake_cache_options){ .type = "vfat", .count_error = -ENOSYS });

	(void)state;
	add_dirty_file(scene, "file");
	scene_plan(scene, NULL);
	assert_int_equal(find_dirty(scene)->needed_bytes, 60 * scene->page_size);
	scene_free(scene);
}

static void where_writing_is_allowed_or_not_needed_it_is_no_finding(void **state)
{
	const struct mig_plan_options options = { .size = sizeof(options),
						  .may_write = true };
	struct scene *allowed = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "vfat" });
	struct scene *needless;

	(void)state;
	add_dirty_file(allowed, "file");
	scene_plan(allowed, &options);
	assert_null(find_dirty(allowed));
	scene_free(allowed);
	needless = scene_new_with_files(NULL, NULL);
	add_dirty_file(needless, "file");
	scene_plan(needless, NULL);
	assert_null(find_dirty(needless));
	scene_free(needless);
}

static void clean_files_of_a_writing_system_are_no_finding(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "vfat" });

	(void)state;
	scene_add_file(scene, "file", 20, 0);
	scene_plan(scene, NULL);
	assert_null(find_dirty(scene));
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 20);
	scene_free(scene);
}

static void a_file_that_cannot_be_looked_at_is_a_problem_and_no_end(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_add_file(scene, "one", 20, 0);
	scene_add_file(scene, "two", 20, 0);
	scene_add_file(scene, "three", 20, 0);
	unlink(fake_cache_get_path(scene_add_file(scene, "nothing", 20, 0)));
	fake_cache_break_window(scene->kernel, 2, -EIO);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 40);
	assert_int_equal(totals->files, 2);
	assert_int_equal(totals->files_denied, 2);
	assert_int_equal(totals->error, 0);
	assert_int_equal(scene->nr_problems, 2);
}

static void a_plan_without_memory_for_it_fails(void **state)
{
	struct scene *scene = *state;
	struct mig_plan *plan = NULL;

	scene_add_file(scene, "file", 20, 0);
	scene_place(scene, 1, 2, MIG_PLACE_DEFAULT);
	fake_cache_break_window(scene->kernel, 1, -ENOMEM);
	assert_int_equal(mig_plan_new(scene->target, scene->topology, scene->placement,
				      NULL, &plan),
			 -ENOMEM);
	assert_null(plan);
	assert_int_equal(scene->nr_problems, 0);
}

static void a_target_of_nothing_at_all_is_refused(void **state)
{
	struct scene *scene = scene_new(NULL);
	struct mig_plan *plan = NULL;

	(void)state;
	scene_place(scene, 1, 2, MIG_PLACE_DEFAULT);
	assert_int_equal(mig_plan_new(scene->target, scene->topology, scene->placement,
				      NULL, &plan),
			 -EINVAL);
	assert_null(plan);
	scene_free(scene);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scene_set_up_files, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_dry_run_moves_nothing_and_tells_how_much_it_is),
		TEST(where_it_all_is_can_be_read_again_after_a_run),
		cmocka_unit_test(a_target_of_nothing_at_all_is_refused),
		cmocka_unit_test(a_plan_says_how_much_may_have_to_be_written),
		cmocka_unit_test(of_a_read_only_overlay_nothing_is_said),
		cmocka_unit_test(what_nobody_tells_may_all_be_dirty),
		cmocka_unit_test(where_writing_is_allowed_or_not_needed_it_is_no_finding),
		cmocka_unit_test(clean_files_of_a_writing_system_are_no_finding),
		TEST(a_file_that_cannot_be_looked_at_is_a_problem_and_no_end),
		TEST(a_plan_without_memory_for_it_fails),
	};

	return cmocka_run_group_tests_name("file_survey", tests, NULL, NULL);
}
