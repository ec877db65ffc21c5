/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_CONTEXT_H
#define MIG_CONTEXT_H

#include <pthread.h>

#include "calls.h"
#include "libmigrate.h"

/** What tells of frames: opened once, and not for each process. (pagemap.c) */
struct mig_frame_files {
	pthread_mutex_t lock; /**< of all below */
	bool is_known;
	bool shows_frames; /**< in pagemap */
	int flags_fd;      /**< kpageflags; below 0: not readable */
	int count_fd;      /**< kpagecount; below 0: not readable */
};

struct mig_context {
	int root_fd;
	bool live; /**< the root is "/": moving is possible */
	size_t page_size;
	unsigned int page_shift;
	const struct mig_calls *calls;
	mig_log_fn log;
	void *log_data;
	struct mig_frame_files frame_files;
};

/**
 * mig_context_set_calls - replace the system calls, for tests
 *
 * A context with injected calls counts as live whatever its root is.
 */
void mig_context_set_calls(struct mig_context *context, const struct mig_calls *calls);

/** mig_log - one line to the caller's log; printf(3) format, no newline. */
__attribute__((format(printf, 3, 4))) void mig_log(const struct mig_context *context,
						   enum mig_log_level level,
						   const char *format, ...);

#endif
