/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

const char *bench_self;

void bench_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

/* Not from wait4(2): what this program had when it forked is in that. */
static void wait_and_watch(pid_t pid, int *ret_status, long *ret_peak_kib)
{
	char path[64], line[128];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	while (!waitpid(pid, ret_status, WNOHANG)) {
		FILE *status = fopen(path, "re");

		while (status && fgets(line, sizeof(line), status))
			sscanf(line, "VmHWM: %ld kB", ret_peak_kib);
		if (status)
			fclose(status);
		usleep(1000);
	}
}

int bench_run(const char *const *arguments, const char *output, long *ret_peak_kib)
{
	posix_spawn_file_actions_t actions;
	char *argv[16] = { NULL };
	int status;
	pid_t pid;

	for (size_t i = 0; arguments[i] && i < 15; i++)
		argv[i] = strdup(arguments[i]);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, output ? output : "/dev/null",
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ))
		bench_die("cannot run %s", arguments[0]);
	if (ret_peak_kib)
		wait_and_watch(pid, &status, ret_peak_kib);
	else if (waitpid(pid, &status, 0) != pid)
		bench_die("cannot wait for %s", arguments[0]);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int ascending(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

double bench_median(double *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), ascending);
	return nr % 2 ? values[nr / 2] : (values[nr / 2 - 1] + values[nr / 2]) / 2;
}

void bench_print_medians(const char *const *names, double values[][BENCH_MOST_ROUNDS],
			 size_t nr, unsigned int rounds)
{
	double medians[8];

	for (size_t i = 0; i < nr; i++)
		medians[i] = bench_median(values[i], rounds);
	for (size_t i = 0; i < nr; i++)
		printf("%-26s %10.2f ms   %s takes %.2f times as long\n", names[i],
		       medians[i], names[i], medians[i] / medians[nr - 1]);
}

static int usage(void)
{
	fputs("usage: bench move|pause|show small|huge MIB ROUNDS MIGRATECTL\n"
	      "       bench start ROUNDS MIGRATECTL\n"
	      "       bench memory MIB MIGRATECTL\n"
	      "       bench file MIB ROUNDS MIGRATECTL DIRECTORY\n"
	      "       bench files NR ROUNDS MIGRATECTL DIRECTORY\n"
	      "       bench filememory NR MIGRATECTL DIRECTORY\n"
	      "       bench cgroup NR MIB ROUNDS MIGRATECTL\n"
	      "       bench cgroupcache MIB ROUNDS MIGRATECTL DIRECTORY\n"
	      "       bench drain MIB ROUNDS MIGRATECTL DIRECTORY\n"
	      "       bench shownode NR MIB ROUNDS MIGRATECTL\n",
	      stderr);
	return 2;
}

static unsigned int rounds_of(const char *text)
{
	unsigned long rounds = strtoul(text, NULL, 10);

	if (!rounds || rounds > BENCH_MOST_ROUNDS)
		bench_die("'%s': 1 to %d rounds", text, BENCH_MOST_ROUNDS);
	return (unsigned int)rounds;
}

static size_t bytes_of(const char *text)
{
	size_t mib = strtoul(text, NULL, 10);

	if (!mib)
		bench_die("'%s' is no number of MiB", text);
	return mib << 20;
}

static unsigned int number_of(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (!number || number > 10000000)
		bench_die("'%s': 1 to 10000000 files", text);
	return (unsigned int)number;
}

/* Return: -1: none of those about files. */
static int measure_files(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "file"))
		return bench_file(bytes_of(argv[2]), rounds_of(argv[3]), argv[4],
				  argv[5]);
	if (argc == 6 && !strcmp(argv[1], "files"))
		return bench_files(number_of(argv[2]), rounds_of(argv[3]), argv[4],
				   argv[5]);
	if (argc == 5 && !strcmp(argv[1], "filememory"))
		return bench_file_memory(number_of(argv[2]), argv[3], argv[4]);
	return -1;
}

/* Return: -1: none of those about cgroups and nodes. */
static int measure_groups(int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[1], "cgroup"))
		return bench_cgroup(number_of(argv[2]), bytes_of(argv[3]),
				    rounds_of(argv[4]), argv[5]);
	if (argc == 6 && !strcmp(argv[1], "drain"))
		return bench_drain(bytes_of(argv[2]), rounds_of(argv[3]), argv[4],
				   argv[5]);
	if (argc == 6 && !strcmp(argv[1], "cgroupcache"))
		return bench_cgroup_cache(bytes_of(argv[2]), rounds_of(argv[3]), argv[4],
					  argv[5]);
	return -1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*measure)(size_t, bool, unsigned int, const char *);
	} measures[] = {
		{ "move", bench_move },
		{ "pause", bench_pause },
		{ "show", bench_show },
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	bench_self = argv[0];
	if (argc == 8 && !strcmp(argv[1], "bare"))
		return bench_bare_main(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "hold"))
		return bench_hold_main(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "start"))
		return bench_start(rounds_of(argv[2]), argv[3]);
	if (argc == 4 && !strcmp(argv[1], "memory"))
		return bench_memory(bytes_of(argv[2]), argv[3]);
	for (size_t i = 0; argc == 6 && i < sizeof(measures) / sizeof(*measures); i++)
		if (!strcmp(argv[1], measures[i].name))
			return measures[i].measure(bytes_of(argv[3]),
						   !strcmp(argv[2], "huge"),
						   rounds_of(argv[4]), argv[5]);
	if (argc == 6 && !strcmp(argv[1], "shownode"))
		return bench_show_node(number_of(argv[2]), bytes_of(argv[3]),
				       rounds_of(argv[4]), argv[5]);
	if (argc > 1 && !bench_file_main(argc - 1, argv + 1))
		return 0;
	if (!measure_files(argc, argv) || !measure_groups(argc, argv))
		return 0;
	return usage();
}
