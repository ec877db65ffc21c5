/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in a plan's way: room, cpusets, rights, and what may undo it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "plan.h"
#include "procfs.h"
#include "target.h"
#include "topology.h"

static uint64_t room_pages(const struct mig_plan *plan, int node)
{
	struct mig_node_memory memory;

	if (mig_topology_read_memory(plan->topology, node, &memory) < 0 ||
	    memory.room_bytes == MIG_UNKNOWN_BYTES)
		return UINT64_MAX;
	return memory.room_bytes / plan->context->page_size;
}

static uint64_t free_hugetlb_pages(const struct mig_plan *plan, int node)
{
	struct mig_node_memory memory;

	if (mig_topology_read_memory(plan->topology, node, &memory) < 0 ||
	    memory.hugetlb_free_bytes == MIG_UNKNOWN_BYTES)
		return 0;
	return memory.hugetlb_free_bytes / plan->context->page_size;
}

/* What must be allocated on @node: hugetlb pages take free pages of its pool first,
 * and what leaves the node makes room. */
static uint64_t needed_pages(const struct mig_plan *plan, int node)
{
	uint64_t huge = mig_pairs_get_into(&plan->hugetlb_demand, node);
	uint64_t pool = huge ? free_hugetlb_pages(plan, node) : 0;
	uint64_t in = mig_pairs_get_into(&plan->demand, node);
	uint64_t spared =
		mig_pairs_get_out_of(&plan->demand, node) + (huge < pool ? huge : pool);

	/* With several nearest targets huge pages may have been sent to another. */
	return in > spared ? in - spared : 0;
}

static int check_room(struct mig_plan *plan)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);

	for (int node = mig_nodeset_next(targets, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(targets, node)) {
		uint64_t needed = needed_pages(plan, node);
		uint64_t room = needed ? room_pages(plan, node) : 0;
		const struct mig_finding finding = {
			.code = MIG_FINDING_NO_ROOM,
			.refuses = true,
			.node = node,
			.needed_bytes = needed * plan->context->page_size,
			.room_bytes = room * plan->context->page_size,
		};
		int r = needed > room ? mig_plan_add_finding(plan, &finding) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

bool mig_plan_has_room(const struct mig_plan *plan, uint64_t more_pages)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);
	uint64_t needed = mig_pairs_get_total(&plan->demand) + more_pages;

	for (int node = mig_nodeset_next(targets, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(targets, node))
		if (room_pages(plan, node) < needed)
			return false;
	return true;
}

struct candidate {
	int node;
	unsigned int distance;
};

static int by_distance(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->distance != right->distance)
		return left->distance < right->distance ? -1 : 1;
	return (left->node > right->node) - (left->node < right->node);
}

static size_t rank_targets(const struct mig_plan *plan, int from,
			   struct candidate *candidates)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);
	size_t nr = 0;

	for (int to = mig_nodeset_next(targets, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(targets, to)) {
		unsigned int distance =
			mig_topology_get_distance(plan->topology, from, to);

		candidates[nr++] =
			(struct candidate){ to, distance ? distance : UINT16_MAX };
	}
	qsort(candidates, nr, sizeof(*candidates), by_distance);
	return nr;
}

static int add_quota(struct mig_plan *plan, int from, int to, uint64_t pages)
{
	struct mig_quota *quotas =
		reallocarray(plan->quotas, plan->nr_quotas + 1, sizeof(*quotas));

	if (!quotas)
		return -ENOMEM;
	quotas[plan->nr_quotas++] =
		(struct mig_quota){ .from = from, .to = to, .pages = (int64_t)pages };
	plan->quotas = quotas;
	return 0;
}

/* The pages of one source go to its nearest target until that is full, then to the
 * next; what fits nowhere stays with the nearest, where it is refused. */
static int share_out(struct mig_plan *plan, int from, uint64_t demand, uint64_t *room,
		     struct mig_pairs *ret_demand)
{
	struct candidate candidates[MIG_MAX_NODES];
	size_t nr = rank_targets(plan, from, candidates);

	for (size_t i = 0; i < nr; i++) {
		int to = candidates[i].node;
		uint64_t take = demand < room[to] ? demand : room[to];
		int r = add_quota(plan, from, to, take);

		if (!r)
			r = mig_pairs_add(ret_demand, from, to, take);
		if (r < 0)
			return r;
		room[to] -= take;
		demand -= take;
	}
	return demand ? mig_pairs_add(ret_demand, from, candidates[0].node, demand) : 0;
}

static int choose_nearest(struct mig_plan *plan)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);
	struct mig_pairs demand = { 0 };
	uint64_t room[MIG_MAX_NODES] = { 0 };
	int r = 0;

	for (int to = mig_nodeset_next(targets, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(targets, to))
		room[to] = room_pages(plan, to);
	for (int from = 0; !r && from < MIG_MAX_NODES; from++) {
		uint64_t pages = mig_pairs_get_out_of(&plan->demand, from);

		if (pages)
			r = share_out(plan, from, pages, room, &demand);
	}
	if (r < 0) {
		mig_pairs_done(&demand);
		return r;
	}
	mig_pairs_done(&plan->demand);
	plan->demand = demand;
	return 0;
}

