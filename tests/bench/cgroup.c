/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast a cgroup moves: its processes, and the cache that nobody has mapped. */
#include <errno.h>
#include <inttypes.h>
#include <numa.h>
#include <numaif.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define CGROUP "/sys/fs/cgroup/bench"

/* That of programs: not one of those between which memory moves. */
#define CODE_NODE 2

static void write_text(const char *path, const char *text)
{
	FILE *stream = fopen(path, "we");

	if (!stream || fputs(text, stream) < 0 || fclose(stream))
		bench_die("cannot write %s", path);
}

static void make_cgroup(void)
{
	write_text("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset +memory");
	if (mkdir(CGROUP, 0755) && errno != EEXIST)
		bench_die("cannot make " CGROUP);
}

static void join(pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	write_text(CGROUP "/cgroup.procs", text);
}

static double time_shell(const char *command, int wanted)
{
	const char *const arguments[] = { "sh", "-c", command, NULL };
	uint64_t begin = bench_now_ns();
	int status = bench_run(arguments, NULL, NULL);

	if (status != wanted)
		bench_die("status %d of: %s", status, command);
	return (double)(bench_now_ns() - begin) / 1e6;
}

static double time_tool(const char *tool, const char *const *arguments)
{
	const char *all[8] = { tool, "move-cgroup" };
	uint64_t begin = bench_now_ns();
	int status;

	for (size_t i = 0; arguments[i]; i++)
		all[2 + i] = arguments[i];
	status = bench_run(all, NULL, NULL);
	/* 64: some busy pages were left, as it says. */
	if (status && status != 64)
		bench_die("migratectl ended with status %d", status);
	return (double)(bench_now_ns() - begin) / 1e6;
}

/* Where nearly all of it is; it may have left a page or two. */
static void check_victims(const struct bench_victim *victims, unsigned int nr, int node,
			  const char *who)
{
	unsigned int there = 0;

	for (unsigned int i = 0; i < nr; i++) {
		there += bench_victim_node(&victims[i]) == node;
		for (int again = 0; again < 10 && bench_victim_node(&victims[i]) != node;
		     again++)
			bench_bare_move(&victims[i], node, 1);
	}
	if (there < nr)
		printf("%s: %u of %u processes are not all on node %d\n", who, nr - there,
		       nr, node);
}

static void park_range(uint64_t start, uint64_t end)
{
	for (uint64_t at = start; at < end; at += (uint64_t)sysconf(_SC_PAGESIZE)) {
		void *page = (void *)(uintptr_t)at;
		int node = CODE_NODE, status;

		/* What is not there, or the kernel's, stays. */
		(void)*(volatile char *)page;
		move_pages(0, 1, &page, &node, &status, MPOL_MF_MOVE_ALL);
	}
}

/*
 * Bring the program, which the victims run too, and its libraries to a third node.
 * Where memory has held code that has run, an emulator is slow to have it written to
 * again; who moves code would make those who come next look slow.
 */
static void park_code(void)
{
	char line[512], permissions[5], path[256];
	uint64_t start, end;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (numa_max_node() < CODE_NODE)
		bench_die("this needs a third node");
	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %255s", &start,
			   &end, permissions, path) == 4 &&
		    permissions[0] == 'r' && permissions[1] == '-' && path[0] == '/')
			park_range(start, end);
	if (maps)
		fclose(maps);
}

int bench_cgroup(unsigned int nr, size_t size_bytes, unsigned int rounds,
		 const char *tool)
{
	static const char *const names[] = { "a loop of migratepages",
					     "a write to cpuset.mems",
					     "migratectl move-cgroup" };
	struct bench_victim *victims = calloc(nr, sizeof(*victims));
	double values[3][BENCH_MOST_ROUNDS];
	int node = 0;

	if (!victims)
		bench_die("out of memory");
	make_cgroup();
	write_text(CGROUP "/cpuset.mems", "0-1");
	for (unsigned int i = 0; i < nr; i++) {
		bench_victim_start_program(&victims[i], size_bytes);
		join(victims[i].pid);
	}
	park_code();
	for (unsigned int round = 0; round < rounds; round++)
		for (unsigned int i = 0; i < 3; i++) {
			char command[256], to[2] = { (char)('0' + !node), 0 };
			const char *const arguments[] = { "--to", to, "/bench", NULL };

			if (i == 0)
				snprintf(command, sizeof(command),
					 "for p in $(cat " CGROUP "/cgroup.procs); do "
					 "migratepages $p %d %d; done",
					 node, !node);
			else
				snprintf(command, sizeof(command),
					 "echo %d >" CGROUP "/cpuset.mems", !node);
			values[i][round] = i < 2 ? time_shell(command, 0)
						 : time_tool(tool, arguments);
			node = !node;
			write_text(CGROUP "/cpuset.mems", "0-1");
			check_victims(victims, nr, node, names[i]);
		}
	for (unsigned int i = 0; i < nr; i++)
		bench_victim_stop(&victims[i]);
	free(victims);
	printf("%u processes of %zu MiB, %u rounds\n", nr, size_bytes >> 20, rounds);
	bench_print_medians(names, values, 3, rounds);
	return 0;
}

int bench_cgroup_cache(size_t size_bytes, unsigned int rounds, const char *tool,
		       const char *directory)
{
	static const char *const names[] = { "by files", "by DAMON, where it is" };
	double values[2][BENCH_MOST_ROUNDS];
	char command[4096];
	int node = 0;

	make_cgroup();
	snprintf(command, sizeof(command),
		 "echo $$ >" CGROUP "/cgroup.procs && exec numactl --membind=0 dd "
		 "if=/dev/zero of=%s/bench-cache bs=1M count=%zu",
		 directory, size_bytes >> 20);
	time_shell(command, 0);
	for (unsigned int round = 0; round < rounds; round++)
		for (unsigned int i = 0; i < 2; i++) {
			char to[2] = { (char)('0' + !node), 0 };
			const char *const by_files[] = { "--cache", "--search", directory,
							 "--to",    to,         "/bench",
							 NULL };
			const char *const by_damon[] = { "--cache", "--to", to, "/bench",
							 NULL };

			values[i][round] = time_tool(tool, i ? by_damon : by_files);
			node = !node;
		}
	snprintf(command, sizeof(command), "rm %s/bench-cache", directory);
	time_shell(command, 0);
	printf("%zu MiB of cache that nobody has mapped, %u rounds\n", size_bytes >> 20,
	       rounds);
	bench_print_medians(names, values, 2, rounds);
	for (unsigned int i = 0; i < 2; i++)
		printf("%s: %.0f MiB/s\n", names[i],
		       (double)(size_bytes >> 20) /
			       (bench_median(values[i], rounds) / 1e3));
	return 0;
}
