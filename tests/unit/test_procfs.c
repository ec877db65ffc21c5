/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "procfs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "rooted.h"

#define WINDOW ((size_t)1 << 20)

static void files_are_opened_below_the_root_and_not_inherited(void **state)
{
	struct rooted *f = *state;
	CLEANUP_CLOSE int fd = -1;

	fake_root_write(f->root, "proc/42/maps", "x");
	fd = mig_procfs_open(f->context, "proc/%d/%s", 42, "maps");
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(mig_procfs_open(f->context, "proc/%d/maps", 43), -ENOENT);
}

static void a_path_that_is_cut_off_is_never_opened(void **state)
{
	struct rooted *f = *state;
	char longer[MIG_PATH_SIZE + 1];

	memset(longer, '/', MIG_PATH_SIZE);
	longer[MIG_PATH_SIZE] = '\0';
	assert_int_equal(mig_procfs_open(f->context, "%s", longer), -ENAMETOOLONG);
}

static void a_small_file_is_read_and_ended_with_nul(void **state)
{
	struct rooted *f = *state;
	char buffer[8];

	memset(buffer, 'z', sizeof(buffer));
	fake_root_write(f->root, "sys/a", "1234567");
	assert_int_equal(mig_procfs_read(f->context, buffer, 8, "sys/%c", 'a'), 7);
	assert_string_equal(buffer, "1234567");
}

static void a_file_that_does_not_fit_is_refused(void **state)
{
	struct rooted *f = *state;
	char buffer[8];

	fake_root_write(f->root, "sys/a", "12345678");
	assert_int_equal(mig_procfs_read(f->context, buffer, 8, "sys/a"), -EFBIG);
	assert_int_equal(mig_procfs_read(f->context, buffer, 0, "sys/a"), -EFBIG);
}

static void an_empty_file_reads_as_empty(void **state)
{
	struct rooted *f = *state;
	CLEANUP_FREE char *text = NULL;
	char buffer[8] = "z";

	fake_root_write(f->root, "sys/a", "");
	assert_int_equal(mig_procfs_read(f->context, buffer, 8, "sys/a"), 0);
	assert_string_equal(buffer, "");
	assert_int_equal(mig_procfs_read_alloc(f->context, &text, "sys/a"), 0);
	assert_string_equal(text, "");
}

static void errors_of_open_and_read_are_passed_on(void **state)
{
	struct rooted *f = *state;
	char buffer[8];
	char *text = NULL;

	fake_root_mkdir(f->root, "sys/directory");
	assert_int_equal(mig_procfs_read(f->context, buffer, 8, "sys/none"), -ENOENT);
	assert_int_equal(mig_procfs_read(f->context, buffer, 8, "sys/directory"),
			 -EISDIR);
	assert_int_equal(mig_procfs_read_alloc(f->context, &text, "sys/none"), -ENOENT);
	assert_int_equal(mig_procfs_read_alloc(f->context, &text, "sys/directory"),
			 -EISDIR);
	assert_null(text);
}

static void a_file_of_any_size_is_read_whole(void **state)
{
	static const size_t lengths[] = { 1, 4095, 4096, 4097, 100000 };
	struct rooted *f = *state;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		CLEANUP_FREE char *bytes = malloc(lengths[i]);
		CLEANUP_FREE char *text = NULL;

		for (size_t j = 0; j < lengths[i]; j++)
			bytes[j] = (char)(j % 251);
		fake_root_write_bytes(f->root, "sys/a", bytes, lengths[i]);
		assert_int_equal(mig_procfs_read_alloc(f->context, &text, "sys/a"),
				 lengths[i]);
		assert_memory_equal(text, bytes, lengths[i]);
		assert_int_equal(text[lengths[i]], '\0');
	}
}

static void start_lines(struct rooted *f, struct mig_lines *lines)
{
	int fd = mig_procfs_open(f->context, "lines");

	assert_true(fd >= 0);
	assert_int_equal(mig_lines_init(lines, fd), 0);
}

static void assert_next(struct mig_lines *lines, const char *expected)
{
	const char *line;
	size_t length;

	assert_int_equal(mig_lines_next(lines, &line, &length), 1);
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(line, expected, length);
}

static void assert_end(struct mig_lines *lines)
{
	const char *line;
	size_t length;

	assert_int_equal(mig_lines_next(lines, &line, &length), 0);
	assert_int_equal(mig_lines_next(lines, &line, &length), 0);
}

static void lines_come_one_by_one_also_empty_ones(void **state)
{
	struct rooted *f = *state;
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };

	fake_root_write(f->root, "lines", "one\n\nthree\n");
	start_lines(f, &lines);
	assert_next(&lines, "one");
	assert_next(&lines, "");
	assert_next(&lines, "three");
	assert_end(&lines);
}

