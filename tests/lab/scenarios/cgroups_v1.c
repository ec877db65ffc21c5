// SPDX-License-Identifier: GPL-2.0-or-later
/* The cgroup commands where the hierarchies of cgroup v1 are mounted, alone and beside
 * v2 as systemd did it: kernels up to 6.1 of the lab have it, later ones don't. */
#include "lab_cache.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define MEMORY LAB_CGROUPS "/memory"
#define CPUSET LAB_CGROUPS "/cpuset"
#define FREEZER LAB_CGROUPS "/freezer"
#define UNIFIED LAB_CGROUPS "/unified"

#define SOMEWHERE "/run/lab-probe"

/* What v2 has of them it keeps: then it is only busy. */
static void need_v1(struct lab *lab, const char *controller)
{
	lab_shell(lab, NULL, "mkdir -p " SOMEWHERE);
	if (!mount("none", SOMEWHERE, "cgroup", 0, controller))
		umount(SOMEWHERE);
	else if (errno != EBUSY)
		lab_skip("this kernel has no cgroup v1 of %s", controller);
}

/* That guest-init has made. */
#define KEEPER LAB_CGROUPS "/lab-keeper"

/*
 * A hierarchy is given up by v1 or v2 only when nothing is charged to its last groups,
 * dead as they are.
 */
static const char back_to_v2[] =
	"cd " LAB_CGROUPS "; umount memory cpuset freezer; umount unified 2>/dev/null; "
	"cd /; umount " LAB_CGROUPS "; mount -t cgroup2 cgroup2 " LAB_CGROUPS "; "
	"for i in $(seq 300); do "
	"echo +memory +cpuset 2>/dev/null >" LAB_CGROUPS "/cgroup.subtree_control && "
	"{ mkdir -p " KEEPER "; echo v2 after $i tries; exit; }; "
	"[ $((i % 20)) -ne 5 ] || echo 3 >/proc/sys/vm/drop_caches; sleep 0.1; "
	"for c in memory cpuset freezer; do "
	"mount -t cgroup -o $c $c " SOMEWHERE " && umount " SOMEWHERE "; "
	"done 2>/dev/null; done; echo v2 does not get its controllers back; exit 1";

static void mount_controller(const char *controller, const char *directory)
{
	for (int i = 1; mount(controller, directory, "cgroup", 0, controller); i++) {
		if (errno != EBUSY || i == 300)
			fail_msg("'%s' cannot be mounted: %s", directory,
				 strerror(errno));
		if (i % 20 == 5)
			lab_drop_caches();
		usleep(100000);
	}
}

static void mount_v1(struct lab *lab, bool with_v2)
{
	need_v1(lab, "memory");
	need_v1(lab, "cpuset");
	need_v1(lab, "freezer");
	lab_shell(lab, back_to_v2,
		  "rmdir " KEEPER " && "
		  "echo -memory -cpuset >" LAB_CGROUPS "/cgroup.subtree_control && "
		  "umount " LAB_CGROUPS " && mount -t tmpfs cgroup " LAB_CGROUPS " && "
		  "cd " LAB_CGROUPS " && mkdir memory cpuset freezer");
	mount_controller("memory", MEMORY);
	mount_controller("cpuset", CPUSET);
	mount_controller("freezer", FREEZER);
	if (with_v2)
		lab_shell(lab, NULL,
			  "mkdir " UNIFIED " && mount -t cgroup2 cgroup2 " UNIFIED);
}

/** The same name in all hierarchies of v1. */
struct v1_group {
	const char *memory;
	const char *cpuset;
	const char *freezer;
};

static void allow(const char *cpuset, const char *nodes)
{
	assert_true(lab_group_write(cpuset, "cpuset.cpus", "0-3"));
	assert_true(lab_group_write(cpuset, "cpuset.mems", nodes));
}

/* To a group of the memory hierarchy those of its name in the others. */
static struct v1_group make_others(struct lab *lab, const char *memory, const char *name)
{
	struct v1_group group = {
		.memory = memory,
		.cpuset = lab_group(lab, CPUSET, name),
		.freezer = lab_group(lab, FREEZER, name),
	};

	allow(group.cpuset, "0-3");
	return group;
}

static struct v1_group make_group(struct lab *lab, const char *name)
{
	return make_others(lab, lab_group(lab, MEMORY, name), name);
}

