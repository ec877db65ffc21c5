/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pagemap, kpageflags and kpagecount of a fake kernel. */
#include "pagemap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "scene.h"

#define PID 42

struct fixture {
	struct scene *scene;
	struct mig_process *process;
	struct mig_pagemap pagemap;
	uint64_t start;
};

/* 100 pages of which the first 40 are not there. */
static int set_up_kernel(void **state, const struct fake_kernel_options *options)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->scene = scene_new(options);
	fake_kernel_add_process(fixture->scene->kernel, PID, 1);
	fixture->start = scene_map(fixture->scene, PID, FAKE_ANON, 100, 0);
	scene_set(fixture->scene, PID, fixture->start, 0, 40, FAKE_ABSENT);
	assert_int_equal(
		mig_process_open(fixture->scene->context, PID, &fixture->process), 0);
	assert_int_equal(mig_pagemap_open(fixture->process, &fixture->pagemap), 0);
	*state = fixture;
	return 0;
}

static int set_up(void **state)
{
	return set_up_kernel(state, NULL);
}

static int set_up_unprivileged(void **state)
{
	return set_up_kernel(state,
			     &(struct fake_kernel_options){ .hides_frames = true });
}

static int set_up_old(void **state)
{
	return set_up_kernel(state, &(struct fake_kernel_options){ .no_scan = true });
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_pagemap_close(&fixture->pagemap);
	mig_process_free(fixture->process);
	scene_free(fixture->scene);
	free(fixture);
	return 0;
}

static uint64_t address(const struct fixture *fixture, uint64_t page)
{
	return fixture->start + page * fixture->scene->page_size;
}

static void entries_are_those_of_the_pages_asked_for(void **state)
{
	struct fixture *fixture = *state;
	uint64_t entries[3];

	assert_int_equal(
		mig_pagemap_read(&fixture->pagemap, address(fixture, 39), entries, 3), 3);
	assert_int_equal(entries[0], 0);
	for (uint64_t i = 1; i < 3; i++)
		assert_true(entries[i] ==
			    fake_kernel_get_entry(fixture->scene->kernel, PID,
						  address(fixture, 39 + i)));
	assert_true(fixture->pagemap.has_frames);
}

static void flags_and_mappers_are_those_of_the_frame(void **state)
{
	struct fixture *fixture = *state;
	uint64_t frame =
		fake_kernel_get_entry(fixture->scene->kernel, PID, address(fixture, 50)) &
		MIG_PAGEMAP_FRAME;
	uint64_t flags[2], mappers;

	assert_int_equal(mig_pagemap_read_flags(&fixture->pagemap, frame, flags, 2), 0);
	assert_true(flags[0] == (MIG_FLAG_LRU | MIG_FLAG_ANON));
	assert_int_equal(mig_pagemap_read_mappers(&fixture->pagemap, frame, &mappers), 0);
	assert_int_equal(mappers, 1);
	fake_kernel_add_process(fixture->scene->kernel, 43, 1);
	fake_kernel_share(fixture->scene->kernel, 43, PID, fixture->start);
	assert_int_equal(mig_pagemap_read_mappers(&fixture->pagemap, frame, &mappers), 0);
	assert_int_equal(mappers, 2);
}

static void who_is_shown_no_frames_is_shown_no_flags(void **state)
{
	struct fixture *fixture = *state;
	uint64_t entry, word;

	assert_false(fixture->pagemap.has_frames);
	assert_int_equal(
		mig_pagemap_read(&fixture->pagemap, address(fixture, 50), &entry, 1), 1);
	assert_true(entry == (MIG_PAGEMAP_PRESENT | MIG_PAGEMAP_EXCLUSIVE));
	assert_int_equal(mig_pagemap_read_flags(&fixture->pagemap, 1, &word, 1), -EACCES);
	assert_int_equal(mig_pagemap_read_mappers(&fixture->pagemap, 1, &word), -EACCES);
}

static void memory_that_was_replaced_is_gone(void **state)
{
	struct fixture *fixture = *state;
	uint64_t entry;

	assert_false(mig_pagemap_is_gone(&fixture->pagemap, fixture->start));
	fake_kernel_exec(fixture->scene->kernel, PID);
	assert_true(mig_pagemap_is_gone(&fixture->pagemap, fixture->start));
	assert_int_equal(mig_pagemap_read(&fixture->pagemap, fixture->start, &entry, 1),
			 0);
}

static void holes_are_skipped_up_to_the_first_page(void **state)
{
	struct fixture *fixture = *state;
	uint64_t end = address(fixture, 100);

	assert_true(mig_pagemap_skip_hole(&fixture->pagemap, fixture->start, end) ==
		    address(fixture, 40));
	assert_true(mig_pagemap_skip_hole(&fixture->pagemap, address(fixture, 60), end) ==
		    address(fixture, 60));
	assert_true(mig_pagemap_skip_hole(&fixture->pagemap, fixture->start,
					  address(fixture, 30)) == address(fixture, 30));
}

static void a_swapped_page_is_no_hole(void **state)
{
	struct fixture *fixture = *state;

	scene_set(fixture->scene, PID, fixture->start, 40, 1, FAKE_SWAPPED);
	assert_true(mig_pagemap_skip_hole(&fixture->pagemap, fixture->start,
					  address(fixture, 100)) == address(fixture, 40));
}

static void an_old_kernel_is_asked_once_and_skips_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_true(mig_pagemap_skip_hole(&fixture->pagemap, fixture->start,
					  address(fixture, 100)) == fixture->start);
	assert_true(fixture->pagemap.no_scan);
	assert_true(mig_pagemap_skip_hole(&fixture->pagemap, fixture->start,
					  address(fixture, 100)) == fixture->start);
}

static void a_pagemap_may_be_closed_twice(void **state)
{
	struct fixture *fixture = *state;

	mig_pagemap_close(&fixture->pagemap);
	assert_int_equal(fixture->pagemap.fd, -1);
	mig_pagemap_close(&fixture->pagemap);
}

static void a_process_that_has_exited_has_no_pagemap(void **state)
{
	struct fixture *fixture = *state;
	struct mig_pagemap pagemap = { .fd = 77 };

	fake_kernel_exit(fixture->scene->kernel, PID);
	assert_int_equal(mig_pagemap_open(fixture->process, &pagemap), -ESRCH);
	assert_int_equal(pagemap.fd, 77);
}

#define with(function, set_up) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(entries_are_those_of_the_pages_asked_for, set_up),
		with(flags_and_mappers_are_those_of_the_frame, set_up),
		with(who_is_shown_no_frames_is_shown_no_flags, set_up_unprivileged),
		with(memory_that_was_replaced_is_gone, set_up),
		with(holes_are_skipped_up_to_the_first_page, set_up),
		with(a_swapped_page_is_no_hole, set_up),
		with(an_old_kernel_is_asked_once_and_skips_nothing, set_up_old),
		with(a_pagemap_may_be_closed_twice, set_up),
		with(a_process_that_has_exited_has_no_pagemap, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
