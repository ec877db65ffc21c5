/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct scene *scene_new(const struct fake_kernel_options *options)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	scene->kernel = fake_kernel_new(options);
	scene->context = fake_kernel_context(scene->kernel);
	scene->page_size = mig_context_get_page_size(scene->context);
	assert_int_equal(mig_topology_new(scene->context, &scene->topology), 0);
	assert_int_equal(mig_target_new(scene->context, &scene->target), 0);
	return scene;
}

void scene_free(struct scene *scene)
{
	mig_outcome_free(scene->outcome);
	mig_plan_free(scene->plan);
	mig_placement_free(scene->placement);
	mig_target_free(scene->target);
	mig_files_free(scene->files);
	mig_topology_free(scene->topology);
	mig_context_free(scene->context);
	fake_kernel_free(scene->kernel);
	free(scene);
}

void scene_add(struct scene *scene, pid_t pid)
{
	fake_kernel_add_process(scene->kernel, pid, 1);
	assert_int_equal(mig_target_add_pid(scene->target, pid), 0);
}

static void note_problem(void *data, const char *path, int error)
{
	struct scene *scene = data;

	(void)path;
	scene->nr_problems++;
	scene->problem = error;
}

void scene_add_files(struct scene *scene, const struct fake_cache_options *options)
{
	const struct mig_files_options told = {
		.size = sizeof(told),
		.problem = note_problem,
		.problem_data = scene,
	};

	fake_cache_begin(scene->kernel, options);
	assert_int_equal(mig_files_new(scene->context, &told, &scene->files), 0);
	assert_int_equal(mig_target_add_files(scene->target, scene->files), 0);
}

struct scene *scene_new_with_files(const struct fake_kernel_options *machine,
				   const struct fake_cache_options *cache)
{
	struct scene *scene = scene_new(machine);

	scene_add_files(scene, cache);
	return scene;
}

int scene_set_up_files(void **state)
{
	*state = scene_new_with_files(&(struct fake_kernel_options){ .nr_nodes = 4 },
				      NULL);
	return 0;
}

int scene_tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

struct fake_file *scene_add_file(struct scene *scene, const char *name, uint64_t nr_pages,
				 int node)
{
	struct fake_file *file = fake_cache_add(scene->kernel, name, nr_pages);

	if (node >= 0)
		fake_cache_fill(scene->kernel, file, 0, nr_pages, node, 1);
	assert_int_equal(mig_files_add_path(scene->files, fake_cache_get_path(file), 0),
			 0);
	return file;
}

uint64_t scene_map(struct scene *scene, pid_t pid, enum fake_kind kind, uint64_t nr_pages,
		   int node)
{
	return fake_kernel_map(scene->kernel, pid,
			       &(struct fake_memory){ .kind = kind,
						      .nr_pages = nr_pages,
						      .node = node });
}

void scene_set(struct scene *scene, pid_t pid, uint64_t start, uint64_t first,
	       uint64_t nr_pages, enum fake_state state)
{
	fake_kernel_set(scene->kernel, pid, start + first * scene->page_size, nr_pages,
			state);
}

struct mig_placement *placement_of(const struct mig_topology *topology, uint64_t from,
				   uint64_t to, enum mig_place place)
{
	const struct mig_nodeset sources = { .bits = { from } };
	const struct mig_nodeset targets = { .bits = { to } };
	const struct mig_placement_options options = {
		.size = sizeof(options),
		.place = place,
		.from = from ? &sources : NULL,
		.to = &targets,
	};
	struct mig_placement *placement = NULL;

	assert_int_equal(mig_placement_new(topology, &options, &placement), 0);
	return placement;
}

void scene_place(struct scene *scene, uint64_t from, uint64_t to, enum mig_place place)
{
	assert_null(scene->placement);
	scene->placement = placement_of(scene->topology, from, to, place);
}

void scene_plan(struct scene *scene, const struct mig_plan_options *options)
{
	if (!scene->placement)
		scene_place(scene, 1, 2, MIG_PLACE_DEFAULT);
	assert_null(scene->plan);
	assert_int_equal(mig_plan_new(scene->target, scene->topology, scene->placement,
				      options, &scene->plan),
			 0);
}

