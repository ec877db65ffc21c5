/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Books every page of a call by what the kernel says became of it. */
#include <errno.h>

#include "process.h"
#include "worker.h"

static void *page_address(const struct mig_task *unit, uint32_t page)
{
	return (void *)(uintptr_t)(unit->address +
				   page * unit->walk->process->context->page_size);
}

static bool read_entry(const struct mig_task *unit, uint32_t page, uint64_t *ret_entry)
{
	return mig_pagemap_read(&unit->walk->pagemap, (uintptr_t)page_address(unit, page),
				ret_entry, 1) == 1 &&
	       (*ret_entry & MIG_PAGEMAP_PRESENT);
}

/* The frames that shared pages have now, so that they are known again when another
 * mapping of them comes by. */
static void remember_arrival(struct mig_worker *worker, const struct mig_task *unit)
{
	uint64_t entry;

	if (!worker->engine->tracks_arrivals || !(unit->flags & MIG_UNIT_SHARED))
		return;
	for (uint32_t i = 0; i < unit->unit_pages; i++)
		if (read_entry(unit, i, &entry))
			mig_frametable_count(&worker->engine->arrived,
					     entry & MIG_PAGEMAP_FRAME);
}

/* Whether a unit of many pages is still one folio where it is now; true where that
 * cannot be seen. */
static bool is_whole(const struct mig_task *unit)
{
	const struct mig_pagemap *pagemap = &unit->walk->pagemap;
	uint64_t entry, flags;

	if (unit->flags & MIG_UNIT_HUGETLB || !pagemap->has_frames ||
	    !read_entry(unit, 0, &entry) || !(entry & MIG_PAGEMAP_FRAME) ||
	    mig_pagemap_read_flags(pagemap, entry & MIG_PAGEMAP_FRAME, &flags, 1) < 0)
		return true;
	return flags & (MIG_FLAG_HEAD | MIG_FLAG_TAIL);
}

static int ask_page(const struct mig_task *unit, uint32_t page)
{
	void *address = page_address(unit, page);
	int status;
	int r = mig_batch_ask_process(unit->walk->process, &address, &status, 1);

	return r < 0 ? r : status;
}

static bool is_absent(int status)
{
	return status == -ENOENT || status == -EFAULT || status == -ESRCH;
}

/* When the kernel splits a huge page it frees the pages that hold only zeroes, and
 * maps the zero page in their place (seen on 6.12 and newer). Without frame numbers:
 * what nobody owns and what is no file. */
static bool is_zero_page(const struct mig_task *unit, uint64_t entry)
{
	uint64_t flags;

	if (entry & (MIG_PAGEMAP_EXCLUSIVE | MIG_PAGEMAP_FILE))
		return false;
	return mig_pagemap_read_flags(&unit->walk->pagemap, entry & MIG_PAGEMAP_FRAME,
				      &flags, 1) < 0 ||
	       (flags & MIG_FLAG_ZERO_PAGE);
}

/* move_pages(2) sees nothing there. It may be gone, or be a page that this kernel
 * hides from it (6.1: PROT_NONE, NUMA hints). */
static void book_absent(struct mig_worker *worker, const struct mig_task *unit, int error)
{
	uint64_t entry = 0;

	if (read_entry(unit, 0, &entry) &&
	    !(error == EFAULT && is_zero_page(unit, entry)))
		mig_retry_keep(worker, unit, error);
	else if (mig_pagemap_is_marked(entry)) /* someone else is moving it */
		mig_retry_keep(worker, unit, EBUSY);
	else
		mig_outcome_add_gone(worker->outcome, unit->unit_pages);
}

/* The wanted node of a page of what was taken for one unit. */
static int wanted_of(const struct mig_worker *worker, const struct mig_task *page)
{
	const struct mig_placement *placement = worker->engine->plan->placement;
	uint64_t index = (page->address - mig_walk_get_origin(page->walk)) /
			 worker->engine->context->page_size;

	return mig_placement_is_interleaved(placement)
		       ? mig_placement_get_wanted(placement, page->from, index)
		       : page->to;
}

/* The pages of one unit by themselves: those on the destination are booked as moved,
 * the others failed with @error or, with @again, are moved by themselves. */
static void take_apart(struct mig_worker *worker, const struct mig_task *unit, int error,
		       struct mig_tasks *again)
{
	struct mig_task page = *unit;

