/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spool gives back what was put in. */
#include "found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int set_up(void **state)
{
	struct mig_found *found = calloc(1, sizeof(*found));

	assert_int_equal(mig_found_init(found), 0);
	*state = found;
	return 0;
}

static int tear_down(void **state)
{
	mig_found_done(*state);
	free(*state);
	return 0;
}

static void add(struct mig_found *found, const char *path, const char *shown,
		uint64_t inode)
{
	const struct mig_file file = {
		.name = { .path = (char *)(uintptr_t)path,
			  .shown = (char *)(uintptr_t)shown,
			  .follow = shown != NULL },
		.device = inode * 3,
		.inode = inode,
	};

	assert_int_equal(mig_found_add(found, &file), 0);
}

static void assert_next(struct mig_found *found, const char *path, const char *shown,
			uint64_t inode)
{
	struct mig_found_file file;

	assert_int_equal(mig_found_next(found, &file), 1);
	assert_string_equal(file.name.path, path);
	if (shown)
		assert_string_equal(file.name.shown, shown);
	else
		assert_null(file.name.shown);
	assert_int_equal(file.name.follow, shown != NULL);
	assert_int_equal(file.inode, inode);
	assert_int_equal(file.device, inode * 3);
	free(file.name.path);
	free(file.name.shown);
}

static void assert_end(struct mig_found *found)
{
	struct mig_found_file file;

	assert_int_equal(mig_found_next(found, &file), 0);
}

static void what_was_put_in_comes_out(void **state)
{
	struct mig_found *found = *state;

	add(found, "/a", NULL, 1);
	add(found, "/proc/42/fd/3", "/memfd:x (deleted)", UINT64_MAX / 4);
	add(found, "", "", 0);
	assert_int_equal(found->nr_files, 3);
	assert_int_equal(mig_found_rewind(found), 0);
	assert_next(found, "/a", NULL, 1);
	assert_next(found, "/proc/42/fd/3", "/memfd:x (deleted)", UINT64_MAX / 4);
	assert_next(found, "", "", 0);
	assert_end(found);
	assert_end(found);
}

static void nothing_comes_out_of_nothing(void **state)
{
	assert_int_equal(mig_found_rewind(*state), 0);
	assert_end(*state);
}

static void it_can_be_read_again(void **state)
{
	struct mig_found *found = *state;

	add(found, "/a", NULL, 1);
	add(found, "/b", NULL, 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mig_found_rewind(found), 0);
		assert_next(found, "/a", NULL, 1);
		assert_next(found, "/b", NULL, 2);
		assert_end(found);
	}
}

static void names_may_have_any_byte(void **state)
{
	struct mig_found *found = *state;
	char name[256], *path = malloc(100001);

	for (int i = 0; i < 255; i++)
		name[i] = (char)(i + 1);
	name[255] = '\0';
	memset(path, '\n', 100000);
	path[100000] = '\0';
	add(found, name, NULL, 7);
	add(found, path, name, 8);
	assert_int_equal(mig_found_rewind(found), 0);
	assert_next(found, name, NULL, 7);
	assert_next(found, path, name, 8);
	assert_end(found);
	free(path);
}

static void many_do_not_get_mixed_up(void **state)
{
	struct mig_found *found = *state;
	char name[64];

	for (uint64_t i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "/%*llu", (int)(i % 40),
			 (unsigned long long)i);
		add(found, name, i % 3 ? NULL : "shown", i);
	}
	assert_int_equal(mig_found_rewind(found), 0);
	for (uint64_t i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "/%*llu", (int)(i % 40),
			 (unsigned long long)i);
		assert_next(found, name, i % 3 ? NULL : "shown", i);
	}
	assert_end(found);
}

static void a_record_that_is_cut_off_is_an_error(void **state)
{
	struct mig_found *found = *state;
	struct mig_found_file file = { .inode = 99 };

	add(found, "/abcdef", NULL, 1);
	assert_int_equal(mig_found_rewind(found), 0);
	assert_int_equal(ftruncate(fileno(found->stream), 34), 0);
	assert_int_equal(mig_found_next(found, &file), -EIO);
	assert_int_equal(file.inode, 99);
}

/* A disk that is full is found at the latest when it is read. */
static void what_cannot_be_written_is_an_error(void **state)
{
	struct mig_found found = { .stream = fopen("/dev/full", "w+e") };

	(void)state;
	if (!found.stream) {
		print_message("there is no /dev/full\n");
		skip();
	}
	add(&found, "/a", NULL, 1);
	assert_int_equal(mig_found_rewind(&found), -ENOSPC);
	mig_found_done(&found);
}

static void it_is_in_no_directory_and_not_inherited(void **state)
{
	const struct mig_found *found = *state;
	struct stat status;

	assert_int_equal(fstat(fileno(found->stream), &status), 0);
	assert_int_equal(status.st_nlink, 0);
	assert_true(fcntl(fileno(found->stream), F_GETFD) & FD_CLOEXEC);
}

static void without_descriptors_there_is_none(void **state)
{
	struct mig_found found = { .nr_files = 77 };
	struct rlimit limit, none;
	int r;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	r = mig_found_init(&found);
	setrlimit(RLIMIT_NOFILE, &limit);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(found.nr_files, 77);
}

static void what_was_never_begun_can_be_ended(void **state)
{
	struct mig_found found = { 0 };

	(void)state;
	mig_found_done(&found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_was_put_in_comes_out),
		TEST(nothing_comes_out_of_nothing),
		TEST(it_can_be_read_again),
		TEST(names_may_have_any_byte),
		TEST(many_do_not_get_mixed_up),
		TEST(a_record_that_is_cut_off_is_an_error),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
		TEST(it_is_in_no_directory_and_not_inherited),
		cmocka_unit_test(without_descriptors_there_is_none),
		cmocka_unit_test(what_was_never_begun_can_be_ended),
	};

	return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}
