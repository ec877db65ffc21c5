/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "move.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "findings.h"
#include "handles.h"
#include "kind.h"
#include "message.h"
#include "move_report.h"
#include "placement_args.h"
#include "progress.h"
#include "stop_signal.h"

const struct option_word move_place_words[] = {
	{ "relative", MIG_PLACE_RELATIVE },
	{ "nearest", MIG_PLACE_NEAREST },
	{ "spread", MIG_PLACE_SPREAD },
	{ NULL, 0 },
};

const struct option_word move_shared_words[] = {
	{ "anon", MIG_SHARED_ANON },
	{ "all", MIG_SHARED_ALL },
	{ "none", MIG_SHARED_NONE },
	{ NULL, 0 },
};

int move_begin(const char *command, const struct move_args *args, struct move *ret_move)
{
	struct move move = { .args = args, .command = command };
	int status = table_check_columns(&args->common, command, &move_columns);

	if (!status)
		status = machine_open(args->common.sysroot, &move.machine);
	if (!status)
		status = placement_args_parse(command, args, &move.machine,
					      &move.placement);
	if (status) {
		move_end(&move);
		return status;
	}
	*ret_move = move;
	return STATUS_OK;
}

void move_end(struct move *move)
{
	mig_placement_free(move->placement);
	machine_close(&move->machine);
	*move = (struct move){ 0 };
}

/* Errors that only the cache of cgroups has, or that are about it where it moves. */
static enum message_subject subject_of(const struct move_args *args, int error)
{
	switch (args->cache ? error : 0) {
	case -EACCES:
	case -EPERM:
	case -ENOENT:
	case -ENODATA:
	case -EOPNOTSUPP:
		return SUBJECT_CACHE;
	default:
		return SUBJECT_MOVE;
	}
}

int move_plan(const struct move *move, const struct move_target *target,
	      struct mig_plan **ret_plan)
{
	const struct move_args *args = move->args;
	const struct mig_plan_options options = {
		.size = sizeof(options),
		.shared = (enum mig_shared)args->shared,
		.only_kinds = args->only & ~KIND_BIT_THP,
		.only_thp = args->only & KIND_BIT_THP,
		.range = args->range.end ? &args->range : NULL,
		.min_mapping_bytes = args->min_size_bytes,
		.may_write = args->writeback,
		.may_estimate = !args->dry_run,
		.cache_by_files = args->search,
		.most_cache_bytes = move->most_cache_bytes,
	};
	int r = mig_plan_new(target->target, move->machine.topology, move->placement,
			     &options, ret_plan);

	if (r == -ESRCH)
		return message_failure(SUBJECT_MOVE, r, "%s", target->label);
	return r < 0 ? message_failure(subject_of(args, r), r, "cannot move %s",
				       target->label)
		     : STATUS_OK;
}

struct watcher {
	const struct move *move;
	struct progress progress;
	bool has_enough;
};

static bool watch(void *data, const struct mig_progress *now)
{
	struct watcher *watcher = data;
	const struct move *move = watcher->move;

	progress_update(&watcher->progress, now);
	watcher->has_enough = move->has_enough && move->has_enough(move->enough_data);
	return watcher->has_enough || stop_signal_get() != 0;
}

static int run_plan(const struct move *move, struct mig_plan *plan,
		    struct move_result *result)
{
	const struct move_args *args = move->args;
	struct watcher watcher = { .move = move };
	const struct mig_run_options options = {
		.size = sizeof(options),
		.threads = args->threads,
		.passes = args->passes,
		.max_stall_ns = args->max_stall_ns,
		.rate_bytes_per_second = args->rate_bytes,
		.timeout_ns = args->timeout_ns,
		.fallback = (enum mig_fallback)args->fallback,
		.progress = watch,
		.progress_data = &watcher,
	};
	int r;

	progress_begin(&watcher.progress, args->progress);
	r = mig_plan_run(plan, &options, &result->outcome);
	progress_end(&watcher.progress);
	result->had_enough = watcher.has_enough;
	return r < 0 ? message_failure(SUBJECT_MOVE, r, "cannot move %s",
				       result->target->label)
		     : STATUS_OK;
}

/* Where the target's memory is now; NULL where that cannot be known. */
static struct mig_residency *read_residency(struct mig_plan *plan)
{
	struct mig_residency *residency = NULL;

	return mig_plan_read_residency(plan, &residency) < 0 ? NULL : residency;
}

void move_wait_settled(uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	while (nanosleep(&time, &time) < 0 && errno == EINTR && !stop_signal_get())
		;
}

