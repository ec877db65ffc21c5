/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast memory moves, and how long the target waits for it. */
#include <stdio.h>

#include "bench.h"

/** Where migratectl's report goes while it is read for its own time. */
#define REPORT "/tmp/bench-report"

/** Moves the victim's memory to @node, from the other of the two. */
typedef void (*mover_fn)(const struct bench_victim *victim, int node, const char *tool);

static void by_migratepages(const struct bench_victim *victim, int node, const char *tool)
{
	char pid[16], from[4], to[4];
	const char *arguments[] = { "migratepages", pid, from, to, NULL };

	(void)tool;
	snprintf(pid, sizeof(pid), "%d", victim->pid);
	snprintf(from, sizeof(from), "%d", !node);
	snprintf(to, sizeof(to), "%d", node & 1);
	if (bench_run(arguments, NULL, NULL))
		bench_die("migratepages failed");
}

/* A program of its own, as the others are: starting one is not free. */
static void by_bare(const struct bench_victim *victim, int node, const char *threads)
{
	char pid[16], start[32], size[32], unit[32], to[4];
	const char *arguments[] = { bench_self, "bare", pid,     start, size,
				    unit,       to,     threads, NULL };

	snprintf(pid, sizeof(pid), "%d", victim->pid);
	snprintf(start, sizeof(start), "%zu", (size_t)(uintptr_t)victim->start);
	snprintf(size, sizeof(size), "%zu", victim->size_bytes);
	snprintf(unit, sizeof(unit), "%zu", victim->unit_bytes);
	snprintf(to, sizeof(to), "%d", node & 1);
	if (bench_run(arguments, NULL, NULL))
		bench_die("the bare loop failed");
}

static void by_bare_1(const struct bench_victim *victim, int node, const char *tool)
{
	(void)tool;
	by_bare(victim, node, "1");
}

static void by_bare_2(const struct bench_victim *victim, int node, const char *tool)
{
	(void)tool;
	by_bare(victim, node, "2");
}

static void by_migratectl(const struct bench_victim *victim, int node, const char *tool)
{
	char pid[16], to[4];
	const char *arguments[] = { tool, "move-pid", "--json", "--to", to, pid, NULL };

	snprintf(pid, sizeof(pid), "%d", victim->pid);
	snprintf(to, sizeof(to), "%d", node & 1);
	/* 64: some busy pages were left, as it says. */
	int status = bench_run(arguments, REPORT, NULL);

	if (status && status != 64)
		bench_die("migratectl failed");
}

/* How long the move itself took, by migratectl's own report, in milliseconds. */
static double own_time(void)
{
	FILE *stream = fopen(REPORT, "re");
	double seconds = -1;
	char line[256];

	while (stream && fgets(line, sizeof(line), stream))
		if (sscanf(line, " \"seconds\": %lf", &seconds) == 1)
			break;
	if (stream)
		fclose(stream);
	return seconds * 1e3;
}

static const struct contender {
	const char *name;
	mover_fn move;
} contenders[] = {
	{ "migratepages", by_migratepages },
	{ "move_pages(2), 1 thread", by_bare_1 },
	{ "move_pages(2), 2 threads", by_bare_2 },
	{ "migratectl move-pid", by_migratectl },
	{ "  of that, the move", NULL },
};

#define NR_CONTENDERS (sizeof(contenders) / sizeof(*contenders))

/* Every contender moves the victim to the other node, then the next one back. */
static void one_round(const struct bench_victim *victim, unsigned int round, int *node,
		      const char *tool, double *times, double *touches, double *maps,
		      unsigned int *incomplete)
{
	for (size_t i = 0; i < NR_CONTENDERS; i++) {
		size_t who = (i + round) % NR_CONTENDERS;
		uint64_t begin;

		if (!contenders[who].move)
			continue;
		victim->counters->longest_touch_ns = victim->counters->longest_map_ns = 0;
		*node = !*node;
		begin = bench_now_ns();
		contenders[who].move(victim, *node, tool);
		times[who] = (double)(bench_now_ns() - begin) / 1e6;
		touches[who] = (double)victim->counters->longest_touch_ns / 1e6;
		maps[who] = (double)victim->counters->longest_map_ns / 1e6;
		if (bench_victim_node(victim) != *node)
			incomplete[who]++;
		/* So that the next one has as much to move. */
		for (int again = 0; again < 10 && bench_victim_node(victim) != *node;
		     again++)
			bench_bare_move(victim, *node, 1);
	}
	times[NR_CONTENDERS - 1] = own_time();
	touches[NR_CONTENDERS - 1] = touches[NR_CONTENDERS - 2];
	maps[NR_CONTENDERS - 1] = maps[NR_CONTENDERS - 2];
}

static void print(const char *title, double values[][BENCH_MOST_ROUNDS],
		  unsigned int rounds)
{
	double medians[NR_CONTENDERS];

	for (size_t i = 0; i < NR_CONTENDERS; i++)
		medians[i] = bench_median(values[i], rounds);
	printf("%-26s %10s %14s %14s\n", title, "median ms", "/ migratepages",
	       "/ 2 threads");
	for (size_t i = 0; i < NR_CONTENDERS; i++)
		printf("%-26s %10.1f %14.3f %14.3f\n", contenders[i].name, medians[i],
		       medians[i] / medians[0], medians[i] / medians[2]);
}

static int measure(size_t size_bytes, bool huge, unsigned int rounds, const char *tool,
		   bool working)
{
	double times[NR_CONTENDERS][BENCH_MOST_ROUNDS];
	double touches[NR_CONTENDERS][BENCH_MOST_ROUNDS];
	double maps[NR_CONTENDERS][BENCH_MOST_ROUNDS];
	unsigned int incomplete[NR_CONTENDERS] = { 0 };
	struct bench_victim victim;
	int node = 0;

	bench_victim_start(&victim, size_bytes, huge);
	__atomic_store_n(&victim.counters->working, working, __ATOMIC_RELEASE);
	for (unsigned int round = 0; round < rounds; round++) {
		double time[NR_CONTENDERS], touch[NR_CONTENDERS], map[NR_CONTENDERS];

		one_round(&victim, round, &node, tool, time, touch, map, incomplete);
		for (size_t i = 0; i < NR_CONTENDERS; i++) {
			times[i][round] = time[i];
			touches[i][round] = touch[i];
			maps[i][round] = map[i];
		}
	}
	bench_victim_stop(&victim);
	printf("%zu MiB of %s pages, %u rounds\n", size_bytes >> 20,
	       huge ? "transparent huge" : "small", rounds);
	for (size_t i = 0; i < NR_CONTENDERS; i++)
		if (incomplete[i])
			printf("%s left pages behind in %u rounds\n", contenders[i].name,
			       incomplete[i]);
	print(working ? "time while it works" : "time", times, rounds);
	if (working) {
		print("longest write to memory", touches, rounds);
		print("longest mmap to munmap", maps, rounds);
	}
	return 0;
}

int bench_move(size_t size_bytes, bool huge, unsigned int rounds, const char *tool)
{
	return measure(size_bytes, huge, rounds, tool, false);
}

int bench_pause(size_t size_bytes, bool huge, unsigned int rounds, const char *tool)
{
	return measure(size_bytes, huge, rounds, tool, true);
}