/* Whether pages can go to another target than one that is not allowed. */
static bool can_choose_allowed(const struct mig_plan *plan,
			       const struct mig_nodeset *allowed)
{
	struct mig_nodeset targets = *mig_placement_get_targets(plan->placement);

	mig_nodeset_and(&targets, allowed);
	return mig_placement_has_choice(plan->placement) && mig_nodeset_count(&targets);
}

static int check_cpuset(struct mig_plan *plan, const struct mig_nodeset *allowed,
			const struct mig_process *process, enum mig_finding_code code)
{
	const struct mig_nodeset *targets = mig_placement_get_targets(plan->placement);

	if (process && can_choose_allowed(plan, allowed))
		return 0;

	for (int node = mig_nodeset_next(targets, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(targets, node)) {
		const struct mig_finding finding = {
			.code = code,
			/* Of everybody's memory some may have to stay. */
			.refuses = !process || !plan->target->has_everybody,
			.node = node,
			.process = process,
		};
		int r = mig_nodeset_has(allowed, node)
				? 0
				: mig_plan_add_finding(plan, &finding);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool balancing_is_on(const struct mig_plan *plan)
{
	char text[16];

	return mig_procfs_read(plan->context, text, sizeof(text),
			       "proc/sys/kernel/numa_balancing") > 0 &&
	       (text[0] - '0') & 1;
}

/* NUMA balancing brings pages to where the threads that touch them run. */
static int check_balancing(struct mig_plan *plan, const struct mig_process *process)
{
	struct mig_nodeset run_nodes;
	const struct mig_finding finding = {
		.code = MIG_FINDING_NUMA_BALANCING,
		.node = MIG_NO_NODE,
		.process = process,
	};

	if (mig_process_read_run_nodes(process, plan->topology, &run_nodes) < 0 ||
	    mig_nodeset_is_subset(&run_nodes, mig_placement_get_targets(plan->placement)))
		return 0;
	return mig_plan_add_finding(plan, &finding);
}

/* Which members have pages that may have to go: of everybody most have none. */
static bool *find_concerned(const struct mig_plan *plan, size_t nr_members)
{
	bool *concerned = calloc(nr_members + 1, sizeof(*concerned));

	for (size_t i = 0; concerned && i < plan->nr_spans; i++)
		concerned[plan->spans[i].member] = true;
	return concerned;
}

static int check_processes(struct mig_plan *plan)
{
	bool balancing = balancing_is_on(plan) && mig_pairs_get_total(&plan->demand);
	size_t nr_members = mig_target_get_count(plan->target);
	CLEANUP_FREE bool *concerned = find_concerned(plan, nr_members);

	if (!concerned)
		return -ENOMEM;
	for (size_t i = 0; i < nr_members; i++) {
		struct mig_process *process = mig_target_get_process(plan->target, i);
		struct mig_nodeset allowed;
		int r = 0;

		if (plan->target->has_everybody && !concerned[i])
			continue;
		if (!mig_process_read_mems_allowed(process, &allowed))
			r = check_cpuset(plan, &allowed, process,
					 MIG_FINDING_CPUSET_TARGET);
		if (!r && balancing)
			r = check_balancing(plan, process);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_rights(struct mig_plan *plan)
{
	const struct mig_finding finding = {
		.code = MIG_FINDING_NO_SYS_NICE,
		.refuses = true,
		.node = MIG_NO_NODE,
	};
	bool asked = plan->options.shared == MIG_SHARED_ANON ||
		     plan->options.shared == MIG_SHARED_ALL;

	if (!asked || plan->sharing.may_move_shared)
		return 0;
	return mig_plan_add_finding(plan, &finding);
}

static int check_dirty(struct mig_plan *plan)
{
	const struct mig_finding finding = {
		.code = MIG_FINDING_DIRTY,
		.node = MIG_NO_NODE,
		.needed_bytes = plan->nr_dirty_pages * plan->context->page_size,
	};

	return plan->nr_dirty_pages ? mig_plan_add_finding(plan, &finding) : 0;
}

static int refusals_first(const void *a, const void *b)
{
	const struct mig_finding *left = a, *right = b;

	if (left->refuses != right->refuses)
		return left->refuses ? -1 : 1;
	return (left->code > right->code) - (left->code < right->code);
}

int mig_plan_check(struct mig_plan *plan)
{
	int r = 0;

	if (mig_placement_has_choice(plan->placement))
		r = choose_nearest(plan);
	if (!r)
		r = check_room(plan);
	if (!r)
		r = check_rights(plan);
	if (!r)
		r = check_cpuset(
			plan, mig_topology_get_nodes(plan->topology, MIG_NODES_ALLOWED),
			NULL, MIG_FINDING_CPUSET_CALLER);
	if (!r)
		r = check_processes(plan);
	if (!r)
		r = check_dirty(plan);
	mig_pairs_sort(&plan->demand);
	if (!r && plan->nr_findings)
		qsort(plan->findings, plan->nr_findings, sizeof(*plan->findings),
		      refusals_first);
	return r;
}
