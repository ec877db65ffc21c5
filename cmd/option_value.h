/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value of one option: read whole, checked, and put into the argument struct. */
#ifndef MIGRATECTL_OPTION_VALUE_H
#define MIGRATECTL_OPTION_VALUE_H

#include "options.h"

/**
 * option_value_set - fill the field of an option
 * @command: for the line that says where help is
 * @value:   as the user wrote it; NULL for flags
 * @args:    the argument struct
 * Return: STATUS_OK, or STATUS_USAGE after a message.
 */
int option_value_set(const struct command *command, const struct option_spec *spec,
		     const char *value, struct common_args *args);

#endif
