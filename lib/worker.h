/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread of the engine. It takes chunks of memory, finds the units in them that
 * should move (worker.c), moves them in large calls (mover.c) and books what became
 * of each (book.c), tries those again that did not go (retry.c), and has the rest
 * explained (explain.c). All its memory is allocated at the start.
 */
#ifndef MIG_WORKER_H
#define MIG_WORKER_H

#include "batch.h"
#include "engine.h"
#include "file_walk.h"
#include "outcome.h"
#include "page_scan.h"
#include "task.h"

/** How many tasks one call may take units from. */
#define MIG_WORKER_PICKS 4096

/** How many windows on files a worker holds before it moves what is in them. */
#define MIG_WORKER_WINDOWS 512

/** Units of one task that stand in the batch, one behind the other. */
struct mig_pick {
	uint32_t task;
	uint32_t nr;
};

struct mig_worker {
	struct mig_engine *engine;
	unsigned int index;
	pthread_t thread;
	struct mig_outcome *outcome;
	struct mig_page_scan scan;
	struct mig_batch batch;
	struct mig_pick *picks; /**< what the batch is made of */
	size_t nr_picks;
	struct mig_tasks pending; /**< found, not yet tried */
	struct mig_tasks left;    /**< tried, to be tried again */
	struct mig_tasks trying;  /**< those of left that are being tried */
	bool fruitless;           /**< the last retry has helped nothing */
	/* of files */
	struct mig_window_scratch scratch;
	struct mig_window_walk *windows; /**< that tasks may lie in */
	size_t nr_windows;
	struct mig_residency *before; /**< of pages in windows, as they were found */
	struct mig_residency *after;  /**< as they were when their window was left */
};

/** mig_worker_init - Errors: -ENOMEM. */
int mig_worker_init(struct mig_worker *worker, struct mig_engine *engine,
		    unsigned int index);

/** mig_worker_done - a zeroed worker is allowed. */
void mig_worker_done(struct mig_worker *worker);

/** mig_worker_walk - the first pass: take chunks until there are none. */
void mig_worker_walk(struct mig_worker *worker);

/** mig_worker_walk_files - the same for the files of the target (file_worker.c). */
void mig_worker_walk_files(struct mig_worker *worker);

/** mig_worker_take_chunk - find what should move in it, and move it when it is much. */
void mig_worker_take_chunk(struct mig_worker *worker, struct mig_walk *walk,
			   const struct mig_chunk *chunk);

/** mig_worker_flush - move what was found. */
void mig_worker_flush(struct mig_worker *worker);

/** mig_worker_settle - the last job: nothing is tried any more. */
void mig_worker_settle(struct mig_worker *worker);

/** mig_worker_count_found - add the units of the last scan to what was found. */
void mig_worker_count_found(struct mig_worker *worker, enum mig_kind kind);

/** mig_worker_close_windows - unmap all of them; their pages are not counted. */
void mig_worker_close_windows(struct mig_worker *worker);

/** What becomes of units of a file that should move. */
enum mig_dirty_verdict {
	MIG_DIRTY_GOES = 0, /**< they move like any other */
	MIG_DIRTY_STAYS,    /**< dirty, and its file system would write them out */
	MIG_DIRTY_BOOKED,   /**< they were moved to find out */
	MIG_DIRTY_FIXED,    /**< their file system's pages never move */
};

/**
 * mig_dirty_decide - whether moving one unit of a file may write it out
 *
 * Where nobody knows what a file system does, the first dirty pages are moved one by
 * one and looked at again: those that arrive clean have been written. (dirty.c)
 */
enum mig_dirty_verdict mig_dirty_decide(struct mig_worker *worker, struct mig_walk *walk,
					const struct mig_units *unit, int to);

/**
 * mig_mover_flush - move all tasks of a list and book what became of them
 *
 * Units that failed go to worker->left, which must not be @tasks. After a stop some
 * are still in @tasks; otherwise it is empty.
 */
void mig_mover_flush(struct mig_worker *worker, struct mig_tasks *tasks);

/**
 * mig_book_pick - book the units of a task by their statuses
 * @units:  the task, cut down to the units that were in the batch
 * @status: theirs, decoded (mig_batch_move)
 * @tasks:  takes the pages of what was no single folio, to be moved by themselves
 */
void mig_book_pick(struct mig_worker *worker, struct mig_task units, const int *status,
		   struct mig_tasks *tasks);

/** mig_book_refusal - the whole call was refused with @error: so were these units. */
void mig_book_refusal(struct mig_worker *worker, const struct mig_task *units, int error);

/** mig_retry_keep - put units aside that failed with @error (0: tried, stayed). */
void mig_retry_keep(struct mig_worker *worker, const struct mig_task *units, int error);

/** mig_retry_make_room - settle what is left if the list has become long. */
void mig_retry_make_room(struct mig_worker *worker);

/** mig_retry_finish - all further passes over what is left, now, and settle it. */
void mig_retry_finish(struct mig_worker *worker);

/** mig_retry_pass - one more try for what is left and may go. */
void mig_retry_pass(struct mig_worker *worker);

/** mig_retry_wants_pass - whether another try could help anything that is left. */
bool mig_retry_wants_pass(const struct mig_worker *worker);

/**
 * mig_retry_take_late - book what has come without having been tried
 *
 * From the front on: the pages of a folio that a call has ended within, where nothing
 * had told that they are one.
 */
void mig_retry_take_late(struct mig_worker *worker, struct mig_task *units);

/** mig_retry_reread - drop clean page cache and read it again (reread.c). */
void mig_retry_reread(struct mig_worker *worker);

/** mig_retry_settle - no more tries: fall back, explain and book what is left. */
void mig_retry_settle(struct mig_worker *worker);

#endif
