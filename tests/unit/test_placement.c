/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that give each page its wanted node. */
#include "placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "fake_machine.h"

#define NR_NODES 6

/* Nodes 0 to 4 with memory in a line, node 5 without; 4 is nearer to 0 than to 3. */
static int set_up(void **state)
{
	static const char *const distances[NR_NODES] = {
		"10 20 30 40 15 20\n", "20 10 20 30 40 20\n", "30 20 10 20 30 20\n",
		"40 30 20 10 20 20\n", "15 40 30 20 10 20\n", "20 20 20 20 20 10\n",
	};

	fake_machine_set_up(state);
	fake_machine_write(state, NODES "/possible", "0-5\n");
	fake_machine_write(state, NODES "/online", "0-5\n");
	fake_machine_write(state, NODES "/has_memory", "0-4\n");
	fake_machine_write(state, NODES "/has_cpu", "0-5\n");
	for (int node = 0; node < NR_NODES; node++)
		fake_machine_write_node(state, node, "\n", distances[node], 1000);
	fake_machine_read_topology(state);
	return 0;
}

static struct mig_nodeset set_of(unsigned int bits)
{
	return (struct mig_nodeset){ .bits = { bits } };
}

static int try_new(void **state, struct mig_placement_options options,
		   struct mig_placement **placement)
{
	const struct fake_machine *machine = *state;

	options.size = sizeof(options);
	return mig_placement_new(machine->topology, &options, placement);
}

static struct mig_placement *make(void **state, struct mig_placement_options options)
{
	struct mig_placement *placement = NULL;

	assert_int_equal(try_new(state, options, &placement), 0);
	return placement;
}

/* ---- relative ---- */

static int nth_bit(unsigned int bits, int n)
{
	for (int bit = 0; bit < NR_NODES; bit++)
		if (bits >> bit & 1 && !n--)
			return bit;
	return -1;
}

static int ordinal(unsigned int bits, int bit)
{
	return __builtin_popcount(bits & ((1U << bit) - 1));
}

/* What do_migrate_pages() does with pages of @node, from its description. */
static int kernel_pairs(unsigned int from, unsigned int to, int node)
{
	int nr_to = __builtin_popcount(to);

	if (!(from >> node & 1))
		return MIG_NO_NODE;
	if (__builtin_popcount(from) != nr_to && to >> node & 1)
		return node;
	return nth_bit(to, ordinal(from, node) % nr_to);
}

static void relative_pairs_are_those_of_migrate_pages(void **state)
{
	for (unsigned int from = 1; from < 32; from++) {
		for (unsigned int to = 1; to < 32; to++) {
			const struct mig_nodeset sources = set_of(from);
			const struct mig_nodeset targets = set_of(to);
			struct mig_placement *placement =
				make(state, (struct mig_placement_options){
						    .from = &sources, .to = &targets });

			for (int node = 0; node < 5; node++)
				assert_int_equal(
					mig_placement_get_wanted(placement, node, 7),
					kernel_pairs(from, to, node));
			assert_true(mig_nodeset_is_equal(
				mig_placement_get_targets(placement), &targets));
			assert_false(mig_placement_has_choice(placement));
			assert_false(mig_placement_is_interleaved(placement));
			mig_placement_free(placement);
		}
	}
}

/* 5 has no pages; counted in, it would shift nothing here, but 0 would if it had none. */
static void sources_without_memory_do_not_shift_the_pairs(void **state)
{
	const struct mig_nodeset from = set_of(0x3c), to = set_of(0x07);
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .from = &from, .to = &to });

	/* 2, 3, 4 and no 5: as many as targets, and so strictly one to one. */
	assert_int_equal(mig_placement_get_wanted(placement, 2, 0), 0);
	assert_int_equal(mig_placement_get_wanted(placement, 3, 0), 1);
	assert_int_equal(mig_placement_get_wanted(placement, 4, 0), 2);
	assert_int_equal(mig_placement_get_wanted(placement, 5, 0), MIG_NO_NODE);
	mig_placement_free(placement);
}

