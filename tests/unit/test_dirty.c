/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dirty pages: found out with few, moved where they stay dirty, skipped where not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scene.h"

/* 60 pages, of which the first 20 are dirty. */
static struct fake_file *add_dirty_file(struct scene *scene, const char *name)
{
	struct fake_file *file = scene_add_file(scene, name, 60, 0);

	fake_cache_set(scene->kernel, file, 0, 20, FAKE_DIRTY);
	return file;
}

static uint64_t count_written(const struct scene *scene)
{
	struct fake_cache_counts counts;

	fake_cache_get_counts(scene->kernel, &counts);
	assert_int_equal(counts.nr_read, 0);
	return counts.nr_written;
}

static uint64_t count_dirty_on(const struct scene *scene, const struct fake_file *file,
			       int node)
{
	uint64_t nr = 0;

	for (uint64_t page = 0; page < 60; page++)
		nr += fake_cache_is_dirty(scene->kernel, file, page) &&
		      fake_cache_get_node(scene->kernel, file, page) == node;
	return nr;
}

static void dirty_pages_move_and_stay_dirty_where_the_file_system_can(void **state)
{
	struct scene *scene = scene_new_with_files(NULL, NULL);
	struct fake_file *file = add_dirty_file(scene, "file");

	(void)state;
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 60);
	assert_int_equal(count_dirty_on(scene, file, 1), 20);
	scene_free(scene);
}

static void what_would_be_written_is_found_out_with_two_pages(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL,
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });
	struct fake_file *file = add_dirty_file(scene, "file");
	struct fake_file *other = add_dirty_file(scene, "other");

	(void)state;
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(count_written(scene), 2);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 38);
	assert_int_equal(scene_moved(scene, 0, 1), 82);
	assert_int_equal(count_dirty_on(scene, file, 0) + count_dirty_on(scene, other, 0),
			 38);
	scene_free(scene);
}

static void what_moves_dirty_after_all_is_found_out_with_one_page(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "vfat" });
	struct fake_file *file = add_dirty_file(scene, "file");

	(void)state;
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 60);
	assert_int_equal(count_dirty_on(scene, file, 1), 20);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 0);
	scene_free(scene);
}

/* One that comes out clean may have been written by somebody else. */
static void write_the_first(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct fake_cache_options options = { .type = "vfat",
						    .writes_dirty = number == 1 };

	(void)data;
	fake_cache_set_options(kernel, &options);
}

static void one_page_that_comes_out_clean_is_no_proof(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "vfat" });
	struct fake_file *file = add_dirty_file(scene, "file");

	(void)state;
	fake_kernel_before_move(scene->kernel, write_the_first, NULL);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 60);
	assert_int_equal(count_dirty_on(scene, file, 1), 19);
	scene_free(scene);
}

static void what_was_learnt_holds_for_later_runs(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL,
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });
	struct fake_file *file = add_dirty_file(scene, "file");

	(void)state;
	scene_run(scene, NULL);
	assert_int_equal(count_written(scene), 2);
	fake_cache_set(scene->kernel, file, 0, 60, FAKE_DIRTY);
	mig_plan_free(scene->plan);
	mig_placement_free(scene->placement);
	scene->plan = NULL;
	scene->placement = NULL;
	scene_place(scene, 2, 1, MIG_PLACE_DEFAULT);
	scene_run(scene, NULL);
	assert_int_equal(count_written(scene), 2);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 42);
	scene_free(scene);
}

static void pages_that_are_written_and_do_not_move_teach_as_much(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL,
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });
	struct fake_file *file = add_dirty_file(scene, "file");

	(void)state;
	fake_cache_set(scene->kernel, file, 0, 15, FAKE_PINNED);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 18);
	assert_int_equal(count_written(scene), 2);
	scene_free(scene);
}

/* As ext4 with data in the journal on 6.12: what is dirty stays, and stays dirty. */
static void where_trying_writes_nothing_the_rest_is_tried(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "vfat" });
	struct fake_file *file = add_dirty_file(scene, "file");

	(void)state;
	fake_cache_set(scene->kernel, file, 0, 20, FAKE_PINNED);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(count_written(scene), 0);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 0);
	assert_int_equal(count_dirty_on(scene, file, 0), 20);
	assert_int_equal(scene_moved(scene, 0, 1), 40);
	scene_free(scene);
}

