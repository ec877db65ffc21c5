/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "buddyinfo.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int parse(const char *text, struct mig_buddyinfo_line *line)
{
	return mig_buddyinfo_parse((struct mig_text){ text, strlen(text) }, line);
}

static void a_line_of_the_kernel_is_read(void **state)
{
	struct mig_buddyinfo_line line;

	(void)state;
	assert_int_equal(parse("Node 12, zone   Normal   3922      0      7 \n", &line),
			 0);
	assert_int_equal(line.node, 12);
	assert_true(mig_text_is(line.zone, "Normal"));
	assert_int_equal(line.nr_orders, 3);
	assert_int_equal(line.nr_free[0], 3922);
	assert_int_equal(line.nr_free[1], 0);
	assert_int_equal(line.nr_free[2], 7);
	assert_int_equal(line.nr_free[3], 0);
}

static void what_is_no_such_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"Node",
		"Node 0",
		"Node 0, zone",
		"Node 0, zone ",
		"Node 0, zone Normal",
		"Node 0, zone Normal x",
		"Node 0, zone Normal 1 2x",
		"Node 0, zone Normal 1 -2",
		"Node , zone Normal 1",
		"Node 1024, zone Normal 1",
		"Node 18446744073709551616, zone Normal 1",
		"node 0, zone Normal 1",
		"Node 0, zone Normal 18446744073709551616",
		/* 2^40 pages and one. */
		"Node 0, zone Normal 1099511627777",
		"Node 0, zone Normal 1 549755813888",
	};
	struct mig_buddyinfo_line line = { .node = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (parse(lines[i], &line) != -EBADMSG)
			fail_msg("'%s' is not refused", lines[i]);
	assert_int_equal(line.node, 77);
	assert_int_equal(parse("Node 0, zone Normal 1099511627776", &line), 0);
}

static void more_orders_than_there_are_are_refused(void **state)
{
	char text[256] = "Node 0, zone DMA";
	struct mig_buddyinfo_line line;

	(void)state;
	for (int order = 0; order < MIG_MOST_ORDERS; order++)
		strcat(text, " 1");
	assert_int_equal(parse(text, &line), 0);
	assert_int_equal(line.nr_orders, MIG_MOST_ORDERS);
	strcat(text, " 0");
	assert_int_equal(parse(text, &line), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_the_kernel_is_read),
		cmocka_unit_test(what_is_no_such_line_is_refused),
		cmocka_unit_test(more_orders_than_there_are_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
