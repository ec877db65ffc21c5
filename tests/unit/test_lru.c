/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lru.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <linux/mempolicy.h>

#include "fake_root.h"

static unsigned int nr_calls;

/* The kernel does it for any number of pages, where there is an array of nodes. */
static long count_call(pid_t pid, unsigned long count, void *const *pages,
		       const int *nodes, int *status, int flags)
{
	assert_int_equal(pid, 0);
	assert_int_equal(count, 0);
	assert_non_null(pages);
	assert_non_null(nodes);
	assert_non_null(status);
	assert_int_equal(flags, MPOL_MF_MOVE);
	nr_calls++;
	return 0;
}

static const struct mig_calls calls = { .move_pages = count_call };

static void no_page_is_named(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, &calls);

	(void)state;
	nr_calls = 0;
	mig_lru_gather(context);
	assert_int_equal(nr_calls, 1);
	mig_context_free(context);
	fake_root_free(root);
}

static void nothing_is_done_on_a_captured_machine(void **state)
{
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, NULL);

	(void)state;
	context->calls = &calls;
	nr_calls = 0;
	mig_lru_gather(context);
	assert_int_equal(nr_calls, 0);
	mig_context_free(context);
	fake_root_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_page_is_named),
		cmocka_unit_test(nothing_is_done_on_a_captured_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
