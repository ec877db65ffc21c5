/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "number.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Every value of the tests differs from this one. */
#define UNTOUCHED 4711

static void assert_number(const char *text, int expected_result, uint64_t expected)
{
	uint64_t number = UNTOUCHED;

	assert_int_equal(number_parse(text, strlen(text), &number), expected_result);
	assert_int_equal(number, expected_result ? UNTOUCHED : expected);
}

static void a_number_is_decimal_digits_and_nothing_else(void **state)
{
	(void)state;
	assert_number("0", 0, 0);
	assert_number("0042", 0, 42);
	assert_number("", -EINVAL, 0);
	assert_number("-1", -EINVAL, 0);
	assert_number("+1", -EINVAL, 0);
	assert_number(" 1", -EINVAL, 0);
	assert_number("1 ", -EINVAL, 0);
	assert_number("12x", -EINVAL, 0);
	assert_number("0x12", -EINVAL, 0);
	assert_number("1.5", -EINVAL, 0);
}

static void the_largest_number_fits_and_the_next_does_not(void **state)
{
	(void)state;
	assert_number("18446744073709551615", 0, UINT64_MAX);
	assert_number("18446744073709551616", -ERANGE, 0);
	assert_number("99999999999999999999999", -ERANGE, 0);
}

static void nothing_behind_the_length_is_read(void **state)
{
	uint64_t number;

	(void)state;
	assert_int_equal(number_parse("123456", 3, &number), 0);
	assert_int_equal(number, 123);
	assert_int_equal(number_parse("1", 0, &number), -EINVAL);
}

static void assert_percent(const char *text, int expected_result, unsigned int expected)
{
	unsigned int percent = UNTOUCHED;

	assert_int_equal(number_parse_percent(text, strlen(text), &percent),
			 expected_result);
	assert_int_equal(percent, expected_result ? UNTOUCHED : expected);
}

static void a_percentage_is_0_to_100_with_or_without_its_sign(void **state)
{
	(void)state;
	assert_percent("95", 0, 95);
	assert_percent("95%", 0, 95);
	assert_percent("0", 0, 0);
	assert_percent("100%", 0, 100);
	assert_percent("101", -ERANGE, 0);
	assert_percent("18446744073709551615%", -ERANGE, 0);
	assert_percent("%", -EINVAL, 0);
	assert_percent("", -EINVAL, 0);
	assert_percent("95%%", -EINVAL, 0);
	assert_percent("95 %", -EINVAL, 0);
}

static void assert_range(const char *text, int expected_result, uint64_t start,
			 uint64_t end)
{
	struct mig_address_range range = { UNTOUCHED, UNTOUCHED };

	assert_int_equal(number_parse_range(text, strlen(text), &range), expected_result);
	assert_int_equal(range.start, expected_result ? UNTOUCHED : start);
	assert_int_equal(range.end, expected_result ? UNTOUCHED : end);
}

static void a_range_is_hexadecimal_with_or_without_0x(void **state)
{
	(void)state;
	assert_range("7f00-7f10", 0, 0x7f00, 0x7f10);
	assert_range("0x7F00-0X7f10", 0, 0x7f00, 0x7f10);
	assert_range("0x0-ff", 0, 0, 0xff);
	assert_range("0-ffffffffffffffff", 0, 0, UINT64_MAX);
}

static void a_range_that_is_not_whole_is_refused(void **state)
{
	(void)state;
	assert_range("", -EINVAL, 0, 0);
	assert_range("7f00", -EINVAL, 0, 0);
	assert_range("7f00-", -EINVAL, 0, 0);
	assert_range("-7f10", -EINVAL, 0, 0);
	assert_range("0x-0x10", -EINVAL, 0, 0);
	assert_range("7f00-7f10x", -EINVAL, 0, 0);
	assert_range("7f00-7f10-7f20", -EINVAL, 0, 0);
	assert_range("7f00 -7f10", -EINVAL, 0, 0);
	assert_range("0-10000000000000000", -ERANGE, 0, 0);
	assert_range("10000000000000000-1", -ERANGE, 0, 0);
}

static void a_range_that_runs_backwards_or_is_empty_is_refused(void **state)
{
	(void)state;
	assert_range("20-10", -EDOM, 0, 0);
	assert_range("20-20", -EDOM, 0, 0);
}

static void a_fraction_is_multiplied_without_a_rounding_error(void **state)
{
	/* Each digit alone would lose a part of a unit; together they are exact. */
	const struct decimal quarter = { .whole = 0, .fraction = 25, .scale = 100 };
	const struct decimal large = { .whole = 1,
				       .fraction = 999999999,
				       .scale = 1000000000 };
	uint64_t product;

	(void)state;
	assert_int_equal(number_multiply(&quarter, UINT64_C(1) << 30, &product), 0);
	assert_int_equal(product, UINT64_C(1) << 28);
	assert_int_equal(number_multiply(&large, UINT64_C(1) << 60, &product), 0);
	assert_int_equal(product, UINT64_C(2305843008060772447));
}

static void a_product_beyond_64_bits_is_refused(void **state)
{
	const struct decimal below = { .whole = 15, .fraction = 9, .scale = 10 };
	const struct decimal above = { .whole = 16, .fraction = 0, .scale = 1 };
	uint64_t product = UNTOUCHED;

	(void)state;
	assert_int_equal(number_multiply(&above, UINT64_C(1) << 60, &product), -ERANGE);
	assert_int_equal(product, UNTOUCHED);
	assert_int_equal(number_multiply(&below, UINT64_C(1) << 60, &product), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_decimal_digits_and_nothing_else),
		cmocka_unit_test(the_largest_number_fits_and_the_next_does_not),
		cmocka_unit_test(nothing_behind_the_length_is_read),
		cmocka_unit_test(a_percentage_is_0_to_100_with_or_without_its_sign),
		cmocka_unit_test(a_range_is_hexadecimal_with_or_without_0x),
		cmocka_unit_test(a_range_that_is_not_whole_is_refused),
		cmocka_unit_test(a_range_that_runs_backwards_or_is_empty_is_refused),
		cmocka_unit_test(a_fraction_is_multiplied_without_a_rounding_error),
		cmocka_unit_test(a_product_beyond_64_bits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
