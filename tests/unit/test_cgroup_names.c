/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup_names.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "fake_cgroup.h"
#include "rooted.h"

/* Return: an error; otherwise 0, and the name means that path in that hierarchy. */
static int find(const struct rooted *f, const char *name, const char *path,
		unsigned int hierarchy)
{
	CLEANUP(mig_cgroup_mounts_done) struct mig_cgroup_mounts mounts = { 0 };
	struct mig_cgroup_spot spot = { 0 };
	int r;

	assert_int_equal(mig_cgroup_mounts_read(f->context, &mounts), 0);
	r = mig_cgroup_names_find(f->context, &mounts, name, &spot);
	if (r < 0) {
		assert_null(spot.path);
		return r;
	}
	assert_string_equal(spot.path, path);
	assert_int_equal(spot.hierarchy, hierarchy);
	free(spot.path);
	return r;
}

/* On v2, where there is one hierarchy. */
static void assert_means(const struct rooted *f, const char *name, const char *path)
{
	assert_int_equal(find(f, name, path, MIG_HIERARCHY_V2), 0);
}

static void assert_refused(const struct rooted *f, const char *name, int error)
{
	assert_int_equal(find(f, name, "", 0), error);
}

static void a_path_is_absolute_or_below_the_root(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/batch/one", "");
	assert_means(f, "/sys/fs/cgroup/batch/one", "/batch/one");
	assert_means(f, "/batch/one", "/batch/one");
	assert_means(f, "batch/one", "/batch/one");
	assert_means(f, "batch", "/batch");
	assert_means(f, "/", "/");
	assert_means(f, "/sys/fs/cgroup", "/");
	assert_means(f, "//sys/fs//cgroup/./batch/../batch/one/", "/batch/one");
	assert_means(f, "batch/../../..//batch", "/batch");
}

static void what_is_no_cgroup_is_refused(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/batch", "");
	fake_root_mkdir(f->root, "etc");
	fake_root_mkdir(f->root, "sys/fs/cgroupish");
	fake_root_link(f->root, "sys/fs/cgroup/link", "batch");
	assert_refused(f, "", -EINVAL);
	assert_refused(f, "nothing", -ENOENT);
	assert_refused(f, "/sys/fs/cgroup/memory/batch", -ENOENT);
	assert_refused(f, "/nowhere", -ENOENT);
	assert_refused(f, "/etc", -EXDEV);
	assert_refused(f, "/sys/fs", -EXDEV);
	assert_refused(f, "/sys/fs/cgroupish", -EXDEV);
	assert_refused(f, "etc", -ENOENT);
	assert_refused(f, "sys/fs/cgroup/batch", -ENOENT);
	assert_refused(f, "/sys/fs/cgroup/../cgroupish", -EXDEV);
	assert_refused(f, "batch/cgroup.procs", -ENOTDIR);
	assert_refused(f, "link", -ENOTDIR);
}

static void a_unit_is_found_wherever_it_is(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/system.slice/db.service/sub", "");
	fake_cgroup_write(f->root, FAKE_V2, "/user.slice/user-1000.slice", "");
	fake_cgroup_write(f->root, FAKE_V2, "/system.slice/_cpu.service", "");
	assert_means(f, "db.service", "/system.slice/db.service");
	assert_means(f, "user-1000.slice", "/user.slice/user-1000.slice");
	assert_means(f, "user.slice", "/user.slice");
	assert_means(f, "cpu.service", "/system.slice/_cpu.service");
	assert_refused(f, "b.service", -ENOENT);
	assert_refused(f, "_db.service", -ENOENT);
	/* Only units are looked for. */
	assert_refused(f, "sub", -ENOENT);
	assert_refused(f, "/db.service", -ENOENT);
	assert_refused(f, "db.service/sub", -ENOENT);
}

