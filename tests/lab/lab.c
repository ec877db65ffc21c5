// SPDX-License-Identifier: GPL-2.0-or-later
/* A test's world from its beginning to its end. */
#include "lab_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define STATUS_SKIPPED 77

/* Machines of the lab have it (guest-init). */
#define LAB_MARK "/run/lab"

static unsigned int nr_skipped;

static void run_out_of_time(int signal_number)
{
	static const char message[] = "the test ran out of time\n";

	(void)signal_number;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(2);
	_exit(1);
}

bool lab_has_time(void)
{
	const char *answer = getenv("MIGRATECTL_LAB_LONG");

	return answer && *answer;
}

unsigned int lab_limit(unsigned int seconds)
{
	return lab_has_time() ? 10 * seconds : seconds;
}

int lab_setup(void **state)
{
	signal(SIGALRM, run_out_of_time);
	signal(SIGPIPE, SIG_IGN);
	alarm(lab_limit(LAB_TEST_SECONDS));
	*state = calloc(1, sizeof(struct lab));
	return *state ? 0 : -1;
}

static void forget_views(struct lab *lab)
{
	struct lab_view *view;

	while ((view = lab->views)) {
		lab->views = view->next;
		oracle_forget(&view->view);
		free(view);
	}
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	lab_end_runs(lab);
	lab_end_victims(lab);
	lab_undo_all(lab);
	forget_views(lab);
	lab_forget_files(lab);
	free(lab);
	alarm(0);
	return 0;
}

void lab_skip(const char *format, ...)
{
	va_list arguments;

	printf("SKIPPED: ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	nr_skipped++;
	skip();
}

const char *lab_program_path(const char *variable, const char *fallback)
{
	const char *path = getenv(variable);

	return path ? path : fallback;
}

/* What would move or merge pages behind a test's back. And what a program that ran out
 * of time has left as it was: the next one shall not suffer for it. */
static void calm_the_machine(void)
{
	if (system("for i in /sys/devices/system/node/node*/hugepages/*/nr_hugepages; do "
		   "echo 0 >$i; done;"
		   "echo 0 >/proc/sys/vm/percpu_pagelist_high_fraction;"
		   "echo 1 >/proc/sys/vm/compact_unevictable_allowed;"
		   "echo 0 >/proc/sys/kernel/numa_balancing;"
		   "echo 4000000000 >/sys/kernel/mm/transparent_hugepage/khugepaged/"
		   "scan_sleep_millisecs"))
		printf("the machine cannot be calmed\n");
}

int lab_run_tests(const struct CMUnitTest *tests, size_t nr_tests, unsigned int nr_nodes)
{
	struct utsname name;
	int nr_failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	uname(&name);
	printf("Linux %s, %u nodes with memory\n", name.release, lab_nodes());
	if (lab_nodes() < nr_nodes || (nr_nodes > 1 && access(LAB_MARK, F_OK))) {
		printf("SKIPPED: needs a lab machine with %u nodes\n", nr_nodes);
		return STATUS_SKIPPED;
	}
	if (nr_nodes > 1)
		calm_the_machine();
	nr_failed = _cmocka_run_group_tests("lab", tests, nr_tests, NULL, NULL);
	if (nr_failed)
		return 1;
	return nr_skipped ? STATUS_SKIPPED : 0;
}
