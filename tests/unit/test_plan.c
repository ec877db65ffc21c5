/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to move, and what stands in the way of it. */
#include "plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "fake_process.h"
#include "scene.h"

#define PID 42
#define OTHER 43

static int set_up_kernel(void **state, const struct fake_kernel_options *options)
{
	struct scene *scene = scene_new(options);

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int set_up(void **state)
{
	return set_up_kernel(state, &(struct fake_kernel_options){ .nr_nodes = 4 });
}

static int set_up_unprivileged(void **state)
{
	return set_up_kernel(state, &(struct fake_kernel_options){
					    .no_sys_nice = true, .hides_frames = true });
}

static int set_up_confined(void **state)
{
	return set_up_kernel(state, &(struct fake_kernel_options){
					    .nr_nodes = 4, .caller_mems = "0,2" });
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

static const struct mig_finding *find(const struct scene *scene,
				      enum mig_finding_code code)
{
	const struct mig_finding *finding;

	for (size_t i = 0; (finding = mig_plan_get_finding(scene->plan, i)); i++)
		if (finding->code == code)
			return finding;
	return NULL;
}

static uint64_t planned(const struct scene *scene, int from, int to)
{
	const struct mig_pair_count *pair;

	for (size_t i = 0; (pair = mig_plan_get_pair(scene->plan, i)); i++)
		if (pair->from == from && pair->to == to)
			return pair->nr_pages;
	return 0;
}

/* ---- demand ---- */

static void a_plan_says_what_goes_where(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	fake_kernel_place(scene->kernel, PID, start, 30, 1);
	scene_map(scene, PID, FAKE_HUGETLB, FAKE_HUGE_PAGES, 0);
	scene_map(scene, PID, FAKE_FILE, 7, 2);
	scene_place(scene, 3, 0xc, MIG_PLACE_DEFAULT);
	scene_plan(scene, NULL);
	assert_int_equal(planned(scene, 0, 2), 70 + FAKE_HUGE_PAGES);
	assert_int_equal(planned(scene, 1, 3), 30);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan),
			 (100 + FAKE_HUGE_PAGES) * scene->page_size);
	assert_int_equal(
		mig_residency_get_node_bytes(mig_plan_get_residency(scene->plan), 2),
		7 * scene->page_size);
	assert_null(mig_plan_get_finding(scene->plan, 0));
}

static void a_plan_moves_nothing(void **state)
{
	struct scene *scene = *state;
	struct fake_truth truth;

	scene_map(scene, PID, FAKE_ANON, 100, 0);
	fake_kernel_mark(scene->kernel);
	scene_plan(scene, NULL);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 0);
	assert_int_equal(truth.moved_pages, 0);
}

static void a_plan_counts_by_the_weights(void **state)
{
	static const unsigned int weights[] = { 1, 3 };
	const struct mig_nodeset to = { .bits = { 6 } };
	const struct mig_placement_options options = { .size = sizeof(options),
						       .place = MIG_PLACE_SPREAD,
						       .to = &to,
						       .weights = weights,
						       .nr_weights = 2 };
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_ANON, 400, 0);
	assert_int_equal(mig_placement_new(scene->topology, &options, &scene->placement),
			 0);
	scene_plan(scene, NULL);
	assert_int_equal(planned(scene, 0, 1), 100);
	assert_int_equal(planned(scene, 0, 2), 300);
}

/* ---- the nearest targets with room ---- */

static uint32_t take(struct scene *scene, uint32_t unit_pages, uint32_t nr, int *target)
{
	const struct mig_units units = { .nr = nr, .unit_pages = unit_pages };
	uint32_t taken = 0;

	*target = mig_plan_take_target(scene->plan, &units, NULL, &taken);
	return taken;
}

static void units_are_given_to_targets_by_their_room(void **state)
{
	struct scene *scene = *state;
	int target;

	scene_map(scene, PID, FAKE_ANON, 1200, 0);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 600);
	scene_place(scene, 0, 0x6, MIG_PLACE_NEAREST);
	scene_plan(scene, NULL);
	assert_int_equal(planned(scene, 0, 1), 600);
	assert_int_equal(planned(scene, 0, 2), 600);
	assert_int_equal(take(scene, 1, 50, &target), 50);
	assert_int_equal(target, 1);
	/* One huge page fits into what is left, and no more. */
	assert_int_equal(take(scene, 512, 3, &target), 1);
	assert_int_equal(target, 1);
	assert_int_equal(take(scene, 512, 2, &target), 1);
	assert_int_equal(target, 2);
	assert_int_equal(take(scene, 1, 100, &target), 38);
	assert_int_equal(target, 1);
	assert_int_equal(take(scene, 1, 100, &target), 88);
	assert_int_equal(target, 2);
	/* More than was planned: it is the last that may have more room. */
	assert_int_equal(take(scene, 1, 100, &target), 100);
	assert_int_equal(target, 2);
}

