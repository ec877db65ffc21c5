/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scenarios about draining nodes are written with: runs of `migratectl drain`,
 * and an oracle that counts what a node holds, frame by frame.
 */
#ifndef LAB_DRAIN_H
#define LAB_DRAIN_H

#include "lab_files.h"

#define LAB_KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"

/** lab_drain - run `migratectl drain --json` with these further arguments */
struct run *lab_drain(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/** lab_start_drain - but only start it; lab_finish() waits. */
struct run *lab_start_drain(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/** lab_has_damon - whether the kernel can move what nobody has mapped. */
bool lab_has_damon(void);

/** lab_search - the option to find it on this disk where the kernel cannot; or "". */
const char *lab_search(const struct lab_disk *disk);

/** lab_drained - pages that moved between two nodes, in all rounds; -1: any node. */
uint64_t lab_drained(const struct run *run, int from, int to);

/** lab_drain_number - a number beside the rounds: "came_bytes" */
uint64_t lab_drain_number(const struct run *run, const char *key);

/** lab_drain_rest - bytes of a kind that it says are still there: "anon" */
uint64_t lab_drain_rest(const struct run *run, const char *content, int node);

/** lab_drain_holder - the process that it says has most of what is there; 0: none */
pid_t lab_drain_holder(const struct run *run);

/** lab_drain_way - how unmapped cache moved: "damon", "files"; "": there was none */
const char *lab_drain_way(const struct run *run);

/** lab_fill_node - take a node's memory as far as it is in one piece.
 * Return: mebibytes that are free all the same. */
uint64_t lab_fill_node(struct lab *lab, int node);

/* ----------------------------------------------------------------- the oracle */

/** Pages of a node, by the flags of each of its frames. */
struct lab_node_pages {
	uint64_t anon;
	uint64_t file;  /**< page cache, without shmem */
	uint64_t shmem; /**< with tmpfs */
	uint64_t huge;  /**< of hugetlbfs, in use or free */
};

/** lab_look_at_node - of blocks that are online; what is free and the kernel's is none. */
struct lab_node_pages lab_look_at_node(int node);

/** lab_blocks_in_state - how many memory blocks of a node are "online". */
unsigned int lab_blocks_in_state(int node, const char *state);

/** lab_all_free_bytes - free memory of a node, with what processors keep aside */
uint64_t lab_all_free_bytes(int node);

#endif