void assert_adds_up(const struct mig_outcome *outcome)
{
	const struct mig_totals *totals = mig_outcome_get_totals(outcome);
	const struct mig_pair_count *pair;
	const struct mig_left *left;
	uint64_t moved = 0, skipped = 0, remaining = 0;

	assert_int_equal(totals->considered_pages,
			 totals->moved_pages + totals->already_pages +
				 totals->skipped_pages + totals->left_pages +
				 totals->gone_pages);
	for (size_t i = 0; (pair = mig_outcome_get_pair(outcome, i)); i++)
		moved += pair->nr_pages;
	for (unsigned int i = 0; i < MIG_NR_SKIPS; i++)
		skipped += mig_outcome_get_skipped(outcome, (enum mig_skip)i);
	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++)
		remaining += left->nr_pages;
	assert_int_equal(moved, totals->moved_pages);
	assert_int_equal(skipped, totals->skipped_pages);
	assert_int_equal(remaining, totals->left_pages);
}

const struct mig_totals *scene_run(struct scene *scene,
				   const struct mig_run_options *options)
{
	const struct mig_run_options one = { .size = sizeof(one), .threads = 1 };

	if (!scene->plan)
		scene_plan(scene, NULL);
	mig_outcome_free(scene->outcome);
	scene->outcome = NULL;
	fake_kernel_mark(scene->kernel);
	assert_int_equal(
		mig_plan_run(scene->plan, options ? options : &one, &scene->outcome), 0);
	assert_adds_up(scene->outcome);
	return mig_outcome_get_totals(scene->outcome);
}

void scene_assert_true(const struct scene *scene)
{
	const struct mig_totals *totals = mig_outcome_get_totals(scene->outcome);
	struct fake_truth truth;

	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(totals->considered_pages, truth.mapped_pages);
	assert_int_equal(totals->moved_pages, truth.moved_pages);
	for (int from = 0; from < FAKE_MOST_NODES; from++)
		for (int to = 0; to < FAKE_MOST_NODES; to++)
			assert_int_equal(scene_moved(scene, from, to),
					 truth.moved[from][to]);
}

bool scene_stop_ask(struct scene_stop *stop)
{
	__atomic_add_fetch(&stop->nr_asked, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&stop->is_wanted, __ATOMIC_SEQ_CST);
}

/* Who asks again has heard what it was told before. */
void scene_stop_in_call(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct timespec time = { .tv_nsec = 1000000 };
	struct scene_stop *stop = data;
	unsigned int seen;

	(void)kernel;
	(void)number;
	__atomic_store_n(&stop->is_wanted, true, __ATOMIC_SEQ_CST);
	seen = __atomic_load_n(&stop->nr_asked, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&stop->nr_asked, __ATOMIC_ACQUIRE) < seen + 2)
		nanosleep(&time, NULL);
}

uint64_t outcome_left(const struct mig_outcome *outcome, enum mig_reason reason)
{
	const struct mig_left *left;
	uint64_t nr_pages = 0;

	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++)
		if (left->reason == reason)
			nr_pages += left->nr_pages;
	return nr_pages;
}

uint64_t scene_left(const struct scene *scene, enum mig_reason reason)
{
	return outcome_left(scene->outcome, reason);
}

uint64_t scene_skipped(const struct scene *scene, enum mig_skip skip)
{
	return mig_outcome_get_skipped(scene->outcome, skip);
}

uint64_t outcome_moved(const struct mig_outcome *outcome, int from, int to)
{
	const struct mig_pair_count *pair;

	for (size_t i = 0; (pair = mig_outcome_get_pair(outcome, i)); i++)
		if (pair->from == from && pair->to == to)
			return pair->nr_pages;
	return 0;
}

uint64_t scene_moved(const struct scene *scene, int from, int to)
{
	return outcome_moved(scene->outcome, from, to);
}

int scene_node(const struct scene *scene, pid_t pid, uint64_t start, uint64_t page)
{
	return fake_kernel_get_node(scene->kernel, pid, start + page * scene->page_size);
}
