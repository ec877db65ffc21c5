/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs over the cache of cgroups, with a DAMON that is made up. */
#include "unmapped_cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache_scene.h"
#include "fake_cgroup.h"
#include "outcome.h"
#include "residency.h"
#include "scene.h"

static void add_page(struct cache_scene *scene, const char *cgroup, unsigned int refusals)
{
	struct fake_damon *damon = scene->damon;

	damon->pages[damon->nr_pages] = (struct fake_damon_page){
		.address = (100 + damon->nr_pages) * 4096,
		.cgroup = cgroup,
		.refusals = refusals,
	};
	damon->nr_pages++;
}

static void plan(struct cache_scene *scene, const struct mig_plan_options *options)
{
	if (!scene->placement)
		cache_scene_place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	assert_int_equal(mig_plan_new(scene->target, scene->machine->topology,
				      scene->placement, options, &scene->plan),
			 0);
}

static const struct mig_totals *run(struct cache_scene *scene,
				    const struct mig_run_options *options)
{
	const struct mig_totals *totals;

	if (!scene->plan)
		plan(scene, NULL);
	mig_outcome_free(scene->outcome);
	scene->outcome = NULL;
	assert_int_equal(mig_plan_run(scene->plan, options, &scene->outcome), 0);
	totals = mig_outcome_get_totals(scene->outcome);
	assert_int_equal(totals->moved_pages + totals->already_pages +
				 totals->skipped_pages + totals->left_pages +
				 totals->gone_pages,
			 totals->considered_pages);
	/* All is as it was. */
	assert_false(scene->damon->is_on);
	assert_string_equal(fake_damon_read(scene->damon, DAMON_STAT), "Y");
	return totals;
}

static void a_plan_says_how_much_would_move(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_pair_count *pair;

	cache_scene_put(scene, 10, 30, CACHE, scene->inode);
	cache_scene_put(scene, BLOCK_FRAMES, 5, SHMEM, scene->child_inode);
	plan(scene, NULL);
	pair = mig_plan_get_pair(scene->plan, 0);
	assert_non_null(pair);
	assert_int_equal(pair->from, 0);
	assert_int_equal(pair->to, 1);
	assert_int_equal(pair->nr_pages, 30);
	assert_null(mig_plan_get_pair(scene->plan, 1));
	assert_int_equal(
		mig_residency_get_node_bytes(mig_plan_get_residency(scene->plan), 1),
		5 * 4096);
}

static void damon_moves_it_and_nobody_elses(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_residency *after;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	add_page(scene, "/b", 0);
	add_page(scene, "/a/b", 1);
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(totals->moved_pages, 2);
	assert_int_equal(totals->considered_pages, 2);
	assert_int_equal(scene->damon->pages[1].node, 0);
	assert_string_equal(
		fake_damon_read(scene->damon, DAMON_ADMIN "/kdamonds/nr_kdamonds"), "0");
	assert_int_equal(mig_plan_read_residency(scene->plan, &after), 0);
	assert_int_equal(mig_residency_get_node_bytes(after, 1), 2 * 4096);
	mig_residency_free(after);
}

static void where_it_is_is_told_first_as_the_run_has_left_it(void **state)
{
	struct cache_scene *scene = *state;

	add_page(scene, "/a", 0);
	run(scene, NULL);
	cache_scene_put(scene, 2 * BLOCK_FRAMES, 3, CACHE, scene->inode);
	for (uint64_t later = 0; later < 2; later++) {
		struct mig_residency *after;

		assert_int_equal(mig_plan_read_residency(scene->plan, &after), 0);
		assert_int_equal(mig_residency_get_node_bytes(after, 1), 4096);
		assert_int_equal(mig_residency_get_node_bytes(after, 2),
				 later * 3 * 4096);
		mig_residency_free(after);
	}
}

static void a_target_may_have_nothing_else(void **state)
{
	struct cache_scene *scene = *state;

	mig_target_free(scene->target);
	assert_int_equal(mig_target_new(scene->machine->context, &scene->target), 0);
	assert_int_equal(mig_target_add_cache(scene->target, scene->cgroup), 0);
	add_page(scene, "/a", 0);
	assert_int_equal(run(scene, NULL)->moved_pages, 1);
}

static void damon_moves_everybodys(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	add_page(scene, "/b", 0);
	assert_int_equal(mig_target_add_all_cache(scene->target), 0);
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(totals->considered_pages, 2);
	assert_int_equal(outcome_moved(scene->outcome, 0, 1), 2);
}

static struct cache_scene *counted;

/* What a kernel has counted on node 1. It is read when all is over. */
static void count_on_node_1(struct fake_damon *damon)
{
	unsigned int pages = 500;
	char text[128];

	for (size_t i = 0; i < damon->nr_pages; i++)
		pages += damon->pages[i].node == 1;
	snprintf(text, sizeof(text),
		 "Node 1 FilePages: %u kB\nNode 1 Mapped: 0 kB\nNode 1 Shmem: 0 kB\n",
		 4 * pages);
	fake_root_write(counted->machine->root, NODES "/node1/meminfo", text);
}

