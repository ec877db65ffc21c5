/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "size.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 4711

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static void assert_size(const char *text, uint64_t expected)
{
	uint64_t bytes = UNTOUCHED;

	assert_int_equal(size_parse(text, strlen(text), &bytes), 0);
	assert_int_equal(bytes, expected);
}

static void assert_refused(const char *text, int error)
{
	uint64_t bytes = UNTOUCHED;

	assert_int_equal(size_parse(text, strlen(text), &bytes), error);
	assert_int_equal(bytes, UNTOUCHED);
}

static void assert_formatted(uint64_t bytes, const char *expected)
{
	char buffer[SIZE_TEXT_SIZE];

	assert_string_equal(size_format(bytes, buffer), expected);
}

static void a_number_alone_is_bytes(void **state)
{
	(void)state;
	assert_size("0", 0);
	assert_size("4096", 4096);
	assert_size("4096B", 4096);
	assert_size("18446744073709551615", UINT64_MAX);
}

static void letters_are_powers_of_1024_and_with_b_of_1000(void **state)
{
	(void)state;
	assert_size("1K", KIB);
	assert_size("1k", KIB);
	assert_size("1KiB", KIB);
	assert_size("1kib", KIB);
	assert_size("1KB", 1000);
	assert_size("512M", 512 * MIB);
	assert_size("100MB", 100 * UINT64_C(1000000));
	assert_size("2T", 2048 * GIB);
	assert_size("1P", UINT64_C(1) << 50);
	assert_size("15E", UINT64_C(15) << 60);
	assert_size("18EB", UINT64_C(18000000000000000000));
}

static void a_fraction_needs_a_unit(void **state)
{
	(void)state;
	assert_size("1.5G", GIB + 512 * MIB);
	assert_size("0.25M", 256 * KIB);
	assert_size("1.000000001G", GIB + 1);
	assert_refused("1.5", -EINVAL);
	assert_refused("1.5B", -EINVAL);
	assert_refused("1.G", -EINVAL);
	assert_refused(".5G", -EINVAL);
	assert_refused("1.0000000001G", -ERANGE);
}

static void what_is_no_size_is_refused(void **state)
{
	(void)state;
	assert_refused("", -EINVAL);
	assert_refused("G", -EINVAL);
	assert_refused("12x", -EINVAL);
	assert_refused("12Kx", -EINVAL);
	assert_refused("12KiBs", -EINVAL);
	assert_refused("12Ki", -EINVAL);
	assert_refused("12 K", -EINVAL);
	assert_refused("-1K", -EINVAL);
	assert_refused("1,5G", -EINVAL);
	assert_refused("0x10", -EINVAL);
}

static void a_nul_byte_is_no_unit(void **state)
{
	uint64_t bytes = UNTOUCHED;

	(void)state;
	assert_int_equal(size_parse("12\0", 3, &bytes), -EINVAL);
	assert_int_equal(bytes, UNTOUCHED);
}

static void what_does_not_fit_64_bits_is_refused(void **state)
{
	(void)state;
	assert_refused("16E", -ERANGE);
	assert_refused("18446744073709551616", -ERANGE);
	assert_refused("99999999999999999999K", -ERANGE);
	assert_refused("19EB", -ERANGE);
}

static void sizes_are_written_with_at_most_three_digits(void **state)
{
	(void)state;
	assert_formatted(0, "0");
	assert_formatted(1, "1B");
	assert_formatted(1023, "1023B");
	assert_formatted(KIB, "1K");
	assert_formatted(1536, "1.5K");
	assert_formatted(512 * MIB, "512M");
	assert_formatted(GIB + 200 * MIB, "1.2G");
	assert_formatted(24 * MIB + 512 * KIB, "24.5M");
	assert_formatted(100 * MIB + 512 * KIB, "101M");
	assert_formatted(UINT64_MAX, "16E");
}

static void rounding_up_may_reach_the_next_unit(void **state)
{
	(void)state;
	assert_formatted(MIB - 1, "1M");
	assert_formatted(1023 * MIB + 512 * KIB, "1G");
	assert_formatted(1023 * MIB, "1023M");
	assert_formatted(99 * MIB + 1000 * KIB, "100M");
	assert_formatted(99 * MIB + 920 * KIB, "99.9M");
	assert_formatted(GIB - 1, "1G");
}

/* What is written is at most half a digit away from what was meant. */
static void a_written_size_reads_as_nearly_the_same(void **state)
{
	(void)state;
	for (uint64_t bytes = 1024; bytes < UINT64_MAX / 2; bytes += bytes / 2 + 7) {
		char buffer[SIZE_TEXT_SIZE];
		uint64_t again;

		size_format(bytes, buffer);
		assert_int_equal(size_parse(buffer, strlen(buffer), &again), 0);
		assert_true(again > bytes - bytes / 16 && again < bytes + bytes / 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_alone_is_bytes),
		cmocka_unit_test(letters_are_powers_of_1024_and_with_b_of_1000),
		cmocka_unit_test(a_fraction_needs_a_unit),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(a_nul_byte_is_no_unit),
		cmocka_unit_test(what_does_not_fit_64_bits_is_refused),
		cmocka_unit_test(sizes_are_written_with_at_most_three_digits),
		cmocka_unit_test(rounding_up_may_reach_the_next_unit),
		cmocka_unit_test(a_written_size_reads_as_nearly_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
