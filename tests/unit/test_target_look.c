/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many made-up processes looked at side by side. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "fake_machine.h"
#include "fake_process.h"
#include "handles.h"

#define NR_PROCESSES 100
#define FIRST_PID 100

struct sum {
	size_t nr_visits;
	size_t nr_inside; /**< visits at this moment */
	uint64_t node_pages[2];
	uint64_t page_size;
	size_t last; /**< visit that ends the walk; 0: none */
};

static int sum_up(void *data, const struct mig_process *process,
		  const struct mig_residency *residency)
{
	struct sum *sum = data;
	uint64_t own = mig_residency_get_node_bytes(residency, 1) / sum->page_size;

	assert_int_equal(sum->nr_inside++, 0);
	/* It has as many pages on node 1 as its number is high. */
	assert_int_equal(own, mig_process_get_pid(process));
	sum->node_pages[0] += mig_residency_get_node_bytes(residency, 0) / sum->page_size;
	sum->node_pages[1] += own;
	sum->nr_inside--;
	return ++sum->nr_visits == sum->last ? 17 : 0;
}

static void put_process(void **state, pid_t pid)
{
	const struct fake_machine *machine = *state;
	char path[64], text[256];

	fake_process_write(machine->root, pid, 1, NULL);
	snprintf(path, sizeof(path), "proc/%d/maps", pid);
	fake_root_write(machine->root, path, "10000000-20000000 rw-p 00000000 00:00 0\n");
	snprintf(path, sizeof(path), "proc/%d/numa_maps", pid);
	snprintf(text, sizeof(text),
		 "10000000 default anon=%d dirty=%d N0=1 N1=%d kernelpagesize_kB=4\n",
		 pid + 1, pid + 1, pid);
	fake_root_write(machine->root, path, text);
}

static struct mig_target *make_target(void **state, struct sum *sum)
{
	const struct fake_machine *machine = *state;
	struct mig_target *target = NULL;

	fake_machine_write(state, NODES "/online", "0-1\n");
	fake_machine_write(state, NODES "/has_memory", "0-1\n");
	fake_machine_write_node(state, 0, "0\n", "10 20\n", 1000);
	fake_machine_write_node(state, 1, "1\n", "20 10\n", 1000);
	for (int i = 0; i < NR_PROCESSES; i++)
		put_process(state, FIRST_PID + i);
	*sum = (struct sum){ .page_size = mig_context_get_page_size(machine->context) };
	assert_int_equal(mig_target_new(machine->context, &target), 0);
	assert_int_equal(mig_target_add_everybody(target), 0);
	assert_int_equal(mig_target_get_count(target), NR_PROCESSES);
	return target;
}

static void each_member_is_visited_once(void **state)
{
	struct sum sum;
	CLEANUP_MIG(target) struct mig_target *target = make_target(state, &sum);
	size_t denied = 12345;

	assert_int_equal(mig_target_look(target, fake_machine_read_topology(state),
					 sum_up, &sum, &denied),
			 0);
	assert_int_equal(sum.nr_visits, NR_PROCESSES);
	assert_int_equal(sum.node_pages[0], NR_PROCESSES);
	assert_int_equal(sum.node_pages[1],
			 NR_PROCESSES * FIRST_PID +
				 NR_PROCESSES * (NR_PROCESSES - 1) / 2);
	assert_int_equal(denied, 0);
}

static void members_that_are_gone_are_passed_over(void **state)
{
	struct sum sum;
	CLEANUP_MIG(target) struct mig_target *target = make_target(state, &sum);
	size_t denied = 12345;

	fake_process_remove(((struct fake_machine *)*state)->root, FIRST_PID + 3);
	assert_int_equal(mig_target_look(target, fake_machine_read_topology(state),
					 sum_up, &sum, &denied),
			 0);
	assert_int_equal(sum.nr_visits, NR_PROCESSES - 1);
	assert_int_equal(denied, 0);
}

static void members_whose_memory_is_not_shown_are_counted(void **state)
{
	struct sum sum;
	CLEANUP_MIG(target) struct mig_target *target = make_target(state, &sum);
	struct fake_root *root = ((struct fake_machine *)*state)->root;
	size_t denied = 12345;

	fake_root_remove(root, "proc/105/maps");
	fake_root_remove(root, "proc/106/maps");
	assert_int_equal(mig_target_look(target, fake_machine_read_topology(state),
					 sum_up, &sum, &denied),
			 0);
	assert_int_equal(sum.nr_visits, NR_PROCESSES - 2);
	assert_int_equal(denied, 2);
	sum.nr_visits = 0;
	assert_int_equal(mig_target_look(target, fake_machine_read_topology(state),
					 sum_up, &sum, NULL),
			 0);
}

static void a_visit_ends_the_walk(void **state)
{
	struct sum sum;
	CLEANUP_MIG(target) struct mig_target *target = make_target(state, &sum);
	size_t denied = 12345;

	sum.last = 5;
	assert_int_equal(mig_target_look(target, fake_machine_read_topology(state),
					 sum_up, &sum, &denied),
			 17);
	assert_int_equal(sum.nr_visits, 5);
	assert_int_equal(denied, 12345);
}

static void a_file_that_does_not_parse_ends_the_walk(void **state)
{
	struct sum sum;
	CLEANUP_MIG(target) struct mig_target *target = make_target(state, &sum);

	fake_machine_write(state, "proc/150/numa_maps", "10000000 default N0=x\n");
	assert_int_equal(mig_target_look(target, fake_machine_read_topology(state),
					 sum_up, &sum, NULL),
			 -EBADMSG);
}

static void a_target_without_members_has_nobody_to_visit(void **state)
{
	const struct fake_machine *machine = *state;
	CLEANUP_MIG(target) struct mig_target *target = NULL;
	struct sum sum = { .nr_visits = 0 };
	const struct mig_topology *topology = fake_machine_read_topology(state);
	size_t denied = 12345;

	assert_int_equal(mig_target_new(machine->context, &target), 0);
	assert_int_equal(mig_target_look(target, topology, sum_up, &sum, &denied), 0);
	assert_int_equal(sum.nr_visits, 0);
	assert_int_equal(denied, 0);
	assert_int_equal(mig_target_look(NULL, topology, sum_up, &sum, NULL), -EINVAL);
	assert_int_equal(mig_target_look(target, NULL, sum_up, &sum, NULL), -EINVAL);
	assert_int_equal(mig_target_look(target, topology, NULL, &sum, NULL), -EINVAL);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_member_is_visited_once),
		TEST(members_that_are_gone_are_passed_over),
		TEST(members_whose_memory_is_not_shown_are_counted),
		TEST(a_visit_ends_the_walk),
		TEST(a_file_that_does_not_parse_ends_the_walk),
		TEST(a_target_without_members_has_nobody_to_visit),
	};

	return cmocka_run_group_tests_name("target_look", tests, NULL, NULL);
}
