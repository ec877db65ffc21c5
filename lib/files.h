/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that a caller named: what was added (files.c), the walk over it that
 * gives one path after the other (file_paths.c), and the threads that open them
 * (file_crew.c).
 */
#ifndef MIG_FILES_H
#define MIG_FILES_H

#include <pthread.h>

#include "file.h"
#include "mappings.h"
#include "process.h"

enum mig_file_source_type {
	MIG_SOURCE_PATH,
	MIG_SOURCE_LIST,
	MIG_SOURCE_PROCESS,
};

struct mig_file_source {
	enum mig_file_source_type type;
	char *path;                        /**< of PATH */
	unsigned int flags;                /**< of PATH: MIG_FILES_* */
	int fd;                            /**< of LIST */
	const struct mig_process *process; /**< of PROCESS */
};

struct mig_files {
	struct mig_context *context;
	struct mig_files_options options;
	struct mig_file_source *sources;
	size_t nr_sources;
	struct mig_backings backings;
	pthread_mutex_t lock; /**< of problem() */
	uint64_t nr_problems; /**< atomic */
};

/** mig_files_report - say that a file cannot be looked at. */
void mig_files_report(struct mig_files *files, const char *path, int error);

struct mig_file_paths;

/** mig_file_paths_new - begin a walk. Errors: -ENOMEM. */
int mig_file_paths_new(struct mig_files *files, struct mig_file_paths **ret_paths);

/** mig_file_paths_free - @paths may be NULL. */
void mig_file_paths_free(struct mig_file_paths *paths);

/**
 * mig_file_paths_next - the next file
 * @ret_name: the caller frees its strings
 *
 * Directories that cannot be read are problems. A path is not a promise: the file
 * may be gone, or be no file, when it is opened.
 * Errors: -ENOMEM. Return: 1, 0 behind the last, or a negative errno.
 */
int mig_file_paths_next(struct mig_file_paths *paths, struct mig_file_name *ret_name);

/**
 * mig_file_paths_is_first - whether an open file was not met before in this walk
 *
 * Files with one link are not remembered, unless the walk could come to them twice:
 * by several operands, or by what a process has open.
 */
bool mig_file_paths_is_first(struct mig_file_paths *paths, const struct mig_file *file);

/** Called for each file. @thread: which of the threads calls, from 0. */
typedef int (*mig_file_fn)(void *data, unsigned int thread, struct mig_file *file);

/** Where the names of files come from. Called by one thread at a time. */
struct mig_file_names {
	/** 1 with a name, 0 behind the last, or a negative errno. */
	int (*next)(void *data, struct mig_file_name *ret_name);
	/** Whether a file was not met before; NULL: they all are. */
	bool (*is_first)(void *data, const struct mig_file *file);
	void *data;
	bool quiet; /**< what cannot be opened is no problem: it could be before */
};

/**
 * mig_files_each - open files and visit them
 * @nr_threads: at the most, of mig_threads_count()
 * @visit:      at the same time from several threads; non-zero ends the walk
 *
 * Errors: -ENOMEM, -EAGAIN; what names->next() or @visit returned.
 */
int mig_files_each(struct mig_files *files, const struct mig_file_names *names,
		   unsigned int nr_threads, mig_file_fn visit, void *data);

/** mig_files_walk - the same for every file that was added, each once. */
int mig_files_walk(struct mig_files *files, unsigned int nr_threads, mig_file_fn visit,
		   void *data);

#endif
