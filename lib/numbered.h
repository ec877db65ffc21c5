/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directory entries with a number in their name: node0, memory12, hugepages-2048kB. */
#ifndef MIG_NUMBERED_H
#define MIG_NUMBERED_H

#include "context.h"

/**
 * mig_numbered_visit - the number of each entry named PREFIX, digits, SUFFIX
 * @directory: path without a leading slash
 * @visit: called in no particular order; non-zero ends the walk with that value
 *
 * Errors: those of open(2) and readdir(3) of the directory.
 */
int mig_numbered_visit(const struct mig_context *context, const char *directory,
		       const char *prefix, const char *suffix,
		       int (*visit)(void *data, uint64_t number), void *data);

#endif
