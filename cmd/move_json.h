/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A move as JSON. The keys are frozen in migratectl-move-pid(8). */
#ifndef MIGRATECTL_MOVE_JSON_H
#define MIGRATECTL_MOVE_JSON_H

#include "move_report.h"

/** move_json_put_result - one object of the array that is open. */
void move_json_put_result(struct json *json, const struct move_result *result,
			  uint64_t page_size);

/** move_json_put_plan - the same for what would move. */
void move_json_put_plan(struct json *json, const struct move_target *target,
			const struct mig_plan *plan, uint64_t page_size);

#endif
