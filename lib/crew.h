/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many workers move at once. More than one helps where copying is what takes
 * the time, and harms where the kernel's locks do, or where the target needs the
 * processors; so the number is tried out while the run goes on.
 */
#ifndef MIG_CREW_H
#define MIG_CREW_H

#include "context.h"

struct mig_crew {
	unsigned int most; /**< threads that are made */
	unsigned int open; /**< of them, how many may work now */
	unsigned int used; /**< the most that ever worked at once */
	bool fixed;        /**< the caller has decided */
	/* What was measured. */
	unsigned int settled; /**< the best number known */
	double settled_rate;  /**< bytes per ns with it; 0: not known */
	int direction;        /**< which neighbour is tried next */
	bool trying;
	uint64_t window_ns; /**< when this window began */
	uint64_t window_bytes;
	uint64_t patience_ns; /**< how long the settled number is kept before a try */
};

/**
 * mig_crew_init - how many to begin with, and how many there may be
 * @wanted:        0: to be found out
 * @nr_idle:       processors that nothing else uses; no more workers than those, since
 *                 it may be the target that uses the others
 * @planned_bytes: small jobs get one worker
 */
void mig_crew_init(struct mig_crew *crew, unsigned int wanted, unsigned int nr_idle,
		   uint64_t planned_bytes);

/** mig_crew_count_idle - processors of the caller's that nothing else uses now. */
unsigned int mig_crew_count_idle(const struct mig_context *context);

/**
 * mig_crew_think - look at what has been moved by now
 * @elapsed_ns, @moved_bytes: since the beginning of the run
 * Return: how many may work from now on.
 */
unsigned int mig_crew_think(struct mig_crew *crew, uint64_t elapsed_ns,
			    uint64_t moved_bytes);

#endif
