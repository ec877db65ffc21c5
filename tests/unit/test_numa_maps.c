/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numa_maps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int parse(const char *string, struct mig_numa_maps_line *line)
{
	const struct mig_text text = { .at = string, .length = strlen(string) };

	return mig_numa_maps_parse(text, line);
}

static void assert_policy(const char *string, const char *expected)
{
	struct mig_numa_maps_line line = { 0 };

	assert_int_equal(parse(string, &line), 0);
	assert_int_equal(line.policy.length, strlen(expected));
	assert_memory_equal(line.policy.at, expected, line.policy.length);
}

static void every_count_is_read(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("7f89ba0dc000 default file=/usr/lib/x anon=1 dirty=2 "
			       "mapped=32 mapmax=14 swapcache=3 active=4 writeback=5 "
			       "N0=30 N3=2 kernelpagesize_kB=4",
			       &line),
			 0);
	assert_true(line.start == UINT64_C(0x7f89ba0dc000));
	assert_int_equal(line.anon_pages, 1);
	assert_int_equal(line.dirty_pages, 2);
	assert_int_equal(line.most_mappers, 14);
	assert_int_equal(line.swapcache_pages, 3);
	assert_int_equal(line.writeback_pages, 5);
	assert_int_equal(line.node_pages[0], 30);
	assert_int_equal(line.node_pages[3], 2);
	assert_int_equal(line.resident_pages, 32);
	assert_int_equal(line.page_size_bytes, 4096);
	assert_false(line.is_heap || line.is_stack || line.is_huge);
}

static void heap_stack_and_huge_are_told_apart(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("1000 default heap anon=4", &line), 0);
	assert_true(line.is_heap && !line.is_stack && !line.is_huge);
	assert_int_equal(parse("1000 default stack", &line), 0);
	assert_true(!line.is_heap && line.is_stack && !line.is_huge);
	assert_int_equal(parse("1000 bind:1 file=/anon_hugepage\\040(deleted) huge "
			       "anon=2 dirty=2 N1=2 kernelpagesize_kB=2048",
			       &line),
			 0);
	assert_true(line.is_huge);
	assert_int_equal(line.node_pages[1], 2);
	assert_int_equal(line.page_size_bytes, 2 << 20);
}

static void words_may_come_in_any_order(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(
		parse("1000 default kernelpagesize_kB=64 N2=7 dirty=1 N0=1 heap", &line),
		0);
	assert_int_equal(line.page_size_bytes, 65536);
	assert_int_equal(line.resident_pages, 8);
	assert_int_equal(line.dirty_pages, 1);
	assert_true(line.is_heap);
}

static void a_mapping_with_nothing_resident_has_no_page_size(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("1000 default\n", &line), 0);
	assert_int_equal(line.page_size_bytes, 0);
	assert_int_equal(line.resident_pages, 0);
	assert_int_equal(line.most_mappers, 0);
}

static void pages_without_mapmax_have_one_mapper(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("1000 default anon=1 N0=1 kernelpagesize_kB=4", &line), 0);
	assert_int_equal(line.most_mappers, 1);
}

static void a_file_name_is_never_taken_for_a_count(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("1000 default file=/N0=9\\040heap=anon=x N1=1", &line), 0);
	assert_int_equal(line.node_pages[0], 0);
	assert_int_equal(line.resident_pages, 1);
	assert_false(line.is_heap);
}

static void words_of_newer_kernels_are_passed_over(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(
		parse("1000 default NEW=x heap Nodes=3 Nx pmd=7 =5 N0=1 late", &line), 0);
	assert_int_equal(line.resident_pages, 1);
	assert_true(line.is_heap);
}

