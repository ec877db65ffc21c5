/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files, file systems and requests by the hundred, each from a number. Whatever they
 * are, the account must add up to what was cached, what it says has moved must have
 * moved, nothing may be read, and no more may be written than it takes to find out.
 * MIGRATE_SEED=N runs one of them alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "file.h"
#include "scene.h"

#define NR_SEEDS 100
#define MOST_FILES 12
/* Units that are moved to find out, and the pages of the largest of them. */
#define PROOFS 2
#define LARGEST_FOLIO 16

struct story {
	uint64_t state; /**< of the generator */
	struct scene *scene;
	struct fake_kernel_options machine;
	struct fake_cache_options cache;
	struct mig_plan_options plan;
	struct mig_run_options run;
	struct fake_file *files[MOST_FILES];
	uint64_t nr_pages[MOST_FILES];
	unsigned int nr_files;
	uint32_t event_at; /**< the call before which a file changes; 0: none */
	uint32_t event_file;
	bool event_deletes;
};

/* The numbers of a seed are the same on every machine. */
static uint32_t draw(struct story *story, uint32_t below)
{
	story->state = story->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(story->state >> 33) % below;
}

static bool happens(struct story *story, uint32_t percent)
{
	return draw(story, 100) < percent;
}

static void draw_machine(struct story *story)
{
	static const char *const types[] = { "ext4", "vfat", "overlay", "tmpfs", "ext4" };

	story->machine = (struct fake_kernel_options){
		.nr_nodes = 2 + (int)draw(story, 3),
		.node_pages = 5000 + draw(story, 8000),
		.hides_frames = happens(story, 30),
		.no_sys_nice = happens(story, 30),
	};
	story->cache = (struct fake_cache_options){
		.type = types[draw(story, 5)],
		.no_fault_around = happens(story, 20),
		.count_error = happens(story, 30) ? -ENOSYS : 0,
	};
	story->cache.writes_dirty = *story->cache.type == 'v' && happens(story, 60);
}

static void draw_requests(struct story *story)
{
	story->plan = (struct mig_plan_options){
		.size = sizeof(story->plan),
		.may_write = happens(story, 30),
		.may_estimate = happens(story, 50),
		.shared = happens(story, 30) ? MIG_SHARED_NONE : MIG_SHARED_DEFAULT,
	};
	story->run = (struct mig_run_options){
		.size = sizeof(story->run),
		.threads = 1 + draw(story, 3),
		.passes = 1 + draw(story, 4),
		.fallback = happens(story, 25) ? MIG_FALLBACK_REREAD : MIG_FALLBACK_NONE,
	};
}

static void draw_state(struct story *story, struct fake_file *file, uint64_t nr_pages)
{
	static const enum fake_state states[] = { FAKE_DIRTY,  FAKE_DIRTY, FAKE_WRITEBACK,
						  FAKE_PINNED, FAKE_BUSY,  FAKE_OFF_LRU };
	uint64_t first = draw(story, (uint32_t)nr_pages);

	fake_cache_set(story->scene->kernel, file, first,
		       draw(story, (uint32_t)(nr_pages - first)), states[draw(story, 6)]);
}

static void draw_file(struct story *story)
{
	static const uint32_t sizes[] = { 1, 7, 100, 700, 8300 };
	uint64_t nr_pages = 1 + draw(story, sizes[draw(story, 5)]);
	struct fake_file *file;
	uint64_t at = draw(story, 20);
	char name[16];

	snprintf(name, sizeof(name), "file%u", story->nr_files);
	file = scene_add_file(story->scene, name, nr_pages, MIG_NO_NODE);
	while (at < nr_pages) {
		uint64_t rest = nr_pages - at;
		uint32_t folio = happens(story, 20) && !story->machine.hides_frames
					 ? 1U << draw(story, 5)
					 : 1;
		uint64_t nr = 1 + draw(story, 150);

		at = (at + folio - 1) / folio * folio;
		nr = (nr < rest ? nr : rest) / folio * folio;
		if (at + nr > nr_pages)
			break;
		fake_cache_fill(story->scene->kernel, file, at, nr,
				(int)draw(story, (uint32_t)story->machine.nr_nodes),
				folio);
		at += nr + draw(story, 600);
	}
	for (uint32_t i = draw(story, 4); i > 0; i--)
		draw_state(story, file, nr_pages);
	story->files[story->nr_files] = file;
	story->nr_pages[story->nr_files++] = nr_pages;
}

