/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which frames are unmapped cache of whom, on made-up machines. */
#include "charged.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_machine.h"
#include "pagemap.h"

#define MEMORY "sys/devices/system/memory"
/* 16 MiB: 4096 frames. */
#define BLOCK_FRAMES UINT64_C(4096)
#define NR_BLOCKS UINT64_C(40)
#define NR_FRAMES (NR_BLOCKS * BLOCK_FRAMES)

#define CACHE MIG_FLAG_LRU
#define SHMEM (MIG_FLAG_LRU | MIG_FLAG_SWAPBACKED)

/** A machine whose frames are all written by the test. */
struct scene {
	struct fake_machine *machine;
	struct mig_frames *frames;
	struct mig_charged charged;
	uint64_t *flags;
	uint64_t *inodes;
};

static unsigned int nr_gathers;

static long count_gather(pid_t pid, unsigned long count, void *const *pages,
			 const int *nodes, int *status, int flags)
{
	(void)pid;
	(void)pages;
	(void)nodes;
	(void)status;
	(void)flags;
	assert_int_equal(count, 0);
	nr_gathers++;
	return 0;
}

/* Half of what is asked for, at most. */
static ssize_t read_little(int fd, void *buffer, size_t length, off_t offset)
{
	size_t half = length > 8 ? length / 16 * 8 : length;

	return pread(fd, buffer, half, offset);
}

static const struct mig_calls calls = {
	.pread = read_little,
	.move_pages = count_gather,
};

/* Node 0 has the first half, but for a hole of two blocks; the last block is shared. */
static void put_blocks(void **machine)
{
	fake_machine_write(machine, NODES "/online", "0-1\n");
	fake_machine_write(machine, NODES "/has_memory", "0-1\n");
	fake_machine_write(machine, MEMORY "/block_size_bytes", "1000000\n");
	for (uint64_t block = 0; block < NR_BLOCKS; block++) {
		char path[128];

		if (block == 5 || block == 6)
			continue;
		snprintf(path, sizeof(path), NODES "/node%d/memory%u",
			 block >= NR_BLOCKS / 2, (unsigned int)block);
		fake_root_link(((struct fake_machine *)*machine)->root, path, "x");
	}
	fake_root_link(((struct fake_machine *)*machine)->root, NODES "/node0/memory39",
		       "x");
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	void *machine;

	assert_non_null(scene);
	fake_machine_set_up(&machine);
	scene->machine = machine;
	fake_machine_set_calls(&machine, &calls);
	put_blocks(&machine);
	assert_int_equal(
		mig_frames_new(fake_machine_read_topology(&machine), &scene->frames), 0);
	scene->flags = calloc(NR_FRAMES, sizeof(uint64_t));
	scene->inodes = calloc(NR_FRAMES, sizeof(uint64_t));
	assert_non_null(scene->flags);
	assert_non_null(scene->inodes);
	scene->charged = (struct mig_charged){ .flags_fd = -1, .cgroup_fd = -1 };
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	void *machine = scene->machine;

	mig_charged_close(&scene->charged);
	mig_frames_free(scene->frames);
	fake_machine_tear_down(&machine);
	free(scene->flags);
	free(scene->inodes);
	free(scene);
	return 0;
}

static void put_file(const struct scene *scene, const char *path, const uint64_t *words,
		     size_t nr)
{
	fake_root_write_bytes(scene->machine->root, path, words, nr * sizeof(*words));
}

