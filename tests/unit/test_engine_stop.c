/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs that are ended, bounded and watched from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "scene.h"

#define PID 42
#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

/* What the callback has seen, and when it ends the run. */
struct watcher {
	unsigned int stop_at;  /**< the call of the callback that stops; 0: none */
	unsigned int nr_calls; /**< atomic */
	struct scene_stop stop;
	pthread_t thread;
	struct mig_progress last;
	bool runs_backwards;
};

static bool watch(void *data, const struct mig_progress *progress)
{
	struct watcher *watcher = data;
	unsigned int number;

	if (progress->moved_bytes < watcher->last.moved_bytes ||
	    progress->done_bytes < watcher->last.done_bytes ||
	    progress->elapsed_ns < watcher->last.elapsed_ns ||
	    progress->pass < watcher->last.pass)
		watcher->runs_backwards = true;
	watcher->last = *progress;
	watcher->thread = pthread_self();
	number = __atomic_add_fetch(&watcher->nr_calls, 1, __ATOMIC_RELEASE);
	return scene_stop_ask(&watcher->stop) || number == watcher->stop_at;
}

static void sleep_ns(uint64_t ns)
{
	const struct timespec time = { .tv_nsec = (long)ns };

	nanosleep(&time, NULL);
}

/* From the second call on no call begins before the callback was called once more. */
static void wait_for_watcher(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct watcher *watcher = data;
	unsigned int seen = __atomic_load_n(&watcher->nr_calls, __ATOMIC_ACQUIRE);

	(void)kernel;
	if (number < 2)
		return;
	for (int i = 0; i < 500; i++) {
		if (__atomic_load_n(&watcher->nr_calls, __ATOMIC_ACQUIRE) != seen)
			return;
		sleep_ns(2 * MILLISECOND);
	}
}

static void be_slow(void *data, struct fake_kernel *kernel, unsigned int number)
{
	(void)data;
	(void)kernel;
	(void)number;
	sleep_ns(40 * MILLISECOND);
}

static int set_up(void **state)
{
	struct scene *scene = scene_new(NULL);

	scene_add(scene, PID);
	scene_map(scene, PID, FAKE_ANON, 12000, 0);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

static struct mig_run_options options_of(struct watcher *watcher)
{
	return (struct mig_run_options){
		.size = sizeof(struct mig_run_options),
		.threads = 1,
		.progress = watch,
		.progress_data = watcher,
	};
}

static void the_callback_can_stop_a_run(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { 0 };
	struct mig_run_options options = options_of(&watcher);
	const struct mig_totals *totals;

	fake_kernel_before_move(scene->kernel, scene_stop_in_call, &watcher.stop);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(totals->stopped);
	assert_false(totals->timed_out);
	assert_true(totals->moved_pages > 0 && totals->moved_pages < 12000);
	assert_int_equal(totals->left_pages, 0);
}

/* It must not be called where it could not be expected to be. */
static void the_callback_is_called_in_the_callers_thread(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { 0 };
	struct mig_run_options options = options_of(&watcher);

	options.threads = 3;
	fake_kernel_before_move(scene->kernel, wait_for_watcher, &watcher);
	scene_run(scene, &options);
	assert_true(watcher.nr_calls > 0);
	assert_true(pthread_equal(watcher.thread, pthread_self()));
}

static void progress_grows_up_to_what_was_planned(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { 0 };
	struct mig_run_options options = options_of(&watcher);

	fake_kernel_before_move(scene->kernel, wait_for_watcher, &watcher);
	scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(watcher.nr_calls > 1);
	assert_false(watcher.runs_backwards);
	assert_int_equal(watcher.last.planned_bytes, 12000 * scene->page_size);
	assert_true(watcher.last.done_bytes <= watcher.last.planned_bytes);
	assert_true(watcher.last.moved_bytes > 0);
	assert_int_equal(watcher.last.threads, 1);
	assert_int_equal(watcher.last.pass, 1);
}

static void a_run_ends_when_its_time_is_over(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = {
		.size = sizeof(options),
		.threads = 1,
		.max_stall_ns = MILLISECOND,
		.timeout_ns = 60 * MILLISECOND,
	};
	const struct mig_totals *totals;

	fake_kernel_before_move(scene->kernel, be_slow, NULL);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(totals->timed_out);
	assert_false(totals->stopped);
	assert_true(totals->moved_pages < 12000);
	assert_in_range(totals->elapsed_ns, 60 * MILLISECOND, 5 * SECOND);
}

static void a_timeout_ends_the_pause_between_two_passes(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = {
		.size = sizeof(options),
		.threads = 1,
		.passes = 20,
		.timeout_ns = 1400 * MILLISECOND,
	};
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 10, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 0, 5, FAKE_PINNED);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(totals->timed_out);
	/* In the sixth pause, which is 2430 long and begins at 1210 or somewhat later. */
	assert_in_range(totals->elapsed_ns, 1400 * MILLISECOND, 3400 * MILLISECOND);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 5);
}

