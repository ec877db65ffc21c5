/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dirty pages of file systems that may have to write them out before they move. */
#include <errno.h>

#include "process.h"
#include "window_states.h"
#include "worker.h"

/* So many dirty pages that come out clean are enough: one may have been written by
 * somebody else at that moment. */
#define PROOFS 2

static enum mig_dirty get_state(const struct mig_walk *walk)
{
	return __atomic_load_n(&walk->window->file->backing->dirty, __ATOMIC_RELAXED);
}

static void set_state(const struct mig_walk *walk, enum mig_dirty dirty)
{
	__atomic_store_n(&walk->window->file->backing->dirty, dirty, __ATOMIC_RELAXED);
}

/* Move one unit by itself. */
static int move_one(struct mig_worker *worker, struct mig_walk *walk,
		    const struct mig_units *unit, int to)
{
	struct mig_batch *batch = &worker->batch;
	const struct mig_plan *plan = worker->engine->plan;

	batch->nr = 1;
	batch->addresses[0] = (void *)(uintptr_t)unit->address;
	return mig_batch_move(plan->context, batch, walk->process->tid, to,
			      plan->sharing.may_move_shared);
}

static void learn_from_arrival(struct mig_walk *walk, enum mig_is_dirty after)
{
	struct mig_backing *backing = walk->window->file->backing;

	if (after == MIG_IS_DIRTY)
		set_state(walk, MIG_DIRTY_MOVES);
	else if (++backing->nr_written >= PROOFS)
		set_state(walk, MIG_DIRTY_WRITES);
}

/* The kernel writes a page out before anything else can fail (mm/migrate.c,
 * fallback_migrate_folio): one that has stayed, and is as dirty as before, comes to no
 * harm by further tries. */
static enum mig_dirty_verdict learn_from_failure(struct mig_walk *walk,
						 enum mig_is_dirty after)
{
	struct mig_backing *backing = walk->window->file->backing;

	if (after == MIG_IS_DIRTY && ++backing->nr_kept >= PROOFS)
		set_state(walk, MIG_DIRTY_MOVES);
	else if (after == MIG_IS_CLEAN && ++backing->nr_written >= PROOFS)
		set_state(walk, MIG_DIRTY_WRITES);
	return after == MIG_MAY_BE_DIRTY ? MIG_DIRTY_STAYS : MIG_DIRTY_GOES;
}

/* A dirty unit of a file system that nobody knows; its lock is held. */
static enum mig_dirty_verdict find_out(struct mig_worker *worker, struct mig_walk *walk,
				       const struct mig_units *unit, int to)
{
	struct mig_outcome *outcome = worker->outcome;
	int r = move_one(worker, walk, unit, to);
	int status = r < 0 ? r : worker->batch.status[0];
	enum mig_is_dirty after =
		mig_window_is_dirty(walk->window, &walk->pagemap, unit->address);

	if (status == to) {
		learn_from_arrival(walk, after);
		mig_outcome_add_moved(outcome, unit->node, to, unit->unit_pages);
		return MIG_DIRTY_BOOKED;
	}
	if (status == -ENOENT || status == -EFAULT) {
		mig_outcome_add_gone(outcome, unit->unit_pages);
		return MIG_DIRTY_BOOKED;
	}
	/* It was not even tried: trying again could write it. */
	if (status != MIG_STATUS_FAILED || worker->batch.no_memory) {
		mig_outcome_add_left(outcome,
				     worker->batch.no_memory ? MIG_REASON_NO_MEMORY
							     : MIG_REASON_BUSY,
				     to, 0, unit->unit_pages);
		return MIG_DIRTY_BOOKED;
	}
	return learn_from_failure(walk, after);
}

enum mig_dirty_verdict mig_dirty_decide(struct mig_worker *worker, struct mig_walk *walk,
					const struct mig_units *unit, int to)
{
	struct mig_backing *backing = walk->window->file->backing;
	enum mig_dirty_verdict verdict = MIG_DIRTY_STAYS;
	enum mig_is_dirty now;

	if (get_state(walk) == MIG_DIRTY_NEVER)
		return MIG_DIRTY_FIXED;
	now = mig_window_is_dirty(walk->window, &walk->pagemap, unit->address);
	if (now == MIG_IS_CLEAN || get_state(walk) == MIG_DIRTY_MOVES)
		return MIG_DIRTY_GOES;
	if (now == MIG_MAY_BE_DIRTY || get_state(walk) == MIG_DIRTY_WRITES)
		return MIG_DIRTY_STAYS;
	pthread_mutex_lock(&backing->lock);
	switch (get_state(walk)) {
	case MIG_DIRTY_UNKNOWN:
		verdict = find_out(worker, walk, unit, to);
		break;
	case MIG_DIRTY_MOVES:
		verdict = MIG_DIRTY_GOES;
		break;
	case MIG_DIRTY_WRITES:
	case MIG_DIRTY_NEVER:
		break;
	}
	pthread_mutex_unlock(&backing->lock);
	return verdict;
}
