/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a move: tables for people, one JSON document for programs. */
#ifndef MIGRATECTL_MOVE_REPORT_H
#define MIGRATECTL_MOVE_REPORT_H

#include "json.h"
#include "move.h"

struct move_report {
	const struct move *move;
	struct json json;
	uint64_t page_size;
};

/** One target's run. */
struct move_result {
	const struct move_target *target;
	const struct mig_plan *plan;
	const struct mig_outcome *outcome;
	struct mig_residency *after;   /**< NULL: not known */
	struct mig_residency *settled; /**< NULL: not asked for, or not known */
};

void move_report_begin(struct move_report *report, const struct move *move);

/** move_report_end - write the JSON document, if there is one. Return: exit status. */
int move_report_end(struct move_report *report);

/** move_report_add - report a run. Return: the exit status that it stands for. */
int move_report_add(struct move_report *report, const struct move_result *result);

/** move_report_add_plan - report what would move (--dry-run). Return: exit status. */
int move_report_add_plan(struct move_report *report, const struct move_target *target,
			 const struct mig_plan *plan);

#endif
