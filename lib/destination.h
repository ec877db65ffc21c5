/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes that pages are sent to, and whether they still have room. Room is what
 * is free above the high watermarks: beyond it the kernel would push out what lives
 * there.
 *
 * Threads: any number may use it at once.
 */
#ifndef MIG_DESTINATION_H
#define MIG_DESTINATION_H

#include <pthread.h>

#include "libmigrate.h"

struct mig_destination {
	int64_t room_pages; /**< not yet given away, as far as known */
	uint64_t asked_ns;  /**< when the kernel was asked last */
	bool huge_full;     /**< the kernel had no huge page for us */
};

struct mig_destinations {
	const struct mig_topology *topology;
	size_t page_size;
	pthread_mutex_t lock;
	struct mig_destination nodes[MIG_MAX_NODES];
};

/** mig_destinations_init - nothing is asked yet. */
void mig_destinations_init(struct mig_destinations *destinations,
			   const struct mig_topology *topology, size_t page_size);

void mig_destinations_done(struct mig_destinations *destinations);

/**
 * mig_destinations_reserve - room for pages that are about to be moved
 * Return: how many of @nr_pages fit; 0: the node is full.
 */
uint64_t mig_destinations_reserve(struct mig_destinations *destinations, int node,
				  uint64_t nr_pages);

/** mig_destinations_give_back - reserved pages that did not go there after all. */
void mig_destinations_give_back(struct mig_destinations *destinations, int node,
				uint64_t nr_pages);

/** mig_destinations_has_room - for one page at least, or one huge one. */
bool mig_destinations_has_room(struct mig_destinations *destinations, int node,
			       bool huge);

/** mig_destinations_set_full - the kernel found no memory there. */
void mig_destinations_set_full(struct mig_destinations *destinations, int node,
			       bool huge);

/** mig_destinations_is_huge_full - whether it said so for hugetlb pages. */
bool mig_destinations_is_huge_full(struct mig_destinations *destinations, int node);

#endif