static void the_callback_stops_the_pause_between_two_passes(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { 0 };
	struct mig_run_options options = options_of(&watcher);
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 10, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 0, 5, FAKE_PINNED);
	/* Some time in the sixth pause. */
	options.passes = 20;
	watcher.stop_at = 14;
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(totals->stopped);
	assert_true(totals->elapsed_ns < 3400 * MILLISECOND);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 5);
}

static void pages_that_were_not_tried_before_a_stop_are_skipped(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { 0 };
	struct mig_run_options options = options_of(&watcher);
	const struct mig_totals *totals;

	/* Small calls, so that much is found and not yet tried. */
	options.max_stall_ns = MILLISECOND;
	fake_kernel_before_move(scene->kernel, scene_stop_in_call, &watcher.stop);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(scene_skipped(scene, MIG_SKIP_STOPPED) > 0);
	assert_int_equal(totals->skipped_pages, scene_skipped(scene, MIG_SKIP_STOPPED));
}

/* Without rights nothing tells which pages are a folio: the first call, of 4096 pages,
 * ends within one, and has moved all of it. */
static void pages_that_moved_with_their_folio_before_a_stop_are_counted(void **state)
{
	const struct fake_kernel_options machine = { .hides_frames = true,
						     .no_scan = true };
	const struct fake_memory memory = { .nr_pages = 480, .folio_pages = 16 };
	struct scene *scene = scene_new(&machine);
	struct watcher watcher = { 0 };
	struct mig_run_options options = options_of(&watcher);

	(void)state;
	scene_add(scene, PID);
	scene_map(scene, PID, FAKE_ANON, 10, 0);
	for (int i = 0; i < 9; i++)
		fake_kernel_map(scene->kernel, PID, &memory);
	fake_kernel_before_move(scene->kernel, scene_stop_in_call, &watcher.stop);
	assert_true(scene_run(scene, &options)->stopped);
	assert_int_equal(scene_moved(scene, 0, 1), 4106);
	assert_int_equal(scene_skipped(scene, MIG_SKIP_STOPPED), 9 * 480 + 10 - 4106);
	scene_assert_true(scene);
	scene_free(scene);
}

static void all_workers_stop(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { .stop_at = 1 };
	struct mig_run_options options = options_of(&watcher);
	const struct mig_totals *totals;

	options.threads = 4;
	for (pid_t pid = 50; pid < 56; pid++) {
		scene_add(scene, pid);
		scene_map(scene, pid, FAKE_ANON, 500, 0);
	}
	fake_kernel_before_move(scene->kernel, wait_for_watcher, &watcher);
	totals = scene_run(scene, &options);
	scene_assert_true(scene);
	assert_true(totals->stopped);
}

/* ---- pace ---- */

static void a_rate_is_kept(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = {
		.size = sizeof(options),
		.threads = 2,
		.rate_bytes_per_second = 30000 * scene->page_size,
	};
	const struct mig_totals *totals = scene_run(scene, &options);

	scene_assert_true(scene);
	assert_int_equal(totals->moved_pages, 12000);
	/* The last call need not wait for what it takes itself. */
	assert_true(totals->elapsed_ns > 250 * MILLISECOND);
}

static void a_stop_ends_the_wait_for_the_rate(void **state)
{
	struct scene *scene = *state;
	struct watcher watcher = { .stop_at = 2 };
	struct mig_run_options options = options_of(&watcher);

	options.rate_bytes_per_second = 100 * scene->page_size;
	assert_true(scene_run(scene, &options)->stopped);
	scene_assert_true(scene);
	assert_in_range(mig_outcome_get_totals(scene->outcome)->elapsed_ns,
			150 * MILLISECOND, 5 * SECOND);
}

static unsigned int calls_with(struct scene *scene, uint64_t max_stall_ns)
{
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .max_stall_ns = max_stall_ns };
	struct fake_truth truth;

	scene_run(scene, &options);
	fake_kernel_compare(scene->kernel, &truth);
	return truth.nr_calls;
}

static void a_bound_on_the_stall_makes_calls_small(void **state)
{
	struct scene *scene = *state;

	/* The first one alone would have taken a third of it all. */
	assert_true(calls_with(scene, 1000) > 100);
	scene_assert_true(scene);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_callback_can_stop_a_run),
		test(the_callback_is_called_in_the_callers_thread),
		test(progress_grows_up_to_what_was_planned),
		test(a_run_ends_when_its_time_is_over),
		test(a_timeout_ends_the_pause_between_two_passes),
		test(the_callback_stops_the_pause_between_two_passes),
		test(pages_that_were_not_tried_before_a_stop_are_skipped),
		cmocka_unit_test(
			pages_that_moved_with_their_folio_before_a_stop_are_counted),
		test(all_workers_stop),
		test(a_rate_is_kept),
		test(a_stop_ends_the_wait_for_the_rate),
		test(a_bound_on_the_stall_makes_calls_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