static void draw_placement(struct story *story)
{
	uint32_t all = (1U << story->machine.nr_nodes) - 1;
	uint32_t from = 1 + draw(story, all), to = 1 + draw(story, all);

	if (happens(story, 30))
		scene_place(story->scene, 0, to, MIG_PLACE_DEFAULT);
	else if (from & ~to)
		scene_place(story->scene, from & ~to, to, MIG_PLACE_DEFAULT);
}

static void change_file(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct story *story = data;
	struct fake_file *file = story->files[story->event_file];

	if (number != story->event_at)
		return;
	if (story->event_deletes)
		unlink(fake_cache_get_path(file));
	else
		fake_cache_truncate(kernel, file, story->nr_pages[story->event_file] / 2);
}

static void tell(struct story *story)
{
	draw_machine(story);
	draw_requests(story);
	story->scene = scene_new(&story->machine);
	scene_add_files(story->scene, &story->cache);
	for (uint32_t nr = 1 + draw(story, MOST_FILES); nr > 0; nr--)
		draw_file(story);
	if (happens(story, 30)) {
		fake_kernel_add_process(story->scene->kernel, 42, 1);
		fake_cache_map(story->scene->kernel, 42,
			       story->files[draw(story, story->nr_files)]);
	}
	if (happens(story, 20))
		fake_kernel_fill(story->scene->kernel, 1, 40 + draw(story, 100));
	draw_placement(story);
	if (happens(story, 30)) {
		story->event_at = 1 + draw(story, 3);
		story->event_file = draw(story, story->nr_files);
		story->event_deletes = happens(story, 50);
		fake_kernel_before_move(story->scene->kernel, change_file, story);
	}
}

static void check(const struct story *story)
{
	const struct scene *scene = story->scene;
	const struct mig_totals *totals = mig_outcome_get_totals(scene->outcome);
	struct fake_cache_counts counts;
	struct fake_truth truth;

	fake_cache_get_counts(scene->kernel, &counts);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(counts.nr_read, 0);
	assert_int_equal(counts.nr_lost, 0);
	if (!story->plan.may_write)
		assert_true(counts.nr_written <= PROOFS * LARGEST_FOLIO);
	assert_int_equal(totals->error, 0);
	assert_int_equal(scene->nr_problems, 0);
	assert_true(totals->reread_pages <= counts.nr_reread);
	assert_int_equal(counts.nr_resets > 0, counts.nr_policies > 0);
	if (!story->event_at && story->run.fallback == MIG_FALLBACK_NONE) {
		scene_assert_true(scene);
		return;
	}
	assert_true(totals->considered_pages <= truth.mapped_pages);
	/* A file that is deleted once it is open keeps its pages. */
	if ((!story->event_at || story->event_deletes) && !totals->files_gone)
		assert_int_equal(totals->considered_pages, truth.mapped_pages);
}

/* What the run saw when it left a file is what is seen when all is looked at again. */
static void check_residency(const struct story *story)
{
	struct scene *scene = story->scene;
	struct mig_residency *left = NULL, *again = NULL;

	assert_int_equal(mig_plan_read_residency(scene->plan, &left), 0);
	assert_int_equal(mig_plan_read_residency(scene->plan, &again), 0);
	for (int node = 0; node < story->machine.nr_nodes && !story->event_at; node++)
		assert_int_equal(mig_residency_get_node_bytes(left, node),
				 mig_residency_get_node_bytes(again, node));
	if (!story->event_at)
		assert_int_equal(mig_residency_get_total_bytes(
					 mig_plan_get_residency(scene->plan)),
				 mig_residency_get_total_bytes(left));
	mig_residency_free(left);
	mig_residency_free(again);
}

static void run_seed(uint64_t seed)
{
	struct story story = { .state = seed * 7919 + 1 };

	tell(&story);
	scene_plan(story.scene, &story.plan);
	scene_run(story.scene, &story.run);
	check(&story);
	check_residency(&story);
	scene_free(story.scene);
}

/* After a failure the last seed is the one that failed. */
static int say_seed(void **state)
{
	const uint64_t *seed = *state;

	print_message("up to seed %u\n", (unsigned int)*seed);
	return 0;
}

static void every_page_that_was_cached_is_accounted_for(void **state)
{
	const char *only = getenv("MIGRATE_SEED");
	uint64_t *seed = *state;
	uint64_t last = NR_SEEDS - 1;

	if (only)
		*seed = last = strtoull(only, NULL, 10);
	for (; *seed <= last; ++*seed)
		run_seed(*seed);
}

int main(void)
{
	uint64_t seed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate_setup_teardown(
			every_page_that_was_cached_is_accounted_for, NULL, say_seed,
			&seed),
	};

	return cmocka_run_group_tests_name("engine_files_random", tests, NULL, NULL);
}
