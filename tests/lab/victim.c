// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * victim: a process whose memory is to be moved, and which knows whether all of it
 * is still as it was.
 *
 *   victim [--kind KIND] [--size SIZE] [--node N[,N…] | --at N[,N…]] [--seed N]
 *          [--path FILE] [--keep-policy]
 *
 * Makes SIZE bytes (with K, M or G behind) of one kind of memory, consecutive parts on
 * the given nodes (--node: the rest of the process on the first of them too), fills it
 * with a pattern, prints
 *
 *   ready PID START END KIND
 *
 * and then obeys the commands on its stdin, a line each, answering with a line:
 *
 *   check             ok, or "damaged OFFSET"; asks its children too; not while it
 *                     has activities
 *   write             write the same content again to all of it
 *   refill            give it back to the kernel and fill it anew
 *   unmap             unmap its second half
 *   holes             give every second page back to the kernel
 *   remap             carry it to other addresses: "ok START END"
 *   fork N            make children that share it copy-on-write: "children PID…"
 *   start ACTIVITY    see victim_activities.h
 *   stop              end all activities; fails if one found something wrong
 *   leave-leader      end the thread-group leader; another thread goes on
 *   exec              start all over in the same process: "ready …" again
 *   exit              without an answer
 *
 * An answer of "failed COMMAND: ERROR" says that a command could not be done. At the
 * end of its input it waits to be killed.
 */
#include "victim_activities.h"
#include "victim_memory.h"

#include <alloca.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CHILDREN 8

/* Returned by commands that have answered themselves. */
#define ANSWERED 1

struct child {
	pid_t pid;
	int to;
	FILE *from;
};

struct victim {
	struct victim_options options;
	struct victim_memory memory;
	char **argv;
	FILE *in;
	FILE *out;
	struct child children[MAX_CHILDREN];
	size_t nr_children;
};

static void serve(struct victim *victim);

static int answer_ready(struct victim *victim)
{
	const struct victim_memory *memory = &victim->memory;

	fprintf(victim->out, "ready %d 0x%" PRIxPTR " 0x%" PRIxPTR " %s\n", getpid(),
		(uintptr_t)memory->start, (uintptr_t)memory->start + memory->size,
		memory->kind->name);
	return ANSWERED;
}

/* ----------------------------------------------------------------- commands */

static int check_children(struct victim *victim)
{
	char line[128];

	for (size_t i = 0; i < victim->nr_children; i++) {
		const struct child *child = &victim->children[i];

		if (dprintf(child->to, "check\n") < 0 ||
		    !fgets(line, sizeof(line), child->from))
			return -ECHILD;
		if (strcmp(line, "ok\n")) {
			fprintf(victim->out, "%s", line);
			return ANSWERED;
		}
	}
	return 0;
}

static int command_check(struct victim *victim, const char *argument)
{
	size_t offset;
	int err = victim_memory_check(&victim->memory, &offset);

	(void)argument;
	if (err)
		return err;
	if (offset != SIZE_MAX) {
		fprintf(victim->out, "damaged %zu\n", offset);
		return ANSWERED;
	}
	return check_children(victim);
}

static int command_write(struct victim *victim, const char *argument)
{
	(void)argument;
	return victim_memory_write(&victim->memory);
}

static int command_refill(struct victim *victim, const char *argument)
{
	struct victim_memory *memory = &victim->memory;

	(void)argument;
	if (madvise(memory->start, memory->size, MADV_DONTNEED))
		return -errno;
	return victim_memory_write(memory);
}

static int command_unmap(struct victim *victim, const char *argument)
{
	struct victim_memory *memory = &victim->memory;
	size_t half = memory->size / 2;

	(void)argument;
	if (munmap(memory->start + half, memory->size - half))
		return -errno;
	memory->size = half;
	return 0;
}

static int command_holes(struct victim *victim, const char *argument)
{
	struct victim_memory *memory = &victim->memory;

	(void)argument;
	for (size_t at = VICTIM_PAGE; at < memory->size; at += 2 * VICTIM_PAGE) {
		if (madvise(memory->start + at, VICTIM_PAGE, MADV_DONTNEED_LOCKED))
			return -errno;
	}
	memory->has_holes = true;
	return 0;
}

