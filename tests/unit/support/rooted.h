/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of what reads files: a made-up root and a context of it, as *state. */
#ifndef ROOTED_H
#define ROOTED_H

#include "fake_root.h"

struct rooted {
	struct fake_root *root;
	struct mig_context *context; /**< of a captured machine */
};

/** For cmocka. */
int rooted_set_up(void **state);
int rooted_tear_down(void **state);

#endif
