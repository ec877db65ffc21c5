/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpulist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_shortened(const char *list, const char *expected)
{
	char *text = cpulist_shorten(list);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void lists_of_ranges_stay_as_they_are(void **state)
{
	(void)state;
	assert_shortened("", "");
	assert_shortened("0", "0");
	assert_shortened("0-31", "0-31");
	assert_shortened("0-7,64-71", "0-7,64-71");
	assert_shortened("0-1,4-5,8-9,12-13", "0-1,4-5,8-9,12-13");
}

static void cpus_at_equal_distances_become_one_item(void **state)
{
	(void)state;
	assert_shortened("0,2,4,6", "0-6:2");
	assert_shortened("1,65,129,193,257", "1-257:64");
	assert_shortened("0,2,4,6,8,11", "0-8:2,11");
	assert_shortened("0-3,8,10,12,14,20-21", "0-3,8-14:2,20-21");
	assert_shortened("0,2,4,6,10,14,18", "0-6:2,10,14,18");
	assert_shortened("0,2,4,6,100,103,106,109", "0-6:2,100-109:3");
}

static void a_few_of_them_stay_as_they_are(void **state)
{
	(void)state;
	assert_shortened("0,2,4", "0,2,4");
	assert_shortened("0,64", "0,64");
	assert_shortened("0,1,3,7,13", "0,1,3,7,13");
}

static void what_is_no_list_stays_as_it_is(void **state)
{
	(void)state;
	assert_shortened("0,x,4,6", "0,x,4,6");
	assert_shortened("6,4,2,0", "6,4,2,0");
	assert_shortened("5,5,5,5,5", "5,5,5,5,5");
	assert_shortened("0,,2", "0,,2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_ranges_stay_as_they_are),
		cmocka_unit_test(cpus_at_equal_distances_become_one_item),
		cmocka_unit_test(a_few_of_them_stay_as_they_are),
		cmocka_unit_test(what_is_no_list_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
