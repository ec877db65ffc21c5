/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs over files on a fake kernel: what they say must be what happened. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "engine.h"
#include "scene.h"

#define PART_PAGES (MIG_FILE_PART / 4096)

static void assert_nothing_was_read(const struct scene *scene)
{
	struct fake_cache_counts counts;

	fake_cache_get_counts(scene->kernel, &counts);
	assert_int_equal(counts.nr_read, 0);
}

static int node_of(const struct scene *scene, const struct fake_file *file, uint64_t page)
{
	return fake_cache_get_node(scene->kernel, file, page);
}

static void the_cached_pages_of_files_move(void **state)
{
	struct scene *scene = *state;
	struct fake_file *whole = scene_add_file(scene, "whole", 300, 0);
	struct fake_file *partly = scene_add_file(scene, "partly", 3 * PART_PAGES, -1);
	const struct mig_totals *totals;

	scene_add_file(scene, "uncached", 50, -1);
	scene_add_file(scene, "empty", 0, -1);
	fake_cache_fill(scene->kernel, partly, 7, 20, 0, 1);
	fake_cache_fill(scene->kernel, partly, 2 * PART_PAGES + 100, 5, 0, 1);
	fake_cache_fill(scene->kernel, partly, 3 * PART_PAGES - 1, 1, 0, 1);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_nothing_was_read(scene);
	assert_int_equal(totals->considered_pages, 326);
	assert_int_equal(totals->moved_pages, 326);
	assert_int_equal(totals->files, 2);
	assert_int_equal(totals->files_gone, 0);
	assert_int_equal(totals->files_denied, 0);
	assert_int_equal(totals->processes, 0);
	assert_int_equal(node_of(scene, whole, 299), 1);
	assert_int_equal(node_of(scene, partly, 3 * PART_PAGES - 1), 1);
	assert_int_equal(scene->nr_problems, 0);
}

static void a_second_run_finds_all_in_place(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;
	struct fake_truth truth;

	scene_add_file(scene, "one", 30, 0);
	scene_add_file(scene, "two", 30, 0);
	scene_run(scene, NULL);
	mig_plan_free(scene->plan);
	scene->plan = NULL;
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->already_pages, 60);
	assert_int_equal(totals->files, 2);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 0);
}

static void a_file_that_is_named_twice_moves_once(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 30, 0);
	char path[4096];

	mig_files_add_path(scene->files, fake_cache_get_path(file), 0);
	snprintf(path, sizeof(path), "%s.link", fake_cache_get_path(file));
	assert_int_equal(link(fake_cache_get_path(file), path), 0);
	mig_files_add_path(scene->files, path, 0);
	assert_int_equal(scene_run(scene, NULL)->considered_pages, 30);
	scene_assert_true(scene);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->files, 1);
}

static void pages_of_many_small_files_share_a_call(void **state)
{
	struct scene *scene = *state;
	struct fake_truth truth;
	char name[16];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "small/%d", i);
		scene_add_file(scene, name, 2, 0);
	}
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 400);
	scene_assert_true(scene);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 1);
}

/* Wherever its windows are mapped, a file is spread as if it began at 0. */
static void pages_are_numbered_as_they_are_in_the_file(void **state)
{
	struct scene *scene = *state;
	struct fake_file *files[4];
	char name[2] = "a";

	for (size_t i = 0; i < 4; i++, name[0]++) {
		files[i] = scene_add_file(scene, name, 2 * PART_PAGES, -1);
		fake_cache_fill(scene->kernel, files[i], 10 + i, 90, 0, 1);
		fake_cache_fill(scene->kernel, files[i], PART_PAGES + 11, 90, 0, 1);
	}
	scene_place(scene, 0, 0xe, MIG_PLACE_SPREAD);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	for (size_t i = 0; i < 4; i++)
		for (uint64_t page = 0; page < PART_PAGES + 101; page++)
			if (node_of(scene, files[i], page) >= 0)
				assert_int_equal(node_of(scene, files[i], page),
						 1 + (int)(page % 3));
}

static void overlapping_sets_move_each_page_once(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 300, -1);

	fake_cache_fill(scene->kernel, file, 0, 100, 0, 1);
	fake_cache_fill(scene->kernel, file, 100, 100, 1, 1);
	scene_place(scene, 3, 6, MIG_PLACE_DEFAULT);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 100);
	assert_int_equal(scene_moved(scene, 1, 2), 100);
}

static void large_folios_move_whole(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 640, -1);
	const struct mig_totals *totals;

	fake_cache_fill(scene->kernel, file, 0, 640, 0, 16);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 640);
	assert_int_equal(totals->moved_huge_pages, 40);
	assert_int_equal(totals->split_huge_pages, 0);
}

static void processes_and_files_can_be_one_target(void **state)
{
	struct scene *scene = *state;

	scene_add(scene, 42);
	scene_map(scene, 42, FAKE_ANON, 70, 0);
	scene_add_file(scene, "file", 30, 0);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->moved_pages, 100);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->processes, 1);
}

