/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a target a request covers. */
#include "select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "fake_kernel.h"
#include "handles.h"
#include "scene.h"

#define MIB (UINT64_C(1) << 20)

/* A request without a target: mappings and units are given by hand. */
struct fixture {
	struct fake_kernel *kernel;
	struct mig_context *context;
	struct mig_topology *topology;
	struct mig_placement *placement;
	struct mig_plan plan;
	struct mig_outcome *tally;
	uint64_t node_pages[MIG_MAX_NODES];
	struct mig_mapping mapping;
	struct mig_span span;
	uint64_t page_size;
};

static void place(struct fixture *fixture, uint64_t from, uint64_t to, enum mig_place how)
{
	mig_placement_free(fixture->placement);
	fixture->placement = placement_of(fixture->topology, from, to, how);
	fixture->plan.placement = fixture->placement;
}

/* Four nodes, from 0 to 1; an anonymous mapping of 256 pages, all of them on node 0. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->kernel = fake_kernel_new(&(struct fake_kernel_options){ .nr_nodes = 4 });
	fixture->context = fake_kernel_context(fixture->kernel);
	fixture->page_size = mig_context_get_page_size(fixture->context);
	assert_int_equal(mig_topology_new(fixture->context, &fixture->topology), 0);
	assert_int_equal(mig_outcome_new(&fixture->tally), 0);
	fixture->plan.context = fixture->context;
	fixture->plan.topology = fixture->topology;
	fixture->plan.sharing.mode = MIG_SHARED_NONE;
	place(fixture, 1, 2, MIG_PLACE_DEFAULT);
	fixture->node_pages[0] = 256;
	fixture->mapping = (struct mig_mapping){
		.start = 16 * MIB,
		.end = 16 * MIB + 256 * fixture->page_size,
		.kind = MIG_KIND_ANON,
		.page_size_bytes = fixture->page_size,
		.has_residency = true,
		.resident_pages = 256,
		.node_pages = fixture->node_pages,
		.policy = "default",
		.name = "",
	};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_outcome_free(fixture->tally);
	mig_placement_free(fixture->placement);
	mig_topology_free(fixture->topology);
	mig_context_free(fixture->context);
	fake_kernel_free(fixture->kernel);
	free(fixture);
	return 0;
}

static bool select_it(struct fixture *fixture)
{
	return mig_select_mapping(&fixture->plan, &fixture->mapping, fixture->tally,
				  &fixture->span);
}

static void put_pages(struct fixture *fixture, int node, uint64_t nr_pages)
{
	fixture->node_pages[node] = nr_pages;
	fixture->mapping.resident_pages = 0;
	for (int i = 0; i < 4; i++)
		fixture->mapping.resident_pages += fixture->node_pages[i];
}

static uint64_t filtered(const struct fixture *fixture)
{
	return mig_outcome_get_skipped(fixture->tally, MIG_SKIP_FILTERED);
}

static void a_mapping_with_pages_to_move_is_looked_at(void **state)
{
	struct fixture *fixture = *state;

	assert_true(select_it(fixture));
	assert_true(fixture->span.start == fixture->mapping.start);
	assert_true(fixture->span.end == fixture->mapping.end);
	assert_int_equal(fixture->span.kind, MIG_KIND_ANON);
	assert_int_equal(fixture->span.only_node, 0);
	assert_false(fixture->span.sparse);
	assert_int_equal(fixture->tally->totals.considered_pages, 0);
}

static void pages_on_two_nodes_have_no_only_node(void **state)
{
	struct fixture *fixture = *state;

	put_pages(fixture, 3, 1);
	assert_true(select_it(fixture));
	assert_int_equal(fixture->span.only_node, MIG_NO_NODE);
}

static void a_mapping_that_is_mostly_holes_says_so(void **state)
{
	struct fixture *fixture = *state;

	put_pages(fixture, 0, 15);
	assert_true(select_it(fixture));
	assert_true(fixture->span.sparse);
	put_pages(fixture, 0, 16);
	assert_true(select_it(fixture));
	assert_false(fixture->span.sparse);
}

static void a_mapping_that_is_in_place_is_settled_at_once(void **state)
{
	struct fixture *fixture = *state;

	put_pages(fixture, 0, 0);
	put_pages(fixture, 1, 200);
	assert_false(select_it(fixture));
	assert_int_equal(fixture->tally->totals.already_pages, 200);
	assert_int_equal(fixture->tally->totals.considered_pages, 200);
}

static void pages_that_are_on_no_source_are_settled_at_once(void **state)
{
	struct fixture *fixture = *state;

	put_pages(fixture, 0, 0);
	put_pages(fixture, 1, 5);
	put_pages(fixture, 3, 7);
	assert_false(select_it(fixture));
	assert_int_equal(fixture->tally->totals.already_pages, 5);
	assert_int_equal(mig_outcome_get_skipped(fixture->tally, MIG_SKIP_NOT_FROM), 7);
}

static void an_empty_mapping_is_nothing(void **state)
{
	struct fixture *fixture = *state;

	put_pages(fixture, 0, 0);
	assert_false(select_it(fixture));
	assert_int_equal(fixture->tally->totals.considered_pages, 0);
}

static void interleaving_looks_at_every_page(void **state)
{
	struct fixture *fixture = *state;

	place(fixture, 0, 6, MIG_PLACE_SPREAD);
	put_pages(fixture, 0, 0);
	put_pages(fixture, 1, 100);
	assert_true(select_it(fixture));
}

static void a_mapping_of_which_nothing_is_known_is_looked_at(void **state)
{
	struct fixture *fixture = *state;

	fixture->mapping.has_residency = false;
	fixture->mapping.resident_pages = 0;
	assert_true(select_it(fixture));
	assert_int_equal(fixture->span.only_node, MIG_NO_NODE);
	assert_false(fixture->span.sparse);
}

static void the_kernels_own_mappings_are_never_counted(void **state)
{
	struct fixture *fixture = *state;

	fixture->mapping.kind = MIG_KIND_KERNEL;
	assert_false(select_it(fixture));
	assert_int_equal(fixture->tally->totals.considered_pages, 0);
}

static void kinds_that_were_not_asked_for_are_filtered(void **state)
{
	struct fixture *fixture = *state;

	fixture->plan.options.only_kinds = 1U << MIG_KIND_HEAP | 1U << MIG_KIND_STACK;
	assert_false(select_it(fixture));
	assert_int_equal(filtered(fixture), 256);
	fixture->mapping.kind = MIG_KIND_STACK;
	assert_true(select_it(fixture));
	assert_int_equal(filtered(fixture), 256);
}

static void hugetlb_is_not_a_transparent_huge_page(void **state)
{
	struct fixture *fixture = *state;

	fixture->plan.options.only_thp = true;
	assert_true(select_it(fixture));
	fixture->mapping.kind = MIG_KIND_HUGETLB;
	assert_false(select_it(fixture));
	assert_int_equal(filtered(fixture), 256);
}

static void small_mappings_are_filtered_by_what_is_resident(void **state)
{
	struct fixture *fixture = *state;

	fixture->plan.options.min_mapping_bytes = 256 * fixture->page_size;
	assert_true(select_it(fixture));
	put_pages(fixture, 0, 255);
	assert_false(select_it(fixture));
	assert_int_equal(filtered(fixture), 255);
}

static void mappings_outside_the_range_are_filtered(void **state)
{
	const struct mig_address_range before = { 0, 16 * MIB };
	const struct mig_address_range touching = { 0, 16 * MIB + 1 };
	struct fixture *fixture = *state;
	const struct mig_address_range after = { fixture->mapping.end, UINT64_MAX };

	fixture->plan.options.range = &touching;
	assert_true(select_it(fixture));
	fixture->plan.options.range = &before;
	assert_false(select_it(fixture));
	fixture->plan.options.range = &after;
	assert_false(select_it(fixture));
	assert_int_equal(filtered(fixture), 512);
}

static void a_mapping_with_shared_pages_says_so(void **state)
{
	struct fixture *fixture = *state;

	assert_true(select_it(fixture));
	assert_false(fixture->span.shared);
	fixture->mapping.most_mappers = 2;
	assert_true(select_it(fixture));
	assert_true(fixture->span.shared);
}

/* ---- units ---- */