static void open_charged(struct scene *scene)
{
	put_file(scene, "proc/kpageflags", scene->flags, NR_FRAMES);
	put_file(scene, "proc/kpagecgroup", scene->inodes, NR_FRAMES);
	mig_charged_close(&scene->charged);
	assert_int_equal(mig_charged_open(scene->machine->context, scene->frames, true,
					  &scene->charged),
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

/* As 6.1 shows one: the tails have next to nothing. */
static void put_old_folio(struct scene *scene, uint64_t frame, uint64_t nr,
			  uint64_t flags, uint64_t inode)
{
	put(scene, frame, nr, MIG_FLAG_TAIL | (flags & MIG_FLAG_MMAP), 0);
	put(scene, frame, 1, MIG_FLAG_HEAD | flags, inode);
}

static void put_new_folio(struct scene *scene, uint64_t frame, uint64_t nr,
			  uint64_t flags, uint64_t inode)
{
	put(scene, frame, nr, MIG_FLAG_TAIL | flags, inode);
	put(scene, frame, 1, MIG_FLAG_HEAD | flags, inode);
}

struct found {
	struct mig_charged_run runs[512];
	size_t nr;
	size_t most; /**< the walk ends there */
};

static const struct mig_nodeset no_nodes;

static int keep(void *data, const struct mig_charged_run *run)
{
	struct found *found = data;

	assert_true(found->nr < sizeof(found->runs) / sizeof(*found->runs));
	found->runs[found->nr++] = *run;
	return found->nr == found->most ? 42 : 0;
}

static uint64_t ours_of[] = { 100, 200 };
static const struct mig_charged_owners ours = { .inodes = ours_of, .nr = 2 };

static void find(struct scene *scene, const struct mig_charged_owners *owners,
		 struct found *found)
{
	*found = (struct found){ .nr = 0 };
	open_charged(scene);
	assert_int_equal(
		mig_charged_visit(&scene->charged, owners, &no_nodes, keep, found), 0);
}

static void assert_run(const struct mig_charged_run *run, uint64_t frame, uint64_t nr,
		       int node)
{
	assert_int_equal(run->frame, frame);
	assert_int_equal(run->nr_pages, nr);
	assert_int_equal(run->node, node);
}

static void only_unmapped_cache_is_found(void **state)
{
	struct scene *scene = *state;
	struct found found;

	put(scene, 10, 3, CACHE, 100);
	put(scene, 20, 1, CACHE | MIG_FLAG_MMAP, 100);
	put(scene, 21, 1, CACHE | MIG_FLAG_ANON | MIG_FLAG_SWAPBACKED, 100);
	put(scene, 22, 1, 0, 100);
	put(scene, 23, 1, MIG_FLAG_SWAPBACKED, 100);
	put(scene, 24, 1, SHMEM, 200);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 2);
	assert_run(&found.runs[0], 10, 3, 0);
	assert_false(found.runs[0].is_shmem);
	assert_run(&found.runs[1], 24, 1, 0);
	assert_true(found.runs[1].is_shmem);
}

static void cache_of_others_is_not_found(void **state)
{
	struct scene *scene = *state;
	struct found found;

	put(scene, 10, 1, CACHE, 99);
	put(scene, 11, 1, CACHE, 101);
	put(scene, 12, 1, CACHE, 0);
	put(scene, 13, 1, CACHE, 200);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 1);
	assert_run(&found.runs[0], 13, 1, 0);
	find(scene, NULL, &found);
	assert_int_equal(found.nr, 1);
	assert_run(&found.runs[0], 10, 4, 0);
}

static void memory_of_nodes_that_are_left_out_is_not_read(void **state)
{
	struct scene *scene = *state;
	const struct mig_nodeset without = { .bits = { 1 << 0 } };
	struct found found = { 0 };
	const uint64_t half = NR_FRAMES / 2;

	put(scene, 0, 5, CACHE, 100);
	put(scene, half - 5, 10, CACHE, 100);
	open_charged(scene);
	assert_int_equal(
		mig_charged_visit(&scene->charged, &ours, &without, keep, &found), 0);
	assert_int_equal(found.nr, 1);
	assert_run(&found.runs[0], half, 5, 1);
}

static void frames_that_differ_are_runs_of_their_own(void **state)
{
	struct scene *scene = *state;
	const uint64_t half = NR_FRAMES / 2;
	struct found found;

	put(scene, 10, 1, CACHE, 100);
	put(scene, 11, 2, CACHE | MIG_FLAG_DIRTY, 200);
	put(scene, 13, 1, CACHE | MIG_FLAG_DIRTY | MIG_FLAG_WRITEBACK, 100);
	put(scene, 14, 1, SHMEM, 100);
	put(scene, half - 1, 2, CACHE, 100);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 6);
	assert_run(&found.runs[1], 11, 2, 0);
	assert_true(found.runs[1].is_dirty && !found.runs[1].is_writeback);
	assert_true(found.runs[2].is_dirty && found.runs[2].is_writeback);
	assert_false(found.runs[3].is_dirty || found.runs[3].is_writeback);
	assert_run(&found.runs[4], half - 1, 1, 0);
	assert_run(&found.runs[5], half, 1, 1);
}

static void a_run_is_not_cut_where_a_window_ends(void **state)
{
	struct scene *scene = *state;
	struct found found;

	put(scene, 65536 - 700, 1400, CACHE, 100);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 1);
	assert_run(&found.runs[0], 65536 - 700, 1400, 0);
}

