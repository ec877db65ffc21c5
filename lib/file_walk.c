/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "file_walk.h"

#include <errno.h>
#include <stdlib.h>

#include "files.h"
#include "found.h"
#include "target.h"

void mig_file_walk_init(struct mig_file_walk *walk, struct mig_plan *plan)
{
	*walk = (struct mig_file_walk){ .plan = plan };
	pthread_mutex_init(&walk->lock, NULL);
}

void mig_file_walk_done(struct mig_file_walk *walk)
{
	mig_file_put(walk->file);
	pthread_mutex_destroy(&walk->lock);
}

/* One that has been deleted or replaced since is gone, with its pages. */
static int open_found(struct mig_file_walk *walk, const struct mig_found_file *found,
		      struct mig_outcome *tally)
{
	struct mig_files *files = mig_target_get_files(walk->plan->target);
	struct mig_file *file = NULL;
	int r = mig_file_open(&files->backings, &found->name, &file);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || file->device != found->device || file->inode != found->inode) {
		tally->totals.files++;
		tally->totals.files_gone++;
		mig_file_put(file);
		return 0;
	}
	walk->file = file;
	walk->at = 0;
	return 0;
}

static int begin_file(struct mig_file_walk *walk, struct mig_outcome *tally)
{
	struct mig_found_file found;
	int r = mig_found_next(&walk->plan->found, &found);

	if (r <= 0)
		return r;
	r = open_found(walk, &found, tally);
	free(found.name.path);
	free(found.name.shown);
	return r < 0 ? r : 1;
}

/* Takes the next part of a file; the lock is held. */
static int take_part(struct mig_file_walk *walk, struct mig_outcome *tally,
		     struct mig_file **ret_file, uint64_t *ret_start, uint64_t *ret_end)
{
	for (;;) {
		int r;

		if (walk->file &&
		    mig_file_next_part(walk->file, walk->at, ret_start, ret_end)) {
			walk->at = *ret_end;
			*ret_file = mig_file_get(walk->file);
			return 1;
		}
		mig_file_put(walk->file);
		walk->file = NULL;
		r = begin_file(walk, tally);
		if (r <= 0)
			return r;
	}
}

static struct mig_window_walk *new_window_walk(const struct mig_self *self)
{
	struct mig_window_walk *window = calloc(1, sizeof(*window));

	if (!window)
		return NULL;
	window->walk.process = self->process;
	window->walk.pagemap = self->pagemap;
	window->walk.window = &window->window;
	pthread_mutex_init(&window->walk.lock, NULL);
	return window;
}

static void count_file(struct mig_file *file, struct mig_outcome *tally)
{
	if (!__atomic_exchange_n(&file->is_counted, true, __ATOMIC_RELAXED))
		tally->totals.files++;
}

/* It could be mapped when it was planned, unless nobody has tried then. */
static void skip_file(struct mig_file_walk *walk, struct mig_file *file, int error,
		      struct mig_outcome *tally)
{
	if (__atomic_exchange_n(&file->is_lost, true, __ATOMIC_RELAXED))
		return;
	if (walk->plan->is_estimated) {
		mig_files_report(mig_target_get_files(walk->plan->target),
				 mig_file_get_label(file), error);
		return;
	}
	count_file(file, tally);
	tally->totals.files_gone++;
}

/* Opens the next part that somebody has to look at. Return: as mig_file_walk_next(). */
static int open_part(struct mig_file_walk *walk, const struct mig_window_scratch *scratch,
		     struct mig_outcome *tally, struct mig_window *ret_window)
{
	const struct mig_self *self = &walk->plan->self;

	for (;;) {
		uint64_t start, end, nr_pages = 0;
		struct mig_file *file = NULL;
		int r;

		pthread_mutex_lock(&walk->lock);
		r = take_part(walk, tally, &file, &start, &end);
		pthread_mutex_unlock(&walk->lock);
		if (r <= 0)
			return r;
		r = mig_window_open(ret_window, file, start, end, &self->pagemap, scratch,
				    &nr_pages);
		if (!r && nr_pages)
			count_file(file, tally);
		else if (!r)
			mig_window_close(ret_window);
		else if (r != -ENOMEM)
			skip_file(walk, file, r, tally);
		mig_file_put(file);
		if (r == -ENOMEM || nr_pages)
			return r < 0 ? r : 1;
	}
}

int mig_file_walk_next(struct mig_file_walk *walk,
		       const struct mig_window_scratch *scratch,
		       struct mig_outcome *tally, struct mig_window_walk **ret_window)
{
	struct mig_window_walk *window = new_window_walk(&walk->plan->self);
	int r = window ? open_part(walk, scratch, tally, &window->window) : -ENOMEM;

	if (r > 0)
		*ret_window = window;
	else if (window)
		mig_window_walk_free(window);
	return r;
}

void mig_window_walk_free(struct mig_window_walk *window)
{
	mig_window_close(&window->window);
	pthread_mutex_destroy(&window->walk.lock);
	free(window);
}
