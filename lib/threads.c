/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "threads.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

unsigned int mig_threads_count(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 1)
		return 1;
	return cpus < MIG_MOST_THREADS ? (unsigned int)cpus : MIG_MOST_THREADS;
}

void mig_threads_run(size_t nr_items, void *(*work)(void *data), void *data)
{
	unsigned int nr_threads = mig_threads_count(), made = 0;
	pthread_t threads[MIG_MOST_THREADS];
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (made + 1 < nr_threads && made + 1 < nr_items &&
	       !pthread_create(&threads[made], NULL, work, data))
		made++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	work(data);
	while (made)
		pthread_join(threads[--made], NULL);
}