int move_worse(int a, int b)
{
	if (a == b)
		return a;
	/* One failed, another went: partly done. */
	if (a == STATUS_OK || b == STATUS_OK || a == STATUS_PARTLY || b == STATUS_PARTLY)
		return STATUS_PARTLY;
	return STATUS_FAILED;
}

/* What is left to do after the kernel has moved some by itself, and whether it still
 * may be done. */
static int plan_again(const struct move *move, const struct move_target *target,
		      struct mig_plan **ret_plan)
{
	struct mig_plan *plan = NULL;
	int status = move_plan(move, target, &plan);

	if (!status)
		status = findings_say(plan, move->args->force, FINDINGS_WARNINGS);
	if (status) {
		mig_plan_free(plan);
		return status;
	}
	*ret_plan = plan;
	return STATUS_OK;
}

static int run_and_look(const struct move *move, struct mig_plan *plan,
			struct move_result *result)
{
	int status = run_plan(move, plan, result);

	/* What is on a node is more than its processes' memory. */
	if (!status && result->target->kind != MOVE_NODES)
		result->after = read_residency(plan);
	return status;
}

/* Run @plan, with what the command does around it. */
static int run_prepared(const struct move *move, struct mig_plan *plan,
			struct move_result *result, struct mig_plan **ret_again)
{
	const struct move_hooks *hooks = move->hooks;
	int status;

	if (!hooks)
		return run_and_look(move, plan, result);
	status = hooks->prepare(move, result->target, &result->binding);
	if (status)
		return status;
	if (result->binding.is_set)
		status = plan_again(move, result->target, ret_again);
	if (*ret_again) {
		plan = *ret_again;
		result->bound = mig_plan_get_residency(plan);
	}
	if (!status)
		status = run_and_look(move, plan, result);
	/* What has moved is reported in any case. */
	result->finished = hooks->finish(move, result->target, status != STATUS_OK);
	return status;
}

int move_run(const struct move *move, const struct move_target *target,
	     struct mig_plan *plan, struct move_report *report,
	     struct mig_outcome **ret_outcome)
{
	CLEANUP_MIG(plan) struct mig_plan *again = NULL;
	struct move_result result = {
		.target = target,
		.before = mig_plan_get_residency(plan),
	};
	int status = run_prepared(move, plan, &result, &again);

	if (!status && move->args->settle_ns && !stop_signal_get()) {
		move_wait_settled(move->args->settle_ns);
		result.settled = read_residency(again ? again : plan);
	}
	if (!status)
		status = move_report_add(report, &result);
	mig_residency_free(result.after);
	mig_residency_free(result.settled);
	if (ret_outcome)
		*ret_outcome = STEAL(result.outcome);
	mig_outcome_free(result.outcome);
	return result.finished ? move_worse(status, result.finished) : status;
}

/* Of several, each is planned again: what the others did may matter. */
static int each_target(const struct move *move, const struct move_target *targets,
		       size_t nr_targets, struct mig_plan *first_plan,
		       struct move_report *report)
{
	int all = STATUS_OK;

	for (size_t i = 0; i < nr_targets; i++) {
		struct mig_plan *plan = first_plan;
		int status =
			nr_targets > 1 ? move_plan(move, &targets[i], &plan) : STATUS_OK;

		if (!status) {
			status =
				move->args->dry_run
					? move_report_add_plan(report, &targets[i], plan)
					: move_run(move, &targets[i], plan, report, NULL);
			if (plan != first_plan)
				mig_plan_free(plan);
		}
		all = i ? move_worse(all, status) : status;
		if (stop_signal_get() && i + 1 < nr_targets) {
			message_error("stopped: %zu of %zu targets were not begun",
				      nr_targets - i - 1, nr_targets);
			return STATUS_PARTLY;
		}
	}
	return all;
}

int move_targets(const struct move *move, const struct move_target *targets,
		 size_t nr_targets, const struct move_target *joined)
{
	struct mig_plan *plan = NULL;
	struct move_report report;
	int refused = STATUS_OK, written;
	int status = move_plan(move, nr_targets > 1 ? joined : &targets[0], &plan);

	if (!status)
		refused = findings_say(plan, move->args->force, move->mended);
	if (!status && (!refused || move->args->dry_run)) {
		stop_signal_watch();
		move_report_begin(&report, move);
		status = each_target(move, targets, nr_targets, plan, &report);
		written = move_report_end(&report);
		if (!status)
			status = written;
	}
	mig_plan_free(plan);
	return refused ? refused : status;
}
