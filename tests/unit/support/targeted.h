/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of targets: an empty one over made-up processes, as *state. */
#ifndef TARGETED_H
#define TARGETED_H

#include "fake_root.h"
#include "target.h"

struct targeted {
	struct fake_root *root;
	struct mig_context *context; /**< fake_calls() are its system calls */
	struct mig_target *target;
};

/** For cmocka. */
int targeted_set_up(void **state);
int targeted_tear_down(void **state);

/** assert_members - their numbers in their order, as "42 43 ". */
void assert_members(struct mig_target *target, const char *expected);

/** rescan_target - Return: how many members were added. */
size_t rescan_target(struct mig_target *target);

#endif
