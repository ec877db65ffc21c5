/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding what moves as one, with frame numbers and without. */
#include "page_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fake_kernel.h"
#include "fake_machine.h"
#include "handles.h"

#define PID 42

static struct {
	struct mig_calls calls;
	long (*move_pages)(pid_t pid, unsigned long count, void *const *pages,
			   const int *nodes, int *status, int flags);
	size_t nr_asked; /**< pages whose nodes were asked for */
	long refusal;
} asking;

static long counting_move_pages(pid_t pid, unsigned long count, void *const *pages,
				const int *nodes, int *status, int flags)
{
	asking.nr_asked += count;
	if (asking.refusal)
		return asking.refusal;
	return asking.move_pages(pid, count, pages, nodes, status, flags);
}

struct fixture {
	struct fake_kernel *kernel;
	struct mig_context *context;
	struct mig_topology *topology;
	struct mig_process *process;
	struct mig_frames *frames;
	struct mig_pagemap pagemap;
	struct mig_page_scan scan;
	struct mig_span span;
	uint64_t page_size;
};

static void set_up_kernel(void **state, const struct fake_kernel_options *options)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->kernel = fake_kernel_new(options);
	fixture->context = fake_kernel_context(fixture->kernel);
	asking.calls = *fixture->context->calls;
	asking.move_pages = asking.calls.move_pages;
	asking.calls.move_pages = counting_move_pages;
	asking.nr_asked = 0;
	asking.refusal = 0;
	mig_context_set_calls(fixture->context, &asking.calls);
	fixture->page_size = mig_context_get_page_size(fixture->context);
	assert_int_equal(mig_topology_new(fixture->context, &fixture->topology), 0);
	fake_kernel_add_process(fixture->kernel, PID, 1);
	assert_int_equal(mig_process_open(fixture->context, PID, &fixture->process), 0);
	assert_int_equal(mig_pagemap_open(fixture->process, &fixture->pagemap), 0);
	*state = fixture;
}

static void open_scan(struct fixture *fixture)
{
	if (fixture->pagemap.has_frames && !fixture->frames)
		assert_int_equal(mig_frames_new(fixture->topology, &fixture->frames), 0);
	mig_page_scan_done(&fixture->scan);
	assert_int_equal(mig_page_scan_init(&fixture->scan, fixture->frames), 0);
	mig_page_scan_set_process(&fixture->scan, fixture->process, &fixture->pagemap);
}

static int set_up(void **state)
{
	set_up_kernel(state, NULL);
	open_scan(*state);
	return 0;
}

static int set_up_unprivileged(void **state)
{
	set_up_kernel(state, &(struct fake_kernel_options){ .hides_frames = true });
	open_scan(*state);
	return 0;
}

static int set_up_without_scan(void **state)
{
	set_up_kernel(state, &(struct fake_kernel_options){ .no_scan = true });
	open_scan(*state);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_page_scan_done(&fixture->scan);
	mig_frames_free(fixture->frames);
	mig_pagemap_close(&fixture->pagemap);
	mig_process_free(fixture->process);
	mig_topology_free(fixture->topology);
	mig_context_free(fixture->context);
	fake_kernel_free(fixture->kernel);
	free(fixture);
	return 0;
}

static uint64_t map(struct fixture *fixture, enum fake_kind kind, uint64_t nr_pages,
		    uint32_t folio_pages)
{
	static const enum mig_kind kinds[] = { MIG_KIND_ANON, MIG_KIND_FILE,
					       MIG_KIND_SHMEM, MIG_KIND_HUGETLB };
	uint64_t start = fake_kernel_map(
		fixture->kernel, PID,
		&(struct fake_memory){
			.kind = kind, .nr_pages = nr_pages, .folio_pages = folio_pages });

	fixture->span = (struct mig_span){
		.start = start,
		.end = start + nr_pages * fixture->page_size,
		.kind = kinds[kind],
		.page_size_bytes = fixture->page_size,
		.only_node = MIG_NO_NODE,
	};
	if (kind == FAKE_HUGETLB)
		fixture->span.page_size_bytes *= FAKE_HUGE_PAGES;
	return start;
}

static void set_pages(struct fixture *fixture, uint64_t start, uint64_t first,
		      uint64_t nr_pages, enum fake_state state)
{
	fake_kernel_set(fixture->kernel, PID, start + first * fixture->page_size,
			nr_pages, state);
}

