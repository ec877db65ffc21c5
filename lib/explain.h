/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a page is still where it was. A reason is derived from what the kernel said
 * (the status, the errno) and from what it shows (page flags, registered io_uring
 * buffers, the mapping); where neither tells, it says so.
 */
#ifndef MIG_EXPLAIN_H
#define MIG_EXPLAIN_H

#include "worker.h"

/**
 * mig_explain_tasks - book each failed task with its reason
 * @tasks: sorted by walk and address (mig_tasks_sort)
 */
void mig_explain_tasks(struct mig_worker *worker, const struct mig_tasks *tasks);

/** mig_tasks_sort - by walk, then by address. */
void mig_tasks_sort(struct mig_tasks *tasks);

#endif
