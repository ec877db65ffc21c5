/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a mapping's pages are, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scene.h"

#define PID 42

struct fixture {
	struct scene *scene;
	struct mig_process *process;
	char text[256]; /**< the runs, as "10@0 5@- " */
	uint64_t next;  /**< where the next one must begin */
	unsigned int stop_after;
};

static int set_up_kernel(void **state, bool hides_frames)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->scene =
		scene_new(&(struct fake_kernel_options){ .hides_frames = hides_frames });
	fake_kernel_add_process(fixture->scene->kernel, PID, 1);
	assert_int_equal(
		mig_process_open(fixture->scene->context, PID, &fixture->process), 0);
	*state = fixture;
	return 0;
}

static int set_up(void **state)
{
	return set_up_kernel(state, false);
}

static int set_up_unprivileged(void **state)
{
	return set_up_kernel(state, true);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_process_free(fixture->process);
	scene_free(fixture->scene);
	free(fixture);
	return 0;
}

static int note_run(void *data, const struct mig_page_run *run)
{
	struct fixture *fixture = data;
	size_t length = strlen(fixture->text);
	char node[16] = "-";

	assert_true(run->start == fixture->next && run->nr_pages);
	fixture->next = run->start + run->nr_pages * fixture->scene->page_size;
	if (run->node >= 0)
		snprintf(node, sizeof(node), "%d", run->node);
	snprintf(fixture->text + length, sizeof(fixture->text) - length, "%u@%s ",
		 (unsigned int)run->nr_pages, node);
	return fixture->stop_after && !--fixture->stop_after ? 77 : 0;
}

static int read_runs(struct fixture *fixture, uint64_t start, uint64_t nr_pages,
		     uint64_t page_size_bytes)
{
	fixture->next = start;
	*fixture->text = '\0';
	return mig_residency_read_runs(fixture->process, fixture->scene->topology, start,
				       start + nr_pages * fixture->scene->page_size,
				       page_size_bytes, note_run, fixture);
}

static uint64_t map(struct fixture *fixture, enum fake_kind kind, uint64_t nr_pages)
{
	return scene_map(fixture->scene, PID, kind, nr_pages, 0);
}

static void runs_cover_pages_and_holes_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct scene *scene = fixture->scene;
	uint64_t start = map(fixture, FAKE_ANON, 100);

	scene_set(scene, PID, start, 0, 3, FAKE_ABSENT);
	fake_kernel_place(scene->kernel, PID, start + 10 * scene->page_size, 20, 1);
	scene_set(scene, PID, start, 40, 5, FAKE_SWAPPED);
	scene_set(scene, PID, start, 98, 2, FAKE_ZERO);
	assert_int_equal(read_runs(fixture, start, 100, scene->page_size), 0);
	assert_string_equal(fixture->text, "3@- 7@0 20@1 10@0 5@- 53@0 2@- ");
}

static void part_of_a_mapping_can_be_asked_for(void **state)
{
	struct fixture *fixture = *state;
	uint64_t page_size = fixture->scene->page_size;
	uint64_t start = map(fixture, FAKE_ANON, 100);

	fake_kernel_place(fixture->scene->kernel, PID, start + 50 * page_size, 50, 1);
	assert_int_equal(read_runs(fixture, start + 45 * page_size, 10, page_size), 0);
	assert_string_equal(fixture->text, "5@0 5@1 ");
	assert_int_equal(read_runs(fixture, start, 0, page_size), 0);
	assert_string_equal(fixture->text, "");
}

static void runs_go_on_across_the_steps_of_the_reader(void **state)
{
	struct fixture *fixture = *state;
	uint64_t page_size = fixture->scene->page_size;
	uint64_t start = map(fixture, FAKE_ANON, 9000);

	assert_int_equal(read_runs(fixture, start, 9000, page_size), 0);
	assert_string_equal(fixture->text, "9000@0 ");
	scene_set(fixture->scene, PID, start, 0, 9000, FAKE_ABSENT);
	assert_int_equal(read_runs(fixture, start, 9000, page_size), 0);
	assert_string_equal(fixture->text, "9000@- ");
}

static void hugetlb_pages_are_runs_of_base_pages(void **state)
{
	struct fixture *fixture = *state;
	uint64_t page_size = fixture->scene->page_size;
	uint64_t start = map(fixture, FAKE_HUGETLB, 3 * FAKE_HUGE_PAGES);

	scene_set(fixture->scene, PID, start, FAKE_HUGE_PAGES, FAKE_HUGE_PAGES,
		  FAKE_ABSENT);
	assert_int_equal(read_runs(fixture, start, 3 * FAKE_HUGE_PAGES,
				   FAKE_HUGE_PAGES * page_size),
			 0);
	assert_string_equal(fixture->text, "512@0 512@- 512@0 ");
}

static void a_visit_can_end_the_walk(void **state)
{
	struct fixture *fixture = *state;
	uint64_t page_size = fixture->scene->page_size;
	uint64_t start = map(fixture, FAKE_ANON, 100);

	scene_set(fixture->scene, PID, start, 10, 1, FAKE_ABSENT);
	fixture->stop_after = 2;
	assert_int_equal(read_runs(fixture, start, 100, page_size), 77);
	assert_string_equal(fixture->text, "10@0 1@- ");
}

static void a_process_that_has_exited_has_no_runs(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 100);

	fake_kernel_exit(fixture->scene->kernel, PID);
	assert_int_equal(read_runs(fixture, start, 100, fixture->scene->page_size),
			 -ESRCH);
	assert_string_equal(fixture->text, "");
}

static void what_is_no_request_is_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct mig_topology *topology = fixture->scene->topology;
	const struct mig_process *process = fixture->process;

	assert_int_equal(
		mig_residency_read_runs(NULL, topology, 0, 1, 4096, note_run, fixture),
		-EINVAL);
	assert_int_equal(
		mig_residency_read_runs(process, NULL, 0, 1, 4096, note_run, fixture),
		-EINVAL);
	assert_int_equal(
		mig_residency_read_runs(process, topology, 0, 1, 4096, NULL, fixture),
		-EINVAL);
	assert_int_equal(
		mig_residency_read_runs(process, topology, 2, 1, 4096, note_run, fixture),
		-EINVAL);
	assert_int_equal(
		mig_residency_read_runs(process, topology, 0, 1, 0, note_run, fixture),
		-EINVAL);
}

#define with(function, set_up) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define both(function) with(function, set_up), with(function, set_up_unprivileged)

int main(void)
{
	const struct CMUnitTest tests[] = {
		both(runs_cover_pages_and_holes_in_order),
		both(part_of_a_mapping_can_be_asked_for),
		both(runs_go_on_across_the_steps_of_the_reader),
		both(hugetlb_pages_are_runs_of_base_pages),
		both(a_visit_can_end_the_walk),
		both(a_process_that_has_exited_has_no_runs),
		with(what_is_no_request_is_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
