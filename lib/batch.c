/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "batch.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <time.h>

/* Addresses that one question takes; 32-bit callers get wrong answers beyond 16 on
 * kernels before 7.x (the status pointer is stepped by the wrong size). */
#define ASK_AT_ONCE (sizeof(long) == 8 ? 512 : 16)

uint64_t mig_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int mig_batch_init(struct mig_batch *batch, size_t capacity)
{
	/* No number that a caller could ask for, right or wrong. */
	*batch = (struct mig_batch){ .capacity = capacity, .filled_node = INT_MIN };
	batch->addresses = malloc(capacity * sizeof(*batch->addresses));
	batch->status = malloc(capacity * sizeof(*batch->status));
	batch->nodes = malloc(capacity * sizeof(*batch->nodes));
	if (batch->addresses && batch->status && batch->nodes)
		return 0;
	mig_batch_done(batch);
	return -ENOMEM;
}

void mig_batch_done(struct mig_batch *batch)
{
	free(batch->addresses);
	free(batch->status);
	free(batch->nodes);
	*batch = (struct mig_batch){ 0 };
}

int mig_batch_ask(const struct mig_context *context, pid_t pid, void *const *addresses,
		  int *status, size_t nr)
{
	for (size_t at = 0; at < nr;) {
		size_t part = nr - at < ASK_AT_ONCE ? nr - at : ASK_AT_ONCE;
		long r = context->calls->move_pages(pid, part, addresses + at, NULL,
						    status + at, 0);

		if (r < 0)
			return (int)r;
		at += part;
	}
	return 0;
}

int mig_batch_ask_process(const struct mig_process *process, void *const *addresses,
			  int *status, size_t nr)
{
	pid_t tid = process->tid;
	int r;

	do
		r = mig_batch_ask(process->context, tid, addresses, status, nr);
	while ((r == -ESRCH || r == -EINVAL) && mig_process_next_thread(process, &tid));
	return r;
}

/* The addresses whose status is @mark and that lie in [@start, @end) are asked for;
 * those that are on @node have moved, the others failed. */
static int settle(const struct mig_context *context, struct mig_batch *batch, pid_t pid,
		  int node, int mark, size_t start, size_t end, int otherwise)
{
	void *addresses[256];
	int status[256];
	size_t index[256];

	while (start < end) {
		size_t nr = 0;
		int r;

		for (; start < end && nr < 256; start++) {
			if (batch->status[start] != mark)
				continue;
			index[nr] = start;
			addresses[nr++] = batch->addresses[start];
		}
		r = mig_batch_ask(context, pid, addresses, status, nr);
		if (r < 0)
			return r;
		for (size_t i = 0; i < nr; i++)
			batch->status[index[i]] = status[i] == node ? node : otherwise;
	}
	return 0;
}

static void fill_status(struct mig_batch *batch)
{
	for (size_t i = 0; i < batch->nr; i++)
		batch->status[i] = MIG_STATUS_UNTRIED;
}

static void fill_nodes(struct mig_batch *batch, int node)
{
	if (batch->filled_node == node)
		return;
	for (size_t i = 0; i < batch->capacity; i++)
		batch->nodes[i] = node;
	batch->filled_node = node;
}

/* The stretch that failed: from the first mark to the next status that was written. */
static void find_failed(const struct mig_batch *batch, size_t *ret_start, size_t *ret_end)
{
	size_t start = 0, end;

	while (start < batch->nr && batch->status[start] != MIG_STATUS_UNTRIED)
		start++;
	for (end = start; end < batch->nr; end++)
		if (batch->status[end] != MIG_STATUS_UNTRIED)
			break;
	*ret_start = start;
	*ret_end = end;
}

int mig_batch_move(const struct mig_context *context, struct mig_batch *batch, pid_t pid,
		   int node, bool shared)
{
	uint64_t begin;
	size_t start = 0, end = batch->nr;
	long result;
	int r;

	fill_status(batch);
	fill_nodes(batch, node);
	begin = mig_clock_ns();
	result = context->calls->move_pages(pid, batch->nr, batch->addresses,
					    batch->nodes, batch->status,
					    shared ? MPOL_MF_MOVE_ALL : MPOL_MF_MOVE);
	batch->elapsed_ns = mig_clock_ns() - begin;
	batch->no_memory = result == -ENOMEM;
	if (result < 0 && result != -ENOMEM) {
		fill_status(batch);
		return (int)result;
	}
	if (result > 0)
		find_failed(batch, &start, &end);
	r = result ? settle(context, batch, pid, node, MIG_STATUS_UNTRIED, start, end,
			    MIG_STATUS_FAILED)
		   : 0;
	/* A second address of one folio is busy because the first queued it. */
	if (!r)
		r = settle(context, batch, pid, node, -EBUSY, 0, batch->nr, -EBUSY);
	if (r < 0)
		fill_status(batch);
	return r;
}
