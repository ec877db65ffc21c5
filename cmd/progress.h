/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line on a terminal that says how far a run is, rewritten as it goes. */
#ifndef MIGRATECTL_PROGRESS_H
#define MIGRATECTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmigrate.h>

struct progress {
	bool shown;          /**< at all */
	bool rewrites;       /**< a terminal; else a line for each report */
	size_t width;        /**< of what stands on the terminal's line now */
	uint64_t last_ns;    /**< elapsed_ns of the last report */
	uint64_t last_bytes; /**< done_bytes at that time */
	uint64_t rate;       /**< bytes per second, smoothed */
};

/**
 * progress_begin - decide whether there is anything to show
 * @forced: --progress: also where standard error is no terminal
 */
void progress_begin(struct progress *progress, bool forced);

/** progress_update - show @now unless something was shown a moment ago. */
void progress_update(struct progress *progress, const struct mig_progress *now);

/** progress_end - take the line off the terminal; before anything else is said. */
void progress_end(struct progress *progress);

#endif
