/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "crew.h"
#include "demand.h"
#include "files.h"
#include "handles.h"
#include "options_struct.h"
#include "procfs.h"
#include "residency.h"
#include "target.h"
#include "text.h"
#include "worker.h"

#define DEFAULT_PASSES 6
#define FIRST_PAUSE_NS UINT64_C(10000000)
/* How long a sleeper may take to notice a stop. */
#define SLICE_NS UINT64_C(20000000)
/* How often the progress callback is called and the number of workers thought over. */
#define TICK_NS UINT64_C(100000000)
/* A tree that forks faster than it is walked is given up after so many rounds. */
#define MOST_ROUNDS 64

bool mig_engine_is_stopped(const struct mig_engine *engine)
{
	return __atomic_load_n(&engine->stop, __ATOMIC_RELAXED);
}

static void sleep_ns(uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	nanosleep(&time, NULL);
}

bool mig_engine_sleep_until(struct mig_engine *engine, uint64_t when_ns)
{
	while (!mig_engine_is_stopped(engine)) {
		uint64_t now = mig_clock_ns();

		if (now >= when_ns)
			return true;
		sleep_ns(when_ns - now < SLICE_NS ? when_ns - now : SLICE_NS);
	}
	return false;
}

uint64_t mig_engine_pass_pause_ns(unsigned int pass)
{
	uint64_t pause = FIRST_PAUSE_NS;

	while (pass-- > 2 && pause < 1000000000)
		pause *= 3;
	return pause;
}

static void deadline_in(struct timespec *deadline, uint64_t ns)
{
	clock_gettime(CLOCK_MONOTONIC, deadline);
	ns += (uint64_t)deadline->tv_nsec;
	deadline->tv_sec += (time_t)(ns / 1000000000);
	deadline->tv_nsec = (long)(ns % 1000000000);
}

void mig_engine_wait_gate(struct mig_engine *engine, unsigned int worker)
{
	pthread_mutex_lock(&engine->lock);
	while (worker >= __atomic_load_n(&engine->nr_open, __ATOMIC_RELAXED) &&
	       !engine->walk_is_over && !mig_engine_is_stopped(engine)) {
		struct timespec deadline;

		deadline_in(&deadline, SLICE_NS);
		pthread_cond_timedwait(&engine->changed, &engine->lock, &deadline);
	}
	pthread_mutex_unlock(&engine->lock);
}

