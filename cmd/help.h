/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help, printed from the tables that also drive the parsing. */
#ifndef MIGRATECTL_HELP_H
#define MIGRATECTL_HELP_H

#include <stddef.h>

#include "command.h"

/** An option of migratectl itself: name and help. */
struct global_option {
	const char *name;
	const char *help;
};

/** help_print_command - what "migratectl COMMAND --help" prints */
void help_print_command(const struct command *command);

/** help_print_tool - what "migratectl --help" prints */
void help_print_tool(const struct command *const *commands, size_t nr_commands,
		     const struct global_option *options, size_t nr_options);

/**
 * help_list_options - what "migratectl --list-options" prints
 *
 * A line per option: command, letter, long name and name of the value, with tabs
 * between them and "-" for none; the command is "-" for the tool's own.
 */
void help_list_options(const struct command *const *commands, size_t nr_commands,
		       const struct global_option *options, size_t nr_options);

#endif
