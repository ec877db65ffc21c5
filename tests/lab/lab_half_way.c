// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Moves that are met half-way, however slow or uneven the machine is: the kernel's own
 * counter tells when pages begin to come; the process is stopped and then looked at. If
 * it has got too far by then, all goes back, and the next try is slower. And moves of
 * what is busy.
 */
#include "lab_files.h"
#include "lab_world.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define NR_TRIES 4
#define NR_BUSY_TRIES 8

/* What must have come, and what must not have come. */
#define LEAST_PAGES PAGES_PER_MEBIBYTE

/* What is moved: a process or a file. */
struct subject {
	struct lab *lab;
	struct victim *victim; /* NULL: the file */
	const char *path;
	int node;
	uint64_t nr_pages;
};

static uint64_t count_there(const struct subject *subject)
{
	struct oracle_view view = { 0 };
	uint64_t nr_there;

	if (!subject->victim)
		return lab_look_at_file(subject->lab, subject->path)
			->node_pages[subject->node];
	assert_int_equal(oracle_look(&view, subject->victim->pid), 0);
	nr_there = lab_count(subject->victim, &view, subject->node);
	oracle_forget(&view);
	return nr_there;
}

static void bring_back(const struct subject *subject)
{
	struct run *run;

	if (subject->victim)
		run = lab_move(subject->lab, "--tree --to 0 %d", subject->victim->pid);
	else
		run = lab_move_file(subject->lab, "--to 0 %s", subject->path);
	lab_assert_status(run, EXIT_IN_PLACE);
}

/* Returns false if it was too fast; then it is over. */
static bool stop_half_way(const struct subject *subject, struct run *run,
			  uint64_t counter_before)
{
	double deadline = lab_now() + LAB_ANSWER_SECONDS;

	while (!lab_has_ended(run)) {
		uint64_t nr_there;

		if (lab_now() > deadline)
			fail_msg("nothing comes to node %d", subject->node);
		usleep(5000);
		if (oracle_vmstat("pgmigrate_success") < counter_before + LEAST_PAGES)
			continue;
		if (!lab_pause(run))
			break;
		nr_there = count_there(subject);
		if (nr_there > subject->nr_pages - LEAST_PAGES) {
			lab_resume(run);
			break;
		}
		if (nr_there >= LEAST_PAGES)
			return true;
		lab_resume(run);
	}
	lab_finish(run);
	return false;
}

static struct run *move_half_way(const struct subject *subject, const char *options)
{
	unsigned int mebibytes_per_second = 16;

	for (int i = 0; i < NR_TRIES; i++, mebibytes_per_second /= 2) {
		uint64_t before = oracle_vmstat("pgmigrate_success");
		struct run *run;

		if (subject->victim) {
			subject->victim->before = lab_look(subject->lab, subject->victim);
			run = lab_start_move(subject->lab, "%s --rate %uM --to %d %d",
					     options, mebibytes_per_second, subject->node,
					     subject->victim->pid);
		} else {
			run = lab_start_move_file(subject->lab, "--rate %uM --to %d %s",
						  mebibytes_per_second, subject->node,
						  subject->path);
		}
		if (stop_half_way(subject, run, before))
			return run;
		bring_back(subject);
	}
	fail_msg("the move is over before it could be stopped");
	return NULL;
}

struct run *lab_move_half_way(struct lab *lab, struct victim *victim, int node,
			      const char *options)
{
	struct subject subject = { lab, victim, NULL, node, victim->nr_pages };

	return move_half_way(&subject, options);
}

struct run *lab_move_file_half_way(struct lab *lab, const char *path, int node,
				   uint64_t nr_pages)
{
	struct subject subject = { lab, NULL, path, node, nr_pages };

	return move_half_way(&subject, "");
}

/* ---------------------------------------------------------------------- busy ones */

static bool is_only_busy(const struct run *run)
{
	return run->report && run->status == EXIT_PARTLY &&
	       report_left(run->report, NULL) == report_left(run->report, "busy");
}

struct run *lab_move_file_busy(struct lab *lab, const char *format, ...)
{
	char line[256];
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	run = lab_move_file(lab, "%s", line);
	for (int i = 1; i < NR_BUSY_TRIES && is_only_busy(run); i++)
		run = lab_move_file(lab, "%s", line);
	return run;
}

struct run *lab_move_busy(struct lab *lab, const char *format, ...)
{
	char line[256];
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	run = lab_move(lab, "%s", line);
	for (int i = 1; i < NR_BUSY_TRIES && is_only_busy(run); i++)
		run = lab_move(lab, "%s", line);
	return run;
}
