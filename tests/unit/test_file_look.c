/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of files: on a fake machine with four nodes, and on this one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "live_files.h"
#include "scene.h"
#include "topology.h"

/* What was told of one file. */
struct told {
	char path[4096];
	struct mig_file_cache cache;
	uint64_t node_pages[MIG_MAX_NODES];
};

struct look {
	size_t nr;
	struct told told[8];
	size_t end_at; /**< the call that ends it; 0: none */
	int result;
};

static int note(void *data, const struct mig_file_cache *cache)
{
	struct look *look = data;
	struct told *told = &look->told[look->nr++];

	assert_true(look->nr <= 8);
	snprintf(told->path, sizeof(told->path), "%s", cache->path);
	told->cache = *cache;
	memcpy(told->node_pages, cache->node_pages, sizeof(told->node_pages));
	return look->nr == look->end_at ? look->result : 0;
}

static const struct told *find(const struct look *look, const char *name)
{
	for (size_t i = 0; i < look->nr; i++)
		if (!strcmp(strrchr(look->told[i].path, '/') + 1, name))
			return &look->told[i];
	fail_msg("nothing was told of '%s'", name);
	return NULL;
}

static struct look look_at(struct scene *scene)
{
	struct look look = { 0 };

	assert_int_equal(mig_files_look(scene->files, scene->topology, note, &look), 0);
	return look;
}

static struct scene *new_scene(bool hides_frames,
			       const struct fake_cache_options *options)
{
	return scene_new_with_files(
		&(struct fake_kernel_options){ .nr_nodes = 4,
					       .hides_frames = hides_frames },
		options);
}

/* Cached in part, on two nodes, in large folios too. */
static void add_mixed(struct scene *scene)
{
	struct fake_file *file =
		scene_add_file(scene, "mixed", 3 * MIG_FILE_PART / scene->page_size, -1);

	fake_cache_fill(scene->kernel, file, 3, 20, 0, 1);
	fake_cache_fill(scene->kernel, file, 32, 32, 2, 16);
	fake_cache_fill(scene->kernel, file, 2 * MIG_FILE_PART / scene->page_size, 5, 3,
			1);
	fake_cache_set(scene->kernel, file, 3, 7, FAKE_DIRTY);
	fake_cache_set(scene->kernel, file, 12, 4, FAKE_WRITEBACK);
	fake_cache_set(scene->kernel, file, 32, 1, FAKE_DIRTY);
}

static void assert_mixed(const struct scene *scene, const struct told *told)
{
	assert_int_equal(told->cache.size_bytes, 3 * MIG_FILE_PART);
	assert_int_equal(told->cache.cached_pages, 57);
	assert_int_equal(told->node_pages[0], 20);
	assert_int_equal(told->node_pages[1], 0);
	assert_int_equal(told->node_pages[2], 32);
	assert_int_equal(told->node_pages[3], 5);
	assert_true(scene->nr_problems == 0);
}

static void assert_untouched(const struct scene *scene)
{
	struct fake_cache_counts counts;
	struct fake_truth truth;

	fake_cache_get_counts(scene->kernel, &counts);
	assert_int_equal(counts.nr_read, 0);
	assert_int_equal(counts.nr_written, 0);
	fake_kernel_compare(scene->kernel, &truth);
	assert_int_equal(truth.nr_calls, 0);
}

/* ---- a machine with nodes ---- */

static void pages_are_told_by_node_and_state(void **state)
{
	struct scene *scene = new_scene(false, NULL);
	struct look look;
	const struct told *told;

	(void)state;
	add_mixed(scene);
	scene_add_file(scene, "empty", 0, -1);
	scene_add_file(scene, "uncached", 9, -1);
	fake_kernel_mark(scene->kernel);
	look = look_at(scene);
	assert_int_equal(look.nr, 3);
	told = find(&look, "mixed");
	assert_mixed(scene, told);
	assert_int_equal(told->cache.dirty_pages, 23);
	assert_int_equal(told->cache.writeback_pages, 4);
	assert_int_equal(told->cache.large_pages, 32);
	assert_int_equal(find(&look, "empty")->cache.cached_pages, 0);
	assert_int_equal(find(&look, "uncached")->cache.cached_pages, 0);
	assert_int_equal(find(&look, "uncached")->cache.dirty_pages, 0);
	assert_untouched(scene);
	scene_free(scene);
}

