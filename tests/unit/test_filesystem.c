/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filesystem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "rooted.h"

#define ROOT_LINE "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
#define SHM_LINE "30 22 0:26 / /dev/shm rw,nosuid shared:3 - tmpfs tmpfs rw,size=9\n"
#define ODD_LINE \
	"31 22 0:300 /a\\040b /mnt/c\\012d ro shared:1 master:2 - fuse.x src ro\n"

DEFINE_CLEANUP(filesystems)

static void a_type_is_found_by_device_number(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;

	fake_root_write(f->root, "proc/42/mountinfo", ROOT_LINE SHM_LINE ODD_LINE);
	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), 0);
	assert_string_equal(mig_filesystems_get_type(filesystems, 254, 0), "ext4");
	assert_string_equal(mig_filesystems_get_type(filesystems, 0, 26), "tmpfs");
	assert_string_equal(mig_filesystems_get_type(filesystems, 0, 300), "fuse.x");
	assert_null(mig_filesystems_get_type(filesystems, 0, 27));
	assert_null(mig_filesystems_get_type(filesystems, 26, 0));
}

static void a_mount_is_found_by_its_number(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;

	/* Two mounts of one device. */
	fake_root_write(f->root, "proc/42/mountinfo",
			ROOT_LINE SHM_LINE ODD_LINE
			"32 22 0:26 / /mnt/again ro - tmpfs tmpfs rw\n");
	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), 0);
	assert_string_equal(mig_filesystems_get_mount_type(filesystems, 22), "ext4");
	assert_string_equal(mig_filesystems_get_mount_type(filesystems, 30), "tmpfs");
	assert_string_equal(mig_filesystems_get_directory(filesystems, 22), "/");
	assert_string_equal(mig_filesystems_get_directory(filesystems, 31), "/mnt/c\nd");
	assert_string_equal(mig_filesystems_get_directory(filesystems, 32), "/mnt/again");
	assert_null(mig_filesystems_get_mount_type(filesystems, 33));
	assert_null(mig_filesystems_get_directory(filesystems, 33));
	assert_null(mig_filesystems_get_directory(filesystems, UINT64_MAX));
}

/* A bind mount of a part of it comes first; a subvolume has a device of its own. */
static void a_file_system_is_at_home_where_all_of_it_is_mounted(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;

	fake_root_write(f->root, "proc/42/mountinfo",
			ROOT_LINE "40 22 0:50 /part /srv/part rw - xfs /dev/b rw\n"
				  "41 22 0:50 / /srv/all rw - xfs /dev/b rw\n"
				  "42 22 0:60 /one /srv/one rw - btrfs /dev/c rw\n"
				  "43 22 0:60 /two /srv/two rw - btrfs /dev/c rw\n");
	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), 0);
	assert_string_equal(mig_filesystems_get_home(filesystems, makedev(0, 50), 40),
			    "/srv/all");
	assert_string_equal(mig_filesystems_get_home(filesystems, makedev(254, 0), 0),
			    "/");
	assert_string_equal(mig_filesystems_get_home(filesystems, makedev(0, 60), 0),
			    "/srv/one");
	assert_string_equal(mig_filesystems_get_home(filesystems, makedev(0, 61), 43),
			    "/srv/two");
	assert_null(mig_filesystems_get_home(filesystems, makedev(0, 62), 0));
}

static bool has_option(const struct mig_filesystems *filesystems, uint64_t mount_id,
		       const char *name, const char *wanted)
{
	char value[64];

	return mig_filesystems_get_option(filesystems, mount_id, name, value,
					  sizeof(value)) &&
	       !strcmp(value, wanted);
}

static void an_option_is_one_of_the_file_system_with_that_value(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;

	fake_root_write(f->root, "proc/42/mountinfo",
			"22 1 254:0 / / rw,data=journal - ext4 /dev/vda rw,data=ordered\n"
			"23 1 254:1 / /a rw - ext4 /dev/vdb rw,data=journal,discard\n"
			"24 1 254:2 / /b rw - ext4 /dev/vdc rw,data=journalling\n"
			"25 1 254:3 / /c rw - ext4 /dev/vdd rw,mydata=journal\n"
			"26 1 254:4 / /d rw - ext4 /dev/vde rw,data\n");
	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), 0);
	assert_false(has_option(filesystems, 22, "data", "journal"));
	assert_true(has_option(filesystems, 22, "data", "ordered"));
	assert_true(has_option(filesystems, 23, "data", "journal"));
	assert_false(has_option(filesystems, 24, "data", "journal"));
	assert_false(has_option(filesystems, 25, "data", "journal"));
	assert_false(has_option(filesystems, 26, "data", "journal"));
	assert_false(has_option(filesystems, 27, "data", "journal"));
}

