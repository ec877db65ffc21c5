/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * migratectl drain, in parts: what is on the nodes (drain_target.c), the rounds in which
 * it moves (drain.c), making room only (drain_free.c), keeping others away meanwhile and
 * afterwards (drain_fence.c), what is still there (drain_rest.c) and who has it
 * (drain_holders.c), and the memory blocks that it lies in (drain_blocks.c).
 */
#ifndef MIGRATECTL_DRAIN_H
#define MIGRATECTL_DRAIN_H

#include <libmigrate.h>

#include "move.h"
#include "move_report.h"

struct drain_args {
	struct move_args move;
	const char *free;  /**< how much is to be free; NULL: all that can be */
	const char *fence; /**< cgroups, with commas between; NULL: none */
	unsigned int rounds;
	bool reclaim;
	bool offline;
	uint64_t offline_timeout_ns;
	bool online;
	bool movable;
	bool kernel;
};

/** What all rounds have done. */
struct drain_sums {
	uint64_t moved_pages;
	uint64_t left_pages; /**< of the last round */
	uint64_t busy_pages; /**< of them, those that may go the next time */
	uint64_t came_pages; /**< allocated on the nodes between rounds */
	uint64_t reclaimed_bytes;
	bool is_broken_off; /**< by a signal, the time limit, or for want of rights */
};

/** A cgroup that is kept off the nodes. */
struct drain_fence {
	struct mig_cgroup *cgroup;
	struct mig_cpuset_change *change;
};

struct drain_fences {
	struct drain_fence *fences;
	size_t nr;
};

/** What --free has made of a node. */
struct drain_goal {
	int node;
	uint64_t wanted_bytes; /**< that are to be free */
	uint64_t before_bytes; /**< that were */
	uint64_t free_bytes;   /**< that are */
};

struct drain {
	const struct drain_args *args;
	struct move move;
	struct move_args moving;    /**< what move has: less time with each round */
	uint64_t end_ns;            /**< of --timeout; 0: none */
	struct mig_nodeset nodes;   /**< that are emptied */
	struct mig_nodeset targets; /**< where to */
	char name[256];             /**< "node 2", "nodes 2-3" */
	uint64_t page_size;
	bool is_begun; /**< the report, see drain_begin() */
	struct move_report report;
	unsigned int round;
	struct drain_sums sums;
	struct drain_fences fences;
	bool has_failed;          /**< a step of it, whatever the pages did */
	struct drain_goal *goals; /**< of --free, in the order of the nodes */
	size_t nr_goals;
};

#define DRAIN_PROCESSES 1U /**< everybody's memory */
#define DRAIN_CACHE 2U     /**< what nobody has mapped */

/** A round that has moved no more than that is the last of its kind, and for so little
 * there is no other one. */
#define DRAIN_TRIFLE_PAGES 256

/** What is to leave the nodes, and all that it needs. */
struct drain_target {
	struct mig_target *target;
	struct mig_target *members; /**< whose files are meant; NULL: the target's own */
	struct mig_files *files;    /**< where unmapped cache is looked for */
	struct mig_process *self;   /**< that has attached segments */
	void **segments;            /**< SysV memory that no process has attached */
	size_t nr_segments;
};

/**
 * drain_target_open - list what is on the machine now
 * @what: DRAIN_*
 * Return: STATUS_OK, or a status after a message.
 */
int drain_target_open(const struct drain *drain, unsigned int what,
		      struct drain_target *ret_target);

/** drain_target_close - a zeroed one is allowed. */
void drain_target_close(struct drain_target *target);

/** drain_begin - nothing refuses it any more: from now on there is a report. */
void drain_begin(struct drain *drain);

/**
 * drain_run - plan what is there now, and move it: one round
 * @plan: NULL: it is made here
 * Return: STATUS_OK, whatever stayed, or a status after a message.
 */
int drain_run(struct drain *drain, const struct drain_target *target,
	      struct mig_plan *plan);

/**
 * drain_choose - let these nodes be emptied from now on
 * Return: STATUS_OK, or a status after a message.
 */
int drain_choose(struct drain *drain, const struct mig_nodeset *nodes);

/**
 * drain_free_parse - how much is to be free, as --free says
 * Return: STATUS_OK, or STATUS_USAGE after a message.
 */
int drain_free_parse(const struct drain_args *args);

/**
 * drain_free - make so much free on each of the nodes, and no more
 *
 * Cache that nobody has mapped goes first, then the memory of processes that
 * have not run meanwhile, then that of the others, those first that have run
 * least. Return: exit status.
 */
int drain_free(struct drain *drain);

/** drain_free_write - "free", an array, into the object that is open. */
void drain_free_write(const struct drain *drain, struct json *json);

/**
 * drain_fences_open - find the cgroups of --fence, and change nothing yet
 * Return: STATUS_OK, or a status after a message.
 */
int drain_fences_open(const struct drain *drain, struct drain_fences *ret_fences);

/**
 * drain_fences_set - take the nodes out of their cpuset.mems
 *
 * The kernel moves the members' memory by itself. If one cannot be set, all are
 * as before. Return: STATUS_OK, or a status after a message.
 */
int drain_fences_set(const struct drain *drain, struct drain_fences *fences);

/** drain_fences_end - keep them, or undo them. Return: exit status. */
int drain_fences_end(struct drain_fences *fences, bool keep);

/** drain_fences_close - a zeroed one is allowed. */
void drain_fences_close(struct drain_fences *fences);

/**
 * drain_offline - take the memory blocks of the nodes offline, and report it
 * Return: exit status.
 */
int drain_offline(struct drain *drain);

/** drain_online - bring them back, and report it. Return: exit status. */
int drain_online(struct drain *drain);

/**
 * drain_rest_report - what the nodes hold now, by kind
 * Return: STATUS_OK, or a status after a message.
 */
int drain_rest_report(struct drain *drain);

/**
 * drain_holders_report - which processes have the most of what is on the nodes
 * Return: STATUS_OK, or a status after a message.
 */
int drain_holders_report(struct drain *drain);

#endif
