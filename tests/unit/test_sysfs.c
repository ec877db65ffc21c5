/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sysfs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fake_root.h"
#include "procfs.h"

static struct fake_root *root;
static struct mig_context *context;
static int errors[64]; /**< what the next writes fail with */
static unsigned int nr_writes;

static ssize_t failing_write(int fd, const void *buffer, size_t length)
{
	int error = nr_writes < 64 ? errors[nr_writes] : EBUSY;

	nr_writes++;
	return error ? -error : write(fd, buffer, length);
}

static const struct mig_calls calls = { .write = failing_write };

static int set_up(void **state)
{
	(void)state;
	root = fake_root_new();
	context = fake_root_context(root, &calls);
	memset(errors, 0, sizeof(errors));
	nr_writes = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mig_context_free(context);
	fake_root_free(root);
	return 0;
}

static void assert_text(const char *path, const char *text)
{
	char buffer[64];

	assert_true(mig_procfs_read(context, buffer, sizeof(buffer), "%s", path) >= 0);
	assert_string_equal(buffer, text);
}

static void a_value_replaces_what_was_there(void **state)
{
	(void)state;
	fake_root_write(root, "sys/a/value", "a longer text\n");
	assert_int_equal(mig_sysfs_write(context, "on", "sys/%s/value", "a"), 0);
	assert_text("sys/a/value", "on");
	assert_int_equal(mig_sysfs_write_number(context, UINT64_MAX, "sys/a/value"), 0);
	assert_text("sys/a/value", "18446744073709551615");
	assert_int_equal(nr_writes, 2);
}

static void a_file_that_is_not_there_is_not_made(void **state)
{
	(void)state;
	fake_root_mkdir(root, "sys");
	assert_int_equal(mig_sysfs_write(context, "on", "sys/value"), -ENOENT);
	assert_false(mig_sysfs_exists(context, "sys/value"));
	assert_true(mig_sysfs_exists(context, "sys"));
}

static void a_busy_kernel_is_asked_again(void **state)
{
	(void)state;
	fake_root_write(root, "value", "");
	errors[0] = errors[1] = EBUSY;
	errors[2] = EINTR;
	assert_int_equal(mig_sysfs_write(context, "on", "value"), 0);
	assert_int_equal(nr_writes, 4);
	assert_text("value", "on");
}

static void a_kernel_that_stays_busy_is_given_up(void **state)
{
	(void)state;
	fake_root_write(root, "value", "");
	for (int i = 0; i < 64; i++)
		errors[i] = EBUSY;
	assert_int_equal(mig_sysfs_write(context, "on", "value"), -EBUSY);
	assert_int_equal(nr_writes, 50);
}

static void what_the_kernel_refuses_is_not_tried_again(void **state)
{
	(void)state;
	fake_root_write(root, "value", "");
	errors[0] = EINVAL;
	assert_int_equal(mig_sysfs_write_number(context, 1, "value"), -EINVAL);
	assert_int_equal(nr_writes, 1);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
	char path[2 * MIG_PATH_SIZE];
	uint64_t number = 77;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(mig_sysfs_write(context, "on", "%s", path), -ENAMETOOLONG);
	assert_int_equal(mig_sysfs_write_number(context, 1, "%s", path), -ENAMETOOLONG);
	assert_int_equal(mig_sysfs_read_number(context, &number, "%s", path),
			 -ENAMETOOLONG);
	assert_int_equal(number, 77);
}

static void numbers_are_read_whole(void **state)
{
	static const char *const bad[] = { "", "\n", "x\n", "1 2\n", "-1\n", "0x10\n" };
	uint64_t number = 77;

	(void)state;
	fake_root_write(root, "value", "18446744073709551615\n");
	assert_int_equal(mig_sysfs_read_number(context, &number, "value"), 0);
	assert_true(number == UINT64_MAX);
	number = 77;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		fake_root_write(root, "value", bad[i]);
		assert_int_equal(mig_sysfs_read_number(context, &number, "value"),
				 -EBADMSG);
	}
	assert_int_equal(mig_sysfs_read_number(context, &number, "nothing"), -ENOENT);
	assert_int_equal(number, 77);
}

static void only_a_y_is_yes(void **state)
{
	(void)state;
	fake_root_write(root, "value", "Y\n");
	assert_true(mig_sysfs_is_yes(context, "value"));
	fake_root_write(root, "value", "N\n");
	assert_false(mig_sysfs_is_yes(context, "value"));
	fake_root_write(root, "value", "");
	assert_false(mig_sysfs_is_yes(context, "value"));
	assert_false(mig_sysfs_is_yes(context, "nothing"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_value_replaces_what_was_there),
		TEST(a_file_that_is_not_there_is_not_made),
		TEST(a_busy_kernel_is_asked_again),
		TEST(a_kernel_that_stays_busy_is_given_up),
		TEST(what_the_kernel_refuses_is_not_tried_again),
		TEST(a_path_that_is_too_long_is_refused),
		TEST(numbers_are_read_whole),
		TEST(only_a_y_is_yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
