/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last resort for clean page cache: it is dropped, and read again under a policy
 * that binds it to the wanted node. What somebody else maps, or what is dirty, the
 * kernel does not drop, so that it stays what it was: left.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nodemask.h"
#include "process.h"
#include "window_states.h"
#include "worker.h"

static bool is_on(const struct mig_worker *worker, const struct mig_task *page)
{
	void *address = (void *)(uintptr_t)page->address;
	int node = MIG_NO_NODE;

	if (worker->engine->context->calls->touch(address) < 0 ||
	    mig_batch_ask_process(page->walk->process, &address, &node, 1) < 0)
		return false;
	return node == page->to;
}

/* Our own mapping of it would hold it. */
static void drop(const struct mig_task *page, size_t page_size)
{
	const struct mig_window *window = page->walk->window;
	off_t offset = (off_t)(page->address - mig_walk_get_origin(page->walk));

	madvise((void *)(uintptr_t)page->address, page_size, MADV_DONTNEED);
	posix_fadvise(window->file->fd, offset, (off_t)page_size, POSIX_FADV_DONTNEED);
}

static void read_again(const struct mig_task *page)
{
	off_t offset = (off_t)(page->address - mig_walk_get_origin(page->walk));
	char byte;

	/* What cannot be read is found missing afterwards. */
	(void)!pread(page->walk->window->file->fd, &byte, 1, offset);
}

static bool is_clean(const struct mig_task *page)
{
	return mig_window_is_dirty(page->walk->window, &page->walk->pagemap,
				   page->address) == MIG_IS_CLEAN;
}

/* Return: how many of its pages are in place now. */
static uint64_t reread_task(const struct mig_worker *worker, const struct mig_task *task)
{
	size_t page_size = worker->engine->context->page_size;
	struct mig_task page = *task;
	uint64_t nr = 0;

	for (uint64_t i = 0; i < mig_task_pages(task); i++) {
		page.address = task->address + i * page_size;
		if (!is_clean(&page))
			continue;
		drop(&page, page_size);
		read_again(&page);
		nr += is_on(worker, &page);
	}
	return nr;
}

static int bind_to(const struct mig_calls *calls, int node)
{
	struct mig_nodeset set = { { 0 } };
	struct mig_nodemask mask;

	mig_nodeset_add(&set, node);
	mask = mig_nodemask_of(&set);
	return (int)calls->set_mempolicy(MPOL_BIND, mask.words, MIG_NODEMASK_MAXNODE);
}

void mig_retry_reread(struct mig_worker *worker)
{
	const struct mig_calls *calls = worker->engine->context->calls;
	int bound = MIG_NO_NODE;

	/* Threads of the engine have no policy of their own before. */
	for (size_t i = 0; i < worker->left.nr; i++) {
		const struct mig_task *task = &worker->left.tasks[i];

		if (!task->walk->window || task->kind == MIG_KIND_SHMEM ||
		    task->kind == MIG_KIND_HUGETLB)
			continue;
		if (bound != task->to && bind_to(calls, task->to) < 0)
			continue;
		bound = task->to;
		/* Nothing but what was there is to be read. */
		posix_fadvise(task->walk->window->file->fd, 0, 0, POSIX_FADV_RANDOM);
		worker->outcome->totals.reread_pages += reread_task(worker, task);
	}
	if (bound != MIG_NO_NODE)
		calls->set_mempolicy(MPOL_DEFAULT, NULL, 0);
}
