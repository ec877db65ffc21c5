/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan has found in its way, in words. */
#ifndef MIGRATECTL_FINDINGS_H
#define MIGRATECTL_FINDINGS_H

#include <libmigrate.h>

/**
 * findings_say - warnings, and refusals as errors or, with @force, as warnings
 * Return: STATUS_OK if the plan may run, else the exit status.
 */
int findings_say(const struct mig_plan *plan, bool force);

#endif
