/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What page frames hold, by the flags of a made-up machine. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "libmigrate.h"
#include "pagemap.h"
#include "rooted.h"

#define ON_LIST (MIG_FLAG_LRU | MIG_FLAG_UPTODATE)
#define FILE_PAGE ON_LIST
#define SHMEM_PAGE (ON_LIST | MIG_FLAG_SWAPBACKED)
#define ANON_PAGE (ON_LIST | MIG_FLAG_SWAPBACKED | MIG_FLAG_ANON | MIG_FLAG_MMAP)
#define THP (UINT64_C(1) << 22)
#define KSM (UINT64_C(1) << 21)
#define PRIVATE (UINT64_C(1) << 35)

static void put_flags(const struct rooted *rooted, const uint64_t *flags, size_t count)
{
	fake_root_write_bytes(rooted->root, "proc/kpageflags", flags,
			      count * sizeof(*flags));
}

/* What one frame with these flags holds. */
static enum mig_content content_of(const struct rooted *rooted, uint64_t flags)
{
	uint64_t pages[MIG_NR_CONTENTS];
	int content = -1;

	put_flags(rooted, &flags, 1);
	assert_int_equal(mig_contents_read(rooted->context, 0, 1, pages), 0);
	for (int i = 0; i < MIG_NR_CONTENTS; i++) {
		if (!pages[i])
			continue;
		assert_int_equal(pages[i], 1);
		assert_int_equal(content, -1);
		content = i;
	}
	return (enum mig_content)content;
}

static void flags_tell_what_a_frame_holds(void **state)
{
	static const struct {
		uint64_t flags;
		enum mig_content content;
	} pages[] = {
		{ MIG_FLAG_FREE, MIG_CONTENT_FREE },
		{ ANON_PAGE, MIG_CONTENT_ANON },
		/* As Linux 6.12 shows all anonymous pages. */
		{ ANON_PAGE | KSM, MIG_CONTENT_ANON },
		{ ANON_PAGE & ~MIG_FLAG_LRU, MIG_CONTENT_ANON },
		/* MADV_FREE takes the mark from it. */
		{ ANON_PAGE & ~MIG_FLAG_SWAPBACKED, MIG_CONTENT_ANON },
		{ ON_LIST | MIG_FLAG_SWAPBACKED | MIG_FLAG_SWAPCACHE, MIG_CONTENT_ANON },
		{ FILE_PAGE, MIG_CONTENT_FILE_UNMAPPED },
		{ FILE_PAGE | MIG_FLAG_DIRTY, MIG_CONTENT_FILE_UNMAPPED },
		{ FILE_PAGE | MIG_FLAG_MMAP, MIG_CONTENT_FILE_MAPPED },
		/* On its way to a list, or just taken from one. */
		{ MIG_FLAG_UPTODATE | MIG_FLAG_MMAP, MIG_CONTENT_FILE_MAPPED },
		{ SHMEM_PAGE & ~MIG_FLAG_LRU, MIG_CONTENT_SHMEM },
		/* Under read. */
		{ MIG_FLAG_LRU | MIG_FLAG_LOCKED, MIG_CONTENT_FILE_UNMAPPED },
		{ SHMEM_PAGE, MIG_CONTENT_SHMEM },
		{ SHMEM_PAGE | MIG_FLAG_MMAP, MIG_CONTENT_SHMEM },
		{ MIG_FLAG_HUGETLB | MIG_FLAG_HEAD, MIG_CONTENT_HUGETLB },
		{ MIG_FLAG_HUGETLB | MIG_FLAG_TAIL | MIG_FLAG_ANON, MIG_CONTENT_HUGETLB },
		{ MIG_FLAG_SLAB, MIG_CONTENT_SLAB },
		{ MIG_FLAG_PAGE_TABLE, MIG_CONTENT_PAGE_TABLE },
		{ MIG_FLAG_RESERVED, MIG_CONTENT_RESERVED },
		{ MIG_FLAG_RESERVED | MIG_FLAG_ZERO_PAGE, MIG_CONTENT_RESERVED },
		{ THP | MIG_FLAG_ZERO_PAGE, MIG_CONTENT_KERNEL },
		{ MIG_FLAG_OFFLINE, MIG_CONTENT_OFFLINE },
		{ MIG_FLAG_POISONED | ANON_PAGE, MIG_CONTENT_POISONED },
		{ 0, MIG_CONTENT_KERNEL },
		/* zsmalloc on Linux 6.1 and on 6.12. */
		{ MIG_FLAG_MMAP | PRIVATE, MIG_CONTENT_KERNEL },
		{ KSM | PRIVATE, MIG_CONTENT_KERNEL },
		/* And on 7.2. */
		{ MIG_FLAG_UPTODATE | PRIVATE, MIG_CONTENT_KERNEL },
		{ MIG_FLAG_UPTODATE, MIG_CONTENT_KERNEL },
		{ MIG_FLAG_NO_PAGE, MIG_CONTENT_ABSENT },
	};

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		assert_int_equal(content_of(*state, pages[i].flags), pages[i].content);
}

