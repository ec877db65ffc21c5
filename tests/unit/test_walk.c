/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handing out a target's memory in chunks, while processes come and go. */
#include "walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "page_scan.h"
#include "scene.h"

#define PID 42
#define OTHER 43

static int set_up(void **state)
{
	struct scene *scene = scene_new(NULL);

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

/* ---- chunks ---- */

static void chunks_cover_each_mapping_once_and_in_order(void **state)
{
	struct scene *scene = *state;
	const uint64_t chunk_bytes = MIG_SCAN_PAGES * scene->page_size;
	struct mig_walks walks;
	struct mig_outcome *tally = NULL;
	struct mig_chunk chunk;
	struct mig_walk *walk;
	uint64_t start, pages = 0, at = 0;

	start = scene_map(scene, PID, FAKE_ANON, 2 * MIG_SCAN_PAGES + 77, 0);
	scene_map(scene, PID, FAKE_SHMEM, 5, 0);
	scene_map(scene, PID, FAKE_ANON, 9, 1); /* in place: settled as a whole */
	scene_plan(scene, NULL);
	assert_int_equal(mig_outcome_new(&tally), 0);
	mig_walks_init(&walks, scene->plan);
	walk = mig_walks_acquire(&walks, tally);
	assert_non_null(walk);
	while (mig_walk_next(walk, scene->plan, &chunk)) {
		assert_true(chunk.start >= at && chunk.start < chunk.end);
		assert_true(chunk.start >= chunk.span.start &&
			    chunk.end <= chunk.span.end);
		/* Chunks part where huge pages do. */
		assert_true(chunk.end == chunk.span.end || chunk.end % chunk_bytes == 0);
		at = chunk.end;
		pages += (chunk.end - chunk.start) / scene->page_size;
	}
	assert_true(at > start);
	assert_int_equal(pages, 2 * MIG_SCAN_PAGES + 77 + 5);
	assert_int_equal(scene->plan->settled->totals.already_pages, 9);
	assert_false(mig_walk_next(walk, scene->plan, &chunk));
	mig_walks_release(&walks, walk);
	assert_null(mig_walks_acquire(&walks, tally));
	mig_walks_done(&walks);
	mig_outcome_free(tally);
}

static void workers_begin_with_processes_of_their_own(void **state)
{
	struct scene *scene = *state;
	struct mig_walks walks;
	struct mig_outcome *tally = NULL;
	struct mig_walk *first, *second, *third;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	scene_add(scene, OTHER);
	scene_map(scene, OTHER, FAKE_ANON, 10, 0);
	scene_plan(scene, NULL);
	assert_int_equal(mig_outcome_new(&tally), 0);
	mig_walks_init(&walks, scene->plan);
	first = mig_walks_acquire(&walks, tally);
	second = mig_walks_acquire(&walks, tally);
	third = mig_walks_acquire(&walks, tally);
	assert_true(first && second && first != second);
	/* Nobody is left, so it helps one of the two. */
	assert_true(third == first || third == second);
	mig_walks_release(&walks, first);
	mig_walks_release(&walks, second);
	mig_walks_release(&walks, third);
	mig_walks_done(&walks);
	mig_outcome_free(tally);
}

static void a_process_that_is_gone_is_counted_once(void **state)
{
	struct scene *scene = *state;
	struct mig_walks walks;
	struct mig_outcome *tally = NULL;
	struct mig_chunk chunk;
	struct mig_walk *walk;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	scene_plan(scene, NULL);
	assert_int_equal(mig_outcome_new(&tally), 0);
	mig_walks_init(&walks, scene->plan);
	walk = mig_walks_acquire(&walks, tally);
	assert_false(mig_walk_is_gone(walk));
	mig_walk_set_gone(walk, tally);
	mig_walk_set_gone(walk, tally);
	assert_true(mig_walk_is_gone(walk));
	assert_int_equal(tally->totals.processes_gone, 1);
	assert_false(mig_walk_next(walk, scene->plan, &chunk));
	mig_walks_release(&walks, walk);
	mig_walks_done(&walks);
	mig_outcome_free(tally);
}

/* ---- processes that come to an end ---- */

static void a_process_that_exits_before_the_run_is_gone(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_map(scene, PID, FAKE_ANON, 100, 0);
	scene_add(scene, OTHER);
	scene_map(scene, OTHER, FAKE_ANON, 50, 0);
	scene_plan(scene, NULL);
	fake_kernel_exit(scene->kernel, PID);
	totals = scene_run(scene, NULL);
	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 50);
	assert_int_equal(totals->processes, 2);
	assert_int_equal(totals->processes_gone, 1);
}