static void frames_of_no_single_node_are_not_looked_at(void **state)
{
	struct scene *scene = *state;
	struct found found;

	put(scene, 4 * BLOCK_FRAMES, 4 * BLOCK_FRAMES, CACHE, 100);
	put(scene, 38 * BLOCK_FRAMES, 2 * BLOCK_FRAMES, CACHE, 100);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 3);
	assert_run(&found.runs[0], 4 * BLOCK_FRAMES, BLOCK_FRAMES, 0);
	assert_run(&found.runs[1], 7 * BLOCK_FRAMES, BLOCK_FRAMES, 0);
	assert_run(&found.runs[2], 38 * BLOCK_FRAMES, BLOCK_FRAMES, 1);
}

static void tails_are_what_their_head_is(void **state)
{
	struct scene *scene = *state;
	struct found found;

	put_old_folio(scene, 512, 512, SHMEM | MIG_FLAG_DIRTY, 100);
	put_old_folio(scene, 1024, 512, SHMEM, 300);
	put_old_folio(scene, 1536, 512, SHMEM | MIG_FLAG_MMAP, 100);
	put_new_folio(scene, 2048, 512, CACHE, 200);
	put_old_folio(scene, 2560, 16, CACHE | MIG_FLAG_ANON, 200);
	/* As large as there are, side by side. */
	put_old_folio(scene, 8192, 512, CACHE, 200);
	put_old_folio(scene, 8704, 512, CACHE, 200);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 3);
	assert_run(&found.runs[0], 512, 512, 0);
	assert_true(found.runs[0].is_shmem && found.runs[0].is_dirty);
	assert_run(&found.runs[1], 2048, 512, 0);
	assert_run(&found.runs[2], 8192, 1024, 0);
}

static void a_tail_without_a_head_belongs_to_nobody(void **state)
{
	struct scene *scene = *state;
	struct found found;

	put(scene, 100, 1, CACHE, 100);
	put(scene, 101, 1, MIG_FLAG_TAIL, 0);
	find(scene, &ours, &found);
	assert_int_equal(found.nr, 1);
	assert_run(&found.runs[0], 100, 1, 0);
	assert_int_equal(mig_charged_is_owned(&scene->charged, &ours, 101), 0);
}

static void a_single_frame_is_asked_for(void **state)
{
	struct scene *scene = *state;

	put(scene, 10, 1, CACHE, 100);
	put(scene, 11, 1, CACHE, 101);
	put(scene, 12, 1, CACHE, 0);
	put_old_folio(scene, 512, 512, SHMEM, 200);
	put_old_folio(scene, 1024, 4, SHMEM, 300);
	put_old_folio(scene, 1028, 4, SHMEM, 100);
	put_new_folio(scene, 2048, 512, SHMEM, 200);
	put_old_folio(scene, 8192, 8192, SHMEM, 100);
	open_charged(scene);
#define ASK(frame) mig_charged_is_owned(&scene->charged, &ours, frame)
	assert_int_equal(ASK(10), 1);
	assert_int_equal(ASK(11), 0);
	assert_int_equal(ASK(12), 0);
	assert_int_equal(ASK(512), 1);
	assert_int_equal(ASK(513), 1);
	assert_int_equal(ASK(1023), 1);
	assert_int_equal(ASK(1027), 0);
	assert_int_equal(ASK(1029), 1);
	assert_int_equal(ASK(1031), 1);
	assert_int_equal(ASK(2500), 1);
	assert_int_equal(ASK(8192 + 8191), 1);
	assert_int_equal(ASK(NR_FRAMES), -EIO);
#undef ASK
}

static void the_walk_ends_when_the_visitor_says_so(void **state)
{
	struct scene *scene = *state;
	struct found found = { .most = 2 };

	for (uint64_t frame = 10; frame < 20; frame += 2)
		put(scene, frame, 1, CACHE, 100);
	open_charged(scene);
	assert_int_equal(
		mig_charged_visit(&scene->charged, &ours, &no_nodes, keep, &found), 42);
	assert_int_equal(found.nr, 2);
	found = (struct found){ .most = 5 };
	assert_int_equal(
		mig_charged_visit(&scene->charged, &ours, &no_nodes, keep, &found), 42);
	assert_int_equal(found.nr, 5);
}

static void what_processors_hold_back_is_gathered_first(void **state)
{
	struct scene *scene = *state;
	struct found found;

	nr_gathers = 0;
	find(scene, &ours, &found);
	assert_int_equal(nr_gathers, 1);
}

