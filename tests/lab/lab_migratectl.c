// SPDX-License-Identifier: GPL-2.0-or-later
/* Running migratectl and other programs, and what they said. */
#include "lab_world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE 1024

double lab_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A file in memory, which no pipe's size limits. */
static int open_buffer(const char *content)
{
	int fd = memfd_create("lab", MFD_CLOEXEC);

	if (fd < 0 || (content && dprintf(fd, "%s", content) < 0) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		fail_msg("no buffer: %s", strerror(errno));
	return fd;
}

static char *read_buffer(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_non_null(text);
	if (pread(fd, text, (size_t)size, 0) != size)
		fail_msg("cannot read what a program said");
	close(fd);
	return text;
}

void lab_expect_report(struct run *run)
{
	run->has_report = true;
}

void lab_resume(const struct run *run)
{
	kill(run->pid, SIGCONT);
}

bool lab_has_ended(const struct run *run)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOWAIT | WNOHANG) ||
	       info.si_pid;
}

/* All threads are stopped once the parent is told so. False: it is over. */
bool lab_pause(const struct run *run)
{
	siginfo_t info;

	kill(run->pid, SIGSTOP);
	return !waitid(P_PID, (id_t)run->pid, &info, WSTOPPED | WEXITED | WNOWAIT) &&
	       info.si_code == CLD_STOPPED;
}

static struct run *start_run(struct lab *lab, const struct lab_as *as,
			     const char *program, const char *line)
{
	struct run *run = calloc(1, sizeof(*run));
	char **words = lab_split(program, line);
	int in = as && as->input ? open_buffer(as->input) : -1;

	assert_non_null(run);
	run->out_fd = open_buffer(NULL);
	run->err_fd = open_buffer(NULL);
	run->started = lab_now();
	printf("$ %s %s\n", program, line);
	run->pid = lab_spawn(words, as,
			     (struct lab_streams){ in, run->out_fd, run->err_fd });
	run->next = lab->runs;
	lab->runs = run;
	if (in >= 0)
		close(in);
	free(words);
	return run;
}

/* JSON without its indentation: a record of many runs must stay readable. */
static void print_compactly(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n' && text[1] && strchr(" ]}", text[1]))
			text += strspn(text + 1, " ");
		else
			putchar(*text);
	}
}

/* Not from wait4(2): what the harness had when it forked is in that, and in what is
 * seen before the program has begun. */
static void note_peak(struct run *run)
{
	char path[64], line[128], name[32] = "";
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", run->pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		sscanf(line, "Name: %31s", name);
		if (strncmp(name, program_invocation_short_name, 15))
			sscanf(line, "VmHWM: %ld kB", &run->peak_kib);
	}
	if (status)
		fclose(status);
}

static void reap(struct run *run)
{
	double deadline = lab_now() + lab_limit(LAB_RUN_SECONDS);
	struct rusage usage;
	int status;
	pid_t pid;

	while (!(pid = wait4(run->pid, &status, WNOHANG, &usage))) {
		if (lab_now() > deadline)
			fail_msg("the program does not end");
		note_peak(run);
		usleep(2000);
	}
	if (pid < 0)
		fail_msg("wait4: %s", strerror(errno));
	run->whole_peak_kib = usage.ru_maxrss;
	run->seconds = lab_now() - run->started;
	run->finished = true;
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	run->out = read_buffer(run->out_fd);
	run->err = read_buffer(run->err_fd);
	print_compactly(run->out);
	printf("%s-> %d after %.2f s\n", run->err, run->status, run->seconds);
}

static void assert_equation(const struct report *report)
{
	uint64_t sum = report->moved.pages + report->already.pages + report->gone.pages +
		       report_skipped(report, NULL) + report_left(report, NULL);

	if (sum != report->considered.pages)
		fail_msg("the report of %d does not add up: %lu of %lu pages",
			 report->pid, (unsigned long)sum,
			 (unsigned long)report->considered.pages);
}

/* Any report that was asked for must be whole, whatever the status is. */
static void read_reports(struct run *run)
{
	bool is_due = run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY;
	const char *problem;

	if (!is_due && run->out[0] != '{')
		return;
	if (!report_parse(run->out, &run->reports, &run->nr_reports, &problem))
		fail_msg("not a report: %s", problem);
	run->report = run->nr_reports ? run->reports : NULL;
	for (size_t i = 0; i < run->nr_reports; i++)
		assert_equation(&run->reports[i]);
}

void lab_finish(struct run *run)
{
	reap(run);
	if (run->has_report)
		read_reports(run);
}

FORMAT(4, 0)
static struct run *start_command(struct lab *lab, const struct lab_as *as,
				 const char *command, const char *format,
				 va_list arguments)
{
	char line[MAX_LINE];
	int length = snprintf(line, sizeof(line), "%s --json ", command);

	vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
	return start_run(lab, as, lab_program_path("MIGRATECTL", "migratectl"), line);
}

FORMAT(4, 0)
static struct run *start_move(struct lab *lab, const struct lab_as *as,
			      const char *command, const char *format, va_list arguments)
{
	struct run *run = start_command(lab, as, command, format, arguments);

	run->has_report = true;
	return run;
}

struct run *lab_start_move(struct lab *lab, const char *format, ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start_move(lab, NULL, "move-pid", format, arguments);
	va_end(arguments);
	return run;
}

struct run *lab_move_as(struct lab *lab, const struct lab_as *as, const char *format, ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start_move(lab, as, "move-pid", format, arguments);
	va_end(arguments);
	lab_finish(run);
	return run;
}

struct run *lab_start_move_file(struct lab *lab, const char *format, ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start_move(lab, NULL, "move-file", format, arguments);
	va_end(arguments);
	return run;
}

struct run *lab_move_file_as(struct lab *lab, const struct lab_as *as, const char *format,
			     ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start_move(lab, as, "move-file", format, arguments);
	va_end(arguments);
	lab_finish(run);
	return run;
}

struct run *lab_show_file(struct lab *lab, const struct lab_as *as, const char *format,
			  ...)
{
	const char *problem;
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start_command(lab, as, "show-file --output-all", format, arguments);
	va_end(arguments);
	lab_finish(run);
	if (run->out[0] != '{' && run->status != EXIT_IN_PLACE &&
	    run->status != EXIT_PARTLY)
		return run;
	if (!report_parse_files(run->out, &run->files, &run->nr_files, &problem))
		fail_msg("not what show-file says: %s", problem);
	return run;
}

struct run *lab_migratectl_as(struct lab *lab, const struct lab_as *as,
			      const char *format, ...)
{
	char line[MAX_LINE];
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	run = start_run(lab, as, lab_program_path("MIGRATECTL", "migratectl"), line);
	lab_finish(run);
	return run;
}

struct run *lab_program(struct lab *lab, const char *format, ...)
{
	char line[MAX_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	return start_run(lab, NULL, "", line);
}

void lab_end_runs(struct lab *lab)
{
	struct run *run;

	while ((run = lab->runs)) {
		lab->runs = run->next;
		if (!run->finished) {
			lab_kill(run->pid);
			close(run->out_fd);
			close(run->err_fd);
		}
		free(run->out);
		free(run->err);
		free(run->reports);
		free(run->files);
		free(run);
	}
}
