/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over what was named: which files it comes to, and how often. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "live_files.h"

static void make_link(struct live_files *live, const char *from, const char *to)
{
	assert_int_equal(link(live_files_path(live, from), live_files_path(live, to)), 0);
}

/* ---- operands ---- */

static void operands_are_met_one_after_the_other(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "b", "");
	fake_root_write(live->root, "a", "");
	live_files_add(live, "b", 0);
	live_files_add(live, "a", MIG_FILES_RECURSE);
	assert_met(live, "a b ");
	/* And again, from the beginning. */
	assert_met(live, "a b ");
	assert_int_equal(live->nr_problems, 0);
}

static void nothing_named_is_nothing_met(void **state)
{
	assert_met(*state, "");
}

static void a_directory_by_itself_is_a_problem(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "directory/file", "");
	fake_root_write(live->root, "file", "");
	live_files_add(live, "directory", 0);
	live_files_add(live, "file", 0);
	assert_met(live, "file ");
	assert_int_equal(live->nr_problems, 1);
	assert_int_equal(live->problem, -EISDIR);
	assert_string_equal(live->problem_path, live_files_path(live, "directory"));
}

static void what_is_not_there_is_a_problem_and_the_others_go_on(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "file", "");
	live_files_add(live, "nothing", 0);
	live_files_add(live, "nowhere", MIG_FILES_RECURSE);
	mig_files_add_path(live->files, "", MIG_FILES_RECURSE);
	live_files_add(live, "file", 0);
	assert_met(live, "file ");
	assert_int_equal(live->nr_problems, 3);
	assert_int_equal(live->problem, -ENOENT);
}

/* ---- directories ---- */

static void everything_below_a_directory_is_met(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "d/one", "");
	fake_root_write(live->root, "d/.hidden", "");
	fake_root_write(live->root, "d/..strange", "");
	fake_root_write(live->root, "d/x/y/z/deep", "");
	fake_root_write(live->root, "d/x/y/after", "");
	fake_root_write(live->root, "d/x/last", "");
	fake_root_mkdir(live->root, "d/empty/empty");
	fake_root_write(live->root, "beside", "");
	live_files_add(live, "d", MIG_FILES_RECURSE);
	assert_met(live, "d/..strange d/.hidden d/one d/x/last d/x/y/after "
			 "d/x/y/z/deep ");
	assert_int_equal(live->nr_problems, 0);
}

static void a_slash_at_the_end_is_not_doubled(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "d/x/one", "");
	live_files_add(live, "d/", MIG_FILES_RECURSE);
	assert_met(live, "d/x/one ");
}

static void links_below_a_directory_are_not_followed(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "outside/file", "");
	fake_root_write(live->root, "d/file", "");
	fake_root_link(live->root, "d/to-file", "file");
	fake_root_link(live->root, "d/to-outside", "../outside");
	fake_root_link(live->root, "d/to-itself", ".");
	fake_root_link(live->root, "d/broken", "nothing");
	live_files_add(live, "d", MIG_FILES_RECURSE);
	assert_met(live, "d/file ");
	assert_int_equal(live->nr_problems, 0);
}

static void links_that_are_named_are_followed(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "d/file", "");
	fake_root_write(live->root, "other", "");
	fake_root_link(live->root, "to-d", "d");
	fake_root_link(live->root, "to-other", "other");
	live_files_add(live, "to-d", MIG_FILES_RECURSE);
	live_files_add(live, "to-other", 0);
	assert_met(live, "to-d/file to-other ");
}

static void what_is_no_file_below_a_directory_is_passed_over(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "d/file", "");
	assert_int_equal(mkfifo(live_files_path(live, "d/fifo"), 0600), 0);
	live_files_add(live, "d", MIG_FILES_RECURSE);
	alarm(20);
	assert_met(live, "d/file ");
	alarm(0);
	assert_int_equal(live->nr_problems, 0);
}

static int walk_unreadable(struct live_files *live)
{
	struct met met;

	live->nr_problems = 0;
	if (live_files_walk(live, &met) < 0 || met.nr != 1 || live->nr_problems != 1)
		return 1;
	return -live->problem;
}