static void files_that_end_too_early_are_an_error(void **state)
{
	struct scene *scene = *state;
	struct found found = { .nr = 0 };

	put(scene, 30 * BLOCK_FRAMES, 1, CACHE, 100);
	open_charged(scene);
	put_file(scene, "proc/kpagecgroup", scene->inodes, 100);
	assert_int_equal(
		mig_charged_visit(&scene->charged, &ours, &no_nodes, keep, &found), -EIO);
	put_file(scene, "proc/kpageflags", scene->flags, NR_FRAMES - BLOCK_FRAMES - 1);
	assert_int_equal(
		mig_charged_visit(&scene->charged, NULL, &no_nodes, keep, &found), -EIO);
}

static void a_kernel_without_the_files_says_so(void **state)
{
	struct scene *scene = *state;
	struct mig_charged charged = { .flags_fd = 77 };

	assert_int_equal(
		mig_charged_open(scene->machine->context, scene->frames, true, &charged),
		-ENOENT);
	put_file(scene, "proc/kpageflags", scene->flags, 1);
	assert_int_equal(
		mig_charged_open(scene->machine->context, scene->frames, true, &charged),
		-ENOENT);
	assert_int_equal(charged.flags_fd, 77);
}

static void owners_are_found_by_their_inodes(void **state)
{
	struct mig_charged_owners none = { 0 };

	(void)state;
	assert_true(mig_charged_owners_have(&ours, 100));
	assert_true(mig_charged_owners_have(&ours, 200));
	assert_false(mig_charged_owners_have(&ours, 99));
	assert_false(mig_charged_owners_have(&ours, 201));
	assert_false(mig_charged_owners_have(&none, 100));
	mig_charged_owners_done(&none);
}

static uint64_t make_group(struct scene *scene, const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	snprintf(path, sizeof(path), "groups/%s/memory.stat", name);
	fake_root_write(scene->machine->root, path, "anon 0\n");
	snprintf(path, sizeof(path), "%s/groups/%s", scene->machine->root->path, name);
	assert_int_equal(stat(path, &status), 0);
	return status.st_ino;
}

static void owners_are_a_group_and_all_below_it(void **state)
{
	static const char *const names[] = { "a", "a/b", "a/b/c", "a/d", "a/e" };
	struct scene *scene = *state;
	struct mig_charged_owners owners = { 0 };
	struct mig_cgroup cgroup = { .context = scene->machine->context };
	char path[PATH_MAX];
	uint64_t inodes[5], other = make_group(scene, "f");

	for (size_t i = 0; i < 5; i++)
		inodes[i] = make_group(scene, names[i]);
	for (int i = 0; i < MIG_NR_CONTROLLERS; i++)
		cgroup.places[i].fd = -1;
	assert_true(mig_charged_owners_add(&owners, &cgroup) < 0);
	assert_int_equal(owners.nr, 0);
	snprintf(path, sizeof(path), "%s/groups/a", scene->machine->root->path);
	cgroup.fd = cgroup.places[MIG_CONTROLLER_MEMORY].fd =
		open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mig_charged_owners_add(&owners, &cgroup), 0);
	close(cgroup.fd);
	assert_int_equal(owners.nr, 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(mig_charged_owners_have(&owners, inodes[i]));
	assert_false(mig_charged_owners_have(&owners, other));
	mig_charged_owners_done(&owners);
}

static uint64_t draw(uint64_t *seed, uint64_t limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % limit;
}

/** What the test knows of each frame. */
struct truth {
	uint64_t flags;
	uint64_t inode;
};

static void put_random(struct scene *scene, struct truth *truth, bool is_old,
		       uint64_t *seed)
{
	static const uint64_t kinds[] = {
		CACHE,
		CACHE | MIG_FLAG_DIRTY,
		SHMEM,
		SHMEM | MIG_FLAG_MMAP,
		MIG_FLAG_ANON | SHMEM,
		CACHE | MIG_FLAG_WRITEBACK,
		0,
	};
	uint64_t frame = 0;

	/* Large stretches with nothing, so that windows and pieces are empty too. */
	while (frame < NR_FRAMES) {
		uint64_t order = draw(seed, 3) ? 0 : draw(seed, 10);
		uint64_t flags = kinds[draw(seed, 7)], inode = draw(seed, 4) * 100;
		uint64_t nr = UINT64_C(1) << order;

		if (!draw(seed, 20))
			frame += draw(seed, 3000);
		frame = (frame + nr - 1) & ~(nr - 1);
		if (frame + nr > NR_FRAMES)
			break;
		if (nr == 1)
			put(scene, frame, 1, flags, inode);
		else if (is_old)
			put_old_folio(scene, frame, nr, flags, inode);
		else
			put_new_folio(scene, frame, nr, flags, inode);
		for (uint64_t i = frame; i < frame + nr; i++)
			truth[i] = (struct truth){ flags, inode };
		frame += nr;
	}
}

