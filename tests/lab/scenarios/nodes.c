// SPDX-License-Identifier: GPL-2.0-or-later
/* Nodes of memory alone, which come and go. On the layout "hotplug": node 2 is a module
 * of memory without processors, all of it movable. */
#include "lab.h"

#include <stdio.h>

#define BLOCKS "/sys/devices/system/node/node2/memory[0-9]*"

/* All blocks of node 2, and back when the test is over. */
static void take_node_2_offline(struct lab *lab)
{
	lab_shell(lab,
		  "for state in /sys/devices/system/memory/memory*/state; do "
		  "grep -q offline $state && echo online_movable >$state; done; true",
		  "for i in $(seq 20); do busy=; for block in " BLOCKS "; do "
		  "grep -q offline $block/state || echo offline >$block/state || busy=1; "
		  "done; [ $busy ] || exit 0; sleep 0.5; done; exit 1");
}

static void memory_moves_to_a_node_without_processors_and_back(void **state)
{
	static const char *const kinds[] = { "anon", "thp", "shmem" };
	struct lab *lab = *state;

	for (size_t i = 0; i < 3; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 16M --node 0", kinds[i]);

		lab_assert_moves(lab, victim, "--to 2");
		lab_assert_all_on(lab, victim, 2);
		lab_assert_moves(lab, victim, "--to 1");
		lab_assert_all_on(lab, victim, 1);
	}
}

static void a_node_without_memory_is_refused(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run;

	take_node_2_offline(lab);
	run = lab_move(lab, "--to 2 %d", victim->pid);
	assert_in_range(run->status, EXIT_FAILED, EXIT_MISUSED);
	lab_assert_says(run, "node 2");
	lab_assert_nothing_moved(lab, victim, before);
}

/* Its memory is taken away while pages are sent there; those that had come are brought
 * elsewhere by the kernel. */
static void a_node_that_vanishes_is_the_reason_for_what_is_left(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 0");
	struct run *run = lab_move_half_way(lab, victim, 2, "");

	take_node_2_offline(lab);
	lab_resume(run);
	lab_finish(run);
	lab_assert_status(run, EXIT_PARTLY);
	assert_true(report_left(run->report, "node-gone") > 0);
	assert_int_equal(report_left(run->report, NULL),
			 report_left(run->report, "node-gone"));
	assert_int_equal(run->report->after_bytes[2], 0);
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(memory_moves_to_a_node_without_processors_and_back),
		LAB_TEST(a_node_without_memory_is_refused),
		LAB_TEST(a_node_that_vanishes_is_the_reason_for_what_is_left),
	};

	return lab_main(tests, 3);
}
