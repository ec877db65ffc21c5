/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages that are mapped more than once may be moved. */
#include "sharing.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>

#define FRAME 7
#define NR_FRAMES 100

/* What kpagecount says of FRAME; below 0: it cannot be read. */
static int mappers;
static unsigned int nr_questions;

static ssize_t fake_pread(int fd, void *buffer, size_t length, off_t offset)
{
	uint64_t *count = buffer;

	nr_questions++;
	assert_int_equal(fd, 3);
	assert_int_equal(length, sizeof(*count));
	assert_int_equal(offset, FRAME * sizeof(*count));
	if (mappers < 0)
		return -EACCES;
	*count = (uint64_t)mappers;
	return sizeof(*count);
}

static const struct mig_calls calls = { .pread = fake_pread };
static const struct mig_context context = { .calls = &calls };
static const struct mig_pagemap pagemap = { .context = &context, .count_fd = 3 };

static const struct mig_units own_page = { .frame = FRAME, .nr = 1, .unit_pages = 1 };
static const struct mig_units shared_anon = {
	.frame = FRAME, .nr = 1, .unit_pages = 1, .flags = MIG_UNIT_SHARED
};
static const struct mig_units shared_file = {
	.frame = FRAME, .nr = 1, .unit_pages = 1, .flags = MIG_UNIT_SHARED | MIG_UNIT_FILE
};

static bool allows(enum mig_shared mode, bool may_move, enum mig_kind kind,
		   const struct mig_units *unit, unsigned int own)
{
	struct mig_sharing sharing;
	bool allowed;

	assert_int_equal(mig_sharing_init(&sharing, mode, may_move, NR_FRAMES), 0);
	while (own--)
		mig_sharing_survey(&sharing, unit);
	allowed = mig_sharing_allows(&sharing, &pagemap, kind, unit);
	mig_sharing_done(&sharing);
	return allowed;
}

static void a_page_of_ones_own_always_moves(void **state)
{
	(void)state;
	for (int mode = MIG_SHARED_DEFAULT; mode <= MIG_SHARED_NONE; mode++)
		for (int may = 0; may < 2; may++)
			assert_true(allows((enum mig_shared)mode, may, MIG_KIND_FILE,
					   &own_page, 0));
}

static void without_the_capability_no_shared_page_moves(void **state)
{
	(void)state;
	mappers = 2;
	for (int mode = MIG_SHARED_DEFAULT; mode <= MIG_SHARED_NONE; mode++)
		assert_false(allows((enum mig_shared)mode, false, MIG_KIND_ANON,
				    &shared_anon, 2));
}

static void the_default_is_anonymous_memory_with_the_capability(void **state)
{
	struct mig_sharing sharing;

	(void)state;
	assert_int_equal(mig_sharing_init(&sharing, MIG_SHARED_DEFAULT, true, 0), 0);
	assert_int_equal(sharing.mode, MIG_SHARED_ANON);
	mig_sharing_done(&sharing);
	assert_int_equal(mig_sharing_init(&sharing, MIG_SHARED_DEFAULT, false, 0), 0);
	assert_int_equal(sharing.mode, MIG_SHARED_NONE);
	mig_sharing_done(&sharing);
}

static void all_means_all(void **state)
{
	(void)state;
	mappers = 1000;
	assert_true(allows(MIG_SHARED_ALL, true, MIG_KIND_FILE, &shared_file, 0));
	assert_true(allows(MIG_SHARED_ALL, true, MIG_KIND_ANON, &shared_anon, 0));
}

static void anon_takes_shared_memory_and_leaves_files(void **state)
{
	(void)state;
	mappers = 2;
	assert_true(allows(MIG_SHARED_ANON, true, MIG_KIND_ANON, &shared_anon, 0));
	assert_true(allows(MIG_SHARED_ANON, true, MIG_KIND_SHMEM, &shared_file, 0));
	assert_true(allows(MIG_SHARED_ANON, true, MIG_KIND_HUGETLB, &shared_file, 0));
	assert_false(allows(MIG_SHARED_ANON, true, MIG_KIND_FILE, &shared_file, 0));
}

/* Such as relocated data of a library, after fork(2). */
static void a_private_copy_in_a_files_mapping_is_anonymous(void **state)
{
	(void)state;
	mappers = 2;
	assert_true(allows(MIG_SHARED_ANON, true, MIG_KIND_FILE, &shared_anon, 0));
}

static void none_leaves_what_others_map(void **state)
{
	(void)state;
	mappers = 2;
	assert_false(allows(MIG_SHARED_NONE, true, MIG_KIND_ANON, &shared_anon, 0));
	assert_false(allows(MIG_SHARED_NONE, true, MIG_KIND_ANON, &shared_anon, 1));
}

