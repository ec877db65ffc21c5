/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same work in several threads, which take their share of it themselves. */
#ifndef MIG_THREADS_H
#define MIG_THREADS_H

#include <stddef.h>

/** At the most, the caller's among them. */
#define MIG_MOST_THREADS 8

/** mig_threads_count - how many are of use on this machine: 1 to MIG_MOST_THREADS. */
unsigned int mig_threads_count(void);

/**
 * mig_threads_run - run @work in as many threads as help with @nr_items
 *
 * The caller's thread works too: one that cannot be made is no error. The others take
 * no signals. All have ended when it returns.
 */
void mig_threads_run(size_t nr_items, void *(*work)(void *data), void *data);

#endif
