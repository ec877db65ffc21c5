/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan has found in its way, in words. */
#ifndef MIGRATECTL_FINDINGS_H
#define MIGRATECTL_FINDINGS_H

#include <libmigrate.h>

/** Bits of all findings that only warn or inform. */
#define FINDINGS_WARNINGS                                             \
	(1U << MIG_FINDING_BOUND | 1U << MIG_FINDING_NUMA_BALANCING | \
	 1U << MIG_FINDING_PROCESS_GONE | 1U << MIG_FINDING_DIRTY)

/**
 * findings_say - warnings, and refusals as errors or, with @force, as warnings
 * @ignored: bits 1 << code of those that are passed over
 * Return: STATUS_OK if the plan may run, else the exit status.
 */
int findings_say(const struct mig_plan *plan, bool force, unsigned int ignored);

#endif
