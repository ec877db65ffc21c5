/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "threads.h"

#include <pthread.h>
#include <signal.h>

#include "files.h"

#define MOST_THREADS 8

void mig_threads_run(size_t nr_items, void *(*work)(void *data), void *data)
{
	unsigned int nr_threads = mig_files_count_threads(), made = 0;
	pthread_t threads[MOST_THREADS];
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (made < MOST_THREADS && made + 1 < nr_threads && made + 1 < nr_items &&
	       !pthread_create(&threads[made], NULL, work, data))
		made++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	work(data);
	while (made)
		pthread_join(threads[--made], NULL);
}
