/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "handles.h"
#include "rooted.h"

static struct mig_zones *read_zones(const struct rooted *f)
{
	struct mig_zones *zones = NULL;

	assert_int_equal(mig_zones_read(f->context, &zones), 0);
	return zones;
}

static void zones_come_in_the_order_of_the_kernel(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(zones) struct mig_zones *zones = NULL;

	fake_root_write(f->root, "proc/buddyinfo",
			"Node 0, zone    DMA32      1      2      0 \n"
			"Node 0, zone   Normal      8      0      0 \n"
			"Node 3, zone  Movable      0      0      5 \n");
	zones = read_zones(f);
	assert_string_equal(mig_zones_get(zones, 0)->name, "DMA32");
	assert_int_equal(mig_zones_get(zones, 1)->nr_free[0], 8);
	assert_int_equal(mig_zones_get(zones, 2)->node, 3);
	assert_int_equal(mig_zones_get(zones, 2)->nr_orders, 3);
	assert_null(mig_zones_get(zones, 3));
	assert_null(mig_zones_get(NULL, 0));
}

static void free_memory_is_summed_by_the_size_of_its_blocks(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(zones) struct mig_zones *zones = NULL;
	uint64_t page = mig_context_get_page_size(f->context);

	fake_root_write(f->root, "proc/buddyinfo",
			"Node 0, zone    DMA32      1      2      3\n"
			"Node 0, zone   Normal      8      4      1\n"
			"Node 1, zone   Normal      0      0      5\n");
	zones = read_zones(f);
	assert_int_equal(mig_zones_sum_free(zones, 0, 0), (9 + 12 + 16) * page);
	assert_int_equal(mig_zones_sum_free(zones, 0, page), (9 + 12 + 16) * page);
	assert_int_equal(mig_zones_sum_free(zones, 0, 2 * page), (12 + 16) * page);
	assert_int_equal(mig_zones_sum_free(zones, 0, 4 * page), 16 * page);
	/* Nothing is that large. */
	assert_int_equal(mig_zones_sum_free(zones, 0, 8 * page), 0);
	assert_int_equal(mig_zones_sum_free(zones, 1, 3 * page), 20 * page);
	assert_int_equal(mig_zones_sum_free(zones, 2, 0), 0);
	assert_int_equal(mig_zones_sum_free(NULL, 0, 0), 0);
}

/* Of Linux 6.1, which said both at once. */
static void fragmentation_is_what_the_kernel_says_of_it(void **state)
{
	static const unsigned int kernels[][11] = {
		{ 0, 0, 0, 0, 0, 0, 0, 0, 34, 34, 172 },
		{ 0, 0, 0, 0, 0, 0, 1, 2, 7, 12, 21 },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 9 },
		{ 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000 },
	};
	struct rooted *f = *state;
	CLEANUP_MIG(zones) struct mig_zones *zones = NULL;

	fake_root_write(f->root, "proc/buddyinfo",
			"Node 0, zone      DMA      0      0      0      0      0      0"
			"      0      1      0      1      3 \n"
			"Node 2, zone   Normal      2      2      1      1      1      2"
			"      1      2      1      1     53 \n"
			"Node 0, zone    DMA32      2      2      2      0      1      2"
			"      2      3      3      3    291 \n"
			"Node 3, zone  Movable      0      0      0      0      0      0"
			"      0      0      0      0      0 \n");
	zones = read_zones(f);
	for (size_t i = 0; i < 4; i++)
		for (size_t order = 0; order < 11; order++)
			assert_int_equal(
				mig_zones_get(zones, i)->unusable_thousandths[order],
				kernels[i][order]);
}

static void the_size_of_a_huge_page_is_asked_of_the_kernel(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(zones) struct mig_zones *zones = NULL;
	CLEANUP_MIG(zones) struct mig_zones *without = NULL;
	uint64_t page = mig_context_get_page_size(f->context);

	fake_root_write(f->root, "proc/buddyinfo", "Node 0, zone Normal 1\n");
	without = read_zones(f);
	assert_int_equal(mig_zones_get_huge_page_bytes(without), page / 8 * page);
	fake_root_write(f->root, "sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
			"33554432\n");
	zones = read_zones(f);
	assert_int_equal(mig_zones_get_huge_page_bytes(zones), 33554432);
	assert_int_equal(mig_zones_get_huge_page_bytes(NULL), 0);
}

static void rubbish_is_refused_and_said(void **state)
{
	struct rooted *f = *state;
	struct mig_zones *zones = NULL;

	assert_int_equal(mig_zones_read(f->context, &zones), -ENOENT);
	fake_root_write(f->root, "proc/buddyinfo", "Node 0, zone Normal 1\nrubbish\n");
	assert_int_equal(mig_zones_read(f->context, &zones), -EBADMSG);
	assert_string_equal(f->root->log, "/proc/buddyinfo does not parse");
	fake_root_write(f->root, "proc/buddyinfo", "Node 0, zone AveryLongZoneName 1\n");
	assert_int_equal(mig_zones_read(f->context, &zones), -EBADMSG);
	assert_null(zones);
	assert_int_equal(mig_zones_read(NULL, &zones), -EINVAL);
	assert_int_equal(mig_zones_read(f->context, NULL), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(zones_come_in_the_order_of_the_kernel),
		TEST(free_memory_is_summed_by_the_size_of_its_blocks),
		TEST(fragmentation_is_what_the_kernel_says_of_it),
		TEST(the_size_of_a_huge_page_is_asked_of_the_kernel),
		TEST(rubbish_is_refused_and_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
