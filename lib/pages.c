/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* move_pages(2) as checked primitives for programs that link the library. */
#include <errno.h>
#include <stdlib.h>

#include "batch.h"
#include "cleanup.h"

static void cleanup_batch(struct mig_batch *batch)
{
	mig_batch_done(batch);
}

static int take_addresses(struct mig_batch *batch, const struct mig_page *pages,
			  size_t nr_pages)
{
	int r = mig_batch_init(batch, nr_pages ? nr_pages : 1);

	if (r < 0)
		return r;
	for (size_t i = 0; i < nr_pages; i++)
		batch->addresses[i] = (void *)(uintptr_t)pages[i].address;
	batch->nr = nr_pages;
	return 0;
}

static int check(const struct mig_context *context, pid_t pid,
		 const struct mig_page *pages, size_t nr_pages)
{
	if (!context || pid < 0 || (!pages && nr_pages))
		return -EINVAL;
	return context->live ? 0 : -EXDEV;
}

int mig_pages_query(struct mig_context *context, pid_t pid, struct mig_page *pages,
		    size_t nr_pages)
{
	CLEANUP(cleanup_batch) struct mig_batch batch = { 0 };
	int r = check(context, pid, pages, nr_pages);

	if (!r)
		r = take_addresses(&batch, pages, nr_pages);
	if (!r)
		r = mig_batch_ask(context, pid, batch.addresses, batch.status, nr_pages);
	if (r < 0)
		return r;
	for (size_t i = 0; i < nr_pages; i++) {
		bool there = batch.status[i] >= 0;

		pages[i].node = there ? batch.status[i] : MIG_NO_NODE;
		pages[i].result = there ? MIG_PAGE_MOVED : MIG_PAGE_ABSENT;
	}
	return 0;
}

static enum mig_page_result result_of(int status)
{
	switch (status) {
	case MIG_STATUS_UNTRIED:
		return MIG_PAGE_UNTRIED;
	case -ENOENT:
	case -EFAULT:
		return MIG_PAGE_ABSENT;
	case -EACCES:
		return MIG_PAGE_SHARED;
	default:
		return status >= 0 ? MIG_PAGE_MOVED : MIG_PAGE_FAILED;
	}
}

int mig_pages_move(struct mig_context *context, pid_t pid, struct mig_page *pages,
		   size_t nr_pages, int node, unsigned int flags, size_t *ret_moved)
{
	CLEANUP(cleanup_batch) struct mig_batch batch = { 0 };
	CLEANUP_FREE int *now = NULL;
	size_t moved = 0;
	int r = check(context, pid, pages, nr_pages);

	if (!r && (flags & ~MIG_MOVE_SHARED || !ret_moved))
		r = -EINVAL;
	if (!r)
		r = take_addresses(&batch, pages, nr_pages);
	if (r < 0)
		return r;
	now = malloc((nr_pages + 1) * sizeof(*now));
	if (!now)
		return -ENOMEM;
	r = mig_batch_move(context, &batch, pid, node, flags & MIG_MOVE_SHARED);
	if (!r)
		r = mig_batch_ask(context, pid, batch.addresses, now, nr_pages);
	if (r < 0)
		return r;
	for (size_t i = 0; i < nr_pages; i++) {
		pages[i].node = now[i] >= 0 ? now[i] : MIG_NO_NODE;
		pages[i].result = result_of(batch.status[i]);
		moved += pages[i].result == MIG_PAGE_MOVED;
	}
	*ret_moved = moved;
	return 0;
}