/* One step over pages of the span. Return: where the next one begins. */
static uint64_t step(struct fixture *fixture, uint64_t start, uint64_t end)
{
	uint64_t next = 0;

	assert_int_equal(
		mig_page_scan_next(&fixture->scan, &fixture->span, start, end, &next), 0);
	return next;
}

static void scan_all(struct fixture *fixture)
{
	assert_true(step(fixture, fixture->span.start, fixture->span.end) ==
		    fixture->span.end);
}

/* The @index-th of what was found: @nr units from @page on. */
static void assert_units(const struct fixture *fixture, size_t index, uint64_t page,
			 uint32_t nr, uint32_t unit_pages, int node, unsigned int flags)
{
	const struct mig_units *units = &fixture->scan.units[index];

	assert_true(index < fixture->scan.nr_units);
	assert_true(units->address == fixture->span.start + page * fixture->page_size);
	assert_int_equal(units->nr, nr);
	assert_int_equal(units->unit_pages, unit_pages);
	assert_int_equal(units->node, node);
	assert_int_equal(units->flags, flags);
}

/* ---- with frame numbers ---- */

static void single_pages_lie_on_the_node_of_their_frame(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 20, 0);

	fake_kernel_place(fixture->kernel, PID, start + 5 * fixture->page_size, 2, 1);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 3);
	assert_units(fixture, 0, 0, 5, 1, 0, 0);
	assert_units(fixture, 1, 5, 2, 1, 1, 0);
	assert_units(fixture, 2, 7, 13, 1, 0, 0);
	assert_true(fixture->scan.units[1].frame ==
		    (fake_kernel_get_entry(fixture->kernel, PID,
					   start + 5 * fixture->page_size) &
		     MIG_PAGEMAP_FRAME));
	assert_int_equal(asking.nr_asked, 0);
}

static void a_hole_parts_what_lies_around_it(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 20, 0);

	set_pages(fixture, start, 4, 1, FAKE_ABSENT);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 2);
	assert_units(fixture, 0, 0, 4, 1, 0, 0);
	assert_units(fixture, 1, 5, 15, 1, 0, 0);
}

static void a_huge_page_is_one_unit_and_its_neighbour_another(void **state)
{
	struct fixture *fixture = *state;

	map(fixture, FAKE_ANON, 3 * FAKE_HUGE_PAGES, FAKE_HUGE_PAGES);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 1);
	assert_units(fixture, 0, 0, 3, FAKE_HUGE_PAGES, 0, 0);
}

static void smaller_folios_are_units_too(void **state)
{
	struct fixture *fixture = *state;

	map(fixture, FAKE_FILE, 64, 16);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 1);
	assert_units(fixture, 0, 0, 4, 16, 0, MIG_UNIT_FILE);
}

static void a_folio_that_is_mapped_in_part_is_a_unit_of_that_part(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, FAKE_HUGE_PAGES, FAKE_HUGE_PAGES);

	set_pages(fixture, start, 0, 100, FAKE_ABSENT);
	set_pages(fixture, start, 300, 10, FAKE_ABSENT);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 2);
	assert_units(fixture, 0, 100, 1, 200, 0, 0);
	assert_units(fixture, 1, 310, 1, 202, 0, 0);
}

static void a_folio_that_a_window_cuts_is_a_unit_in_each(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, FAKE_HUGE_PAGES, FAKE_HUGE_PAGES);
	uint64_t middle = start + 96 * fixture->page_size;

	assert_true(step(fixture, start, middle) == middle);
	assert_int_equal(fixture->scan.nr_units, 1);
	assert_units(fixture, 0, 0, 1, 96, 0, 0);
	assert_true(step(fixture, middle, fixture->span.end) == fixture->span.end);
	assert_int_equal(fixture->scan.nr_units, 1);
	assert_units(fixture, 0, 96, 1, 416, 0, 0);
}

static void a_step_ends_where_a_huge_page_does(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 2 * MIG_SCAN_PAGES, 0);
	uint64_t second = start + fixture->page_size;
	uint64_t next = step(fixture, second, fixture->span.end);

	assert_true(next == start + MIG_SCAN_PAGES * fixture->page_size);
	assert_units(fixture, 0, 1, MIG_SCAN_PAGES - 1, 1, 0, 0);
	assert_true(step(fixture, next, fixture->span.end) == fixture->span.end);
	assert_units(fixture, 0, MIG_SCAN_PAGES, MIG_SCAN_PAGES, 1, 0, 0);
}