static void a_path_goes_before_a_unit(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a.service", "");
	fake_cgroup_write(f->root, FAKE_V2, "/system.slice/a.service", "");
	fake_cgroup_write(f->root, FAKE_V2, "/pid:42", "");
	assert_means(f, "a.service", "/a.service");
	assert_means(f, "/pid:42", "/pid:42");
	assert_refused(f, "pid:42", -ESRCH);
}

static void a_unit_of_the_system_goes_before_those_of_users_and_containers(void **state)
{
	static const char *const others[] = {
		"/a.slice/user-7.slice/user@7.service/app.slice/dbus.service",
		"/user.slice/user-7.slice/user@7.service/app.slice/dbus.service",
		"/machine.slice/box.scope/payload/system.slice/dbus.service",
	};
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, others[0], "");
	assert_means(f, "dbus.service", others[0]);
	for (size_t i = 1; i < 3; i++) {
		fake_cgroup_write(f->root, FAKE_V2, others[i], "");
		assert_refused(f, "dbus.service", -ENOTUNIQ);
	}
	fake_cgroup_write(f->root, FAKE_V2, "/system.slice/dbus.service", "");
	assert_means(f, "dbus.service", "/system.slice/dbus.service");
	fake_cgroup_write(f->root, FAKE_V2, "/other.slice/dbus.service", "");
	assert_refused(f, "dbus.service", -ENOTUNIQ);
}

static void a_process_names_the_cgroup_that_it_is_in(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a:b/c", "42\n");
	fake_root_write(f->root, "proc/42/cgroup", "0::/a:b/c\n");
	fake_root_write(f->root, "proc/43/cgroup", "0::/\n");
	fake_root_write(f->root, "proc/44/cgroup", "0::/gone (deleted)\n");
	fake_root_write(f->root, "proc/45/cgroup", "rubbish\n");
	assert_means(f, "pid:42", "/a:b/c");
	assert_means(f, "pid:43", "/");
	assert_refused(f, "pid:44", -ENOENT);
	assert_refused(f, "pid:45", -EBADMSG);
	assert_string_equal(f->root->log, "'proc/45/cgroup' does not parse");
	assert_refused(f, "pid:46", -ESRCH);
	assert_refused(f, "pid:", -EINVAL);
	assert_refused(f, "pid:0", -EINVAL);
	assert_refused(f, "pid:-1", -EINVAL);
	assert_refused(f, "pid:42x", -EINVAL);
	assert_refused(f, "pid: 42", -EINVAL);
	assert_refused(f, "pid:4294967338", -EINVAL);
}

static void of_a_process_on_v1_the_root_goes_last(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/mem", "42\n");
	fake_cgroup_write(f->root, FAKE_CPUSET, "/set", "42\n43\n");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/system.slice/x.service", "44\n");
	fake_root_write(f->root, "proc/42/cgroup",
			"5:name=systemd:/s\n4:cpuset:/set\n3:cpu,memory:/mem\n0::/\n");
	fake_root_write(f->root, "proc/43/cgroup",
			"4:cpuset:/set\n3:memory:/\n2:freezer:/\n0::/\n");
	fake_root_write(f->root, "proc/44/cgroup",
			"4:cpuset:/\n3:memory:/\n2:freezer:/\n"
			"0::/system.slice/x.service\n");
	fake_root_write(f->root, "proc/45/cgroup",
			"4:cpuset:/\n3:memory:/\n2:freezer:/\n0::/\n");
	assert_int_equal(find(f, "pid:42", "/mem", MIG_CONTROLLER_MEMORY), 0);
	assert_int_equal(find(f, "pid:43", "/set", MIG_CONTROLLER_CPUSET), 0);
	assert_int_equal(find(f, "pid:44", "/system.slice/x.service", MIG_HIERARCHY_V2),
			 0);
	assert_int_equal(find(f, "pid:45", "/", MIG_CONTROLLER_MEMORY), 0);
}

