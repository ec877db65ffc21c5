/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake_root.h"

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_backings backings;
	struct statx status; /**< of the root */
	int fd;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->root = fake_root_new();
	f->context = fake_root_context(f->root, NULL);
	f->fd = open(f->root->path, O_RDONLY | O_CLOEXEC);
	statx(f->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &f->status);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mig_context_free(f->context);
	fake_root_free(f->root);
	close(f->fd);
	free(f);
	return 0;
}

/* The mount table says that the root is on a file system of this type. */
static struct mig_backing *get(struct fixture *f, const char *type, const char *options)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%" PRIu64 " 1 %u:%u / / rw,relatime - %s /dev/vda %s\n"
		 "%" PRIu64 " 1 1:1 / /other rw - ramfs none rw,data=journal\n",
		 (uint64_t)f->status.stx_mnt_id, f->status.stx_dev_major,
		 f->status.stx_dev_minor, type, options,
		 (uint64_t)f->status.stx_mnt_id + 1);
	fake_root_write(f->root, "proc/self/mountinfo", text);
	mig_backings_init(&f->backings, f->context);
	return mig_backings_get(&f->backings, f->fd, &f->status);
}

static void a_type_is_that_of_the_mount(void **state)
{
	struct fixture *f = *state;
	const struct mig_backing *backing = get(f, "ext4", "rw");

	assert_string_equal(backing->type, "ext4");
	assert_true(backing->counts);
	assert_int_equal(backing->dirty, MIG_DIRTY_MOVES);
	mig_backings_done(&f->backings);
}

static void what_dirty_pages_do_is_known_of_some_types_only(void **state)
{
	static const char *const movers[] = { "ext2", "xfs", "btrfs", "f2fs", "tmpfs" };
	static const char *const others[] = { "vfat", "ramfs",    "nfs4", "9p",
					      "fuse", "squashfs", "ext5", "" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(movers) / sizeof(*movers); i++)
		assert_true(mig_backing_moves_dirty(movers[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(mig_backing_moves_dirty(others[i]));
	assert_int_equal(get(f, "vfat", "rw")->dirty, MIG_DIRTY_UNKNOWN);
	mig_backings_done(&f->backings);
	assert_int_equal(get(f, "ramfs", "rw")->dirty, MIG_DIRTY_NEVER);
	mig_backings_done(&f->backings);
}

static void data_in_the_journal_makes_a_file_system_unknown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, "ext4", "rw,data=journal,discard")->dirty,
			 MIG_DIRTY_UNKNOWN);
	mig_backings_done(&f->backings);
	assert_int_equal(get(f, "ext4", "rw,data=ordered")->dirty, MIG_DIRTY_MOVES);
	mig_backings_done(&f->backings);
	assert_int_equal(get(f, "ext4", "rw,mydata=journal")->dirty, MIG_DIRTY_MOVES);
	mig_backings_done(&f->backings);
}

static void files_of_overlays_and_hugetlb_cannot_be_counted(void **state)
{
	struct fixture *f = *state;

	assert_false(get(f, "overlay", "rw")->counts);
	mig_backings_done(&f->backings);
	assert_false(get(f, "hugetlbfs", "rw")->counts);
	mig_backings_done(&f->backings);
	assert_true(get(f, "vfat", "rw")->counts);
	mig_backings_done(&f->backings);
}

static void one_device_has_one_backing(void **state)
{
	struct fixture *f = *state;
	const struct mig_backing *first = get(f, "ext4", "rw");
	struct statx other = f->status;

	assert_ptr_equal(mig_backings_get(&f->backings, f->fd, &f->status), first);
	other.stx_dev_minor++;
	assert_ptr_not_equal(mig_backings_get(&f->backings, f->fd, &other), first);
	assert_ptr_equal(mig_backings_get(&f->backings, f->fd, &f->status), first);
	mig_backings_done(&f->backings);
}

static void a_long_type_is_cut_and_an_unreadable_table_has_none(void **state)
{
	struct fixture *f = *state;
	const struct mig_backing *backing =
		get(f, "fuse.a_name_that_is_longer_than_there_is_room_for", "rw");

	assert_int_equal(backing->dirty, MIG_DIRTY_UNKNOWN);
	assert_string_equal(backing->type, "fuse.a_name_that_is_longer_than");
	mig_backings_done(&f->backings);
	/* Of the file system of /proc its number says nothing, as of a tmpfs it would. */
	close(f->fd);
	f->fd = open("/proc", O_RDONLY | O_CLOEXEC);
	assert_int_equal(get(f, "ext4", "rw\nrubbish")->dirty, MIG_DIRTY_UNKNOWN);
	mig_backings_done(&f->backings);
}

static struct mig_backing *get_of(struct fixture *f, int fd)
{
	struct statx status;

	assert_true(fd >= 0);
	assert_int_equal(
		statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &status),
		0);
	mig_backings_init(&f->backings, f->context);
	return mig_backings_get(&f->backings, fd, &status);
}

static void what_the_kernel_mounts_for_itself_is_known_by_its_number(void **state)
{
	struct fixture *f = *state;
	int fd = memfd_create("unit", MFD_CLOEXEC);
	const struct mig_backing *backing = get_of(f, fd);

	assert_string_equal(backing->type, "tmpfs");
	assert_int_equal(backing->dirty, MIG_DIRTY_MOVES);
	mig_backings_done(&f->backings);
	close(fd);
}

static void secret_memory_is_known(void **state)
{
	struct fixture *f = *state;
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	if (fd < 0) {
		print_message("no secret memory on this kernel\n");
		skip();
	}
	assert_string_equal(get_of(f, fd)->type, "secretmem");
	mig_backings_done(&f->backings);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_type_is_that_of_the_mount),
		TEST(what_dirty_pages_do_is_known_of_some_types_only),
		TEST(data_in_the_journal_makes_a_file_system_unknown),
		TEST(files_of_overlays_and_hugetlb_cannot_be_counted),
		TEST(one_device_has_one_backing),
		TEST(a_long_type_is_cut_and_an_unreadable_table_has_none),
		TEST(what_the_kernel_mounts_for_itself_is_known_by_its_number),
		TEST(secret_memory_is_known),
	};

	return cmocka_run_group_tests_name("backing", tests, NULL, NULL);
}
