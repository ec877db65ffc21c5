/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scenarios about cgroups are written with: cgroups of a test's own, and an
 * oracle that reads their files by itself. A group is its directory, a path that is
 * valid as long as the test.
 */
#ifndef LAB_CGROUPS_H
#define LAB_CGROUPS_H

#include "lab.h"

#define LAB_CGROUPS "/sys/fs/cgroup"

/**
 * lab_group - make a cgroup below the root of a hierarchy
 * @root: where the hierarchy is mounted; NULL: LAB_CGROUPS
 * @name: "lab-x"; what is above it must be there
 *
 * When the test is over it is removed, and whoever is still in it ends before.
 */
const char *lab_group(struct lab *lab, const char *root, const char *name);

/** lab_group_below - make one below another, which passes these controllers on first. */
const char *lab_group_below(struct lab *lab, const char *parent, const char *name,
			    const char *controllers);

/** lab_group_name - as migratectl calls it: below the root of LAB_CGROUPS. */
const char *lab_group_name(const char *group);

/** lab_member - start a victim in a group. */
struct victim *lab_member(struct lab *lab, const char *group, const char *format, ...)
	FORMAT(3, 4);

/** Two members: of @pinned io_uring holds half of the pages, @other has all to itself. */
struct lab_pinned {
	const char *group;
	struct victim *pinned;
	struct victim *other;
};

/** lab_pinned - make a group with them, all of it on node 0. */
struct lab_pinned lab_pinned(struct lab *lab);

/** lab_assert_pinned_left - a move has left what is pinned, with the reason, and no more. */
void lab_assert_pinned_left(const struct lab_pinned *members, const struct run *run);

/** lab_join - put a process into a group. */
void lab_join(const char *group, pid_t pid);

/** lab_group_write - write to a file of a group; false: the kernel refuses. */
bool lab_group_write(const char *group, const char *file, const char *text);

/** lab_group_read - the first line of a file; valid until the next lab_read(). */
const char *lab_group_read(const char *group, const char *file);

/** lab_has_file - whether the group has it: the files of a controller, for one. */
bool lab_has_file(const char *group, const char *file);

/* ----------------------------------------------------------------- the oracle */

/** lab_look_group - where all pages of all members are, of groups below too. */
struct oracle_view *lab_look_group(struct lab *lab, const char *group);

/** lab_charged - bytes of a kind in memory.numa_stat: "file"; @node: -1: on any */
uint64_t lab_charged(const char *group, const char *kind, int node);

/** lab_await_charged - wait until that many bytes and no more than @most are charged. */
void lab_await_charged(const char *group, const char *kind, int node, uint64_t least,
		       uint64_t most);

/** lab_is_frozen - whether all of it stands still, as the kernel says. */
bool lab_is_frozen(const char *group);

/** lab_await_frozen - wait until it is so, or no longer so. */
void lab_await_frozen(const char *group, bool frozen);

/** lab_await_on - wait until so many pages of a victim are on a node. */
void lab_await_on(const struct victim *victim, int node, uint64_t nr_pages);

/* -------------------------------------------------------------------- the runs */

/** lab_move_group - run `migratectl move-cgroup --json` with these further arguments */
#define lab_move_group(lab, ...) lab_move_group_by(lab, "", __VA_ARGS__)

/** lab_start_move_group - but only start it; lab_finish() waits. */
struct run *lab_start_move_group(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/** lab_move_group_by - @prefix: the words of a program that runs it: "setpriv …" */
struct run *lab_move_group_by(struct lab *lab, const char *prefix, const char *format,
			      ...) FORMAT(3, 4);

/**
 * lab_assert_group_moves - move an idle group with these arguments (without its name):
 * all that was asked for gets in place, and the report is right
 */
const struct report *lab_assert_group_moves(struct lab *lab, const char *group,
					    const char *format, ...) FORMAT(3, 4);

#define LAB_MOST_SHOWN 16
#define LAB_MOST_KINDS 24

/** A row of show-cgroup --by-kind. */
struct shown_kind {
	char account[16];
	char kind[16];
	uint64_t total_bytes; /**< or REPORT_UNKNOWN */
	uint64_t node_bytes[REPORT_MAX_NODES];
};

/** A cgroup of show-cgroup --json. What is not told is REPORT_UNKNOWN. */
struct shown_group {
	char path[256];
	uint64_t processes;
	uint64_t hidden;
	uint64_t total_bytes;
	uint64_t node_bytes[REPORT_MAX_NODES];
	uint64_t swapped_bytes;
	uint64_t local_percent;
	uint64_t run_nodes; /**< bits, as the next two */
	uint64_t mems;
	uint64_t own_mems;
	size_t nr_kinds;
	struct shown_kind kinds[LAB_MOST_KINDS];
};

/** What one call of show-cgroup has said. */
struct shown {
	struct run *run;
	size_t nr;
	struct shown_group groups[LAB_MOST_SHOWN];
};

/**
 * lab_show_groups - run `migratectl show-cgroup --json` with these further arguments
 * @ret_shown: all of it, where the status is 0 or 64
 */
#define lab_show_groups(lab, ret_shown, ...) \
	lab_show_groups_by(lab, "", ret_shown, __VA_ARGS__)

/** lab_show_groups_by - @prefix: as of lab_move_group_by() */
void lab_show_groups_by(struct lab *lab, const char *prefix, struct shown *ret_shown,
			const char *format, ...) FORMAT(4, 5);

/** lab_shown_kind - a row of it, which must be there */
const struct shown_kind *lab_shown_kind(const struct shown_group *group,
					const char *account, const char *kind);

#endif