static int command_remap(struct victim *victim, const char *argument)
{
	struct victim_memory *memory = &victim->memory;
	void *place =
		mmap(NULL, memory->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *start;

	(void)argument;
	if (place == MAP_FAILED)
		return -errno;
	start = mremap(memory->start, memory->size, memory->size,
		       MREMAP_MAYMOVE | MREMAP_FIXED, place);
	if (start == MAP_FAILED)
		return -errno;
	memory->start = start;
	fprintf(victim->out, "ok 0x%" PRIxPTR " 0x%" PRIxPTR "\n", (uintptr_t)start,
		(uintptr_t)start + memory->size);
	return ANSWERED;
}

static void be_child(struct victim *victim, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	victim->nr_children = 0;
	victim->in = fdopen(fd, "r");
	victim->out = fdopen(dup(fd), "w");
	if (!victim->in || !victim->out)
		_exit(1);
	serve(victim);
	_exit(0);
}

static int make_child(struct victim *victim, struct child *child)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (child->pid == 0)
		be_child(victim, ends[1]);
	close(ends[1]);
	child->to = ends[0];
	child->from = fdopen(ends[0], "r");
	return child->from ? 0 : -errno;
}

static int command_fork(struct victim *victim, const char *argument)
{
	size_t wanted = strtoul(argument, NULL, 10);
	int err;

	if (!wanted || wanted > MAX_CHILDREN - victim->nr_children)
		return -EINVAL;
	for (; wanted; wanted--) {
		err = make_child(victim, &victim->children[victim->nr_children]);
		if (err)
			return err;
		victim->nr_children++;
	}
	fprintf(victim->out, "children");
	for (size_t i = 0; i < victim->nr_children; i++)
		fprintf(victim->out, " %d", victim->children[i].pid);
	fprintf(victim->out, "\n");
	return ANSWERED;
}

static int command_start(struct victim *victim, const char *argument)
{
	return victim_activity_start(&victim->memory, argument);
}

static int command_stop(struct victim *victim, const char *argument)
{
	(void)victim;
	(void)argument;
	return victim_activities_stop();
}

static bool leader_has_left(void)
{
	char path[64], text[256] = "";
	FILE *stream;
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	stream = fopen(path, "re");
	if (!stream)
		return false;
	if (!fgets(text, sizeof(text), stream))
		text[0] = '\0';
	fclose(stream);
	state = strrchr(text, ')');
	return state && state[1] == ' ' && state[2] == 'Z';
}

static void *go_on_without_leader(void *data)
{
	struct victim *victim = data;

	while (!leader_has_left())
		usleep(1000);
	fputs("ok\n", victim->out);
	fflush(victim->out);
	serve(victim);
	pause();
	return NULL;
}

static int command_leave_leader(struct victim *victim, const char *argument)
{
	pthread_t thread;
	int err;

	(void)argument;
	err = pthread_create(&thread, NULL, go_on_without_leader, victim);
	if (err)
		return -err;
	pthread_exit(NULL);
}

/* By its own name, which /proc/self/exe would take from it; and that has no file
 * when the leader has left. */
static int exec_again(char **argv)
{
	char self[4096];
	ssize_t length = readlink("/proc/thread-self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return -errno;
	self[length] = '\0';
	execv(self, argv);
	return -errno;
}

static int command_exec(struct victim *victim, const char *argument)
{
	(void)argument;
	return exec_again(victim->argv);
}

static int command_exit(struct victim *victim, const char *argument)
{
	(void)victim;
	(void)argument;
	_exit(0);
}

static const struct {
	const char *name;
	int (*run)(struct victim *victim, const char *argument);
} commands[] = {
	{ "check", command_check },   { "write", command_write },
	{ "refill", command_refill }, { "unmap", command_unmap },
	{ "holes", command_holes },   { "remap", command_remap },
	{ "fork", command_fork },     { "start", command_start },
	{ "stop", command_stop },     { "leave-leader", command_leave_leader },
	{ "exec", command_exec },     { "exit", command_exit },
};

static int obey(struct victim *victim, const char *name, const char *argument)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, name))
			return commands[i].run(victim, argument);
	}
	return -ENOSYS;
}

