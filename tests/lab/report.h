/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `migratectl move-pid --json`, `move-cgroup --json`, `move-file --json`,
 * `drain --json` and `show-file --json` say, as structs: the only place that knows the
 * names of their keys.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_MAX_NODES 64
#define REPORT_MAX_REASONS 16

#define REPORT_UNKNOWN UINT64_MAX

struct report_amount {
	uint64_t pages;
	uint64_t bytes;
};

/** An entry of "skipped" or "left". */
struct report_reason {
	char reason[32];
	char text[160];
	char hint[256]; /**< "" if there is none */
	int node;       /**< -1 if there is none */
	int error;
	struct report_amount amount;
};

/** One target: a process and those that go with it, a cgroup, files, or a round. */
struct report {
	int pid;            /**< 0: a cgroup, or files */
	char cgroup[256];   /**< "": a process, or files */
	unsigned int round; /**< of drain; 0: something else */
	unsigned int processes;
	unsigned int processes_gone;
	unsigned int processes_hidden; /**< of cgroups */
	uint64_t bound_mems;           /**< of cgroups: bits of the nodes; 0: not bound */
	uint64_t bound_pages;          /**< what the kernel moved by itself */
	uint64_t files;
	uint64_t files_gone;
	uint64_t files_denied;
	struct report_amount considered;
	struct report_amount wanted;
	struct report_amount moved;
	struct report_amount already;
	struct report_amount gone;
	struct report_amount paged_out; /**< of processes */
	struct report_amount reread;    /**< of files */
	uint64_t swapped_pages;
	struct report_reason skipped[REPORT_MAX_REASONS];
	size_t nr_skipped;
	struct report_reason left[REPORT_MAX_REASONS];
	size_t nr_left;
	uint64_t huge_moved_whole;
	uint64_t huge_split;                                /**< or REPORT_UNKNOWN */
	uint64_t pairs[REPORT_MAX_NODES][REPORT_MAX_NODES]; /**< pages, from, to */
	uint64_t before_bytes[REPORT_MAX_NODES];
	uint64_t bound_bytes[REPORT_MAX_NODES]; /**< of cgroups that were bound */
	uint64_t after_bytes[REPORT_MAX_NODES];
	uint64_t settled_bytes[REPORT_MAX_NODES];
	bool has_after;
	bool has_settled;
	double seconds;
	double longest_call_seconds;
	unsigned int passes;
	unsigned int threads;
	bool stopped;
	bool timed_out;
};

/**
 * report_parse - read all targets of a report
 * @ret_reports: @ret_nr of them, to be freed with free(3)
 * @ret_problem: if this fails, what is wrong with the text; a string constant or a
 *               key's name
 * Return: whether the text is a report.
 */
bool report_parse(const char *text, struct report **ret_reports, size_t *ret_nr,
		  const char **ret_problem);

/** A file of show-file, or the sum over all. */
struct report_file {
	char path[256];
	uint64_t size_bytes;
	uint64_t cached_bytes;
	uint64_t dirty_bytes;     /**< or REPORT_UNKNOWN, as the next two */
	uint64_t writeback_bytes; /**< REPORT_UNKNOWN too where it is not a column */
	uint64_t large_bytes;
	uint64_t node_bytes[REPORT_MAX_NODES];
};

/**
 * report_parse_files - read what show-file says
 * @ret_files: @ret_nr of them and behind them the sum over all, to be freed with free(3)
 *
 * Otherwise as report_parse().
 */
bool report_parse_files(const char *text, struct report_file **ret_files, size_t *ret_nr,
			const char **ret_problem);

/** report_skipped - pages with that reason to skip; NULL: with any. */
uint64_t report_skipped(const struct report *report, const char *reason);

/** report_left - pages with that reason for being left; NULL: with any. */
uint64_t report_left(const struct report *report, const char *reason);

#endif
