/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that change or fail between a plan and its run, and the windows on them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "scene.h"
#include "worker.h"

#define PART_PAGES (MIG_FILE_PART / 4096)

static int node_of(const struct scene *scene, const struct fake_file *file, uint64_t page)
{
	return fake_cache_get_node(scene->kernel, file, page);
}

static void deleted_and_replaced_files_are_gone_and_the_others_go_on(void **state)
{
	struct scene *scene = *state;
	struct fake_file *doomed = scene_add_file(scene, "doomed", 20, 0);
	struct fake_file *replaced = scene_add_file(scene, "replaced", 20, 0);
	struct fake_file *fresh = fake_cache_add(scene->kernel, "fresh", 20);
	const struct mig_totals *totals;

	fake_cache_fill(scene->kernel, fresh, 0, 20, 0, 1);
	scene_add_file(scene, "file", 20, 0);
	scene_plan(scene, NULL);
	unlink(fake_cache_get_path(doomed));
	rename(fake_cache_get_path(fresh), fake_cache_get_path(replaced));
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 20);
	assert_int_equal(totals->considered_pages, 20);
	assert_int_equal(totals->files_gone, 2);
	assert_int_equal(totals->files, 3);
	assert_int_equal(totals->error, 0);
	assert_int_equal(totals->files_denied, 0);
	assert_int_equal(node_of(scene, replaced, 0), 0);
	assert_int_equal(node_of(scene, fresh, 0), 0);
}

static void truncate_file(void *data, struct fake_kernel *kernel, unsigned int number)
{
	if (number == 1)
		fake_cache_truncate(kernel, data, 10);
}

static void a_file_that_is_cut_off_in_mid_move_is_no_error(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 6000, 0);
	const struct mig_totals *totals;

	fake_kernel_before_move(scene->kernel, truncate_file, file);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 10);
	assert_int_equal(totals->considered_pages,
			 totals->moved_pages + totals->gone_pages);
	assert_int_equal(totals->left_pages, 0);
	assert_int_equal(totals->error, 0);
	assert_int_equal(node_of(scene, file, 9), 1);
}

static void a_file_that_is_cut_off_before_the_run_is_shorter(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 2 * PART_PAGES, -1);

	fake_cache_fill(scene->kernel, file, 0, 30, 0, 1);
	fake_cache_fill(scene->kernel, file, PART_PAGES, 30, 0, 1);
	scene_plan(scene, NULL);
	fake_cache_truncate(scene->kernel, file, 5);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 5);
	scene_assert_true(scene);
}

static void a_window_that_cannot_be_opened_again_is_gone(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_add_file(scene, "one", 20, 0);
	scene_add_file(scene, "two", 20, 0);
	scene_plan(scene, NULL);
	fake_cache_break_window(scene->kernel, 1, -EIO);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->moved_pages, 20);
	assert_int_equal(totals->files, 2);
	assert_int_equal(totals->files_gone, 1);
}

static void a_file_of_many_windows_is_gone_once(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options two = { .size = sizeof(two), .threads = 2 };
	struct fake_file *file = scene_add_file(scene, "file", 5 * PART_PAGES, -1);
	const struct mig_totals *totals;

	for (uint64_t part = 0; part < 5; part++)
		fake_cache_fill(scene->kernel, file, part * PART_PAGES, 3, 0, 1);
	scene_plan(scene, NULL);
	fake_cache_set_options(scene->kernel,
			       &(struct fake_cache_options){ .mincore_error = -EIO });
	totals = scene_run(scene, &two);
	assert_int_equal(totals->considered_pages, 0);
	assert_int_equal(totals->files, 1);
	assert_int_equal(totals->files_gone, 1);
}

static void a_run_that_gets_no_memory_says_so_and_what_it_did(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_add_file(scene, "one", 20, 0);
	scene_add_file(scene, "two", 20, 0);
	scene_plan(scene, NULL);
	fake_cache_break_window(scene->kernel, 2, -ENOMEM);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->error, -ENOMEM);
	assert_int_equal(totals->moved_pages, 20);
}

