/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Huge pages by size, from smaps of a made-up process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_process.h"
#include "smaps.h"

#define PMD_SIZE "sys/kernel/mm/transparent_hugepage/hpage_pmd_size"

#define MAPPING(page_size, anon, shmem, file, shared, private)       \
	"10000000-20000000 rw-p 00000000 00:00 0 AnonHugePages: x\n" \
	"Size:             262144 kB\n"                              \
	"KernelPageSize:    " page_size " kB\n"                      \
	"MMUPageSize:       " page_size " kB\n"                      \
	"Rss:                  40 kB\n"                              \
	"AnonHugePages:     " anon " kB\n"                           \
	"ShmemPmdMapped:    " shmem " kB\n"                          \
	"FilePmdMapped:     " file " kB\n"                           \
	"Shared_Hugetlb:    " shared " kB\n"                         \
	"Private_Hugetlb:   " private " kB\n"                        \
				      "VmFlags: rd wr mr mw me ac sd\n"

struct fixture {
	void *machine;
	struct mig_process *process;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fake_machine *machine;

	assert_non_null(f);
	fake_machine_set_up(&f->machine);
	machine = f->machine;
	fake_process_write(machine->root, 42, 1, NULL);
	fake_machine_write(&f->machine, PMD_SIZE, "2097152\n");
	assert_int_equal(mig_process_open(machine->context, 42, &f->process), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mig_process_free(f->process);
	fake_machine_tear_down(&f->machine);
	free(f);
	return 0;
}

static int count(struct fixture *f, const char *smaps, struct mig_huge_pages *sizes,
		 size_t nr_sizes, size_t *ret_count)
{
	fake_machine_write(&f->machine, "proc/42/smaps", smaps);
	return mig_residency_read_huge_pages(f->process, sizes, nr_sizes, ret_count);
}

static void without_huge_pages_there_are_no_sizes(void **state)
{
	struct mig_huge_pages sizes[4];
	size_t nr = 9;

	assert_int_equal(
		count(*state, MAPPING("4", "0", "0", "0", "0", "0"), sizes, 4, &nr), 0);
	assert_int_equal(nr, 0);
}

static void transparent_ones_are_counted_at_the_size_of_the_machine(void **state)
{
	struct mig_huge_pages sizes[4];
	size_t nr;

	assert_int_equal(count(*state,
			       MAPPING("4", "4096", "2048", "6144", "0", "0")
				       MAPPING("4", "2048", "0", "0", "0", "0"),
			       sizes, 4, &nr),
			 0);
	assert_int_equal(nr, 1);
	assert_int_equal(sizes[0].size_bytes, 2 << 20);
	assert_int_equal(sizes[0].nr_thp, 7);
	assert_int_equal(sizes[0].nr_hugetlb, 0);
}

static void those_of_pools_are_counted_at_the_size_of_their_mapping(void **state)
{
	struct mig_huge_pages sizes[4];
	size_t nr;

	assert_int_equal(count(*state,
			       MAPPING("1048576", "0", "0", "0", "2097152",
				       "1048576") MAPPING("64", "0", "0", "0", "128", "0")
				       MAPPING("2048", "0", "0", "0", "0", "8192")
					       MAPPING("4", "2048", "0", "0", "0", "0"),
			       sizes, 4, &nr),
			 0);
	assert_int_equal(nr, 3);
	assert_int_equal(sizes[0].size_bytes, 64 << 10);
	assert_int_equal(sizes[0].nr_hugetlb, 2);
	assert_int_equal(sizes[1].size_bytes, 2 << 20);
	assert_int_equal(sizes[1].nr_hugetlb, 4);
	assert_int_equal(sizes[1].nr_thp, 1);
	assert_int_equal(sizes[2].size_bytes, 1 << 30);
	assert_int_equal(sizes[2].nr_hugetlb, 3);
	assert_int_equal(sizes[2].nr_thp, 0);
}

static void sizes_without_room_are_counted_and_not_written(void **state)
{
	static const char smaps[] = MAPPING("1048576", "0", "0", "0", "1048576", "0")
		MAPPING("4", "2048", "0", "0", "0", "0");
	struct mig_huge_pages sizes[2] = { { 0 }, { .size_bytes = 7 } };
	size_t nr;

	assert_int_equal(count(*state, smaps, sizes, 1, &nr), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(sizes[0].size_bytes, 2 << 20);
	assert_int_equal(sizes[1].size_bytes, 7);
	assert_int_equal(count(*state, smaps, NULL, 0, &nr), 0);
	assert_int_equal(nr, 2);
}

static void without_transparent_huge_pages_a_tables_worth_is_one(void **state)
{
	struct fixture *f = *state;
	const struct fake_machine *machine = f->machine;
	uint64_t page = mig_context_get_page_size(machine->context);
	struct mig_huge_pages sizes[1];
	size_t nr;

	fake_root_remove(machine->root, PMD_SIZE);
	assert_int_equal(count(f, "FilePmdMapped: 1048576 kB\n", sizes, 1, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(sizes[0].size_bytes, page * page / 8);
}

static void what_does_not_parse_is_refused(void **state)
{
	static const char *const texts[] = {
		"KernelPageSize: x kB\n",
		"AnonHugePages: 2048\n",
		"AnonHugePages: 2048 MB\n",
		"Private_Hugetlb: -1 kB\n",
		"Shared_Hugetlb: 99999999999999999999 kB\n",
		/* A pool's page of no size. */
		"Shared_Hugetlb: 2048 kB\n",
		"KernelPageSize: 0 kB\nShared_Hugetlb: 2048 kB\n",
	};
	struct mig_huge_pages size = { .size_bytes = 7 };
	size_t nr = 9;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(count(*state, texts[i], &size, 1, &nr), -EBADMSG);
		assert_int_equal(size.size_bytes, 7);
		assert_int_equal(nr, 9);
	}
	fake_machine_write(&((struct fixture *)*state)->machine, PMD_SIZE, "huge\n");
	assert_int_equal(count(*state, "", &size, 1, &nr), -EBADMSG);
}

static void more_sizes_than_any_kernel_has_are_refused(void **state)
{
	struct mig_smaps_count counted = { 0 };
	char line[64];
	int length;

	(void)state;
	for (unsigned int i = 1; i <= MIG_MOST_HUGE_SIZES + 1; i++) {
		int expected = i <= MIG_MOST_HUGE_SIZES ? 0 : -EBADMSG;

		counted.page_bytes = (uint64_t)i << 20;
		length = snprintf(line, sizeof(line), "Shared_Hugetlb: %u kB", i << 10);
		assert_int_equal(
			mig_smaps_take_line(&counted,
					    (struct mig_text){ line, (size_t)length }),
			expected);
	}
	assert_int_equal(counted.nr_sizes, MIG_MOST_HUGE_SIZES);
}

static void memory_that_is_gone_is_told(void **state)
{
	struct mig_huge_pages size;
	size_t nr;

	/* So the file reads once its memory is gone. */
	assert_int_equal(count(*state, "", &size, 1, &nr), -ESRCH);
}

static void null_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mig_huge_pages size;
	size_t nr;

	assert_int_equal(mig_residency_read_huge_pages(NULL, &size, 1, &nr), -EINVAL);
	assert_int_equal(mig_residency_read_huge_pages(f->process, NULL, 1, &nr),
			 -EINVAL);
	assert_int_equal(mig_residency_read_huge_pages(f->process, &size, 1, NULL),
			 -EINVAL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(without_huge_pages_there_are_no_sizes),
		TEST(transparent_ones_are_counted_at_the_size_of_the_machine),
		TEST(those_of_pools_are_counted_at_the_size_of_their_mapping),
		TEST(sizes_without_room_are_counted_and_not_written),
		TEST(without_transparent_huge_pages_a_tables_worth_is_one),
		TEST(what_does_not_parse_is_refused),
		TEST(more_sizes_than_any_kernel_has_are_refused),
		TEST(memory_that_is_gone_is_told),
		TEST(null_is_refused),
	};

	return cmocka_run_group_tests_name("smaps", tests, NULL, NULL);
}
