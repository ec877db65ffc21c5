/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache of cgroups: which pages it is, and whole runs over it with a DAMON that is
 * made up. */
#include "cgroup_cache.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_cgroup.h"
#include "fake_damon.h"
#include "fake_machine.h"
#include "outcome.h"
#include "pagemap.h"
#include "plan.h"
#include "residency.h"
#include "target.h"

/* A block of 16 MiB for each node. */
#define BLOCK_FRAMES UINT64_C(4096)
#define NR_NODES 4
#define NR_FRAMES (NR_NODES * BLOCK_FRAMES)
#define SOMEBODY 1

#define CACHE MIG_FLAG_LRU
#define SHMEM (MIG_FLAG_LRU | MIG_FLAG_SWAPBACKED)
#define ENTRY (MIG_PAGEMAP_PRESENT | MIG_PAGEMAP_FILE | MIG_PAGEMAP_EXCLUSIVE)

struct scene {
	struct fake_machine *machine;
	struct fake_damon *damon;
	struct mig_frames *frames;
	struct mig_cgroup *cgroup;
	struct mig_target *target;
	struct mig_placement *placement;
	struct mig_plan *plan;
	struct mig_outcome *outcome;
	uint64_t inode;       /**< of "/a" */
	uint64_t child_inode; /**< of "/a/b" */
	uint64_t flags[NR_FRAMES];
	uint64_t inodes[NR_FRAMES];
};

static struct scene *current;

