// SPDX-License-Identifier: GPL-2.0-or-later
/* Cgroups of a test's own, and what the kernel's files say of them. */
#include "lab_cgroups.h"
#include "lab_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_GROUPS 64
#define MAX_PATH 160
#define MAX_MEMBERS 256
#define WAIT_SECONDS 60

static void join_path(char path[MAX_PATH], const char *root, const char *name)
{
	if (snprintf(path, MAX_PATH, "%s/%s", root, name) >= MAX_PATH)
		fail_msg("too long a path: %s/%s", root, name);
}

/* More than one test has. */
static const char *keep_path(const char *root, const char *name)
{
	static char paths[MAX_GROUPS][MAX_PATH];
	static size_t nr;
	char *path = paths[nr++ % MAX_GROUPS];

	join_path(path, root, name);
	return path;
}

/* Valid until the next call. */
static const char *file_path(const char *group, const char *file)
{
	static char path[MAX_PATH];

	join_path(path, group, file);
	return path;
}

/* Who was killed is still in it until somebody has waited for it. On v1 no page may stay
 * charged to it: a hierarchy lives as long as its last group, dead or not. */
static void forget_later(struct lab *lab, const char *group)
{
	char undo[1024];

	snprintf(undo, sizeof(undo),
		 "g=%s; [ -d $g ] || exit 0; "
		 "for i in $(seq 300); do "
		 "echo THAWED 2>/dev/null >$g/freezer.state; "
		 "for pid in $(cat $g/cgroup.procs); do kill -9 $pid; done 2>/dev/null; "
		 "[ ! -e $g/memory.force_empty ] || echo 0 >$g/memory.force_empty; "
		 "rmdir $g 2>/dev/null && exit; sleep 0.1; done; "
		 "cat $g/cgroup.procs; exit 1",
		 group);
	lab_shell(lab, undo, "mkdir %s", group);
}

const char *lab_group(struct lab *lab, const char *root, const char *name)
{
	const char *group = keep_path(root ? root : LAB_CGROUPS, name);

	forget_later(lab, group);
	return group;
}

const char *lab_group_below(struct lab *lab, const char *parent, const char *name,
			    const char *controllers)
{
	const char *group = keep_path(parent, name);

	if (controllers &&
	    !lab_group_write(parent, "cgroup.subtree_control", controllers))
		fail_msg("'%s' cannot pass on %s: %s", parent, controllers,
			 strerror(errno));
	forget_later(lab, group);
	return group;
}

const char *lab_group_name(const char *group)
{
	assert_memory_equal(group, LAB_CGROUPS, strlen(LAB_CGROUPS));
	return group + strlen(LAB_CGROUPS);
}

struct victim *lab_member(struct lab *lab, const char *group, const char *format, ...)
{
	struct lab_as as = { .cgroup = group };
	char options[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(options, sizeof(options), format, arguments);
	va_end(arguments);
	return lab_victim_as(lab, &as, "%s", options);
}

struct lab_pinned lab_pinned(struct lab *lab)
{
	const char *group = lab_group(lab, NULL, "lab-pinned");

	return (struct lab_pinned){
		.group = group,
		.pinned = lab_member(lab, group, "--kind io-uring --size 8M --node 0"),
		.other = lab_member(lab, group, "--size 4M --node 0"),
	};
}

void lab_assert_pinned_left(const struct lab_pinned *members, const struct run *run)
{
	uint64_t nr_pages = members->pinned->nr_pages / 2;

	lab_assert_status(run, EXIT_PARTLY);
	assert_int_equal(report_left(run->report, "pinned-io-uring"), nr_pages);
	assert_int_equal(report_left(run->report, NULL), nr_pages);
}

bool lab_group_write(const char *group, const char *file, const char *text)
{
	int fd = open(file_path(group, file), O_WRONLY | O_CLOEXEC);
	ssize_t written = -1;
	int error;

	if (fd >= 0) {
		written = write(fd, text, strlen(text));
		error = errno;
		close(fd);
		errno = error;
	}
	return written == (ssize_t)strlen(text);
}

void lab_join(const char *group, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", pid);
	if (!lab_group_write(group, "cgroup.procs", number))
		fail_msg("%d cannot join '%s': %s", pid, group, strerror(errno));
}

const char *lab_group_read(const char *group, const char *file)
{
	return lab_read(file_path(group, file));
}

bool lab_has_file(const char *group, const char *file)
{
	return !access(file_path(group, file), F_OK);
}

/* ------------------------------------------------------------------- members */

struct members {
	pid_t pids[MAX_MEMBERS];
	size_t nr;
};

static int compare_pids(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

/* Of a threaded group: that of the thread. */
static pid_t leader_of(pid_t tid)
{
	char path[64], line[128];
	pid_t leader = 0;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	stream = fopen(path, "re");
	while (stream && !leader && fgets(line, sizeof(line), stream))
		sscanf(line, "Tgid: %d", &leader);
	if (stream)
		fclose(stream);
	return leader;
}

static void add_member(struct members *members, pid_t pid)
{
	for (size_t i = 0; i < members->nr; i++) {
		if (members->pids[i] == pid)
			return;
	}
	assert_in_range(members->nr, 0, MAX_MEMBERS - 1);
	members->pids[members->nr++] = pid;
}

/* A threaded group's list of processes cannot be read. */
static void read_members(const char *group, struct members *members)
{
	bool is_threaded = lab_has_file(group, "cgroup.type") &&
			   !strcmp(lab_group_read(group, "cgroup.type"), "threaded");
	FILE *stream = fopen(
		file_path(group, is_threaded ? "cgroup.threads" : "cgroup.procs"), "re");
	pid_t pid;

	while (stream && fscanf(stream, "%d", &pid) == 1)
		add_member(members, is_threaded ? leader_of(pid) : pid);
	if (stream)
		fclose(stream);
}

static void read_all_members(const char *group, struct members *members)
{
	DIR *directory = opendir(group);
	struct dirent *entry;
	char path[512];

	read_members(group, members);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.200s/%s", group, entry->d_name);
		read_all_members(path, members);
	}
	if (directory)
		closedir(directory);
}

struct oracle_view *lab_look_group(struct lab *lab, const char *group)
{
	struct members members = { .nr = 0 };
	struct oracle_view *view;