static void hugetlb_pages_are_units_of_their_size(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_HUGETLB, 3 * FAKE_HUGE_PAGES, 0);

	set_pages(fixture, start, FAKE_HUGE_PAGES, FAKE_HUGE_PAGES, FAKE_ABSENT);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 2);
	assert_units(fixture, 0, 0, 1, FAKE_HUGE_PAGES, 0, MIG_UNIT_HUGETLB);
	assert_units(fixture, 1, 2 * FAKE_HUGE_PAGES, 1, FAKE_HUGE_PAGES, 0,
		     MIG_UNIT_HUGETLB);
}

static void hugetlb_pages_are_no_cache_of_a_cgroup(void **state)
{
	static const struct mig_unmapped_cache cache = { .is_open = true };
	struct fixture *fixture = *state;

	map(fixture, FAKE_HUGETLB, 3 * FAKE_HUGE_PAGES, 0);
	fixture->scan.only_cache = &cache;
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 0);
}

static void what_others_map_is_shared(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_SHMEM, 8, 0);

	fake_kernel_add_process(fixture->kernel, 43, 1);
	scan_all(fixture);
	assert_units(fixture, 0, 0, 8, 1, 0, MIG_UNIT_FILE);
	fake_kernel_share(fixture->kernel, 43, PID, start);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 8);
	assert_units(fixture, 7, 7, 1, 1, 0, MIG_UNIT_FILE | MIG_UNIT_SHARED);
}

/* As with KSM: several pages of one process are one frame. */
static void one_frame_in_two_places_is_a_shared_unit_in_both(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 4, 0), frame;

	fixture->span.start = fake_kernel_share(fixture->kernel, PID, PID, start);
	fixture->span.end = fixture->span.start + 4 * fixture->page_size;
	scan_all(fixture);
	assert_units(fixture, 0, 0, 1, 1, 0, MIG_UNIT_SHARED);
	frame = fixture->scan.units[0].frame;
	step(fixture, start, start + fixture->page_size);
	assert_true(fixture->scan.units[0].frame == frame);
	assert_int_equal(fixture->scan.units[0].flags, MIG_UNIT_SHARED);
}

static void zero_pages_and_swapped_ones_are_passed_over(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 20, 0);

	set_pages(fixture, start, 0, 3, FAKE_ZERO);
	set_pages(fixture, start, 3, 5, FAKE_SWAPPED);
	set_pages(fixture, start, 8, 7, FAKE_ABSENT);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 1);
	assert_units(fixture, 0, 15, 5, 1, 0, 0);
}

static void a_block_that_two_nodes_share_makes_the_kernel_be_asked(void **state)
{
	struct fixture *fixture = *state;

	/* Block 1 is node 0's. */
	fake_root_write(fake_kernel_get_root(fixture->kernel),
			NODES "/node1/memory1/online", "1\n");
	mig_frames_free(fixture->frames);
	fixture->frames = NULL;
	open_scan(fixture);
	map(fixture, FAKE_ANON, 4, 0);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 4);
	assert_units(fixture, 3, 3, 1, 1, 0, 0);
	assert_int_equal(asking.nr_asked, 4);
}

/* ---- holes, and ends ---- */

static void holes_of_a_sparse_mapping_are_skipped(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 3 * MIG_SCAN_PAGES, 0);

	set_pages(fixture, start, 0, 2 * MIG_SCAN_PAGES + 7, FAKE_ABSENT);
	fixture->span.sparse = true;
	/* One step, for what would take three. */
	assert_true(step(fixture, start, fixture->span.end) == fixture->span.end);
	assert_units(fixture, 0, 2 * MIG_SCAN_PAGES + 7, MIG_SCAN_PAGES - 7, 1, 0, 0);
	set_pages(fixture, start, 0, 3 * MIG_SCAN_PAGES, FAKE_ABSENT);
	assert_true(step(fixture, start, fixture->span.end) == fixture->span.end);
	assert_int_equal(fixture->scan.nr_units, 0);
}

