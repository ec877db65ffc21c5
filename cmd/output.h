/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: a command builds rows once, and they are printed for people, aligned by
 * libsmartcols, or as JSON. The columns are a constant table that also drives
 * --output and the help.
 *
 * A cell that is not set is not known: "-" for people, null in JSON. Running out of
 * memory while rows are built is remembered and reported when they are printed.
 */
#ifndef MIGRATECTL_OUTPUT_H
#define MIGRATECTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libmigrate.h>

#include "cleanup.h"
#include "json.h"
#include "options.h"

enum column_type {
	COLUMN_TEXT = 0, /**< any bytes: they are escaped */
	COLUMN_NUMBER = 1,
	COLUMN_SIZE = 2, /**< bytes; 1.2G for people without --bytes */
	COLUMN_PERCENT = 3,
	COLUMN_ADDRESS = 4, /**< hexadecimal for people, a number in JSON */
	COLUMN_NODES = 5,   /**< a set: 0-3; in JSON an array of numbers */
	/** Bytes per node: for people a column N0, N1, ... each; in JSON an array of
	 *  objects with node and bytes. One such column a table. */
	COLUMN_NODE_SIZES = 6,
	COLUMN_BOOL = 7, /**< yes or no; in JSON true or false */
};

#define COLUMN_DEFAULT 1U  /**< shown without --output */
#define COLUMN_TREE 2U     /**< rows with a parent are indented here */
#define COLUMN_TRUNCATE 4U /**< on a narrow terminal only the beginning */
#define COLUMN_KEEP_END 8U /**< paths: on a narrow terminal only the end */
#define COLUMN_LIST 16U    /**< text with commas, behind which it may be broken */
#define COLUMN_OUTER 32U   /**< not in JSON: the object around the row says it */

struct column {
	const char *name; /**< heading, and the word of --output */
	const char *key;  /**< in JSON; frozen in the man page */
	enum column_type type;
	unsigned int flags;
	const char *help;
};

/** The columns of one kind of table. */
struct column_set {
	const char *title; /**< in the help: "Columns", "Columns of --maps" */
	const struct column *columns;
	size_t nr_columns;
};

struct table;

/**
 * table_new - an empty table
 * @args:     what the shared options say; borrowed, as is @set
 * @command:  its name, for the message about an unknown column
 * @defaults: columns shown without --output, as bits 1 << index; 0: those with
 *            COLUMN_DEFAULT. JSON without --output has all columns, but for those
 *            with COLUMN_OUTER.
 *
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int table_new(const struct common_args *args, const char *command,
	      const struct column_set *set, uint64_t defaults, struct table **ret_table);

/**
 * table_check_columns - whether --output names columns that there are
 *
 * For commands that do something before they have a table to print.
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int table_check_columns(const struct common_args *args, const char *command,
			const struct column_set *set);

/** table_free - @table may be NULL. */
void table_free(struct table *table);

static inline void cleanup_table(struct table *const *table)
{
	table_free(*table);
}

#define CLEANUP_TABLE CLEANUP(cleanup_table)

/**
 * table_set_nodes - which nodes a COLUMN_NODE_SIZES column has
 * @nodes: those that have memory
 * @all:   each gets a column, however wide that is. Otherwise, if there are more than
 *         8 or they are too wide for the terminal, only those that hold something
 *         do; and if even these are too wide, the largest, and a column OTHERS for
 *         the rest.
 */
void table_set_nodes(struct table *table, const struct mig_nodeset *nodes, bool all);

/** table_add_row - the row that table_put_*() fill from now on. Return: its index. */
size_t table_add_row(struct table *table);

/** table_put_parent - the current row belongs below row @parent. */
void table_put_parent(struct table *table, size_t parent);

void table_put_text(struct table *table, size_t column, const char *text);
__attribute__((format(printf, 3, 4))) void
table_put_format(struct table *table, size_t column, const char *format, ...);
void table_put_number(struct table *table, size_t column, uint64_t number);
void table_put_bool(struct table *table, size_t column, bool value);
void table_put_nodes(struct table *table, size_t column, const struct mig_nodeset *nodes);
/** table_put_node_sizes - bytes on each node, MIG_MAX_NODES of them. */
void table_put_node_sizes(struct table *table, size_t column, const uint64_t *sizes);

/** table_get_nr_rows - how many there are. */
size_t table_get_nr_rows(const struct table *table);

/** table_print - for people. Return: STATUS_OK, or the status after a message. */
int table_print(struct table *table);

/** table_write_row - a row's columns as members of the object that is open. */
void table_write_row(const struct table *table, size_t row, struct json *json);

/** table_write_rows - rows @first to @end - 1 as an array of objects. */
void table_write_rows(const struct table *table, size_t first, size_t end,
		      struct json *json, const char *key);

/** table_check - whether memory ran out; a message says so. Return: exit status. */
int table_check(const struct table *table);

/** output_get_width - columns of the terminal or of $COLUMNS; 0: no bound. */
size_t output_get_width(void);

/** Room for what output_format_bytes() writes. */
#define OUTPUT_BYTES_SIZE 24

/** output_format_bytes - 1.2G, or all digits with @exact. Return: @buffer. */
const char *output_format_bytes(uint64_t bytes, bool exact,
				char buffer[static OUTPUT_BYTES_SIZE]);

#endif
