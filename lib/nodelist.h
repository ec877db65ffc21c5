/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of numbers as the kernel writes them: "0-3,5". Also CPU lists. */
#ifndef MIG_NODELIST_H
#define MIG_NODELIST_H

#include "libmigrate.h"
#include "text.h"

/**
 * mig_nodelist_parse - read "0-3,5" or nothing at all
 * @text: the whole of it is a list; blanks, newlines and NUL bytes at its end are
 *        allowed, an empty list is an empty set
 * Errors: -EINVAL: rubbish; -ERANGE: a number of MIG_MAX_NODES or more, or a
 * range that runs backwards.
 */
int mig_nodelist_parse(struct mig_text text, struct mig_nodeset *ret_set);

/**
 * mig_nodelist_visit - each range of a list whose numbers may be larger than nodes
 * @visit: called in the order of the text; non-zero ends the walk with that value
 */
int mig_nodelist_visit(struct mig_text text,
		       int (*visit)(void *data, uint64_t first, uint64_t last),
		       void *data);

#endif