static void a_target_that_is_a_source_of_another_moves_twice(void **state)
{
	static const struct {
		unsigned int from;
		unsigned int to;
		bool twice;
	} cases[] = {
		{ 0x3, 0x6, true },  /* 0 to 1, 1 to 2 */
		{ 0x3, 0xc, false }, /* 0 to 2, 1 to 3 */
		{ 0x3, 0x3, false }, /* all in place */
		{ 0x7, 0x6, false }, /* 0 to 1; 1 and 2 stay */
		{ 0x1, 0x2, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mig_nodeset from = set_of(cases[i].from);
		const struct mig_nodeset to = set_of(cases[i].to);
		struct mig_placement *placement =
			make(state,
			     (struct mig_placement_options){ .from = &from, .to = &to });

		assert_int_equal(mig_placement_moves_twice(placement), cases[i].twice);
		mig_placement_free(placement);
	}
}

/* ---- nearest ---- */

static void without_sources_every_page_goes_to_the_nearest_target(void **state)
{
	const struct mig_nodeset to = set_of(0x9);
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .to = &to });

	assert_int_equal(mig_placement_get_wanted(placement, 0, 0), 0);
	assert_int_equal(mig_placement_get_wanted(placement, 1, 0), 0);
	assert_int_equal(mig_placement_get_wanted(placement, 2, 0), 3);
	assert_int_equal(mig_placement_get_wanted(placement, 3, 0), 3);
	assert_int_equal(mig_placement_get_wanted(placement, 4, 0), 0);
	assert_true(mig_placement_has_choice(placement));
	assert_false(mig_placement_moves_twice(placement));
	mig_placement_free(placement);
}

static void one_nearest_target_is_no_choice(void **state)
{
	const struct mig_nodeset to = set_of(0x4);
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .to = &to });

	for (int node = 0; node < 5; node++)
		assert_int_equal(mig_placement_get_wanted(placement, node, 0), 2);
	assert_false(mig_placement_has_choice(placement));
	mig_placement_free(placement);
}

static void nearest_covers_only_the_sources_if_there_are_any(void **state)
{
	const struct mig_nodeset from = set_of(0x2), to = set_of(0x9);
	struct mig_placement *placement = make(
		state, (struct mig_placement_options){
			       .place = MIG_PLACE_NEAREST, .from = &from, .to = &to });

	assert_int_equal(mig_placement_get_wanted(placement, 1, 0), 0);
	assert_int_equal(mig_placement_get_wanted(placement, 2, 0), MIG_NO_NODE);
	mig_placement_free(placement);
}

/* ---- spread ---- */

static void spread_interleaves_by_the_number_of_the_page(void **state)
{
	const struct mig_nodeset to = set_of(0xd);
	static const int expected[] = { 0, 2, 3, 0, 2, 3 };
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .place = MIG_PLACE_SPREAD,
							    .to = &to });

	for (uint64_t index = 0; index < 6; index++)
		for (int node = 0; node < 5; node++)
			assert_int_equal(mig_placement_get_wanted(placement, node, index),
					 expected[index]);
	assert_int_equal(mig_placement_get_wanted(placement, MIG_NO_NODE, 0),
			 MIG_NO_NODE);
	assert_int_equal(mig_placement_get_wanted(placement, 1024, 0), MIG_NO_NODE);
	assert_true(mig_placement_is_interleaved(placement));
	assert_true(mig_placement_moves_twice(placement));
	mig_placement_free(placement);
}

static void weights_are_of_the_targets_in_ascending_order(void **state)
{
	const struct mig_nodeset from = set_of(0x1), to = set_of(0xc);
	static const unsigned int weights[] = { 2, 3 };
	static const int expected[] = { 2, 2, 3, 3, 3, 2, 2 };
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .place = MIG_PLACE_SPREAD,
							    .from = &from,
							    .to = &to,
							    .weights = weights,
							    .nr_weights = 2 });

	for (uint64_t index = 0; index < 7; index++)
		assert_int_equal(mig_placement_get_wanted(placement, 0, index),
				 expected[index]);
	assert_int_equal(mig_placement_get_wanted(placement, 1, 0), MIG_NO_NODE);
	mig_placement_free(placement);
}

static void spreading_over_one_node_is_no_interleaving(void **state)
{
	const struct mig_nodeset to = set_of(0x2);
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .place = MIG_PLACE_SPREAD,
							    .to = &to });

	assert_int_equal(mig_placement_get_wanted(placement, 0, 12345), 1);
	assert_false(mig_placement_is_interleaved(placement));
	mig_placement_free(placement);
}

static void weights_may_be_as_large_as_they_like(void **state)
{
	const struct mig_nodeset to = set_of(0x1f);
	static const unsigned int weights[] = { UINT32_MAX, UINT32_MAX, UINT32_MAX,
						UINT32_MAX, 1 };
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .place = MIG_PLACE_SPREAD,
							    .to = &to,
							    .weights = weights,
							    .nr_weights = 5 });

	assert_int_equal(mig_placement_get_wanted(placement, 0, 4 * (uint64_t)UINT32_MAX),
			 4);
	assert_int_equal(
		mig_placement_get_wanted(placement, 0, 4 * (uint64_t)UINT32_MAX + 1), 0);
	mig_placement_free(placement);
}