struct check {
	const struct scene *scene;
	const struct truth *truth;
	bool of_anybody;
	uint64_t next; /**< the first frame that was not told of yet */
};

static bool is_wanted(const struct check *check, uint64_t frame)
{
	const struct truth *truth = &check->truth[frame];

	if (mig_frames_get_node(check->scene->frames, frame) == MIG_NO_NODE)
		return false;
	if (!(truth->flags & MIG_FLAG_LRU) ||
	    truth->flags & (MIG_FLAG_ANON | MIG_FLAG_MMAP))
		return false;
	return check->of_anybody || truth->inode == 100 || truth->inode == 200;
}

static int compare(void *data, const struct mig_charged_run *run)
{
	struct check *check = data;

	for (; check->next < run->frame; check->next++)
		assert_false(is_wanted(check, check->next));
	for (; check->next < run->frame + run->nr_pages; check->next++) {
		uint64_t flags = check->truth[check->next].flags;

		assert_true(is_wanted(check, check->next));
		assert_int_equal(run->node,
				 mig_frames_get_node(check->scene->frames, check->next));
		assert_int_equal(run->is_shmem, !!(flags & MIG_FLAG_SWAPBACKED));
		assert_int_equal(run->is_dirty, !!(flags & MIG_FLAG_DIRTY));
		assert_int_equal(run->is_writeback, !!(flags & MIG_FLAG_WRITEBACK));
	}
	return 0;
}

/* In one go, or one part after the other. */
static void visit(struct check *check, bool in_parts)
{
	const struct mig_charged *charged = &check->scene->charged;
	const struct mig_charged_owners *owners = check->of_anybody ? NULL : &ours;

	if (!in_parts)
		assert_int_equal(
			mig_charged_visit(charged, owners, &no_nodes, compare, check), 0);
	for (uint64_t first = 0; in_parts && first < NR_FRAMES;
	     first += MIG_CHARGED_STRIDE)
		assert_int_equal(mig_charged_visit_range(
					 charged, owners, &no_nodes, first,
					 first + MIG_CHARGED_STRIDE, compare, check),
				 0);
}

static void whatever_the_layout_each_frame_is_judged_right(void **state)
{
	struct scene *scene = *state;

	for (uint64_t story = 0; story < 8; story++) {
		struct truth *truth = calloc(NR_FRAMES, sizeof(*truth));
		struct check check = { scene, truth, .of_anybody = story % 4 == 3 };
		uint64_t seed = story * 977 + 13;

		assert_non_null(truth);
		put(scene, 0, NR_FRAMES, 0, 0);
		put_random(scene, truth, story % 2, &seed);
		open_charged(scene);
		visit(&check, story / 2 % 2);
		for (; check.next < NR_FRAMES; check.next++)
			assert_false(is_wanted(&check, check.next));
		for (int i = 0; i < 500; i++) {
			uint64_t frame = draw(&seed, NR_FRAMES);

			assert_int_equal(
				mig_charged_is_owned(&scene->charged, &ours, frame),
				truth[frame].inode == 100 || truth[frame].inode == 200);
		}
		free(truth);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_unmapped_cache_is_found),
		TEST(cache_of_others_is_not_found),
		TEST(memory_of_nodes_that_are_left_out_is_not_read),
		TEST(frames_that_differ_are_runs_of_their_own),
		TEST(a_run_is_not_cut_where_a_window_ends),
		TEST(frames_of_no_single_node_are_not_looked_at),
		TEST(tails_are_what_their_head_is),
		TEST(a_tail_without_a_head_belongs_to_nobody),
		TEST(a_single_frame_is_asked_for),
		TEST(the_walk_ends_when_the_visitor_says_so),
		TEST(what_processors_hold_back_is_gathered_first),
		TEST(files_that_end_too_early_are_an_error),
		TEST(a_kernel_without_the_files_says_so),
		TEST(owners_are_found_by_their_inodes),
		TEST(owners_are_a_group_and_all_below_it),
		TEST(whatever_the_layout_each_frame_is_judged_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