static void serve(struct victim *victim)
{
	char line[128], *argument;
	int err;

	while (fgets(line, sizeof(line), victim->in)) {
		line[strcspn(line, "\n")] = '\0';
		argument = strchr(line, ' ');
		if (argument)
			*argument++ = '\0';
		err = obey(victim, line, argument ? argument : "");
		if (err < 0)
			fprintf(victim->out, "failed %s: %s\n", line, strerror(-err));
		else if (err == 0)
			fputs("ok\n", victim->out);
		fflush(victim->out);
	}
}

/* ------------------------------------------------------------------ options */

static void usage(void)
{
	fprintf(stderr,
		"usage: victim [--kind KIND] [--size SIZE] [--node N[,N…]] [--seed N]\n"
		"              [--path FILE] [--keep-policy]\n"
		"kinds:");
	for (size_t i = 0; victim_kind_list(i); i++)
		fprintf(stderr, " %s", victim_kind_list(i));
	fputs("\n", stderr);
	exit(2);
}

static uint64_t parse_number(const char *text)
{
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		usage();
	return number;
}

static size_t parse_size(const char *text)
{
	size_t number, unit = 1;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (end == text || errno)
		usage();
	switch (*end) {
	case 'G':
		unit <<= 10;
		/* fall through */
	case 'M':
		unit <<= 10;
		/* fall through */
	case 'K':
		unit <<= 10;
		end++;
	}
	if (*end || number > SIZE_MAX / unit || number * unit % VICTIM_PAGE)
		usage();
	return number * unit;
}

/* Leaves the text as it is: exec needs it again. */
static void parse_nodes(const char *text, struct victim_options *options)
{
	int node, length;

	for (; sscanf(text, "%d%n", &node, &length) == 1; text++) {
		text += length;
		if (options->nr_nodes == VICTIM_MAX_NODES || node < 0 || node > 1023)
			usage();
		options->nodes[options->nr_nodes++] = node;
		if (*text != ',')
			break;
	}
	if (*text)
		usage();
}

static void parse_options(int argc, char **argv, struct victim_options *options)
{
	static const struct option known[] = {
		{ "kind", required_argument, NULL, 'k' },
		{ "size", required_argument, NULL, 's' },
		{ "node", required_argument, NULL, 'n' },
		{ "at", required_argument, NULL, 'a' },
		{ "seed", required_argument, NULL, 'e' },
		{ "path", required_argument, NULL, 'p' },
		{ "keep-policy", no_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'k':
			options->kind = optarg;
			break;
		case 's':
			options->size = parse_size(optarg);
			break;
		case 'a':
		case 'n':
			options->memory_only = option == 'a';
			parse_nodes(optarg, options);
			break;
		case 'e':
			options->seed = parse_number(optarg);
			break;
		case 'p':
			options->path = optarg;
			break;
		case 'b':
			options->keep_policy = true;
			break;
		default:
			usage();
		}
	}
	if (optind < argc || !victim_kind_find(options->kind))
		usage();
}

static void die(const char *what, int err)
{
	fprintf(stderr, "victim: cannot %s: %s\n", what, strerror(-err));
	exit(1);
}

/* The stack, the heap and the libraries' data too shall be on the (first) node: only
 * a program that starts with the policy has them there. */
static void start_on_node(const struct victim_options *options, char **argv)
{
	int err;

	if (!options->nr_nodes || options->memory_only ||
	    victim_is_bound(options->nodes[0]))
		return;
	err = victim_bind(options->nodes[0]);
	if (!err)
		err = exec_again(argv);
	die("bind to the node", err);
}

int main(int argc, char **argv)
{
	static struct victim victim = {
		.options = { .kind = "anon", .size = (size_t)16 << 20, .seed = 1 },
	};
	void *on_stack = NULL;
	int err;

	/* Not a byte more than the command: exec would lose it. */
	setvbuf(stdin, NULL, _IONBF, 0);
	victim.argv = argv;
	victim.in = stdin;
	victim.out = stdout;
	parse_options(argc, argv, &victim.options);
	start_on_node(&victim.options, argv);
	if (!strcmp(victim.options.kind, "stack")) {
		on_stack = alloca(victim.options.size + VICTIM_PAGE);
		on_stack = (void *)(((uintptr_t)on_stack + VICTIM_PAGE - 1) &
				    ~(VICTIM_PAGE - 1));
	}
	err = victim_memory_make(&victim.memory, &victim.options, on_stack);
	if (err)
		die("make the memory", err);
	answer_ready(&victim);
	fflush(stdout);
	serve(&victim);
	pause();
	return 0;
}