static int init_engine(struct mig_engine *engine, struct mig_plan *plan,
		       const struct mig_run_options *options)
{
	pthread_condattr_t attributes;
	int r;

	*engine = (struct mig_engine){ .plan = plan, .context = plan->context };
	r = mig_options_copy(&engine->options, sizeof(engine->options), options);
	if (r < 0)
		return r;
	if (!engine->options.passes)
		engine->options.passes = DEFAULT_PASSES;
	if (plan->frames && mig_placement_moves_twice(plan->placement)) {
		r = mig_frametable_init(&engine->arrived,
					mig_frames_get_end(plan->frames));
		if (r < 0)
			return r;
		engine->tracks_arrivals = true;
	}
	mig_walks_init(&engine->walks, plan);
	mig_file_walk_init(&engine->file_walk, plan);
	mig_pace_init(&engine->pace, plan->context->page_size,
		      engine->options.max_stall_ns,
		      engine->options.rate_bytes_per_second);
	mig_destinations_init(&engine->destinations, plan->topology,
			      plan->context->page_size);
	engine->planned_pages =
		mig_pairs_get_total(&plan->demand) + plan->estimated_pages;
	pthread_mutex_init(&engine->lock, NULL);
	pthread_mutex_init(&engine->whole_node_lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	engine->begin_ns = mig_clock_ns();
	return 0;
}

static void end_engine(struct mig_engine *engine)
{
	pthread_cond_destroy(&engine->changed);
	pthread_mutex_destroy(&engine->lock);
	pthread_mutex_destroy(&engine->whole_node_lock);
	mig_destinations_done(&engine->destinations);
	mig_pace_done(&engine->pace);
	mig_walks_done(&engine->walks);
	mig_file_walk_done(&engine->file_walk);
	mig_frametable_done(&engine->arrived);
	free(engine->cache_rest);
}

/* Progress, the time limit, and how many workers are of use. */
static void tick(struct mig_engine *engine, struct mig_crew *crew,
		 struct mig_totals *totals)
{
	const struct mig_run_options *options = &engine->options;
	uint64_t elapsed = mig_clock_ns() - engine->begin_ns;
	struct mig_progress progress = {
		.planned_bytes = engine->planned_pages * engine->context->page_size,
		.moved_bytes = __atomic_load_n(&engine->moved_pages, __ATOMIC_RELAXED) *
			       engine->context->page_size,
		.done_bytes = __atomic_load_n(&engine->done_pages, __ATOMIC_RELAXED) *
			      engine->context->page_size,
		.elapsed_ns = elapsed,
		.pass = engine->pass,
		.threads = engine->nr_open,
	};

	if (options->timeout_ns && elapsed >= options->timeout_ns) {
		totals->timed_out = true;
		__atomic_store_n(&engine->stop, true, __ATOMIC_RELAXED);
	}
	if (options->progress && options->progress(options->progress_data, &progress)) {
		totals->stopped = true;
		__atomic_store_n(&engine->stop, true, __ATOMIC_RELAXED);
	}
	if (engine->pass == 1)
		__atomic_store_n(&engine->nr_open,
				 mig_crew_think(crew, elapsed, progress.moved_bytes),
				 __ATOMIC_RELAXED);
}

typedef void (*job_fn)(struct mig_worker *worker);

struct job {
	struct mig_worker *worker;
	job_fn run;
};

static void *run_job(void *data)
{
	struct job *job = data;
	struct mig_engine *engine = job->worker->engine;

	job->run(job->worker);
	pthread_mutex_lock(&engine->lock);
	engine->nr_busy--;
	/* Who finds no more work says so to those that wait at the gate. */
	engine->walk_is_over = true;
	pthread_cond_broadcast(&engine->changed);
	pthread_mutex_unlock(&engine->lock);
	return NULL;
}

/* A time limit does not wait for the next regular tick. */
static uint64_t next_tick(const struct mig_engine *engine)
{
	uint64_t elapsed = mig_clock_ns() - engine->begin_ns;
	uint64_t timeout = engine->options.timeout_ns;

	if (!timeout || elapsed + TICK_NS <= timeout || mig_engine_is_stopped(engine))
		return TICK_NS;
	return timeout > elapsed ? timeout - elapsed : 0;
}

static void wait_for_workers(struct mig_engine *engine, struct mig_crew *crew,
			     struct mig_totals *totals)
{
	pthread_mutex_lock(&engine->lock);
	while (engine->nr_busy) {
		struct timespec deadline;

		deadline_in(&deadline, next_tick(engine));
		if (pthread_cond_timedwait(&engine->changed, &engine->lock, &deadline) !=
		    ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&engine->lock);
		tick(engine, crew, totals);
		pthread_mutex_lock(&engine->lock);
		pthread_cond_broadcast(&engine->changed);
	}
	pthread_mutex_unlock(&engine->lock);
}

/* Each worker does @run in a thread of its own, which takes no signals. */
static int run_workers(struct mig_engine *engine, struct mig_crew *crew,
		       struct mig_worker *workers, job_fn run, struct mig_totals *totals)
{
	struct job jobs[MIG_MOST_WORKERS];
	sigset_t all, before;
	unsigned int started = 0;
	int r = 0;

	engine->nr_busy = crew->most;
	engine->walk_is_over = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; started < crew->most; started++) {
		jobs[started] = (struct job){ &workers[started], run };
		r = pthread_create(&workers[started].thread, NULL, run_job,
				   &jobs[started]);
		if (r)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		pthread_mutex_lock(&engine->lock);
		engine->nr_busy -= crew->most - started;
		pthread_mutex_unlock(&engine->lock);
		__atomic_store_n(&engine->stop, true, __ATOMIC_RELAXED);
	}
	wait_for_workers(engine, crew, totals);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	return -r;
}

/* The first pass: everything, then what has joined the target meanwhile. What cannot
 * be looked at ends it, and is said in the outcome: what was moved is not lost. */
static int walk_all(struct mig_engine *engine, struct mig_crew *crew,
		    struct mig_worker *workers, struct mig_totals *totals)
{
	for (unsigned int round = 0; round < MOST_ROUNDS; round++) {
		size_t added = 0;
		int r = run_workers(engine, crew, workers, mig_worker_walk, totals);

		if (r < 0 || mig_engine_is_stopped(engine))
			return r;
		r = mig_target_rescan(engine->plan->target, &added);
		if (!r && added)
			r = mig_demand_find(engine->plan);
		if (r == -ESRCH)
			continue; /* they have gone already */
		if (r < 0)
			totals->error = r;
		if (r < 0 || !added)
			return 0;
	}
	totals->error = -EAGAIN;
	return 0;
}

