/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast memory moves, and how long the target waits for it. */
#include <stdio.h>

#include "bench.h"

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
	if (bench_run(arguments, NULL))
		bench_die("migratepages failed");
}

static void by_bare_1(const struct bench_victim *victim, int node, const char *tool)
{
	(void)tool;
	bench_bare_move(victim, node, 1);
}

static void by_bare_2(const struct bench_victim *victim, int node, const char *tool)
{
	(void)tool;
	bench_bare_move(victim, node, 2);
}

static void by_migratectl(const struct bench_victim *victim, int node, const char *tool)
{
	char pid[16], to[4];
	const char *arguments[] = { tool, "move-pid", "--to", to, pid, NULL };

	snprintf(pid, sizeof(pid), "%d", victim->pid);
	snprintf(to, sizeof(to), "%d", node & 1);
	if (bench_run(arguments, NULL))
		bench_die("migratectl failed");
}

static const struct contender {
	const char *name;
	mover_fn move;
} contenders[] = {
	{ "migratepages", by_migratepages },
	{ "move_pages(2), 1 thread", by_bare_1 },
	{ "move_pages(2), 2 threads", by_bare_2 },
	{ "migratectl move-pid", by_migratectl },
};

#define NR_CONTENDERS (sizeof(contenders) / sizeof(*contenders))

/* Every contender moves the victim to the other node, then the next one back. */
static void one_round(const struct bench_victim *victim, unsigned int round, int *node,
		      const char *tool, double *times, double *touches, double *maps)
{
	for (size_t i = 0; i < NR_CONTENDERS; i++) {
		size_t who = (i + round) % NR_CONTENDERS;
		uint64_t begin;

		victim->counters->longest_touch_ns = victim->counters->longest_map_ns = 0;
		*node = !*node;
		begin = bench_now_ns();
		contenders[who].move(victim, *node, tool);
		times[who] = (double)(bench_now_ns() - begin) / 1e6;
		touches[who] = (double)victim->counters->longest_touch_ns / 1e6;
		maps[who] = (double)victim->counters->longest_map_ns / 1e6;
		if (bench_victim_node(victim) != *node)
			bench_die("%s did not move everything to node %d",
				  contenders[who].name, *node);
	}
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
	struct bench_victim victim;
	int node = 0;

	bench_victim_start(&victim, size_bytes, huge);
	__atomic_store_n(&victim.counters->working, working, __ATOMIC_RELEASE);
	for (unsigned int round = 0; round < rounds; round++) {
		double time[NR_CONTENDERS], touch[NR_CONTENDERS], map[NR_CONTENDERS];

		one_round(&victim, round, &node, tool, time, touch, map);
		for (size_t i = 0; i < NR_CONTENDERS; i++) {
			times[i][round] = time[i];
			touches[i][round] = touch[i];
			maps[i][round] = map[i];
		}
	}
	bench_victim_stop(&victim);
	printf("%zu MiB of %s pages, %u rounds\n", size_bytes >> 20,
	       huge ? "transparent huge" : "small", rounds);
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