static void without_counting_frames_tell_the_states(void **state)
{
	static const struct fake_cache_options cases[] = {
		{ .count_error = -ENOSYS },
		{ .type = "overlay" },
		{ .no_fault_around = true, .count_error = -EPERM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct scene *scene = new_scene(false, &cases[i]);
		struct look look;

		add_mixed(scene);
		look = look_at(scene);
		assert_mixed(scene, &look.told[0]);
		assert_int_equal(look.told[0].cache.dirty_pages, 23);
		assert_int_equal(look.told[0].cache.writeback_pages, 4);
		assert_int_equal(look.told[0].cache.large_pages, 32);
		assert_untouched(scene);
		scene_free(scene);
	}
}

static void without_frames_nodes_are_asked_and_states_counted(void **state)
{
	struct scene *scene = new_scene(true, NULL);
	struct look look;

	(void)state;
	add_mixed(scene);
	look = look_at(scene);
	assert_mixed(scene, &look.told[0]);
	assert_int_equal(look.told[0].cache.dirty_pages, 23);
	assert_int_equal(look.told[0].cache.writeback_pages, 4);
	assert_int_equal(look.told[0].cache.large_pages, MIG_UNKNOWN_PAGES);
	assert_untouched(scene);
	scene_free(scene);
}

static void what_nobody_tells_is_unknown_and_not_nothing(void **state)
{
	struct scene *scene =
		new_scene(true, &(struct fake_cache_options){ .count_error = -ENOSYS });
	struct look look;

	(void)state;
	add_mixed(scene);
	scene_add_file(scene, "uncached", 9, -1);
	look = look_at(scene);
	assert_mixed(scene, find(&look, "mixed"));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(look.told[i].cache.dirty_pages, MIG_UNKNOWN_PAGES);
		assert_int_equal(look.told[i].cache.writeback_pages, MIG_UNKNOWN_PAGES);
		assert_int_equal(look.told[i].cache.large_pages, MIG_UNKNOWN_PAGES);
	}
	scene_free(scene);
}

static void uncached_files_are_not_mapped(void **state)
{
	struct scene *scene = new_scene(false, NULL);
	struct fake_cache_counts counts;

	(void)state;
	scene_add_file(scene, "uncached", 4 * MIG_FILE_PART / scene->page_size, -1);
	fake_cache_set_options(scene->kernel,
			       &(struct fake_cache_options){ .mincore_error = -EIO });
	assert_int_equal(look_at(scene).nr, 1);
	assert_int_equal(scene->nr_problems, 0);
	fake_cache_get_counts(scene->kernel, &counts);
	assert_int_equal(counts.nr_touched, 0);
	assert_true(counts.nr_counted > 0);
	scene_free(scene);
}

static void shared_pages_are_told_once(void **state)
{
	struct scene *scene = new_scene(false, NULL);
	struct look look;

	(void)state;
	fake_kernel_add_process(scene->kernel, 42, 1);
	fake_cache_map(scene->kernel, 42, scene_add_file(scene, "file", 30, 1));
	look = look_at(scene);
	assert_int_equal(look.told[0].cache.cached_pages, 30);
	assert_int_equal(look.told[0].node_pages[1], 30);
	scene_free(scene);
}

/* ---- problems and ends ---- */

static void errors_of_one_file_are_problems(void **state)
{
	static const int errors[] = { -EIO, -EAGAIN, -EFAULT, -EPERM };
	struct scene *scene = new_scene(false, NULL);

	(void)state;
	scene_add_file(scene, "cached", 5, 1);
	scene_add_file(scene, "uncached", 5, -1);
	unlink(fake_cache_get_path(scene_add_file(scene, "gone", 5, 1)));
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		fake_cache_set_options(
			scene->kernel,
			&(struct fake_cache_options){ .mincore_error = errors[i] });
		scene->nr_problems = 0;
		assert_int_equal(look_at(scene).nr, 1);
		assert_int_equal(scene->nr_problems, 2);
	}
	scene_free(scene);
}

static void want_of_memory_ends_it(void **state)
{
	struct scene *scene = new_scene(
		false, &(struct fake_cache_options){ .mincore_error = -ENOMEM });
	struct look look = { 0 };

	(void)state;
	scene_add_file(scene, "file", 5, 1);
	assert_int_equal(mig_files_look(scene->files, scene->topology, note, &look),
			 -ENOMEM);
	assert_int_equal(look.nr, 0);
	scene_free(scene);
}

static void a_visitor_ends_it(void **state)
{
	struct scene *scene = new_scene(false, NULL);
	struct look look = { .end_at = 2, .result = -ECANCELED };
	char name[2] = "a";

	(void)state;
	for (int i = 0; i < 6; i++, name[0]++)
		scene_add_file(scene, name, 5, 1);
	assert_int_equal(mig_files_look(scene->files, scene->topology, note, &look),
			 -ECANCELED);
	/* The other thread may be about to tell of one more. */
	assert_in_range(look.nr, 2, 3);
	scene_free(scene);
}

