/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "context.h"
#include "fake_root.h"

struct log {
	enum mig_log_level level;
	char line[1024];
	int count;
};

static void take_line(void *data, enum mig_log_level level, const char *line)
{
	struct log *log = data;

	log->level = level;
	log->count++;
	snprintf(log->line, sizeof(log->line), "%s", line);
}

static void without_options_the_live_machine_is_looked_at(void **state)
{
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_true(context->live);
	assert_ptr_equal(context->calls, &mig_calls_kernel);
	mig_context_free(context);
}

static void any_way_of_writing_the_root_directory_is_live(void **state)
{
	const struct mig_context_options options = {
		.size = sizeof(options),
		.root_path = "/proc/..",
	};
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(&options, &context), 0);
	assert_true(context->live);
	mig_context_free(context);
}

static void another_root_is_not_live(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, NULL);

	(void)state;
	assert_false(context->live);
	mig_context_free(context);
	fake_root_free(root);
}

static void replaced_calls_make_any_root_live(void **state)
{
	static const struct mig_calls calls;
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, NULL);

	(void)state;
	mig_context_set_calls(context, &calls);
	assert_true(context->live);
	assert_ptr_equal(context->calls, &calls);
	mig_context_free(context);
	fake_root_free(root);
}

static void a_root_that_is_no_directory_is_refused(void **state)
{
	struct mig_context_options options = { .size = sizeof(options) };
	struct mig_context *context = (struct mig_context *)-1;

	(void)state;
	options.root_path = "/dev/null";
	assert_int_equal(mig_context_new(&options, &context), -ENOTDIR);
	options.root_path = "/no/such/root";
	assert_int_equal(mig_context_new(&options, &context), -ENOENT);
	assert_ptr_equal(context, (struct mig_context *)-1);
}

static void null_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mig_context_new(NULL, NULL), -EINVAL);
	assert_int_equal(mig_context_get_page_size(NULL), 0);
	mig_context_free(NULL);
}

static void options_without_a_size_are_refused(void **state)
{
	const struct mig_context_options options = { .root_path = "/" };
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(&options, &context), -EINVAL);
}

static void the_page_size_is_the_kernels(void **state)
{
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_context_get_page_size(context), sysconf(_SC_PAGESIZE));
	assert_int_equal(1UL << context->page_shift, mig_context_get_page_size(context));
	mig_context_free(context);
}

static void the_root_is_not_inherited_by_programs(void **state)
{
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_true(fcntl(context->root_fd, F_GETFD) & FD_CLOEXEC);
	mig_context_free(context);
}

static void the_root_is_closed_at_the_end(void **state)
{
	struct mig_context *context;
	struct stat status;
	int fd;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	fd = context->root_fd;
	mig_context_free(context);
	assert_int_equal(fstat(fd, &status), -1);
	assert_int_equal(errno, EBADF);
}

static void lines_reach_the_callers_log(void **state)
{
	struct log log = { 0 };
	const struct mig_context_options options = {
		.size = sizeof(options),
		.log = take_line,
		.log_data = &log,
	};
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(&options, &context), 0);
	mig_log(context, MIG_LOG_INFO, "node %d has %s", 3, "nothing");
	assert_int_equal(log.count, 1);
	assert_int_equal(log.level, MIG_LOG_INFO);
	assert_string_equal(log.line, "node 3 has nothing");
	mig_context_free(context);
}

static void a_line_that_is_too_long_is_cut_off(void **state)
{
	struct log log = { 0 };
	const struct mig_context_options options = {
		.size = sizeof(options),
		.log = take_line,
		.log_data = &log,
	};
	struct mig_context *context;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(mig_context_new(&options, &context), 0);
	mig_log(context, MIG_LOG_DEBUG, "%s", text);
	assert_in_range(strlen(log.line), 100, sizeof(text) - 2);
	assert_memory_equal(log.line, text, strlen(log.line));
	mig_context_free(context);
}

static void without_a_log_nothing_is_logged(void **state)
{
	struct mig_context *context;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	mig_log(context, MIG_LOG_WARNING, "nobody hears this");
	mig_context_free(context);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_the_live_machine_is_looked_at),
		cmocka_unit_test(any_way_of_writing_the_root_directory_is_live),
		cmocka_unit_test(another_root_is_not_live),
		cmocka_unit_test(replaced_calls_make_any_root_live),
		cmocka_unit_test(a_root_that_is_no_directory_is_refused),
		cmocka_unit_test(null_is_refused),
		cmocka_unit_test(options_without_a_size_are_refused),
		cmocka_unit_test(the_page_size_is_the_kernels),
		cmocka_unit_test(the_root_is_not_inherited_by_programs),
		cmocka_unit_test(the_root_is_closed_at_the_end),
		cmocka_unit_test(lines_reach_the_callers_log),
		cmocka_unit_test(a_line_that_is_too_long_is_cut_off),
		cmocka_unit_test(without_a_log_nothing_is_logged),
	};

	return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
