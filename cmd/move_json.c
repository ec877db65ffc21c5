/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "move_json.h"

static void put_amount_members(struct json *json, uint64_t nr_pages, uint64_t page_size)
{
	json_put_number(json, "pages", nr_pages);
	json_put_number(json, "bytes", nr_pages * page_size);
}

static void put_amount(struct json *json, const char *key, uint64_t nr_pages,
		       uint64_t page_size)
{
	json_open_object(json, key);
	put_amount_members(json, nr_pages, page_size);
	json_close_object(json);
}

static void put_skipped(struct json *json, const struct mig_outcome *outcome,
			uint64_t page_size)
{
	json_open_array(json, "skipped");
	for (unsigned int i = 0; i < MIG_NR_SKIPS; i++) {
		uint64_t pages = mig_outcome_get_skipped(outcome, (enum mig_skip)i);

		if (!pages)
			continue;
		json_open_object(json, NULL);
		json_put_text(json, "reason", mig_skip_get_name((enum mig_skip)i));
		json_put_text(json, "text", mig_skip_get_text((enum mig_skip)i));
		put_amount_members(json, pages, page_size);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_left(struct json *json, const struct mig_outcome *outcome,
		     uint64_t page_size)
{
	const struct mig_left *left;

	json_open_array(json, "left");
	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++) {
		json_open_object(json, NULL);
		json_put_text(json, "reason", mig_reason_get_name(left->reason));
		json_put_text(json, "text", mig_reason_get_text(left->reason));
		json_put_text(json, "hint", mig_reason_get_hint(left->reason));
		json_put_signed(json, "node", left->node);
		json_put_signed(json, "error", left->error);
		put_amount_members(json, left->nr_pages, page_size);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_pair(struct json *json, const struct mig_pair_count *pair,
		     uint64_t page_size)
{
	json_open_object(json, NULL);
	json_put_signed(json, "from", pair->from);
	json_put_signed(json, "to", pair->to);
	put_amount_members(json, pair->nr_pages, page_size);
	json_close_object(json);
}

static void put_residency(struct json *json, const char *key,
			  const struct mig_residency *residency)
{
	if (!residency) {
		json_put_null(json, key);
		return;
	}
	json_open_array(json, key);
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		uint64_t bytes = mig_residency_get_node_bytes(residency, node);

		if (!bytes)
			continue;
		json_open_object(json, NULL);
		json_put_signed(json, "node", node);
		json_put_number(json, "bytes", bytes);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_target(struct json *json, const struct move_target *target)
{
	if (target->kind == MOVE_CGROUP) {
		json_put_text(json, "cgroup", target->name);
		return;
	}
	if (target->kind == MOVE_NODES) {
		json_put_nodes(json, "nodes", target->nodes);
		json_put_number(json, "round", target->round);
		return;
	}
	if (target->kind == MOVE_PROCESSES)
		json_put_signed(json, "pid", target->pid);
	json_put_text(json, "name", target->name);
}

static void put_members(struct json *json, const struct move_target *target,
			const struct mig_totals *totals)
{
	if (target->kind != MOVE_FILES) {
		json_put_number(json, "processes", totals->processes);
		json_put_number(json, "processes_gone", totals->processes_gone);
		json_put_number(json, "processes_denied", totals->processes_denied);
		if (target->kind == MOVE_CGROUP)
			json_put_number(json, "processes_hidden",
					mig_target_get_hidden(target->target));
		if (target->kind == MOVE_CGROUP || target->kind == MOVE_NODES)
			json_put_text(json, "cache", move_report_get_cache_way(totals));
	} else {
		json_put_number(json, "files", totals->files);
		json_put_number(json, "files_gone", totals->files_gone);
		json_put_number(json, "files_denied", totals->files_denied);
	}
}

/* What the fallback has done with pages that were left. */
static void put_fallback(struct json *json, const struct move_target *target,
			 const struct mig_totals *totals, uint64_t page_size)
{
	if (target->kind != MOVE_FILES)
		put_amount(json, "paged_out", totals->paged_out_pages, page_size);
	else
		put_amount(json, "reread", totals->reread_pages, page_size);
}

static void put_sums(struct json *json, const struct move_target *target,
		     const struct mig_outcome *outcome, uint64_t page_size)
{
	const struct mig_totals *totals = mig_outcome_get_totals(outcome);
	const struct mig_pair_count *pair;

	put_amount(json, "considered", totals->considered_pages, page_size);
	put_amount(json, "wanted",
		   totals->moved_pages + totals->already_pages + totals->left_pages,
		   page_size);
	put_amount(json, "moved", totals->moved_pages, page_size);
	put_amount(json, "already", totals->already_pages, page_size);
	put_skipped(json, outcome, page_size);
	put_left(json, outcome, page_size);
	put_amount(json, "gone", totals->gone_pages, page_size);
	put_fallback(json, target, totals, page_size);
	json_open_array(json, "pairs");
	for (size_t i = 0; (pair = mig_outcome_get_pair(outcome, i)); i++)
		put_pair(json, pair, page_size);
	json_close_array(json);
}

/* What the kernel has done when the cpuset was set. */
static void put_binding(struct json *json, const struct move_result *result,
			uint64_t page_size)
{
	if (!result->binding.is_set) {
		json_put_null(json, "binding");
		return;
	}
	json_open_object(json, "binding");
	json_put_nodes(json, "mems", &result->binding.mems);
	put_amount(json, "moved", move_report_get_bound_bytes(result) / page_size,
		   page_size);
	json_put_seconds(json, "seconds", result->binding.elapsed_ns);
	json_close_object(json);
}

static void put_residencies(struct json *json, const struct move_result *result)
{
	json_open_object(json, "residency");
	put_residency(json, "before", result->before);
	if (result->target->kind == MOVE_CGROUP)
		put_residency(json, "bound", result->bound);
	put_residency(json, "after", result->after);
	put_residency(json, "settled", result->settled);
	json_close_object(json);
}

void move_json_put_result(struct json *json, const struct move_result *result,
			  uint64_t page_size)
{
	const struct mig_totals *totals = mig_outcome_get_totals(result->outcome);

	json_open_object(json, NULL);
	put_target(json, result->target);
	put_members(json, result->target, totals);
	if (result->target->kind == MOVE_CGROUP)
		put_binding(json, result, page_size);
	put_sums(json, result->target, result->outcome, page_size);
	if (result->target->kind != MOVE_FILES)
		put_amount(json, "swapped", totals->swapped_pages, page_size);
	json_open_object(json, "huge");
	json_put_number(json, "moved_whole", totals->moved_huge_pages);
	if (totals->split_huge_pages == MIG_UNKNOWN_BYTES)
		json_put_null(json, "split");
	else
		json_put_number(json, "split", totals->split_huge_pages);
	json_close_object(json);
	if (result->target->kind != MOVE_NODES)
		put_residencies(json, result);
	json_put_seconds(json, "seconds", totals->elapsed_ns);
	json_put_seconds(json, "longest_call_seconds", totals->longest_call_ns);
	json_put_number(json, "passes", totals->passes);
	json_put_number(json, "threads", totals->threads);
	json_put_bool(json, "stopped", totals->stopped && !result->had_enough);
	json_put_bool(json, "timed_out", totals->timed_out);
	json_close_object(json);
}

void move_json_put_plan(struct json *json, const struct move_target *target,
			const struct mig_plan *plan, uint64_t page_size)
{
	const struct mig_pair_count *pair;

	json_open_object(json, NULL);
	put_target(json, target);
	json_put_bool(json, "dry_run", true);
	put_amount(json, "planned", mig_plan_get_total_bytes(plan) / page_size,
		   page_size);
	json_open_array(json, "pairs");
	for (size_t i = 0; (pair = mig_plan_get_pair(plan, i)); i++)
		put_pair(json, pair, page_size);
	json_close_array(json);
	json_open_object(json, "residency");
	put_residency(json, "before", mig_plan_get_residency(plan));
	json_close_object(json);
	json_close_object(json);
}
