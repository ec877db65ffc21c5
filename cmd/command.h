/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A subcommand: one constant in the file that is named as the command. */
#ifndef MIGRATECTL_COMMAND_H
#define MIGRATECTL_COMMAND_H

#include <stddef.h>

#include "exit_status.h"
#include "options.h"

struct column_set;

struct command {
	const char *name;
	const char *summary;  /**< one line in migratectl --help */
	const char *operands; /**< as "PID..." in its usage; NULL: it takes none */
	size_t min_operands;
	size_t max_operands;
	/** Paragraphs of its help, before and behind the options. They are wrapped when
	 *  they are printed; a newline stands only between two. */
	const char *description;
	const char *notes; /**< NULL: none */
	const struct option_spec *options;
	size_t nr_options;
	const struct column_set *const
		*column_sets; /**< that --output knows, for the help */
	size_t nr_column_sets;
	size_t args_size;     /**< of its argument struct */
	const void *defaults; /**< what that begins with; NULL: zero */
	/** @args is its argument struct. Return: an exit status. */
	int (*run)(const void *args);
};

extern const struct command command_compact;
extern const struct command command_drain;
extern const struct command command_move_cgroup;
extern const struct command command_move_file;
extern const struct command command_move_pid;
extern const struct command command_nodes;
extern const struct command command_retire;
extern const struct command command_show_cgroup;
extern const struct command command_show_file;
extern const struct command command_show_node;
extern const struct command command_show_pid;

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
