/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options structs of callers that were built for another version of the library. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options_struct.h"

struct known {
	size_t size;
	int first;
	int second;
};

struct older {
	size_t size;
	int first;
};

struct newer {
	size_t size;
	int first;
	int second;
	long third;
};

static void without_options_everything_is_zero(void **state)
{
	struct known known = { 0 };

	(void)state;
	assert_int_equal(mig_options_copy(&known, sizeof(known), NULL), 0);
	assert_int_equal(known.size, 0);
	assert_int_equal(known.first, 0);
	assert_int_equal(known.second, 0);
}

static void options_of_the_same_version_are_taken_whole(void **state)
{
	const struct known given = { .size = sizeof(given), .first = 1, .second = 2 };
	struct known known = { 0 };

	(void)state;
	assert_int_equal(mig_options_copy(&known, sizeof(known), &given), 0);
	assert_memory_equal(&known, &given, sizeof(known));
}

static void members_that_an_older_caller_lacks_are_zero(void **state)
{
	const struct older given = { .size = offsetof(struct older, first) + sizeof(int),
				     .first = 1 };
	struct known known = { 0 };

	(void)state;
	assert_int_equal(mig_options_copy(&known, sizeof(known), &given), 0);
	assert_int_equal(known.first, 1);
	assert_int_equal(known.second, 0);
}

static void a_newer_caller_that_uses_nothing_new_is_served(void **state)
{
	const struct newer given = { .size = sizeof(given), .first = 1, .second = 2 };
	struct known known = { 0 };

	(void)state;
	assert_int_equal(mig_options_copy(&known, sizeof(known), &given), 0);
	assert_int_equal(known.first, 1);
	assert_int_equal(known.second, 2);
}

static void a_newer_caller_that_uses_something_new_is_refused(void **state)
{
	const struct newer given = { .size = sizeof(given), .third = 1 };
	struct known known = { 0 };

	(void)state;
	assert_int_equal(mig_options_copy(&known, sizeof(known), &given), -E2BIG);
	assert_int_equal(known.size, 0);
}

static void a_size_smaller_than_itself_is_refused(void **state)
{
	const struct known given = { .size = sizeof(size_t) - 1, .first = 1 };
	const struct known forgotten = { .first = 1 };
	struct known known = { 0 };

	(void)state;
	assert_int_equal(mig_options_copy(&known, sizeof(known), &given), -EINVAL);
	assert_int_equal(mig_options_copy(&known, sizeof(known), &forgotten), -EINVAL);
	assert_int_equal(known.first, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_everything_is_zero),
		cmocka_unit_test(options_of_the_same_version_are_taken_whole),
		cmocka_unit_test(members_that_an_older_caller_lacks_are_zero),
		cmocka_unit_test(a_newer_caller_that_uses_nothing_new_is_served),
		cmocka_unit_test(a_newer_caller_that_uses_something_new_is_refused),
		cmocka_unit_test(a_size_smaller_than_itself_is_refused),
	};

	return cmocka_run_group_tests_name("options_struct", tests, NULL, NULL);
}