static void dirty_large_folios_are_found_out_with_two_too(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL,
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });
	struct fake_file *file = scene_add_file(scene, "file", 160, -1);

	(void)state;
	fake_cache_fill(scene->kernel, file, 0, 160, 0, 16);
	fake_cache_set(scene->kernel, file, 0, 80, FAKE_DIRTY);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(count_written(scene), 32);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 48);
	scene_free(scene);
}

static void several_workers_find_it_out_together(void **state)
{
	const struct mig_run_options four = { .size = sizeof(four), .threads = 4 };
	struct scene *scene = scene_new_with_files(
		NULL,
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });
	char name[2] = "a";

	(void)state;
	for (int i = 0; i < 20; i++, name[0]++)
		add_dirty_file(scene, name);
	scene_run(scene, &four);
	scene_assert_true(scene);
	assert_int_equal(count_written(scene), 2);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 398);
	scene_free(scene);
}

static void pages_of_ramfs_are_not_even_tried(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "ramfs" });
	struct fake_truth truth;

	(void)state;
	add_dirty_file(scene, "file");
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_FILE_SYSTEM), 60);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 0);
	scene_free(scene);
}

static void what_may_be_written_is_written(void **state)
{
	struct scene *scene = scene_new_with_files(
		NULL,
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });
	const struct mig_plan_options options = { .size = sizeof(options),
						  .may_write = true };

	(void)state;
	add_dirty_file(scene, "file");
	scene_plan(scene, &options);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 60);
	assert_int_equal(count_written(scene), 20);
	scene_free(scene);
}

static void who_sees_no_frames_learns_of_dirty_pages_by_counting(void **state)
{
	struct scene *scene = scene_new_with_files(
		&(struct fake_kernel_options){ .hides_frames = true },
		&(struct fake_cache_options){ .type = "vfat", .writes_dirty = true });

	(void)state;
	add_dirty_file(scene, "file");
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(count_written(scene), 2);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 18);
	scene_free(scene);
}

static void what_may_be_dirty_stays_as_if_it_were(void **state)
{
	struct scene *scene = scene_new_with_files(
		&(struct fake_kernel_options){ .hides_frames = true },
		&(struct fake_cache_options){
			.type = "vfat", .writes_dirty = true, .count_error = -ENOSYS });

	(void)state;
	add_dirty_file(scene, "file");
	scene_plan(scene, NULL);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(count_written(scene), 0);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_DIRTY), 60);
	scene_free(scene);
}

static void dirty_pages_that_stay_are_put_down_to_the_file_system(void **state)
{
	const struct mig_plan_options options = { .size = sizeof(options),
						  .may_write = true };
	struct scene *scene = scene_new_with_files(
		NULL, &(struct fake_cache_options){ .type = "vfat" });
	struct fake_file *file = scene_add_file(scene, "file", 10, 0);

	(void)state;
	fake_cache_set(scene->kernel, file, 2, 3, FAKE_DIRTY);
	fake_cache_set(scene->kernel, file, 2, 3, FAKE_PINNED);
	scene_plan(scene, &options);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_FILE_SYSTEM), 3);
	scene_free(scene);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			dirty_pages_move_and_stay_dirty_where_the_file_system_can),
		cmocka_unit_test(what_would_be_written_is_found_out_with_two_pages),
		cmocka_unit_test(what_moves_dirty_after_all_is_found_out_with_one_page),
		cmocka_unit_test(one_page_that_comes_out_clean_is_no_proof),
		cmocka_unit_test(what_was_learnt_holds_for_later_runs),
		cmocka_unit_test(pages_that_are_written_and_do_not_move_teach_as_much),
		cmocka_unit_test(where_trying_writes_nothing_the_rest_is_tried),
		cmocka_unit_test(dirty_large_folios_are_found_out_with_two_too),
		cmocka_unit_test(several_workers_find_it_out_together),
		cmocka_unit_test(pages_of_ramfs_are_not_even_tried),
		cmocka_unit_test(what_may_be_written_is_written),
		cmocka_unit_test(who_sees_no_frames_learns_of_dirty_pages_by_counting),
		cmocka_unit_test(what_may_be_dirty_stays_as_if_it_were),
		cmocka_unit_test(dirty_pages_that_stay_are_put_down_to_the_file_system),
	};

	return cmocka_run_group_tests_name("dirty", tests, NULL, NULL);
}
