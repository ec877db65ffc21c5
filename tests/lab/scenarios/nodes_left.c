// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What stays on a drained node that was there when the machine started: what is said of it
 * against the flags of every frame, the counters of the node and those of the kernel's
 * allocators; and what becomes of it where the kernel can reclaim. Node 3 is emptied.
 */
#include "lab_cgroups.h"
#include "lab_drain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODE3 "/sys/devices/system/node/node3"
#define LRU_GEN "/sys/kernel/mm/lru_gen/enabled"
#define ZSWAP "/sys/module/zswap/parameters/"

/* What others of the machine come to have on a node in a moment. */
#define SLACK (2 * MEBIBYTE)
/* Half of what a victim of io_uring has is a buffer. */
#define HELD (8 * MEBIBYTE)

static uint64_t read_meminfo(const char *name)
{
	char command[128];
	uint64_t kib = 0;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "awk '$3 == \"%s:\" { print $4 }' " NODE3 "/meminfo", name);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%" SCNu64, &kib), 1);
	pclose(pipe);
	return kib * 1024;
}

static uint64_t left_bytes(const struct run *run)
{
	return report_left(&run->reports[run->nr_reports - 1], NULL) * PAGE_BYTES;
}

static uint64_t user_rest(const struct run *run)
{
	static const char *const kinds[] = { "anon", "file-mapped", "file-unmapped",
					     "shmem", "hugetlb" };
	uint64_t bytes = 0;

	for (size_t i = 0; i < 5; i++)
		bytes += lab_drain_rest(run, kinds[i], 3);
	return bytes;
}

/* ---------------------------------------------------------------------- by number */

/* All but what is held; and that is what is said to be left. */
static void user_memory_goes_down_to_what_is_held_and_named(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct victim *held = lab_victim(lab, "--kind io-uring --size 16M --node 3");
	struct victim *shmem = lab_victim(lab, "--kind shmem --size 16M --node 3");
	struct victim *file = lab_victim(lab, "--kind file-private --size 16M --node 3");
	struct lab_node_pages pages;
	uint64_t user;
	struct run *run;

	lab_write_file(path, 3, 0, 16 * MEBIBYTE, 7);
	lab_shell(lab, NULL, "find %s >/dev/null", disk.path);
	lab_settle_lru();
	pages = lab_look_at_node(3);
	assert_true((pages.anon + pages.file + pages.shmem) * PAGE_BYTES >=
		    64 * MEBIBYTE);
	run = lab_drain(lab, "--to 1 %s 3", lab_search(&disk));
	pages = lab_look_at_node(3);
	user = (pages.anon + pages.file + pages.shmem + pages.huge) * PAGE_BYTES;

	lab_assert_status(run, EXIT_PARTLY);
	assert_int_equal(
		report_left(&run->reports[run->nr_reports - 1], "pinned-io-uring"),
		HELD / PAGE_BYTES);
	/* Without DAMON the files that the machine was started from are not found. */
	assert_in_range(user, HELD, HELD + SLACK + (lab_has_damon() ? 0 : 16 * MEBIBYTE));
	assert_in_range(user_rest(run), user - SLACK, user + SLACK);
	assert_in_range(left_bytes(run), user - SLACK, user + SLACK);
	/* Its counters lag behind by what each processor has not told yet. */
	assert_in_range(read_meminfo("AnonPages") + read_meminfo("FilePages"),
			user > 2 * SLACK ? user - 2 * SLACK : 0, user + 2 * SLACK);
	assert_int_equal(lab_drain_holder(run), held->pid);
	lab_assert_intact(held);
	lab_assert_intact(shmem);
	lab_assert_intact(file);
	lab_assert_file(path, 0, 16 * MEBIBYTE, 7);
}

/* -------------------------------------------------------------------- compressed */

static uint64_t zsmalloc_bytes(void)
{
	char line[128];
	uint64_t pages = 0;
	FILE *stream = fopen(NODE3 "/vmstat", "re");

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "nr_zspages %" SCNu64, &pages) == 1)
			break;
	fclose(stream);
	return pages * PAGE_BYTES;
}

/* Text, which compresses, of somebody who sleeps; whoever pushes it out is bound to node
 * 3, where the kernel then puts what it makes of it. */
static void push_text_out(struct lab *lab)
{
	const char *group = lab_group(lab, NULL, "lab-zswap");

	lab_shell(lab, NULL,
		  "sh -c 'echo 0 >%s/cgroup.procs; (seq 1 1000000; exec sleep 1000) | "
		  "numactl -m 3 sort -S 200M >/dev/null' >/dev/null 2>&1 &",
		  group);
	lab_await_charged(group, "anon", 3, 24 * MEBIBYTE, 200 * MEBIBYTE);
	/* What was just used is not taken at the first try. */
	lab_shell(lab, NULL,
		  "numactl -m 3 sh -c 'for i in $(seq 60); do "
		  "grep -q \"Zswapped: *[1-9][0-9][0-9][0-9][0-9] kB\" /proc/meminfo && "
		  "break; echo 8M >%s/memory.reclaim || :; done' 2>/dev/null",
		  group);
}

