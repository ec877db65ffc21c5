/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every move command shares: the options that say where pages go and how, the
 * checks before anything moves, the run, and its report.
 */
#ifndef MIGRATECTL_MOVE_H
#define MIGRATECTL_MOVE_H

#include <libmigrate.h>

#include "machine.h"
#include "options.h"
#include "output.h"

struct move_args {
	struct common_args common;
	/* where to */
	const char *to;
	const char *from;
	const char *map;
	const char *weights;
	unsigned int place; /**< enum mig_place */
	/* what */
	unsigned int shared; /**< enum mig_shared */
	unsigned int only;   /**< bits of kind_words */
	struct mig_address_range range;
	uint64_t min_size_bytes;
	/* how */
	bool dry_run;
	bool force;
	unsigned int threads;
	unsigned int passes;
	uint64_t rate_bytes;
	uint64_t max_stall_ns;
	uint64_t timeout_ns;
	uint64_t settle_ns;
	unsigned int fallback; /**< enum mig_fallback */
	bool cache;            /**< of cgroups too */
	const char *search; /**< where cache of cgroups is looked for; NULL: not said */
	bool writeback;     /**< dirty pages move even where they are written */
	unsigned int require_percent;
	bool progress;
};

#define MOVE_DEFAULTS .require_percent = 100

extern const struct option_word move_place_words[];
extern const struct option_word move_shared_words[];

#define MOVE_EXCLUSIVE_MAP_TO 1U
#define MOVE_EXCLUSIVE_MAP_FROM 2U
#define MOVE_EXCLUSIVE_MAP_PLACE 4U

/** Where to: members of struct move_args, in the order of the help. */
#define OPTIONS_MOVE_WHERE                                                           \
	{ OPTION_STRING(struct move_args, to),                                       \
	  .letter = 't',                                                             \
	  .name = "to",                                                              \
	  .metavar = "NODES",                                                        \
	  .exclusive = MOVE_EXCLUSIVE_MAP_TO,                                        \
	  .help = "where pages go; this or --map is required" },                     \
		{ OPTION_STRING(struct move_args, from),                             \
		  .letter = 'f',                                                     \
		  .name = "from",                                                    \
		  .metavar = "NODES",                                                \
		  .exclusive = MOVE_EXCLUSIVE_MAP_FROM,                              \
		  .help = "move only pages that are on these nodes" },               \
		{ OPTION_STRING(struct move_args, map), .name = "map",               \
		  .metavar = "FROM:TO,...",                                          \
		  .exclusive = MOVE_EXCLUSIVE_MAP_TO | MOVE_EXCLUSIVE_MAP_FROM |     \
			       MOVE_EXCLUSIVE_MAP_PLACE,                             \
		  .help = "move the pages of each node FROM to the node TO" },       \
		{ OPTION_WORD(struct move_args, place),                              \
		  .name = "place",                                                   \
		  .metavar = "RULE",                                                 \
		  .words = move_place_words,                                         \
		  .exclusive = MOVE_EXCLUSIVE_MAP_PLACE,                             \
		  .help = "which of several targets a page goes to: relative (with " \
			  "--from the default), nearest (without) or spread" },      \
	{                                                                            \
		OPTION_STRING(struct move_args, weights),                            \
			.name = "weights", .metavar = "N:N...",                      \
			.exclusive = MOVE_EXCLUSIVE_MAP_PLACE << 1,                  \
			.help = "with --place=spread: how many pages each target "   \
				"gets in turn"                                       \
	}

/** Whether to, and how far. */
#define OPTIONS_MOVE_HOW                                                                 \
	{ OPTION_FLAG(struct move_args, dry_run), .letter = 'n', .name = "dry-run",      \
	  .help = "say what would move and what stands in the way; move nothing" },      \
		{ OPTION_FLAG(struct move_args, force), .name = "force",                 \
		  .help = "go on where the checks refuse, and move what can be moved" }, \
		{ OPTION_UNSIGNED(struct move_args, threads),                            \
		  .name = "threads",                                                     \
		  .metavar = "N",                                                        \
		  .minimum = 1,                                                          \
		  .maximum = 16,                                                         \
		  .help = "how many threads move; by default found out on the way" },    \
		{ OPTION_UNSIGNED(struct move_args, passes),                             \
		  .name = "passes",                                                      \
		  .metavar = "N",                                                        \
		  .minimum = 1,                                                          \
		  .maximum = 100,                                                        \
		  .help = "how often busy pages are tried, with growing pauses; 6 by "   \
			  "default" },                                                   \
		{ OPTION_SIZE(struct move_args, rate_bytes), .name = "rate",             \
		  .metavar = "SIZE", .minimum = 1,                                       \
		  .help = "move no more than this per second" },                         \
		{ OPTION_DURATION(struct move_args, max_stall_ns), .name = "max-stall",  \
		  .metavar = "DURATION", .minimum = 1,                                   \
		  .help = "how long one system call may take; 250ms by default" },       \
		{ OPTION_DURATION(struct move_args, timeout_ns), .name = "timeout",      \
		  .metavar = "DURATION", .minimum = 1, .help = "stop after this time" }, \
	{                                                                                \
		OPTION_DURATION(struct move_args, settle_ns),                            \
			.name = "settle", .metavar = "DURATION", .minimum = 1,           \
			.help = "look again after this time, and say what came back"     \
	}

