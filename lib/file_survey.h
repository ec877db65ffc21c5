/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the cached pages of a target's files are, and how much of it has to move. */
#ifndef MIG_FILE_SURVEY_H
#define MIG_FILE_SURVEY_H

#include "plan.h"

/**
 * mig_file_survey_demand - fill a plan's residency and demand by a target's files
 *
 * Every cached page is looked at; the files that have any are noted for the run.
 * Called once; without files it does nothing.
 * Errors: -ENOMEM; those of the temporary file.
 */
int mig_file_survey_demand(struct mig_plan *plan);

/** mig_file_survey_residency - count the files that were noted, as they are now. */
int mig_file_survey_residency(struct mig_plan *plan, struct mig_residency *residency);

#endif