static void the_mounts_of_the_process_are_asked_before_ours(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;
	CLEANUP_MIG(filesystems) struct mig_filesystems *ours = NULL;

	fake_root_write(f->root, "proc/42/mountinfo", ROOT_LINE);
	fake_root_write(f->root, "proc/self/mountinfo", SHM_LINE);
	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), 0);
	assert_null(mig_filesystems_get_type(filesystems, 0, 26));
	assert_int_equal(mig_filesystems_new(f->context, 43, &ours), 0);
	assert_string_equal(mig_filesystems_get_type(ours, 0, 26), "tmpfs");
}

static void a_root_without_mountinfo_has_no_file_systems(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;

	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), 0);
	assert_null(mig_filesystems_get_type(filesystems, 0, 0));
}

static void a_line_that_does_not_parse_is_an_error(void **state)
{
	struct rooted *f = *state;
	struct mig_filesystems *filesystems = NULL;

	fake_root_write(f->root, "proc/42/mountinfo", ROOT_LINE "rubbish\n" SHM_LINE);
	assert_int_equal(mig_filesystems_new(f->context, 42, &filesystems), -EBADMSG);
	assert_null(filesystems);
}

static void nobody_in_particular_sees_what_the_caller_sees(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;

	fake_root_write(f->root, "proc/0/mountinfo", ROOT_LINE);
	fake_root_write(f->root, "proc/self/mountinfo", SHM_LINE);
	assert_int_equal(mig_filesystems_new(f->context, 0, &filesystems), 0);
	assert_null(mig_filesystems_get_type(filesystems, 254, 0));
	assert_non_null(mig_filesystems_get_type(filesystems, 0, 26));
}

struct visited {
	char text[256];
	int stop;
};

static int note_mount(void *data, const struct mig_mount *mount)
{
	struct visited *visited = data;
	size_t length = strlen(visited->text);

	snprintf(visited->text + length, sizeof(visited->text) - length, "%d %s %s;",
		 (int)mount->id, mount->root, mount->directory);
	return visited->stop;
}

static void the_mounts_of_a_type_come_in_the_order_of_the_table(void **state)
{
	struct rooted *f = *state;
	CLEANUP_MIG(filesystems) struct mig_filesystems *filesystems = NULL;
	struct visited visited = { "", 0 };

	fake_root_write(
		f->root, "proc/self/mountinfo",
		ROOT_LINE
		"40 22 0:30 /docker/a\\040b /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
		"41 22 0:31 / /sys/fs/cgroup/x ro - cgroup cgroup rw,memory\n"
		"42 22 0:30 / /mnt/a\\040b ro - cgroup2 cgroup rw\n" SHM_LINE);
	assert_int_equal(mig_filesystems_new(f->context, 0, &filesystems), 0);
	assert_int_equal(
		mig_filesystems_visit(filesystems, "cgroup2", note_mount, &visited), 0);
	assert_string_equal(visited.text, "40 /docker/a b /sys/fs/cgroup;42 / /mnt/a b;");
	visited = (struct visited){ "", 7 };
	assert_int_equal(
		mig_filesystems_visit(filesystems, "cgroup2", note_mount, &visited), 7);
	assert_string_equal(visited.text, "40 /docker/a b /sys/fs/cgroup;");
	visited = (struct visited){ "", 0 };
	assert_int_equal(
		mig_filesystems_visit(filesystems, "cgroup", note_mount, &visited), 0);
	assert_string_equal(visited.text, "41 / /sys/fs/cgroup/x;");
	assert_int_equal(mig_filesystems_visit(filesystems, "nfs", note_mount, &visited),
			 0);
}

static void nothing_is_freed_without_complaint(void **state)
{
	(void)state;
	mig_filesystems_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rooted_set_up, rooted_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_type_is_found_by_device_number),
		TEST(a_mount_is_found_by_its_number),
		TEST(a_file_system_is_at_home_where_all_of_it_is_mounted),
		TEST(an_option_is_one_of_the_file_system_with_that_value),
		TEST(the_mounts_of_the_process_are_asked_before_ours),
		TEST(nobody_in_particular_sees_what_the_caller_sees),
		TEST(the_mounts_of_a_type_come_in_the_order_of_the_table),
		TEST(a_root_without_mountinfo_has_no_file_systems),
		TEST(a_line_that_does_not_parse_is_an_error),
		cmocka_unit_test(nothing_is_freed_without_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
