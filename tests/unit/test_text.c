/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct mig_text text_of(const char *string)
{
	return (struct mig_text){ .at = string, .length = strlen(string) };
}

static void assert_text(struct mig_text text, const char *expected)
{
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.at, expected, text.length);
}

static void a_character_is_taken_only_if_it_is_next(void **state)
{
	struct mig_text text = text_of("ab");

	(void)state;
	assert_false(mig_text_take_char(&text, 'b'));
	assert_text(text, "ab");
	assert_true(mig_text_take_char(&text, 'a'));
	assert_true(mig_text_take_char(&text, 'b'));
	assert_false(mig_text_take_char(&text, 'b'));
	assert_false(mig_text_take_char(&text, '\0'));
}

static void a_string_is_taken_whole_or_not_at_all(void **state)
{
	struct mig_text text = text_of("anon=3");

	(void)state;
	/* What follows in memory is not part of it. */
	text.length = 5;
	assert_false(mig_text_take_string(&text, "anon=3"));
	text.length = 6;
	assert_false(mig_text_take_string(&text, "anon=34"));
	assert_false(mig_text_take_string(&text, "anom"));
	assert_text(text, "anon=3");
	assert_true(mig_text_take_string(&text, "anon="));
	assert_text(text, "3");
	assert_true(mig_text_take_string(&text, ""));
	assert_text(text, "3");
}

static void blanks_are_spaces_and_tabs(void **state)
{
	struct mig_text text = text_of(" \t \nx");

	(void)state;
	assert_true(mig_text_take_blanks(&text));
	assert_text(text, "\nx");
	assert_false(mig_text_take_blanks(&text));
}

static void a_number_ends_at_the_first_other_character(void **state)
{
	struct mig_text text = text_of("0421ab-");
	uint64_t number = 7;

	(void)state;
	assert_int_equal(mig_text_take_number(&text, 10, &number), 0);
	assert_int_equal(number, 421);
	assert_text(text, "ab-");
	assert_int_equal(mig_text_take_number(&text, 16, &number), 0);
	assert_int_equal(number, 0xab);
	assert_text(text, "-");
}

static void hexadecimal_digits_may_be_large_or_small(void **state)
{
	struct mig_text text = text_of("7fFFabCD0000");
	uint64_t number;

	(void)state;
	assert_int_equal(mig_text_take_number(&text, 16, &number), 0);
	assert_true(number == UINT64_C(0x7fffabcd0000));
}

static void no_digit_is_refused_and_nothing_is_taken(void **state)
{
	static const char *const none[] = { "", "-1", "+1", " 1", "x", "a" };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct mig_text text = text_of(none[i]);
		uint64_t number = 7;

		assert_int_equal(mig_text_take_number(&text, 10, &number), -EINVAL);
		assert_int_equal(number, 7);
		assert_text(text, none[i]);
	}
}

static void the_largest_number_fits_and_the_next_does_not(void **state)
{
	struct mig_text largest = text_of("18446744073709551615");
	struct mig_text decimal = text_of("18446744073709551616");
	struct mig_text longer = text_of("184467440737095516150");
	struct mig_text hexadecimal = text_of("10000000000000000");
	uint64_t number = 7;

	(void)state;
	assert_int_equal(mig_text_take_number(&decimal, 10, &number), -ERANGE);
	assert_int_equal(mig_text_take_number(&longer, 10, &number), -ERANGE);
	assert_int_equal(mig_text_take_number(&hexadecimal, 16, &number), -ERANGE);
	assert_int_equal(number, 7);
	assert_text(decimal, "18446744073709551616");
	assert_int_equal(mig_text_take_number(&largest, 10, &number), 0);
	assert_true(number == UINT64_MAX);
}

static void a_word_ends_at_a_blank_or_at_the_end(void **state)
{
	struct mig_text text = text_of("one\ttwo");

	(void)state;
	assert_text(mig_text_take_word(&text), "one");
	assert_text(mig_text_take_word(&text), "");
	assert_true(mig_text_take_blanks(&text));
	assert_text(mig_text_take_word(&text), "two");
	assert_text(mig_text_take_word(&text), "");
}

static void a_line_is_given_without_its_newline(void **state)
{
	struct mig_text text = text_of("one\n\nthree");

	(void)state;
	assert_text(mig_text_take_line(&text), "one");
	assert_text(mig_text_take_line(&text), "");
	assert_text(mig_text_take_line(&text), "three");
	assert_int_equal(text.length, 0);
	assert_text(mig_text_take_line(&text), "");
}

static void trimming_cuts_the_end_only(void **state)
{
	struct mig_text text = { .at = " a b\t \n\0\n", .length = 9 };
	struct mig_text nothing = text_of(" \n");

	(void)state;
	mig_text_trim(&text);
	assert_text(text, " a b");
	mig_text_trim(&nothing);
	assert_text(nothing, "");
}

static void a_text_is_a_string_only_if_all_of_it_is(void **state)
{
	(void)state;
	assert_true(mig_text_is(text_of("heap"), "heap"));
	assert_false(mig_text_is(text_of("heaps"), "heap"));
	assert_false(mig_text_is(text_of("hea"), "heap"));
	assert_true(mig_text_is(text_of(""), ""));
}

static void a_field_is_found_at_the_beginning_of_a_line(void **state)
{
	const char *status = "Name:\tTgid: 9\nNSTgid:\t8\nTgid:\t 42\nPid:\t43";
	struct mig_text value = text_of("untouched");

	(void)state;
	assert_true(mig_text_find_field(text_of(status), "Tgid", &value));
	assert_text(value, "42");
	assert_true(mig_text_find_field(text_of(status), "Pid", &value));
	assert_text(value, "43");
}

static void a_missing_field_leaves_the_value_alone(void **state)
{
	struct mig_text value = text_of("untouched");

	(void)state;
	assert_false(mig_text_find_field(text_of("Tgid 4\nTgids: 5\n"), "Tgid", &value));
	assert_false(mig_text_find_field(text_of(""), "Tgid", &value));
	assert_text(value, "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_character_is_taken_only_if_it_is_next),
		cmocka_unit_test(a_string_is_taken_whole_or_not_at_all),
		cmocka_unit_test(blanks_are_spaces_and_tabs),
		cmocka_unit_test(a_number_ends_at_the_first_other_character),
		cmocka_unit_test(hexadecimal_digits_may_be_large_or_small),
		cmocka_unit_test(no_digit_is_refused_and_nothing_is_taken),
		cmocka_unit_test(the_largest_number_fits_and_the_next_does_not),
		cmocka_unit_test(a_word_ends_at_a_blank_or_at_the_end),
		cmocka_unit_test(a_line_is_given_without_its_newline),
		cmocka_unit_test(trimming_cuts_the_end_only),
		cmocka_unit_test(a_text_is_a_string_only_if_all_of_it_is),
		cmocka_unit_test(a_field_is_found_at_the_beginning_of_a_line),
		cmocka_unit_test(a_missing_field_leaves_the_value_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
