// SPDX-License-Identifier: GPL-2.0-or-later
/* move-cgroup --bind: the group's cpuset is set too, so that its memory stays. The
 * kernel moves pages by itself then; the report says how much, and goes on with what it
 * left. What is refused is as before, the controllers too. */
#include "lab_cgroups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t view_pages(const struct oracle_view *view, int node)
{
	return oracle_count(view, node, 0, UINT64_MAX);
}

/* What the report says of where it all was and is, in the oracle's words. */
static void assert_residency(const struct report *report,
			     const struct oracle_view *before,
			     const struct oracle_view *after)
{
	for (int node = 0; node < 4; node++) {
		assert_int_equal(report->before_bytes[node] / PAGE_BYTES,
				 view_pages(before, node));
		assert_int_equal(report->after_bytes[node] / PAGE_BYTES,
				 view_pages(after, node));
	}
}

/* Memory that it touches from now on is on that node, and so is what it had. */
static void assert_stays(struct lab *lab, struct victim *victim, int node)
{
	lab_assert_intact(victim);
	lab_assert_all_on(lab, victim, node);
	lab_ask(victim, "refill");
	lab_assert_all_on(lab, victim, node);
}

static void a_leaf_is_bound_and_new_memory_stays_there(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-leaf");
	struct victim *victim = lab_member(lab, group, "--size 16M --node 0");
	struct oracle_view *before = lab_look_group(lab, group), *after;
	struct run *run = lab_move_group(lab, "--bind --to 2 %s", group);

	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look_group(lab, group);
	assert_residency(run->report, before, after);
	assert_int_equal(run->report->bound_mems, 1 << 2);
	/* All of this was the kernel's own doing. */
	assert_true(run->report->bound_pages >= victim->nr_pages);
	assert_true(run->report->bound_pages + run->report->moved.pages <=
		    view_pages(after, 2));
	assert_int_equal(report_left(run->report, NULL), 0);
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "2");
	assert_string_equal(lab_group_read(group, "cpuset.cpus"), "");
	assert_stays(lab, victim, 2);
}

static void what_the_kernel_has_left_is_reported_with_the_reason(void **state)
{
	struct lab *lab = *state;
	struct lab_pinned members = lab_pinned(lab);
	const struct victim *pinned = members.pinned, *other = members.other;
	struct oracle_view *before = lab_look_group(lab, members.group);
	struct run *run = lab_move_group(lab, "--bind --to 1 %s", members.group);

	lab_assert_pinned_left(&members, run);
	assert_residency(run->report, before, lab_look_group(lab, members.group));
	/* Only half of the one, but all of the other. */
	assert_in_range(run->report->bound_pages, other->nr_pages + pinned->nr_pages / 2,
			view_pages(before, -1) - pinned->nr_pages / 2);
	assert_string_equal(lab_group_read(members.group, "cpuset.mems"), "1");
	lab_assert_intact(members.pinned);
	assert_stays(lab, members.other, 1);
}

static void a_group_with_groups_below_is_bound_with_them(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-top");
	const char *first = lab_group_below(lab, top, "first", "+cpuset +memory");
	const char *second = lab_group_below(lab, top, "second", NULL);
	struct victim *one = lab_member(lab, first, "--size 8M --node 0");
	struct victim *two = lab_member(lab, second, "--size 8M --node 0");
	struct run *run;

	assert_true(lab_group_write(second, "cpuset.mems", "0-1"));
	run = lab_move_group(lab, "--bind --to 1 %s", top);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(run->report->bound_pages >= one->nr_pages + two->nr_pages);
	assert_int_equal(run->report->processes, 2);
	assert_string_equal(lab_group_read(first, "cpuset.mems.effective"), "1");
	assert_string_equal(lab_group_read(second, "cpuset.mems.effective"), "1");
	assert_stays(lab, one, 1);
	assert_stays(lab, two, 1);
}

static void cpus_are_bound_too_if_asked_for(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-cpus");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	struct run *run = lab_move_group(lab, "--bind --cpus --to 2-3 %s", group);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "2-3");
	assert_string_equal(lab_group_read(group, "cpuset.cpus"), "2-3");
	assert_string_equal(lab_group_read(group, "cpuset.cpus.effective"), "2-3");
	lab_assert_intact(victim);
	/* Where it runs now, its new memory is local. */
	lab_ask(victim, "refill");
	assert_int_equal(lab_count(victim, lab_look(lab, victim), 2) +
				 lab_count(victim, lab_look(lab, victim), 3),
			 victim->nr_pages);
}

