/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A migration on a fake kernel, from the processes to the outcome. Every run is
 * checked: its account must add up, and where nothing came in between it must be
 * what the fake kernel knows to have happened.
 */
#ifndef SCENE_H
#define SCENE_H

#include "fake_cache.h"

struct scene {
	struct fake_kernel *kernel;
	struct mig_context *context;
	struct mig_topology *topology;
	struct mig_target *target;
	struct mig_files *files;  /**< NULL: the target has none */
	unsigned int nr_problems; /**< of them */
	int problem;              /**< the last one */
	struct mig_placement *placement;
	struct mig_plan *plan;
	struct mig_outcome *outcome;
	uint64_t page_size;
};

struct scene *scene_new(const struct fake_kernel_options *options);
void scene_free(struct scene *scene);

/** scene_add - a process that is a member of the target. */
void scene_add(struct scene *scene, pid_t pid);

/** scene_add_files - let the target have files; @options may be NULL. */
void scene_add_files(struct scene *scene, const struct fake_cache_options *options);

/** scene_new_with_files - both may be NULL. */
struct scene *scene_new_with_files(const struct fake_kernel_options *machine,
				   const struct fake_cache_options *cache);

/** For cmocka: a scene with files on a machine of four nodes. */
int scene_set_up_files(void **state);
int scene_tear_down(void **state);

/** scene_add_file - one of them, all of it cached on a node; below 0: nothing. */
struct fake_file *scene_add_file(struct scene *scene, const char *name, uint64_t nr_pages,
				 int node);

/** scene_map - memory of some pages of some kind on a node. Return: its address. */
uint64_t scene_map(struct scene *scene, pid_t pid, enum fake_kind kind, uint64_t nr_pages,
		   int node);

/** scene_set - what else pages are, counted from an address. */
void scene_set(struct scene *scene, pid_t pid, uint64_t start, uint64_t first,
	       uint64_t nr_pages, enum fake_state state);

/** placement_of - @from, @to: bits of nodes; @from 0: none are named. */
struct mig_placement *placement_of(const struct mig_topology *topology, uint64_t from,
				   uint64_t to, enum mig_place place);

/** scene_place - give the scene such a placement. */
void scene_place(struct scene *scene, uint64_t from, uint64_t to, enum mig_place place);

/** scene_plan - from node 0 to node 1 if nothing else was placed. */
void scene_plan(struct scene *scene, const struct mig_plan_options *options);

/**
 * scene_run - plan if that was not done, and run
 * @options: may be NULL; one worker unless it says otherwise
 * Return: the totals, which add up.
 */
const struct mig_totals *scene_run(struct scene *scene,
				   const struct mig_run_options *options);

/** scene_assert_true - the outcome is exactly what happened to all pages there were. */
void scene_assert_true(const struct scene *scene);

/** A stop in the first call that moves, however slow the machine is. All atomic. */
struct scene_stop {
	bool is_wanted;
	unsigned int nr_asked;
};

/** scene_stop_ask - what the progress callback returns to be such a stop. */
bool scene_stop_ask(struct scene_stop *stop);

/** scene_stop_in_call - for fake_kernel_before_move(), with a struct scene_stop: calls
 * end when the run has heard of the stop. */
void scene_stop_in_call(void *data, struct fake_kernel *kernel, unsigned int number);

/** outcome_left - pages that were left for a reason, on the way to any node. */
uint64_t outcome_left(const struct mig_outcome *outcome, enum mig_reason reason);

/** outcome_moved - pages that went from one node to another. */
uint64_t outcome_moved(const struct mig_outcome *outcome, int from, int to);

/** scene_left - the same of the scene's */
uint64_t scene_left(const struct scene *scene, enum mig_reason reason);

/** scene_skipped - pages that were skipped for a reason. */
uint64_t scene_skipped(const struct scene *scene, enum mig_skip skip);

/** scene_moved - the same of the scene's */
uint64_t scene_moved(const struct scene *scene, int from, int to);

/** scene_node - of the page with a number, counted from an address. */
int scene_node(const struct scene *scene, pid_t pid, uint64_t start, uint64_t page);

/** assert_adds_up - considered is the sum of the fates, and each fate of its parts. */
void assert_adds_up(const struct mig_outcome *outcome);

#endif
