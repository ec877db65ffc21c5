/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "numa_stat.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
	struct mig_numa_stat stat;
};

static int set_up(void **state)
{
	*state = malloc(sizeof(struct fixture));
	/* What was there before must not count. */
	memset(*state, 0x55, sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static int parse(struct fixture *f, const char *text, size_t page_size)
{
	return mig_numa_stat_parse((struct mig_text){ text, strlen(text) }, page_size,
				   &f->stat);
}

static void assert_bytes(const struct fixture *f, enum mig_charge charge, uint64_t first,
			 uint64_t second)
{
	assert_true(f->stat.is_known[charge]);
	assert_int_equal(f->stat.bytes[charge][0], first);
	assert_int_equal(f->stat.bytes[charge][1], second);
}

static void v2_counts_bytes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f,
			       "anon N0=100 N1=200\nfile N0=5000 N1=70\n"
			       "kernel_stack N0=1 N1=2\npagetables N0=10 N1=20\n"
			       "sec_pagetables N0=100 N1=200\nshmem N0=4000 N1=7\n"
			       "file_mapped N0=3 N1=4\nfile_dirty N0=5 N1=6\n"
			       "file_writeback N0=7 N1=8\nswapcached N0=9 N1=9\n"
			       "anon_thp N0=11 N1=12\nfile_thp N0=13 N1=14\n"
			       "inactive_anon N0=99 N1=99\nslab_reclaimable N0=1000 "
			       "N1=2000\nslab_unreclaimable N0=10000 N1=20000\n"
			       "workingset_refault_anon N0=5 N1=5\n",
			       0),
			 0);
	assert_bytes(f, MIG_CHARGE_ANON, 100, 200);
	assert_bytes(f, MIG_CHARGE_FILE, 1000, 63);
	assert_bytes(f, MIG_CHARGE_SHMEM, 4000, 7);
	assert_bytes(f, MIG_CHARGE_KERNEL, 11111, 22222);
	assert_bytes(f, MIG_CHARGE_FILE_MAPPED, 3, 4);
	assert_bytes(f, MIG_CHARGE_FILE_DIRTY, 5, 6);
	assert_bytes(f, MIG_CHARGE_FILE_WRITEBACK, 7, 8);
	assert_bytes(f, MIG_CHARGE_ANON_THP, 11, 12);
	assert_int_equal(f->stat.bytes[MIG_CHARGE_ANON][2], 0);
}

static void v1_counts_pages_with_all_below(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f,
			       "total=900 N0=400 N1=500\nfile=1 N0=1 N1=0\n"
			       "anon=1 N0=1 N1=0\nunevictable=1 N0=1 N1=0\n"
			       "hierarchical_total=60 N0=6 N1=54\n"
			       "hierarchical_file=30 N0=1 N1=29\n"
			       "hierarchical_anon=25 N0=3 N1=22\n"
			       "hierarchical_unevictable=5 N0=2 N1=3\n",
			       4096),
			 0);
	assert_bytes(f, MIG_CHARGE_ANON, 5 * 4096, 25 * 4096);
	assert_bytes(f, MIG_CHARGE_FILE, 4096, 29 * 4096);
	assert_false(f->stat.is_known[MIG_CHARGE_SHMEM]);
	assert_false(f->stat.is_known[MIG_CHARGE_KERNEL]);
	assert_false(f->stat.is_known[MIG_CHARGE_FILE_DIRTY]);
}

static void nodes_may_be_missing_and_far_apart(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "anon N7=5 N1023=6\nfile\n", 0), 0);
	assert_int_equal(f->stat.bytes[MIG_CHARGE_ANON][0], 0);
	assert_int_equal(f->stat.bytes[MIG_CHARGE_ANON][7], 5);
	assert_int_equal(f->stat.bytes[MIG_CHARGE_ANON][1023], 6);
	assert_bytes(f, MIG_CHARGE_FILE, 0, 0);
}

static void more_shared_memory_than_cache_leaves_no_files(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "file N0=10 N1=20\nshmem N0=11 N1=20\n", 0), 0);
	assert_bytes(f, MIG_CHARGE_FILE, 0, 0);
	assert_bytes(f, MIG_CHARGE_SHMEM, 11, 20);
}

static void what_is_not_told_is_not_known(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "", 0), 0);
	for (size_t i = 0; i < MIG_NR_CHARGES; i++)
		assert_false(f->stat.is_known[i]);
	assert_int_equal(parse(f, "anon_thp N0=1\nanonymous rubbish\n\n", 0), 0);
	assert_false(f->stat.is_known[MIG_CHARGE_ANON]);
	assert_true(f->stat.is_known[MIG_CHARGE_ANON_THP]);
	/* The formats are not mixed up. */
	assert_int_equal(parse(f, "hierarchical_anon=1 N0=1\nanon=1 N0=1\n", 0), 0);
	assert_int_equal(parse(f, "anon N0=1\n", 4096), 0);
	for (size_t i = 0; i < MIG_NR_CHARGES; i++)
		assert_false(f->stat.is_known[i]);
}

static void rubbish_is_refused(void **state)
{
	static const struct {
		const char *text;
		size_t page_size;
	} cases[] = {
		{ "anon N0\n", 0 },
		{ "anon N0=\n", 0 },
		{ "anon 0=1\n", 0 },
		{ "anon N=1\n", 0 },
		{ "anon N0=1x\n", 0 },
		{ "anon N0=-1\n", 0 },
		{ "anon N1024=1\n", 0 },
		{ "anon N0=18446744073709551616\n", 0 },
		{ "pagetables N0=18446744073709551615\nkernel_stack N0=1\n", 0 },
		{ "hierarchical_file=1x N0=1\n", 4096 },
		{ "hierarchical_file=1 N0=4503599627370496\n", 4096 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(parse(f, cases[i].text, cases[i].page_size), -EBADMSG);
	/* The largest of each. */
	assert_int_equal(parse(f, "anon N0=18446744073709551615\n", 0), 0);
	assert_int_equal(parse(f, "hierarchical_file=1 N0=4503599627370495\n", 4096), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v2_counts_bytes),
		TEST(v1_counts_pages_with_all_below),
		TEST(nodes_may_be_missing_and_far_apart),
		TEST(more_shared_memory_than_cache_leaves_no_files),
		TEST(what_is_not_told_is_not_known),
		TEST(rubbish_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