struct end {
	unsigned int at_call;
	void (*end)(struct fake_kernel *kernel, pid_t pid);
};

static void end_process(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct end *end = data;

	if (number == end->at_call)
		end->end(kernel, PID);
}

static void run_with_an_end(void **state, struct end end, unsigned int threads)
{
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = threads };
	struct scene *scene = *state;
	const struct mig_totals *totals;
	struct fake_truth truth;

	scene_map(scene, PID, FAKE_ANON, 6000, 0);
	scene_add(scene, OTHER);
	scene_map(scene, OTHER, FAKE_ANON, 300, 0);
	fake_kernel_before_move(scene->kernel, end_process, &end);
	totals = scene_run(scene, &options);
	fake_kernel_compare(scene->kernel, &truth);
	/* Whatever it was in the middle of: the other one is not touched by it. */
	assert_int_equal(totals->processes, 2);
	assert_int_equal(totals->processes_gone, 1);
	assert_int_equal(totals->moved_pages, truth.moved_pages);
	assert_true(totals->moved_pages >= 300 && totals->moved_pages < 6300);
	assert_true(totals->gone_pages > 0);
	assert_int_equal(totals->left_pages, 0);
	assert_int_equal(totals->passes, 1);
}

static void a_process_that_exits_in_the_first_call_is_gone(void **state)
{
	run_with_an_end(state, (struct end){ 1, fake_kernel_exit }, 1);
}

static void a_process_that_exits_half_way_is_gone(void **state)
{
	run_with_an_end(state, (struct end){ 2, fake_kernel_exit }, 1);
}

static void a_process_that_exits_under_several_workers_is_gone_once(void **state)
{
	run_with_an_end(state, (struct end){ 1, fake_kernel_exit }, 3);
}

/* Addresses of the old program mean nothing in the new one. */
static void a_process_that_execs_half_way_is_gone(void **state)
{
	run_with_an_end(state, (struct end){ 2, fake_kernel_exec }, 1);
}

static void map_after_exec(struct fake_kernel *kernel, pid_t pid)
{
	fake_kernel_exec(kernel, pid);
	fake_kernel_map(kernel, pid,
			&(struct fake_memory){ .kind = FAKE_ANON, .nr_pages = 6000 });
}

/* At the same addresses, even. */
static void pages_of_a_new_program_are_not_taken_for_the_old_ones(void **state)
{
	struct end end = { 2, map_after_exec };
	struct scene *scene = *state;
	const struct mig_totals *totals;

	scene_map(scene, PID, FAKE_ANON, 6000, 0);
	fake_kernel_before_move(scene->kernel, end_process, &end);
	totals = scene_run(scene, NULL);
	assert_int_equal(totals->processes_gone, 1);
	assert_true(totals->moved_pages > 0 && totals->gone_pages > 0);
	assert_int_equal(totals->moved_pages + totals->gone_pages, 6000);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(chunks_cover_each_mapping_once_and_in_order),
		test(workers_begin_with_processes_of_their_own),
		test(a_process_that_is_gone_is_counted_once),
		test(a_process_that_exits_before_the_run_is_gone),
		test(a_process_that_exits_in_the_first_call_is_gone),
		test(a_process_that_exits_half_way_is_gone),
		test(a_process_that_exits_under_several_workers_is_gone_once),
		test(a_process_that_execs_half_way_is_gone),
		test(pages_of_a_new_program_are_not_taken_for_the_old_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
