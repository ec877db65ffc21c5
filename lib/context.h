/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_CONTEXT_H
#define MIG_CONTEXT_H

#include "calls.h"
#include "libmigrate.h"

struct mig_context {
	int root_fd;
	bool live; /**< the root is "/": moving is possible */
	size_t page_size;
	unsigned int page_shift;
	const struct mig_calls *calls;
	mig_log_fn log;
	void *log_data;
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