static void a_source_that_the_plan_does_not_know_has_no_quota(void **state)
{
	struct scene *scene = *state;
	const struct mig_units units = { .node = 3, .nr = 5, .unit_pages = 1 };
	uint32_t nr = 0;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	scene_place(scene, 0, 0x6, MIG_PLACE_NEAREST);
	scene_plan(scene, NULL);
	assert_int_equal(mig_plan_take_target(scene->plan, &units, NULL, &nr),
			 MIG_NO_NODE);
	assert_int_equal(nr, 5);
}

/* ---- room ---- */

static void what_does_not_fit_is_refused_with_both_figures(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_ANON, 1000, 0);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 400);
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_NO_ROOM);
	assert_non_null(finding);
	assert_true(finding->refuses);
	assert_int_equal(finding->node, 1);
	assert_int_equal(finding->needed_bytes, 1000 * scene->page_size);
	assert_int_equal(finding->room_bytes, 400 * scene->page_size);
}

static void what_leaves_a_node_makes_room_there(void **state)
{
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_ANON, 1000, 0);
	scene_map(scene, PID, FAKE_ANON, 900, 1);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 100);
	scene_place(scene, 3, 6, MIG_PLACE_DEFAULT);
	scene_plan(scene, NULL);
	assert_null(find(scene, MIG_FINDING_NO_ROOM));
}

static void hugetlb_pages_need_the_pool_before_they_need_room(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_HUGETLB, 4 * FAKE_HUGE_PAGES, 0);
	fake_kernel_set_huge_pool(scene->kernel, 1, 3);
	fake_kernel_fill(scene->kernel, 1, FAKE_WATERMARK_PAGES + 10);
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_NO_ROOM);
	assert_non_null(finding);
	assert_int_equal(finding->needed_bytes, FAKE_HUGE_PAGES * scene->page_size);
}

/* ---- rights ---- */

static void a_target_whose_cpuset_forbids_the_node_is_refused(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	fake_thread_write(fake_kernel_get_root(scene->kernel),
			  &(struct fake_thread){ .pid = PID, .mems_allowed = "0,3" });
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_CPUSET_TARGET);
	assert_non_null(finding);
	assert_true(finding->refuses);
	assert_int_equal(finding->node, 1);
	assert_int_equal(mig_process_get_pid(finding->process), PID);
}

static void one_of_several_nearest_targets_must_be_allowed(void **state)
{
	const struct mig_units units = { .nr = 5, .unit_pages = 1 };
	struct mig_nodeset allowed = { .bits = { 0x5 } };
	struct scene *scene = *state;
	uint32_t nr = 0;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	fake_thread_write(fake_kernel_get_root(scene->kernel),
			  &(struct fake_thread){ .pid = PID, .mems_allowed = "0,2" });
	scene_place(scene, 0, 0x6, MIG_PLACE_NEAREST);
	scene_plan(scene, NULL);
	assert_null(find(scene, MIG_FINDING_CPUSET_TARGET));
	assert_int_equal(mig_plan_take_target(scene->plan, &units, &allowed, &nr), 2);
	allowed.bits[0] = 0x1;
	assert_int_equal(mig_plan_take_target(scene->plan, &units, &allowed, &nr), 1);
}

static void a_caller_whose_cpuset_forbids_the_node_is_refused(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_CPUSET_CALLER);
	assert_non_null(finding);
	assert_true(finding->refuses);
	assert_int_equal(finding->node, 1);
}