static void a_binding_that_forbids_the_nodes_is_changed(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-moved");
	struct victim *victim;
	struct run *run;

	assert_true(lab_group_write(group, "cpuset.mems", "0"));
	victim = lab_member(lab, group, "--size 8M --node 0");
	run = lab_move_group(lab, "--to 3 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "cpuset");
	run = lab_move_group(lab, "--bind --to 3 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "3");
	assert_stays(lab, victim, 3);
}

static void what_the_parent_forbids_is_refused_and_all_is_as_before(void **state)
{
	struct lab *lab = *state;
	const char *parent = lab_group(lab, NULL, "lab-parent");
	const char *group = lab_group_below(lab, parent, "below", "+cpuset");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	struct oracle_view *before;
	struct run *run;

	assert_true(lab_group_write(parent, "cpuset.mems", "0-1"));
	assert_true(lab_group_write(group, "cpuset.mems", "0"));
	assert_true(lab_group_write(group, "cpuset.cpus", "1-3"));
	before = lab_look(lab, victim);
	run = lab_move_group(lab, "--bind --cpus --to 2 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "parent");
	lab_assert_nothing_moved(lab, victim, before);
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "0");
	assert_string_equal(lab_group_read(group, "cpuset.cpus"), "1-3");
	lab_assert_intact(victim);
}

/* The whole way down from the root lacks it. */
static void the_controller_is_enabled_where_it_is_not(void **state)
{
	struct lab *lab = *state;
	const char *parent = lab_group(lab, NULL, "lab-plain");
	const char *group = lab_group_below(lab, parent, "below", NULL);
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	struct run *run;

	assert_false(lab_has_file(group, "cpuset.mems"));
	run = lab_move_group(lab, "--bind --to 1 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "1");
	assert_stays(lab, victim, 1);
}

/* Where an ancestor has processes, no controller can be had below it. */
static void where_it_cannot_be_enabled_that_is_said(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-crowded");
	const char *middle = lab_group_below(lab, top, "middle", NULL);
	const char *group = lab_group_below(lab, middle, "below", NULL);
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run;

	lab_member(lab, middle, "--size 4M --node 0");
	run = lab_move_group(lab, "--bind --to 1 %s", group);
	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "cannot have a cpuset");
	lab_assert_nothing_moved(lab, victim, before);
	/* What was enabled on the way is not any more. */
	assert_string_equal(lab_group_read(top, "cgroup.subtree_control"), "");
	assert_false(lab_has_file(middle, "cpuset.mems"));
}

/* Of the second the parent forbids it; the first was done by then. */
static void of_several_groups_only_the_refused_one_is_as_before(void **state)
{
	struct lab *lab = *state;
	const char *free_one = lab_group(lab, NULL, "lab-free");
	const char *parent = lab_group(lab, NULL, "lab-bound");
	const char *bound = lab_group_below(lab, parent, "below", "+cpuset");
	struct victim *one = lab_member(lab, free_one, "--size 4M --node 0");
	struct victim *two = lab_member(lab, bound, "--size 4M --node 0");
	struct run *run;

	assert_true(lab_group_write(parent, "cpuset.mems", "0"));
	run = lab_move_group(lab, "--bind --to 1 %s %s", free_one, bound);
	lab_assert_status(run, EXIT_PARTLY);
	assert_string_equal(lab_group_read(free_one, "cpuset.mems"), "1");
	assert_string_equal(lab_group_read(bound, "cpuset.mems"), "");
	lab_assert_all_on(lab, one, 1);
	lab_assert_all_on(lab, two, 0);
}

static void frozen_and_bound_at_once(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-both");
	struct victim *victim = lab_member(lab, group, "--size 8M --node 0");
	struct run *run;

	lab_ask(victim, "start write");
	run = lab_move_group(lab, "--freeze --bind --to 1 %s", group);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(run->report->bound_pages >= victim->nr_pages);
	assert_false(lab_is_frozen(group));
	lab_ask(victim, "stop");
	assert_stays(lab, victim, 1);
}

static void binding_without_room_is_refused_before_it_is_done(void **state)
{
	struct lab *lab = *state;
	const char *group = lab_group(lab, NULL, "lab-room");
	struct victim *victim = lab_member(lab, group, "--size 96M --node 0");
	struct oracle_view *before;
	struct run *run;

	lab_leave_free(lab, 3, 64 * MEBIBYTE);
	before = lab_look(lab, victim);
	run = lab_move_group(lab, "--bind --to 3 %s", group);
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "node 3");
	assert_string_equal(lab_group_read(group, "cpuset.mems"), "");
	lab_assert_nothing_moved(lab, victim, before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_leaf_is_bound_and_new_memory_stays_there),
		LAB_TEST(what_the_kernel_has_left_is_reported_with_the_reason),
		LAB_TEST(a_group_with_groups_below_is_bound_with_them),
		LAB_TEST(cpus_are_bound_too_if_asked_for),
		LAB_TEST(a_binding_that_forbids_the_nodes_is_changed),
		LAB_TEST(what_the_parent_forbids_is_refused_and_all_is_as_before),
		LAB_TEST(the_controller_is_enabled_where_it_is_not),
		LAB_TEST(where_it_cannot_be_enabled_that_is_said),
		LAB_TEST(of_several_groups_only_the_refused_one_is_as_before),
		LAB_TEST(frozen_and_bound_at_once),
		LAB_TEST(binding_without_room_is_refused_before_it_is_done),
	};

	return lab_main(tests, 4);
}
