/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "duration.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 4711

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static void assert_duration(const char *text, uint64_t expected)
{
	uint64_t ns = UNTOUCHED;

	assert_int_equal(duration_parse(text, strlen(text), &ns), 0);
	assert_int_equal(ns, expected);
}

static void assert_refused(const char *text, int error)
{
	uint64_t ns = UNTOUCHED;

	assert_int_equal(duration_parse(text, strlen(text), &ns), error);
	assert_int_equal(ns, UNTOUCHED);
}

static void assert_formatted(uint64_t ns, const char *expected)
{
	char buffer[DURATION_TEXT_SIZE];

	assert_string_equal(duration_format(ns, buffer), expected);
}

static void a_number_alone_is_seconds(void **state)
{
	(void)state;
	assert_duration("5", 5 * S);
	assert_duration("0", 0);
	assert_duration("0.5", 500 * MS);
}

static void every_unit_is_understood(void **state)
{
	(void)state;
	assert_duration("7ns", 7);
	assert_duration("7us", 7000);
	assert_duration("200ms", 200 * MS);
	assert_duration("5s", 5 * S);
	assert_duration("1m", 60 * S);
	assert_duration("1.5m", 90 * S);
	assert_duration("2h", 7200 * S);
}

static void what_is_no_duration_is_refused(void **state)
{
	(void)state;
	assert_refused("", -EINVAL);
	assert_refused("s", -EINVAL);
	assert_refused("5x", -EINVAL);
	assert_refused("5S", -EINVAL);
	assert_refused("5 s", -EINVAL);
	assert_refused("5s1", -EINVAL);
	assert_refused("1m30s", -EINVAL);
	assert_refused("-5s", -EINVAL);
}

static void what_does_not_fit_64_bits_is_refused(void **state)
{
	(void)state;
	assert_duration("18446744073s", UINT64_C(18446744073) * S);
	assert_refused("18446744074s", -ERANGE);
	assert_refused("5124096h", -ERANGE);
	assert_refused("99999999999999999999", -ERANGE);
}

static void durations_are_written_in_the_unit_that_fits(void **state)
{
	(void)state;
	assert_formatted(0, "0s");
	assert_formatted(850000, "850us");
	assert_formatted(12 * MS, "12ms");
	assert_formatted(4500 * MS, "4.5s");
	assert_formatted(3000 * MS, "3s");
	assert_formatted(42 * S, "42s");
	assert_formatted(200 * S, "3m20s");
	assert_formatted(7500 * S, "2h05m");
}

static void rounding_up_may_reach_the_next_unit(void **state)
{
	(void)state;
	assert_formatted(59600 * MS, "1m00s");
	assert_formatted(59400 * MS, "59s");
	assert_formatted(3599600 * MS, "1h00m");
}

static void the_longest_duration_can_be_written(void **state)
{
	(void)state;
	assert_formatted(UINT64_MAX, "5124095h34m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_alone_is_seconds),
		cmocka_unit_test(every_unit_is_understood),
		cmocka_unit_test(what_is_no_duration_is_refused),
		cmocka_unit_test(what_does_not_fit_64_bits_is_refused),
		cmocka_unit_test(durations_are_written_in_the_unit_that_fits),
		cmocka_unit_test(rounding_up_may_reach_the_next_unit),
		cmocka_unit_test(the_longest_duration_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
