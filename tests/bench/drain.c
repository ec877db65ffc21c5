/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast a node is emptied: one whose memory can be taken offline, as a module that
 * was plugged in. Half of what is on it belongs to processes, half is page cache that
 * nobody has mapped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define NODE 2
#define NR_VICTIMS 4
#define BLOCKS "/sys/devices/system/node/node2/memory[0-9]*"

static double time_shell(const char *command)
{
	const char *const arguments[] = { "sh", "-ec", command, NULL };
	uint64_t begin = bench_now_ns();
	int status = bench_run(arguments, NULL, NULL);

	/* 64: a page or two are busy, as it says. */
	if (status && status != 64)
		bench_die("status %d of: %s", status, command);
	return (double)(bench_now_ns() - begin) / 1e6;
}

/* All of it on the node again. */
static void fill(struct bench_victim *victims, size_t size_bytes, const char *directory)
{
	char command[4096];

	snprintf(
		command, sizeof(command),
		"for b in " BLOCKS "; do grep -q online $b/state || "
		"echo online_movable >$b/state; done; "
		"sync; echo 3 >/proc/sys/vm/drop_caches; rm -f %s/bench-cache; "
		"numactl --membind=%d dd if=/dev/zero of=%s/bench-cache bs=1M count=%zu; "
		"sync",
		directory, NODE, directory, size_bytes >> 20);
	time_shell(command);
	for (unsigned int i = 0; i < NR_VICTIMS; i++) {
		bench_bare_move(&victims[i], NODE, 1);
		if (bench_victim_node(&victims[i]) != NODE)
			bench_die("a victim is not on node %d", NODE);
	}
}

static void check(const struct bench_victim *victims, const char *who)
{
	for (unsigned int i = 0; i < NR_VICTIMS; i++)
		if (bench_victim_node(&victims[i]) == NODE)
			bench_die("%s: a victim is still there", who);
}

/* A loop over all processes, and all page cache of the machine away. */
static const char peers_way[] =
	"for p in /proc/[0-9]*; do migratepages ${p#/proc/} 2 1 || true; done; "
	"echo 3 >/proc/sys/vm/drop_caches";

/* The kernel chooses where to. */
static const char kernels_way[] = "for b in " BLOCKS "; do echo offline >$b/state; done";

int bench_drain(size_t size_bytes, unsigned int rounds, const char *tool,
		const char *directory)
{
	static const char *const names[] = { "migratepages, drop_caches",
					     "the kernel's own offline",
					     "migratectl drain --offline",
					     "migratectl drain" };
	struct bench_victim victims[NR_VICTIMS];
	double values[4][BENCH_MOST_ROUNDS];
	char ways[2][4096];

	snprintf(ways[0], sizeof(ways[0]), "%s drain --offline --to 1 %d", tool, NODE);
	snprintf(ways[1], sizeof(ways[1]), "%s drain --to 1 %d", tool, NODE);
	for (unsigned int i = 0; i < NR_VICTIMS; i++)
		bench_victim_start_program(&victims[i], size_bytes / 2 / NR_VICTIMS);
	for (unsigned int round = 0; round < rounds; round++)
		for (unsigned int i = 0; i < 4; i++) {
			fill(victims, size_bytes / 2, directory);
			values[i][round] = time_shell(i == 0   ? peers_way
						      : i == 1 ? kernels_way
							       : ways[i - 2]);
			check(victims, names[i]);
		}
	for (unsigned int i = 0; i < NR_VICTIMS; i++)
		bench_victim_stop(&victims[i]);
	printf("a node with %zu MiB, half of them unmapped page cache, %u rounds\n",
	       size_bytes >> 20, rounds);
	bench_print_medians(names, values, 4, rounds);
	return 0;
}