static void shared_pages_need_a_capability_if_they_are_asked_for(void **state)
{
	const struct mig_plan_options all = { .size = sizeof(all),
					      .shared = MIG_SHARED_ALL };
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	scene_plan(scene, &all);
	finding = find(scene, MIG_FINDING_NO_SYS_NICE);
	assert_true(finding && finding->refuses);
	mig_plan_free(scene->plan);
	scene->plan = NULL;
	/* The default makes do with what the caller may. */
	scene_plan(scene, NULL);
	assert_null(find(scene, MIG_FINDING_NO_SYS_NICE));
}

static struct {
	struct mig_calls calls;
	long (*move_pages)(pid_t pid, unsigned long count, void *const *pages,
			   const int *nodes, int *status, int flags);
	pid_t pid; /**< whom the answer is about; -1: everybody, the caller too */
	long answer;
} refusing;

static long refuse(pid_t pid, unsigned long count, void *const *pages, const int *nodes,
		   int *status, int flags)
{
	if (refusing.pid < 0 || refusing.pid == pid)
		return refusing.answer;
	return refusing.move_pages(pid, count, pages, nodes, status, flags);
}

static void refuse_with(struct scene *scene, pid_t pid, long answer)
{
	refusing.calls = *scene->context->calls;
	refusing.move_pages = refusing.calls.move_pages;
	refusing.calls.move_pages = refuse;
	refusing.pid = pid;
	refusing.answer = answer;
	mig_context_set_calls(scene->context, &refusing.calls);
}

static void a_process_that_may_not_be_moved_is_refused(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	scene_add(scene, OTHER);
	scene_map(scene, OTHER, FAKE_ANON, 5, 0);
	refuse_with(scene, OTHER, -EPERM);
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_NO_ACCESS);
	assert_non_null(finding);
	assert_true(finding->refuses);
	assert_int_equal(mig_process_get_pid(finding->process), OTHER);
	assert_int_equal(mig_plan_get_total_bytes(scene->plan), 10 * scene->page_size);
}

static int plan_anything(struct scene *scene)
{
	scene_place(scene, 1, 2, MIG_PLACE_DEFAULT);
	return mig_plan_new(scene->target, scene->topology, scene->placement, NULL,
			    &scene->plan);
}

static void a_kernel_without_the_call_has_no_plan(void **state)
{
	struct scene *scene = *state;

	refuse_with(scene, -1, -ENOSYS);
	assert_int_equal(plan_anything(scene), -ENOSYS);
	assert_null(scene->plan);
}

/* ---- what may undo it ---- */

static void numa_balancing_is_warned_of(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_map(scene, PID, FAKE_ANON, 10, 0);
	fake_root_write(fake_kernel_get_root(scene->kernel),
			"proc/sys/kernel/numa_balancing", "1\n");
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_NUMA_BALANCING);
	assert_non_null(finding);
	assert_false(finding->refuses);
	assert_int_equal(mig_process_get_pid(finding->process), PID);
}

static void numa_balancing_that_is_off_or_agrees_is_not_warned_of(void **state)
{
	struct scene *scene = *state;
	struct fake_root *root = fake_kernel_get_root(scene->kernel);

	scene_map(scene, PID, FAKE_ANON, 10, 1);
	/* 2 is memory tiering alone. */
	fake_root_write(root, "proc/sys/kernel/numa_balancing", "2\n");
	scene_place(scene, 2, 1, MIG_PLACE_DEFAULT);
	scene_plan(scene, NULL);
	assert_null(find(scene, MIG_FINDING_NUMA_BALANCING));
	mig_plan_free(scene->plan);
	scene->plan = NULL;
	/* It runs on node 0, and there its pages go. */
	fake_root_write(root, "proc/sys/kernel/numa_balancing", "1\n");
	scene_plan(scene, NULL);
	assert_null(find(scene, MIG_FINDING_NUMA_BALANCING));
}

/* ---- processes that end ---- */

static void a_member_that_is_gone_is_told(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;

	scene_add(scene, OTHER);
	scene_map(scene, OTHER, FAKE_ANON, 5, 0);
	fake_kernel_exit(scene->kernel, PID);
	scene_plan(scene, NULL);
	finding = find(scene, MIG_FINDING_PROCESS_GONE);
	assert_non_null(finding);
	assert_false(finding->refuses);
	assert_int_equal(mig_process_get_pid(finding->process), PID);
	assert_int_equal(scene_run(scene, NULL)->moved_pages, 5);
	assert_int_equal(mig_outcome_get_totals(scene->outcome)->processes_gone, 1);
}

