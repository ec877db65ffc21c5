// SPDX-License-Identifier: GPL-2.0-or-later
/* show-cgroup on cgroup v2: what is charged to a group is what memory.numa_stat says and
 * where the oracle sees it; and a group is found by every name that it has. */
#include "lab_cgroups.h"
#include "lab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534

static const char *const charges[] = { "anon", "file", "shmem" };

#define NR_CHARGES (sizeof(charges) / sizeof(charges[0]))

struct sums {
	uint64_t bytes[NR_CHARGES][4];
};

static struct sums read_sums(const char *group)
{
	struct sums sums;

	for (size_t i = 0; i < NR_CHARGES; i++) {
		for (int node = 0; node < 4; node++)
			sums.bytes[i][node] = lab_charged(group, charges[i], node);
	}
	/* The kernel counts shmem as file too. */
	for (int node = 0; node < 4; node++)
		sums.bytes[1][node] -= sums.bytes[2][node];
	return sums;
}

/* The kernel brings its counters up to date now and then: both sides must have read the
 * same ones. */
static void show_steadily(struct lab *lab, const char *group, const char *options,
			  struct shown *shown, struct sums *sums)
{
	struct sums after;

	for (int i = 0; i < 20; i++) {
		*sums = read_sums(group);
		lab_show_groups(lab, shown, "%s %s", options, group);
		after = read_sums(group);
		if (!memcmp(sums, &after, sizeof(after)))
			return;
		sleep(1);
	}
	fail_msg("what is charged to '%s' does not come to rest", group);
}

static void what_is_charged_is_shown_by_kind_and_node(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-kinds");
	const struct shown_kind *kind;
	struct shown shown;
	struct sums sums;

	lab_member(lab, group, "--size 8M --node 0,2");
	lab_member(lab, group, "--kind thp --size 8M --node 1");
	lab_member(lab, group, "--kind tmpfs --size 4M --node 3");
	lab_member(lab, group, "--kind heap --size 4M --node 2");
	lab_await_charged(group, "anon", 1, 8 * MEBIBYTE, 12 * MEBIBYTE);
	lab_await_charged(group, "shmem", 3, 4 * MEBIBYTE, 5 * MEBIBYTE);
	show_steadily(lab, group, "--by-kind", &shown, &sums);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_int_equal(shown.nr, 1);
	assert_string_equal(shown.groups[0].path, lab_group_name(group));
	assert_int_equal(shown.groups[0].processes, 4);
	assert_int_equal(shown.groups[0].hidden, 0);
	for (size_t i = 0; i < NR_CHARGES; i++) {
		kind = lab_shown_kind(&shown.groups[0], "charged", charges[i]);
		for (int node = 0; node < 4; node++)
			assert_int_equal(kind->node_bytes[node], sums.bytes[i][node]);
	}
	kind = lab_shown_kind(&shown.groups[0], "charged", "thp");
	assert_int_equal(kind->node_bytes[1], 8 * MEBIBYTE);
	/* A kernel that tells of its own memory tells it by node. */
	kind = lab_shown_kind(&shown.groups[0], "charged", "kernel");
	assert_true(kind->total_bytes > 0);
}

static void what_the_members_have_mapped_is_what_the_oracle_sees(void **state)
{
	static const char *const mapped[] = { "heap",  "stack", "anon",
					      "shmem", "file",  "hugetlb" };
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-mapped");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0,2");
	struct oracle_view *view;
	struct shown shown;

	lab_member(lab, group, "--kind shmem --size 4M --node 3");
	lab_fork(victim, 1);
	view = lab_look_group(lab, group);
	lab_show_groups(lab, &shown, "--by-kind %s", group);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_int_equal(shown.groups[0].processes, 3);
	for (int node = 0; node < 4; node++) {
		uint64_t bytes = 0;

		for (size_t i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++)
			bytes += lab_shown_kind(&shown.groups[0], "mapped", mapped[i])
					 ->node_bytes[node];
		assert_int_equal(bytes / PAGE_BYTES,
				 oracle_count(view, node, 0, UINT64_MAX));
	}
}

