/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory blocks, as far as others in the library need to know of them. */
#ifndef MIG_MEMORY_BLOCKS_H
#define MIG_MEMORY_BLOCKS_H

#include "context.h"

#define MIG_MEMORY_DIRECTORY "sys/devices/system/memory"

/**
 * mig_memory_blocks_read_size - base pages of one block
 * Errors: -ENOENT: the kernel has no memory blocks; -EBADMSG.
 */
int mig_memory_blocks_read_size(const struct mig_context *context, uint64_t *ret_pages);

/**
 * mig_memory_block_read_state - of one block, as it is now
 * Errors: -ENOENT, -ENODEV: there is none; -EBADMSG.
 */
int mig_memory_block_read_state(const struct mig_context *context, uint64_t number,
				enum mig_block_state *ret_state);

#endif
