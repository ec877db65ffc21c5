/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words for why pages were skipped or left. Their names are frozen keys. */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

static const char *const skip_names[MIG_NR_SKIPS] = {
	[MIG_SKIP_SHARED] = "shared",     [MIG_SKIP_FILTERED] = "filtered",
	[MIG_SKIP_NOT_FROM] = "not-from", [MIG_SKIP_STOPPED] = "stopped",
	[MIG_SKIP_DIRTY] = "dirty",
};

static const char *const reason_names[MIG_NR_REASONS] = {
	[MIG_REASON_BUSY] = "busy",
	[MIG_REASON_PINNED] = "pinned",
	[MIG_REASON_PINNED_IO_URING] = "pinned-io-uring",
	[MIG_REASON_NO_MEMORY] = "no-memory",
	[MIG_REASON_CPUSET_TARGET] = "cpuset-target",
	[MIG_REASON_CPUSET_CALLER] = "cpuset-caller",
	[MIG_REASON_PERMISSION] = "permission",
	[MIG_REASON_HUGETLB_POOL] = "hugetlb-pool",
	[MIG_REASON_FILE_SYSTEM] = "file-system",
	[MIG_REASON_DEVICE] = "device",
	[MIG_REASON_PROTECTED] = "protected",
	[MIG_REASON_SECRET] = "secret",
	[MIG_REASON_NODE_GONE] = "node-gone",
	[MIG_REASON_UNKNOWN] = "unknown",
	[MIG_REASON_UNSUPPORTED] = "unsupported",
	[MIG_REASON_NO_FILE] = "no-file",
};

/* Printed to a terminal and put into sentences: one line, no full stop. */
static void assert_readable(const char *text)
{
	size_t length = strlen(text);

	assert_in_range(length, 3, 72);
	assert_null(strpbrk(text, "\n\t\r\033"));
	assert_true(text[length - 1] != '.' && text[length - 1] != ' ');
}

static void every_reason_to_skip_has_its_words(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < MIG_NR_SKIPS; i++) {
		assert_string_equal(mig_skip_get_name((enum mig_skip)i), skip_names[i]);
		assert_readable(mig_skip_get_text((enum mig_skip)i));
	}
}

static void every_reason_to_stay_has_its_words(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < MIG_NR_REASONS; i++) {
		const char *hint = mig_reason_get_hint((enum mig_reason)i);

		assert_string_equal(mig_reason_get_name((enum mig_reason)i),
				    reason_names[i]);
		assert_readable(mig_reason_get_text((enum mig_reason)i));
		if (hint)
			assert_readable(hint);
	}
}

static void what_does_not_exist_has_words_too(void **state)
{
	(void)state;
	assert_string_equal(mig_skip_get_name((enum mig_skip)MIG_NR_SKIPS), "?");
	assert_string_equal(mig_skip_get_text((enum mig_skip) - 1), "?");
	assert_string_equal(mig_reason_get_name((enum mig_reason)MIG_NR_REASONS), "?");
	assert_string_equal(mig_reason_get_text((enum mig_reason) - 1), "?");
	assert_null(mig_reason_get_hint((enum mig_reason)MIG_NR_REASONS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_to_skip_has_its_words),
		cmocka_unit_test(every_reason_to_stay_has_its_words),
		cmocka_unit_test(what_does_not_exist_has_words_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