static bool anyone_wants_pass(const struct mig_crew *crew,
			      const struct mig_worker *workers)
{
	for (unsigned int i = 0; i < crew->most; i++)
		if (mig_retry_wants_pass(&workers[i]))
			return true;
	return false;
}

/* Watched as the workers are. Return: false if the run was stopped meanwhile. */
static bool wait_until(struct mig_engine *engine, struct mig_crew *crew,
		       struct mig_totals *totals, uint64_t end_ns)
{
	for (;;) {
		uint64_t next;

		tick(engine, crew, totals);
		next = mig_clock_ns() + next_tick(engine);
		if (next >= end_ns)
			return mig_engine_sleep_until(engine, end_ns);
		if (!mig_engine_sleep_until(engine, next))
			return false;
	}
}

/* What was busy at the first pass, again and again. */
static int run_retries(struct mig_engine *engine, struct mig_crew *crew,
		       struct mig_worker *workers, struct mig_totals *totals)
{
	int r = 0;

	while (!r && engine->pass < engine->options.passes &&
	       anyone_wants_pass(crew, workers)) {
		uint64_t pause = mig_engine_pass_pause_ns(++engine->pass);

		if (!wait_until(engine, crew, totals, mig_clock_ns() + pause))
			break;
		r = run_workers(engine, crew, workers, mig_retry_pass, totals);
	}
	if (engine->pass > totals->passes)
		totals->passes = engine->pass;
	if (!r)
		r = run_workers(engine, crew, workers, mig_worker_settle, totals);
	return r;
}

static int run_passes(struct mig_engine *engine, struct mig_crew *crew,
		      struct mig_worker *workers, struct mig_totals *totals)
{
	int r;

	engine->pass = 1;
	r = walk_all(engine, crew, workers, totals);
	return r < 0 ? r : run_retries(engine, crew, workers, totals);
}

/* What a run that does not move pages itself is watched by. */
struct watch {
	struct mig_engine *engine;
	struct mig_crew *crew;
	struct mig_totals *totals;
};

static bool watch(void *data)
{
	const struct watch *all = data;

	tick(all->engine, all->crew, all->totals);
	return mig_engine_is_stopped(all->engine);
}

/* Members have moved. What cannot be done is said: what was moved is not lost. */
static int run_cache(struct mig_engine *engine, struct mig_crew *crew,
		     struct mig_worker *workers, struct mig_outcome *outcome)
{
	struct watch all = { engine, crew, &outcome->totals };
	int r = mig_engine_cache_move(engine, watch, &all, outcome);

	if (r < 0)
		outcome->totals.error = r;
	if (r <= 0)
		return 0;
	engine->pass = 1;
	r = run_workers(engine, crew, workers, mig_worker_walk_files, &outcome->totals);
	return r < 0 ? r : run_retries(engine, crew, workers, &outcome->totals);
}

/* thp_migration_split of /proc/vmstat: system-wide, but zero means none of ours. */
static uint64_t read_splits(const struct mig_context *context)
{
	CLEANUP_FREE char *text = NULL;
	ssize_t length = mig_procfs_read_alloc(context, &text, "proc/vmstat");
	struct mig_text rest;
	uint64_t splits;

	if (length < 0)
		return MIG_UNKNOWN_BYTES;
	rest = (struct mig_text){ text, (size_t)length };
	while (rest.length) {
		struct mig_text line = mig_text_take_line(&rest);

		if (mig_text_take_string(&line, "thp_migration_split ") &&
		    !mig_text_take_number(&line, 10, &splits))
			return splits;
	}
	return MIG_UNKNOWN_BYTES;
}

/* Those with a problem are counted by the list that they are on. */
static void count_files(const struct mig_plan *plan, struct mig_totals *totals)
{
	const struct mig_files *files = mig_target_get_files(plan->target);

	/* Those are only where a cgroup's cache is looked for. */
	if (files && !plan->cache.is_open)
		totals->files_denied +=
			__atomic_load_n(&files->nr_problems, __ATOMIC_RELAXED);
}

/* Members that could not even be planned have findings. */
static void count_members(const struct mig_plan *plan, struct mig_totals *totals)
{
	totals->processes = (unsigned int)plan->nr_members;
	for (size_t i = 0; i < plan->nr_findings; i++) {
		totals->processes_gone +=
			plan->findings[i].code == MIG_FINDING_PROCESS_GONE;
		totals->processes_denied +=
			plan->findings[i].code == MIG_FINDING_NO_ACCESS;
	}
}