/* Written by a member that is gone since; only the charge tells of it. */
static void page_cache_that_nobody_has_mapped_is_charged(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-cache");
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "unmapped");
	const struct shown_kind *kind;
	struct shown shown;
	struct sums sums;

	lab_shell(lab, NULL,
		  "echo $$ >%s/cgroup.procs && "
		  "exec numactl --membind=2 head -c 16M /dev/zero >%s",
		  group, path);
	lab_await_charged(group, "file", 2, 16 * MEBIBYTE, 20 * MEBIBYTE);
	show_steadily(lab, group, "--by-kind", &shown, &sums);
	assert_int_equal(shown.groups[0].processes, 0);
	kind = lab_shown_kind(&shown.groups[0], "charged", "file");
	assert_in_range(kind->node_bytes[2], 16 * MEBIBYTE, 20 * MEBIBYTE);
	kind = lab_shown_kind(&shown.groups[0], "charged", "unmapped");
	assert_in_range(kind->node_bytes[2], 16 * MEBIBYTE, 20 * MEBIBYTE);
	kind = lab_shown_kind(&shown.groups[0], "charged", "dirty");
	assert_in_range(kind->node_bytes[2], 15 * MEBIBYTE, 20 * MEBIBYTE);
	kind = lab_shown_kind(&shown.groups[0], "mapped", "file");
	assert_int_equal(kind->total_bytes, 0);
}

static void a_tree_is_shown_group_by_group(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-tree");
	const char *first = lab_group_below(lab, top, "first", "+memory +cpuset");
	const char *second = lab_group_below(lab, top, "second", NULL);
	struct shown shown;

	assert_true(lab_group_write(top, "cpuset.mems", "0-2"));
	assert_true(lab_group_write(second, "cpuset.mems", "1-3"));
	lab_member(lab, first, "--size 4M --node 0");
	lab_member(lab, second, "--size 8M --node 1");
	lab_await_charged(top, "anon", 1, 8 * MEBIBYTE, 12 * MEBIBYTE);
	lab_show_groups(lab, &shown, "--tree %s", top);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_int_equal(shown.nr, 3);
	assert_string_equal(shown.groups[0].path, "/lab-tree");
	assert_string_equal(shown.groups[1].path, "/lab-tree/first");
	assert_string_equal(shown.groups[2].path, "/lab-tree/second");
	assert_int_equal(shown.groups[0].processes, 2);
	assert_int_equal(shown.groups[1].processes, 1);
	assert_in_range(shown.groups[0].node_bytes[1], 8 * MEBIBYTE, 16 * MEBIBYTE);
	assert_in_range(shown.groups[1].node_bytes[0], 4 * MEBIBYTE, 8 * MEBIBYTE);
	assert_in_range(shown.groups[1].node_bytes[1], 0, 2 * MEBIBYTE);
	assert_in_range(shown.groups[2].node_bytes[1], 8 * MEBIBYTE, 16 * MEBIBYTE);
	assert_int_equal(shown.groups[0].mems, 0x7);
	assert_int_equal(shown.groups[0].own_mems, 0x7);
	assert_int_equal(shown.groups[1].mems, 0x7);
	assert_int_equal(shown.groups[1].own_mems, 0);
	assert_int_equal(shown.groups[2].mems, 0x6);
	assert_int_equal(shown.groups[2].own_mems, 0xe);
}

static void swapped_memory_is_on_no_node(void **state)
{
	struct lab *lab = *state;
	const char *group;
	struct shown shown;

	lab_swap_on(lab, 64);
	group = lab_group(lab, NULL, "lab-swap");
	lab_member(lab, group, "--kind swapped --size 8M --node 0");
	lab_show_groups(lab, &shown, "%s", group);
	assert_in_range(shown.groups[0].swapped_bytes, 8 * MEBIBYTE, 12 * MEBIBYTE);
	assert_int_equal(
		shown.groups[0].swapped_bytes,
		strtoull(lab_group_read(group, "memory.swap.current"), NULL, 10));
}

static void the_local_share_is_that_of_the_nodes_where_it_runs(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-local");
	struct victim *victim;
	struct shown shown;
	uint64_t percent;

	assert_true(lab_group_write(group, "cpuset.cpus", "2"));
	victim = lab_member(lab, group, "--size 32M --node 1,2");
	lab_assert_intact(victim);
	lab_await_charged(group, "anon", 2, 16 * MEBIBYTE, 20 * MEBIBYTE);
	lab_show_groups(lab, &shown, "%s", group);
	assert_int_equal(shown.groups[0].run_nodes, 1 << 2);
	percent = shown.groups[0].node_bytes[2] * 100 / shown.groups[0].total_bytes;
	assert_in_range(percent, 40, 60);
	assert_int_equal(shown.groups[0].local_percent, percent);
}

/* ----------------------------------------------------------------------- names */

static void assert_is(struct lab *lab, const char *name, const char *group)
{
	struct shown shown;

	lab_show_groups(lab, &shown, "%s", name);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_string_equal(shown.groups[0].path, lab_group_name(group));
}

static void assert_is_not(struct lab *lab, const char *name, int status, const char *text)
{
	struct shown shown;

	lab_show_groups(lab, &shown, "%s", name);
	lab_assert_status(shown.run, status);
	lab_assert_says(shown.run, text);
}