static void a_kernel_that_cannot_skip_holes_is_read_page_by_page(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start, at;
	size_t found = 0;

	start = map(fixture, FAKE_ANON, 2 * MIG_SCAN_PAGES, 0);
	set_pages(fixture, start, 0, MIG_SCAN_PAGES + 1, FAKE_ABSENT);
	fixture->span.sparse = true;
	for (at = start; at < fixture->span.end;) {
		at = step(fixture, at, fixture->span.end);
		for (size_t i = 0; i < fixture->scan.nr_units; i++)
			found += fixture->scan.units[i].nr;
	}
	assert_int_equal(found, MIG_SCAN_PAGES - 1);
	assert_true(fixture->pagemap.no_scan);
}

static void memory_that_is_gone_says_so(void **state)
{
	struct fixture *fixture = *state;
	uint64_t next = 77;

	map(fixture, FAKE_ANON, 4, 0);
	fake_kernel_exec(fixture->kernel, PID);
	assert_int_equal(mig_page_scan_next(&fixture->scan, &fixture->span,
					    fixture->span.start, fixture->span.end,
					    &next),
			 -ESRCH);
	fixture->span.kind = MIG_KIND_HUGETLB;
	assert_int_equal(mig_page_scan_next(&fixture->scan, &fixture->span,
					    fixture->span.start, fixture->span.end,
					    &next),
			 -ESRCH);
	assert_int_equal(next, 77);
}

/* ---- without frame numbers ---- */

static void the_one_node_of_a_mapping_is_not_asked_for(void **state)
{
	struct fixture *fixture = *state;

	map(fixture, FAKE_ANON, 20, 0);
	fixture->span.only_node = 0;
	scan_all(fixture);
	assert_units(fixture, 0, 0, 20, 1, 0, 0);
	assert_int_equal(asking.nr_asked, 0);
}

static void nodes_that_are_not_known_are_asked_for(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 1500, 0);

	fixture->scan.guess_huge = false;
	fake_kernel_place(fixture->kernel, PID, start + 777 * fixture->page_size, 1, 1);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 1500);
	for (size_t i = 0; i < 1500; i++)
		assert_units(fixture, i, i, 1, 1, i == 777, 0);
	assert_int_equal(asking.nr_asked, 1500);
}

static void an_aligned_stretch_is_guessed_to_be_huge(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 2 * FAKE_HUGE_PAGES + 10, 0);

	set_pages(fixture, start, 5, 1, FAKE_ABSENT);
	fixture->span.only_node = 0;
	scan_all(fixture);
	/* What is around the hole, what may be huge, and what is behind it. */
	assert_int_equal(fixture->scan.nr_units, 4);
	assert_units(fixture, 1, 6, 506, 1, 0, 0);
	assert_units(fixture, 2, FAKE_HUGE_PAGES, 1, FAKE_HUGE_PAGES, 0,
		     MIG_UNIT_GUESSED);
	assert_units(fixture, 3, 2 * FAKE_HUGE_PAGES, 10, 1, 0, 0);
}

static void a_stretch_of_different_pages_is_not_guessed_to_be_huge(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_SHMEM, FAKE_HUGE_PAGES, 0);

	fake_kernel_add_process(fixture->kernel, 43, 1);
	start = fake_kernel_share(fixture->kernel, 43, PID, start);
	fake_kernel_set(fixture->kernel, 43, start, 1, FAKE_ABSENT);
	fixture->span.only_node = 0;
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, FAKE_HUGE_PAGES);
	assert_units(fixture, 0, 0, 1, 1, 0, MIG_UNIT_FILE);
	assert_units(fixture, 1, 1, 1, 1, 0, MIG_UNIT_FILE | MIG_UNIT_SHARED);
}

static void a_guess_that_was_wrong_is_not_made_again(void **state)
{
	struct fixture *fixture = *state;

	map(fixture, FAKE_ANON, FAKE_HUGE_PAGES, 0);
	fixture->scan.guess_huge = false;
	fixture->span.only_node = 0;
	scan_all(fixture);
	assert_units(fixture, 0, 0, FAKE_HUGE_PAGES, 1, 0, 0);
}

/* It looks shared, and is on no node. */
static void the_zero_page_is_found_by_asking(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 10, 0);

	set_pages(fixture, start, 2, 3, FAKE_ZERO);
	fixture->span.only_node = 0;
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 2);
	assert_units(fixture, 1, 5, 5, 1, 0, 0);
	assert_int_equal(asking.nr_asked, 3);
}

