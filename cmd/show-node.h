/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the views of show-node share. */
#ifndef MIGRATECTL_SHOW_NODE_H
#define MIGRATECTL_SHOW_NODE_H

#include <libmigrate.h>

#include "machine.h"
#include "options.h"
#include "output.h"

enum show_node_by {
	BY_NOTHING = 0,
	BY_PROCESS = 1,
	BY_CGROUP = 2,
	BY_FILE = 3,
	BY_MOUNT = 4,
};

struct show_node_args {
	struct common_args common;
	bool blocks;
	bool all_nodes;
	unsigned int by; /**< enum show_node_by */
	unsigned int top;
	const char *search;
};

extern const struct column_set show_node_kind_columns;
extern const struct column_set show_node_block_columns;
extern const struct column_set show_node_holder_columns;

/** The nodes that are shown, and what each holds. */
struct shown_nodes {
	struct mig_nodeset set;
	size_t count;
	int *numbers;                   /**< ascending */
	struct mig_node_memory *memory; /**< one for each */
};

/** shown_nodes_done - a zeroed one is allowed. */
void shown_nodes_done(struct shown_nodes *nodes);

/** shown_nodes_read - Return: STATUS_OK, or a status after a message. */
int shown_nodes_read(const struct machine *machine, const struct mig_nodeset *set,
		     struct shown_nodes *ret_nodes);

/** known_sum - MIG_UNKNOWN_BYTES where either is. */
uint64_t known_sum(uint64_t a, uint64_t b);

/** known_rest - @a without @b, not below 0: counters are not read at one moment. */
uint64_t known_rest(uint64_t a, uint64_t b);

/** show_node_put_kinds - a row of show_node_kind_columns for each kind. */
int show_node_put_kinds(struct table *table, const struct show_node_args *args,
			const struct machine *machine, const struct shown_nodes *nodes);

/**
 * show_node_put_blocks - a row of show_node_block_columns for each block of the nodes
 * Return: STATUS_OK; STATUS_PARTLY: not all is known; or a status after a message.
 */
int show_node_put_blocks(struct table *table, const struct machine *machine,
			 const struct shown_nodes *nodes);

/** One that holds memory of the nodes. */
struct holder {
	char *name;
	char *type;           /**< of mounts: the file system's; else NULL */
	uint64_t pid;         /**< 0: none */
	uint64_t total_bytes; /**< on the nodes */
	uint64_t *node_bytes; /**< one for each of the nodes */
};

/** The largest ones, and the sum of the others. */
struct holders {
	const struct shown_nodes *nodes;
	size_t top;
	struct holder *all;
	size_t count;
	size_t capacity;
	size_t nr_sorted; /**< the largest of those that came before the others */
	uint64_t nr_others;
	uint64_t *other_bytes; /**< one for each of the nodes */
	uint64_t *found_bytes; /**< of all, likewise */
	/** Could not be looked at, of how many: processes, cgroups or files. */
	uint64_t nr_denied;
	uint64_t nr_looked_at;
};

/** holders_init - Errors: -ENOMEM. */
int holders_init(struct holders *holders, const struct shown_nodes *nodes, size_t top);

/** holders_done - a zeroed one is allowed. */
void holders_done(struct holders *holders);

/**
 * holders_pass_over - whether one has too little to be shown
 * @pid: 0: none
 *
 * It is counted then, so that its name need not be known.
 */
bool holders_pass_over(struct holders *holders, uint64_t pid, const uint64_t *node_bytes);

/**
 * holders_add - one more; one that has nothing on the nodes is passed over
 * @node_bytes: one for each of the nodes
 * @type:       may be NULL
 *
 * Memory is bounded by the number of those that are shown. Errors: -ENOMEM.
 */
int holders_add(struct holders *holders, const char *name, const char *type, uint64_t pid,
		const uint64_t *node_bytes);

/** holders_sort - the largest first, no more than are shown; the rest are others. */
void holders_sort(struct holders *holders);

/**
 * Who finds holders: all of one sort.
 * Return: STATUS_OK; STATUS_PARTLY: some could not be looked at; or a status after a
 * message.
 */
int show_node_find_processes(const struct machine *machine, struct holders *holders);
int show_node_find_cgroups(const struct machine *machine, struct holders *holders);
int show_node_find_files(const struct show_node_args *args, const struct machine *machine,
			 struct holders *holders);

/** show_node_put_holders - fill show_node_holder_columns: holders, others, and the rest. */
void show_node_put_holders(struct table *table, const struct show_node_args *args,
			   const struct holders *holders);

/** show_node_write_holders - the same as members of the object that is open. */
void show_node_write_holders(const struct table *table, const struct show_node_args *args,
			     const struct holders *holders, struct json *json);

#endif