static void a_directory_that_may_not_be_read_is_a_problem(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "d/a/file", "");
	fake_root_write(live->root, "d/secret/file", "");
	chmod(live_files_path(live, "d"), 0755);
	chmod(live_files_path(live, "d/a"), 0755);
	chmod(live_files_path(live, "d/a/file"), 0666);
	chmod(live_files_path(live, "d/secret"), 0700);
	live_files_add(live, "d", MIG_FILES_RECURSE);
	assert_int_equal(live_files_as_nobody(live, walk_unreadable), EACCES);
}

static void memory_and_descriptors_do_not_grow_with_a_directory(void **state)
{
	struct live_files *live = *state;
	unsigned int before;
	struct met met;
	char name[32];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "d/x/%d", i);
		fake_root_write(live->root, name, "");
	}
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/x/dir%d/", i);
		fake_root_mkdir(live->root, name);
	}
	live_files_add(live, "d", MIG_FILES_RECURSE);
	before = live_files_count_descriptors();
	assert_int_equal(live_files_walk(live, &met), 0);
	assert_int_equal(met.nr, 2000);
	/* Two levels, and the file that is looked at. */
	assert_int_equal(met.most_descriptors - before, 3);
	assert_int_equal(live_files_count_descriptors(), before);
}

static void what_is_deep_is_met_too(void **state)
{
	struct live_files *live = *state;
	char name[2048] = "d";
	unsigned int before;
	struct met met;

	for (int i = 0; i < 150; i++)
		strcat(name, "/level");
	fake_root_mkdir(live->root, name);
	strcat(name, "/file");
	fake_root_write(live->root, name, "");
	live_files_add(live, "d", MIG_FILES_RECURSE);
	before = live_files_count_descriptors();
	assert_int_equal(live_files_walk(live, &met), 0);
	assert_int_equal(met.nr, 1);
	assert_int_equal(live->nr_problems, 0);
	assert_int_equal(live_files_count_descriptors(), before);
}

/* ---- once each ---- */

static void hard_links_are_met_once(void **state)
{
	struct live_files *live = *state;
	struct met met;

	fake_root_write(live->root, "d/one", "");
	fake_root_mkdir(live->root, "d/x");
	make_link(live, "d/one", "d/two");
	make_link(live, "d/one", "d/x/three");
	fake_root_write(live->root, "d/other", "");
	live_files_add(live, "d", MIG_FILES_RECURSE);
	assert_int_equal(live_files_walk(live, &met), 0);
	assert_int_equal(met.nr, 2);
	/* Each walk begins anew. */
	assert_int_equal(live_files_walk(live, &met), 0);
	assert_int_equal(met.nr, 2);
}

static void a_file_that_is_named_twice_is_met_once(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "d/file", "");
	fake_root_link(live->root, "link", "d/file");
	live_files_add(live, "d/file", 0);
	live_files_add(live, "d/file", 0);
	live_files_add(live, "link", 0);
	live_files_add(live, "d", MIG_FILES_RECURSE);
	assert_met(live, "d/file ");
}

static void files_of_two_devices_with_one_number_are_two(void **state)
{
	struct live_files *live = *state;
	struct mig_file_paths *paths = NULL;
	struct mig_file file = { .device = 1, .inode = 5, .nr_links = 2 };

	assert_int_equal(mig_file_paths_new(live->files, &paths), 0);
	assert_true(mig_file_paths_is_first(paths, &file));
	assert_false(mig_file_paths_is_first(paths, &file));
	file.device = 2;
	assert_true(mig_file_paths_is_first(paths, &file));
	assert_false(mig_file_paths_is_first(paths, &file));
	file.inode = 6;
	assert_true(mig_file_paths_is_first(paths, &file));
	/* Nobody comes to a file with one link by two names. */
	file.nr_links = 1;
	assert_true(mig_file_paths_is_first(paths, &file));
	mig_file_paths_free(paths);
	mig_file_paths_free(NULL);
}

