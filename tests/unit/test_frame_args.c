/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame_args.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *parse(const char *text, struct frame_range *range)
{
	return frame_range_parse(text, strlen(text), 4096, range);
}

static void assert_range(const char *text, uint64_t first, uint64_t nr)
{
	struct frame_range range;
	const char *wrong = parse(text, &range);

	if (wrong)
		fail_msg("'%s' is refused: %s", text, wrong);
	assert_true(range.first == first);
	assert_true(range.nr == nr);
}

static void an_address_is_the_frame_around_it(void **state)
{
	(void)state;
	assert_range("0x12345678", 0x12345, 1);
	assert_range("0X12345000", 0x12345, 1);
	assert_range("4096", 1, 1);
	assert_range("8191", 1, 1);
	assert_range("0", 0, 1);
	assert_range("0xffffffffffffffff", 0xfffffffffffff, 1);
}

static void a_range_ends_before_its_end(void **state)
{
	(void)state;
	assert_range("0x1000-0x2000", 1, 1);
	assert_range("4096-0x10000", 1, 15);
	assert_range("0-0xfffffffffffff000", 0, 0xfffffffffffff);
}

static void a_frame_has_a_number(void **state)
{
	(void)state;
	assert_range("pfn:74565", 74565, 1);
	assert_range("pfn:0x12345", 0x12345, 1);
	assert_range("pfn:0", 0, 1);
	assert_range("pfn:0xfffffffffffff", 0xfffffffffffff, 1);
}

static void rubbish_is_refused_with_what_is_wrong_with_it(void **state)
{
	static const struct {
		const char *text;
		const char *wrong;
	} cases[] = {
		{ "", "not an address" },
		{ "x", "not an address" },
		{ "0x", "not an address" },
		{ "12x", "not an address" },
		{ "abc", "not an address" },
		{ "-", "not an address" },
		{ "0x1000-", "not an address" },
		{ "-0x1000", "not an address" },
		{ "0x1000-0x2000-0x3000", "not an address" },
		{ " 0x1000", "not an address" },
		{ "pfn:", "not an address" },
		{ "pfn:x", "not an address" },
		{ "pfn:1-2", "not an address" },
		{ "PFN:1", "not an address" },
		{ "18446744073709551616", "no address that large" },
		{ "0x10000000000000000", "no address that large" },
		{ "pfn:0x10000000000000", "no address that large" },
		{ "0x1001-0x2000", "does not begin where a page begins" },
		{ "0x1000-0x2001", "does not end where a page begins" },
		{ "0x1000-0x1000", "does not end behind its beginning" },
		{ "0x2000-0x1000", "does not end behind its beginning" },
	};
	struct frame_range range = { .nr = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *wrong = parse(cases[i].text, &range);

		if (!wrong || !strstr(wrong, cases[i].wrong))
			fail_msg("'%s': %s", cases[i].text, wrong ? wrong : "accepted");
	}
	assert_int_equal(range.nr, 77);
}

/* ---- lines ---- */

struct lines {
	struct frame_lines lines;
	int writer;
};

static int set_up(void **state)
{
	struct lines *f = calloc(1, sizeof(*f));
	int ends[2];

	if (!f || pipe(ends))
		return -1;
	f->lines.fd = ends[0];
	f->writer = ends[1];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct lines *f = *state;

	close(f->lines.fd);
	if (f->writer >= 0)
		close(f->writer);
	free(f);
	return 0;
}

static void put(struct lines *f, const char *text)
{
	assert_int_equal(write(f->writer, text, strlen(text)), strlen(text));
}

static void end(struct lines *f)
{
	close(f->writer);
	f->writer = -1;
}

static void assert_word(struct lines *f, const char *expected)
{
	const char *word;
	size_t length;

	assert_int_equal(frame_lines_next(&f->lines, false, &word, &length), 1);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(word, expected, length);
}

static int next(struct lines *f, bool may_wait)
{
	const char *word;
	size_t length;

	return frame_lines_next(&f->lines, may_wait, &word, &length);
}

static void blanks_and_comments_are_passed_over(void **state)
{
	struct lines *f = *state;

	put(f, "# all of it\n\n \t \n  0x1000 \t# why\r\npfn:7\r\n#");
	assert_word(f, "0x1000");
	assert_int_equal(f->lines.number, 4);
	assert_word(f, "pfn:7");
	assert_int_equal(f->lines.number, 5);
	end(f);
	assert_int_equal(next(f, true), 0);
}

static void the_last_line_need_not_end(void **state)
{
	struct lines *f = *state;

	put(f, "1\n2");
	assert_word(f, "1");
	end(f);
	assert_word(f, "2");
	assert_int_equal(next(f, true), 0);
	assert_int_equal(next(f, true), 0);
}

static void what_has_not_come_is_not_waited_for(void **state)
{
	struct lines *f = *state;

	assert_int_equal(next(f, false), -EAGAIN);
	put(f, "0x10");
	assert_int_equal(next(f, false), -EAGAIN);
	put(f, "00\n2\n");
	assert_word(f, "0x1000");
	assert_word(f, "2");
	assert_int_equal(next(f, false), -EAGAIN);
}

static void no_part_of_a_long_line_is_taken_for_a_line(void **state)
{
	struct lines *f = *state;
	char text[3 * FRAME_LINE_SIZE];

	memset(text, '1', sizeof(text));
	assert_int_equal(write(f->writer, text, sizeof(text)), sizeof(text));
	put(f, "\n77\n");
	assert_int_equal(next(f, false), -EMSGSIZE);
	assert_int_equal(f->lines.number, 1);
	assert_word(f, "77");
	assert_int_equal(f->lines.number, 2);
}

static void many_lines_are_read_through_one_buffer(void **state)
{
	struct lines *f = *state;
	char text[32];

	for (int i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "0x%x000\n", i);
		put(f, text);
		snprintf(text, sizeof(text), "0x%x000", i);
		assert_word(f, text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_the_frame_around_it),
		cmocka_unit_test(a_range_ends_before_its_end),
		cmocka_unit_test(a_frame_has_a_number),
		cmocka_unit_test(rubbish_is_refused_with_what_is_wrong_with_it),
		TEST(blanks_and_comments_are_passed_over),
		TEST(the_last_line_need_not_end),
		TEST(what_has_not_come_is_not_waited_for),
		TEST(no_part_of_a_long_line_is_taken_for_a_line),
		TEST(many_lines_are_read_through_one_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