	read_all_members(group, &members);
	assert_true(members.nr > 0);
	/* Two views are compared in the order in which they were made. */
	qsort(members.pids, members.nr, sizeof(members.pids[0]), compare_pids);
	view = lab_look_pid(lab, members.pids[0]);
	for (size_t i = 1; i < members.nr; i++) {
		int err = oracle_look(view, members.pids[i]);

		if (err)
			fail_msg("the oracle cannot look at %d: %s", members.pids[i],
				 strerror(-err));
	}
	return view;
}

/* ------------------------------------------------------------------- charges */

/* "file N0=4096 N1=0", and on v1 "file=1 N0=1 N1=0", in pages. */
static uint64_t sum_line(char *line, int node)
{
	uint64_t sum = 0, amount;
	int at;

	for (char *word; (word = strsep(&line, " "));) {
		if (sscanf(word, "N%d=%" SCNu64, &at, &amount) == 2 &&
		    (node < 0 || at == node))
			sum += amount;
	}
	return sum;
}

uint64_t lab_charged(const char *group, const char *kind, int node)
{
	FILE *stream = fopen(file_path(group, "memory.numa_stat"), "re");
	size_t length = strlen(kind);
	uint64_t amount = UINT64_MAX;
	char line[1024];

	if (!stream)
		fail_msg("'%s' has no memory.numa_stat", group);
	while (amount == UINT64_MAX && fgets(line, sizeof(line), stream)) {
		if (strncmp(line, kind, length))
			continue;
		if (line[length] == ' ')
			amount = sum_line(line, node);
		else if (line[length] == '=')
			amount = sum_line(line, node) * PAGE_BYTES;
	}
	fclose(stream);
	if (amount == UINT64_MAX)
		fail_msg("memory.numa_stat of '%s' has no '%s'", group, kind);
	return amount;
}

void lab_await_charged(const char *group, const char *kind, int node, uint64_t least,
		       uint64_t most)
{
	double deadline = lab_now() + WAIT_SECONDS;
	uint64_t bytes;

	while ((bytes = lab_charged(group, kind, node)) < least || bytes > most) {
		if (lab_now() > deadline)
			fail_msg("%" PRIu64 " bytes of %s are charged to '%s' on %d, "
				 "not %" PRIu64 " to %" PRIu64,
				 bytes, kind, group, node, least, most);
		usleep(100000);
	}
}

/* ----------------------------------------------------------- frozen, and moving */

bool lab_is_frozen(const char *group)
{
	char line[64];
	bool frozen = false;
	FILE *stream;

	if (lab_has_file(group, "freezer.state"))
		return !strcmp(lab_group_read(group, "freezer.state"), "FROZEN");
	stream = fopen(file_path(group, "cgroup.events"), "re");
	if (!stream)
		fail_msg("'%s' has no cgroup.events", group);
	while (fgets(line, sizeof(line), stream))
		frozen |= !strcmp(line, "frozen 1\n");
	fclose(stream);
	return frozen;
}

void lab_await_frozen(const char *group, bool frozen)
{
	double deadline = lab_now() + WAIT_SECONDS;

	while (lab_is_frozen(group) != frozen) {
		if (lab_now() > deadline)
			fail_msg("'%s' is %sfrozen", group, frozen ? "not " : "still ");
		usleep(10000);
	}
}

void lab_await_on(const struct victim *victim, int node, uint64_t nr_pages)
{
	double deadline = lab_now() + WAIT_SECONDS;
	struct oracle_view view = { 0 };
	uint64_t nr_there;

	do {
		if (lab_now() > deadline)
			fail_msg("nothing of victim %d comes to node %d", victim->pid,
				 node);
		usleep(20000);
		if (oracle_look(&view, victim->pid))
			fail_msg("the oracle cannot look at %d", victim->pid);
		nr_there = lab_count(victim, &view, node);
		oracle_forget(&view);
	} while (nr_there < nr_pages);
}

/* ------------------------------------------------------------------------ runs */

FORMAT(3, 0)
static struct run *start(struct lab *lab, const char *prefix, const char *format,
			 va_list arguments)
{
	char options[512];
	struct run *run;

	vsnprintf(options, sizeof(options), format, arguments);
	run = lab_program(lab, "%s%s move-cgroup --json %s", prefix,
			  lab_program_path("MIGRATECTL", "migratectl"), options);
	lab_expect_report(run);
	return run;
}

struct run *lab_start_move_group(struct lab *lab, const char *format, ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start(lab, "", format, arguments);
	va_end(arguments);
	return run;
}

struct run *lab_move_group_by(struct lab *lab, const char *prefix, const char *format,
			      ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start(lab, prefix, format, arguments);
	va_end(arguments);
	lab_finish(run);
	return run;
}

const struct report *lab_assert_group_moves(struct lab *lab, const char *group,
					    const char *format, ...)
{
	const struct oracle_view *before = lab_look_group(lab, group);
	char options[256];
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	vsnprintf(options, sizeof(options), format, arguments);
	va_end(arguments);
	run = lab_move_group(lab, "%s %s", options, group);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_accounting(run->report, before, lab_look_group(lab, group));
	assert_int_equal(report_left(run->report, NULL), 0);
	return run->report;
}