static void null_is_refused(void **state)
{
	struct scene *scene = new_scene(false, NULL);
	struct look look;

	(void)state;
	assert_int_equal(mig_files_look(NULL, scene->topology, note, &look), -EINVAL);
	assert_int_equal(mig_files_look(scene->files, NULL, note, &look), -EINVAL);
	assert_int_equal(mig_files_look(scene->files, scene->topology, NULL, &look),
			 -EINVAL);
	scene_free(scene);
}

/* ---- this machine ---- */

static struct mig_calls calls;
static unsigned int nr_mapped;
static int only_node;

static int spy_mincore(void *start, size_t length, unsigned char *resident)
{
	__atomic_fetch_add(&nr_mapped, 1, __ATOMIC_RELAXED);
	return mig_calls_kernel.mincore(start, length, resident);
}

static int no_cachestat(int fd, const uint64_t range[2], uint64_t counts[5])
{
	(void)fd;
	(void)range;
	(void)counts;
	return -ENOSYS;
}

static struct look look_live(struct live_files *live)
{
	struct mig_topology *topology = NULL;
	struct look look = { 0 };

	nr_mapped = 0;
	calls.mincore = spy_mincore;
	mig_context_set_calls(live->context, &calls);
	assert_int_equal(mig_topology_new(live->context, &topology), 0);
	assert_int_equal(mig_files_look(live->files, topology, note, &look), 0);
	only_node = mig_topology_get_only_node(topology);
	mig_topology_free(topology);
	return look;
}

static uint64_t sum_nodes(const struct told *told)
{
	uint64_t nr = 0;

	for (int node = 0; node < MIG_MAX_NODES; node++)
		nr += told->node_pages[node];
	return nr;
}

static void the_real_kernel_is_believed_and_not_disturbed(void **state)
{
	struct live_files *live = *state;
	struct look look;

	live_files_write_pages(live, "file", 2, 30);
	live_files_write_pages(live, "file", 9000, 3);
	fake_root_write(live->root, "empty", "");
	live_files_add(live, "", MIG_FILES_RECURSE);
	/* First with the kernel's counting where it has any, then without. */
	for (int i = 0; i < 4; i++) {
		calls = mig_calls_kernel;
		if (i > 1)
			calls.cachestat = no_cachestat;
		look = look_live(live);
		assert_int_equal(look.nr, 2);
		assert_int_equal(find(&look, "file")->cache.cached_pages, 33);
		assert_int_equal(sum_nodes(find(&look, "file")), 33);
		assert_int_equal(find(&look, "empty")->cache.cached_pages, 0);
	}
	assert_true(nr_mapped > 0);
	assert_int_equal(live->nr_problems, 0);
}

static void where_one_node_has_all_nothing_is_mapped(void **state)
{
	const uint64_t range[2] = { 0, 4096 };
	struct live_files *live = *state;
	uint64_t counts[5];

	calls = mig_calls_kernel;
	live_files_write_pages(live, "file", 0, 30);
	live_files_add(live, "file", 0);
	if (calls.cachestat(live->context->root_fd, range, counts) == -ENOSYS) {
		print_message("the kernel does not count cached pages\n");
		skip();
	}
	assert_int_equal(look_live(live).told[0].cache.cached_pages, 30);
	if (only_node == MIG_NO_NODE) {
		print_message("needs a machine with one node\n");
		skip();
	}
	assert_int_equal(nr_mapped, 0);
}

#define LIVE(name) \
	cmocka_unit_test_setup_teardown(name, live_files_set_up, live_files_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_are_told_by_node_and_state),
		cmocka_unit_test(without_counting_frames_tell_the_states),
		cmocka_unit_test(without_frames_nodes_are_asked_and_states_counted),
		cmocka_unit_test(what_nobody_tells_is_unknown_and_not_nothing),
		cmocka_unit_test(uncached_files_are_not_mapped),
		cmocka_unit_test(shared_pages_are_told_once),
		cmocka_unit_test(errors_of_one_file_are_problems),
		cmocka_unit_test(want_of_memory_ends_it),
		cmocka_unit_test(a_visitor_ends_it),
		cmocka_unit_test(null_is_refused),
		LIVE(the_real_kernel_is_believed_and_not_disturbed),
		LIVE(where_one_node_has_all_nothing_is_mapped),
	};

	return cmocka_run_group_tests_name("file_look", tests, NULL, NULL);
}
