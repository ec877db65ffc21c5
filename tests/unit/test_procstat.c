/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "procstat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

/* Fields 5 to 8, 10 to 38, and what follows 39 in newer kernels. */
#define TO_FLAGS " 42 42 34816 -1 "
#define TO_CPU                                                             \
	" 100 0 0 0 1 2 0 0 20 0 1 0 500 8192 1 18446744073709551615 1 1 " \
	"140737488355328 0 0 0 0 0 0 0 0 0 17 "

static struct mig_text text_of(const char *string)
{
	return (struct mig_text){ .at = string, .length = strlen(string) };
}

static void assert_name(const char *string, const char *expected)
{
	struct mig_procstat stat;

	assert_int_equal(mig_procstat_parse(text_of(string), &stat), 0);
	assert_int_equal(stat.name.length, strlen(expected));
	assert_memory_equal(stat.name.at, expected, stat.name.length);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.parent, 7);
}

static void every_field_that_is_needed_is_read(void **state)
{
	struct mig_procstat stat;

	(void)state;
	assert_int_equal(
		mig_procstat_parse(text_of("42 (cat) R 7" TO_FLAGS "4194304" TO_CPU
					   "13 0 0 0 0 0 0 0\n"),
				   &stat),
		0);
	assert_int_equal(stat.stack_start, 140737488355328);
	assert_int_equal(stat.state, 'R');
	assert_int_equal(stat.parent, 7);
	assert_int_equal(stat.cpu, 13);
	assert_int_equal(stat.ticks, 1 + 2);
	assert_false(stat.is_kernel_thread);
	assert_true(mig_procstat_is_live(&stat));
}

static void the_file_may_end_with_the_cpu(void **state)
{
	struct mig_procstat stat;

	(void)state;
	assert_int_equal(mig_procstat_parse(
				 text_of("42 (cat) R 7" TO_FLAGS "0" TO_CPU "13"), &stat),
			 0);
	assert_int_equal(stat.cpu, 13);
}

static void a_name_may_hold_anything(void **state)
{
	(void)state;
	assert_name("42 (a) R 1) S 7" TO_FLAGS "0" TO_CPU "0", "a) R 1");
	assert_name("42 () S 7" TO_FLAGS "0" TO_CPU "0", "");
	assert_name("42 ()) S 7" TO_FLAGS "0" TO_CPU "0", ")");
	assert_name("42 (a\nTgid:\t1\n) S 7" TO_FLAGS "0" TO_CPU "0", "a\nTgid:\t1\n");
	assert_name("42 (\xff ( x) S 7" TO_FLAGS "0" TO_CPU "0", "\xff ( x");
}

static void a_kernel_thread_is_known_by_its_flag(void **state)
{
	struct mig_procstat stat;

	(void)state;
	assert_int_equal(
		mig_procstat_parse(
			text_of("2 (kthreadd) S 0" TO_FLAGS "2129984" TO_CPU "0"), &stat),
		0);
	assert_true(stat.is_kernel_thread);
	assert_int_equal(stat.parent, 0);
}

static void zombies_and_the_dead_are_not_live(void **state)
{
	static const char dead[] = { 'Z', 'X', 'x' };
	static const char live[] = { 'R', 'S', 'D', 'T', 't', 'I', 'P', 'W', 'K' };
	struct mig_procstat stat = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(dead); i++) {
		stat.state = dead[i];
		assert_false(mig_procstat_is_live(&stat));
	}
	for (size_t i = 0; i < sizeof(live); i++) {
		stat.state = live[i];
		assert_true(mig_procstat_is_live(&stat));
	}
}

