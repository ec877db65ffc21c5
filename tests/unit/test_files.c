/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may be named, before any of it is walked. */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "live_files.h"

static void only_the_running_machine_has_files(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *captured = fake_root_context(root, NULL);
	struct mig_files *files = NULL;

	(void)state;
	assert_int_equal(mig_files_new(captured, NULL, &files), -EXDEV);
	assert_null(files);
	mig_context_free(captured);
	fake_root_free(root);
}

static void null_and_unknown_flags_are_refused(void **state)
{
	struct live_files *live = *state;
	struct mig_files *files = NULL;
	struct mig_target *target = NULL;

	assert_int_equal(mig_files_new(NULL, NULL, &files), -EINVAL);
	assert_int_equal(mig_files_new(live->context, NULL, NULL), -EINVAL);
	assert_int_equal(mig_files_add_path(NULL, "/", 0), -EINVAL);
	assert_int_equal(mig_files_add_path(live->files, NULL, 0), -EINVAL);
	assert_int_equal(mig_files_add_path(live->files, "/", 4), -EINVAL);
	assert_int_equal(mig_files_add_mount(NULL, "/"), -EINVAL);
	assert_int_equal(mig_files_add_mount(live->files, NULL), -EINVAL);
	assert_int_equal(mig_files_add_list(NULL, 0), -EINVAL);
	assert_int_equal(mig_files_add_list(live->files, -1), -EINVAL);
	assert_int_equal(mig_files_add_process(live->files, NULL), -EINVAL);
	assert_int_equal(mig_target_new(live->context, &target), 0);
	assert_int_equal(mig_target_add_files(NULL, live->files), -EINVAL);
	assert_int_equal(mig_target_add_files(target, NULL), -EINVAL);
	mig_target_free(target);
	mig_files_free(NULL);
	assert_null(files);
}

static void options_of_another_size_are_those_that_are_known(void **state)
{
	struct live_files *live = *state;
	struct {
		struct mig_files_options known;
		uint64_t later;
	} options = { .known.size = sizeof(options) };
	struct mig_files *files = NULL;

	assert_int_equal(mig_files_new(live->context, &options.known, &files), 0);
	mig_files_free(files);
	files = NULL;
	options.later = 1;
	assert_int_equal(mig_files_new(live->context, &options.known, &files), -E2BIG);
	assert_null(files);
}

static void a_mount_is_named_by_anything_on_it(void **state)
{
	struct live_files *live = *state;

	assert_int_equal(mig_files_add_mount(live->files, "/proc/self/status"), 0);
	assert_int_equal(live->files->nr_sources, 1);
	assert_string_equal(live->files->sources[0].path, "/proc");
	assert_int_equal(live->files->sources[0].flags, MIG_FILES_RECURSE);
	assert_int_equal(mig_files_add_mount(live->files, "/nothing/there"), -ENOENT);
	assert_int_equal(live->files->nr_sources, 1);
}

static void mounts_are_named_by_their_type(void **state)
{
	struct live_files *live = *state;
	bool has_proc = false;

	assert_int_equal(mig_files_add_mounts(live->files, "no such type"), 0);
	assert_int_equal(live->files->nr_sources, 0);
	assert_int_equal(mig_files_add_mounts(live->files, "proc"), 0);
	for (size_t i = 0; i < live->files->nr_sources; i++)
		has_proc |= !strcmp(live->files->sources[i].path, "/proc");
	assert_true(has_proc);
	assert_int_equal(mig_files_add_mounts(NULL, "proc"), -EINVAL);
	assert_int_equal(mig_files_add_mounts(live->files, NULL), -EINVAL);
}

static void devices_are_those_that_something_is_mounted_from(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, &mig_calls_kernel);
	struct mig_files *files = NULL;

	(void)state;
	fake_root_write(root, "proc/self/mountinfo",
			"21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
			"22 21 0:5 / /proc rw - proc proc rw\n"
			"23 21 8:2 / /srv rw - xfs /dev/sda2 rw\n");
	assert_int_equal(mig_files_new(context, NULL, &files), 0);
	assert_int_equal(mig_files_add_devices(files), 0);
	assert_int_equal(files->nr_sources, 2);
	assert_string_equal(files->sources[0].path, "/dev/sda1");
	assert_string_equal(files->sources[1].path, "/dev/sda2");
	assert_int_equal(files->sources[1].flags, 0);
	assert_int_equal(mig_files_add_devices(NULL), -EINVAL);
	mig_files_free(files);
	mig_context_free(context);
	fake_root_free(root);
}

static void a_mount_that_is_in_no_table_is_told(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, &mig_calls_kernel);
	struct mig_files *files = NULL;

	(void)state;
	assert_int_equal(mig_files_new(context, NULL, &files), 0);
	assert_int_equal(mig_files_add_mount(files, "/"), -ENODATA);
	mig_files_free(files);
	mig_context_free(context);
	fake_root_free(root);
}

static void problems_are_counted_though_nobody_listens(void **state)
{
	struct live_files *live = *state;
	struct mig_files *files = NULL;

	assert_int_equal(mig_files_new(live->context, NULL, &files), 0);
	mig_files_report(files, "/a", -EIO);
	mig_files_report(files, "/b", -EIO);
	assert_int_equal(files->nr_problems, 2);
	mig_files_free(files);
	mig_files_report(live->files, "/c", -ENXIO);
	assert_int_equal(live->problem, -ENXIO);
	assert_string_equal(live->problem_path, "/c");
}

static void a_path_is_copied(void **state)
{
	struct live_files *live = *state;
	char path[] = "/somewhere";

	assert_int_equal(mig_files_add_path(live->files, path, 0), 0);
	memset(path, 'x', sizeof(path) - 1);
	assert_string_equal(live->files->sources[0].path, "/somewhere");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, live_files_set_up, live_files_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_running_machine_has_files),
		TEST(null_and_unknown_flags_are_refused),
		TEST(options_of_another_size_are_those_that_are_known),
		TEST(a_mount_is_named_by_anything_on_it),
		TEST(mounts_are_named_by_their_type),
		TEST(devices_are_those_that_something_is_mounted_from),
		cmocka_unit_test(a_mount_that_is_in_no_table_is_told),
		TEST(problems_are_counted_though_nobody_listens),
		TEST(a_path_is_copied),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