static void what_moved_is_what_the_counters_of_its_target_have_gained(void **state)
{
	struct cache_scene *scene = counted = *state;
	const struct mig_totals *totals;

	for (int i = 0; i < 5; i++)
		add_page(scene, "/b", 0);
	/* On the target before, where no frame is read. */
	cache_scene_put(scene, BLOCK_FRAMES, 100, CACHE, 0);
	count_on_node_1(scene->damon);
	scene->damon->before_round = count_on_node_1;
	assert_int_equal(mig_target_add_all_cache(scene->target), 0);
	cache_scene_place(scene, 1 << 0, 1 << 1, MIG_PLACE_DEFAULT);
	totals = run(scene, NULL);
	assert_int_equal(outcome_moved(scene->outcome, 0, 1), 5);
	assert_int_equal(totals->already_pages, 500);
	assert_int_equal(totals->considered_pages, 505);
}

static void no_more_is_asked_of_damon_than_is_needed(void **state)
{
	const struct mig_plan_options options = { .size = sizeof(options),
						  .most_cache_bytes = 2 * 4096 };
	struct cache_scene *scene = *state;
	const struct mig_totals *totals;

	for (int i = 0; i < 5; i++)
		add_page(scene, "/a", 0);
	plan(scene, &options);
	totals = run(scene, NULL);
	assert_int_equal(totals->considered_pages, 5);
	assert_int_equal(outcome_moved(scene->outcome, 0, 1), 2);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_STOPPED), 3);
	assert_int_equal(totals->left_pages, 0);
}

static void what_damon_has_left_and_no_file_has_is_left(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	add_page(scene, "/a", 1000000);
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(totals->moved_pages, 1);
	assert_int_equal(outcome_left(scene->outcome, MIG_REASON_NO_FILE), 1);
}

static void others_have_damon_then_it_goes_by_files(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	fake_root_write(scene->machine->root, DAMON_ADMIN "/kdamonds/nr_kdamonds", "1\n");
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(outcome_left(scene->outcome, MIG_REASON_NO_FILE), 1);
	assert_int_equal(scene->damon->nr_starts, 0);
	assert_string_equal(
		fake_damon_read(scene->damon, DAMON_ADMIN "/kdamonds/nr_kdamonds"), "1");
}

static void by_files_where_that_is_asked_for(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .cache_by_files = true };

	add_page(scene, "/a", 0);
	plan(scene, &options);
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(scene->damon->nr_starts, 0);
}

static void what_is_spread_goes_by_files(void **state)
{
	struct cache_scene *scene = *state;

	add_page(scene, "/a", 0);
	cache_scene_place(scene, 0, 1 << 1 | 1 << 2, MIG_PLACE_SPREAD);
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(scene->damon->nr_starts, 0);
}

static void where_damon_refuses_it_goes_by_files(void **state)
{
	struct cache_scene *scene = *state;

	add_page(scene, "/a", 0);
	scene->damon->no_cgroup = "/a/b";
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(outcome_left(scene->outcome, MIG_REASON_NO_FILE), 1);
}

static void a_group_without_the_controller_is_not_named(void **state)
{
	struct cache_scene *scene = *state;

	add_page(scene, "/a", 0);
	scene->damon->no_cgroup = "/a/b";
	fake_root_remove(scene->machine->root, FAKE_V2 "/a/b/memory.stat");
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(outcome_moved(scene->outcome, 0, 1), 1);
}

static void end_by_itself(struct fake_damon *damon)
{
	damon->is_on = false;
}

static void where_damon_breaks_off_it_goes_by_files(void **state)
{
	struct cache_scene *scene = *state;

	add_page(scene, "/a", 1000000);
	scene->damon->before_round = end_by_itself;
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(outcome_left(scene->outcome, MIG_REASON_NO_FILE), 1);
}

static bool stop(void *data, const struct mig_progress *progress)
{
	(void)data;
	(void)progress;
	return true;
}

static void after_a_stop_the_rest_was_not_tried(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .progress = stop };
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	totals = run(scene, &options);
	assert_true(totals->stopped);
	assert_int_equal(totals->moved_pages, 0);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_STOPPED), 1);
	assert_int_equal(totals->left_pages, 0);
}

static void the_time_limit_ends_it_too(void **state)
{
	struct cache_scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .timeout_ns = 1 };
	const struct mig_totals *totals;

	add_page(scene, "/a", 1000000);
	totals = run(scene, &options);
	assert_true(totals->timed_out);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_STOPPED), 1);
}

#define TEST(function)                                                \
	cmocka_unit_test_setup_teardown(function, cache_scene_set_up, \
					cache_scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_plan_says_how_much_would_move),
		TEST(damon_moves_it_and_nobody_elses),
		TEST(where_it_is_is_told_first_as_the_run_has_left_it),
		TEST(a_target_may_have_nothing_else),
		TEST(damon_moves_everybodys),
		TEST(what_moved_is_what_the_counters_of_its_target_have_gained),
		TEST(no_more_is_asked_of_damon_than_is_needed),
		TEST(what_damon_has_left_and_no_file_has_is_left),
		TEST(others_have_damon_then_it_goes_by_files),
		TEST(by_files_where_that_is_asked_for),
		TEST(what_is_spread_goes_by_files),
		TEST(where_damon_refuses_it_goes_by_files),
		TEST(a_group_without_the_controller_is_not_named),
		TEST(where_damon_breaks_off_it_goes_by_files),
		TEST(after_a_stop_the_rest_was_not_tried),
		TEST(the_time_limit_ends_it_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
