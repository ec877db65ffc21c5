/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache of cgroups: which pages it is. */
#include "unmapped_cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache_scene.h"
#include "fake_cgroup.h"
#include "residency.h"

static void open_cache(struct cache_scene *scene, struct mig_unmapped_cache *cache)
{
	*cache = (struct mig_unmapped_cache){ 0 };
	assert_int_equal(mig_unmapped_cache_open(scene->target, scene->machine->context,
						 scene->frames, cache),
			 0);
	assert_true(cache->is_open);
}

static void a_target_without_caches_has_none(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache = { 0 };
	const struct mig_target nobody = { 0 };

	assert_int_equal(mig_unmapped_cache_open(&nobody, scene->machine->context,
						 scene->frames, &cache),
			 0);
	assert_false(cache.is_open);
	mig_unmapped_cache_close(&cache);
	assert_int_equal(mig_target_add_cache(scene->target, NULL), -EINVAL);
	assert_int_equal(mig_target_add_cache(NULL, scene->cgroup), -EINVAL);
}

static void without_frames_it_is_not_to_be_had(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache = { 0 };

	assert_int_equal(mig_unmapped_cache_open(scene->target, scene->machine->context,
						 NULL, &cache),
			 -EOPNOTSUPP);
	fake_root_remove(scene->machine->root, "proc/kpagecgroup");
	assert_int_equal(mig_unmapped_cache_open(scene->target, scene->machine->context,
						 scene->frames, &cache),
			 -ENOENT);
	assert_false(cache.is_open);
}

static void its_pages_are_counted_by_node_and_kind(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;
	struct mig_residency *residency;

	cache_scene_put(scene, 10, 7, CACHE, scene->inode);
	cache_scene_put(scene, 20, 2, CACHE | MIG_FLAG_WRITEBACK, scene->child_inode);
	cache_scene_put(scene, 30, 5, CACHE, SOMEBODY);
	cache_scene_put(scene, 40, 1, CACHE | MIG_FLAG_MMAP, scene->inode);
	cache_scene_put(scene, 2 * BLOCK_FRAMES, 3, SHMEM, scene->inode);
	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[0], 9);
	assert_int_equal(pages->writeback[0], 2);
	assert_int_equal(pages->shmem[0], 0);
	assert_int_equal(pages->shmem[2], 3);
	assert_int_equal(pages->file[1] + pages->file[2] + pages->file[3], 0);
	assert_int_equal(mig_residency_new(scene->machine->context, &residency), 0);
	assert_int_equal(mig_unmapped_cache_add(residency, pages), 0);
	assert_int_equal(mig_residency_get_node_bytes(residency, 0), 9 * 4096);
	assert_int_equal(mig_residency_get_node_bytes(residency, 2), 3 * 4096);
	assert_int_equal(mig_residency_get_bytes(residency, 2, MIG_KIND_SHMEM), 3 * 4096);
	mig_residency_free(residency);
	free(pages);
	mig_unmapped_cache_close(&cache);
}

/* Each thread counts some of it. */
static void nothing_is_counted_twice_or_not_at_all(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;
	const uint64_t step = 7;

	for (uint64_t frame = 0; frame < NR_FRAMES; frame += step)
		cache_scene_put(scene, frame, 1,
				CACHE | (frame % 3 ? MIG_FLAG_WRITEBACK : 0),
				scene->inode);
	open_cache(scene, &cache);
	for (int round = 0; round < 5; round++) {
		uint64_t sum = 0, writeback = 0;

		assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
		for (int node = 0; node < NR_NODES; node++) {
			assert_in_range(pages->file[node], BLOCK_FRAMES / step,
					BLOCK_FRAMES / step + 1);
			sum += pages->file[node];
			writeback += pages->writeback[node];
		}
		assert_int_equal(sum, (NR_FRAMES + step - 1) / step);
		assert_int_equal(sum - writeback,
				 (NR_FRAMES + 3 * step - 1) / (3 * step));
		free(pages);
	}
	mig_unmapped_cache_close(&cache);
}