static void compressed_swap_stays_and_is_named(void **state)
{
	struct lab *lab = *state;
	bool is_zbud;
	struct run *run;

	is_zbud =
		!access(ZSWAP "zpool", F_OK) && !strcmp(lab_read(ZSWAP "zpool"), "zbud");
	lab_set(lab, ZSWAP "enabled", "Y");
	/* Before Linux 6.13 it takes no huge pages. */
	lab_set(lab, "/sys/kernel/mm/transparent_hugepage/enabled", "never");
	lab_swap_on(lab, 256);
	push_text_out(lab);
	run = lab_drain(lab, "--to 1 --require 90 3");
	lab_assert_says(run, "of compressed swap");
	lab_assert_says(run, "swapoff brings it back as memory of processes");
	if (is_zbud) {
		lab_assert_says(run, "the kernel does not tell where it is");
		assert_true(lab_drain_rest(run, "kernel", 3) >= MEBIBYTE);
		return;
	}
	assert_true(zsmalloc_bytes() >= MEBIBYTE);
	assert_in_range(lab_drain_rest(run, "zsmalloc", 3), zsmalloc_bytes() - SLACK / 4,
			zsmalloc_bytes() + SLACK / 4);
	lab_assert_says(run, "node 3: ");
}

/* ---------------------------------------------------------------------- reclaimed */

static bool has_generations(void)
{
	return !access(LRU_GEN, F_OK) && strtoul(lab_read(LRU_GEN), NULL, 16) & 1;
}

static bool can_reclaim(void)
{
	return !access(NODE3 "/reclaim", F_OK) || has_generations();
}

/* Two files that nobody finds, one of them dirty, and memory that may not go. */
struct scene {
	struct lab_disk disk;
	const char *clean;
	const char *dirty;
	struct victim *bound;
};

static struct scene make_scene(struct lab *lab)
{
	const struct lab_as as = { .cgroup = lab_cgroup(lab, "lab-bound", "3") };
	struct scene scene = { .disk = lab_disk(lab, "ext4") };

	/* Somebody else's kdamond: what is not searched for is in no file. */
	if (lab_has_damon()) {
		lab_set(lab, LAB_KDAMONDS "/nr_kdamonds", "1");
		lab_set(lab, LAB_KDAMONDS "/0/contexts/nr_contexts", "1");
	}
	lab_swap_on(lab, 64);
	scene.bound = lab_victim_as(lab, &as, "--size 8M --node 3");
	scene.clean = lab_path(&scene.disk, "clean");
	scene.dirty = lab_path(&scene.disk, "dirty");
	lab_write_file(scene.clean, 3, 0, 16 * MEBIBYTE, 7);
	lab_shell(lab, NULL, "sync %s", scene.clean);
	lab_write_file(scene.dirty, 3, 0, 8 * MEBIBYTE, 9);
	lab_settle_lru();
	return scene;
}

static void clean_cache_that_nobody_finds_is_reclaimed_where_the_kernel_can(void **state)
{
	struct lab *lab = *state;
	struct scene scene = make_scene(lab);
	const struct lab_file_view *before = lab_look_at_file(lab, scene.dirty);
	struct lab_io io = lab_disk_io(&scene.disk);
	struct run *run;

	if (!can_reclaim()) {
		run = lab_drain(lab, "--reclaim 3");
		lab_assert_status(run, EXIT_PARTLY);
		lab_assert_says(run, "cannot reclaim");
		assert_int_equal(lab_drain_number(run, "reclaimed_bytes"), 0);
		lab_assert_file_on(lab, scene.clean, 3, 16 * PAGES_PER_MEBIBYTE);
		lab_set(lab, LRU_GEN, "y");
	}
	run = lab_drain(lab, "--reclaim 3");
	lab_assert_status(run, EXIT_PARTLY);
	/* What was used a moment ago it may keep. */
	assert_true(lab_drain_number(run, "reclaimed_bytes") >= 4 * MEBIBYTE);
	assert_in_range(lab_look_at_file(lab, scene.clean)->node_pages[3], 0,
			12 * PAGES_PER_MEBIBYTE);
	/* Nothing is written for it, neither to the disk nor to swap. */
	lab_assert_no_io(&scene.disk, &io);
	lab_assert_file_on(lab, scene.dirty, 3, 8 * PAGES_PER_MEBIBYTE);
	lab_assert_dirty_same(before, lab_look_at_file(lab, scene.dirty));
	lab_assert_all_on(lab, scene.bound, 3);
	lab_assert_file(scene.clean, 0, 16 * MEBIBYTE, 7);
	lab_assert_file(scene.dirty, 0, 8 * MEBIBYTE, 9);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(user_memory_goes_down_to_what_is_held_and_named),
		LAB_TEST(compressed_swap_stays_and_is_named),
		LAB_TEST(clean_cache_that_nobody_finds_is_reclaimed_where_the_kernel_can),
	};

	return lab_main(tests, 4);
}
