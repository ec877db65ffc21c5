/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A page that was just read or written is on no LRU list: each processor gathers a few
 * dozen before it puts them there. Until then nobody can isolate them, and
 * /proc/kpageflags does not show them as memory that could be moved.
 */
#ifndef MIG_LRU_H
#define MIG_LRU_H

#include "context.h"

/** mig_lru_gather - have all processors put their pages on the lists, as well as may be */
void mig_lru_gather(const struct mig_context *context);

#endif
