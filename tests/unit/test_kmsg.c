/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records are those of virtual machines with Linux 6.1, 6.12 and 7.2, shortened. */
#include "kmsg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <unistd.h>

#include "cleanup.h"
#include "rooted.h"

/* The page that the tests tell of is in it. */
#define FIRST_FRAME 0x100000
#define END_FRAME 0x108000

static struct mig_kmsg_scan scan_text(const char *text)
{
	struct mig_kmsg_scan scan = { .first_frame = FIRST_FRAME,
				      .end_frame = END_FRAME };

	mig_kmsg_scan_take(&scan, (struct mig_text){ text, strlen(text) });
	return scan;
}

static void assert_told(const char *text, enum mig_block_obstacle obstacle,
			uint64_t frame, const char *name)
{
	struct mig_kmsg_scan scan = scan_text(text);

	assert_int_equal(scan.obstacle, obstacle);
	assert_int_equal(scan.frame, frame);
	assert_string_equal(scan.name, name);
}

static void a_pinned_page_of_a_process_is_told_of(void **state)
{
	(void)state;
	/* 6.1 */
	assert_told("4,466,69,-;migrating pfn 10001d failed ret:4\n"
		    "4,467,69,-;page:0000000034cee1a4 refcount:3 mapcount:1 "
		    "mapping:0000000000000000 index:0x7f77892ad pfn:0x10001d\n"
		    "4,468,69,-;memcg:ffff88800491c000\n"
		    "4,469,69,-;anon flags: 0x9fffffc00a000e(referenced|uptodate|dirty|"
		    "swapbacked|node=2|zone=3|lastcpupid=0x1fffff)\n"
		    "4,470,69,-;raw: 009fffffc002091c ffffea0004000788\n"
		    "4,471,69,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x10001d, "anon");
	/* 6.12 and 7.2 */
	assert_told("4,420,67,-;migrating pfn 10001f failed ret:4\n"
		    "4,421,67,-;page: refcount:3 mapcount:1 "
		    "mapping:0000000000000000 index:0x7f643c003 pfn:0x10001f\n"
		    "4,423,67,-;anon flags: 0x9fffffc002091c(referenced|uptodate|dirty|"
		    "active|owner_2|swapbacked|node=2|zone=3|lastcpupid=0x1fffff)\n"
		    "4,426,67,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x10001f, "anon");
}

static void a_huge_page_has_lines_of_its_head(void **state)
{
	(void)state;
	assert_told("4,1,1,-;migrating pfn 100600 failed ret:1\n"
		    "4,2,1,-;page: refcount:4 mapcount:1 mapping:0000000000000000 "
		    "index:0x0 pfn:0x100600\n"
		    "4,3,1,-;head: order:9 mapcount:1 entire_mapcount:1 "
		    "nr_pages_mapped:0 pincount:0\n"
		    "4,4,1,-;anon flags: 0x9fffffc000085c(referenced|uptodate|dirty|"
		    "owner_2|head|node=2|zone=3|lastcpupid=0x1fffff)\n"
		    "4,5,1,-;page_type: f4(hugetlb)\n"
		    "4,6,1,-;head: 009fffffc000085c ffffc900016f7800\n"
		    "4,7,1,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x100600, "hugetlb");
}

static void a_page_of_a_file_comes_with_its_name(void **state)
{
	(void)state;
	assert_told("4,1,1,-;migrating pfn 10000d failed ret:4\n"
		    "4,2,1,-;page: refcount:5 mapcount:1 mapping:00000000dcf29e84 "
		    "index:0x3 pfn:0x10000d\n"
		    "4,3,1,-;aops:ext4_da_aops [ext4] ino:c dentry name(?):\"a file with "
		    "blanks\"\n"
		    "4,4,1,-;flags: 0x9fffffc000411c(referenced|uptodate|dirty|active|"
		    "private|node=2|zone=3|lastcpupid=0x1fffff)\n"
		    "4,5,1,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x10000d, "\"a file with blanks\"");
	/* Not every page cache belongs to a file with a name. */
	assert_told("4,1,1,-;migrating pfn 10000d failed ret:4\n"
		    "4,2,1,-;page: refcount:5 mapcount:1 index:0x3 pfn:0x10000d\n"
		    "4,3,1,-;aops:def_blk_aops ino:800001\n"
		    "4,4,1,-;flags: 0x9fffffc000411c(referenced|node=2)\n"
		    "4,5,1,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x10000d, "def_blk_aops");
}

static void slab_is_told_by_type_or_by_flag(void **state)
{
	(void)state;
	/* 6.1 */
	assert_told("4,1,1,-;page:00000000ff308d7d refcount:1 mapcount:0 "
		    "mapping:0000000000000000 index:0x0 pfn:0x107fff\n"
		    "4,2,1,-;flags: 0x4fffffc0000200(slab|node=1|zone=1|"
		    "lastcpupid=0x1fffff)\n"
		    "4,3,1,-;page dumped because: unmovable page\n",
		    MIG_OBSTACLE_UNMOVABLE, 0x107fff, "slab");
	/* 6.12: what is taken for "anon" is a pointer of the slab's own. */
	assert_told("4,896,277,-;page: refcount:1 mapcount:0 "
		    "mapping:0000000000000000 index:0xffff8880500017d0 pfn:0x100001\n"
		    "4,897,277,-;anon flags: 0x4fffffc0000000(node=1|zone=1|"
		    "lastcpupid=0x1fffff)\n"
		    "4,898,277,-;page_type: f5(slab)\n"
		    "4,901,277,-;page dumped because: unmovable page\n",
		    MIG_OBSTACLE_UNMOVABLE, 0x100001, "slab");
}

static void a_reserved_page_is_told_of(void **state)
{
	(void)state;
	assert_told("4,1,1,-;page:0000000068e92bd1 refcount:19 mapcount:0 "
		    "mapping:0000000000000000 index:0xd pfn:0x1000d1\n"
		    "4,2,1,-;flags: 0xfffffc0003000(reserved|private|node=0|zone=1)\n"
		    "4,3,1,-;page_type: 0xffffffff()\n"
		    "4,4,1,-;page dumped because: unmovable page\n",
		    MIG_OBSTACLE_UNMOVABLE, 0x1000d1, "reserved");
}

/* The kernel describes only some pages, and says when it has kept silent. */
static void a_page_that_is_not_described_counts(void **state)
{
	(void)state;
	assert_told("4,1,1,-;do_migrate_range: 925 callbacks suppressed\n"
		    "4,2,1,-;migrating pfn 100002 failed ret:1\n",
		    MIG_OBSTACLE_STAYED, 0x100002, "");
	assert_told("4,2,1,-;failed to isolate pfn 100003\n", MIG_OBSTACLE_STAYED,
		    0x100003, "");
}

/* What failed once may have gone the next time. */
static void the_last_page_counts(void **state)
{
	(void)state;
	assert_told("4,1,1,-;migrating pfn 100002 failed ret:1\n"
		    "4,2,1,-;page: refcount:3 mapcount:1 index:0x0 pfn:0x100002\n"
		    "4,3,1,-;page dumped because: migration failure\n"
		    "4,4,1,-;migrating pfn 100007 failed ret:1\n"
		    "4,5,1,-;page: refcount:3 mapcount:1 index:0x0 pfn:0x100007\n"
		    "4,6,1,-;ksm flags: 0x0(node=1)\n"
		    "4,7,1,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x100007, "ksm");
}

static void pages_of_other_blocks_and_other_troubles_are_passed_over(void **state)
{
	(void)state;
	assert_told("4,1,1,-;page: refcount:1 mapcount:0 index:0x0 pfn:0x108000\n"
		    "4,2,1,-;page dumped because: unmovable page\n"
		    "4,3,1,-;migrating pfn fffff failed ret:1\n"
		    "4,4,1,-;page: refcount:1 mapcount:0 index:0x0 pfn:0xfffff\n"
		    "4,5,1,-;page dumped because: migration failure\n"
		    "4,6,1,-;page: refcount:1 mapcount:0 index:0x0 pfn:0x100000\n"
		    "4,7,1,-;page dumped because: VM_BUG_ON_FOLIO(x)\n"
		    "4,8,1,-;page dumped because: unmovable page\n",
		    MIG_OBSTACLE_UNKNOWN, 0, "");
}

/* The head of a huge page may lie in the block before. */
static void a_page_is_that_which_was_tried(void **state)
{
	(void)state;
	assert_told("4,3,1,-;migrating pfn 100000 failed ret:1\n"
		    "4,4,1,-;page: refcount:1 mapcount:0 index:0x0 pfn:0xc0000\n"
		    "4,5,1,-;page_type: f4(hugetlb)\n"
		    "4,5,1,-;page dumped because: migration failure\n",
		    MIG_OBSTACLE_STAYED, 0x100000, "hugetlb");
}

static void what_is_no_record_is_passed_over(void **state)
{
	(void)state;
	assert_told("\n\n;\nmigrating pfn 100000 failed\n"
		    " SUBSYSTEM=memory;migrating pfn 100000 failed\n"
		    "4,1,1,-;migrating pfn x\n4,1,1,-;migrating pfn ",
		    MIG_OBSTACLE_UNKNOWN, 0, "");
}

static void a_long_name_is_cut_off(void **state)
{
	struct mig_kmsg_scan scan;

	(void)state;
	scan = scan_text("4,4,1,-;page: refcount:1 mapcount:0 index:0x0 pfn:0x100000\n"
			 "4,3,1,-;aops:ext4_aops ino:c dentry name:\"0123456789012345678"
			 "901234567890123456789012345678901234567890123456789\"\n"
			 "4,5,1,-;page dumped because: migration failure\n");
	assert_int_equal(strlen(scan.name), MIG_KMSG_PAGE_SIZE - 1);
}

/* A regular file stands for the log: reading it gives all records at once. */
static void only_what_comes_later_is_read(void **state)
{
	struct rooted *rooted = *state;
	struct mig_kmsg_scan scan = { .first_frame = FIRST_FRAME,
				      .end_frame = END_FRAME };
	CLEANUP_CLOSE int fd = -1;
	CLEANUP_FCLOSE FILE *log = NULL;
	char path[256];

	assert_int_equal(mig_kmsg_open(rooted->context), -ENOENT);
	fake_root_write(rooted->root, "dev/kmsg",
			"4,1,1,-;migrating pfn 100001 failed ret:1\n");
	fd = mig_kmsg_open(rooted->context);
	assert_true(fd >= 0);
	assert_int_equal(mig_kmsg_read(fd, &scan), 0);
	assert_int_equal(scan.obstacle, MIG_OBSTACLE_UNKNOWN);
	snprintf(path, sizeof(path), "%s/dev/kmsg", rooted->root->path);
	log = fopen(path, "ae");
	assert_non_null(log);
	fputs("4,2,1,-;migrating pfn 100002 failed ret:1\n", log);
	fflush(log);
	assert_int_equal(mig_kmsg_read(fd, &scan), 0);
	assert_int_equal(scan.frame, 0x100002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pinned_page_of_a_process_is_told_of),
		cmocka_unit_test(a_huge_page_has_lines_of_its_head),
		cmocka_unit_test(a_page_of_a_file_comes_with_its_name),
		cmocka_unit_test(slab_is_told_by_type_or_by_flag),
		cmocka_unit_test(a_reserved_page_is_told_of),
		cmocka_unit_test(a_page_that_is_not_described_counts),
		cmocka_unit_test(the_last_page_counts),
		cmocka_unit_test(
			pages_of_other_blocks_and_other_troubles_are_passed_over),
		cmocka_unit_test(a_page_is_that_which_was_tried),
		cmocka_unit_test(what_is_no_record_is_passed_over),
		cmocka_unit_test(a_long_name_is_cut_off),
		cmocka_unit_test_setup_teardown(only_what_comes_later_is_read,
						rooted_set_up, rooted_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
