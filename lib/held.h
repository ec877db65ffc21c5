/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes that a target holds, found by number and, where they share it, by
 * memory. Each memory has one member.
 */
#ifndef MIG_HELD_H
#define MIG_HELD_H

#include "context.h"
#include "memories.h"

/** One that is held, because it is a member or because a tree goes through it. */
struct mig_held {
	struct mig_process *process;
	bool is_member; /**< false: it shares the memory of a member */
	bool in_tree;   /**< its descendants belong to the target */
};

/** Places in the array of held processes, in some order. */
struct mig_held_index {
	size_t *places;
	size_t count;
	size_t capacity;
};

struct mig_held_set {
	struct mig_context *context;
	struct mig_held *held;
	size_t nr;
	size_t capacity;
	struct mig_held_index members; /**< in the order in which they came */
	struct mig_held_index by_pid;
	struct mig_memories memories; /**< of the members */
};

/** mig_held_done - frees the processes; a zeroed set is allowed. */
void mig_held_done(struct mig_held_set *set);

/**
 * mig_held_find - the one that is held under this number now
 *
 * An earlier bearer does not count. Return: borrowed until the next one is kept; NULL.
 */
struct mig_held *mig_held_find(const struct mig_held_set *set, pid_t pid);

/** How a process comes to be held. */
enum mig_held_as {
	MIG_HELD_ALONE = 0,   /**< named by itself */
	MIG_HELD_IN_TREE = 1, /**< its descendants belong to the target */
	MIG_HELD_LISTED = 2,  /**< found in a list, in which it is found again */
};

/**
 * mig_held_keep - hold a process, as a member if no other has its memory
 *
 * One that shares a member's memory is held all the same unless it was named by itself:
 * a tree goes on below it, and it may call execve(2).
 * Errors: -EEXIST: it shares a member's memory; -ENOMEM. Takes @process over unless it
 * fails.
 */
int mig_held_keep(struct mig_held_set *set, struct mig_process *process,
		  enum mig_held_as as);

/** mig_held_retry_sharers - make members of those that have a memory of their own now.
 *  Errors: -ENOMEM. */
int mig_held_retry_sharers(struct mig_held_set *set);

#endif