/* As systemd lays it out, with a user's manager of its own. */
static void systemd_units_are_found_by_their_names(void **state)
{
	struct lab *lab = *state;
	const char *system = lab_group(lab, NULL, "system.slice");
	const char *service = lab_group_below(lab, system, "lab-db.service", NULL);
	const char *instances = lab_group_below(lab, system, "system-lab.slice", NULL);
	const char *instance = lab_group_below(lab, instances, "lab@1.service", NULL);
	const char *escaped = lab_group_below(lab, system, "_cpu.service", NULL);
	const char *users = lab_group(lab, NULL, "user.slice");
	const char *user = lab_group_below(lab, users, "user-1000.slice", NULL);
	const char *manager = lab_group_below(lab, user, "user@1000.service", NULL);
	const char *app = lab_group_below(lab, manager, "app.slice", NULL);
	const char *own = lab_group_below(lab, app, "lab-own.service", NULL);
	const char *other = lab_group_below(lab, app, "lab-db.service", NULL);
	struct victim *victim = lab_member(lab, service, "--size 4M --node 0");
	struct run *run;

	assert_is(lab, "lab-db.service", service);
	assert_is(lab, "lab@1.service", instance);
	assert_is(lab, "cpu.service", escaped);
	assert_is(lab, "user-1000.slice", user);
	assert_is(lab, "lab-own.service", own);
	assert_is(lab,
		  "user.slice/user-1000.slice/user@1000.service/app.slice/"
		  "lab-db.service",
		  other);
	assert_is_not(lab, "lab-none.service", EXIT_FAILED, "no such unit");
	run = lab_move_group(lab, "--to 1 lab-db.service");
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
}

static void two_units_of_one_name_are_not_guessed_at(void **state)
{
	struct lab *lab = *state;
	const char *users = lab_group(lab, NULL, "user.slice");

	for (int i = 0; i < 2; i++) {
		const char *user = lab_group_below(
			lab, users, i ? "user-1001.slice" : "user-1000.slice", NULL);
		const char *manager = lab_group_below(
			lab, user, i ? "user@1001.service" : "user@1000.service", NULL);

		lab_group_below(lab, manager, "lab-twice.service", NULL);
	}
	assert_is_not(lab, "lab-twice.service", EXIT_FAILED, "several units");
}

/* As slurmd lays it out with cgroup/v2, and PBS. */
static void jobs_are_found_by_their_numbers(void **state)
{
	struct lab *lab = *state;
	const char *system = lab_group(lab, NULL, "system.slice");
	const char *scope = lab_group_below(lab, system, "lab_slurmstepd.scope", NULL);
	const char *job = lab_group_below(lab, scope, "job_42", NULL);
	const char *step = lab_group_below(lab, job, "step_0", NULL);
	struct victim *victim = lab_member(lab, step, "--size 4M --node 0");
	struct run *run;

	lab_group_below(lab, scope, "job_421", NULL);
	assert_is(lab, "job:42", job);
	assert_is_not(lab, "job:4", EXIT_FAILED, "no such job");
	run = lab_move_group(lab, "--to 1 job:42");
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
}

static void a_group_is_found_by_its_path_and_by_a_member(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-names");
	const char *group = lab_group_below(lab, top, "leaf", NULL);
	struct victim *victim = lab_member(lab, group, "--size 1M --node 0");
	char name[32];

	snprintf(name, sizeof(name), "pid:%d", victim->pid);
	assert_is(lab, name, group);
	assert_is(lab, "/sys/fs/cgroup/lab-names/leaf", group);
	assert_is(lab, "/lab-names/leaf", group);
	assert_is(lab, "lab-names//./leaf/", group);
}

static void names_of_nothing_are_told_from_each_other(void **state)
{
	struct lab *lab = *state;

	assert_is_not(lab, "lab-none", EXIT_FAILED, "no such cgroup");
	assert_is_not(lab, "/sys/fs/cgroup/lab/none", EXIT_FAILED, "no such cgroup");
	assert_is_not(lab, "/sys/fs/cgroup/cgroup.procs", EXIT_FAILED, "not a cgroup");
	assert_is_not(lab, "/etc", EXIT_FAILED, "not below a cgroup hierarchy");
	assert_is_not(lab, "pid:4194303", EXIT_FAILED, "no such process");
	assert_is_not(lab, "pid:x", EXIT_MISUSED, "not the name of a cgroup");
	/* A habit of v1. */
	assert_is_not(lab, "/sys/fs/cgroup/memory/lab", EXIT_FAILED,
		      "with cgroup v2 leave 'memory/' out");
}

