/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "duration.h"
#include "size.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* A terminal is rewritten five times a second; a file gets a line each second. */
#define TERMINAL_INTERVAL_NS (NS_PER_SECOND / 5)
#define FILE_INTERVAL_NS NS_PER_SECOND

#define LINE_SIZE 128

void progress_begin(struct progress *progress, bool forced)
{
	bool terminal = isatty(STDERR_FILENO);

	*progress = (struct progress){
		.shown = terminal || forced,
		.rewrites = terminal,
	};
}

/* The newest interval counts for a quarter, so that the figure stays readable. */
static void update_rate(struct progress *progress, const struct mig_progress *now)
{
	uint64_t ns = now->elapsed_ns - progress->last_ns;
	uint64_t bytes = now->done_bytes - progress->last_bytes;
	uint64_t rate;

	if (now->elapsed_ns <= progress->last_ns ||
	    now->done_bytes < progress->last_bytes)
		return;
	rate = (uint64_t)((double)bytes * (double)NS_PER_SECOND / (double)ns);
	progress->rate = progress->rate ? (3 * progress->rate + rate) / 4 : rate;
}

static void format_line(const struct progress *progress, const struct mig_progress *now,
			char line[static LINE_SIZE])
{
	char done[SIZE_TEXT_SIZE], planned[SIZE_TEXT_SIZE], rate[SIZE_TEXT_SIZE];
	char left[DURATION_TEXT_SIZE] = "?";
	/* The plan is an estimate: more may be done than was planned. */
	uint64_t goal = now->planned_bytes > now->done_bytes ? now->planned_bytes
							     : now->done_bytes;
	unsigned int percent =
		goal ? (unsigned int)((double)now->done_bytes / (double)goal * 100) : 100;

	if (progress->rate) {
		double seconds =
			(double)(goal - now->done_bytes) / (double)progress->rate;

		/* Beyond a month it says nothing. */
		if (seconds < 30 * 24 * 3600)
			duration_format((uint64_t)seconds * NS_PER_SECOND, left);
	}
	snprintf(line, LINE_SIZE, "%s of %s  %u%%  %s/s  %s left  pass %u",
		 size_format(now->done_bytes, done), size_format(goal, planned), percent,
		 size_format(progress->rate, rate), left, now->pass);
}

static size_t get_terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
		return 80;
	return size.ws_col;
}

void progress_update(struct progress *progress, const struct mig_progress *now)
{
	uint64_t interval = progress->rewrites ? TERMINAL_INTERVAL_NS : FILE_INTERVAL_NS;
	char line[LINE_SIZE];
	size_t length, width;

	if (!progress->shown || now->elapsed_ns < progress->last_ns + interval)
		return;
	update_rate(progress, now);
	progress->last_ns = now->elapsed_ns;
	progress->last_bytes = now->done_bytes;
	format_line(progress, now, line);
	if (!progress->rewrites) {
		fprintf(stderr, "%s\n", line);
		return;
	}
	/* A line that wraps cannot be taken back: the last column stays free. */
	length = strlen(line);
	width = get_terminal_width() - 1;
	if (length > width)
		length = width;
	fprintf(stderr, "\r%.*s", (int)length, line);
	if (progress->width > length)
		fprintf(stderr, "%*s", (int)(progress->width - length), "");
	fflush(stderr);
	progress->width = length;
}

void progress_end(struct progress *progress)
{
	if (progress->width)
		fprintf(stderr, "\r%*s\r", (int)progress->width, "");
	fflush(stderr);
	progress->width = 0;
}
