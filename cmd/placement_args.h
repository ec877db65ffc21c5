/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --to, --from, --map, --place and --weights as a rule of libmigrate. */
#ifndef MIGRATECTL_PLACEMENT_ARGS_H
#define MIGRATECTL_PLACEMENT_ARGS_H

#include "move.h"

/**
 * placement_args_parse - make the rule
 * Return: STATUS_OK, or the status to leave with after a message.
 */
int placement_args_parse(const char *command, const struct move_args *args,
			 const struct machine *machine,
			 struct mig_placement **ret_placement);

#endif
