/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small number for each physical page frame. The table is as large as the
 * machine in address space only: memory is used where a number is not zero, two
 * bytes for each frame touched and its neighbours.
 *
 * Threads: any number may use one table at once.
 */
#ifndef MIG_FRAMETABLE_H
#define MIG_FRAMETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mig_frametable {
	uint16_t *values;
	uint64_t nr_frames;
};

/** The largest number; counting stops there. */
#define MIG_FRAMETABLE_MAX UINT16_MAX

/** mig_frametable_init - for frames below @nr_frames. Errors: -ENOMEM. */
int mig_frametable_init(struct mig_frametable *table, uint64_t nr_frames);

/** mig_frametable_done - give the memory back; a zeroed table is allowed. */
void mig_frametable_done(struct mig_frametable *table);

/** mig_frametable_count - add one. Return: the number before. */
unsigned int mig_frametable_count(const struct mig_frametable *table, uint64_t frame);

/** mig_frametable_get - 0 for a frame that is out of range. */
unsigned int mig_frametable_get(const struct mig_frametable *table, uint64_t frame);

#endif