static void a_policy_may_have_blanks_in_its_name(void **state)
{
	(void)state;
	assert_policy("1000 default", "default");
	assert_policy("1000 local N0=1", "local");
	assert_policy("1000 bind:0-1 anon=1", "bind:0-1");
	assert_policy("1000 bind=static|balancing:0-1 heap", "bind=static|balancing:0-1");
	assert_policy("1000 prefer=static:1 file=/a", "prefer=static:1");
	assert_policy("1000 prefer (many):1 stack", "prefer (many):1");
	assert_policy("1000 prefer (many)=relative:0,2 N0=1",
		      "prefer (many)=relative:0,2");
	assert_policy("1000 weighted interleave:0-1 huge", "weighted interleave:0-1");
	assert_policy("1000 weighted interleave:0-1", "weighted interleave:0-1");
	/* Its nodes are all gone from the machine. */
	assert_policy("1000 prefer (many) N0=1", "prefer (many)");
	assert_policy("1000 bind N0=1", "bind");
}

static void an_unknown_word_behind_a_whole_policy_is_not_part_of_it(void **state)
{
	(void)state;
	assert_policy("1000 default newer=1 N0=1", "default");
	assert_policy("1000 bind:1 newer N0=1", "bind:1");
}

static void the_last_node_is_read_and_the_next_refused(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("1000 default N1023=5", &line), 0);
	assert_int_equal(line.node_pages[1023], 5);
	assert_int_equal(parse("1000 default N1024=5", &line), -EBADMSG);
	assert_int_equal(parse("1000 default N18446744073709551616=5", &line), -EBADMSG);
}

static void one_node_twice_is_refused(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(parse("1000 default N1=5 N1=5", &line), -EBADMSG);
}

static void malformed_counts_are_refused(void **state)
{
	static const char *const bad[] = {
		"anon=",
		"anon=x",
		"anon=1x",
		"anon=-1",
		"dirty=18446744073709551616",
		"mapped=",
		"active=1,2",
		"N0=",
		"N0=x",
		"N0",
		"N0:1",
		"kernelpagesize_kB=0",
		"kernelpagesize_kB=18446744073709551615",
		"N0=18446744073709551615 N1=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mig_numa_maps_line line = { 0 };
		char text[128];

		snprintf(text, sizeof(text), "1000 default %s", bad[i]);
		assert_int_equal(parse(text, &line), -EBADMSG);
	}
}

static void a_line_without_address_or_policy_is_refused(void **state)
{
	static const char *const bad[] = { "",        "\n",
					   "default", "1000",
					   "1000 ",   " 1000 default",
					   "x 1",     "10000000000000000 default" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mig_numa_maps_line line = { 0 };

		assert_int_equal(parse(bad[i], &line), -EBADMSG);
	}
}

static void nothing_of_an_earlier_line_stays(void **state)
{
	struct mig_numa_maps_line line = { 0 };

	(void)state;
	assert_int_equal(
		parse("1000 default heap anon=1 N9=1 kernelpagesize_kB=4", &line), 0);
	assert_int_equal(parse("2000 default", &line), 0);
	assert_int_equal(line.node_pages[9], 0);
	assert_int_equal(line.anon_pages, 0);
	assert_false(line.is_heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_count_is_read),
		cmocka_unit_test(heap_stack_and_huge_are_told_apart),
		cmocka_unit_test(words_may_come_in_any_order),
		cmocka_unit_test(a_mapping_with_nothing_resident_has_no_page_size),
		cmocka_unit_test(pages_without_mapmax_have_one_mapper),
		cmocka_unit_test(a_file_name_is_never_taken_for_a_count),
		cmocka_unit_test(words_of_newer_kernels_are_passed_over),
		cmocka_unit_test(a_policy_may_have_blanks_in_its_name),
		cmocka_unit_test(an_unknown_word_behind_a_whole_policy_is_not_part_of_it),
		cmocka_unit_test(the_last_node_is_read_and_the_next_refused),
		cmocka_unit_test(one_node_twice_is_refused),
		cmocka_unit_test(malformed_counts_are_refused),
		cmocka_unit_test(a_line_without_address_or_policy_is_refused),
		cmocka_unit_test(nothing_of_an_earlier_line_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