static void several_workers_move_what_one_would(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options four = { .size = sizeof(four), .threads = 4 };
	char name[16];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%d", i);
		scene_add_file(scene, name, (uint64_t)i * 3, 0);
	}
	scene_add_file(scene, "large", PART_PAGES + 10, 2);
	scene_place(scene, 0, 2, MIG_PLACE_DEFAULT);
	scene_run(scene, &four);
	scene_assert_true(scene);
	assert_nothing_was_read(scene);
	assert_int_equal(scene_moved(scene, 0, 1), 5310);
	assert_int_equal(scene_moved(scene, 2, 1), PART_PAGES + 10);
}

static void map_elsewhere(struct scene *scene, const struct fake_file *file)
{
	fake_kernel_add_process(scene->kernel, 42, 1);
	fake_cache_map(scene->kernel, 42, file);
}

static void pages_that_others_have_mapped_move_by_default(void **state)
{
	struct scene *scene = *state;

	map_elsewhere(scene, scene_add_file(scene, "file", 30, 0));
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 30);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan), 30 * scene->page_size);
}

static void pages_that_others_have_mapped_stay_where_that_is_asked(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .shared = MIG_SHARED_NONE };

	map_elsewhere(scene, scene_add_file(scene, "file", 30, 0));
	scene_add_file(scene, "own", 10, 0);
	scene_plan(scene, &options);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan), 10 * scene->page_size);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 10);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 30);
}

static void without_the_right_only_unshared_pages_move(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){
		.hides_frames = true, .no_sys_nice = true });

	(void)state;
	scene_add_files(scene, NULL);
	map_elsewhere(scene, scene_add_file(scene, "file", 30, 0));
	scene_add_file(scene, "own", 10, 0);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 10);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_SHARED), 30);
	scene_free(scene);
}

static void pinned_pages_are_left_and_busy_ones_move_later(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 100, 0);
	const struct mig_totals *totals;

	fake_cache_set(scene->kernel, file, 10, 3, FAKE_PINNED);
	fake_cache_set(scene->kernel, file, 20, 5, FAKE_BUSY);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 97);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 3);
	assert_true(totals->passes > 1);
}

static void a_full_target_takes_what_it_can(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_add_file(scene, "file", 500, 0);
	fake_kernel_fill(scene->kernel, 1, 100);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_true(totals->moved_pages <= 100);
	assert_int_equal(scene_left(scene, MIG_REASON_NO_MEMORY), totals->left_pages);
	assert_true(totals->left_pages >= 400);
}

static bool stop(void *data, const struct mig_progress *progress)
{
	(void)progress;
	return scene_stop_ask(data);
}

static void a_stop_ends_the_walk_and_keeps_the_account(void **state)
{
	struct scene *scene =
		scene_new(&(struct fake_kernel_options){ .node_pages = 30000 });
	struct scene_stop in_call = { 0 };
	const struct mig_run_options options = {
		.size = sizeof(options),
		.threads = 1,
		.progress = stop,
		.progress_data = &in_call,
	};
	const struct mig_totals *totals;

	(void)state;
	scene_add_files(scene, NULL);
	scene_add_file(scene, "one", 9000, 0);
	scene_add_file(scene, "two", 9000, 0);
	scene_add_file(scene, "three", 9000, 0);
	scene_plan(scene, NULL);
	fake_kernel_before_move(scene->kernel, scene_stop_in_call, &in_call);
	totals = scene_run(scene, &options);
	assert_true(totals->stopped);
	assert_true(totals->moved_pages > 0);
	assert_true(scene_skipped(scene, MIG_SKIP_STOPPED) > 0);
	/* What is behind the stop was not even looked at. */
	assert_true(totals->considered_pages < 27000);
	assert_int_equal(totals->error, 0);
	scene_free(scene);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scene_set_up_files, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(the_cached_pages_of_files_move),
		TEST(a_second_run_finds_all_in_place),
		TEST(a_file_that_is_named_twice_moves_once),
		TEST(pages_of_many_small_files_share_a_call),
		TEST(pages_are_numbered_as_they_are_in_the_file),
		TEST(overlapping_sets_move_each_page_once),
		TEST(large_folios_move_whole),
		TEST(processes_and_files_can_be_one_target),
		TEST(several_workers_move_what_one_would),
		TEST(pages_that_others_have_mapped_move_by_default),
		TEST(pages_that_others_have_mapped_stay_where_that_is_asked),
		cmocka_unit_test(without_the_right_only_unshared_pages_move),
		TEST(pinned_pages_are_left_and_busy_ones_move_later),
		TEST(a_full_target_takes_what_it_can),
		cmocka_unit_test(a_stop_ends_the_walk_and_keeps_the_account),
	};

	return cmocka_run_group_tests_name("engine_files", tests, NULL, NULL);
}
