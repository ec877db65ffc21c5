/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scenarios about page cache that is charged to a cgroup and mapped by nobody
 * are written with. The witnesses are memory.numa_stat, kpagecgroup, the frames and the
 * device's counters.
 */
#ifndef LAB_CACHE_H
#define LAB_CACHE_H

#include "lab_cgroups.h"
#include "lab_files.h"

/** What else a group comes to be charged for, and what numa_stat does not know yet. */
#define LAB_CACHE_SLACK (MEBIBYTE / 2)

/** How much the group of a scene has: where it is moved, and where something else is
 * looked at. */
#define LAB_CACHE_MUCH (48 * MEBIBYTE)
#define LAB_CACHE_LITTLE (12 * MEBIBYTE)

/** A group with dirty cache on node 0 that nobody has mapped, and another beside it. */
struct lab_cache {
	struct lab_disk disk;
	const char *group;
	const char *other;
	const char *path;
	const char *other_path;
	uint64_t bytes;
	uint64_t nr_pages;
	const struct lab_file_view *before;
	const struct lab_file_view *other_before;
	struct lab_io io;
};

/**
 * lab_cache - make them, without any member
 * @root: where the hierarchy is mounted that has the memory controller
 */
struct lab_cache lab_cache(struct lab *lab, const char *root, uint64_t bytes);

/** lab_cache_group - a group below @root that tells what it is charged for. */
const char *lab_cache_group(struct lab *lab, const char *root, const char *name);

/** lab_write_as - write a file on node 0, by a process of a group, which has ended then. */
void lab_write_as(const char *group, const char *path, uint64_t bytes);

/** lab_await_file_bytes - wait until so much cache is charged to a group, about. */
void lab_await_file_bytes(const char *group, int node, uint64_t bytes);

/**
 * lab_assert_only_cache_moved - the group's cache is on a node, as dirty as before and
 * still charged to it, and nothing else has happened
 */
void lab_assert_only_cache_moved(struct lab *lab, const struct lab_cache *scene,
				 int node);

/** lab_cache_way - "damon", "files", or "" for null. */
const char *lab_cache_way(const struct run *run);

/** lab_assert_cache_moved - so much, that way; some of what is the file system's own may
 * have stayed. */
void lab_assert_cache_moved(const struct run *run, uint64_t bytes, const char *way);

/**
 * lab_assert_cache_moves_frozen - the group's cache is found in files and moves to node 1
 * with 24 MiB of a member, which is at work before and afterwards and not meanwhile
 * @name:    what migratectl is told to move
 * @freezer: the group that freezes it
 */
void lab_assert_cache_moves_frozen(struct lab *lab, const struct lab_cache *scene,
				   struct victim *victim, const char *name,
				   const char *freezer);

#endif
