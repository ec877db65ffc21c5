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
	uint64_t hinted; /**< a bit for each reason that a hint was given for */
};

/** One target's run. */
struct move_result {
	const struct move_target *target;
	struct mig_outcome *outcome;
	struct move_binding binding;
	const struct mig_residency *before;
	const struct mig_residency *bound; /**< NULL: no cpuset was set */
	struct mig_residency *after;       /**< NULL: not known */
	struct mig_residency *settled;     /**< NULL: not asked for, or not known */
	bool had_enough;                   /**< struct move's has_enough() ended it */
	int finished;                      /**< status of the command's finish() */
};

void move_report_begin(struct move_report *report, const struct move *move);

/** move_report_end - write the JSON document, if there is one. Return: exit status. */
int move_report_end(struct move_report *report);

/** move_report_add - report a run. Return: the exit status that it stands for. */
int move_report_add(struct move_report *report, const struct move_result *result);

/** move_report_get_bound_bytes - that the kernel has moved by itself into the cpuset */
uint64_t move_report_get_bound_bytes(const struct move_result *result);

/** move_report_get_cache_way - a stable word, as "files"; NULL: there was no cache */
const char *move_report_get_cache_way(const struct mig_totals *totals);

/** move_report_add_plan - report what would move (--dry-run). Return: exit status. */
int move_report_add_plan(struct move_report *report, const struct move_target *target,
			 const struct mig_plan *plan);

#endif
