/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake_cgroup.h"
#include "handles.h"

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_cgroup *cgroup;
	char seen[256];
	const char *removed; /**< while the children are visited */
	int stop;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = fake_root_new();
	fixture->context = fake_root_context(fixture->root, NULL);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_cgroup_free(fixture->cgroup);
	mig_context_free(fixture->context);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static void open_cgroup(struct fixture *f, const char *name)
{
	mig_cgroup_free(f->cgroup);
	f->cgroup = NULL;
	assert_int_equal(mig_cgroup_open(f->context, name, &f->cgroup), 0);
}

/* What the file "tag" says in the place of a controller; "" if there is none. */
static const char *tag_of(const struct mig_cgroup *cgroup, enum mig_controller controller)
{
	static char text[16];
	ssize_t length =
		mig_cgroup_read_file(cgroup, controller, "tag", text, sizeof(text));

	if (length == -ENODATA)
		return "";
	assert_true(length >= 0);
	return text;
}

static void write_tagged(struct fixture *f, const char *hierarchy, const char *path,
			 const char *tag)
{
	fake_cgroup_write(f->root, hierarchy, path, "");
	fake_cgroup_write_file(f->root, hierarchy, path, "tag", tag);
}

static void on_v2_all_places_are_one_directory(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	write_tagged(f, FAKE_V2, "/a/b", "v2");
	open_cgroup(f, "a/b");
	assert_string_equal(mig_cgroup_get_path(f->cgroup), "/a/b");
	assert_false(f->cgroup->is_v1);
	assert_false(f->cgroup->is_root);
	for (size_t i = 0; i < MIG_NR_CONTROLLERS; i++) {
		assert_false(f->cgroup->places[i].is_v1);
		assert_string_equal(tag_of(f->cgroup, (enum mig_controller)i), "v2");
	}
	open_cgroup(f, "/");
	assert_true(f->cgroup->is_root);
}

static void on_v1_each_controller_has_its_own(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V1);
	write_tagged(f, FAKE_MEMORY, "/a", "memory");
	write_tagged(f, FAKE_FREEZER, "/a", "freezer");
	open_cgroup(f, "a");
	assert_true(f->cgroup->is_v1);
	assert_true(f->cgroup->places[MIG_CONTROLLER_CPUSET].is_v1);
	assert_int_equal(f->cgroup->places[MIG_CONTROLLER_CPUSET].fd, -1);
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_MEMORY), "memory");
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_CPUSET), "");
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_FREEZER), "freezer");
}

static void hybrid_has_the_freezer_of_v2_where_v1_has_none(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	write_tagged(f, FAKE_UNIFIED, "/a", "v2");
	write_tagged(f, FAKE_UNIFIED, "/b", "v2");
	write_tagged(f, FAKE_FREEZER, "/b", "v1");
	open_cgroup(f, "a");
	assert_false(f->cgroup->is_v1);
	assert_false(f->cgroup->places[MIG_CONTROLLER_FREEZER].is_v1);
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_FREEZER), "v2");
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_MEMORY), "");
	open_cgroup(f, "b");
	assert_true(f->cgroup->places[MIG_CONTROLLER_FREEZER].is_v1);
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_FREEZER), "v1");
	/* Whose members count was said. */
	open_cgroup(f, "/sys/fs/cgroup/unified/b");
	assert_false(f->cgroup->is_v1);
	assert_string_equal(tag_of(f->cgroup, MIG_CONTROLLER_FREEZER), "v1");
}

static void files_are_read_whole_or_not_at_all(void **state)
{
	struct fixture *f = *state;
	char buffer[5];

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write_file(f->root, FAKE_V2, "", "four", "1234");
	fake_cgroup_write_file(f->root, FAKE_V2, "", "five", "12345");
	open_cgroup(f, "/");
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_MEMORY, "four",
					      buffer, sizeof(buffer)),
			 4);
	assert_string_equal(buffer, "1234");
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_MEMORY, "five",
					      buffer, sizeof(buffer)),
			 -EFBIG);
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_MEMORY, "none",
					      buffer, sizeof(buffer)),
			 -ENODATA);
}

static void files_are_written_and_never_made(void **state)
{
	struct fixture *f = *state;
	char buffer[16];

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write_file(f->root, FAKE_V2, "", "file", "");
	open_cgroup(f, "/");
	assert_int_equal(
		mig_cgroup_write_file(f->cgroup, MIG_CONTROLLER_CPUSET, "file", "0-1"),
		0);
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_CPUSET, "file",
					      buffer, sizeof(buffer)),
			 3);
	assert_string_equal(buffer, "0-1");
	assert_int_equal(
		mig_cgroup_write_file(f->cgroup, MIG_CONTROLLER_CPUSET, "none", "0-1"),
		-ENODATA);
}