/* ---- The machine ---- */

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
	fake_root_write(root, "sys/devices/system/memory/block_size_bytes", "1000000\n");
	for (int node = 0; node < NR_NODES; node++) {
		char cpus[8];

		snprintf(cpus, sizeof(cpus), "%d\n", node);
		fake_machine_write_node(machine, node, cpus, "10 20 20 20\n", 16384);
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

static uint64_t read_inode(const struct scene *scene, const char *path)
{
	char full[PATH_MAX];
	struct stat status;

	snprintf(full, sizeof(full), "%s/%s", scene->machine->root->path, path);
	assert_int_equal(stat(full, &status), 0);
	return status.st_ino;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
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

static int tear_down(void **state)
{
	struct scene *scene = *state;
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

/* Bits of nodes; no sources: all others. */
static void place(struct scene *scene, uint64_t from, uint64_t to, enum mig_place way)
{
	const struct mig_nodeset sources = { .bits = { from } };
	const struct mig_nodeset targets = { .bits = { to } };
	const struct mig_placement_options options = {
		.size = sizeof(options),
		.place = way,
		.from = from ? &sources : NULL,
		.to = &targets,
	};

	mig_placement_free(scene->placement);
	assert_int_equal(
		mig_placement_new(scene->machine->topology, &options, &scene->placement),
		0);
}

static void put(struct scene *scene, uint64_t frame, uint64_t nr, uint64_t flags,
		uint64_t inode)
{
	for (uint64_t i = frame; i < frame + nr; i++) {
		scene->flags[i] = flags;
		scene->inodes[i] = inode;
	}
}

/* ---- Which pages it is ---- */

static void open_cache(struct scene *scene, struct mig_cgroup_cache *cache)
{
	*cache = (struct mig_cgroup_cache){ 0 };
	assert_int_equal(mig_cgroup_cache_open(scene->target, scene->machine->context,
					       scene->frames, cache),
			 0);
	assert_true(cache->is_open);
}

static void a_target_without_caches_has_none(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache = { 0 };
	const struct mig_target nobody = { 0 };

	assert_int_equal(mig_cgroup_cache_open(&nobody, scene->machine->context,
					       scene->frames, &cache),
			 0);
	assert_false(cache.is_open);
	mig_cgroup_cache_close(&cache);
	assert_int_equal(mig_target_add_cache(scene->target, NULL), -EINVAL);
	assert_int_equal(mig_target_add_cache(NULL, scene->cgroup), -EINVAL);
}

static void without_frames_it_is_not_to_be_had(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache = { 0 };

	assert_int_equal(mig_cgroup_cache_open(scene->target, scene->machine->context,
					       NULL, &cache),
			 -EOPNOTSUPP);
	fake_root_remove(scene->machine->root, "proc/kpagecgroup");
	assert_int_equal(mig_cgroup_cache_open(scene->target, scene->machine->context,
					       scene->frames, &cache),
			 -ENOENT);
	assert_false(cache.is_open);
}

static void its_pages_are_counted_by_node_and_kind(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache;
	struct mig_cgroup_pages *pages;
	struct mig_residency *residency;

	put(scene, 10, 7, CACHE, scene->inode);
	put(scene, 20, 2, CACHE | MIG_FLAG_WRITEBACK, scene->child_inode);
	put(scene, 30, 5, CACHE, SOMEBODY);
	put(scene, 40, 1, CACHE | MIG_FLAG_MMAP, scene->inode);
	put(scene, 2 * BLOCK_FRAMES, 3, SHMEM, scene->inode);
	open_cache(scene, &cache);
	assert_int_equal(mig_cgroup_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[0], 9);
	assert_int_equal(pages->writeback[0], 2);
	assert_int_equal(pages->shmem[0], 0);
	assert_int_equal(pages->shmem[2], 3);
	assert_int_equal(pages->file[1] + pages->file[2] + pages->file[3], 0);
	assert_int_equal(mig_residency_new(scene->machine->context, &residency), 0);
	assert_int_equal(mig_cgroup_cache_add(residency, pages), 0);
	assert_int_equal(mig_residency_get_node_bytes(residency, 0), 9 * 4096);
	assert_int_equal(mig_residency_get_node_bytes(residency, 2), 3 * 4096);
	assert_int_equal(mig_residency_get_bytes(residency, 2, MIG_KIND_SHMEM), 3 * 4096);
	mig_residency_free(residency);
	free(pages);
	mig_cgroup_cache_close(&cache);
}

static void only_what_a_file_has_of_it_is_kept(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache;
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

	put(scene, 10, 4, CACHE, scene->inode);
	put(scene, 11, 1, CACHE, SOMEBODY);
	put(scene, 700, 1, CACHE, scene->child_inode);
	open_cache(scene, &cache);
	assert_int_equal(mig_cgroup_cache_keep(&cache, entries,
					       sizeof(entries) / sizeof(*entries)),
			 0);
	assert_int_equal(entries[0], ENTRY | 10);
	assert_int_equal(entries[1], 0);
	assert_int_equal(entries[2], ENTRY | 12);
	assert_int_equal(entries[3] | entries[4] | entries[5], 0);
	assert_int_equal(entries[6], ENTRY | 700);
	assert_int_equal(entries[7], 0);
	mig_cgroup_cache_close(&cache);
}

/* Linux 6.1 says of tails neither what they are nor whose. */
static void tails_are_charged_as_their_head(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache;
	struct mig_cgroup_pages *pages;
	uint64_t entries[8];

	put(scene, 64, 1, CACHE | MIG_FLAG_HEAD, scene->inode);
	put(scene, 65, 3, MIG_FLAG_TAIL, 0);
	put(scene, 68, 1, CACHE | MIG_FLAG_HEAD, SOMEBODY);
	put(scene, 69, 3, MIG_FLAG_TAIL, 0);
	for (uint64_t i = 0; i < 8; i++)
		entries[i] = ENTRY | (64 + i);
	open_cache(scene, &cache);
	assert_int_equal(mig_cgroup_cache_count(&cache, &pages), 0);
	assert_int_equal(pages->file[0], 4);
	assert_int_equal(mig_cgroup_cache_keep(&cache, entries, 8), 0);
	for (uint64_t i = 0; i < 8; i++)
		assert_int_equal(entries[i], i < 4 ? ENTRY | (64 + i) : 0);
	free(pages);
	mig_cgroup_cache_close(&cache);
}

static void a_long_stretch_of_a_file_is_kept_whole(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache;
	uint64_t entries[1200];

	put(scene, 100, 1200, CACHE, scene->inode);
	put(scene, 100 + 512, 1, CACHE, SOMEBODY);
	for (uint64_t i = 0; i < 1200; i++)
		entries[i] = ENTRY | (100 + i);
	open_cache(scene, &cache);
	assert_int_equal(mig_cgroup_cache_keep(&cache, entries, 1200), 0);
	for (uint64_t i = 0; i < 1200; i++)
		assert_int_equal(entries[i], i == 512 ? 0 : ENTRY | (100 + i));
	mig_cgroup_cache_close(&cache);
}

static void where_damon_has_left_nothing_files_are_not_asked(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache;
	uint64_t entries[] = { ENTRY | 10, ENTRY | (BLOCK_FRAMES + 10) };

	put(scene, 10, 1, CACHE, scene->inode);
	put(scene, BLOCK_FRAMES + 10, 1, CACHE, scene->inode);
	open_cache(scene, &cache);
	mig_nodeset_add(&cache.only_on, 1);
	assert_int_equal(mig_cgroup_cache_keep(&cache, entries, 2), 0);
	assert_int_equal(entries[0], 0);
	assert_int_equal(entries[1], ENTRY | (BLOCK_FRAMES + 10));
	mig_cgroup_cache_close(&cache);
}

static void frames_that_cannot_be_read_are_an_error(void **state)
{
	struct scene *scene = *state;
	struct mig_cgroup_cache cache;
	uint64_t entry = ENTRY | (NR_FRAMES + 10);

	open_cache(scene, &cache);
	assert_int_equal(mig_cgroup_cache_keep(&cache, &entry, 1), -EIO);
	mig_cgroup_cache_close(&cache);
}

/* ---- Whole runs ---- */

static uint64_t moved(const struct scene *scene, int from, int to)
{
	const struct mig_pair_count *pair;

	for (size_t i = 0; (pair = mig_outcome_get_pair(scene->outcome, i)); i++)
		if (pair->from == from && pair->to == to)
			return pair->nr_pages;
	return 0;
}

static uint64_t left(const struct mig_outcome *outcome, enum mig_reason reason)
{
	const struct mig_left *left;

	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++)
		if (left->reason == reason)
			return left->nr_pages;
	return 0;
}

static void add_page(struct scene *scene, const char *cgroup, unsigned int refusals)
{
	struct fake_damon *damon = scene->damon;

	damon->pages[damon->nr_pages] = (struct fake_damon_page){
		.address = (100 + damon->nr_pages) * 4096,
		.cgroup = cgroup,
		.refusals = refusals,
	};
	damon->nr_pages++;
}

static void plan(struct scene *scene, const struct mig_plan_options *options)
{
	if (!scene->placement)
		place(scene, 0, 1 << 1, MIG_PLACE_DEFAULT);
	assert_int_equal(mig_plan_new(scene->target, scene->machine->topology,
				      scene->placement, options, &scene->plan),
			 0);
}

static const struct mig_totals *run(struct scene *scene,
				    const struct mig_run_options *options)
{
	const struct mig_totals *totals;

	if (!scene->plan)
		plan(scene, NULL);
	mig_outcome_free(scene->outcome);
	scene->outcome = NULL;
	assert_int_equal(mig_plan_run(scene->plan, options, &scene->outcome), 0);
	totals = mig_outcome_get_totals(scene->outcome);
	assert_int_equal(totals->moved_pages + totals->already_pages +
				 totals->skipped_pages + totals->left_pages +
				 totals->gone_pages,
			 totals->considered_pages);
	/* All is as it was. */
	assert_false(scene->damon->is_on);
	assert_string_equal(fake_damon_read(scene->damon, DAMON_STAT), "Y");
	return totals;
}

static void a_plan_says_how_much_would_move(void **state)
{
	struct scene *scene = *state;
	const struct mig_pair_count *pair;

	put(scene, 10, 30, CACHE, scene->inode);
	put(scene, BLOCK_FRAMES, 5, SHMEM, scene->child_inode);
	plan(scene, NULL);
	pair = mig_plan_get_pair(scene->plan, 0);
	assert_non_null(pair);
	assert_int_equal(pair->from, 0);
	assert_int_equal(pair->to, 1);
	assert_int_equal(pair->nr_pages, 30);
	assert_null(mig_plan_get_pair(scene->plan, 1));
	assert_int_equal(
		mig_residency_get_node_bytes(mig_plan_get_residency(scene->plan), 1),
		5 * 4096);
}

static void damon_moves_it_and_nobody_elses(void **state)
{
	struct scene *scene = *state;
	struct mig_residency *after;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	add_page(scene, "/b", 0);
	add_page(scene, "/a/b", 1);
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(totals->moved_pages, 2);
	assert_int_equal(totals->considered_pages, 2);
	assert_int_equal(scene->damon->pages[1].node, 0);
	assert_string_equal(
		fake_damon_read(scene->damon, DAMON_ADMIN "/kdamonds/nr_kdamonds"), "0");
	assert_int_equal(mig_plan_read_residency(scene->plan, &after), 0);
	assert_int_equal(mig_residency_get_node_bytes(after, 1), 2 * 4096);
	mig_residency_free(after);
}

static void a_target_may_have_nothing_else(void **state)
{
	struct scene *scene = *state;

	mig_target_free(scene->target);
	assert_int_equal(mig_target_new(scene->machine->context, &scene->target), 0);
	assert_int_equal(mig_target_add_cache(scene->target, scene->cgroup), 0);
	add_page(scene, "/a", 0);
	assert_int_equal(run(scene, NULL)->moved_pages, 1);
}

static void what_damon_has_left_and_no_file_has_is_left(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	add_page(scene, "/a", 1000000);
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(totals->moved_pages, 1);
	assert_int_equal(left(scene->outcome, MIG_REASON_NO_FILE), 1);
}

static void others_have_damon_then_it_goes_by_files(void **state)
{
	struct scene *scene = *state;
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	fake_root_write(scene->machine->root, DAMON_ADMIN "/kdamonds/nr_kdamonds", "1\n");
	totals = run(scene, NULL);
	assert_int_equal(totals->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(left(scene->outcome, MIG_REASON_NO_FILE), 1);
	assert_int_equal(scene->damon->nr_starts, 0);
	assert_string_equal(
		fake_damon_read(scene->damon, DAMON_ADMIN "/kdamonds/nr_kdamonds"), "1");
}

static void by_files_where_that_is_asked_for(void **state)
{
	struct scene *scene = *state;
	const struct mig_plan_options options = { .size = sizeof(options),
						  .cache_by_files = true };

	add_page(scene, "/a", 0);
	plan(scene, &options);
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(scene->damon->nr_starts, 0);
}

static void what_is_spread_goes_by_files(void **state)
{
	struct scene *scene = *state;

	add_page(scene, "/a", 0);
	place(scene, 0, 1 << 1 | 1 << 2, MIG_PLACE_SPREAD);
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(scene->damon->nr_starts, 0);
}

static void where_damon_refuses_it_goes_by_files(void **state)
{
	struct scene *scene = *state;

	add_page(scene, "/a", 0);
	scene->damon->no_cgroup = "/a/b";
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(left(scene->outcome, MIG_REASON_NO_FILE), 1);
}

static void a_group_without_the_controller_is_not_named(void **state)
{
	struct scene *scene = *state;

	add_page(scene, "/a", 0);
	scene->damon->no_cgroup = "/a/b";
	fake_root_remove(scene->machine->root, FAKE_V2 "/a/b/memory.stat");
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_DAMON);
	assert_int_equal(moved(scene, 0, 1), 1);
}

static void end_by_itself(struct fake_damon *damon)
{
	damon->is_on = false;
}

static void where_damon_breaks_off_it_goes_by_files(void **state)
{
	struct scene *scene = *state;

	add_page(scene, "/a", 1000000);
	scene->damon->before_round = end_by_itself;
	assert_int_equal(run(scene, NULL)->cache_way, MIG_CACHE_BY_FILES);
	assert_int_equal(left(scene->outcome, MIG_REASON_NO_FILE), 1);
}

static bool stop(void *data, const struct mig_progress *progress)
{
	(void)data;
	(void)progress;
	return true;
}

static void after_a_stop_the_rest_was_not_tried(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .progress = stop };
	const struct mig_totals *totals;

	add_page(scene, "/a", 0);
	totals = run(scene, &options);
	assert_true(totals->stopped);
	assert_int_equal(totals->moved_pages, 0);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_STOPPED), 1);
	assert_int_equal(totals->left_pages, 0);
}

