/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "maps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static int parse(const char *string, struct mig_maps_line *ret_line)
{
	const struct mig_text text = { .at = string, .length = strlen(string) };

	return mig_maps_parse(text, ret_line);
}

static void assert_name(const char *string, const char *expected)
{
	struct mig_maps_line line;

	assert_int_equal(parse(string, &line), 0);
	assert_int_equal(line.name.length, strlen(expected));
	assert_memory_equal(line.name.at, expected, line.name.length);
}

static void every_field_of_a_file_mapping_is_read(void **state)
{
	struct mig_maps_line line;

	(void)state;
	assert_int_equal(parse("55f2eaeec000-55f2eaef1000 r-xp 00002000 fe:1a 1837"
			       "                     /usr/bin/cat",
			       &line),
			 0);
	assert_true(line.start == UINT64_C(0x55f2eaeec000));
	assert_true(line.end == UINT64_C(0x55f2eaef1000));
	assert_string_equal(line.permissions, "r-xp");
	assert_int_equal(line.file_offset_bytes, 0x2000);
	assert_int_equal(line.device_major, 0xfe);
	assert_int_equal(line.device_minor, 0x1a);
	assert_int_equal(line.inode, 1837);
	assert_int_equal(line.name.length, strlen("/usr/bin/cat"));
	assert_memory_equal(line.name.at, "/usr/bin/cat", line.name.length);
}

static void anonymous_memory_has_an_empty_name(void **state)
{
	(void)state;
	assert_name("1000-2000 rw-p 00000000 00:00 0 ", "");
	assert_name("1000-2000 rw-p 00000000 00:00 0", "");
}

static void the_highest_address_fits(void **state)
{
	struct mig_maps_line line;

	(void)state;
	assert_int_equal(parse("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0"
			       "                  [vsyscall]",
			       &line),
			 0);
	assert_true(line.end == UINT64_C(0xffffffffff601000));
	assert_string_equal(line.permissions, "--xp");
}

static void a_name_keeps_blanks_escapes_and_what_looks_like_a_field(void **state)
{
	(void)state;
	assert_name("1000-2000 r--s 00000000 00:01 9   /a b  c ", "/a b  c ");
	assert_name("1000-2000 r--s 00000000 00:01 9   /a\\012b", "/a\\012b");
	assert_name("1000-2000 r--s 00000000 00:01 9   /a (deleted)", "/a (deleted)");
	assert_name("1000-2000 r--s 00000000 00:01 9   /1000-2000 rw-p 0",
		    "/1000-2000 rw-p 0");
	assert_name("1000-2000 rw-p 00000000 00:00 0   [anon:a b]", "[anon:a b]");
	assert_name("1000-2000 r--s 00000000 00:01 9   \xff\x1b[31m", "\xff\x1b[31m");
}

static void large_device_numbers_offsets_and_inodes_fit(void **state)
{
	struct mig_maps_line line;

	(void)state;
	assert_int_equal(parse("1000-2000 r--s fffffffffffff000 fff:fffff "
			       "18446744073709551615 /x",
			       &line),
			 0);
	assert_true(line.file_offset_bytes == UINT64_C(0xfffffffffffff000));
	assert_int_equal(line.device_major, 0xfff);
	assert_int_equal(line.device_minor, 0xfffff);
	assert_true(line.inode == UINT64_MAX);
}

static void an_empty_or_backward_range_is_refused(void **state)
{
	struct mig_maps_line line;

	(void)state;
	assert_int_equal(parse("2000-2000 rw-p 00000000 00:00 0 ", &line), -EBADMSG);
	assert_int_equal(parse("2000-1000 rw-p 00000000 00:00 0 ", &line), -EBADMSG);
}

static void what_is_no_such_line_is_refused_and_the_output_kept(void **state)
{
	static const char *const bad[] = {
		"",
		"1000",
		"1000-",
		"1000-2000",
		"1000-2000 ",
		"1000-2000 rw-",
		"1000-2000 rw-q 00000000 00:00 0 ",
		"1000-2000 wr-p 00000000 00:00 0 ",
		"1000-2000 rw-p",
		"1000-2000 rw-p 00000000 00:00",
		"1000-2000 rw-p 00000000 00:00 ",
		"1000-2000 rw-p 00000000 0000 0 ",
		"1000-2000 rw-p 00000000 00:00 0x",
		"1000-2000 rw-p 00000000 100000000:00 0 ",
		"1000-2000 rw-p zero 00:00 0 ",
		"1000 -2000 rw-p 00000000 00:00 0 ",
		" 1000-2000 rw-p 00000000 00:00 0 ",
		"1000-20000000000000000 rw-p 00000000 00:00 0 ",
		"1000-2000 rw-p 00000000 00:00 18446744073709551616 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mig_maps_line line = { .start = 7 };

		assert_int_equal(parse(bad[i], &line), -EBADMSG);
		assert_int_equal(line.start, 7);
	}
}

static void a_nul_among_the_permissions_is_refused(void **state)
{
	static const char bytes[] = "1000-2000 r\0-p 00000000 00:00 0 ";
	const struct mig_text text = { .at = bytes, .length = sizeof(bytes) - 1 };
	struct mig_maps_line line;

	(void)state;
	assert_int_equal(mig_maps_parse(text, &line), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_file_mapping_is_read),
		cmocka_unit_test(anonymous_memory_has_an_empty_name),
		cmocka_unit_test(the_highest_address_fits),
		cmocka_unit_test(a_name_keeps_blanks_escapes_and_what_looks_like_a_field),
		cmocka_unit_test(large_device_numbers_offsets_and_inodes_fit),
		cmocka_unit_test(an_empty_or_backward_range_is_refused),
		cmocka_unit_test(what_is_no_such_line_is_refused_and_the_output_kept),
		cmocka_unit_test(a_nul_among_the_permissions_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