static struct victim *add_member(struct lab *lab, const struct v1_group *group,
				 const char *options)
{
	struct victim *victim = lab_member(lab, group->memory, "%s", options);

	lab_join(group->cpuset, victim->pid);
	lab_join(group->freezer, victim->pid);
	return victim;
}

/* Only v1, and a group with a member. */
static struct victim *begin(struct lab *lab, struct v1_group *ret_group,
			    const char *options)
{
	mount_v1(lab, false);
	*ret_group = make_group(lab, "lab-v1");
	return add_member(lab, ret_group, options);
}

static void a_group_moves_by_each_of_its_names(void **state)
{
	struct lab *lab = *state;
	struct v1_group group;
	struct victim *victim, *below;
	const char *inner;
	struct run *run;
	char name[32];

	victim = begin(lab, &group, "--size 8M --node 0");
	inner = lab_group_below(lab, group.memory, "inner", NULL);
	below = lab_member(lab, inner, "--size 4M --node 0");
	assert_string_equal(lab_assert_group_moves(lab, group.memory, "--to 1")->cgroup,
			    "/lab-v1");
	lab_assert_all_on(lab, victim, 1);
	lab_assert_all_on(lab, below, 1);
	/* Of the cpuset only the one is a member. */
	lab_assert_group_moves(lab, group.cpuset, "--to 2");
	lab_assert_all_on(lab, victim, 2);
	lab_assert_all_on(lab, below, 1);
	run = lab_move_group(lab, "--to 3 lab-v1");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->processes, 2);
	snprintf(name, sizeof(name), "pid:%d", below->pid);
	run = lab_move_group(lab, "--to 0 %s", name);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(run->report->cgroup, "/lab-v1/inner");
	lab_assert_all_on(lab, victim, 3);
	lab_assert_all_on(lab, below, 0);
	lab_assert_intact(victim);
	lab_assert_intact(below);
}

static void what_is_charged_is_shown(void **state)
{
	struct lab *lab = *state;
	struct v1_group group;
	struct shown shown;
	uint64_t bytes[2];

	begin(lab, &group, "--size 8M --node 0,2");
	/* Pages that have not come to their list yet are not counted. */
	lab_await_charged(group.memory, "anon", 2, 3 * MEBIBYTE, 6 * MEBIBYTE);
	do {
		bytes[0] = lab_charged(group.memory, "anon", -1);
		lab_show_groups(lab, &shown, "--by-kind lab-v1");
		bytes[1] = lab_charged(group.memory, "anon", -1);
	} while (bytes[0] != bytes[1]);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_int_equal(shown.groups[0].processes, 1);
	assert_int_equal(lab_shown_kind(&shown.groups[0], "charged", "anon")->total_bytes,
			 bytes[0]);
	assert_in_range(
		lab_shown_kind(&shown.groups[0], "charged", "anon")->node_bytes[2],
		3 * MEBIBYTE, 6 * MEBIBYTE);
	/* The kernel does not tell them there. */
	assert_true(lab_shown_kind(&shown.groups[0], "charged", "shmem")->total_bytes ==
		    REPORT_UNKNOWN);
	assert_true(lab_shown_kind(&shown.groups[0], "charged", "kernel")->total_bytes ==
		    REPORT_UNKNOWN);
	assert_int_equal(shown.groups[0].mems, 0xf);
}

static void it_stands_still_meanwhile_and_runs_afterwards(void **state)
{
	struct lab *lab = *state;
	struct v1_group group;
	struct victim *victim;
	struct run *run;

	victim = begin(lab, &group, "--size 24M --node 0");
	lab_ask(victim, "start write");
	run = lab_start_move_group(lab, "--freeze --rate 8M --to 1 lab-v1");
	lab_await_on(victim, 1, 256);
	assert_true(lab_is_frozen(group.freezer));
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_group_read(group.freezer, "freezer.state"), "THAWED");
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
	lab_assert_all_on(lab, victim, 1);
	assert_true(lab_group_write(group.freezer, "freezer.state", "FROZEN"));
	lab_await_frozen(group.freezer, true);
	run = lab_move_group(lab, "--freeze --to 2 lab-v1");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(lab_is_frozen(group.freezer));
	assert_true(lab_group_write(group.freezer, "freezer.state", "THAWED"));
	lab_assert_intact(victim);
}

