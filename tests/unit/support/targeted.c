/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "targeted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_process.h"

int targeted_set_up(void **state)
{
	struct targeted *targeted = calloc(1, sizeof(*targeted));

	assert_non_null(targeted);
	targeted->root = fake_root_new();
	targeted->context = fake_root_context(targeted->root, fake_calls());
	assert_int_equal(mig_target_new(targeted->context, &targeted->target), 0);
	*state = targeted;
	return 0;
}

int targeted_tear_down(void **state)
{
	struct targeted *targeted = *state;

	mig_target_free(targeted->target);
	mig_context_free(targeted->context);
	fake_root_free(targeted->root);
	free(targeted);
	return 0;
}

void assert_members(struct mig_target *target, const char *expected)
{
	char text[256] = "";
	size_t length = 0;

	for (size_t i = 0; i < mig_target_get_count(target); i++) {
		struct mig_process *process = mig_target_get_process(target, i);

		assert_non_null(process);
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%d ",
					   mig_process_get_pid(process));
	}
	assert_string_equal(text, expected);
}

size_t rescan_target(struct mig_target *target)
{
	size_t added = 12345;

	assert_int_equal(mig_target_rescan(target, &added), 0);
	return added;
}