static void what_only_the_target_maps_is_its_own_however_often(void **state)
{
	(void)state;
	mappers = 3;
	assert_true(allows(MIG_SHARED_NONE, true, MIG_KIND_ANON, &shared_anon, 3));
	assert_true(allows(MIG_SHARED_ANON, true, MIG_KIND_FILE, &shared_file, 3));
	assert_false(allows(MIG_SHARED_ANON, true, MIG_KIND_FILE, &shared_file, 2));
}

static void what_cannot_be_known_is_not_ones_own(void **state)
{
	const struct mig_units unknown = { .nr = 1,
					   .unit_pages = 1,
					   .flags = MIG_UNIT_SHARED };
	struct mig_sharing sharing;

	(void)state;
	mappers = -1;
	assert_false(allows(MIG_SHARED_NONE, true, MIG_KIND_ANON, &shared_anon, 5));
	mappers = 0;
	assert_false(allows(MIG_SHARED_NONE, true, MIG_KIND_ANON, &unknown, 5));
	assert_int_equal(mig_sharing_init(&sharing, MIG_SHARED_NONE, true, 0), 0);
	assert_false(sharing.counts_own);
	assert_false(mig_sharing_allows(&sharing, &pagemap, MIG_KIND_ANON, &shared_anon));
	mig_sharing_done(&sharing);
}

static bool depends(enum mig_shared mode, bool may_move, uint64_t nr_frames,
		    enum mig_kind kind)
{
	struct mig_sharing sharing;
	bool result;

	assert_int_equal(mig_sharing_init(&sharing, mode, may_move, nr_frames), 0);
	result = mig_sharing_depends_on_owner(&sharing, kind);
	mig_sharing_done(&sharing);
	return result;
}

static void mappings_are_surveyed_only_where_it_matters(void **state)
{
	(void)state;
	assert_true(depends(MIG_SHARED_NONE, true, NR_FRAMES, MIG_KIND_ANON));
	assert_true(depends(MIG_SHARED_ANON, true, NR_FRAMES, MIG_KIND_FILE));
	assert_false(depends(MIG_SHARED_ANON, true, NR_FRAMES, MIG_KIND_SHMEM));
	assert_false(depends(MIG_SHARED_ALL, true, NR_FRAMES, MIG_KIND_FILE));
	assert_false(depends(MIG_SHARED_NONE, true, 0, MIG_KIND_ANON));
	assert_false(depends(MIG_SHARED_NONE, false, NR_FRAMES, MIG_KIND_ANON));
}

static void the_kernel_is_asked_once_about_what_is_mapped_outside(void **state)
{
	struct mig_sharing sharing;

	(void)state;
	mappers = 2;
	assert_int_equal(mig_sharing_init(&sharing, MIG_SHARED_NONE, true, NR_FRAMES), 0);
	assert_int_equal(mig_sharing_begin_survey(&sharing), 0);
	mig_sharing_survey(&sharing, &shared_file);
	nr_questions = 0;
	for (int i = 0; i < 3; i++)
		assert_false(mig_sharing_allows(&sharing, &pagemap, MIG_KIND_FILE,
						&shared_file));
	assert_int_equal(nr_questions, 1);
	/* The other who maps it has joined the target. */
	assert_int_equal(mig_sharing_begin_survey(&sharing), 0);
	mig_sharing_survey(&sharing, &shared_file);
	assert_true(mig_sharing_allows(&sharing, &pagemap, MIG_KIND_FILE, &shared_file));
	mig_sharing_done(&sharing);
}

static void a_page_of_ones_own_is_not_counted(void **state)
{
	struct mig_sharing sharing;

	(void)state;
	assert_int_equal(mig_sharing_init(&sharing, MIG_SHARED_NONE, true, NR_FRAMES), 0);
	mig_sharing_survey(&sharing, &own_page);
	assert_int_equal(mig_frametable_get(&sharing.own, FRAME), 0);
	mig_sharing_survey(&sharing, &shared_anon);
	assert_int_equal(mig_frametable_get(&sharing.own, FRAME), 1);
	mig_sharing_done(&sharing);
	mig_sharing_done(&sharing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_ones_own_always_moves),
		cmocka_unit_test(without_the_capability_no_shared_page_moves),
		cmocka_unit_test(the_default_is_anonymous_memory_with_the_capability),
		cmocka_unit_test(all_means_all),
		cmocka_unit_test(anon_takes_shared_memory_and_leaves_files),
		cmocka_unit_test(a_private_copy_in_a_files_mapping_is_anonymous),
		cmocka_unit_test(none_leaves_what_others_map),
		cmocka_unit_test(what_only_the_target_maps_is_its_own_however_often),
		cmocka_unit_test(what_cannot_be_known_is_not_ones_own),
		cmocka_unit_test(mappings_are_surveyed_only_where_it_matters),
		cmocka_unit_test(the_kernel_is_asked_once_about_what_is_mapped_outside),
		cmocka_unit_test(a_page_of_ones_own_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