static void it_runs_again_after_migratectl_was_killed(void **state)
{
	struct lab *lab = *state;
	struct v1_group group;
	struct victim *victim;
	struct run *run;

	victim = begin(lab, &group, "--size 32M --node 0");
	run = lab_start_move_group(lab, "--freeze --rate 1M --to 1 lab-v1");
	lab_await_on(victim, 1, 128);
	assert_true(lab_is_frozen(group.freezer));
	kill(run->pid, SIGKILL);
	lab_finish(run);
	lab_await_frozen(group.freezer, false);
	lab_assert_intact(victim);
}

static void a_cpuset_is_bound_and_new_memory_stays_there(void **state)
{
	struct lab *lab = *state;
	struct v1_group group;
	struct victim *victim;
	struct run *run;

	victim = begin(lab, &group, "--size 16M --node 0");
	run = lab_move_group(lab, "--bind --cpus --to 2 lab-v1");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->report->bound_mems, 1 << 2);
	assert_true(run->report->bound_pages >= victim->nr_pages);
	assert_string_equal(lab_group_read(group.cpuset, "cpuset.mems"), "2");
	assert_string_equal(lab_group_read(group.cpuset, "cpuset.cpus"), "2");
	/* It was not asked to do so for ever. */
	assert_string_equal(lab_group_read(group.cpuset, "cpuset.memory_migrate"), "0");
	lab_assert_intact(victim);
	lab_ask(victim, "refill");
	lab_assert_all_on(lab, victim, 2);
}

static void assert_not_bound(struct lab *lab, const char *cpuset, const char *text)
{
	struct run *run = lab_move_group(lab, "--bind --to 2 %s", cpuset);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, text);
	assert_string_equal(lab_group_read(cpuset, "cpuset.mems"), "0-1");
	assert_string_equal(lab_group_read(cpuset, "cpuset.memory_migrate"), "0");
}

static void what_cannot_be_bound_is_as_before(void **state)
{
	struct lab *lab = *state;
	struct v1_group group;
	struct victim *victim;
	const char *below;
	struct run *run;

	mount_v1(lab, false);
	group = make_group(lab, "lab-v1");
	below = lab_group_below(lab, group.cpuset, "below", NULL);
	allow(group.cpuset, "0-1");
	allow(below, "0-1");
	victim = add_member(lab, &group, "--size 4M --node 0");
	assert_not_bound(lab, group.cpuset, "below it has other nodes");
	lab_join(below, victim->pid);
	assert_not_bound(lab, below, "parent");
	lab_assert_all_on(lab, victim, 0);
	/* One that the hierarchy of cpusets does not have. */
	victim = lab_member(lab, lab_group(lab, MEMORY, "lab-other"),
			    "--size 4M --node 0");
	run = lab_move_group(lab, "--bind --to 2 lab-other");
	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "cannot have a cpuset");
	run = lab_move_group(lab, "--freeze --to 2 lab-other");
	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "cannot be frozen");
	lab_assert_all_on(lab, victim, 0);
}

/* Where systemd keeps its own in v2, and the controllers in v1. */
static void beside_v2_all_that_belongs_together_is_found(void **state)
{
	struct lab *lab = *state;
	const char *unified, *service, *memory, *slice;
	struct victim *victim;
	struct shown shown;
	struct run *run;

	mount_v1(lab, true);
	unified = lab_group(lab, UNIFIED, "system.slice");
	service = lab_group_below(lab, unified, "lab-db.service", NULL);
	slice = lab_group(lab, MEMORY, "system.slice");
	memory = lab_group_below(lab, slice, "lab-db.service", NULL);
	victim = lab_member(lab, memory, "--size 8M --node 0");
	lab_join(service, victim->pid);
	lab_await_charged(memory, "anon", 0, 7 * MEBIBYTE, 12 * MEBIBYTE);
	lab_show_groups(lab, &shown, "lab-db.service");
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_string_equal(shown.groups[0].path, "/system.slice/lab-db.service");
	assert_int_equal(shown.groups[0].processes, 1);
	assert_in_range(shown.groups[0].node_bytes[0], 7 * MEBIBYTE, 12 * MEBIBYTE);
	/* By the path in v2 it is the same one. */
	lab_show_groups(lab, &shown, "%s", service);
	assert_in_range(shown.groups[0].node_bytes[0], 7 * MEBIBYTE, 12 * MEBIBYTE);
	run = lab_move_group(lab, "--to 1 %s", service);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_group_moves(lab, memory, "--to 2");
	lab_assert_all_on(lab, victim, 2);
	lab_assert_intact(victim);
}

