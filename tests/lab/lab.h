/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scenarios are written with: victims whose memory is moved, runs of
 * migratectl, the oracle that says what really happened, and the machine's knobs.
 *
 * A test gets its world as *state. Whatever the test starts or changes through it is
 * ended or undone when the test is over, failed or not. Functions that cannot do what
 * they are asked fail the test. Everything that is waited for has a time limit.
 */
#ifndef LAB_H
#define LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "oracle.h"
#include "report.h"

#define FORMAT(string, first) __attribute__((format(printf, string, first)))
#define PAGE_BYTES UINT64_C(4096)
#define MEBIBYTE (UINT64_C(1) << 20)
#define PAGES_PER_MEBIBYTE (MEBIBYTE / PAGE_BYTES)
/** Since Linux 6.2 each processor keeps up to 32 pages of VmSwap for itself. */
#define UNSEEN_SWAPPED_PAGES 128

/* migratectl's exit statuses. */
#define EXIT_IN_PLACE 0
#define EXIT_FAILED 1
#define EXIT_MISUSED 2
#define EXIT_UNSUPPORTED 3
#define EXIT_PARTLY 64

struct lab;

int lab_setup(void **state);
int lab_teardown(void **state);

#define LAB_TEST(function) \
	cmocka_unit_test_setup_teardown(function, lab_setup, lab_teardown)

/**
 * lab_main - run the tests of a scenario
 * @nr_nodes: with memory, that the machine must have. If more than one, it must be a
 *            machine of the lab too: such tests take memory, swap and settings as they
 *            need them.
 * Return: for main(): 0, 1 if a test failed, 77 if none did and one was skipped.
 */
#define lab_main(tests, nr_nodes) \
	lab_run_tests(tests, sizeof(tests) / sizeof((tests)[0]), nr_nodes)

int lab_run_tests(const struct CMUnitTest *tests, size_t nr_tests, unsigned int nr_nodes);

/** lab_has_time - whether MIGRATECTL_LAB_LONG asks for what takes minutes. */
bool lab_has_time(void);

/** lab_skip - end the test here because it cannot be done on this machine. */
void lab_skip(const char *format, ...) FORMAT(1, 2);

/* ---------------------------------------------------------------- processes */

/** Who a process is run as; all zero: as the test itself. */
struct lab_as {
	uid_t uid;              /**< not 0: this user, without any capability */
	const char *cgroup;     /**< a directory from lab_cgroup() */
	bool own_pid_namespace; /**< its pid is 1 there, and another one here */
	const long *without;    /**< numbers of system calls that it lacks, then -1 */
	const char *input;      /**< for its stdin, of migratectl */
	pid_t pid;              /**< not 0: gets this one, which must be free */
};

/** A process whose memory is moved, see victim.c. */
struct victim {
	pid_t pid;
	uint64_t start; /**< of the memory of its kind */
	uint64_t end;
	uint64_t nr_pages; /**< of the range; not all need be resident */
	pid_t children[8];
	size_t nr_children;
	int to;
	int from;
	struct oracle_view *before; /**< right before what lab_move_half_way() started */
	struct oracle_view *after;  /**< right after the last lab_assert_moves() */
	struct victim *next;
};

/** lab_victim - start a victim with these arguments and wait until it is ready. */
#define lab_victim(lab, ...) lab_victim_as(lab, NULL, __VA_ARGS__)

struct victim *lab_victim_as(struct lab *lab, const struct lab_as *as, const char *format,
			     ...) FORMAT(3, 4);

/** lab_ask - let it do something; it must answer "ok". */
void lab_ask(struct victim *victim, const char *format, ...) FORMAT(2, 3);

/** lab_tell - as lab_ask(), but it answers nothing, or later by lab_await_ready(). */
void lab_tell(struct victim *victim, const char *command);

/** lab_await_ready - the answer to "exec": its memory is another now. */
void lab_await_ready(struct victim *victim);

