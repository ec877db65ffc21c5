/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many files side by side: each thread takes the next path, opens it and visits it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "files.h"
#include "threads.h"

/* What all threads share. */
struct crew {
	struct mig_files *files;
	const struct mig_file_names *names;
	mig_file_fn visit;
	void *data;
	pthread_mutex_t lock; /**< of names and result */
	int result;           /**< non-zero ends the walk */
};

struct hand {
	struct crew *crew;
	unsigned int number;
	pthread_t thread;
};

static void set_result(struct crew *crew, int result)
{
	pthread_mutex_lock(&crew->lock);
	if (!crew->result)
		crew->result = result;
	pthread_mutex_unlock(&crew->lock);
}

static bool take_name(struct crew *crew, struct mig_file_name *ret_name)
{
	int r = 0;

	pthread_mutex_lock(&crew->lock);
	if (!crew->result) {
		r = crew->names->next(crew->names->data, ret_name);
		if (r < 0)
			crew->result = r;
	}
	pthread_mutex_unlock(&crew->lock);
	return r > 0;
}

static bool is_first(struct crew *crew, const struct mig_file *file)
{
	bool first;

	if (!crew->names->is_first)
		return true;
	pthread_mutex_lock(&crew->lock);
	first = crew->names->is_first(crew->names->data, file);
	pthread_mutex_unlock(&crew->lock);
	return first;
}

/* What the walk has come upon, and what has gone again or become something else since,
 * nobody asked for. */
static bool is_problem(const struct mig_file_name *name, int error)
{
	bool was_named = name->follow && !name->shown;

	return was_named || (error != -ENOENT && error != -ELOOP && error != -EISDIR);
}

static void visit_name(struct crew *crew, unsigned int number, struct mig_file_name *name)
{
	struct mig_file *file = NULL;
	int r = mig_file_open(&crew->files->backings, name, &file);

	if (r == -ENOMEM)
		set_result(crew, r);
	else if (r < 0 && !crew->names->quiet && is_problem(name, r))
		mig_files_report(crew->files, name->shown ? name->shown : name->path, r);
	else if (!r && is_first(crew, file))
		r = crew->visit(crew->data, number, file);
	if (file && r)
		set_result(crew, r);
	mig_file_put(file);
}

static void *work(void *data)
{
	struct hand *hand = data;
	struct mig_file_name name;

	while (take_name(hand->crew, &name)) {
		visit_name(hand->crew, hand->number, &name);
		free(name.path);
		free(name.shown);
		name = (struct mig_file_name){ 0 };
	}
	return NULL;
}

/* The caller's thread works too: one that cannot be made is no error. */
static void run(struct crew *crew, unsigned int nr_threads)
{
	struct hand hands[MIG_MOST_THREADS];
	unsigned int made = 1;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; made < nr_threads && made < MIG_MOST_THREADS; made++) {
		hands[made] = (struct hand){ .crew = crew, .number = made };
		if (pthread_create(&hands[made].thread, NULL, work, &hands[made]))
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	hands[0] = (struct hand){ .crew = crew };
	work(&hands[0]);
	while (--made)
		pthread_join(hands[made].thread, NULL);
}

int mig_files_each(struct mig_files *files, const struct mig_file_names *names,
		   unsigned int nr_threads, mig_file_fn visit, void *data)
{
	struct crew crew = {
		.files = files,
		.names = names,
		.visit = visit,
		.data = data,
	};

	pthread_mutex_init(&crew.lock, NULL);
	run(&crew, nr_threads);
	pthread_mutex_destroy(&crew.lock);
	return crew.result;
}

static int next_path(void *data, struct mig_file_name *ret_name)
{
	return mig_file_paths_next(data, ret_name);
}

static bool is_first_path(void *data, const struct mig_file *file)
{
	return mig_file_paths_is_first(data, file);
}

int mig_files_walk(struct mig_files *files, unsigned int nr_threads, mig_file_fn visit,
		   void *data)
{
	struct mig_file_names names = { .next = next_path, .is_first = is_first_path };
	struct mig_file_paths *paths = NULL;
	int r = mig_file_paths_new(files, &paths);

	if (r < 0)
		return r;
	names.data = paths;
	r = mig_files_each(files, &names, nr_threads, visit, data);
	mig_file_paths_free(paths);
	return r;
}
