/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a target's files need to be looked at page by page before they are moved:
 * not where no more of them can be cached than has room anywhere.
 */
#ifndef MIG_FILE_ESTIMATE_H
#define MIG_FILE_ESTIMATE_H

#include "plan.h"

/**
 * mig_file_estimate - count a target's files without mapping them
 * @ret_enough: whether that is all that the plan has to know of them
 *
 * Those that may have cached pages are noted in plan->found in any case.
 * Called once: lists of files are read once.
 * Errors: -ENOMEM; those of the temporary file.
 */
int mig_file_estimate(struct mig_plan *plan, bool *ret_enough);

#endif