/* What the workers have found in no file. */
static int sum_up_cache(const struct mig_engine *engine, const struct mig_crew *crew,
			const struct mig_worker *workers, struct mig_outcome *outcome)
{
	CLEANUP_MIG(residency) struct mig_residency *found = NULL;
	int r = mig_residency_new(engine->plan->context, &found);

	for (unsigned int i = 0; !r && engine->plan->self.process && i < crew->most; i++)
		r = mig_residency_merge(found, workers[i].before);
	if (!r)
		mig_engine_cache_end(engine, found, outcome);
	return r;
}

/* Before and after, as the workers came to files and left them. A plan that has looked
 * at all of them wants all of them looked at afterwards too. */
static int sum_up_files(struct mig_engine *engine, const struct mig_crew *crew,
			const struct mig_worker *workers, struct mig_outcome *outcome)
{
	struct mig_plan *plan = engine->plan;
	int r = 0;

	if (plan->cache.is_open)
		return sum_up_cache(engine, crew, workers, outcome);
	if (!plan->self.process || (!plan->is_estimated && mig_engine_is_stopped(engine)))
		return 0;
	r = mig_residency_new(plan->context, &plan->files_after);
	for (unsigned int i = 0; !r && i < crew->most; i++) {
		r = mig_residency_merge(plan->files_after, workers[i].after);
		if (!r)
			r = mig_residency_merge(plan->residency, workers[i].before);
	}
	return r;
}

static int sum_up(struct mig_engine *engine, const struct mig_crew *crew,
		  const struct mig_worker *workers, uint64_t splits_before,
		  struct mig_outcome *outcome)
{
	mig_outcome_merge(outcome, engine->plan->settled);
	for (unsigned int i = 0; i < crew->most; i++)
		mig_outcome_merge(outcome, workers[i].outcome);
	count_members(engine->plan, &outcome->totals);
	count_files(engine->plan, &outcome->totals);
	outcome->totals.swapped_pages =
		mig_residency_get_swapped_bytes(engine->plan->residency) /
		engine->context->page_size;
	/* Without frame numbers a split is seen only in the machine's counter. */
	if (!engine->plan->frames && outcome->totals.moved_huge_pages &&
	    read_splits(engine->context) != splits_before)
		outcome->totals.split_huge_pages = MIG_UNKNOWN_BYTES;
	outcome->totals.elapsed_ns = mig_clock_ns() - engine->begin_ns;
	outcome->totals.threads = crew->used;
	mig_outcome_sort(outcome);
	return outcome->error;
}

static int run(struct mig_engine *engine, struct mig_outcome *outcome)
{
	struct mig_worker workers[MIG_MOST_WORKERS] = { 0 };
	uint64_t splits = engine->plan->frames ? 0 : read_splits(engine->context);
	struct mig_crew crew;
	unsigned int ready = 0;
	int r = 0;

	mig_crew_init(&crew, engine->options.threads,
		      mig_crew_count_idle(engine->context),
		      engine->planned_pages * engine->context->page_size);
	engine->nr_open = crew.open;
	for (; !r && ready < crew.most; ready++)
		r = mig_worker_init(&workers[ready], engine, ready);
	if (!r)
		r = run_passes(engine, &crew, workers, &outcome->totals);
	if (!r)
		r = run_cache(engine, &crew, workers, outcome);
	if (!r)
		r = sum_up_files(engine, &crew, workers, outcome);
	if (!r)
		r = sum_up(engine, &crew, workers, splits, outcome);
	for (unsigned int i = 0; i < ready; i++)
		mig_worker_done(&workers[i]);
	return r;
}

int mig_plan_run(struct mig_plan *plan, const struct mig_run_options *options,
		 struct mig_outcome **ret_outcome)
{
	CLEANUP_MIG(outcome) struct mig_outcome *outcome = NULL;
	struct mig_engine engine;
	int r;

	if (!plan || !ret_outcome)
		return -EINVAL;
	r = mig_outcome_new(&outcome);
	if (!r)
		r = init_engine(&engine, plan, options);
	if (r < 0)
		return r;
	r = run(&engine, outcome);
	end_engine(&engine);
	if (r < 0)
		return r;
	*ret_outcome = STEAL(outcome);
	return 0;
}
