/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units that should move, and lists of them. */
#ifndef MIG_TASK_H
#define MIG_TASK_H

#include "libmigrate.h"
#include "walk.h"

/** Units of one size that follow each other and share one fate so far. */
struct mig_task {
	struct mig_walk *walk;
	uint64_t address;
	uint32_t nr;         /**< units */
	uint32_t unit_pages; /**< base pages in each */
	int16_t from;
	int16_t to;
	uint16_t flags; /**< MIG_UNIT_* */
	uint16_t kind;  /**< enum mig_kind of their mapping */
	int error;      /**< errno of the failure; 0: tried, and they stayed */
};

/** A list of bounded length. */
struct mig_tasks {
	struct mig_task *tasks;
	size_t capacity;
	size_t nr;
	uint64_t nr_pages;
};

/** mig_tasks_init - Errors: -ENOMEM. */
int mig_tasks_init(struct mig_tasks *tasks, size_t capacity);

/** mig_tasks_done - a zeroed list is allowed. */
void mig_tasks_done(struct mig_tasks *tasks);

/** mig_tasks_clear - nothing is in it any more. */
void mig_tasks_clear(struct mig_tasks *tasks);

/** mig_tasks_add - behind the last, or joined to it. Return: false if it is full. */
bool mig_tasks_add(struct mig_tasks *tasks, const struct mig_task *task);

/** mig_tasks_sort - by walk, then by address. */
void mig_tasks_sort(struct mig_tasks *tasks);

/** mig_task_pages - base pages in all of its units. */
uint64_t mig_task_pages(const struct mig_task *task);

/** mig_task_take - cut the first @nr units off the front. Return: those. */
struct mig_task mig_task_take(struct mig_task *task, uint32_t nr);

/** mig_task_address - of its unit @index, or of the first page behind the last. */
uint64_t mig_task_address(const struct mig_task *task, uint32_t index);

#endif
