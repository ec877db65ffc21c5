/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options structs that begin with their size, so that they can grow. */
#ifndef MIG_OPTIONS_STRUCT_H
#define MIG_OPTIONS_STRUCT_H

#include <stddef.h>

/**
 * mig_options_copy - take a caller's options into a zeroed struct of ours
 * @known:      ours
 * @known_size: its size in bytes
 * @given:      the caller's, beginning with a size_t size; may be NULL
 *
 * Errors: -EINVAL: a size smaller than itself; -E2BIG: the caller was built for a
 * newer library and uses a member that this one does not know.
 */
int mig_options_copy(void *known, size_t known_size, const void *given);

#endif