static int note_child(void *data, struct mig_cgroup *child)
{
	struct fixture *f = data;

	strcat(f->seen, mig_cgroup_get_path(child));
	strcat(f->seen, "=");
	for (size_t i = 0; i < MIG_NR_CONTROLLERS; i++) {
		strcat(f->seen, tag_of(child, (enum mig_controller)i));
		strcat(f->seen, ",");
	}
	strcat(f->seen, ";");
	if (f->removed)
		fake_root_remove(f->root, f->removed);
	f->removed = NULL;
	return f->stop;
}

static int note_inode(void *data, uint64_t inode)
{
	struct fixture *f = data;
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ";", inode);
	strcat(f->seen, text);
	return f->stop;
}

static void a_removed_cgroup_is_told_from_an_empty_one(void **state)
{
	struct fixture *f = *state;
	char buffer[16];

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	write_tagged(f, FAKE_V2, "/a", "old");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "memory.stat", "");
	open_cgroup(f, "a");
	assert_false(mig_cgroup_is_removed(f->cgroup));
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), 0);
	fake_cgroup_remove(f->root, FAKE_V2, "/a");
	/* Another one of this name is another one. */
	write_tagged(f, FAKE_V2, "/a", "new");
	assert_true(mig_cgroup_is_removed(f->cgroup));
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_MEMORY, "tag",
					      buffer, sizeof(buffer)),
			 -ENODEV);
	assert_int_equal(
		mig_cgroup_write_file(f->cgroup, MIG_CONTROLLER_MEMORY, "tag", "x"),
		-ENODEV);
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), -ENODEV);
	assert_int_equal(mig_cgroup_visit_inodes(f->cgroup, note_inode, f), -ENODEV);
	assert_int_equal(mig_cgroup_read_mems(f->cgroup, NULL, NULL), -ENODEV);
	assert_string_equal(f->seen, "");
}

static void a_removed_cgroup_is_so_for_controllers_that_never_had_it(void **state)
{
	struct fixture *f = *state;
	char buffer[16];

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V1);
	write_tagged(f, FAKE_MEMORY, "/a", "memory");
	open_cgroup(f, "a");
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_CPUSET, "tag",
					      buffer, sizeof(buffer)),
			 -ENODATA);
	fake_cgroup_remove(f->root, FAKE_MEMORY, "/a");
	assert_int_equal(mig_cgroup_read_file(f->cgroup, MIG_CONTROLLER_CPUSET, "tag",
					      buffer, sizeof(buffer)),
			 -ENODEV);
}

static void children_come_by_name_with_their_places(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	write_tagged(f, FAKE_MEMORY, "/a/y", "m");
	write_tagged(f, FAKE_MEMORY, "/a/x", "m");
	write_tagged(f, FAKE_MEMORY, "/a/x/deeper", "m");
	write_tagged(f, FAKE_CPUSET, "/a/x", "c");
	write_tagged(f, FAKE_UNIFIED, "/a/y", "u");
	write_tagged(f, FAKE_UNIFIED, "/a/z", "u");
	open_cgroup(f, "a");
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), 0);
	assert_string_equal(f->seen, "/a/x=m,c,,;/a/y=m,,u,;");
	open_cgroup(f, "/");
	f->seen[0] = '\0';
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), 0);
	assert_string_equal(f->seen, "/a=,,,;");
}

static void a_child_that_is_removed_meanwhile_is_passed_over(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	write_tagged(f, FAKE_V2, "/a", "1");
	write_tagged(f, FAKE_V2, "/b", "2");
	write_tagged(f, FAKE_V2, "/c", "3");
	open_cgroup(f, "/");
	f->removed = FAKE_V2 "/b";
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), 0);
	assert_string_equal(f->seen, "/a=1,1,1,;/c=3,3,3,;");
}

static void a_visitor_can_end_the_walk(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	write_tagged(f, FAKE_V2, "/a", "1");
	write_tagged(f, FAKE_V2, "/b", "2");
	open_cgroup(f, "/");
	f->stop = -ENODEV;
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), -ENODEV);
	f->stop = 7;
	assert_int_equal(mig_cgroup_visit_children(f->cgroup, note_child, f), 7);
	assert_string_equal(f->seen, "/a=1,1,1,;/a=1,1,1,;");
}

static uint64_t inode_of(const struct fixture *f, const char *path)
{
	char full[512];
	struct stat status;

	snprintf(full, sizeof(full), "%s/%s", f->root->path, path);
	assert_int_equal(stat(full, &status), 0);
	return status.st_ino;
}

