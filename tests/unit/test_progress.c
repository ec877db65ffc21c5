/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What progress writes where standard error is a file and a report is forced. */
#include "progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define GIB (UINT64_C(1) << 30)

/* Standard error is a file while this is open. */
struct catcher {
	FILE *file;
	int saved;
};

static void catch_errors(struct catcher *catcher)
{
	catcher->file = tmpfile();
	assert_non_null(catcher->file);
	catcher->saved = dup(STDERR_FILENO);
	assert_true(catcher->saved >= 0);
	dup2(fileno(catcher->file), STDERR_FILENO);
}

static void assert_caught(struct catcher *catcher, const char *expected)
{
	char text[1024];
	size_t length;

	fflush(stderr);
	dup2(catcher->saved, STDERR_FILENO);
	close(catcher->saved);
	rewind(catcher->file);
	length = fread(text, 1, sizeof(text) - 1, catcher->file);
	text[length] = '\0';
	fclose(catcher->file);
	assert_string_equal(text, expected);
}

static struct mig_progress at(uint64_t seconds, uint64_t done_bytes, unsigned int pass)
{
	return (struct mig_progress){
		.planned_bytes = 4 * GIB,
		.moved_bytes = done_bytes,
		.done_bytes = done_bytes,
		.elapsed_ns = seconds * SECOND,
		.pass = pass,
	};
}

static void a_file_gets_nothing_unless_it_is_forced(void **state)
{
	const struct mig_progress now = at(5, GIB, 1);
	struct progress progress;
	struct catcher catcher;

	(void)state;
	catch_errors(&catcher);
	progress_begin(&progress, false);
	progress_update(&progress, &now);
	progress_end(&progress);
	assert_caught(&catcher, "");
}

static void a_forced_report_is_a_line_each_second(void **state)
{
	const struct mig_progress reports[] = { at(1, GIB, 1), at(1, GIB + 1, 1),
						at(2, 2 * GIB, 1), at(3, 3 * GIB, 2) };
	struct progress progress;
	struct catcher catcher;

	(void)state;
	catch_errors(&catcher);
	progress_begin(&progress, true);
	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
		progress_update(&progress, &reports[i]);
	progress_end(&progress);
	assert_caught(&catcher, "1G of 4G  25%  1G/s  3s left  pass 1\n"
				"2G of 4G  50%  1G/s  2s left  pass 1\n"
				"3G of 4G  75%  1G/s  1s left  pass 2\n");
}

static void without_a_rate_the_time_left_is_not_known(void **state)
{
	const struct mig_progress now = at(1, 0, 1);
	struct progress progress;
	struct catcher catcher;

	(void)state;
	catch_errors(&catcher);
	progress_begin(&progress, true);
	progress_update(&progress, &now);
	assert_caught(&catcher, "0 of 4G  0%  0/s  ? left  pass 1\n");
}

/* The plan is an estimate. */
static void more_than_planned_is_not_more_than_all(void **state)
{
	const struct mig_progress now = at(1, 5 * GIB, 1);
	struct progress progress;
	struct catcher catcher;

	(void)state;
	catch_errors(&catcher);
	progress_begin(&progress, true);
	progress_update(&progress, &now);
	assert_caught(&catcher, "5G of 5G  100%  5G/s  0s left  pass 1\n");
}

static void nothing_planned_is_all_done(void **state)
{
	const struct mig_progress now = { .elapsed_ns = SECOND, .pass = 1 };
	struct progress progress;
	struct catcher catcher;

	(void)state;
	catch_errors(&catcher);
	progress_begin(&progress, true);
	progress_update(&progress, &now);
	assert_caught(&catcher, "0 of 0  100%  0/s  ? left  pass 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_gets_nothing_unless_it_is_forced),
		cmocka_unit_test(a_forced_report_is_a_line_each_second),
		cmocka_unit_test(without_a_rate_the_time_left_is_not_known),
		cmocka_unit_test(more_than_planned_is_not_more_than_all),
		cmocka_unit_test(nothing_planned_is_all_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