/* How many parts of the scene's files this process has mapped. */
static unsigned int count_windows(struct fake_kernel *kernel)
{
	FILE *stream = fopen("/proc/self/maps", "re");
	unsigned int nr = 0;
	char line[4352];

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		nr += strstr(line, fake_kernel_get_root(kernel)->path) != NULL;
	fclose(stream);
	return nr;
}

static void note_most(void *data, struct fake_kernel *kernel, unsigned int number)
{
	unsigned int *most = data, nr = count_windows(kernel);

	(void)number;
	if (nr > *most)
		*most = nr;
}

static void add_small_files(struct scene *scene, int nr, int node)
{
	char name[32];

	for (int i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "small%d/%d", node, i);
		scene_add_file(scene, name, 1, node);
	}
}

static void windows_are_bounded_and_gone_after_the_run(void **state)
{
	struct scene *scene = *state;
	unsigned int most = 0;

	add_small_files(scene, MIG_WORKER_WINDOWS + 60, 0);
	fake_kernel_before_move(scene->kernel, note_most, &most);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(most, MIG_WORKER_WINDOWS);
	assert_int_equal(count_windows(scene->kernel), 0);
}

static void windows_without_work_are_closed_at_once(void **state)
{
	struct scene *scene = *state;
	unsigned int most = 0;

	/* Threads of the plan may note them in another order. */
	add_small_files(scene, 400, 1);
	add_small_files(scene, 2, 0);
	fake_kernel_before_move(scene->kernel, note_most, &most);
	scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_true(most >= 2 && most < 350);
}

static void windows_with_stubborn_pages_are_bounded_too(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 1 };
	unsigned int most = 0;
	char name[32];

	for (int i = 0; i < 2 * MIG_WORKER_WINDOWS + 20; i++) {
		snprintf(name, sizeof(name), "stubborn/%d", i);
		fake_cache_set(scene->kernel, scene_add_file(scene, name, 1, 0), 0, 1,
			       FAKE_PINNED);
	}
	fake_kernel_before_move(scene->kernel, note_most, &most);
	scene_run(scene, &options);
	scene_assert_true(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED),
			 2 * MIG_WORKER_WINDOWS + 20);
	assert_true(most <= 2 * MIG_WORKER_WINDOWS);
	assert_int_equal(count_windows(scene->kernel), 0);
}

/* Nobody counts, so that each part has to be mapped. */
static void windows_without_pages_are_closed_at_once(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 6 * PART_PAGES, -1);
	unsigned int most = 0;

	fake_cache_set_options(scene->kernel,
			       &(struct fake_cache_options){ .count_error = -ENOSYS });
	fake_cache_fill(scene->kernel, file, 5 * PART_PAGES, 10, 0, 1);
	fake_kernel_before_move(scene->kernel, note_most, &most);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 10);
	scene_assert_true(scene);
	assert_int_equal(most, 1);
	assert_int_equal(count_windows(scene->kernel), 0);
}

static void pages_that_are_left_keep_their_window(void **state)
{
	struct scene *scene = *state;
	struct fake_file *file = scene_add_file(scene, "file", 1, 0);
	unsigned int most = 0;

	add_small_files(scene, MIG_WORKER_WINDOWS, 0);
	fake_cache_set(scene->kernel, file, 0, 1, FAKE_BUSY);
	fake_kernel_before_move(scene->kernel, note_most, &most);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, MIG_WORKER_WINDOWS + 1);
	scene_assert_true(scene);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scene_set_up_files, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(deleted_and_replaced_files_are_gone_and_the_others_go_on),
		TEST(a_file_that_is_cut_off_in_mid_move_is_no_error),
		TEST(a_file_that_is_cut_off_before_the_run_is_shorter),
		TEST(a_window_that_cannot_be_opened_again_is_gone),
		TEST(a_file_of_many_windows_is_gone_once),
		TEST(a_run_that_gets_no_memory_says_so_and_what_it_did),
		TEST(windows_are_bounded_and_gone_after_the_run),
		TEST(windows_without_work_are_closed_at_once),
		TEST(windows_with_stubborn_pages_are_bounded_too),
		TEST(windows_without_pages_are_closed_at_once),
		TEST(pages_that_are_left_keep_their_window),
	};

	return cmocka_run_group_tests_name("file_walk", tests, NULL, NULL);
}
