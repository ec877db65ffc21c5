/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow. */
#ifndef MIG_ARRAY_H
#define MIG_ARRAY_H

#include <stddef.h>

/**
 * mig_array_reserve - make room for one more entry
 * @array: of @capacity entries, @count of which are used; NULL is allowed
 *
 * The capacity doubles, so that adding one by one takes linear time.
 * Errors: -ENOMEM: all is as it was.
 */
int mig_array_reserve(void **array, size_t *capacity, size_t count, size_t entry_size);

#endif
