/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frametable.h"

#include <errno.h>
#include <sys/mman.h>

int mig_frametable_init(struct mig_frametable *table, uint64_t nr_frames)
{
	void *values;

	if (!nr_frames)
		nr_frames = 1;
	values = mmap(NULL, nr_frames * sizeof(uint16_t), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (values == MAP_FAILED)
		return -errno;
	/* A huge page for one frame would make the table as large as it looks. */
	madvise(values, nr_frames * sizeof(uint16_t), MADV_NOHUGEPAGE);
	table->values = values;
	table->nr_frames = nr_frames;
	return 0;
}

void mig_frametable_done(struct mig_frametable *table)
{
	if (table->values)
		munmap(table->values, table->nr_frames * sizeof(uint16_t));
	table->values = NULL;
	table->nr_frames = 0;
}

unsigned int mig_frametable_count(const struct mig_frametable *table, uint64_t frame)
{
	uint16_t *value;
	uint16_t old;

	if (frame >= table->nr_frames)
		return 0;
	value = table->values + frame;
	old = __atomic_load_n(value, __ATOMIC_RELAXED);
	while (old < MIG_FRAMETABLE_MAX &&
	       !__atomic_compare_exchange_n(value, &old, (uint16_t)(old + 1), true,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return old;
}

unsigned int mig_frametable_get(const struct mig_frametable *table, uint64_t frame)
{
	if (frame >= table->nr_frames)
		return 0;
	return __atomic_load_n(table->values + frame, __ATOMIC_RELAXED);
}