static void the_rest_of_a_folio_is_what_its_first_page_is(void **state)
{
	/* As Linux 6.1 shows a huge page, partly mapped, behind it a page of a file. */
	const uint64_t flags[] = {
		FILE_PAGE | MIG_FLAG_HEAD,
		MIG_FLAG_TAIL | MIG_FLAG_MMAP,
		MIG_FLAG_TAIL,
		MIG_FLAG_TAIL | MIG_FLAG_POISONED,
		SHMEM_PAGE | MIG_FLAG_HEAD,
		MIG_FLAG_TAIL,
		0,
		/* A folio that was freed while it was read. */
		MIG_FLAG_TAIL,
	};
	struct rooted *rooted = *state;
	uint64_t pages[MIG_NR_CONTENTS];

	put_flags(rooted, flags, 8);
	assert_int_equal(mig_contents_read(rooted->context, 0, 8, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_FILE_UNMAPPED], 2);
	assert_int_equal(pages[MIG_CONTENT_FILE_MAPPED], 1);
	assert_int_equal(pages[MIG_CONTENT_POISONED], 1);
	assert_int_equal(pages[MIG_CONTENT_SHMEM], 2);
	assert_int_equal(pages[MIG_CONTENT_KERNEL], 2);
}

static void a_walk_that_begins_in_a_folio_looks_for_its_first_page(void **state)
{
	/* One is longer than what is read at once. */
	enum { LONG = 20000 };
	static uint64_t flags[LONG + 2];
	struct rooted *rooted = *state;
	uint64_t pages[MIG_NR_CONTENTS];

	flags[0] = SHMEM_PAGE;
	flags[1] = ANON_PAGE | MIG_FLAG_HEAD;
	for (size_t i = 2; i < LONG + 2; i++)
		flags[i] = MIG_FLAG_TAIL;
	put_flags(rooted, flags, LONG + 2);
	assert_int_equal(mig_contents_read(rooted->context, 2, 1, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_ANON], 1);
	assert_int_equal(mig_contents_read(rooted->context, LONG, 2, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_ANON], 2);
	assert_int_equal(mig_contents_read(rooted->context, 0, LONG + 2, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_ANON], LONG + 1);
	assert_int_equal(pages[MIG_CONTENT_SHMEM], 1);
	/* Tails without a head, down to the first frame and behind another page. */
	flags[0] = flags[1] = MIG_FLAG_TAIL;
	put_flags(rooted, flags, LONG);
	assert_int_equal(mig_contents_read(rooted->context, 9, 1, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_KERNEL], 1);
	flags[8] = SHMEM_PAGE;
	put_flags(rooted, flags, LONG);
	assert_int_equal(mig_contents_read(rooted->context, 9, 1, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_KERNEL], 1);
}

static void what_is_behind_the_last_frame_is_absent(void **state)
{
	const uint64_t flags[] = { MIG_FLAG_SLAB, MIG_FLAG_FREE };
	struct rooted *rooted = *state;
	uint64_t pages[MIG_NR_CONTENTS];

	put_flags(rooted, flags, 2);
	assert_int_equal(mig_contents_read(rooted->context, 1, 100, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_FREE], 1);
	assert_int_equal(pages[MIG_CONTENT_ABSENT], 99);
	assert_int_equal(mig_contents_read(rooted->context, 5000, 7, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_ABSENT], 7);
	assert_int_equal(mig_contents_read(rooted->context, 0, 0, pages), 0);
	assert_int_equal(pages[MIG_CONTENT_ABSENT], 0);
}

static void what_cannot_be_read_is_refused(void **state)
{
	struct rooted *rooted = *state;
	uint64_t pages[MIG_NR_CONTENTS] = { 7 };

	assert_int_equal(mig_contents_read(rooted->context, 0, 1, pages), -ENOENT);
	put_flags(rooted, pages, 1);
	assert_int_equal(mig_contents_read(rooted->context, UINT64_MAX, 1, pages),
			 -EINVAL);
	assert_int_equal(mig_contents_read(rooted->context, UINT64_C(1) << 61, 1, pages),
			 -EINVAL);
	assert_int_equal(mig_contents_read(NULL, 0, 1, pages), -EINVAL);
	assert_int_equal(mig_contents_read(rooted->context, 0, 1, NULL), -EINVAL);
	assert_int_equal(pages[0], 7);
}

