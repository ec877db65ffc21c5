/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Process numbers given as operands; "-" reads more from standard input. */
#ifndef MIGRATECTL_PIDS_H
#define MIGRATECTL_PIDS_H

#include <stddef.h>
#include <sys/types.h>

#include "options.h"

/**
 * pids_parse - the numbers in the order given
 * @command:  for the line that says where help is
 * @ret_pids: the caller frees them
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int pids_parse(const char *command, const struct common_args *args, pid_t **ret_pids,
	       size_t *ret_count);

#endif
