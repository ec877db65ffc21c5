/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup_mounts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "fake_cgroup.h"
#include "rooted.h"

/* Through which directory a hierarchy is reached; NULL: it is not. */
static void assert_reached(const struct mig_cgroup_mounts *mounts, unsigned int hierarchy,
			   const char *directory)
{
	const struct mig_cgroup_mount *mount = mounts->of[hierarchy];

	if (directory) {
		assert_non_null(mount);
		assert_string_equal(mount->directory, directory);
	} else {
		assert_null(mount);
	}
}

static void v2_v1_and_both_are_told_apart(void **state)
{
	struct rooted *f = *state;

	for (enum fake_cgroups kind = FAKE_CGROUPS_V2; kind <= FAKE_CGROUPS_HYBRID;
	     kind++) {
		CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
		static const char *const v2[] = {
			[FAKE_CGROUPS_V2] = "/sys/fs/cgroup",
			[FAKE_CGROUPS_V1] = NULL,
			[FAKE_CGROUPS_HYBRID] = "/sys/fs/cgroup/unified",
		};
		bool has_v1 = kind != FAKE_CGROUPS_V2;

		fake_cgroups_mount(f->root, kind);
		assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), 0);
		assert_reached(&mounts, MIG_HIERARCHY_V2, v2[kind]);
		assert_reached(&mounts, MIG_CONTROLLER_MEMORY,
			       has_v1 ? "/sys/fs/cgroup/memory" : NULL);
		assert_reached(&mounts, MIG_CONTROLLER_CPUSET,
			       has_v1 ? "/sys/fs/cgroup/cpuset" : NULL);
		assert_reached(&mounts, MIG_CONTROLLER_FREEZER,
			       has_v1 ? "/sys/fs/cgroup/freezer" : NULL);
	}
}

static void a_hierarchy_may_have_several_controllers(void **state)
{
	CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
	struct rooted *f = *state;

	fake_root_write(f->root, "proc/self/mountinfo",
			"34 31 0:31 / /a rw - cgroup cgroup rw,cpuset,memory\n");
	fake_cgroup_write(f->root, "a", "", "");
	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), 0);
	assert_reached(&mounts, MIG_CONTROLLER_MEMORY, "/a");
	assert_reached(&mounts, MIG_CONTROLLER_CPUSET, "/a");
	assert_reached(&mounts, MIG_CONTROLLER_FREEZER, NULL);
}

static void the_whole_of_a_hierarchy_goes_before_a_part(void **state)
{
	CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
	struct rooted *f = *state;

	fake_root_write(f->root, "proc/self/mountinfo",
			"34 31 0:31 /x /part rw - cgroup2 cgroup rw\n"
			"35 31 0:31 / /whole rw - cgroup2 cgroup rw\n"
			"36 31 0:31 / /again rw - cgroup2 cgroup rw\n");
	fake_cgroup_write(f->root, "part", "", "");
	fake_cgroup_write(f->root, "whole", "", "");
	fake_cgroup_write(f->root, "again", "", "");
	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), 0);
	assert_reached(&mounts, MIG_HIERARCHY_V2, "/whole");
}

static void what_is_hidden_below_another_mount_is_passed_over(void **state)
{
	CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
	struct rooted *f = *state;

	fake_root_write(f->root, "proc/self/mountinfo",
			"34 31 0:31 / /hidden rw - cgroup2 cgroup rw\n"
			"35 31 0:31 / /gone rw - cgroup2 cgroup rw\n"
			"36 31 0:31 /x /seen rw - cgroup2 cgroup rw\n");
	fake_root_mkdir(f->root, "hidden");
	fake_cgroup_write(f->root, "seen", "", "");
	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), 0);
	assert_reached(&mounts, MIG_HIERARCHY_V2, "/seen");
}

static void without_a_hierarchy_it_is_not_supported(void **state)
{
	struct rooted *f = *state;
	struct mig_cgroup_mounts mounts = { .nr = 77 };

	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), -EOPNOTSUPP);
	fake_root_write(f->root, "proc/self/mountinfo",
			"32 31 0:29 / /s rw - cgroup cgroup rw,xattr,name=systemd\n"
			"33 31 0:30 / /c rw - cgroup cgroup rw,cpu,cpuacct\n"
			"34 31 0:31 / /t rw - tmpfs tmpfs rw,memory\n");
	fake_cgroup_write(f->root, "s", "", "");
	fake_cgroup_write(f->root, "c", "", "");
	fake_cgroup_write(f->root, "t", "", "");
	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), -EOPNOTSUPP);
	fake_root_write(f->root, "proc/self/mountinfo", "rubbish\n");
	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), -EBADMSG);
	assert_int_equal(mounts.nr, 77);
}

static void assert_below(const char *path, const char *directory, const char *expected)
{
	const char *below = mig_cgroup_path_below(path, directory);

	if (expected) {
		assert_non_null(below);
		assert_string_equal(below, expected);
	} else {
		assert_null(below);
	}
}

static void a_path_is_below_a_directory_by_whole_names(void **state)
{
	(void)state;
	assert_below("/a/b", "/a", "/b");
	assert_below("/a", "/a", "/");
	assert_below("/ab", "/a", NULL);
	assert_below("/a", "/a/b", NULL);
	assert_below("/b/a", "/a", NULL);
	assert_below("/a", "/", "/a");
	assert_below("/", "/", "/");
	assert_below("/../x/y", "/../x", "/y");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v2_v1_and_both_are_told_apart),
		TEST(a_hierarchy_may_have_several_controllers),
		TEST(the_whole_of_a_hierarchy_goes_before_a_part),
		TEST(what_is_hidden_below_another_mount_is_passed_over),
		TEST(without_a_hierarchy_it_is_not_supported),
		cmocka_unit_test(a_path_is_below_a_directory_by_whole_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
