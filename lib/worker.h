/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread of the engine. It takes chunks of memory, finds the units in them that
 * should move (worker.c), moves them in large calls and books what became of each
 * (mover.c), tries those again that did not go (retry.c), and has the rest
 * explained (explain.c). All its memory is allocated at the start.
 */
#ifndef MIG_WORKER_H
#define MIG_WORKER_H

#include "batch.h"
#include "engine.h"
#include "outcome.h"
#include "page_scan.h"

enum mig_task_state {
	MIG_TASK_WAITING,	/**< to be moved */
	MIG_TASK_FAILED,	/**< tried; error says how it failed */
	MIG_TASK_DONE,		/**< booked */
};

/** A unit that should move. */
struct mig_task {
	struct mig_walk *walk;
	uint64_t address;
	uint32_t nr_pages;
	int16_t from;
	int16_t to;
	uint16_t flags;		/**< MIG_UNIT_* */
	uint8_t kind;		/**< enum mig_kind of its mapping */
	uint8_t state;		/**< enum mig_task_state */
	int error;		/**< errno of the failure; 0: tried, and it stayed */
};

struct mig_tasks {
	struct mig_task *tasks;
	size_t capacity;
	size_t nr;
	uint64_t nr_pages;
};

struct mig_worker {
	struct mig_engine *engine;
	unsigned int index;
	pthread_t thread;
	struct mig_outcome *outcome;
	struct mig_page_scan scan;
	struct mig_batch batch;
	uint32_t *picked;	/**< the task behind each address of the batch */
	struct mig_tasks pending;	/**< found, not yet tried */
	struct mig_tasks left;		/**< tried, to be tried again */
	bool fruitless;		/**< no retry has helped so far */
};

/** mig_worker_init - Errors: -ENOMEM. */
int mig_worker_init(struct mig_worker *worker, struct mig_engine *engine,
		    unsigned int index);

/** mig_worker_done - a zeroed worker is allowed. */
void mig_worker_done(struct mig_worker *worker);

/** mig_worker_walk - the first pass: take chunks until there are none. */
void mig_worker_walk(struct mig_worker *worker);

/** mig_tasks_add - false if it is full. */
bool mig_tasks_add(struct mig_tasks *tasks, const struct mig_task *task);

/**
 * mig_mover_flush - move all waiting tasks and book them
 *
 * Failed ones stay in it with their error; after a stop waiting ones stay, too.
 */
void mig_mover_flush(struct mig_worker *worker, struct mig_tasks *tasks);

/** mig_retry_keep - put failed tasks aside for later passes. */
void mig_retry_keep(struct mig_worker *worker, struct mig_tasks *tasks);

/** mig_retry_pass - one more try for what is left and may go. */
void mig_retry_pass(struct mig_worker *worker);

/** mig_retry_wants_pass - whether another try could help anything that is left. */
bool mig_retry_wants_pass(const struct mig_worker *worker);

/** mig_retry_settle - no more tries: fall back, explain and book what is left. */
void mig_retry_settle(struct mig_worker *worker);

#endif
