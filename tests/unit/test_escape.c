/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "escape.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_escaped(const char *text, size_t length, const char *expected)
{
	/* Just as large as promised: the sanitizer sees what goes beyond. */
	char *buffer = malloc(ESCAPE_SIZE(length));

	assert_non_null(buffer);
	assert_int_equal(escape_text(text, length, buffer), strlen(expected));
	assert_string_equal(buffer, expected);
	free(buffer);
}

static int speak(const char *locale)
{
	return setlocale(LC_CTYPE, locale) != NULL;
}

static void printable_text_passes(void **state)
{
	(void)state;
	assert_true(speak("C"));
	assert_escaped("", 0, "");
	assert_escaped("redis-server *:6379", 19, "redis-server *:6379");
	assert_escaped("a\\b", 3, "a\\b");
}

static void control_characters_become_letters_or_numbers(void **state)
{
	(void)state;
	assert_true(speak("C"));
	assert_escaped("a\nb\tc\rd", 7, "a\\nb\\tc\\rd");
	assert_escaped("\x1b[31m", 5, "\\x1b[31m");
	assert_escaped("\x7f", 1, "\\x7f");
	assert_escaped("a\0b", 3, "a\\x00b");
}

static void bytes_beyond_ascii_are_numbers_where_they_mean_nothing(void **state)
{
	(void)state;
	assert_true(speak("C"));
	assert_escaped("\xc3\xa9", 2, "\\xc3\\xa9");
}

static void utf_8_passes_where_it_is_spoken(void **state)
{
	(void)state;
	if (!speak("C.UTF-8")) {
		print_message("there is no locale C.UTF-8\n");
		skip();
	}
	assert_escaped("\xc3\xa9", 2, "\xc3\xa9");
	assert_escaped("\xe6\x97\xa5", 3, "\xe6\x97\xa5");
	/* Cut off, alone, and a control character of two bytes (U+009B). */
	assert_escaped("a\xe6\x97", 3, "a\\xe6\\x97");
	assert_escaped("\xff", 1, "\\xff");
	assert_escaped("\xc2\x9b", 2, "\\xc2\\x9b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable_text_passes),
		cmocka_unit_test(control_characters_become_letters_or_numbers),
		cmocka_unit_test(bytes_beyond_ascii_are_numbers_where_they_mean_nothing),
		cmocka_unit_test(utf_8_passes_where_it_is_spoken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
