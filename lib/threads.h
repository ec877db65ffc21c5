/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same work in several threads, which take their share of it themselves. */
#ifndef MIG_THREADS_H
#define MIG_THREADS_H

#include <stddef.h>

/**
 * mig_threads_run - run @work in as many threads as help with @nr_items
 *
 * The caller's thread works too: one that cannot be made is no error. The others take
 * no signals. All have ended when it returns.
 */
void mig_threads_run(size_t nr_items, void *(*work)(void *data), void *data);

#endif
