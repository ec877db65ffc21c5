// SPDX-License-Identifier: GPL-2.0-or-later
/* Assertions that hold a report against what the oracle saw. */
#include "lab_world.h"

#include <stdio.h>
#include <string.h>

#define assert_pages(what, reported, seen)                                          \
	do {                                                                        \
		if ((uint64_t)(reported) != (uint64_t)(seen))                       \
			fail_msg("%s: %lu pages reported, %lu seen", what,          \
				 (unsigned long)(reported), (unsigned long)(seen)); \
	} while (0)

void lab_assert_status_at(const struct run *run, int status, const char *file, int line)
{
	if (run->status == status)
		return;
	print_error("ERROR: exit status %d instead of %d: %s\n", run->status, status,
		    run->err);
	_fail(file, line);
}

void lab_assert_says(const struct run *run, const char *text)
{
	if (!strstr(run->err, text))
		fail_msg("'%s' is not in: %s", text, run->err);
}

static void assert_pairs(const struct report *report, const struct oracle_change *change)
{
	char what[64];

	for (int from = 0; from < ORACLE_MAX_NODES; from++) {
		for (int to = 0; to < ORACLE_MAX_NODES; to++) {
			snprintf(what, sizeof(what), "moved from %d to %d", from, to);
			assert_pages(what, report->pairs[from][to],
				     change->moved[from][to]);
		}
	}
}

static void assert_residency(const char *when, const uint64_t bytes[REPORT_MAX_NODES],
			     const struct oracle_view *view)
{
	char what[64];

	for (int node = 0; node < ORACLE_MAX_NODES; node++) {
		snprintf(what, sizeof(what), "on node %d %s", node, when);
		assert_pages(what, bytes[node] / PAGE_BYTES,
			     oracle_count(view, node, 0, UINT64_MAX));
	}
}

struct oracle_change lab_assert_accounting(const struct report *report,
					   const struct oracle_view *before,
					   const struct oracle_view *after)
{
	uint64_t stayed = report->already.pages + report_skipped(report, NULL) +
			  report_left(report, NULL);
	struct oracle_change change;

	oracle_compare(before, after, &change);
	/* The oracle's own consistency: the victim kept still. */
	assert_pages("gone or new in the view", 0, change.nr_gone + change.nr_new);
	assert_pages("considered", report->considered.pages, before->nr_pages);
	assert_pages("gone", report->gone.pages, 0);
	assert_pages("swapped", report->swapped_pages, before->nr_swapped);
	assert_true(report->has_after);
	assert_residency("before", report->before_bytes, before);
	assert_residency("after", report->after_bytes, after);
	if (change.nr_moved == change.nr_moved_frames) {
		assert_pages("moved", report->moved.pages, change.nr_moved);
		assert_pages("stayed", stayed, change.nr_stayed);
		assert_pairs(report, &change);
	} else {
		assert_in_range(report->moved.pages, change.nr_moved_frames,
				change.nr_moved);
	}
	return change;
}

void lab_assert_all_on(struct lab *lab, const struct victim *victim, int node)
{
	const struct oracle_view *view = lab_look(lab, victim);

	assert_pages("of the victim's memory on the node",
		     victim->nr_pages * (1 + victim->nr_children),
		     lab_count(victim, view, node));
}

void lab_assert_nothing_moved(struct lab *lab, const struct victim *victim,
			      const struct oracle_view *before)
{
	const struct oracle_view *after = lab_look(lab, victim);

	/* Of its stack and libraries the kernel may move a page by itself. */
	for (int node = 0; node < REPORT_MAX_NODES; node++)
		assert_pages("of the victim's memory on a node",
			     lab_count(victim, before, node),
			     lab_count(victim, after, node));
}

const struct report *lab_assert_moves(struct lab *lab, struct victim *victim,
				      const char *format, ...)
{
	const struct oracle_view *before = lab_look(lab, victim);
	char options[256];
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	vsnprintf(options, sizeof(options), format, arguments);
	va_end(arguments);
	run = lab_move(lab, "%s %d", options, victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	victim->after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, victim->after);
	assert_pages("left", report_left(run->report, NULL), 0);
	lab_assert_intact(victim);
	return run->report;
}