static void a_page_that_the_kernel_does_not_see_has_no_node(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 4, 0);

	set_pages(fixture, start, 1, 1, FAKE_PROTECTED);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 4);
	assert_units(fixture, 1, 1, 1, 1, MIG_NO_NODE, 0);
	assert_units(fixture, 2, 2, 1, 1, 0, 0);
}

/* Nor is it the zero page, which others map as well. */
static void a_shared_page_that_the_kernel_does_not_see_has_no_node(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = map(fixture, FAKE_ANON, 4, 0);

	fake_kernel_add_process(fixture->kernel, 43, 1);
	fake_kernel_share(fixture->kernel, 43, PID, start);
	set_pages(fixture, start, 1, 1, FAKE_PROTECTED);
	scan_all(fixture);
	assert_int_equal(fixture->scan.nr_units, 4);
	assert_units(fixture, 1, 1, 1, 1, MIG_NO_NODE, MIG_UNIT_SHARED);
}

static void a_question_that_is_refused_ends_the_step(void **state)
{
	struct fixture *fixture = *state;
	uint64_t next = 77;

	map(fixture, FAKE_ANON, 4, 0);
	asking.refusal = -EPERM;
	assert_int_equal(mig_page_scan_next(&fixture->scan, &fixture->span,
					    fixture->span.start, fixture->span.end,
					    &next),
			 -EPERM);
	/* A process without memory is one that has exited. */
	asking.refusal = -EINVAL;
	assert_int_equal(mig_page_scan_next(&fixture->scan, &fixture->span,
					    fixture->span.start, fixture->span.end,
					    &next),
			 -ESRCH);
	assert_int_equal(next, 77);
}

static void units_can_be_cut(void **state)
{
	struct mig_units units = {
		.address = 0x10000, .nr = 5, .unit_pages = 4, .node = 3
	};
	struct mig_units front = mig_units_take(&units, 2, 0x1000);

	(void)state;
	assert_true(front.address == 0x10000 && front.nr == 2 && front.node == 3);
	assert_true(units.address == 0x18000 && units.nr == 3);
	assert_int_equal(mig_units_pages(&units), 12);
}

#define privileged(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define unprivileged(function) \
	cmocka_unit_test_setup_teardown(function, set_up_unprivileged, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		privileged(single_pages_lie_on_the_node_of_their_frame),
		privileged(a_hole_parts_what_lies_around_it),
		privileged(a_huge_page_is_one_unit_and_its_neighbour_another),
		privileged(smaller_folios_are_units_too),
		privileged(a_folio_that_is_mapped_in_part_is_a_unit_of_that_part),
		privileged(a_folio_that_a_window_cuts_is_a_unit_in_each),
		privileged(a_step_ends_where_a_huge_page_does),
		privileged(hugetlb_pages_are_units_of_their_size),
		privileged(hugetlb_pages_are_no_cache_of_a_cgroup),
		privileged(what_others_map_is_shared),
		privileged(one_frame_in_two_places_is_a_shared_unit_in_both),
		privileged(zero_pages_and_swapped_ones_are_passed_over),
		privileged(a_block_that_two_nodes_share_makes_the_kernel_be_asked),
		privileged(holes_of_a_sparse_mapping_are_skipped),
		cmocka_unit_test_setup_teardown(
			a_kernel_that_cannot_skip_holes_is_read_page_by_page,
			set_up_without_scan, tear_down),
		privileged(memory_that_is_gone_says_so),
		unprivileged(the_one_node_of_a_mapping_is_not_asked_for),
		unprivileged(nodes_that_are_not_known_are_asked_for),
		unprivileged(an_aligned_stretch_is_guessed_to_be_huge),
		unprivileged(a_stretch_of_different_pages_is_not_guessed_to_be_huge),
		unprivileged(a_guess_that_was_wrong_is_not_made_again),
		unprivileged(the_zero_page_is_found_by_asking),
		unprivileged(a_page_that_the_kernel_does_not_see_has_no_node),
		unprivileged(a_shared_page_that_the_kernel_does_not_see_has_no_node),
		unprivileged(a_question_that_is_refused_ends_the_step),
		cmocka_unit_test(units_can_be_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
