/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options: one constant table per command. It fills the command's argument struct
 * and prints its help; tests compare it with man pages and completions.
 *
 *	struct purge_args {
 *		struct common_args common;	(always first)
 *		bool tree;
 *		uint64_t rate_bytes;
 *	};
 *
 *	static const struct option_spec purge_options[] = {
 *		{ OPTION_FLAG(struct purge_args, tree), .name = "tree",
 *		  .help = "with all descendants" },
 *		{ OPTION_SIZE(struct purge_args, rate_bytes), .name = "rate",
 *		  .metavar = "SIZE", .help = "bytes per second", .minimum = 1 },
 *		OPTIONS_TABLE, OPTIONS_SYSROOT,
 *	};
 */
#ifndef MIGRATECTL_OPTIONS_H
#define MIGRATECTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmigrate.h>

struct command;

/** What every command's argument struct begins with. */
struct common_args {
	const char **operands; /**< what is no option, in its order */
	size_t nr_operands;
	const char *sysroot; /**< NULL: this machine */
	const char *output;  /**< LIST or +LIST; NULL: the default columns */
	bool output_all;
	bool json;
	bool bytes;
	bool noheadings;
	bool raw;
};

enum option_type {
	OPTION_TYPE_FLAG = 0,
	OPTION_TYPE_STRING = 1,   /**< any text that is not empty */
	OPTION_TYPE_SIZE = 2,     /**< bytes: 4096, 1K, 1.5G, 100MB */
	OPTION_TYPE_DURATION = 3, /**< nanoseconds: 5s, 200ms, 1m, 2h; 5 is seconds */
	OPTION_TYPE_PERCENT = 4,  /**< 95 or 95% */
	OPTION_TYPE_UNSIGNED = 5,
	OPTION_TYPE_RANGE = 6, /**< START-END in hexadecimal, END not included */
	OPTION_TYPE_WORD = 7,  /**< one word of a table: its value */
	OPTION_TYPE_WORDS = 8, /**< words with commas: their values, or-ed */
};

/** A word that an option understands. Tables of them end with a NULL word. */
struct option_word {
	const char *word;
	unsigned int value;
};

struct option_spec {
	enum option_type type; /**< type and offset: by OPTION_FLAG() and so on */
	size_t offset;
	char letter;         /**< short name, 0: none */
	const char *name;    /**< long name, without the dashes */
	const char *metavar; /**< how help calls the value; NULL for flags */
	const char *help;    /**< lower case, no full stop */
	/** Groups that it belongs to, as bits: two given options with a bit in common
	 *  exclude each other. The first 8 bits are the command's own. */
	unsigned int exclusive;
	const struct option_word *words;
	uint64_t minimum; /**< of sizes, durations (ns), percents and unsigneds */
	uint64_t maximum; /**< 0: what the field holds */
};

/** Bits of option_spec.exclusive that the shared options use. */
#define OPTION_EXCLUSIVE_FORMAT (1U << 8)  /**< --json, --raw */
#define OPTION_EXCLUSIVE_COLUMNS (1U << 9) /**< --output, --output-all */

/** offsetof() that only compiles if the member has the type that the option fills. */
#define OPTION_OFFSET_(args, member, field_type) \
	(offsetof(args, member) +                \
	 0 * sizeof(_Generic(&((args *)0)->member, field_type * : 0)))

#define OPTION_FLAG(args, member) \
	.type = OPTION_TYPE_FLAG, .offset = OPTION_OFFSET_(args, member, bool)
#define OPTION_STRING(args, member) \
	.type = OPTION_TYPE_STRING, .offset = OPTION_OFFSET_(args, member, const char *)
#define OPTION_SIZE(args, member) \
	.type = OPTION_TYPE_SIZE, .offset = OPTION_OFFSET_(args, member, uint64_t)
#define OPTION_DURATION(args, member) \
	.type = OPTION_TYPE_DURATION, .offset = OPTION_OFFSET_(args, member, uint64_t)
#define OPTION_PERCENT(args, member) \
	.type = OPTION_TYPE_PERCENT, .offset = OPTION_OFFSET_(args, member, unsigned int)
#define OPTION_UNSIGNED(args, member) \
	.type = OPTION_TYPE_UNSIGNED, .offset = OPTION_OFFSET_(args, member, unsigned int)
#define OPTION_RANGE(args, member) \
	.type = OPTION_TYPE_RANGE, \
	.offset = OPTION_OFFSET_(args, member, struct mig_address_range)
#define OPTION_WORD(args, member) \
	.type = OPTION_TYPE_WORD, .offset = OPTION_OFFSET_(args, member, unsigned int)
#define OPTION_WORDS(args, member) \
	.type = OPTION_TYPE_WORDS, .offset = OPTION_OFFSET_(args, member, unsigned int)

/** For commands that report: what people and what programs read. */
#define OPTIONS_REPORT                                                                 \
	{ OPTION_FLAG(struct common_args, json), .name = "json",                       \
	  .help = "print JSON, with numbers that are not rounded",                     \
	  .exclusive = OPTION_EXCLUSIVE_FORMAT },                                      \
	{                                                                              \
		OPTION_FLAG(struct common_args, bytes), .name = "bytes",               \
							.help = "print sizes in bytes" \
	}

/** For commands that print a table. Holds OPTIONS_REPORT. */
#define OPTIONS_TABLE                                                                \
	OPTIONS_REPORT,                                                              \
		{ OPTION_FLAG(struct common_args, noheadings), .name = "noheadings", \
		  .help = "print no line of headings" },                             \
		{ OPTION_FLAG(struct common_args, raw), .name = "raw",               \
		  .help = "print columns with one blank between them, not aligned",  \
		  .exclusive = OPTION_EXCLUSIVE_FORMAT },                            \
		{ OPTION_STRING(struct common_args, output),                         \
		  .letter = 'o',                                                     \
		  .name = "output",                                                  \
		  .metavar = "LIST",                                                 \
		  .help = "print these columns; +LIST: these too",                   \
		  .exclusive = OPTION_EXCLUSIVE_COLUMNS },                           \
	{                                                                            \
		OPTION_FLAG(struct common_args, output_all),                         \
			.name = "output-all", .help = "print all columns",           \
			.exclusive = OPTION_EXCLUSIVE_COLUMNS                        \
	}

/** For commands that only look. */
#define OPTIONS_SYSROOT                                                         \
	{                                                                       \
		OPTION_STRING(struct common_args, sysroot),                     \
			.name = "sysroot", .metavar = "DIR",                    \
			.help = "look at the machine whose /proc and /sys are " \
				"in DIR"                                        \
	}

/**
 * options_parse - fill a command's argument struct
 * @args:       begins with struct common_args, filled with the command's defaults
 * @argv:       argv[0] is the command's name
 * @ret_status: the status to leave with where there is nothing to go on with
 *
 * Says what is wrong, or prints the help that was asked for. The caller frees
 * args->operands; the strings in @args are those of @argv.
 * Return: whether to go on.
 */
bool options_parse(const struct command *command, int argc, char **argv,
		   struct common_args *args, int *ret_status);

#endif