static void everybodys_needs_no_cgroups(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;
	uint64_t entries[] = { ENTRY | 10, (ENTRY | 30) & ~MIG_PAGEMAP_EXCLUSIVE,
			       ENTRY | 31 };

	assert_int_equal(mig_target_add_all_cache(NULL), -EINVAL);
	assert_int_equal(mig_target_add_all_cache(scene->target), 0);
	fake_root_remove(scene->machine->root, "proc/kpagecgroup");
	cache_scene_put(scene, 10, 7, CACHE, scene->inode);
	cache_scene_put(scene, 30, 5, CACHE, SOMEBODY);
	cache_scene_put(scene, 40, 2, CACHE, 0);
	cache_scene_put(scene, 50, 1, CACHE | MIG_FLAG_MMAP, 0);
	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[0], 14);
	assert_int_equal(mig_unmapped_cache_keep(&cache, entries, 3), 0);
	assert_int_equal(entries[0], ENTRY | 10);
	assert_int_equal(entries[1], 0);
	assert_int_equal(entries[2], ENTRY | 31);
	free(pages);
	mig_unmapped_cache_close(&cache);
}

static void write_counters(struct cache_scene *scene, int node, unsigned int pages)
{
	char path[64], text[160];

	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	snprintf(text, sizeof(text),
		 "Node %d FilePages: %u kB\nNode %d Mapped: 40 kB\n"
		 "Node %d Shmem: 0 kB\n",
		 node, 4 * pages + 40, node, node);
	fake_root_write(scene->machine->root, path, text);
}

/* Node 0 is emptied; node 3 does not tell how much it has. */
static void limit(struct cache_scene *scene, struct mig_unmapped_cache *cache)
{
	for (int node = 0; node < NR_NODES - 1; node++)
		write_counters(scene, node, 1000);
	cache_scene_place(scene, 1 << 0, 1 << 1, MIG_PLACE_DEFAULT);
	open_cache(scene, cache);
	mig_unmapped_cache_limit(cache, scene->machine->topology, scene->placement);
	for (int node = 0; node < NR_NODES; node++)
		cache_scene_put(scene, (uint64_t)node * BLOCK_FRAMES, 6, CACHE, 0);
	cache_scene_put(scene, 1, 3, SHMEM, 0);
}

static void nodes_that_nothing_is_taken_from_tell_by_their_counters(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;

	assert_int_equal(mig_target_add_all_cache(scene->target), 0);
	limit(scene, &cache);
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[0], 3);
	assert_int_equal(pages->shmem[0], 3);
	assert_int_equal(pages->file[1], 1000);
	assert_int_equal(pages->file[2], 1000);
	assert_int_equal(pages->file[3], 6);
	free(pages);
	/* Unplugged. */
	fake_root_remove(scene->machine->root, NODES "/node2/meminfo");
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[2], 0);
	free(pages);
	mig_unmapped_cache_close(&cache);
}

static void counters_do_not_tell_whose_the_cache_is(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;

	limit(scene, &cache);
	cache_scene_put(scene, BLOCK_FRAMES, 2, CACHE, scene->inode);
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[1], 2);
	assert_int_equal(pages->file[2], 0);
	free(pages);
	mig_unmapped_cache_close(&cache);
}

static void only_what_a_file_has_of_it_is_kept(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	uint64_t entries[] = {
		ENTRY | 10,
		ENTRY | 11, /* somebody else's */
		ENTRY | 12,
		(ENTRY | 13) & ~MIG_PAGEMAP_EXCLUSIVE, /* others have mapped it */
		MIG_PAGEMAP_SWAPPED | MIG_PAGEMAP_EXCLUSIVE,
		0,
		ENTRY | 700, /* of the group below */
		ENTRY | 14,  /* not charged to anybody */
	};

	cache_scene_put(scene, 10, 4, CACHE, scene->inode);
	cache_scene_put(scene, 11, 1, CACHE, SOMEBODY);
	cache_scene_put(scene, 700, 1, CACHE, scene->child_inode);
	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_keep(&cache, entries,
						 sizeof(entries) / sizeof(*entries)),
			 0);
	assert_int_equal(entries[0], ENTRY | 10);
	assert_int_equal(entries[1], 0);
	assert_int_equal(entries[2], ENTRY | 12);
	assert_int_equal(entries[3] | entries[4] | entries[5], 0);
	assert_int_equal(entries[6], ENTRY | 700);
	assert_int_equal(entries[7], 0);
	mig_unmapped_cache_close(&cache);
}