/* ---- map ---- */

static void a_map_covers_its_sources_and_nothing_else(void **state)
{
	static const struct mig_node_pair map[] = { { 0, 4 }, { 1, 4 }, { 2, 2 } };
	const struct mig_nodeset targets = set_of(0x14);
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){ .map = map, .nr_map = 3 });

	assert_int_equal(mig_placement_get_wanted(placement, 0, 0), 4);
	assert_int_equal(mig_placement_get_wanted(placement, 1, 0), 4);
	assert_int_equal(mig_placement_get_wanted(placement, 2, 0), 2);
	assert_int_equal(mig_placement_get_wanted(placement, 3, 0), MIG_NO_NODE);
	assert_int_equal(mig_placement_get_wanted(placement, 4, 0), MIG_NO_NODE);
	assert_true(mig_nodeset_is_equal(mig_placement_get_targets(placement), &targets));
	assert_false(mig_placement_moves_twice(placement));
	mig_placement_free(placement);
}

static void a_map_may_swap_two_nodes(void **state)
{
	static const struct mig_node_pair map[] = { { 0, 1 }, { 1, 0 } };
	struct mig_placement *placement =
		make(state, (struct mig_placement_options){
				    .place = MIG_PLACE_MAP, .map = map, .nr_map = 2 });

	assert_int_equal(mig_placement_get_wanted(placement, 0, 0), 1);
	assert_int_equal(mig_placement_get_wanted(placement, 1, 0), 0);
	assert_true(mig_placement_moves_twice(placement));
	mig_placement_free(placement);
}

/* ---- shares ---- */

static void shares_of_all_targets_add_up(void **state)
{
	const struct mig_nodeset from = set_of(0x3), to = set_of(0xe);
	static const unsigned int weights[] = { 1, 2, 4 };
	static const enum mig_place places[] = { MIG_PLACE_RELATIVE, MIG_PLACE_NEAREST,
						 MIG_PLACE_SPREAD };

	for (size_t i = 0; i < 3; i++) {
		bool weighted = places[i] == MIG_PLACE_SPREAD;
		struct mig_placement *placement =
			make(state, (struct mig_placement_options){
					    .place = places[i],
					    .from = &from,
					    .to = &to,
					    .weights = weighted ? weights : NULL,
					    .nr_weights = weighted ? 3 : 0 });

		for (int node = 0; node < 5; node++) {
			uint64_t sum = 0, whole = 0;

			for (int target = 0; target < 5; target++)
				sum += mig_placement_get_share(placement, node, target,
							       &whole);
			assert_int_equal(sum, node < 2 ? whole : 0);
		}
		mig_placement_free(placement);
	}
}

static void a_node_is_taken_from_where_a_page_of_it_belongs_elsewhere(void **state)
{
	static const enum mig_place places[] = { MIG_PLACE_RELATIVE, MIG_PLACE_NEAREST,
						 MIG_PLACE_SPREAD };

	for (unsigned int bits = 0; bits < 3 * 31 * 31; bits++) {
		const struct mig_nodeset from = set_of(1 + bits % 31);
		const struct mig_nodeset to = set_of(1 + bits / 31 % 31);
		struct mig_placement *placement = make(
			state,
			(struct mig_placement_options){
				.place = places[bits / 961], .from = &from, .to = &to });

		for (int node = 0; node < NR_NODES; node++) {
			bool goes = false;

			for (uint64_t page = 0; page < NR_NODES; page++) {
				int wanted =
					mig_placement_get_wanted(placement, node, page);

				goes |= wanted != MIG_NO_NODE && wanted != node;
			}
			assert_int_equal(mig_placement_takes_from(placement, node), goes);
		}
		mig_placement_free(placement);
	}
}

/* ---- what is refused ---- */

