/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files in which a plan has found cached pages, kept in a temporary file: the run
 * comes to them again without walking all directories once more, and memory does not
 * grow with their number.
 */
#ifndef MIG_FOUND_H
#define MIG_FOUND_H

#include <stdio.h>

#include "file.h"

struct mig_found {
	FILE *stream;
	uint64_t nr_files;
};

/** mig_found_init - Errors: -ENOMEM; those of open(2) of a file in /tmp. */
int mig_found_init(struct mig_found *found);

/** mig_found_done - a zeroed one is allowed. */
void mig_found_done(struct mig_found *found);

/** mig_found_add - Errors: of write(2), as -ENOSPC. */
int mig_found_add(struct mig_found *found, const struct mig_file *file);

/** mig_found_rewind - read from the first one on. Errors: of write(2). */
int mig_found_rewind(struct mig_found *found);

/** Which file it was, whatever its name leads to now. */
struct mig_found_file {
	struct mig_file_name name; /**< the caller frees its strings */
	uint64_t device;
	uint64_t inode;
};

/** mig_found_next - Return: 1, 0 behind the last, -ENOMEM, -EIO. */
int mig_found_next(struct mig_found *found, struct mig_found_file *ret_file);

#endif