static void what_is_no_stat_file_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"42",
		"42 cat R 7" TO_FLAGS "0" TO_CPU "13",
		"42 (cat R 7" TO_FLAGS "0" TO_CPU "13",
		"x (cat) R 7" TO_FLAGS "0" TO_CPU "13",
		"42 (cat)",
		"42 (cat) ",
		"42 (cat) RS 7" TO_FLAGS "0" TO_CPU "13",
		"42 (cat) R -7" TO_FLAGS "0" TO_CPU "13",
		"42 (cat) R 7x" TO_FLAGS "0" TO_CPU "13",
		"42 (cat) R 2147483648" TO_FLAGS "0" TO_CPU "13",
		"42 (cat) R 7" TO_FLAGS "none" TO_CPU "13",
		"42 (cat) R 7" TO_FLAGS "4294967296" TO_CPU "13",
		"42 (cat) R 7" TO_FLAGS "0" TO_CPU,
		"42 (cat) R 7" TO_FLAGS "0" TO_CPU "-1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mig_procstat stat = { .cpu = 99 };

		assert_int_equal(mig_procstat_parse(text_of(bad[i]), &stat), -EBADMSG);
		assert_int_equal(stat.cpu, 99);
	}
}

static void the_group_of_a_thread_is_found(void **state)
{
	pid_t pid = 0;

	(void)state;
	assert_int_equal(
		mig_procstatus_parse_group(
			text_of("Name:\ta\\nTgid:\t5\nTgid:\t42\nPid:\t43\n"), &pid),
		0);
	assert_int_equal(pid, 42);
}

static void a_group_of_zero_is_of_one_that_was_reaped(void **state)
{
	pid_t pid = 9;

	(void)state;
	assert_int_equal(mig_procstatus_parse_group(text_of("Tgid:\t0\nPid:\t0\n"), &pid),
			 -ESRCH);
	assert_int_equal(pid, 9);
}

static void a_malformed_group_is_refused(void **state)
{
	static const char *const bad[] = {
		"",           "Pid:\t4\n", "Tgid:\n",          "Tgid:\t-4",
		"Tgid:\t4 5", "Tgid:\tx",  "Tgid:\t2147483648"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pid_t pid = 9;

		assert_int_equal(mig_procstatus_parse_group(text_of(bad[i]), &pid),
				 -EBADMSG);
		assert_int_equal(pid, 9);
	}
}

static void allowed_nodes_are_those_of_the_list(void **state)
{
	struct mig_nodeset nodes;

	(void)state;
	assert_int_equal(
		mig_procstatus_parse_mems_allowed(
			text_of("Mems_allowed:\tff\nMems_allowed_list:\t0,2\n"), &nodes),
		0);
	assert_true(nodes.bits[0] == 5 && nodes.bits[1] == 0);
	assert_int_equal(mig_procstatus_parse_mems_allowed(
				 text_of("Mems_allowed_list:\t0;2\n"), &nodes),
			 -EBADMSG);
	assert_true(nodes.bits[0] == 5);
}

static void a_kernel_without_cpusets_allows_every_node(void **state)
{
	struct mig_nodeset nodes = { 0 };

	(void)state;
	assert_int_equal(mig_procstatus_parse_mems_allowed(text_of("Tgid:\t4\n"), &nodes),
			 0);
	for (size_t i = 0; i < MIG_MAX_NODES / 64; i++)
		assert_true(nodes.bits[i] == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_that_is_needed_is_read),
		cmocka_unit_test(the_file_may_end_with_the_cpu),
		cmocka_unit_test(a_name_may_hold_anything),
		cmocka_unit_test(a_kernel_thread_is_known_by_its_flag),
		cmocka_unit_test(zombies_and_the_dead_are_not_live),
		cmocka_unit_test(what_is_no_stat_file_is_refused),
		cmocka_unit_test(the_group_of_a_thread_is_found),
		cmocka_unit_test(a_group_of_zero_is_of_one_that_was_reaped),
		cmocka_unit_test(a_malformed_group_is_refused),
		cmocka_unit_test(allowed_nodes_are_those_of_the_list),
		cmocka_unit_test(a_kernel_without_cpusets_allows_every_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
