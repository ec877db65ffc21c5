/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much one call may take and when the next may begin. A call of move_pages(2)
 * looks at no signal, so its size bounds how long anything else waits; and it
 * drains every CPU's LRU caches once, so it must not be too small.
 *
 * Threads: all functions but init may be called by any number at once.
 */
#ifndef MIG_PACE_H
#define MIG_PACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The most addresses in one call. */
#define MIG_PACE_MOST_ADDRESSES 8192

/** Classes of units with speeds of their own. */
enum mig_pace_class {
	MIG_PACE_SMALL, /**< single pages */
	MIG_PACE_LARGE, /**< folios of many pages, hugetlb */
	MIG_PACE_NR_CLASSES,
};

struct mig_pace {
	size_t page_size;
	uint64_t call_ns; /**< how long a call should take at most */
	bool strict;      /**< the user gave that bound: small calls are allowed */
	uint64_t rate;    /**< bytes per second, 0: no bound */
	uint64_t limit[MIG_PACE_NR_CLASSES]; /**< pages in the next call */
	pthread_mutex_t lock;                /**< of next_ns */
	uint64_t next_ns;                    /**< when the rate allows the next call */
};

/** mig_pace_init - @max_stall_ns and @rate may be 0. */
void mig_pace_init(struct mig_pace *pace, size_t page_size, uint64_t max_stall_ns,
		   uint64_t rate);

void mig_pace_done(struct mig_pace *pace);

/** mig_pace_get_limit - how many base pages the next call may take. */
uint64_t mig_pace_get_limit(struct mig_pace *pace, enum mig_pace_class pace_class);

/** mig_pace_record - a call is over: learn from how long it took. */
void mig_pace_record(struct mig_pace *pace, enum mig_pace_class pace_class,
		     uint64_t nr_pages, uint64_t elapsed_ns);

/**
 * mig_pace_reserve - account @nr_pages to the rate
 * Return: when the call may begin, in ns of mig_clock_ns(); 0: at once.
 */
uint64_t mig_pace_reserve(struct mig_pace *pace, uint64_t nr_pages);

#endif
