/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cache_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_cgroup.h"
#include "outcome.h"
#include "scene.h"

static struct cache_scene *current;

static uint64_t inode_of(const char *cgroup)
{
	if (!strcmp(cgroup, "/a"))
		return current->inode;
	return strcmp(cgroup, "/a/b") ? SOMEBODY : current->child_inode;
}

/* Those that DAMON moves lie wherever it has put them. */
static uint64_t word_of(uint64_t frame, bool is_flags)
{
	const struct fake_damon *damon = current->damon;

	for (size_t i = 0; i < damon->nr_pages; i++) {
		const struct fake_damon_page *page = &damon->pages[i];
		uint64_t at = page->address == UINT64_MAX
				      ? (uint64_t)page->node * BLOCK_FRAMES + 2000 + i
				      : page->address / 4096;

		if (at == frame)
			return is_flags ? CACHE : inode_of(page->cgroup);
	}
	return is_flags ? current->flags[frame] : current->inodes[frame];
}

static ssize_t read_words(uint64_t *words, size_t length, off_t offset, bool is_flags)
{
	uint64_t first = (uint64_t)offset / sizeof(*words);
	size_t nr = length / sizeof(*words);

	if (first >= NR_FRAMES)
		return 0;
	if (nr > NR_FRAMES - first)
		nr = NR_FRAMES - first;
	for (size_t i = 0; i < nr; i++)
		words[i] = word_of(first + i, is_flags);
	return (ssize_t)(nr * sizeof(*words));
}

static bool is_file(int fd, const char *name)
{
	char link[64], path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	assert_true(length > 0);
	path[length] = '\0';
	return !strcmp(strrchr(path, '/') + 1, name);
}

static ssize_t fake_pread(int fd, void *buffer, size_t length, off_t offset)
{
	const uint64_t entry = ENTRY | 5;

	if (is_file(fd, "kpageflags"))
		return read_words(buffer, length, offset, true);
	if (is_file(fd, "kpagecgroup"))
		return read_words(buffer, length, offset, false);
	assert_true(is_file(fd, "pagemap"));
	assert_int_equal(length, sizeof(entry));
	memcpy(buffer, &entry, sizeof(entry));
	return sizeof(entry);
}

static long fake_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	(void)pid;
	(void)pages;
	(void)nodes;
	(void)status;
	(void)flags;
	assert_int_equal(count, 0);
	return 0;
}

static ssize_t fake_write(int fd, const void *buffer, size_t length)
{
	return fake_damon_calls()->write(fd, buffer, length);
}

static const struct mig_calls calls = {
	.pread = fake_pread,
	.write = fake_write,
	.move_pages = fake_move_pages,
};

static void put_machine(void **machine)
{
	static const char *const lists[] = { "possible", "online", "has_memory",
					     "has_cpu" };
	struct fake_root *root = ((struct fake_machine *)*machine)->root;
	char path[128], zones[1024] = "";

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		snprintf(path, sizeof(path), NODES "/%s", lists[i]);
		fake_root_write(root, path, "0-3\n");
	}
	fake_root_write(root, "sys/devices/system/memory/block_size_bytes", "10000000\n");
	for (int node = 0; node < NR_NODES; node++) {
		char cpus[8];

		snprintf(cpus, sizeof(cpus), "%d\n", node);
		fake_machine_write_node(machine, node, cpus, "10 20 20 20\n", 262144);
		snprintf(path, sizeof(path), NODES "/node%d/memory%d", node, node);
		fake_root_link(root, path, "x");
		snprintf(zones + strlen(zones), sizeof(zones) - strlen(zones),
			 "Node %d, zone   Normal\n  pages free     3000\n"
			 "        min      0\n        low      0\n        high     10\n",
			 node);
	}
	fake_root_write(root, "proc/zoneinfo", zones);
	fake_root_write(root, "proc/self/status", "Mems_allowed_list:\t0-3\n");
	fake_root_write(root, "proc/self/pagemap", "");
	fake_root_write(root, "proc/kpageflags", "");
	fake_root_write(root, "proc/kpagecgroup", "");
	fake_cgroups_mount(root, FAKE_CGROUPS_V2);
	fake_cgroup_write(root, FAKE_V2, "/a", "");
	fake_cgroup_write(root, FAKE_V2, "/a/b", "");
	fake_cgroup_write_file(root, FAKE_V2, "/a", "memory.stat", "");
	fake_cgroup_write_file(root, FAKE_V2, "/a/b", "memory.stat", "");
}

static uint64_t read_inode(const struct cache_scene *scene, const char *path)
{
	char full[PATH_MAX];
	struct stat status;

	snprintf(full, sizeof(full), "%s/%s", scene->machine->root->path, path);
	assert_int_equal(stat(full, &status), 0);
	return status.st_ino;
}

int cache_scene_set_up(void **state)
{
	struct cache_scene *scene = calloc(1, sizeof(*scene));
	void *machine;

	assert_non_null(scene);
	current = *state = scene;
	fake_machine_set_up(&machine);
	scene->machine = machine;
	put_machine(&machine);
	fake_machine_set_calls(&machine, &calls);
	scene->damon = fake_damon_new(scene->machine->root, FAKE_DAMON_7_2);
	assert_int_equal(
		mig_frames_new(fake_machine_read_topology(&machine), &scene->frames), 0);
	assert_int_equal(mig_cgroup_open(scene->machine->context, "a", &scene->cgroup),
			 0);
	assert_int_equal(mig_target_new(scene->machine->context, &scene->target), 0);
	assert_int_equal(mig_target_add_cgroup(scene->target, scene->cgroup), 0);
	assert_int_equal(mig_target_add_cache(scene->target, scene->cgroup), 0);
	assert_int_equal(mig_outcome_new(&scene->outcome), 0);
	scene->inode = read_inode(scene, FAKE_V2 "/a");
	scene->child_inode = read_inode(scene, FAKE_V2 "/a/b");
	return 0;
}

int cache_scene_tear_down(void **state)
{
	struct cache_scene *scene = *state;
	void *machine = scene->machine;

	mig_outcome_free(scene->outcome);
	mig_plan_free(scene->plan);
	mig_placement_free(scene->placement);
	mig_target_free(scene->target);
	mig_cgroup_free(scene->cgroup);
	mig_frames_free(scene->frames);
	fake_damon_free(scene->damon);
	fake_machine_tear_down(&machine);
	free(scene);
	return 0;
}

void cache_scene_place(struct cache_scene *scene, uint64_t from, uint64_t to,
		       enum mig_place way)
{
	mig_placement_free(scene->placement);
	scene->placement = placement_of(scene->machine->topology, from, to, way);
}

void cache_scene_put(struct cache_scene *scene, uint64_t frame, uint64_t nr,
		     uint64_t flags, uint64_t inode)
{
	for (uint64_t i = frame; i < frame + nr; i++) {
		scene->flags[i] = flags;
		scene->inodes[i] = inode;
	}
}