static enum mig_verdict judge(const struct fixture *fixture, struct mig_units unit,
			      int *to)
{
	const struct mig_span span = { .kind = MIG_KIND_ANON };

	uint32_t nr = 0;
	enum mig_verdict verdict;

	if (!unit.unit_pages)
		unit.unit_pages = 1;
	unit.nr = 1;
	*to = MIG_NO_NODE;
	verdict = mig_select_units(&fixture->plan, NULL, &span, &unit, to, &nr);
	assert_int_equal(nr, 1);
	return verdict;
}

static void a_unit_on_a_source_moves(void **state)
{
	const struct fixture *fixture = *state;
	int to;

	assert_int_equal(judge(fixture, (struct mig_units){ .node = 0 }, &to),
			 MIG_VERDICT_MOVE);
	assert_int_equal(to, 1);
}

static void a_unit_elsewhere_is_in_place_or_not_from(void **state)
{
	const struct fixture *fixture = *state;
	int to;

	assert_int_equal(judge(fixture, (struct mig_units){ .node = 1 }, &to),
			 MIG_VERDICT_ALREADY);
	assert_int_equal(judge(fixture, (struct mig_units){ .node = 2 }, &to),
			 MIG_VERDICT_NOT_FROM);
	assert_int_equal(to, MIG_NO_NODE);
}