static void without_a_memory_controller_it_is_not_known(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-plain");
	const char *group = lab_group_below(lab, top, "below", NULL);
	struct shown shown;

	lab_member(lab, group, "--size 4M --node 0");
	lab_show_groups(lab, &shown, "%s", group);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	lab_assert_says(shown.run, "no memory controller");
	assert_int_equal(shown.groups[0].processes, 1);
	assert_true(shown.groups[0].total_bytes == REPORT_UNKNOWN);
	assert_true(shown.groups[0].mems == REPORT_UNKNOWN);
}

static void members_in_another_pid_namespace_are_counted(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-hidden");
	struct shown shown;

	lab_member(lab, group, "--size 2M --node 0");
	lab_member(lab, group, "--size 2M --node 0");
	lab_show_groups_by(lab, "unshare --pid --fork --mount-proc ", &shown, "%s",
			   group);
	lab_assert_says(shown.run, "pid namespace");
	assert_int_equal(shown.groups[0].processes, 2);
	assert_int_equal(shown.groups[0].hidden, 2);
}

/* -------------------------------------------------------- who is not the owner */

static const char as_nobody[] = "setpriv --reuid 65534 --regid 65534 --clear-groups ";

/* What systemd gives a user: the directory, and who is in it. */
static const char *delegate(struct lab *lab, const char *group)
{
	lab_shell(lab, NULL, "chown %d %s %s/cgroup.procs %s/cgroup.subtree_control",
		  NOBODY, group, group, group);
	return group;
}

static void a_user_sees_and_moves_a_delegated_group(void **state)
{
	struct lab *lab = *state;
	const char *group = delegate(lab, lab_group(lab, NULL, "lab-delegated"));
	struct lab_as nobody = { .uid = NOBODY, .cgroup = group };
	struct victim *victim = lab_victim_as(lab, &nobody, "--size 4M --node 0");
	struct shown shown;
	struct run *run;

	lab_await_charged(group, "anon", 0, 4 * MEBIBYTE, 8 * MEBIBYTE);
	lab_show_groups_by(lab, as_nobody, &shown, "--by-kind %s", group);
	lab_assert_status(shown.run, EXIT_IN_PLACE);
	assert_in_range(
		lab_shown_kind(&shown.groups[0], "charged", "anon")->node_bytes[0],
		4 * MEBIBYTE, 8 * MEBIBYTE);
	run = lab_move_group_by(lab, as_nobody, "--to 1 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
	/* But the cpuset is not the user's. */
	run = lab_move_group_by(lab, as_nobody, "--bind --to 2 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "ermission denied");
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "");
	lab_assert_all_on(lab, victim, 1);
}

static void a_user_is_told_what_others_processes_hide(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-others");
	struct victim *victim = lab_member(lab, group, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct shown shown;
	struct run *run;

	lab_show_groups_by(lab, as_nobody, &shown, "--by-kind %s", group);
	lab_assert_status(shown.run, EXIT_PARTLY);
	lab_assert_says(shown.run, "1 of 1 processes");
	assert_true(lab_shown_kind(&shown.groups[0], "charged", "anon")->total_bytes !=
		    REPORT_UNKNOWN);
	assert_true(lab_shown_kind(&shown.groups[0], "mapped", "anon")->total_bytes ==
		    REPORT_UNKNOWN);
	run = lab_move_group_by(lab, as_nobody, "--to 1 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "CAP_SYS_PTRACE");
	lab_assert_nothing_moved(lab, victim, before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(what_is_charged_is_shown_by_kind_and_node),
		LAB_TEST(what_the_members_have_mapped_is_what_the_oracle_sees),
		LAB_TEST(page_cache_that_nobody_has_mapped_is_charged),
		LAB_TEST(a_tree_is_shown_group_by_group),
		LAB_TEST(swapped_memory_is_on_no_node),
		LAB_TEST(the_local_share_is_that_of_the_nodes_where_it_runs),
		LAB_TEST(systemd_units_are_found_by_their_names),
		LAB_TEST(two_units_of_one_name_are_not_guessed_at),
		LAB_TEST(jobs_are_found_by_their_numbers),
		LAB_TEST(a_group_is_found_by_its_path_and_by_a_member),
		LAB_TEST(names_of_nothing_are_told_from_each_other),
		LAB_TEST(without_a_memory_controller_it_is_not_known),
		LAB_TEST(members_in_another_pid_namespace_are_counted),
		LAB_TEST(a_user_sees_and_moves_a_delegated_group),
		LAB_TEST(a_user_is_told_what_others_processes_hide),
	};

	return lab_main(tests, 4);
}
