/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Benchmarks put a peer and the bare system call beside migratectl in one run, on
 * one victim, in turn, several times over, and print medians and ratios. They are
 * no tests: nothing passes or fails by a time.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_MOST_ROUNDS 64

/** A process whose memory is moved; its counters are in memory that we share. */
struct bench_victim {
	pid_t pid;
	char *start; /**< of its memory; the same address here and there */
	size_t size_bytes;
	size_t unit_bytes; /**< what one address stands for: a page or a huge page */
	struct bench_counters *counters; /**< NULL: of a program */
};

struct bench_counters {
	uint64_t longest_touch_ns; /**< that a write to one of its pages took */
	uint64_t longest_map_ns;   /**< that mmap(2), a write and munmap(2) took */
	bool working;              /**< asked for */
	bool ready;
};

/**
 * bench_victim_start - fork a process that fills memory on node 0
 * @huge: transparent huge pages
 */
void bench_victim_start(struct bench_victim *victim, size_t size_bytes, bool huge);

/**
 * bench_victim_start_program - a program of its own, which holds memory and sleeps
 *
 * It shares nothing with us and has no counters: many of them are like many programs,
 * where many forks would be like one.
 */
void bench_victim_start_program(struct bench_victim *victim, size_t size_bytes);

/** bench_hold_main - be such a program. */
int bench_hold_main(const char *size_bytes);

void bench_victim_stop(struct bench_victim *victim);

/** bench_victim_node - where its pages are; -1: not all on one node. */
int bench_victim_node(const struct bench_victim *victim);

/** bench_bare_move - a loop of move_pages(2) over its memory, nothing else. */
void bench_bare_move(const struct bench_victim *victim, int node, unsigned int threads);

/** bench_bare_main - the same as a program of its own: PID START SIZE UNIT NODE THREADS. */
int bench_bare_main(char **arguments);

/** The program that this is, for running it again. */
extern const char *bench_self;

/**
 * bench_run - run a program to its end
 * @output:       a file for its output; NULL: thrown away
 * @ret_peak_kib: the most memory that it had when last looked at; NULL: not watched
 * Return: its status.
 */
int bench_run(const char *const *arguments, const char *output, long *ret_peak_kib);

uint64_t bench_now_ns(void);

/** bench_median - sorts @values. */
double bench_median(double *values, size_t nr);

/** bench_print_medians - a line each, with its ratio to the last one; at most 8. */
void bench_print_medians(const char *const *names, double values[][BENCH_MOST_ROUNDS],
			 size_t nr, unsigned int rounds);

/** bench_die - a message and exit 1. */
__attribute__((noreturn, format(printf, 1, 2))) void bench_die(const char *format, ...);

/* One file each: what is measured. */
int bench_move(size_t size_bytes, bool huge, unsigned int rounds, const char *tool);
int bench_pause(size_t size_bytes, bool huge, unsigned int rounds, const char *tool);
int bench_show(size_t size_bytes, bool huge, unsigned int rounds, const char *tool);
int bench_start(unsigned int rounds, const char *tool);
int bench_memory(size_t size_bytes, const char *tool);

/** bench_file - a cached file of @directory, moved to the other node and back. */
int bench_file(size_t size_bytes, unsigned int rounds, const char *tool,
	       const char *directory);

/** bench_files - looking at many small files. */
int bench_files(unsigned int nr, unsigned int rounds, const char *tool,
		const char *directory);

/** bench_file_memory - what moving and looking at many files takes. */
int bench_file_memory(unsigned int nr, const char *tool, const char *directory);

/** bench_cgroup - a cgroup of some processes, moved to the other node and back. */
int bench_cgroup(unsigned int nr, size_t size_bytes, unsigned int rounds,
		 const char *tool);

/** bench_cgroup_cache - what a cgroup has read or written in a directory. */
int bench_cgroup_cache(size_t size_bytes, unsigned int rounds, const char *tool,
		       const char *directory);

/** bench_show_node - which of some processes have the most on a node. */
int bench_show_node(unsigned int nr, size_t size_bytes, unsigned int rounds,
		    const char *tool);

/** bench_drain - a node that is emptied. */
int bench_drain(size_t size_bytes, unsigned int rounds, const char *tool,
		const char *directory);

/** bench_file_main - the peers, as programs of their own. Return: 2: no such one. */
int bench_file_main(int argc, char **arguments);

#endif
