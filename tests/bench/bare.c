/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the system call can do by itself: the yardstick. */
#include <pthread.h>
#include <stdlib.h>

#include <numaif.h>

#include "bench.h"

/* 64 MiB a call: the best of what was tried (512 to 65536 pages). */
#define CALL_BYTES ((size_t)64 << 20)

struct share {
	const struct bench_victim *victim;
	int node;
	unsigned int index;
	unsigned int nr;
};

/* Every nr-th call of the mapping is this thread's. */
static void *move_share(void *data)
{
	const struct share *share = data;
	const struct bench_victim *victim = share->victim;
	size_t nr = CALL_BYTES / victim->unit_bytes;
	void **pages = calloc(nr, sizeof(*pages));
	int *nodes = calloc(nr, sizeof(*nodes));
	int *status = calloc(nr, sizeof(*status));

	if (!pages || !nodes || !status)
		bench_die("out of memory");
	for (size_t at = share->index * CALL_BYTES; at < victim->size_bytes;
	     at += share->nr * CALL_BYTES) {
		size_t i = 0;

		for (; i < nr && at + i * victim->unit_bytes < victim->size_bytes; i++) {
			pages[i] = victim->start + at + i * victim->unit_bytes;
			nodes[i] = share->node;
		}
		if (move_pages(victim->pid, i, pages, nodes, status, MPOL_MF_MOVE_ALL) <
		    0)
			bench_die("move_pages failed");
	}
	free(pages);
	free(nodes);
	free(status);
	return NULL;
}

void bench_bare_move(const struct bench_victim *victim, int node, unsigned int threads)
{
	struct share shares[16];
	pthread_t workers[16];

	for (unsigned int i = 0; i < threads; i++) {
		shares[i] = (struct share){ victim, node, i, threads };
		if (pthread_create(&workers[i], NULL, move_share, &shares[i]))
			bench_die("cannot start a thread");
	}
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(workers[i], NULL);
}

int bench_bare_main(char **arguments)
{
	uint64_t numbers[6];
	struct bench_victim victim;

	for (size_t i = 0; i < 6; i++)
		numbers[i] = strtoull(arguments[i], NULL, 0);
	victim = (struct bench_victim){
		.pid = (pid_t)numbers[0],
		.start = (char *)(uintptr_t)numbers[1],
		.size_bytes = numbers[2],
		.unit_bytes = numbers[3],
	};
	bench_bare_move(&victim, (int)numbers[4], (unsigned int)numbers[5]);
	return 0;
}