/* Linux 6.1 says of tails neither what they are nor whose. */
static void tails_are_charged_as_their_head(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;
	uint64_t entries[8];

	cache_scene_put(scene, 64, 1, CACHE | MIG_FLAG_HEAD, scene->inode);
	cache_scene_put(scene, 65, 3, MIG_FLAG_TAIL, 0);
	cache_scene_put(scene, 68, 1, CACHE | MIG_FLAG_HEAD, SOMEBODY);
	cache_scene_put(scene, 69, 3, MIG_FLAG_TAIL, 0);
	for (uint64_t i = 0; i < 8; i++)
		entries[i] = ENTRY | (64 + i);
	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[0], 4);
	assert_int_equal(mig_unmapped_cache_keep(&cache, entries, 8), 0);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(entries[i], i < 4 ? ENTRY | (64 + i) : 0);
	free(pages);
	mig_unmapped_cache_close(&cache);
}

static void a_long_stretch_of_a_file_is_kept_whole(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	uint64_t entries[1200];

	cache_scene_put(scene, 100, 1200, CACHE, scene->inode);
	cache_scene_put(scene, 100 + 512, 1, CACHE, SOMEBODY);
	for (uint64_t i = 0; i < 1200; i++)
		entries[i] = ENTRY | (100 + i);
	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_keep(&cache, entries, 1200), 0);
	for (uint64_t i = 0; i < 1200; i++)
		assert_int_equal(entries[i], i == 512 ? 0 : ENTRY | (100 + i));
	mig_unmapped_cache_close(&cache);
}

static void where_damon_has_left_nothing_files_are_not_asked(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	uint64_t entries[] = { ENTRY | 10, ENTRY | (BLOCK_FRAMES + 10) };

	cache_scene_put(scene, 10, 1, CACHE, scene->inode);
	cache_scene_put(scene, BLOCK_FRAMES + 10, 1, CACHE, scene->inode);
	open_cache(scene, &cache);
	mig_nodeset_add(&cache.only_on, 1);
	assert_int_equal(mig_unmapped_cache_keep(&cache, entries, 2), 0);
	assert_int_equal(entries[0], 0);
	assert_int_equal(entries[1], ENTRY | (BLOCK_FRAMES + 10));
	mig_unmapped_cache_close(&cache);
}

static void frames_that_cannot_be_read_are_an_error(void **state)
{
	struct cache_scene *scene = *state;
	struct mig_unmapped_cache cache;
	struct mig_unmapped_pages *pages;
	uint64_t entry = ENTRY | (NR_FRAMES + 10);

	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_keep(&cache, &entry, 1), -EIO);
	mig_unmapped_cache_close(&cache);
	/* A node more than there is memory. */
	fake_root_link(scene->machine->root, NODES "/node3/memory4", "x");
	mig_frames_free(scene->frames);
	assert_int_equal(mig_frames_new(scene->machine->topology, &scene->frames), 0);
	open_cache(scene, &cache);
	assert_int_equal(mig_unmapped_cache_count(&cache, &pages), -EIO);
	mig_unmapped_cache_close(&cache);
}

#define TEST(function)                                                \
	cmocka_unit_test_setup_teardown(function, cache_scene_set_up, \
					cache_scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_target_without_caches_has_none),
		TEST(without_frames_it_is_not_to_be_had),
		TEST(its_pages_are_counted_by_node_and_kind),
		TEST(nothing_is_counted_twice_or_not_at_all),
		TEST(everybodys_needs_no_cgroups),
		TEST(nodes_that_nothing_is_taken_from_tell_by_their_counters),
		TEST(counters_do_not_tell_whose_the_cache_is),
		TEST(only_what_a_file_has_of_it_is_kept),
		TEST(tails_are_charged_as_their_head),
		TEST(a_long_stretch_of_a_file_is_kept_whole),
		TEST(where_damon_has_left_nothing_files_are_not_asked),
		TEST(frames_that_cannot_be_read_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
