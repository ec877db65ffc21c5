/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What it costs to look, to start, and how much memory a move takes. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static double time_program(const char *const *arguments)
{
	uint64_t begin = bench_now_ns();

	bench_run(arguments, NULL, NULL);
	return (double)(bench_now_ns() - begin) / 1e6;
}

static double time_numa_maps(pid_t pid)
{
	static char buffer[65536];
	uint64_t begin = bench_now_ns();
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
	return (double)(bench_now_ns() - begin) / 1e6;
}

int bench_show(size_t size_bytes, bool huge, unsigned int rounds, const char *tool)
{
	static const char *const names[] = { "numastat -p", "reading numa_maps",
					     "migratectl show-pid" };
	double values[3][BENCH_MOST_ROUNDS];
	struct bench_victim victim;
	char pid[16];

	bench_victim_start(&victim, size_bytes, huge);
	snprintf(pid, sizeof(pid), "%d", victim.pid);
	for (unsigned int round = 0; round < rounds; round++) {
		values[0][round] =
			time_program((const char *[]){ "numastat", "-p", pid, NULL });
		values[1][round] = time_numa_maps(victim.pid);
		values[2][round] =
			time_program((const char *[]){ tool, "show-pid", pid, NULL });
	}
	bench_victim_stop(&victim);
	printf("%zu MiB of %s pages, %u rounds\n", size_bytes >> 20,
	       huge ? "transparent huge" : "small", rounds);
	bench_print_medians(names, values, 3, rounds);
	return 0;
}

/* Both are asked to move a process that does not exist. */
int bench_start(unsigned int rounds, const char *tool)
{
	static const char *const names[] = { "migratepages", "migratectl move-pid" };
	double values[2][BENCH_MOST_ROUNDS];

	for (unsigned int round = 0; round < rounds; round++) {
		values[0][round] = time_program(
			(const char *[]){ "migratepages", "4194303", "0", "0", NULL });
		values[1][round] = time_program((const char *[]){
			tool, "move-pid", "--to", "0", "4194303", NULL });
	}
	printf("start, %u rounds\n", rounds);
	bench_print_medians(names, values, 2, rounds);
	return 0;
}

int bench_memory(size_t size_bytes, const char *tool)
{
	struct bench_victim victim;
	char pid[16];
	const char *arguments[] = { tool, "move-pid", "--to", "1", pid, NULL };
	long peak_kib = 0;

	bench_victim_start(&victim, size_bytes, false);
	snprintf(pid, sizeof(pid), "%d", victim.pid);
	if (bench_run(arguments, NULL, &peak_kib) || bench_victim_node(&victim) != 1)
		bench_die("migratectl did not move everything");
	bench_victim_stop(&victim);
	printf("peak memory of migratectl moving %zu MiB: %ld KiB\n", size_bytes >> 20,
	       peak_kib);
	return 0;
}
