/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory blocks of nodes: taking them offline, bringing them back, and telling what
 * became of each.
 *
 *	CLEANUP_BLOCKS struct blocks blocks = { 0 };
 *
 *	status = blocks_offline(&machine, &nodes, &options, &blocks);
 *	blocks_say(&blocks);
 *	... blocks_print() or blocks_write() ...
 *	return status ? status : blocks_get_status(&blocks);
 */
#ifndef MIGRATECTL_BLOCKS_H
#define MIGRATECTL_BLOCKS_H

#include <libmigrate.h>

#include "frame_users.h"
#include "machine.h"
#include "output.h"

enum block_result {
	BLOCK_WOULD_TRY = 0, /**< a dry run */
	BLOCK_DONE = 1,
	BLOCK_ALREADY = 2,
	BLOCK_REFUSED = 3,
	BLOCK_TIMED_OUT = 4,
	BLOCK_STOPPED = 5,   /**< in the middle, by a signal; it is as it was */
	BLOCK_SKIPPED = 6,   /**< it could only fail, or is not ours */
	BLOCK_NOT_TRIED = 7, /**< what came before has ended it all */
};

#define BLOCK_NR_RESULTS 8

/** Why it is not, or may not be, as it was asked for. */
enum block_reason {
	BLOCK_NO_REASON = 0,
	BLOCK_HOLES = 1,     /**< or several zones */
	BLOCK_SHARED = 2,    /**< with a node that was not named */
	BLOCK_UNMOVABLE = 3, /**< a page that never moves is in it */
	BLOCK_HELD = 4,      /**< a page does not go */
	BLOCK_ZONE = 5,      /**< online, but not in the zone that was asked for */
	BLOCK_STUCK = 6,     /**< the kernel does not end the attempt */
	BLOCK_ERROR = 7,     /**< the errno says it */
};

/** One block, and what became of it. */
struct block {
	uint64_t number;
	uint64_t first_frame;
	uint64_t nr_pages;
	struct mig_nodeset nodes;
	enum mig_block_state state; /**< as it is now */
	char zones[32];             /**< as they are now */
	bool has_contents;
	uint64_t used_pages;      /**< before: neither free nor absent */
	uint64_t unmovable_pages; /**< of them, of the kernel */
	enum block_result result;
	enum block_reason reason;
	int error; /**< negative errno; 0: none */
	bool has_frame;
	uint64_t frame; /**< of the page in the way */
	enum mig_content content;
	char page[64];            /**< what the kernel's log calls it; "" */
	struct frame_users users; /**< of the page in the way */
	uint64_t elapsed_ns;
};

struct blocks {
	bool is_online; /**< they were to be brought back */
	bool is_dry;
	bool is_stopped; /**< by a signal */
	uint64_t page_size;
	struct mig_nodeset wanted; /**< the nodes that were named */
	struct block *entries;     /**< in the order in which they are tried */
	size_t nr;
};

struct blocks_options {
	bool dry_run;             /**< only say what would be tried */
	uint64_t timeout_ns;      /**< of each block; of blocks_offline() */
	enum mig_block_zone zone; /**< of blocks_online() */
};

/** blocks_done - a zeroed one is allowed. */
void blocks_done(struct blocks *blocks);

#define CLEANUP_BLOCKS CLEANUP(blocks_done)

/**
 * blocks_offline - take the blocks of nodes offline, one at a time
 *
 * The emptiest first, and of equals the highest. Those that other nodes have a part of
 * are not touched. A signal of stop_signal.h ends it; the caller watches for them.
 * Return: STATUS_OK, whatever became of the blocks; or the status of what has kept all
 * from being tried: after a message, or, where @ret_blocks has them, with blocks_say().
 */
int blocks_offline(const struct machine *machine, const struct mig_nodeset *nodes,
		   const struct blocks_options *options, struct blocks *ret_blocks);

/** blocks_online - bring the blocks of nodes back, as blocks_offline(). */
int blocks_online(const struct machine *machine, const struct mig_nodeset *nodes,
		  const struct blocks_options *options, struct blocks *ret_blocks);

/** blocks_find_users - who has the pages in the way mapped. Used by blocks_offline(). */
void blocks_find_users(const struct machine *machine, struct blocks *blocks);

/** blocks_count - how many have a result. */
size_t blocks_count(const struct blocks *blocks, enum block_result result);

/** blocks_get_status - of what became of them. */
int blocks_get_status(const struct blocks *blocks);

/** What blocks_print() shows; for the help, and for --output. */
extern const struct column_set blocks_columns;

/** blocks_print - a table and a line. Return: STATUS_OK, or a status after a message. */
int blocks_print(const struct blocks *blocks, const struct common_args *common,
		 const char *command);

/** blocks_write - "blocks", an array, into the object that is open. */
void blocks_write(const struct blocks *blocks, struct json *json);

/** blocks_say - what has kept blocks, as messages with hints. */
void blocks_say(const struct blocks *blocks);

#endif