/**
 * lab_huge_victim - start a victim whose memory is nothing but transparent huge pages
 *
 * The kernel makes small ones where it does not find a huge one soon enough, so there
 * are several tries.
 */
struct victim *lab_huge_victim(struct lab *lab, const struct lab_as *as,
			       unsigned int mebibytes, int node);

/** lab_fork - let it make children that share its memory. */
void lab_fork(struct victim *victim, unsigned int nr);

/** lab_assert_intact - no byte of its memory has changed, nor of its children's. */
void lab_assert_intact(struct victim *victim);

/** lab_end_victim - kill it and wait for its end; it must not be used any more. */
void lab_end_victim(struct lab *lab, struct victim *victim);

/** A program that runs or has run. */
struct run {
	pid_t pid;
	int status; /**< its exit status, or 128 and the signal's number */
	char *out;
	char *err;
	double seconds;
	long peak_kib;       /**< the most memory that it had when last looked at */
	long whole_peak_kib; /**< to its end, but not less than this program has of its own */
	struct report *reports; /**< of --json: one for each target */
	size_t nr_reports;
	const struct report *report; /**< the first, NULL if there is none */
	int out_fd;
	int err_fd;
	double started;
	bool finished;
	bool has_report;           /**< what it prints must be one, unless it fails */
	struct report_file *files; /**< of show-file: @nr_files, then the sum */
	size_t nr_files;
	struct run *next;
};

