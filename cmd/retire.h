/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of migratectl retire share. */
#ifndef MIGRATECTL_RETIRE_H
#define MIGRATECTL_RETIRE_H

#include "frame_users.h"
#include "machine.h"
#include "output.h"

struct retire_args {
	struct common_args common;
	bool yes;
	bool dry_run;
};

/** How many page frames are looked at, retired and reported together. */
#define RETIRE_CHUNK 4096

enum retire_result {
	RETIRE_COULD = 0,   /**< a dry run: nothing speaks against it */
	RETIRE_RETIRED = 1, /**< it is out of use now */
	RETIRE_ALREADY = 2, /**< it was */
	RETIRE_REFUSED = 3, /**< by us or by the kernel */
};

#define RETIRE_NR_RESULTS 4

struct retire_frame {
	uint64_t frame;
	enum mig_content content;
	int node;
	enum retire_result result;
	const char *reason; /**< why it was refused: a stable key; NULL: it was not */
	int error;          /**< negative errno of the kernel; 0: none */
	struct frame_users users;
};

/** One call of retire, and how it went. */
struct retire {
	const struct retire_args *args;
	struct machine machine;
	size_t page_size;
	bool only_looks;
	struct retire_frame *frames; /**< the chunk */
	size_t nr_frames;
	uint64_t counts[RETIRE_NR_RESULTS];
	uint64_t nr_mistakes; /**< words that name no frame */
	bool has_busy_file;   /**< a page of a file was refused as busy */
	bool has_reported;    /**< something */
	bool stopped;
};

/**
 * retire_frames - look at the frames of the chunk, and retire them
 *
 * Return: STATUS_OK, or a status after a message: it is no use to go on.
 */
int retire_frames(struct retire *retire);

/** retire_frames_done - forget the chunk. */
void retire_frames_done(struct retire *retire);

extern const struct column_set retire_columns;

/** retire_report_begin - before the first chunk. */
void retire_report_begin(const struct retire *retire);

/** retire_report_add - report the chunk. Return: an exit status. */
int retire_report_add(struct retire *retire);

/** retire_report_end - the sums; not of what is only looked at before a question. */
void retire_report_end(const struct retire *retire);

#endif