static void inodes_are_those_of_the_memory_hierarchy(void **state)
{
	struct fixture *f = *state;
	char expected[128];

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/a/b", "");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/a/c", "");
	open_cgroup(f, "/sys/fs/cgroup/unified/a");
	assert_int_equal(mig_cgroup_visit_inodes(f->cgroup, note_inode, f), -ENODATA);
	fake_cgroup_write_file(f->root, FAKE_MEMORY, "/a", "memory.stat", "");
	assert_int_equal(mig_cgroup_visit_inodes(f->cgroup, note_inode, f), 0);
	snprintf(expected, sizeof(expected), "%" PRIu64 ";%" PRIu64 ";",
		 inode_of(f, FAKE_MEMORY "/a"), inode_of(f, FAKE_MEMORY "/a/b"));
	assert_string_equal(f->seen, expected);
	f->stop = -EINTR;
	assert_int_equal(mig_cgroup_visit_inodes(f->cgroup, note_inode, f), -EINTR);
	open_cgroup(f, "/sys/fs/cgroup/unified/a/c");
	assert_int_equal(mig_cgroup_visit_inodes(f->cgroup, note_inode, f), -ENODATA);
}

static void assert_mems(const struct fixture *f, const char *own, const char *effective)
{
	struct mig_nodeset sets[2];
	char text[64];

	assert_int_equal(mig_cgroup_read_mems(f->cgroup, &sets[0], &sets[1]), 0);
	mig_nodeset_format(&sets[0], text, sizeof(text));
	assert_string_equal(text, own);
	mig_nodeset_format(&sets[1], text, sizeof(text));
	assert_string_equal(text, effective);
}

static void nodes_are_read_from_the_cpuset_of_either_version(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "cpuset.mems", "\n");
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "cpuset.mems.effective", "0-2\n");
	fake_cgroup_write_file(f->root, FAKE_V2, "", "cpuset.mems.effective", "0-3\n");
	open_cgroup(f, "a");
	assert_mems(f, "", "0-2");
	open_cgroup(f, "/");
	assert_mems(f, "", "0-3");
	fake_cgroups_mount(f->root, FAKE_CGROUPS_V1);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/b", "");
	fake_cgroup_write(f->root, FAKE_CPUSET, "/b", "");
	fake_cgroup_write_file(f->root, FAKE_CPUSET, "/b", "cpuset.mems", "1,3\n");
	fake_cgroup_write_file(f->root, FAKE_CPUSET, "/b", "cpuset.effective_mems",
			       "1\n");
	open_cgroup(f, "/b");
	assert_mems(f, "1,3", "1");
}

static void without_a_cpuset_there_are_no_nodes(void **state)
{
	struct fixture *f = *state;
	struct mig_nodeset own = { .bits = { 77 } };

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "");
	open_cgroup(f, "a");
	assert_int_equal(mig_cgroup_read_mems(f->cgroup, &own, NULL), -ENODATA);
	fake_cgroup_write_file(f->root, FAKE_V2, "/a", "cpuset.mems.effective", "x\n");
	assert_int_equal(mig_cgroup_read_mems(f->cgroup, &own, NULL), -EBADMSG);
	assert_int_equal(own.bits[0], 77);
}

static void what_makes_no_sense_is_refused(void **state)
{
	struct fixture *f = *state;
	struct mig_cgroup *cgroup = NULL;

	assert_int_equal(mig_cgroup_open(f->context, "/", &cgroup), -EOPNOTSUPP);
	assert_int_equal(mig_cgroup_open(f->context, NULL, &cgroup), -EINVAL);
	assert_int_equal(mig_cgroup_open(NULL, "/", &cgroup), -EINVAL);
	assert_int_equal(mig_cgroup_open(f->context, "/", NULL), -EINVAL);
	assert_null(cgroup);
	assert_int_equal(mig_cgroup_visit_children(NULL, note_child, f), -EINVAL);
	assert_int_equal(mig_cgroup_read_mems(NULL, NULL, NULL), -EINVAL);
	assert_string_equal(mig_cgroup_get_path(NULL), "");
	mig_cgroup_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(on_v2_all_places_are_one_directory),
		TEST(on_v1_each_controller_has_its_own),
		TEST(hybrid_has_the_freezer_of_v2_where_v1_has_none),
		TEST(files_are_read_whole_or_not_at_all),
		TEST(files_are_written_and_never_made),
		TEST(a_removed_cgroup_is_told_from_an_empty_one),
		TEST(a_removed_cgroup_is_so_for_controllers_that_never_had_it),
		TEST(children_come_by_name_with_their_places),
		TEST(a_child_that_is_removed_meanwhile_is_passed_over),
		TEST(a_visitor_can_end_the_walk),
		TEST(inodes_are_those_of_the_memory_hierarchy),
		TEST(nodes_are_read_from_the_cpuset_of_either_version),
		TEST(without_a_cpuset_there_are_no_nodes),
		TEST(what_makes_no_sense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