static void a_shared_unit_is_told_from_one_that_stays_anyhow(void **state)
{
	const struct fixture *fixture = *state;
	struct mig_units unit = { .node = 0, .flags = MIG_UNIT_SHARED };
	int to;

	assert_int_equal(judge(fixture, unit, &to), MIG_VERDICT_SHARED);
	unit.node = 1;
	assert_int_equal(judge(fixture, unit, &to), MIG_VERDICT_ALREADY);
	unit.node = 3;
	assert_int_equal(judge(fixture, unit, &to), MIG_VERDICT_NOT_FROM);
}

static void units_outside_the_range_are_filtered(void **state)
{
	const struct mig_address_range range = { 16 * MIB, 17 * MIB };
	struct fixture *fixture = *state;
	int to;

	fixture->plan.options.range = &range;
	assert_int_equal(
		judge(fixture, (struct mig_units){ .address = 16 * MIB - 1 }, &to),
		MIG_VERDICT_FILTERED);
	assert_int_equal(judge(fixture, (struct mig_units){ .address = 16 * MIB }, &to),
			 MIG_VERDICT_MOVE);
	assert_int_equal(judge(fixture, (struct mig_units){ .address = 17 * MIB }, &to),
			 MIG_VERDICT_FILTERED);
}

static void only_large_units_are_transparent_huge_pages(void **state)
{
	struct fixture *fixture = *state;
	int to;

	fixture->plan.options.only_thp = true;
	assert_int_equal(judge(fixture, (struct mig_units){ .unit_pages = 1 }, &to),
			 MIG_VERDICT_FILTERED);
	assert_int_equal(judge(fixture, (struct mig_units){ .unit_pages = 512 }, &to),
			 MIG_VERDICT_MOVE);
}

/* Pages of one size alternate, whatever their size is. */
static void interleaving_counts_units_by_their_size(void **state)
{
	struct fixture *fixture = *state;
	struct mig_units unit = { .node = 0, .unit_pages = 512 };
	int to;

	place(fixture, 1, 6, MIG_PLACE_SPREAD);
	for (uint64_t i = 0; i < 6; i++) {
		unit.address = 32 * MIB + i * 512 * fixture->page_size;
		assert_int_equal(judge(fixture, unit, &to), MIG_VERDICT_MOVE);
		assert_int_equal(to, i % 2 ? 2 : 1);
	}
	unit.node = 1;
	unit.address = 32 * MIB;
	assert_int_equal(judge(fixture, unit, &to), MIG_VERDICT_ALREADY);
}

static uint32_t judge_many(const struct fixture *fixture)
{
	const struct mig_span span = { .kind = MIG_KIND_ANON };
	const struct mig_units units = { .address = 16 * MIB,
					 .nr = 100,
					 .unit_pages = 1 };
	uint32_t nr = 0;
	int to;

	assert_int_equal(mig_select_units(&fixture->plan, NULL, &span, &units, &to, &nr),
			 MIG_VERDICT_MOVE);
	return nr;
}

static void units_are_judged_together_where_one_is_as_the_other(void **state)
{
	const struct mig_address_range range = { 0, UINT64_MAX };
	struct fixture *fixture = *state;

	assert_int_equal(judge_many(fixture), 100);
	fixture->plan.options.range = &range;
	assert_int_equal(judge_many(fixture), 1);
	fixture->plan.options.range = NULL;
	place(fixture, 1, 6, MIG_PLACE_SPREAD);
	assert_int_equal(judge_many(fixture), 1);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_mapping_with_pages_to_move_is_looked_at),
		test(pages_on_two_nodes_have_no_only_node),
		test(a_mapping_that_is_mostly_holes_says_so),
		test(a_mapping_that_is_in_place_is_settled_at_once),
		test(pages_that_are_on_no_source_are_settled_at_once),
		test(an_empty_mapping_is_nothing),
		test(interleaving_looks_at_every_page),
		test(a_mapping_of_which_nothing_is_known_is_looked_at),
		test(the_kernels_own_mappings_are_never_counted),
		test(kinds_that_were_not_asked_for_are_filtered),
		test(hugetlb_is_not_a_transparent_huge_page),
		test(small_mappings_are_filtered_by_what_is_resident),
		test(mappings_outside_the_range_are_filtered),
		test(a_mapping_with_shared_pages_says_so),
		test(a_unit_on_a_source_moves),
		test(a_unit_elsewhere_is_in_place_or_not_from),
		test(a_shared_unit_is_told_from_one_that_stays_anyhow),
		test(units_outside_the_range_are_filtered),
		test(only_large_units_are_transparent_huge_pages),
		test(interleaving_counts_units_by_their_size),
		test(units_are_judged_together_where_one_is_as_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
