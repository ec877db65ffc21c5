/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "task.h"

#include <errno.h>
#include <stdlib.h>

#include "process.h"

int mig_tasks_init(struct mig_tasks *tasks, size_t capacity)
{
	*tasks = (struct mig_tasks){ .capacity = capacity };
	tasks->tasks = malloc(capacity * sizeof(*tasks->tasks));
	return tasks->tasks ? 0 : -ENOMEM;
}

void mig_tasks_done(struct mig_tasks *tasks)
{
	free(tasks->tasks);
	*tasks = (struct mig_tasks){ 0 };
}

void mig_tasks_clear(struct mig_tasks *tasks)
{
	tasks->nr = 0;
	tasks->nr_pages = 0;
}

uint64_t mig_task_pages(const struct mig_task *task)
{
	return (uint64_t)task->nr * task->unit_pages;
}

uint64_t mig_task_address(const struct mig_task *task, uint32_t index)
{
	return task->address + ((uint64_t)index * task->unit_pages
				<< task->walk->process->context->page_shift);
}

struct mig_task mig_task_take(struct mig_task *task, uint32_t nr)
{
	struct mig_task front = *task;

	front.nr = nr;
	task->address = mig_task_address(task, nr);
	task->nr -= nr;
	return front;
}

/* Whether @next goes on where @last ends and is alike. */
static bool continues(const struct mig_task *last, const struct mig_task *next)
{
	return last->walk == next->walk && last->unit_pages == next->unit_pages &&
	       last->from == next->from && last->to == next->to &&
	       last->flags == next->flags && last->kind == next->kind &&
	       last->error == next->error && last->nr <= UINT32_MAX - next->nr &&
	       mig_task_address(last, last->nr) == next->address;
}

bool mig_tasks_add(struct mig_tasks *tasks, const struct mig_task *task)
{
	if (tasks->nr && continues(&tasks->tasks[tasks->nr - 1], task))
		tasks->tasks[tasks->nr - 1].nr += task->nr;
	else if (tasks->nr < tasks->capacity)
		tasks->tasks[tasks->nr++] = *task;
	else
		return false;
	tasks->nr_pages += mig_task_pages(task);
	return true;
}

static int by_walk_and_address(const void *a, const void *b)
{
	const struct mig_task *left = a, *right = b;

	if (left->walk != right->walk)
		return (uintptr_t)left->walk < (uintptr_t)right->walk ? -1 : 1;
	return (left->address > right->address) - (left->address < right->address);
}

void mig_tasks_sort(struct mig_tasks *tasks)
{
	if (tasks->nr)
		qsort(tasks->tasks, tasks->nr, sizeof(*tasks->tasks),
		      by_walk_and_address);
}