/** What counts as success, and what is shown meanwhile. */
#define OPTIONS_MOVE_END                                                          \
	{ OPTION_PERCENT(struct move_args, require_percent), .name = "require",   \
	  .metavar = "PERCENT", .maximum = 100,                                   \
	  .help = "the share in place that counts as success; 100 by default" },  \
	{                                                                         \
		OPTION_FLAG(struct move_args, progress),                          \
			.name = "progress",                                       \
			.help = "show progress, also where standard error is no " \
				"terminal"                                        \
	}

extern const struct column_set move_columns;

enum move_kind {
	MOVE_PROCESSES = 0, /**< one, or with its descendants */
	MOVE_FILES = 1,
	MOVE_CGROUP = 2,
	MOVE_NODES = 3, /**< all that is on them */
};

/** The target that is moved as one, and what the user calls it. */
struct move_target {
	struct mig_target *target;
	enum move_kind kind;
	pid_t pid;         /**< of MOVE_PROCESSES */
	const char *name;  /**< of the process, the only path, the path of the cgroup, or
				the nodes; may hold any byte */
	const char *label; /**< in messages: "pid 42", "the files" */
	const struct mig_nodeset *nodes; /**< of MOVE_NODES */
	unsigned int round;              /**< the same: from 1 */
	void *data;                      /**< the command's own, for its hooks */
};

/** What setting a cpuset has done. */
struct move_binding {
	bool is_set;
	struct mig_nodeset mems;
	uint64_t elapsed_ns;
};

struct move;

/** What a command does around the move of each target. */
struct move_hooks {
	/**
	 * prepare - before the target moves, and not in a dry run
	 * @binding: filled where a cpuset was set: the target is planned again then
	 * Return: STATUS_OK, or a status after a message: it is not moved, and finish()
	 * is not called.
	 */
	int (*prepare)(const struct move *move, const struct move_target *target,
		       struct move_binding *binding);
	/**
	 * finish - when its last page has moved
	 * @undo: it was refused after all, or could not be begun
	 * Return: STATUS_OK, or a status after a message.
	 */
	int (*finish)(const struct move *move, const struct move_target *target,
		      bool undo);
};

/** A move as the options say it, ready for targets. */
struct move {
	const struct move_args *args;
	const char *command;
	struct machine machine;
	struct mig_placement *placement;
	const struct move_hooks *hooks; /**< NULL: none */
	unsigned int mended; /**< bits of findings that prepare() sees to: they refuse
				  only if they are still there afterwards */
	uint64_t most_cache_bytes; /**< of struct mig_plan_options; 0: all */
	/** Asked about ten times a second while pages move; true: that is enough. NULL:
	 *  all of it is moved. */
	bool (*has_enough)(void *data);
	void *enough_data;
};

/**
 * move_begin - open the machine and make the rule
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int move_begin(const char *command, const struct move_args *args, struct move *ret_move);

/** move_end - a zeroed one is allowed. */
void move_end(struct move *move);

/**
 * move_plan - find what would have to move
 * Return: STATUS_OK, or a status after a message.
 */
int move_plan(const struct move *move, const struct move_target *target,
	      struct mig_plan **ret_plan);

struct move_report;

/**
 * move_run - run a plan and report what became of it
 * @ret_outcome: NULL: it is not wanted
 * Return: exit status.
 */
int move_run(const struct move *move, const struct move_target *target,
	     struct mig_plan *plan, struct move_report *report,
	     struct mig_outcome **ret_outcome);

/** move_wait_settled - wait for --settle, or until a signal comes */
void move_wait_settled(uint64_t ns);

/** move_worse - the exit status of two things that were done one after the other */
int move_worse(int a, int b);

/**
 * move_targets - check all, then move and report each
 * @joined: all of them as one, so that room is checked for the whole request; not
 *          used if there is only one
 * Return: exit status.
 */
int move_targets(const struct move *move, const struct move_target *targets,
		 size_t nr_targets, const struct move_target *joined);

#endif
