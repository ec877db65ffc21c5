/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rooted.h"

#include <stdlib.h>

int rooted_set_up(void **state)
{
	struct rooted *rooted = calloc(1, sizeof(*rooted));

	rooted->root = fake_root_new();
	rooted->context = fake_root_context(rooted->root, NULL);
	*state = rooted;
	return 0;
}

int rooted_tear_down(void **state)
{
	struct rooted *rooted = *state;

	mig_context_free(rooted->context);
	fake_root_free(rooted->root);
	free(rooted);
	return 0;
}
