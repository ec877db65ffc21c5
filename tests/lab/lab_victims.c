// SPDX-License-Identifier: GPL-2.0-or-later
/* Victims: starting them, talking to them, and looking at them. */
#include "lab_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE 256

static char read_state(pid_t pid, pid_t thread)
{
	char path[64], text[512] = "", *state;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, thread);
	stream = fopen(path, "re");
	if (!stream || !fgets(text, sizeof(text), stream))
		text[0] = '\0';
	if (stream)
		fclose(stream);
	state = strrchr(text, ')');
	return state ? state[2] : 'Z';
}

/* The other threads count only where they do the leader's work. */
static bool are_others_asleep(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	bool asleep = true;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	while (directory && asleep && (entry = readdir(directory))) {
		if (atoi(entry->d_name) > 0)
			asleep = strchr("SZ", read_state(pid, atoi(entry->d_name)));
	}
	if (directory)
		closedir(directory);
	return asleep;
}

static bool is_asleep(pid_t pid)
{
	char state = read_state(pid, pid);

	return state == 'S' || (state == 'Z' && are_others_asleep(pid));
}

/* Before it waits for the next command, it may still touch a page for the first time,
 * between the oracle's look and another's. */
static void await_rest(const struct victim *victim)
{
	while (!is_asleep(victim->pid))
		usleep(1000);
	for (size_t i = 0; i < victim->nr_children; i++) {
		while (!is_asleep(victim->children[i]))
			usleep(1000);
	}
}

/* Reads a line that must come in time. */
static void read_answer(struct victim *victim, char line[MAX_LINE])
{
	double deadline = lab_now() + LAB_ANSWER_SECONDS;
	size_t length = 0;

	while (length < MAX_LINE - 1) {
		struct pollfd ready = { .fd = victim->from, .events = POLLIN };
		int left_ms = (int)((deadline - lab_now()) * 1000);

		if (left_ms <= 0 || poll(&ready, 1, left_ms) <= 0)
			fail_msg("victim %d does not answer", victim->pid);
		if (read(victim->from, line + length, 1) != 1)
			fail_msg("victim %d has ended", victim->pid);
		if (line[length] == '\n')
			break;
		length++;
	}
	line[length] = '\0';
	await_rest(victim);
}

static void send_line(struct victim *victim, const char *line)
{
	if (dprintf(victim->to, "%s\n", line) < 0)
		fail_msg("victim %d does not listen to '%s'", victim->pid, line);
}

void lab_await_ready(struct victim *victim)
{
	char line[MAX_LINE];
	pid_t pid;

	read_answer(victim, line);
	if (sscanf(line, "ready %d %" SCNx64 " %" SCNx64, &pid, &victim->start,
		   &victim->end) != 3)
		fail_msg("a victim says '%s'", line);
	victim->nr_pages = (victim->end - victim->start) / PAGE_BYTES;
}

struct victim *lab_victim_as(struct lab *lab, const struct lab_as *as, const char *format,
			     ...)
{
	struct victim *victim = calloc(1, sizeof(*victim));
	char line[MAX_LINE], **words;
	va_list arguments;
	int to[2], from[2];

	assert_non_null(victim);
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	words = lab_split(lab_program_path("VICTIM", "victim"), line);
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		fail_msg("no pipes: %s", strerror(errno));
	victim->pid = lab_spawn(words, as, (struct lab_streams){ to[0], from[1], 2 });
	free(words);
	close(to[0]);
	close(from[1]);
	victim->to = to[1];
	victim->from = from[0];
	victim->next = lab->victims;
	lab->victims = victim;
	lab_await_ready(victim);
	return victim;
}

static bool is_huge(struct lab *lab, const struct victim *victim, int node)
{
	return oracle_count_flag(lab_look(lab, victim), ORACLE_THP, node, victim->start,
				 victim->end) == victim->nr_pages;
}

struct victim *lab_huge_victim(struct lab *lab, const struct lab_as *as,
			       unsigned int mebibytes, int node)
{
	struct victim *victim;

	for (int i = 0; i < 5; i++) {
		victim = lab_victim_as(lab, as, "--kind thp --size %uM --node %d",
				       mebibytes, node);
		if (is_huge(lab, victim, node))
			return victim;
		lab_end_victim(lab, victim);
		lab_drop_caches();
		lab_shell(lab, NULL, "echo 1 >/proc/sys/vm/compact_memory");
	}
	fail_msg("node %d has no huge pages to give", node);
	return NULL;
}

void lab_tell(struct victim *victim, const char *command)
{
	send_line(victim, command);
}

void lab_ask(struct victim *victim, const char *format, ...)
{
	char command[MAX_LINE], line[MAX_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	send_line(victim, command);
	read_answer(victim, line);
	if (strncmp(line, "ok", 2))
		fail_msg("victim %d answers '%s' to '%s'", victim->pid, line, command);
	if (sscanf(line, "ok %" SCNx64 " %" SCNx64, &victim->start, &victim->end) == 2)
		victim->nr_pages = (victim->end - victim->start) / PAGE_BYTES;
}

void lab_assert_intact(struct victim *victim)
{
	lab_ask(victim, "check");
}

void lab_fork(struct victim *victim, unsigned int nr)
{
	char command[32], line[MAX_LINE], *rest = line;

	snprintf(command, sizeof(command), "fork %u", nr);
	send_line(victim, command);
	read_answer(victim, line);
	if (strcmp(strsep(&rest, " "), "children"))
		fail_msg("victim %d cannot fork", victim->pid);
	victim->nr_children = 0;
	for (char *word; (word = strsep(&rest, " "));)
		victim->children[victim->nr_children++] = atoi(word);
	assert_int_equal(victim->nr_children, nr);
	await_rest(victim);
}

static void end(struct victim *victim)
{
	lab_kill(victim->pid);
	close(victim->to);
	close(victim->from);
	free(victim);
}

void lab_end_victim(struct lab *lab, struct victim *victim)
{
	struct victim **at = &lab->victims;

	while (*at != victim)
		at = &(*at)->next;
	*at = victim->next;
	end(victim);
}

void lab_end_victims(struct lab *lab)
{
	struct victim *victim;

	while ((victim = lab->victims)) {
		lab->victims = victim->next;
		end(victim);
	}
}

/* ------------------------------------------------------------------- looking */

static struct oracle_view *new_view(struct lab *lab)
{
	struct lab_view *view = calloc(1, sizeof(*view));

	assert_non_null(view);
	view->next = lab->views;
	lab->views = view;
	return &view->view;
}

static void look(struct oracle_view *view, pid_t pid)
{
	int err = oracle_look(view, pid);

	if (err)
		fail_msg("the oracle cannot look at %d: %s", pid, strerror(-err));
}

struct oracle_view *lab_look_pid(struct lab *lab, pid_t pid)
{
	struct oracle_view *view = new_view(lab);

	look(view, pid);
	return view;
}

struct oracle_view *lab_look(struct lab *lab, const struct victim *victim)
{
	struct oracle_view *view = lab_look_pid(lab, victim->pid);

	for (size_t i = 0; i < victim->nr_children; i++)
		look(view, victim->children[i]);
	return view;
}

uint64_t lab_count(const struct victim *victim, const struct oracle_view *view, int node)
{
	return oracle_count(view, node, victim->start, victim->end);
}