/** lab_program - start any program; lab_finish() waits, the test's end ends it. */
struct run *lab_program(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/** lab_migratectl - run it to its end. */
#define lab_migratectl(lab, ...) lab_migratectl_as(lab, NULL, __VA_ARGS__)

struct run *lab_migratectl_as(struct lab *lab, const struct lab_as *as,
			      const char *format, ...) FORMAT(3, 4);

/**
 * lab_move - run `migratectl move-pid --json` with these further arguments
 *
 * A status of 0 or 64 must come with a report that adds up.
 */
#define lab_move(lab, ...) lab_move_as(lab, NULL, __VA_ARGS__)

struct run *lab_move_as(struct lab *lab, const struct lab_as *as, const char *format, ...)
	FORMAT(3, 4);

/** lab_start_move - as lab_move(), but only start it; lab_finish() waits. */
struct run *lab_start_move(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/** lab_move_file - as lab_move(), with `migratectl move-file --json` */
#define lab_move_file(lab, ...) lab_move_file_as(lab, NULL, __VA_ARGS__)

struct run *lab_move_file_as(struct lab *lab, const struct lab_as *as, const char *format,
			     ...) FORMAT(3, 4);

/** lab_start_move_file - but only start it; lab_finish() waits. */
struct run *lab_start_move_file(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/**
 * lab_show_file - run `migratectl show-file --json` with these further arguments
 * @as: NULL: as the test itself
 *
 * A status of 0 or 64 must come with figures: run->files.
 */
struct run *lab_show_file(struct lab *lab, const struct lab_as *as, const char *format,
			  ...) FORMAT(3, 4);

/** lab_finish - wait for its end and read what it said. */
void lab_finish(struct run *run);

/** lab_expect_report - of a program that becomes a `migratectl move-pid --json`. */
void lab_expect_report(struct run *run);

/**
 * lab_move_busy - as lab_move(), of somebody who does not keep still
 *
 * What was busy at the moment is moved again, a few times. Other reasons are for the
 * caller to judge.
 */
struct run *lab_move_busy(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/**
 * lab_move_half_way - start a move and stop it before most of it is done
 * @victim: of 8 MiB or more, all of it on node 0; with its children, if it has any
 * @node: where to
 * @options: besides --rate and --to
 *
 * At least 1 MiB has come and 1 MiB has not, and the process stands still until
 * lab_resume(). If it is over too soon, all is brought back and moved more slowly.
 */
struct run *lab_move_half_way(struct lab *lab, struct victim *victim, int node,
			      const char *options);

void lab_resume(const struct run *run);

/** lab_has_ended - whether a run is over, without waiting for it. */
bool lab_has_ended(const struct run *run);

/* --------------------------------------------------------------- assertions */

/** lab_look - where all pages of a victim and of its children are now. */
struct oracle_view *lab_look(struct lab *lab, const struct victim *victim);

struct oracle_view *lab_look_pid(struct lab *lab, pid_t pid);

/** lab_count - pages of the victim's own range on a node; -1: on any. */
uint64_t lab_count(const struct victim *victim, const struct oracle_view *view, int node);

/**
 * lab_assert_accounting - a report says what the oracle saw
 *
 * For targets that did nothing meanwhile: considered are all their pages; moved,
 * pair by pair, are those that are elsewhere now; already, skipped and left are the
 * others; nothing is gone; and the residency before and after is right to the page.
 * Of pages that are mapped several times, "moved" may count each mapping or each
 * page. The equation moved + already + skipped + left + gone = considered is asserted
 * for every report, as soon as it is read.
 */
struct oracle_change lab_assert_accounting(const struct report *report,
					   const struct oracle_view *before,
					   const struct oracle_view *after);

/**
 * lab_assert_moves - move an idle victim with these arguments (without its pid): all
 * that was asked for gets in place, the report is right, the content unharmed
 */
const struct report *lab_assert_moves(struct lab *lab, struct victim *victim,
				      const char *format, ...) FORMAT(3, 4);

/** lab_assert_status - the run ended with this status. */
#define lab_assert_status(run, status) \
	lab_assert_status_at(run, status, __FILE__, __LINE__)

void lab_assert_status_at(const struct run *run, int status, const char *file, int line);

/** lab_assert_says - a run's stderr contains a text. */
void lab_assert_says(const struct run *run, const char *text);

/**
 * lab_assert_all_on - every page of the victim's range is on a node, and as many as
 * the range has
 */
void lab_assert_all_on(struct lab *lab, const struct victim *victim, int node);

/** lab_assert_nothing_moved - what lab_look() saw is unchanged. */
void lab_assert_nothing_moved(struct lab *lab, const struct victim *victim,
			      const struct oracle_view *before);

/* ------------------------------------------------------------------ machine */

/** lab_nodes - the number of nodes that have memory. */
unsigned int lab_nodes(void);

/** lab_set - write to a file of the kernel; the old content comes back after. */
void lab_set(struct lab *lab, const char *path, const char *format, ...) FORMAT(3, 4);

/** lab_read - a file's first line, without the newline; valid until the next call. */
const char *lab_read(const char *path);

/** lab_shell - run a command, which must succeed; @undo runs after, NULL: nothing. */
void lab_shell(struct lab *lab, const char *undo, const char *format, ...) FORMAT(3, 4);

/** lab_cgroup - make a cgroup whose cpuset allows only these nodes. */
const char *lab_cgroup(struct lab *lab, const char *name, const char *nodes);

/** lab_hugetlb_pool - let a node have so many huge pages of 2 MiB in its pool. */
void lab_hugetlb_pool(struct lab *lab, int node, unsigned int nr_pages);

/** lab_hugetlb_free - how many of them are free. */
unsigned int lab_hugetlb_free(int node);

/** lab_free_bytes - free memory of a node. */
uint64_t lab_free_bytes(int node);

/**
 * lab_show_all_free - keep free pages out of the lists of single processors, where they
 * are not for others and counted nowhere
 */
void lab_show_all_free(struct lab *lab);

/** lab_drop_caches - write everything out and forget what is clean. */
void lab_drop_caches(void);

/** lab_leave_free - take a node's memory, in 2 MiB pieces, until so much is free. */
void lab_leave_free(struct lab *lab, int node, uint64_t bytes);

/** lab_swap_on - have swap of that size. */
void lab_swap_on(struct lab *lab, unsigned int mebibytes);

/** lab_mount - a file system of that type, empty; valid as long as the test. */
const char *lab_mount(struct lab *lab, const char *type, unsigned int mebibytes);

/** lab_now - a clock that only goes forward, in seconds. */
double lab_now(void);

#endif