static void a_walk_that_is_given_up_leaves_nothing_open(void **state)
{
	struct live_files *live = *state;
	unsigned int before = live_files_count_descriptors();
	struct mig_file_paths *paths = NULL;
	struct mig_file_name name;

	fake_root_write(live->root, "d/x/y/file", "");
	live_files_add(live, "d", MIG_FILES_RECURSE);
	assert_int_equal(mig_file_paths_new(live->files, &paths), 0);
	assert_int_equal(mig_file_paths_next(paths, &name), 1);
	assert_string_equal(name.path, live_files_path(live, "d/x/y/file"));
	assert_false(name.follow);
	free(name.path);
	mig_file_paths_free(paths);
	assert_int_equal(live_files_count_descriptors(), before);
}

/* ---- other file systems ---- */

/* Return: below 0, or how many files are met where a mount lies in the way. */
static int walk_mounts(struct live_files *live)
{
	static const struct mig_files_options options = { .size = sizeof(options) };
	struct mig_files *files = NULL;
	struct met met = { .live = live };
	int nr;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", live_files_path(live, "d/mount"), "tmpfs", 0, NULL) < 0 ||
	    mount(live_files_path(live, "beside"), live_files_path(live, "d/bind"), NULL,
		  MS_BIND, NULL) < 0)
		return -1;
	fake_root_write(live->root, "d/mount/inside", "");
	mig_files_new(live->context, &options, &files);
	mig_files_add_path(files, live_files_path(live, "d"), MIG_FILES_RECURSE);
	mig_files_walk(files, 1, met_note, &met);
	nr = (int)met.nr;
	mig_files_free(files);
	mig_files_new(live->context, &options, &files);
	mig_files_add_path(files, live_files_path(live, "d"),
			   MIG_FILES_RECURSE | MIG_FILES_CROSS);
	met.nr = 0;
	mig_files_walk(files, 1, met_note, &met);
	mig_files_free(files);
	files = NULL;
	nr = nr * 10 + (int)met.nr;
	mig_files_new(live->context, &options, &files);
	met.nr = 0;
	if (!mig_files_add_mount(files, live_files_path(live, "d/mount/inside")))
		mig_files_walk(files, 1, met_note, &met);
	mig_files_free(files);
	return nr * 10 + (int)met.nr;
}

static void other_mounts_are_entered_only_where_that_is_asked(void **state)
{
	struct live_files *live = *state;
	int status;
	pid_t pid;

	fake_root_write(live->root, "d/file", "");
	fake_root_mkdir(live->root, "d/mount");
	fake_root_mkdir(live->root, "d/bind");
	fake_root_write(live->root, "beside/file", "");
	pid = fork();
	if (!pid)
		_exit(walk_mounts(live));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 255) {
		print_message("nothing may be mounted here\n");
		skip();
	}
	/* One without; with, also those of both mounts; one of the mount itself. */
	assert_int_equal(WEXITSTATUS(status), 131);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, live_files_set_up, live_files_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(operands_are_met_one_after_the_other),
		TEST(nothing_named_is_nothing_met),
		TEST(a_directory_by_itself_is_a_problem),
		TEST(what_is_not_there_is_a_problem_and_the_others_go_on),
		TEST(everything_below_a_directory_is_met),
		TEST(a_slash_at_the_end_is_not_doubled),
		TEST(links_below_a_directory_are_not_followed),
		TEST(links_that_are_named_are_followed),
		TEST(what_is_no_file_below_a_directory_is_passed_over),
		TEST(a_directory_that_may_not_be_read_is_a_problem),
		TEST(memory_and_descriptors_do_not_grow_with_a_directory),
		TEST(what_is_deep_is_met_too),
		TEST(hard_links_are_met_once),
		TEST(a_file_that_is_named_twice_is_met_once),
		TEST(files_of_two_devices_with_one_number_are_two),
		TEST(a_walk_that_is_given_up_leaves_nothing_open),
		TEST(other_mounts_are_entered_only_where_that_is_asked),
	};

	return cmocka_run_group_tests_name("file_paths", tests, NULL, NULL);
}
