/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of units that should move. */
#include "task.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "process.h"
#include "worker.h"

#define PAGE UINT64_C(4096)

static struct mig_context context = { .page_size = PAGE, .page_shift = 12 };
static struct mig_process process = { .context = &context };
static struct mig_walk walks[2] = { { .process = &process }, { .process = &process } };

static struct mig_task task_at(uint64_t page, uint32_t nr, uint32_t unit_pages)
{
	return (struct mig_task){ .walk = &walks[0],
				  .address = page * PAGE,
				  .nr = nr,
				  .unit_pages = unit_pages,
				  .to = 1 };
}

static bool add(struct mig_tasks *tasks, struct mig_task task)
{
	return mig_tasks_add(tasks, &task);
}

static void units_that_go_on_are_joined(void **state)
{
	struct mig_tasks tasks = { 0 };

	(void)state;
	assert_int_equal(mig_tasks_init(&tasks, 10), 0);
	assert_true(add(&tasks, task_at(100, 5, 1)));
	assert_true(add(&tasks, task_at(105, 2, 1)));
	assert_int_equal(tasks.nr, 1);
	assert_int_equal(tasks.tasks[0].nr, 7);
	assert_true(add(&tasks, task_at(108, 1, 1)));
	assert_int_equal(tasks.nr, 2);
	assert_int_equal(tasks.nr_pages, 8);
	mig_tasks_done(&tasks);
}

static void units_that_differ_stay_apart(void **state)
{
	struct mig_task tasks[] = {
		task_at(107, 1, 1), task_at(107, 1, 1), task_at(107, 1, 1),
		task_at(107, 1, 1), task_at(107, 1, 1), task_at(107, 1, 1),
		task_at(107, 1, 4),
	};

	(void)state;
	tasks[0].walk = &walks[1];
	tasks[1].to = 2;
	tasks[2].from = 3;
	tasks[3].flags = MIG_UNIT_SHARED;
	tasks[4].kind = MIG_KIND_FILE;
	tasks[5].error = 12;
	for (size_t i = 0; i < sizeof(tasks) / sizeof(*tasks); i++) {
		struct mig_tasks list = { 0 };

		assert_int_equal(mig_tasks_init(&list, 10), 0);
		assert_true(add(&list, task_at(100, 7, 1)));
		assert_true(add(&list, tasks[i]));
		assert_int_equal(list.nr, 2);
		mig_tasks_done(&list);
	}
}

static void a_full_list_takes_only_what_it_can_join(void **state)
{
	struct mig_tasks tasks = { 0 };

	(void)state;
	assert_int_equal(mig_tasks_init(&tasks, 2), 0);
	assert_true(add(&tasks, task_at(100, 1, 1)));
	assert_true(add(&tasks, task_at(200, 1, 1)));
	assert_false(add(&tasks, task_at(300, 1, 1)));
	assert_int_equal(tasks.nr_pages, 2);
	assert_true(add(&tasks, task_at(201, 1, 1)));
	assert_int_equal(tasks.nr_pages, 3);
	mig_tasks_clear(&tasks);
	assert_int_equal(tasks.nr_pages, 0);
	assert_true(add(&tasks, task_at(300, 1, 1)));
	mig_tasks_done(&tasks);
	mig_tasks_done(&tasks);
}

static void a_task_can_be_cut(void **state)
{
	struct mig_task task = task_at(100, 5, 512);
	struct mig_task front;

	(void)state;
	assert_int_equal(mig_task_pages(&task), 5 * 512);
	assert_true(mig_task_address(&task, 2) == (100 + 2 * 512) * PAGE);
	front = mig_task_take(&task, 2);
	assert_true(front.address == 100 * PAGE && front.nr == 2);
	assert_true(task.address == (100 + 2 * 512) * PAGE && task.nr == 3);
	front = mig_task_take(&task, 3);
	assert_int_equal(front.nr, 3);
	assert_int_equal(mig_task_pages(&task), 0);
}

/* Where the last has been used up, the next goes on where it ended. */
static void an_empty_task_can_be_gone_on_with(void **state)
{
	struct mig_tasks tasks = { 0 };

	(void)state;
	assert_int_equal(mig_tasks_init(&tasks, 1), 0);
	assert_true(add(&tasks, task_at(100, 3, 1)));
	mig_task_take(&tasks.tasks[0], 3);
	assert_true(add(&tasks, task_at(103, 2, 1)));
	assert_int_equal(tasks.tasks[0].nr, 2);
	assert_true(tasks.tasks[0].address == 103 * PAGE);
	mig_tasks_done(&tasks);
}

static void tasks_are_sorted_by_process_and_address(void **state)
{
	struct mig_tasks tasks = { 0 };
	struct mig_task other = task_at(150, 1, 1);

	(void)state;
	assert_int_equal(mig_tasks_init(&tasks, 10), 0);
	mig_tasks_sort(&tasks);
	other.walk = &walks[1];
	assert_true(add(&tasks, task_at(300, 1, 1)));
	assert_true(add(&tasks, other));
	assert_true(add(&tasks, task_at(100, 1, 1)));
	mig_tasks_sort(&tasks);
	assert_true(tasks.tasks[0].address == 100 * PAGE);
	assert_true(tasks.tasks[1].address == 300 * PAGE);
	assert_ptr_equal(tasks.tasks[2].walk, &walks[1]);
	mig_tasks_done(&tasks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_that_go_on_are_joined),
		cmocka_unit_test(units_that_differ_stay_apart),
		cmocka_unit_test(a_full_list_takes_only_what_it_can_join),
		cmocka_unit_test(a_task_can_be_cut),
		cmocka_unit_test(an_empty_task_can_be_gone_on_with),
		cmocka_unit_test(tasks_are_sorted_by_process_and_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