static void an_absolute_path_says_which_hierarchy_is_meant(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/a", "");
	fake_cgroup_write(f->root, FAKE_CPUSET, "/a", "");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/a", "");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/b", "");
	assert_int_equal(find(f, "a", "/a", MIG_CONTROLLER_MEMORY), 0);
	assert_int_equal(find(f, "b", "/b", MIG_HIERARCHY_V2), 0);
	assert_int_equal(find(f, "/sys/fs/cgroup/cpuset/a", "/a", MIG_CONTROLLER_CPUSET),
			 0);
	assert_int_equal(find(f, "/sys/fs/cgroup/unified/a", "/a", MIG_HIERARCHY_V2), 0);
	/* Of a hierarchy that is not used: the same path in those that are. */
	assert_int_equal(find(f, "/sys/fs/cgroup/systemd/a", "/a", MIG_CONTROLLER_MEMORY),
			 0);
	assert_refused(f, "/sys/fs/cgroup/systemd/c", -ENOENT);
	/* Above all of them. */
	assert_refused(f, "/sys/fs/cgroup", -EXDEV);
}

static void of_mounts_in_each_other_the_inner_one_is_meant(void **state)
{
	struct rooted *f = *state;

	fake_root_write(f->root, "proc/self/mountinfo",
			"31 22 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
			"32 31 0:28 /x /sys/fs/cgroup/a rw - cgroup2 cgroup2 rw\n");
	fake_cgroup_write(f->root, FAKE_V2, "/x/b", "");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "");
	fake_cgroup_write(f->root, FAKE_V2, "", "");
	assert_means(f, "/sys/fs/cgroup/a/b", "/x/b");
	assert_means(f, "/sys/fs/cgroup/ab/../x", "/x");
	assert_means(f, "a/b", "/a/b");
}

static void a_unit_in_several_hierarchies_is_one(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/system.slice/x.service", "");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/system.slice/x.service", "");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/system.slice/y.service", "");
	assert_int_equal(
		find(f, "x.service", "/system.slice/x.service", MIG_CONTROLLER_MEMORY),
		0);
	assert_int_equal(
		find(f, "y.service", "/system.slice/y.service", MIG_HIERARCHY_V2), 0);
}

static void jobs_of_slurm_are_found(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2,
			  "/system.slice/slurmstepd.scope/job_12/step_0/user/task_0", "");
	fake_cgroup_write(f->root, FAKE_V2, "/system.slice/n1_slurmstepd.scope/job_123",
			  "");
	fake_cgroup_write(f->root, FAKE_V2, "/other/job_7", "");
	assert_means(f, "job:12", "/system.slice/slurmstepd.scope/job_12");
	assert_means(f, "job:123", "/system.slice/n1_slurmstepd.scope/job_123");
	assert_refused(f, "job:7", -ENOENT);
	assert_refused(f, "job:1", -ENOENT);
	assert_refused(f, "job:", -EINVAL);
	assert_refused(f, "job:12/step_0", -EINVAL);
	/* Two daemons of one name space have a job of this number. */
	fake_cgroup_write(f->root, FAKE_V2, "/system.slice/n2_slurmstepd.scope/job_123",
			  "");
	assert_refused(f, "job:123", -ENOTUNIQ);
}

static void jobs_of_slurm_are_found_on_v1(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V1);
	fake_cgroup_write(f->root, FAKE_FREEZER, "/slurm/uid_5/job_12/step_0", "");
	fake_cgroup_write(f->root, FAKE_MEMORY, "/slurm/uid_5/job_12", "");
	fake_cgroup_write(f->root, FAKE_CPUSET, "/slurm_n1/uid_5/job_13", "");
	assert_int_equal(find(f, "job:12", "/slurm/uid_5/job_12", MIG_CONTROLLER_MEMORY),
			 0);
	assert_int_equal(
		find(f, "job:13", "/slurm_n1/uid_5/job_13", MIG_CONTROLLER_CPUSET), 0);
}

