// SPDX-License-Identifier: GPL-2.0-or-later
/* Page cache that a group is charged for, and who says so. */
#include "lab_cache.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED 7
#define OTHER_BYTES (8 * MEBIBYTE)

const char *lab_cache_group(struct lab *lab, const char *root, const char *name)
{
	const char *group;

	if (lab_has_file(root, "cgroup.subtree_control"))
		lab_group_write(root, "cgroup.subtree_control", "+memory");
	group = lab_group(lab, root, name);
	if (!lab_has_file(group, "memory.numa_stat"))
		lab_skip("the kernel does not tell what '%s' is charged for", group);
	return group;
}

/* What the file system needs for the name is others' already. */
void lab_write_as(const char *group, const char *path, uint64_t bytes)
{
	lab_write_file(path, 0, 0, 0, SEED);
	lab_write_file_in(group, path, 0, bytes, SEED);
	lab_settle_lru();
}

void lab_await_file_bytes(const char *group, int node, uint64_t bytes)
{
	lab_await_charged(group, "file", node,
			  bytes > LAB_CACHE_SLACK ? bytes - LAB_CACHE_SLACK : 0,
			  bytes + LAB_CACHE_SLACK);
}

/* Every cached page of a file is charged to that group. */
static void assert_charged(const struct lab_file_view *view, const char *group)
{
	int fd = open("/proc/kpagecgroup", O_RDONLY | O_CLOEXEC);
	struct stat status;

	assert_true(fd >= 0);
	assert_int_equal(stat(group, &status), 0);
	for (uint64_t i = 0; i < view->nr_pages; i++) {
		uint64_t frame = view->pages[i].frame, inode;

		if (view->pages[i].node < 0)
			continue;
		/* On 6.1 the head of a folio has it for all. */
		do
			assert_int_equal(
				pread(fd, &inode, sizeof(inode), (off_t)(frame * 8)), 8);
		while (!inode && frame--);
		assert_int_equal(inode, status.st_ino);
	}
	close(fd);
}

struct lab_cache lab_cache(struct lab *lab, const char *root, uint64_t bytes)
{
	struct lab_cache scene = {
		.disk = lab_disk(lab, "ext4"),
		.bytes = bytes,
		.nr_pages = bytes / PAGE_BYTES,
	};
	char undo[288];

	scene.group = lab_cache_group(lab, root, "lab-cache");
	scene.other = lab_cache_group(lab, root, "lab-beside");
	scene.path = lab_path(&scene.disk, "ours");
	scene.other_path = lab_path(&scene.disk, "theirs");
	/* Nobody needs it written to the disk that is unmounted then. */
	snprintf(undo, sizeof(undo), "rm -f %s %s", scene.path, scene.other_path);
	lab_shell(lab, undo, "touch %s %s", scene.path, scene.other_path);
	lab_write_as(scene.group, scene.path, bytes);
	lab_write_as(scene.other, scene.other_path, OTHER_BYTES);
	lab_await_file_bytes(scene.group, 0, bytes);
	lab_await_file_bytes(scene.other, 0, OTHER_BYTES);
	scene.before = lab_look_at_file(lab, scene.path);
	scene.other_before = lab_look_at_file(lab, scene.other_path);
	assert_int_equal(scene.before->nr_dirty, scene.nr_pages);
	assert_charged(scene.before, scene.group);
	lab_settle_lru();
	/* A search reads directories, which are not what is looked at here. */
	lab_shell(lab, NULL, "find %s >/dev/null", scene.disk.path);
	scene.io = lab_disk_io(&scene.disk);
	return scene;
}

void lab_assert_only_cache_moved(struct lab *lab, const struct lab_cache *scene, int node)
{
	const struct lab_file_view *after = lab_look_at_file(lab, scene->path);
	const struct lab_file_view *other = lab_look_at_file(lab, scene->other_path);

	assert_int_equal(after->node_pages[node], scene->nr_pages);
	assert_int_equal(other->node_pages[0], OTHER_BYTES / PAGE_BYTES);
	lab_assert_dirty_same(scene->before, after);
	lab_assert_dirty_same(scene->other_before, other);
	for (uint64_t i = 0; i < other->nr_pages; i++)
		assert_int_equal(other->pages[i].frame,
				 scene->other_before->pages[i].frame);
	assert_charged(after, scene->group);
	lab_assert_no_io(&scene->disk, &scene->io);
	lab_await_file_bytes(scene->group, node, scene->bytes);
	lab_await_file_bytes(scene->group, 0, 0);
	lab_await_file_bytes(scene->other, 0, OTHER_BYTES);
	lab_assert_file(scene->path, 0, scene->bytes, SEED);
}

const char *lab_cache_way(const struct run *run)
{
	static char way[16];
	json_object *all = json_tokener_parse(run->out), *targets, *way_text = NULL;

	assert_true(json_object_object_get_ex(all, "targets", &targets));
	assert_true(json_object_object_get_ex(json_object_array_get_idx(targets, 0),
					      "cache", &way_text));
	snprintf(way, sizeof(way), "%s",
		 way_text ? json_object_get_string(way_text) : "");
	json_object_put(all);
	return way;
}

void lab_assert_cache_moved(const struct run *run, uint64_t bytes, const char *way)
{
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_cache_way(run), way);
	assert_in_range(run->report->moved.bytes, bytes, bytes + LAB_CACHE_SLACK);
	assert_in_range(report_left(run->report, NULL), 0, LAB_CACHE_SLACK / PAGE_BYTES);
	assert_in_range(run->report->gone.bytes, 0, LAB_CACHE_SLACK);
}

void lab_assert_cache_moves_frozen(struct lab *lab, const struct lab_cache *scene,
				   struct victim *victim, const char *name,
				   const char *freezer)
{
	struct run *run;

	lab_ask(victim, "start write");
	run = lab_start_move_group(
		lab, "--cache --freeze --rate 8M --search %s --require 98 --to 1 %s",
		scene->disk.path, name);
	lab_await_on(victim, 1, 256);
	assert_true(lab_is_frozen(freezer));
	lab_finish(run);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(lab_cache_way(run), "files");
	assert_in_range(run->report->moved.bytes, scene->bytes + 24 * MEBIBYTE,
			scene->bytes + 32 * MEBIBYTE);
	assert_false(lab_is_frozen(freezer));
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_only_cache_moved(lab, scene, 1);
}