	page.unit_pages = 1;
	page.flags &= (uint16_t)~MIG_UNIT_GUESSED;
	for (uint32_t i = 0; i < unit->unit_pages; i++) {
		int status = ask_page(unit, i);

		page.address = (uintptr_t)page_address(unit, i);
		if (unit->flags & MIG_UNIT_GUESSED)
			page.to = (int16_t)wanted_of(worker, &page);
		if (status == unit->to) {
			remember_arrival(worker, &page);
			mig_outcome_add_moved(worker->outcome, unit->from, unit->to, 1);
		} else if (is_absent(status)) {
			book_absent(worker, &page, -status);
		} else if (status == page.to) {
			mig_outcome_add_already(worker->outcome, 1);
		} else if (!again || !mig_tasks_add(again, &page)) {
			mig_retry_keep(worker, &page, error);
		}
	}
}

/* One unit that is more than a plain page has arrived. */
static void book_arrived_unit(struct mig_worker *worker, const struct mig_task *unit,
			      struct mig_tasks *tasks)
{
	struct mig_totals *totals = &worker->outcome->totals;

	/* The head of what was taken for one folio went: so did its last page, or it
	 * was none. */
	if ((unit->flags & MIG_UNIT_GUESSED) &&
	    ask_page(unit, unit->unit_pages - 1) != unit->to) {
		worker->scan.guess_huge = false;
		take_apart(worker, unit, 0, tasks);
		return;
	}
	/* A folio that the kernel has split may have moved in part. */
	if (unit->unit_pages > 1 && !is_whole(unit)) {
		totals->split_huge_pages++;
		take_apart(worker, unit, worker->batch.no_memory ? ENOMEM : 0, NULL);
		return;
	}
	if (unit->unit_pages > 1)
		totals->moved_huge_pages++;
	remember_arrival(worker, unit);
	mig_outcome_add_moved(worker->outcome, unit->from, unit->to, unit->unit_pages);
}

static void book_arrived(struct mig_worker *worker, struct mig_task units,
			 struct mig_tasks *tasks)
{
	if (units.unit_pages == 1 && !(units.flags & MIG_UNIT_SHARED)) {
		mig_outcome_add_moved(worker->outcome, units.from, units.to, units.nr);
		return;
	}
	while (units.nr) {
		struct mig_task unit = mig_task_take(&units, 1);

		book_arrived_unit(worker, &unit, tasks);
	}
}

/* Part of a large folio may have moved, if the kernel has split it. */
static void book_failed(struct mig_worker *worker, const struct mig_task *unit, int error)
{
	if (unit->unit_pages > 1 && !(unit->flags & MIG_UNIT_HUGETLB) &&
	    (!is_whole(unit) || unit->flags & MIG_UNIT_GUESSED))
		take_apart(worker, unit, error, NULL);
	else
		mig_retry_keep(worker, unit, error);
}

static void book_other(struct mig_worker *worker, const struct mig_task *unit, int status)
{
	switch (status) {
	case -ENOENT:
	case -EFAULT:
		book_absent(worker, unit, -status);
		break;
	case -EACCES:
		mig_outcome_add_skipped(worker->outcome, MIG_SKIP_SHARED,
					unit->unit_pages);
		break;
	case MIG_STATUS_FAILED:
	case MIG_STATUS_UNTRIED:
		book_failed(worker, unit, worker->batch.no_memory ? ENOMEM : 0);
		break;
	default:
		book_failed(worker, unit, status < 0 ? -status : 0);
	}
}

void mig_book_pick(struct mig_worker *worker, struct mig_task units, const int *status,
		   struct mig_tasks *tasks)
{
	while (units.nr) {
		uint32_t nr = 0;

		while (nr < units.nr && status[nr] == units.to)
			nr++;
		if (nr) {
			book_arrived(worker, mig_task_take(&units, nr), tasks);
		} else {
			struct mig_task unit = mig_task_take(&units, 1);

			book_other(worker, &unit, *status);
			nr = 1;
		}
		status += nr;
	}
}

static enum mig_reason reason_of_refusal(int error)
{
	switch (error) {
	case -EACCES:
		return MIG_REASON_CPUSET_TARGET;
	case -EPERM:
		return MIG_REASON_PERMISSION;
	case -ENODEV:
		return MIG_REASON_NODE_GONE;
	case -ENOSYS:
		return MIG_REASON_UNSUPPORTED;
	default:
		return MIG_REASON_UNKNOWN;
	}
}

void mig_book_refusal(struct mig_worker *worker, const struct mig_task *units, int error)
{
	enum mig_reason reason = reason_of_refusal(error);

	if (error == -ESRCH) {
		mig_walk_set_gone(units->walk, worker->outcome);
		mig_outcome_add_gone(worker->outcome, mig_task_pages(units));
		return;
	}
	mig_outcome_add_left(worker->outcome, reason, units->to,
			     reason == MIG_REASON_UNKNOWN ? -error : 0,
			     mig_task_pages(units));
}
