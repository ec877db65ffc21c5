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
 * mig_explain_tasks - book failed units with their reasons
 * @tasks: sorted (mig_tasks_sort)
 */
void mig_explain_tasks(struct mig_worker *worker, const struct mig_tasks *tasks);

#endif
