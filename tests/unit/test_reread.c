/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last resort for clean pages. The fake kernel takes a touch under a binding policy
 * for a page that was dropped and read again, and keeps count of dirty ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "scene.h"

static const struct mig_run_options reread = {
	.size = sizeof(reread),
	.threads = 1,
	.passes = 1,
	.fallback = MIG_FALLBACK_REREAD,
};

static struct scene *new_scene(const struct fake_cache_options *options)
{
	return scene_new_with_files(&(struct fake_kernel_options){ .nr_nodes = 4 },
				    options);
}

/* 20 pages that will not move in one pass, and 10 that do. */
static struct fake_file *add_busy_file(struct scene *scene, const char *name)
{
	struct fake_file *file = scene_add_file(scene, name, 30, 0);

	fake_cache_set(scene->kernel, file, 0, 20, FAKE_BUSY);
	return file;
}

static struct fake_cache_counts counts_of(const struct scene *scene)
{
	struct fake_cache_counts counts;

	fake_cache_get_counts(scene->kernel, &counts);
	return counts;
}

static void clean_pages_that_stayed_are_read_again_on_the_target(void **state)
{
	struct scene *scene = new_scene(NULL);
	struct fake_file *file = add_busy_file(scene, "file");
	const struct mig_totals *totals = scene_run(scene, &reread);

	(void)state;
	assert_int_equal(totals->moved_pages, 10);
	assert_int_equal(totals->left_pages, 20);
	assert_int_equal(totals->reread_pages, 20);
	assert_int_equal(counts_of(scene).nr_reread, 20);
	for (uint64_t page = 0; page < 30; page++)
		assert_int_equal(fake_cache_get_node(scene->kernel, file, page), 1);
	scene_free(scene);
}

static void nothing_is_dropped_that_was_not_asked_for(void **state)
{
	const struct mig_run_options options = { .size = sizeof(options), .passes = 1 };
	struct scene *scene = new_scene(NULL);

	(void)state;
	add_busy_file(scene, "file");
	assert_int_equal(scene_run(scene, &options)->reread_pages, 0);
	assert_int_equal(counts_of(scene).nr_policies, 0);
	scene_free(scene);
}

static void dirty_pages_are_never_dropped(void **state)
{
	struct scene *scene = new_scene(NULL);
	struct fake_file *file = add_busy_file(scene, "file");

	(void)state;
	fake_cache_set(scene->kernel, file, 5, 7, FAKE_DIRTY);
	assert_int_equal(scene_run(scene, &reread)->reread_pages, 13);
	assert_int_equal(counts_of(scene).nr_reread, 13);
	assert_int_equal(counts_of(scene).nr_lost, 0);
	assert_true(fake_cache_is_dirty(scene->kernel, file, 5));
	scene_free(scene);
}

/* Neither frames nor counts: any page may be dirty. */
static void what_may_be_dirty_is_not_dropped(void **state)
{
	struct scene *scene =
		scene_new(&(struct fake_kernel_options){ .hides_frames = true });

	(void)state;
	scene_add_files(scene, &(struct fake_cache_options){ .count_error = -ENOSYS });
	add_busy_file(scene, "file");
	assert_int_equal(scene_run(scene, &reread)->reread_pages, 0);
	assert_int_equal(counts_of(scene).nr_reread, 0);
	scene_free(scene);
}

static void pages_that_cannot_be_dropped_are_not_counted(void **state)
{
	struct scene *scene = new_scene(NULL);
	struct fake_file *file = scene_add_file(scene, "file", 30, 0);
	const struct mig_totals *totals;

	(void)state;
	fake_cache_set(scene->kernel, file, 0, 4, FAKE_PINNED);
	totals = scene_run(scene, &reread);
	assert_int_equal(totals->left_pages, 4);
	assert_int_equal(totals->reread_pages, 0);
	scene_free(scene);
}

static void shared_memory_has_nothing_to_be_read_from(void **state)
{
	struct scene *scene = new_scene(&(struct fake_cache_options){ .type = "tmpfs" });

	(void)state;
	add_busy_file(scene, "file");
	assert_int_equal(scene_run(scene, &reread)->left_pages, 20);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->reread_pages, 0);
	assert_int_equal(counts_of(scene).nr_reread, 0);
	assert_int_equal(counts_of(scene).nr_policies, 0);
	scene_free(scene);
}

static void memory_of_processes_is_not_touched(void **state)
{
	struct scene *scene = new_scene(NULL);
	uint64_t start;

	(void)state;
	scene_add(scene, 42);
	start = scene_map(scene, 42, FAKE_FILE, 10, 0);
	scene_set(scene, 42, start, 0, 10, FAKE_BUSY);
	assert_int_equal(scene_run(scene, &reread)->reread_pages, 0);
	assert_int_equal(counts_of(scene).nr_policies, 0);
	scene_free(scene);
}

static void the_policy_is_set_for_each_target_and_taken_back(void **state)
{
	struct scene *scene = new_scene(NULL);

	(void)state;
	add_busy_file(scene, "file");
	scene_place(scene, 1, 0xe, MIG_PLACE_SPREAD);
	assert_int_equal(scene_run(scene, &reread)->reread_pages, 20);
	assert_true(counts_of(scene).nr_policies >= 3);
	assert_int_equal(counts_of(scene).nr_resets, 1);
	scene_free(scene);
}

static long refuse_policy(int mode, const unsigned long *mask, unsigned long maxnode)
{
	(void)mode;
	(void)mask;
	(void)maxnode;
	return -EINVAL;
}

static void without_the_policy_nothing_is_dropped(void **state)
{
	struct scene *scene = new_scene(NULL);
	struct mig_calls calls = *fake_kernel_calls();

	(void)state;
	add_busy_file(scene, "file");
	calls.set_mempolicy = refuse_policy;
	mig_context_set_calls(scene->context, &calls);
	assert_int_equal(scene_run(scene, &reread)->reread_pages, 0);
	assert_int_equal(counts_of(scene).nr_reread, 0);
	scene_free(scene);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_pages_that_stayed_are_read_again_on_the_target),
		cmocka_unit_test(nothing_is_dropped_that_was_not_asked_for),
		cmocka_unit_test(dirty_pages_are_never_dropped),
		cmocka_unit_test(what_may_be_dirty_is_not_dropped),
		cmocka_unit_test(pages_that_cannot_be_dropped_are_not_counted),
		cmocka_unit_test(shared_memory_has_nothing_to_be_read_from),
		cmocka_unit_test(memory_of_processes_is_not_touched),
		cmocka_unit_test(the_policy_is_set_for_each_target_and_taken_back),
		cmocka_unit_test(without_the_policy_nothing_is_dropped),
	};

	return cmocka_run_group_tests_name("reread", tests, NULL, NULL);
}
