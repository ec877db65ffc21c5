/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What it costs to say which of many processes have the most memory on a node. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

static double time_program(const char *const *arguments)
{
	uint64_t begin = bench_now_ns();
	int status = bench_run(arguments, NULL, NULL);

	if (status)
		bench_die("%s ended with status %d", arguments[0], status);
	return (double)(bench_now_ns() - begin) / 1e6;
}

static void read_numa_maps(pid_t pid)
{
	static char buffer[65536];
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		bench_die("cannot open %s", path);
	do
		length = read(fd, buffer, sizeof(buffer));
	while (length > 0);
	close(fd);
}

static double time_numa_maps(const struct bench_victim *victims, unsigned int nr)
{
	uint64_t begin = bench_now_ns();

	for (unsigned int i = 0; i < nr; i++)
		read_numa_maps(victims[i].pid);
	return (double)(bench_now_ns() - begin) / 1e6;
}

int bench_show_node(unsigned int nr, size_t size_bytes, unsigned int rounds,
		    const char *tool)
{
	static const char *const names[] = { "numastat -p", "reading numa_maps",
					     "migratectl show-node" };
	struct bench_victim *victims = calloc(nr, sizeof(*victims));
	double values[3][BENCH_MOST_ROUNDS];

	if (!victims)
		bench_die("out of memory");
	for (unsigned int i = 0; i < nr; i++)
		bench_victim_start_program(&victims[i], size_bytes);
	for (unsigned int round = 0; round < rounds; round++) {
		/* All whose command line has this in it. */
		values[0][round] = time_program(
			(const char *[]){ "numastat", "-p", bench_self, NULL });
		values[1][round] = time_numa_maps(victims, nr);
		values[2][round] = time_program(
			(const char *[]){ tool, "show-node", "--by=process", "0", NULL });
	}
	for (unsigned int i = 0; i < nr; i++)
		bench_victim_stop(&victims[i]);
	printf("%u processes with %zu MiB each, %u rounds\n", nr, size_bytes >> 20,
	       rounds);
	bench_print_medians(names, values, 3, rounds);
	free(victims);
	return 0;
}