static ssize_t refuse_to_read(int fd, void *buffer, size_t length, off_t offset)
{
	(void)fd;
	(void)buffer;
	(void)length;
	(void)offset;
	return -EPERM;
}

static void an_error_of_the_kernel_is_handed_on(void **state)
{
	struct rooted *rooted = *state;
	struct mig_calls calls = mig_calls_kernel;
	uint64_t pages[MIG_NR_CONTENTS] = { 7 };

	calls.pread = refuse_to_read;
	put_flags(rooted, pages, 1);
	mig_context_set_calls(rooted->context, &calls);
	assert_int_equal(mig_contents_read(rooted->context, 0, 1, pages), -EPERM);
	assert_int_equal(pages[0], 7);
}

static const struct rooted *gathered;
static unsigned int nr_gathers;

/* One of two pages that are on no list comes to one: the other is zsmalloc's. */
static long gather(pid_t pid, unsigned long count, void *const *pages, const int *nodes,
		   int *status, int flags)
{
	const uint64_t words[] = { MIG_FLAG_SLAB, FILE_PAGE, MIG_FLAG_UPTODATE };

	(void)pid;
	(void)pages;
	(void)status;
	(void)flags;
	assert_int_equal(count, 0);
	assert_non_null(nodes);
	nr_gathers++;
	put_flags(gathered, words, 3);
	return 0;
}

static void a_page_on_its_way_to_a_list_is_waited_for(void **state)
{
	const uint64_t words[] = { MIG_FLAG_SLAB, MIG_FLAG_UPTODATE, MIG_FLAG_UPTODATE };
	struct mig_calls calls = mig_calls_kernel;
	struct rooted *rooted = *state;
	struct mig_context *context;
	uint64_t pages[MIG_NR_CONTENTS];

	calls.move_pages = gather;
	gathered = rooted;
	nr_gathers = 0;
	context = fake_root_context(rooted->root, &calls);
	put_flags(rooted, words, 3);
	assert_int_equal(mig_contents_read(context, 0, 1, pages), 0);
	assert_int_equal(nr_gathers, 0);
	assert_int_equal(mig_contents_read(context, 0, 3, pages), 0);
	assert_int_equal(nr_gathers, 1);
	assert_int_equal(pages[MIG_CONTENT_SLAB], 1);
	assert_int_equal(pages[MIG_CONTENT_FILE_UNMAPPED], 1);
	assert_int_equal(pages[MIG_CONTENT_KERNEL], 1);
	mig_context_free(context);
}

static void every_content_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < MIG_NR_CONTENTS; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				mig_content_get_name((enum mig_content)i),
				mig_content_get_name((enum mig_content)j));
	assert_string_equal(mig_content_get_name(MIG_CONTENT_FILE_UNMAPPED),
			    "file-unmapped");
	assert_string_equal(mig_content_get_name((enum mig_content)MIG_NR_CONTENTS), "?");
}

static void only_what_is_there_and_goes_is_movable(void **state)
{
	(void)state;
	assert_true(mig_content_is_movable(MIG_CONTENT_ANON));
	assert_true(mig_content_is_movable(MIG_CONTENT_FILE_UNMAPPED));
	assert_true(mig_content_is_movable(MIG_CONTENT_HUGETLB));
	assert_false(mig_content_is_movable(MIG_CONTENT_SLAB));
	assert_false(mig_content_is_movable(MIG_CONTENT_KERNEL));
	assert_false(mig_content_is_movable(MIG_CONTENT_FREE));
	assert_false(mig_content_is_movable(MIG_CONTENT_ABSENT));
	assert_false(mig_content_is_movable((enum mig_content)MIG_NR_CONTENTS));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, rooted_set_up, rooted_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(flags_tell_what_a_frame_holds),
		TEST(the_rest_of_a_folio_is_what_its_first_page_is),
		TEST(a_walk_that_begins_in_a_folio_looks_for_its_first_page),
		TEST(what_is_behind_the_last_frame_is_absent),
		TEST(what_cannot_be_read_is_refused),
		TEST(an_error_of_the_kernel_is_handed_on),
		TEST(a_page_on_its_way_to_a_list_is_waited_for),
		cmocka_unit_test(every_content_has_a_name_of_its_own),
		cmocka_unit_test(only_what_is_there_and_goes_is_movable),
	};

	return cmocka_run_group_tests_name("contents", tests, NULL, NULL);
}
