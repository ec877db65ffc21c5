/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "move.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "findings.h"
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

static int make_plan(const struct move *move, const struct move_target *target,
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
	};
	int r = mig_plan_new(target->target, move->machine.topology, move->placement,
			     &options, ret_plan);

	if (r == -ESRCH)
		return message_failure(SUBJECT_MOVE, r, "%s", target->label);
	return r < 0 ? message_failure(SUBJECT_MOVE, r, "cannot move %s", target->label)
		     : STATUS_OK;
}

struct watcher {
	struct progress progress;
};

static bool watch(void *data, const struct mig_progress *now)
{
	struct watcher *watcher = data;

	progress_update(&watcher->progress, now);
	return stop_signal_get() != 0;
}

static int run_plan(const struct move *move, struct mig_plan *plan,
		    const struct move_target *target, struct mig_outcome **ret_outcome)
{
	const struct move_args *args = move->args;
	struct watcher watcher;
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
	r = mig_plan_run(plan, &options, ret_outcome);
	progress_end(&watcher.progress);
	return r < 0 ? message_failure(SUBJECT_MOVE, r, "cannot move %s", target->label)
		     : STATUS_OK;
}

/* Where the target's memory is now; NULL where that cannot be known. */
static struct mig_residency *read_residency(struct mig_plan *plan)
{
	struct mig_residency *residency = NULL;

	return mig_plan_read_residency(plan, &residency) < 0 ? NULL : residency;
}

static void wait_settled(uint64_t ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	while (nanosleep(&time, &time) < 0 && errno == EINTR && !stop_signal_get())
		;
}

static int worse(int a, int b)
{
	if (a == b)
		return a;
	/* One failed, another went: partly done. */
	if (a == STATUS_OK || b == STATUS_OK || a == STATUS_PARTLY || b == STATUS_PARTLY)
		return STATUS_PARTLY;
	return STATUS_FAILED;
}

static int move_one(struct move *move, const struct move_target *target,
		    struct mig_plan *plan, struct move_report *report)
{
	struct mig_outcome *outcome = NULL;
	struct move_result result = { .target = target, .plan = plan };
	int status = run_plan(move, plan, target, &outcome);

	if (status)
		return status;
	result.outcome = outcome;
	result.after = read_residency(plan);
	if (move->args->settle_ns && !stop_signal_get()) {
		wait_settled(move->args->settle_ns);
		result.settled = read_residency(plan);
	}
	status = move_report_add(report, &result);
	mig_residency_free(result.after);
	mig_residency_free(result.settled);
	mig_outcome_free(outcome);
	return status;
}

/* Of several, each is planned again: what the others did may matter. */
static int each_target(struct move *move, const struct move_target *targets,
		       size_t nr_targets, struct mig_plan *first_plan,
		       struct move_report *report)
{
	int all = STATUS_OK;

	for (size_t i = 0; i < nr_targets; i++) {
		struct mig_plan *plan = first_plan;
		int status =
			nr_targets > 1 ? make_plan(move, &targets[i], &plan) : STATUS_OK;

		if (!status) {
			status = move->args->dry_run
					 ? move_report_add_plan(report, &targets[i], plan)
					 : move_one(move, &targets[i], plan, report);
			if (plan != first_plan)
				mig_plan_free(plan);
		}
		all = i ? worse(all, status) : status;
		if (stop_signal_get() && i + 1 < nr_targets) {
			message_error("stopped: %zu of %zu targets were not begun",
				      nr_targets - i - 1, nr_targets);
			return STATUS_PARTLY;
		}
	}
	return all;
}

/* All targets as one, so that room is checked for the whole request. */
static int join_targets(const struct move *move, const struct move_target *targets,
			size_t nr_targets, struct move_target *ret_joined)
{
	struct mig_target *joined = NULL;
	int r = mig_target_new(move->machine.context, &joined);

	for (size_t i = 0; !r && i < nr_targets; i++) {
		struct mig_target *target = targets[i].target;

		for (size_t j = 0; !r && j < mig_target_get_count(target); j++) {
			r = mig_target_add_pid(
				joined,
				mig_process_get_pid(mig_target_get_process(target, j)));
			if (r == -EEXIST || r == -ESRCH || r == -ENODATA)
				r = 0;
		}
	}
	if (r < 0) {
		mig_target_free(joined);
		return message_failure(SUBJECT_PROCESS, r, "cannot hold all processes");
	}
	*ret_joined = targets[0];
	ret_joined->target = joined;
	return STATUS_OK;
}

int move_targets(struct move *move, const struct move_target *targets, size_t nr_targets)
{
	struct move_target joined = targets[0];
	struct mig_plan *plan = NULL;
	struct move_report report;
	int refused = STATUS_OK, written;
	int status = STATUS_OK;

	if (nr_targets > 1)
		status = join_targets(move, targets, nr_targets, &joined);
	if (!status)
		status = make_plan(move, &joined, &plan);
	if (!status)
		refused = findings_say(plan, move->args->force);
	if (!status && (!refused || move->args->dry_run)) {
		stop_signal_watch();
		move_report_begin(&report, move);
		status = each_target(move, targets, nr_targets, plan, &report);
		written = move_report_end(&report);
		if (!status)
			status = written;
	}
	mig_plan_free(plan);
	if (joined.target != targets[0].target)
		mig_target_free(joined.target);
	return refused ? refused : status;
}