static void there_is_no_plan_for_nobody(void **state)
{
	struct scene *scene = *state;

	scene_add(scene, OTHER);
	fake_kernel_exit(scene->kernel, PID);
	fake_kernel_exit(scene->kernel, OTHER);
	assert_int_equal(plan_anything(scene), -ESRCH);
	assert_null(scene->plan);
}

static void refusals_come_first(void **state)
{
	struct scene *scene = *state;
	const struct mig_finding *finding;
	bool seen_other = false;

	scene_map(scene, PID, FAKE_ANON, 1000, 0);
	scene_add(scene, OTHER);
	fake_kernel_exit(scene->kernel, OTHER);
	fake_kernel_fill(scene->kernel, 1, 0);
	scene_plan(scene, NULL);
	for (size_t i = 0; (finding = mig_plan_get_finding(scene->plan, i)); i++) {
		assert_false(finding->refuses && seen_other);
		seen_other |= !finding->refuses;
	}
	assert_true(seen_other && mig_plan_get_finding(scene->plan, 0)->refuses);
}

static void what_is_no_request_is_refused(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options small = { .size = 1 };
	struct mig_target *nobody = NULL;
	struct mig_plan *plan = NULL;

	scene_place(scene, 1, 2, MIG_PLACE_DEFAULT);
	assert_int_equal(mig_target_new(scene->context, &nobody), 0);
	assert_int_equal(
		mig_plan_new(NULL, scene->topology, scene->placement, NULL, &plan),
		-EINVAL);
	assert_int_equal(mig_plan_new(scene->target, NULL, scene->placement, NULL, &plan),
			 -EINVAL);
	assert_int_equal(mig_plan_new(scene->target, scene->topology, NULL, NULL, &plan),
			 -EINVAL);
	assert_int_equal(mig_plan_new(scene->target, scene->topology, scene->placement,
				      NULL, NULL),
			 -EINVAL);
	assert_int_equal(mig_plan_new(scene->target, scene->topology, scene->placement,
				      &small, &plan),
			 -EINVAL);
	assert_int_equal(
		mig_plan_new(nobody, scene->topology, scene->placement, NULL, &plan),
		-EINVAL);
	assert_null(plan);
	mig_target_free(nobody);
	mig_plan_free(NULL);
}

/* Once they were still counted on the full node, which then lacked room for them. */
static void huge_pages_for_another_target_need_no_room_on_the_full_one(void **state)
{
	struct scene *scene = *state;

	scene_map(scene, PID, FAKE_HUGETLB, FAKE_HUGE_PAGES, 0);
	fake_kernel_set_huge_pool(scene->kernel, 1, 1);
	fake_kernel_fill(scene->kernel, 1, 0);
	scene_place(scene, 0, 0xe, MIG_PLACE_NEAREST);
	scene_plan(scene, NULL);
	assert_null(find(scene, MIG_FINDING_NO_ROOM));
}

#define with(function, set_up) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(a_plan_says_what_goes_where, set_up),
		with(a_plan_moves_nothing, set_up),
		with(a_plan_counts_by_the_weights, set_up),
		with(units_are_given_to_targets_by_their_room, set_up),
		with(a_source_that_the_plan_does_not_know_has_no_quota, set_up),
		with(what_does_not_fit_is_refused_with_both_figures, set_up),
		with(what_leaves_a_node_makes_room_there, set_up),
		with(hugetlb_pages_need_the_pool_before_they_need_room, set_up),
		with(huge_pages_for_another_target_need_no_room_on_the_full_one, set_up),
		with(a_target_whose_cpuset_forbids_the_node_is_refused, set_up),
		with(one_of_several_nearest_targets_must_be_allowed, set_up),
		with(a_caller_whose_cpuset_forbids_the_node_is_refused, set_up_confined),
		with(shared_pages_need_a_capability_if_they_are_asked_for,
		     set_up_unprivileged),
		with(a_process_that_may_not_be_moved_is_refused, set_up),
		with(a_kernel_without_the_call_has_no_plan, set_up),
		with(numa_balancing_is_warned_of, set_up),
		with(numa_balancing_that_is_off_or_agrees_is_not_warned_of, set_up),
		with(a_member_that_is_gone_is_told, set_up),
		with(there_is_no_plan_for_nobody, set_up),
		with(refusals_come_first, set_up),
		with(what_is_no_request_is_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
