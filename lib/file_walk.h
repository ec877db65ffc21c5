/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hands out the files that a plan has found, in windows. Each window is a walk of its
 * own, over memory of this process; it belongs to the worker that has taken it, and
 * stays mapped while tasks lie in it.
 */
#ifndef MIG_FILE_WALK_H
#define MIG_FILE_WALK_H

#include "walk.h"

struct mig_window_walk {
	struct mig_walk walk; /**< what tasks point to */
	struct mig_window window;
	struct mig_window_walk *next;
};

struct mig_file_walk {
	struct mig_plan *plan;
	pthread_mutex_t lock;
	struct mig_file *file; /**< that windows are taken of; NULL: begin the next */
	uint64_t at;           /**< where its next window may begin */
};

/** mig_file_walk_init - a plan without files has nothing to hand out. */
void mig_file_walk_init(struct mig_file_walk *walk, struct mig_plan *plan);

void mig_file_walk_done(struct mig_file_walk *walk);

/**
 * mig_file_walk_next - open the next window that has cached pages
 * @tally: counts files, those that are gone, and those that cannot be mapped
 *
 * Threads: any number at once.
 * Errors: -ENOMEM; -EIO: of the list of what was found.
 * Return: 1, 0 behind the last, or a negative errno.
 */
int mig_file_walk_next(struct mig_file_walk *walk,
		       const struct mig_window_scratch *scratch,
		       struct mig_outcome *tally, struct mig_window_walk **ret_window);

/** mig_window_walk_free - unmap it. */
void mig_window_walk_free(struct mig_window_walk *window);

#endif