static void the_time_limit_ends_it_too(void **state)
{
	struct scene *scene = *state;
	const struct mig_run_options options = { .size = sizeof(options),
						 .timeout_ns = 1 };
	const struct mig_totals *totals;

	add_page(scene, "/a", 1000000);
	totals = run(scene, &options);
	assert_true(totals->timed_out);
	assert_int_equal(mig_outcome_get_skipped(scene->outcome, MIG_SKIP_STOPPED), 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_target_without_caches_has_none),
		TEST(without_frames_it_is_not_to_be_had),
		TEST(its_pages_are_counted_by_node_and_kind),
		TEST(only_what_a_file_has_of_it_is_kept),
		TEST(tails_are_charged_as_their_head),
		TEST(a_long_stretch_of_a_file_is_kept_whole),
		TEST(where_damon_has_left_nothing_files_are_not_asked),
		TEST(frames_that_cannot_be_read_are_an_error),
		TEST(a_plan_says_how_much_would_move),
		TEST(damon_moves_it_and_nobody_elses),
		TEST(a_target_may_have_nothing_else),
		TEST(what_damon_has_left_and_no_file_has_is_left),
		TEST(others_have_damon_then_it_goes_by_files),
		TEST(by_files_where_that_is_asked_for),
		TEST(what_is_spread_goes_by_files),
		TEST(where_damon_refuses_it_goes_by_files),
		TEST(a_group_without_the_controller_is_not_named),
		TEST(where_damon_breaks_off_it_goes_by_files),
		TEST(after_a_stop_the_rest_was_not_tried),
		TEST(the_time_limit_ends_it_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
