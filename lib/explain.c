/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "explain.h"

#include <errno.h>
#include <string.h>

#include "backing.h"
#include "filesystem.h"
#include "process.h"
#include "uring.h"

/* What is known about one process while its pages are explained. */
struct evidence {
	const struct mig_walk *walk;
	const struct mig_nodeset *caller_nodes;
	struct mig_uring_buffers buffers;
	struct mig_mappings *mappings;
	const struct mig_mapping *mapping; /**< the one that holds the page */
	struct mig_filesystems *filesystems;
};

/* Evidence that cannot be had is evidence that is not used. */
static void gather(struct evidence *evidence, const struct mig_walk *walk)
{
	evidence->walk = walk;
	if (walk->window)
		return; /* what there is to know is known of the file */
	if (mig_uring_read(walk->process, &evidence->buffers) < 0)
		evidence->buffers = (struct mig_uring_buffers){ 0 };
	if (mig_mappings_new(walk->process, &evidence->mappings) < 0)
		evidence->mappings = NULL;
	if (mig_filesystems_new(walk->process->context, walk->process->pid,
				&evidence->filesystems) < 0)
		evidence->filesystems = NULL;
}

static void forget(struct evidence *evidence)
{
	mig_uring_done(&evidence->buffers);
	mig_mappings_free(evidence->mappings);
	mig_filesystems_free(evidence->filesystems);
	*evidence = (struct evidence){ .caller_nodes = evidence->caller_nodes };
}

/* Addresses come in ascending order, and so do mappings. */
static void find_mapping(struct evidence *evidence, uint64_t address)
{
	while (evidence->mappings &&
	       (!evidence->mapping || evidence->mapping->end <= address)) {
		if (mig_mappings_next(evidence->mappings, &evidence->mapping) < 0 ||
		    !evidence->mapping) {
			mig_mappings_free(evidence->mappings);
			evidence->mappings = NULL;
			evidence->mapping = NULL;
		}
	}
}

static bool is_mapped_as(const struct evidence *evidence, const struct mig_task *task,
			 const char *name)
{
	return evidence->mapping && evidence->mapping->start <= task->address &&
	       !strncmp(evidence->mapping->name, name, strlen(name));
}

/* The type of the file system that has a page; NULL if that is not known. */
static const char *file_system_of(const struct evidence *evidence)
{
	if (evidence->walk->window)
		return evidence->walk->window->file->backing->type;
	if (!evidence->mapping || !evidence->filesystems)
		return NULL;
	return mig_filesystems_get_type(evidence->filesystems,
					evidence->mapping->device_major,
					evidence->mapping->device_minor);
}

/* Dirty pages move with the file system's help; those of ramfs never do. */
static bool is_stuck_in_file_system(const struct evidence *evidence,
				    const struct mig_task *task, uint64_t flags)
{
	const char *type;

	if (!(flags & MIG_FLAG_DIRTY) || (flags & MIG_FLAG_ANON) ||
	    task->kind != MIG_KIND_FILE)
		return false;
	if (task->walk->window && task->walk->window->file->backing->journals)
		return true;
	type = file_system_of(evidence);
	return type && !mig_backing_moves_dirty(type);
}

/* The flags of the page as it lies now. Return: whether they can be known. */
static bool read_flags(const struct mig_task *task, uint64_t *ret_flags)
{
	const struct mig_pagemap *pagemap = &task->walk->pagemap;
	uint64_t entry;

	return mig_pagemap_read(pagemap, task->address, &entry, 1) == 1 &&
	       (entry & MIG_PAGEMAP_PRESENT) && (entry & MIG_PAGEMAP_FRAME) &&
	       !mig_pagemap_read_flags(pagemap, entry & MIG_PAGEMAP_FRAME, ret_flags, 1);
}

static enum mig_reason reason_of_full(const struct evidence *evidence,
				      const struct mig_task *task)
{
	/* GFP_HIGHUSER obeys the caller's cpuset, and the failure looks the same. */
	if (!mig_nodeset_has(evidence->caller_nodes, task->to))
		return MIG_REASON_CPUSET_CALLER;
	return task->flags & MIG_UNIT_HUGETLB ? MIG_REASON_HUGETLB_POOL
					      : MIG_REASON_NO_MEMORY;
}

/* It was isolated and tried, and something else still refers to it. */
static enum mig_reason reason_of_reference(const struct evidence *evidence,
					   const struct mig_task *task)
{
	uint64_t bytes =
		task->unit_pages * (uint64_t)task->walk->process->context->page_size;
	uint64_t flags;

	if (mig_uring_has(&evidence->buffers, task->address, task->address + bytes))
		return MIG_REASON_PINNED_IO_URING;
	if (is_mapped_as(evidence, task, "/secretmem"))
		return MIG_REASON_SECRET;
	if (!read_flags(task, &flags))
		return MIG_REASON_BUSY;
	if (flags & (MIG_FLAG_WRITEBACK | MIG_FLAG_LOCKED))
		return MIG_REASON_BUSY;
	if (is_stuck_in_file_system(evidence, task, flags))
		return MIG_REASON_FILE_SYSTEM;
	return MIG_REASON_PINNED;
}

/* It could not be isolated: not on an LRU list, or just off it. */
static enum mig_reason reason_of_isolation(const struct evidence *evidence,
					   const struct mig_task *task)
{
	uint64_t flags;

	if (is_mapped_as(evidence, task, "/secretmem"))
		return MIG_REASON_SECRET;
	if (read_flags(task, &flags) && !(flags & MIG_FLAG_LRU) &&
	    !(task->flags & MIG_UNIT_HUGETLB))
		return MIG_REASON_DEVICE;
	return MIG_REASON_BUSY;
}

static enum mig_reason explain(const struct evidence *evidence,
			       const struct mig_task *task)
{
	switch (task->error) {
	case 0:
		return reason_of_reference(evidence, task);
	case ENOMEM:
		return reason_of_full(evidence, task);
	case EBUSY:
		return reason_of_isolation(evidence, task);
	case ENOENT:
		return is_mapped_as(evidence, task, "/secretmem") ? MIG_REASON_SECRET
								  : MIG_REASON_PROTECTED;
	case EFAULT:
		return MIG_REASON_DEVICE;
	default:
		return MIG_REASON_UNKNOWN;
	}
}

/* Each unit for itself: its neighbours may be pinned by others. */
static void explain_units(struct mig_worker *worker, struct evidence *evidence,
			  struct mig_task units)
{
	while (units.nr) {
		struct mig_task unit = mig_task_take(&units, 1);
		enum mig_reason reason;

		find_mapping(evidence, unit.address);
		reason = explain(evidence, &unit);
		mig_outcome_add_left(worker->outcome, reason, unit.to,
				     reason == MIG_REASON_UNKNOWN ? unit.error : 0,
				     unit.unit_pages);
	}
}

void mig_explain_tasks(struct mig_worker *worker, const struct mig_tasks *tasks)
{
	struct evidence evidence = {
		.caller_nodes = mig_topology_get_nodes(worker->engine->plan->topology,
						       MIG_NODES_ALLOWED),
	};

	for (size_t i = 0; i < tasks->nr; i++) {
		const struct mig_task *task = &tasks->tasks[i];

		if (mig_pagemap_is_gone(&task->walk->pagemap, task->address)) {
			mig_book_refusal(worker, task, -ESRCH);
			continue;
		}
		if (task->walk != evidence.walk) {
			forget(&evidence);
			gather(&evidence, task->walk);
		}
		explain_units(worker, &evidence, *task);
	}
	forget(&evidence);
}
