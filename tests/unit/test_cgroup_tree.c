/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_root.h"

struct fixture {
	struct fake_root *root;
	int fd;
	char seen[512];
	const char *removed; /**< at the first visit */
	int error;           /**< returned at "stop" */
	size_t nr;
	unsigned int most_descriptors;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = fake_root_new();
	fixture->fd = open(fixture->root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fixture->fd >= 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->fd);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static int note(void *data, const char *path, int fd)
{
	struct fixture *f = data;
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	snprintf(f->seen + strlen(f->seen), sizeof(f->seen) - strlen(f->seen), "%s;",
		 path);
	if (f->removed)
		fake_root_remove(f->root, f->removed);
	f->removed = NULL;
	return strcmp(path, "stop") ? 0 : f->error;
}

static void parents_come_before_their_children_and_names_in_order(void **state)
{
	struct fixture *f = *state;

	fake_root_mkdir(f->root, "b/z");
	fake_root_mkdir(f->root, "b/a/deep");
	fake_root_mkdir(f->root, "a");
	fake_root_mkdir(f->root, "c");
	assert_int_equal(mig_cgroup_tree_visit(f->fd, note, f), 0);
	assert_string_equal(f->seen, ";a;b;b/a;b/a/deep;b/z;c;");
	/* The descriptor is not used up. */
	f->seen[0] = '\0';
	assert_int_equal(mig_cgroup_tree_visit(f->fd, note, f), 0);
	assert_string_equal(f->seen, ";a;b;b/a;b/a/deep;b/z;c;");
}

static void only_directories_are_followed(void **state)
{
	struct fixture *f = *state;

	fake_root_mkdir(f->root, "a/b");
	fake_root_write(f->root, "a/cgroup.procs", "");
	fake_root_link(f->root, "a/up", "..");
	fake_root_link(f->root, "link", "a");
	fake_root_mkdir(f->root, ".hidden");
	assert_int_equal(mig_cgroup_tree_visit(f->fd, note, f), 0);
	assert_string_equal(f->seen, ";.hidden;a;a/b;");
}

static void what_vanishes_meanwhile_is_passed_over(void **state)
{
	struct fixture *f = *state;

	fake_root_mkdir(f->root, "a/b");
	fake_root_mkdir(f->root, "c");
	f->removed = "a";
	assert_int_equal(mig_cgroup_tree_visit(f->fd, note, f), 0);
	assert_string_equal(f->seen, ";c;");
}

static void a_directory_that_vanishes_under_the_visit_has_nothing_below_it(void **state)
{
	struct fixture *f = *state;
	int fd;

	fake_root_mkdir(f->root, "a/b");
	fd = openat(f->fd, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->removed = "a";
	assert_int_equal(mig_cgroup_tree_visit(fd, note, f), 0);
	assert_string_equal(f->seen, ";");
	close(fd);
}

static void what_the_visitor_returns_ends_the_walk_whatever_it_is(void **state)
{
	static const int errors[] = { 7, -ENOENT, -ENODEV, -ENOTDIR };
	struct fixture *f = *state;

	fake_root_mkdir(f->root, "a");
	fake_root_mkdir(f->root, "stop/below");
	fake_root_mkdir(f->root, "z");
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		f->seen[0] = '\0';
		f->error = errors[i];
		assert_int_equal(mig_cgroup_tree_visit(f->fd, note, f), errors[i]);
		assert_string_equal(f->seen, ";a;stop;");
	}
}

static unsigned int count_descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int count(void *data, const char *path, int fd)
{
	struct fixture *f = data;
	unsigned int open_now = count_descriptors();

	(void)path;
	(void)fd;
	f->nr++;
	if (open_now > f->most_descriptors)
		f->most_descriptors = open_now;
	return 0;
}

static void depth_takes_no_descriptors(void **state)
{
	enum { DEPTH = 300 };
	struct fixture *f = *state;
	char path[DEPTH * 2 + 1] = "";

	for (size_t i = 0; i < DEPTH; i++)
		strcat(path, i ? "/d" : "d");
	fake_root_mkdir(f->root, path);
	assert_int_equal(mig_cgroup_tree_visit(f->fd, count, f), 0);
	assert_int_equal(f->nr, DEPTH + 1);
	assert_in_range(f->most_descriptors, 1, count_descriptors() + 2);
}

static void a_list_is_added_behind_what_is_there_already(void **state)
{
	struct fixture *f = *state;
	struct mig_names names = { 0 };
	int fd;

	fake_root_mkdir(f->root, "b/x");
	fake_root_mkdir(f->root, "a");
	fd = openat(f->fd, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mig_cgroup_tree_list(fd, &names), 0);
	assert_int_equal(mig_cgroup_tree_list(f->fd, &names), 0);
	assert_int_equal(names.nr, 3);
	assert_string_equal(names.names[0], "x");
	assert_string_equal(names.names[1], "a");
	assert_string_equal(names.names[2], "b");
	mig_names_done(&names);
	mig_names_done(&names);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parents_come_before_their_children_and_names_in_order),
		TEST(only_directories_are_followed),
		TEST(what_vanishes_meanwhile_is_passed_over),
		TEST(a_directory_that_vanishes_under_the_visit_has_nothing_below_it),
		TEST(what_the_visitor_returns_ends_the_walk_whatever_it_is),
		TEST(depth_takes_no_descriptors),
		TEST(a_list_is_added_behind_what_is_there_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
