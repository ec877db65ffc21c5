/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "membership.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static int parse(const char *text, struct mig_membership *ret_membership)
{
	return mig_membership_parse((struct mig_text){ text, strlen(text) },
				    ret_membership);
}

/* A path that is not told is nowhere. */
static bool is_path(struct mig_text path, const char *expected)
{
	return path.at ? mig_text_is(path, expected) : !*expected;
}

static void assert_paths(const char *text, const char *memory, const char *cpuset,
			 const char *freezer, const char *v2)
{
	struct mig_membership membership;

	assert_int_equal(parse(text, &membership), 0);
	assert_true(is_path(membership.paths[MIG_CONTROLLER_MEMORY], memory));
	assert_true(is_path(membership.paths[MIG_CONTROLLER_CPUSET], cpuset));
	assert_true(is_path(membership.paths[MIG_CONTROLLER_FREEZER], freezer));
	assert_true(is_path(membership.paths[MIG_HIERARCHY_V2], v2));
}

static void v2_has_one_path(void **state)
{
	(void)state;
	assert_paths("0::/a/b\n", "", "", "", "/a/b");
	assert_paths("0::/\n", "", "", "", "/");
	assert_paths("0::/no/newline", "", "", "", "/no/newline");
	assert_paths("", "", "", "", "");
}

static void v1_has_a_path_for_each_hierarchy(void **state)
{
	(void)state;
	assert_paths("12:memory:/m\n5:cpu,cpuacct:/c\n4:freezer:/f\n3:cpuset:/s\n"
		     "1:name=systemd:/u\n0::/v\n",
		     "/m", "/s", "/f", "/v");
	assert_paths("3:cpuset,cpu,memory:/both\n", "/both", "/both", "", "");
	assert_paths("3:cpusets,xmemory:/a\n2:name=memory:/b\n", "", "", "", "");
}

static void a_path_may_hold_anything_but_a_newline(void **state)
{
	(void)state;
	assert_paths("0::/a:b, c/\\x20:\n", "", "", "", "/a:b, c/\\x20:");
	assert_paths("0::/../x (deleted)\n", "", "", "", "/../x (deleted)");
}

static void rubbish_is_refused(void **state)
{
	static const char *const texts[] = {
		"\n",
		"0::\n",
		"0::a\n",
		"0:/a\n",
		":memory:/a\n",
		"x:memory:/a\n",
		"0::/a\n\n",
		"-1::/a",
		"0",
		"0:",
		"99999999999999999999999:memory:/a\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct mig_membership membership = { .paths[0].length = 77 };

		assert_int_equal(parse(texts[i], &membership), -EBADMSG);
		assert_int_equal(membership.paths[0].length, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2_has_one_path),
		cmocka_unit_test(v1_has_a_path_for_each_hierarchy),
		cmocka_unit_test(a_path_may_hold_anything_but_a_newline),
		cmocka_unit_test(rubbish_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