static void one_window_goes_from_file_to_file(void **state)
{
	struct rooted *f = *state;
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };

	fake_root_write(f->root, "lines", "one\ntwo\n");
	assert_int_equal(mig_lines_reopen(&lines, mig_procfs_open(f->context, "lines")),
			 0);
	assert_next(&lines, "one");
	fake_root_write(f->root, "others", "three\n");
	assert_int_equal(mig_lines_reopen(&lines, mig_procfs_open(f->context, "others")),
			 0);
	assert_next(&lines, "three");
	assert_end(&lines);
}

static void the_last_line_may_lack_its_newline(void **state)
{
	struct rooted *f = *state;
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };

	fake_root_write(f->root, "lines", "one\ntwo");
	start_lines(f, &lines);
	assert_next(&lines, "one");
	assert_next(&lines, "two");
	assert_end(&lines);
}

static void an_empty_file_has_no_lines(void **state)
{
	struct rooted *f = *state;
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };

	fake_root_write(f->root, "lines", "");
	start_lines(f, &lines);
	assert_end(&lines);
}

/* Numbered lines of different lengths, so that some lie across the window's end. */
static void lines_are_whole_where_the_window_moves(void **state)
{
	struct rooted *f = *state;
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };
	CLEANUP_FREE char *bytes = malloc(3 * WINDOW);
	size_t length = 0;
	unsigned int nr = 0;
	char expected[256];

	while (length < 5 * WINDOW / 2) {
		int n = sprintf(expected, "%u:%*s", nr, (int)(nr % 97), "x");

		memcpy(bytes + length, expected, (size_t)n);
		length += (size_t)n;
		bytes[length++] = '\n';
		nr++;
	}
	fake_root_write_bytes(f->root, "lines", bytes, length);
	start_lines(f, &lines);
	for (unsigned int i = 0; i < nr; i++) {
		sprintf(expected, "%u:%*s", i, (int)(i % 97), "x");
		assert_next(&lines, expected);
	}
	assert_end(&lines);
}

static void a_line_that_fills_the_window_is_read_and_a_longer_one_refused(void **state)
{
	struct rooted *f = *state;
	CLEANUP_FREE char *bytes = malloc(WINDOW + 4);

	memset(bytes, 'x', WINDOW + 4);
	memcpy(bytes, "a\n", 2);
	for (size_t extra = 0; extra < 2; extra++) {
		CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };
		const char *line;
		size_t length;

		/* Behind "a": WINDOW bytes with the newline, or one more. */
		bytes[2 + WINDOW - 2 + extra] = 'x';
		bytes[2 + WINDOW - 1 + extra] = '\n';
		fake_root_write_bytes(f->root, "lines", bytes, 2 + WINDOW + extra);
		start_lines(f, &lines);
		assert_next(&lines, "a");
		if (extra) {
			assert_int_equal(mig_lines_next(&lines, &line, &length),
					 -EMSGSIZE);
			continue;
		}
		assert_int_equal(mig_lines_next(&lines, &line, &length), 1);
		assert_int_equal(length, WINDOW - 1);
		assert_end(&lines);
	}
}

static void an_error_of_read_is_passed_on(void **state)
{
	struct rooted *f = *state;
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };
	const char *line;
	size_t length;

	fake_root_mkdir(f->root, "lines");
	start_lines(f, &lines);
	assert_int_equal(mig_lines_next(&lines, &line, &length), -EISDIR);
}

static void closing_zeroed_lines_closes_no_file(void **state)
{
	struct mig_lines lines = { 0 };

	(void)state;
	assert_true(fcntl(0, F_GETFD) >= 0 || open("/dev/null", O_RDONLY) == 0);
	mig_lines_done(&lines);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_opened_below_the_root_and_not_inherited),
		TEST(a_path_that_is_cut_off_is_never_opened),
		TEST(a_small_file_is_read_and_ended_with_nul),
		TEST(a_file_that_does_not_fit_is_refused),
		TEST(an_empty_file_reads_as_empty),
		TEST(errors_of_open_and_read_are_passed_on),
		TEST(a_file_of_any_size_is_read_whole),
		TEST(lines_come_one_by_one_also_empty_ones),
		TEST(one_window_goes_from_file_to_file),
		TEST(the_last_line_may_lack_its_newline),
		TEST(an_empty_file_has_no_lines),
		TEST(lines_are_whole_where_the_window_moves),
		TEST(a_line_that_fills_the_window_is_read_and_a_longer_one_refused),
		TEST(an_error_of_read_is_passed_on),
		TEST(closing_zeroed_lines_closes_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