static void a_group_of_v2_alone_has_members_and_nothing_charged(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;
	struct shown shown;
	const char *group;
	struct run *run;

	mount_v1(lab, true);
	group = lab_group(lab, UNIFIED, "lab-plain");
	victim = lab_member(lab, group, "--size 4M --node 0");
	lab_show_groups(lab, &shown, "lab-plain");
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_int_equal(shown.groups[0].processes, 1);
	assert_true(shown.groups[0].total_bytes == REPORT_UNKNOWN);
	lab_assert_group_moves(lab, group, "--to 1");
	lab_assert_all_on(lab, victim, 1);
	run = lab_move_group(lab, "--bind --to 2 lab-plain");
	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "cannot have a cpuset");
	lab_assert_all_on(lab, victim, 1);
}

static void unmapped_dirty_cache_moves_and_a_siblings_stays(void **state)
{
	struct lab *lab = *state;
	struct lab_cache scene;
	struct run *run;

	mount_v1(lab, false);
	scene = lab_cache(lab, MEMORY, LAB_CACHE_MUCH);
	/* No member has it open: it has to be said where to look. */
	run = lab_move_group(lab, "--cache --to 1 lab-cache");
	lab_assert_status(run, EXIT_FAILED);
	assert_in_range(report_left(run->report, "no-file"), scene.nr_pages,
			(scene.bytes + LAB_CACHE_SLACK) / PAGE_BYTES);
	lab_assert_file_on(lab, scene.path, 0, scene.nr_pages);
	run = lab_move_group(lab, "--cache --search %s --require 98 --to 1 lab-cache",
			     scene.disk.path);
	lab_assert_cache_moved(run, scene.bytes, "files");
	assert_int_equal(run->report->processes, 0);
	lab_assert_only_cache_moved(lab, &scene, 1);
}

/* A group with cache and a member, which is one of it in all hierarchies. */
struct shared_group {
	struct lab_cache cache;
	struct v1_group group;
	struct victim *victim;
};

static struct shared_group make_shared_group(struct lab *lab, const char *options)
{
	struct shared_group made;

	mount_v1(lab, false);
	made.cache = lab_cache(lab, MEMORY, LAB_CACHE_LITTLE);
	made.group = make_others(lab, made.cache.group, "lab-cache");
	made.victim = add_member(lab, &made.group, options);
	return made;
}

static void members_stand_still_while_the_cache_moves(void **state)
{
	struct lab *lab = *state;
	struct shared_group made = make_shared_group(lab, "--size 24M --node 0");

	lab_assert_cache_moves_frozen(lab, &made.cache, made.victim, "lab-cache",
				      made.group.freezer);
	assert_string_equal(lab_group_read(made.group.freezer, "freezer.state"),
			    "THAWED");
}

/* Of what is mapped the kernel takes care, by the cpuset. */
static void of_a_group_that_is_bound_the_cache_moves_too(void **state)
{
	struct lab *lab = *state;
	struct shared_group made = make_shared_group(lab, "--size 8M --node 0");
	struct run *run = lab_move_group(
		lab, "--cache --bind --freeze --search %s --require 98 --to 2 lab-cache",
		made.cache.disk.path);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_in_range(run->report->moved.bytes, made.cache.bytes,
			made.cache.bytes + 8 * MEBIBYTE);
	assert_true(run->report->bound_pages >= made.victim->nr_pages);
	assert_string_equal(lab_group_read(made.group.cpuset, "cpuset.mems"), "2");
	assert_string_equal(lab_group_read(made.group.freezer, "freezer.state"),
			    "THAWED");
	lab_assert_intact(made.victim);
	lab_ask(made.victim, "refill");
	lab_assert_all_on(lab, made.victim, 2);
	lab_assert_only_cache_moved(lab, &made.cache, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_group_moves_by_each_of_its_names),
		LAB_TEST(what_is_charged_is_shown),
		LAB_TEST(it_stands_still_meanwhile_and_runs_afterwards),
		LAB_TEST(it_runs_again_after_migratectl_was_killed),
		LAB_TEST(a_cpuset_is_bound_and_new_memory_stays_there),
		LAB_TEST(what_cannot_be_bound_is_as_before),
		LAB_TEST(beside_v2_all_that_belongs_together_is_found),
		LAB_TEST(a_group_of_v2_alone_has_members_and_nothing_charged),
		LAB_TEST(unmapped_dirty_cache_moves_and_a_siblings_stays),
		LAB_TEST(members_stand_still_while_the_cache_moves),
		LAB_TEST(of_a_group_that_is_bound_the_cache_moves_too),
	};

	return lab_main(tests, 4);
}