static void jobs_of_pbs_are_found(void **state)
{
	struct rooted *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/pbs_jobs.service/jobid/12.head", "");
	fake_cgroup_write(f->root, FAKE_V2, "/pbspro.service/jobid/13", "");
	fake_cgroup_write(f->root, FAKE_V2, "/pbspro.slice/pbspro-14.head.slice", "");
	fake_cgroup_write(f->root, FAKE_V2,
			  "/pbspro.slice/pbspro-15\\x5b3\\x5D.my\\x2dhead.slice", "");
	fake_cgroup_write(f->root, FAKE_V2, "/other/16.head", "");
	fake_cgroup_write(f->root, FAKE_V2, "/pbspro.slice/pbspro-.slice", "");
	fake_cgroup_write(f->root, FAKE_V2, "/pbspro.slice/pbs.slice", "");
	assert_means(f, "job:12", "/pbs_jobs.service/jobid/12.head");
	assert_means(f, "job:12.head", "/pbs_jobs.service/jobid/12.head");
	assert_means(f, "job:13", "/pbspro.service/jobid/13");
	assert_means(f, "job:14", "/pbspro.slice/pbspro-14.head.slice");
	assert_means(f, "job:15[3]",
		     "/pbspro.slice/pbspro-15\\x5b3\\x5D.my\\x2dhead.slice");
	assert_means(f, "job:15[3].my-head",
		     "/pbspro.slice/pbspro-15\\x5b3\\x5D.my\\x2dhead.slice");
	assert_refused(f, "job:15", -ENOENT);
	assert_refused(f, "job:16", -ENOENT);
	assert_refused(f, "job:1", -ENOENT);
	assert_refused(f, "job:12.hea", -ENOENT);
	assert_refused(f, "job:14.head.slice", -ENOENT);
}

#define IN_CONTAINER \
	"31 22 0:28 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup2 rw,nsdelegate\n"

static void in_a_container_both_roots_are_understood(void **state)
{
	struct rooted *f = *state;

	fake_root_write(f->root, "proc/self/mountinfo", IN_CONTAINER);
	fake_cgroup_write(f->root, FAKE_V2, "", "");
	fake_cgroup_write(f->root, FAKE_V2, "/inner/x.service", "");
	fake_root_write(f->root, "proc/42/cgroup", "0::/docker/abc/inner\n");
	fake_root_write(f->root, "proc/43/cgroup", "0::/docker/def\n");
	fake_root_write(f->root, "proc/44/cgroup", "0::/docker/abcd\n");
	assert_means(f, "/sys/fs/cgroup/inner", "/docker/abc/inner");
	assert_means(f, "inner", "/docker/abc/inner");
	assert_means(f, "/docker/abc/inner", "/docker/abc/inner");
	assert_means(f, "/", "/docker/abc");
	assert_means(f, "pid:42", "/docker/abc/inner");
	assert_means(f, "x.service", "/docker/abc/inner/x.service");
	assert_refused(f, "pid:43", -ENOENT);
	assert_refused(f, "pid:44", -ENOENT);
	assert_refused(f, "/docker/abcd", -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_absolute_or_below_the_root),
		TEST(what_is_no_cgroup_is_refused),
		TEST(a_unit_is_found_wherever_it_is),
		TEST(a_path_goes_before_a_unit),
		TEST(a_unit_of_the_system_goes_before_those_of_users_and_containers),
		TEST(a_process_names_the_cgroup_that_it_is_in),
		TEST(of_a_process_on_v1_the_root_goes_last),
		TEST(an_absolute_path_says_which_hierarchy_is_meant),
		TEST(of_mounts_in_each_other_the_inner_one_is_meant),
		TEST(a_unit_in_several_hierarchies_is_one),
		TEST(jobs_of_slurm_are_found),
		TEST(jobs_of_slurm_are_found_on_v1),
		TEST(jobs_of_pbs_are_found),
		TEST(in_a_container_both_roots_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