static void assert_refused(void **state, struct mig_placement_options options, int error)
{
	struct mig_placement *placement = (struct mig_placement *)-1;

	assert_int_equal(try_new(state, options, &placement), error);
	assert_ptr_equal(placement, (struct mig_placement *)-1);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
	const struct mig_nodeset none = set_of(0), one = set_of(1), two = set_of(6);
	static const unsigned int weights[] = { 1, 1, 1 }, zero[] = { 1, 0 };
	static const struct mig_node_pair map[] = { { 0, 1 } };
	const struct mig_placement_options cases[] = {
		{ .to = NULL },
		{ .to = &none },
		{ .from = &one },
		{ .place = MIG_PLACE_RELATIVE, .to = &one },
		{ .place = MIG_PLACE_MAP, .to = &one },
		{ .place = (enum mig_place)5, .to = &one },
		{ .place = (enum mig_place) - 1, .to = &one },
		{ .to = &two, .weights = weights, .nr_weights = 2 },
		{ .place = MIG_PLACE_SPREAD,
		  .to = &two,
		  .weights = weights,
		  .nr_weights = 3 },
		{ .place = MIG_PLACE_SPREAD,
		  .to = &two,
		  .weights = weights,
		  .nr_weights = 1 },
		{ .place = MIG_PLACE_SPREAD,
		  .to = &two,
		  .weights = zero,
		  .nr_weights = 2 },
		{ .place = MIG_PLACE_SPREAD,
		  .to = &two,
		  .weights = NULL,
		  .nr_weights = 2 },
		{ .map = map, .nr_map = 1, .to = &one },
		{ .map = map, .nr_map = 1, .from = &one },
		{ .map = map, .nr_map = 1, .place = MIG_PLACE_SPREAD },
		{ .map = map, .nr_map = 1, .weights = weights, .nr_weights = 1 },
		{ .map = NULL, .nr_map = 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_refused(state, cases[i], -EINVAL);
}

static void a_map_with_nodes_that_cannot_be_is_refused(void **state)
{
	static const struct mig_node_pair maps[][2] = {
		{ { 0, 1 }, { 0, 2 } },    { { -1, 1 }, { 0, 1 } },
		{ { 0, -1 }, { 1, 0 } },   { { 1024, 1 }, { 0, 1 } },
		{ { 0, 1024 }, { 1, 0 } },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		assert_refused(
			state,
			(struct mig_placement_options){ .map = maps[i], .nr_map = 2 },
			-EINVAL);
}

static void a_target_without_memory_is_refused(void **state)
{
	const struct mig_nodeset from = set_of(1), to = set_of(0x22);
	static const struct mig_node_pair map[] = { { 0, 5 } };

	assert_refused(state, (struct mig_placement_options){ .to = &to }, -ENODEV);
	assert_refused(state, (struct mig_placement_options){ .from = &from, .to = &to },
		       -ENODEV);
	assert_refused(
		state,
		(struct mig_placement_options){ .place = MIG_PLACE_SPREAD, .to = &to },
		-ENODEV);
	assert_refused(state, (struct mig_placement_options){ .map = map, .nr_map = 1 },
		       -ENODEV);
}

static void what_is_no_request_is_refused(void **state)
{
	const struct fake_machine *machine = *state;
	const struct mig_nodeset to = set_of(1);
	struct mig_placement_options options = { .size = sizeof(options), .to = &to };
	struct mig_placement *placement = NULL;

	assert_int_equal(mig_placement_new(NULL, &options, &placement), -EINVAL);
	assert_int_equal(mig_placement_new(machine->topology, NULL, &placement), -EINVAL);
	assert_int_equal(mig_placement_new(machine->topology, &options, NULL), -EINVAL);
	options.size = 1;
	assert_int_equal(mig_placement_new(machine->topology, &options, &placement),
			 -EINVAL);
	mig_placement_free(NULL);
}

#define test(function) \
	cmocka_unit_test_setup_teardown(function, set_up, fake_machine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(relative_pairs_are_those_of_migrate_pages),
		test(sources_without_memory_do_not_shift_the_pairs),
		test(a_target_that_is_a_source_of_another_moves_twice),
		test(without_sources_every_page_goes_to_the_nearest_target),
		test(one_nearest_target_is_no_choice),
		test(nearest_covers_only_the_sources_if_there_are_any),
		test(spread_interleaves_by_the_number_of_the_page),
		test(weights_are_of_the_targets_in_ascending_order),
		test(spreading_over_one_node_is_no_interleaving),
		test(weights_may_be_as_large_as_they_like),
		test(a_map_covers_its_sources_and_nothing_else),
		test(a_map_may_swap_two_nodes),
		test(shares_of_all_targets_add_up),
		test(a_node_is_taken_from_where_a_page_of_it_belongs_elsewhere),
		test(options_that_contradict_each_other_are_refused),
		test(a_map_with_nodes_that_cannot_be_is_refused),
		test(a_target_without_memory_is_refused),
		test(what_is_no_request_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
