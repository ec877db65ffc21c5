/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nodelist.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct mig_text text_of(const char *string)
{
	return (struct mig_text){ .at = string, .length = strlen(string) };
}

static bool has(const struct mig_nodeset *set, unsigned int node)
{
	return set->bits[node / 64] >> (node % 64) & 1;
}

static unsigned int count(const struct mig_nodeset *set)
{
	unsigned int nr = 0;

	for (unsigned int node = 0; node < MIG_MAX_NODES; node++)
		nr += has(set, node);
	return nr;
}

static void ranges_and_single_numbers_are_read(void **state)
{
	struct mig_nodeset set;

	(void)state;
	assert_int_equal(mig_nodelist_parse(text_of("0-2,5,63-64"), &set), 0);
	assert_int_equal(count(&set), 6);
	assert_true(has(&set, 0) && has(&set, 1) && has(&set, 2) && has(&set, 5));
	assert_true(has(&set, 63) && has(&set, 64));
}

static void the_last_node_is_in_and_the_next_is_out_of_range(void **state)
{
	struct mig_nodeset set = { { 5 } };

	(void)state;
	assert_int_equal(mig_nodelist_parse(text_of("1024"), &set), -ERANGE);
	assert_int_equal(mig_nodelist_parse(text_of("0-1024"), &set), -ERANGE);
	assert_int_equal(mig_nodelist_parse(text_of("99999999999999999999"), &set),
			 -ERANGE);
	assert_int_equal(set.bits[0], 5);
	assert_int_equal(mig_nodelist_parse(text_of("0-1023"), &set), 0);
	assert_int_equal(count(&set), 1024);
}

static void a_range_that_runs_backwards_is_refused(void **state)
{
	struct mig_nodeset set = { { 5 } };

	(void)state;
	assert_int_equal(mig_nodelist_parse(text_of("3-1"), &set), -ERANGE);
	assert_int_equal(set.bits[0], 5);
}

static void an_empty_list_is_an_empty_set(void **state)
{
	static const struct mig_text lists[] = { { "", 0 }, { "\n", 1 }, { "\n\0", 2 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct mig_nodeset set = { { 5 } };

		assert_int_equal(mig_nodelist_parse(lists[i], &set), 0);
		assert_int_equal(count(&set), 0);
	}
}

static void what_the_kernel_puts_behind_a_list_is_passed_over(void **state)
{
	struct mig_nodeset set;
	const struct mig_text with_nul = { .at = "0,2\n\0", .length = 5 };

	(void)state;
	assert_int_equal(mig_nodelist_parse(with_nul, &set), 0);
	assert_int_equal(count(&set), 2);
}

static void rubbish_is_refused(void **state)
{
	static const char *const rubbish[] = { ",",   "0,",    ",0",  "0-",   "-1",
					       "a",   "0 1",   "0;1", "0--1", "+0",
					       " 0",  "0-1-2", "0x1", "all",  "0,,1",
					       "1-a", "0\n1" };

	(void)state;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
		struct mig_nodeset set = { { 5 } };

		assert_int_equal(mig_nodelist_parse(text_of(rubbish[i]), &set), -EINVAL);
		assert_int_equal(set.bits[0], 5);
	}
}

static int add_up(void *data, uint64_t first, uint64_t last)
{
	uint64_t *sum = data;

	*sum = *sum * 1000 + last - first + 1;
	return *sum > 4000 ? 17 : 0;
}

static void a_visit_takes_larger_numbers_in_their_order(void **state)
{
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(mig_nodelist_visit(text_of("5000-5001,9\n"), add_up, &sum), 0);
	assert_int_equal(sum, 2001);
}

static void a_visitor_can_end_the_walk(void **state)
{
	uint64_t sum = 0;

	(void)state;
	assert_int_equal(mig_nodelist_visit(text_of("0-4,7,8"), add_up, &sum), 17);
	assert_int_equal(sum, 5001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_and_single_numbers_are_read),
		cmocka_unit_test(the_last_node_is_in_and_the_next_is_out_of_range),
		cmocka_unit_test(a_range_that_runs_backwards_is_refused),
		cmocka_unit_test(an_empty_list_is_an_empty_set),
		cmocka_unit_test(what_the_kernel_puts_behind_a_list_is_passed_over),
		cmocka_unit_test(rubbish_is_refused),
		cmocka_unit_test(a_visit_takes_larger_numbers_in_their_order),
		cmocka_unit_test(a_visitor_can_end_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
