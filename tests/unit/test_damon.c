/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written to DAMON's files, on made-up kernels that do what they are told. */
#include "damon.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_damon.h"

#define NR_KDAMONDS DAMON_ADMIN "/kdamonds/nr_kdamonds"
#define GIB (UINT64_C(1) << 30)

static void assert_not_opened(void **state, int error)
{
	const struct damon_scene *scene = *state;
	struct mig_damon *damon = (struct mig_damon *)-1;

	assert_int_equal(mig_damon_open(scene->context, &damon), error);
	assert_ptr_equal(damon, (struct mig_damon *)-1);
}

static void assert_file(void **state, const char *path, const char *value)
{
	const struct damon_scene *scene = *state;

	assert_string_equal(fake_damon_read(scene->damon, path), value);
}

/* ---- Taking it and giving it back ---- */

static void all_is_as_it_was_when_it_is_closed(void **state)
{
	struct mig_damon *damon = damon_scene_open(state);

	assert_file(state, NR_KDAMONDS, "1");
	assert_file(state, DAMON_STAT, "N");
	mig_damon_close(damon);
	assert_file(state, NR_KDAMONDS, "0");
	assert_file(state, DAMON_STAT, "Y");
	mig_damon_close(NULL);
}

static void damon_stat_that_was_off_stays_off(void **state)
{
	damon_scene_begin(state, FAKE_DAMON_6_12);
	mig_damon_close(damon_scene_open(state));
	assert_file(state, DAMON_STAT, "N");
	assert_file(state, NR_KDAMONDS, "0");
}

static void kdamonds_of_others_are_left_alone(void **state)
{
	const struct damon_scene *scene = *state;

	fake_root_write(scene->root, NR_KDAMONDS, "2\n");
	assert_not_opened(state, -EBUSY);
	assert_file(state, NR_KDAMONDS, "2");
	assert_file(state, DAMON_STAT, "Y");
}

static void modules_that_use_it_are_left_alone(void **state)
{
	static const char *const modules[] = { "damon_reclaim", "damon_lru_sort" };
	const struct damon_scene *scene = *state;

	for (size_t i = 0; i < 2; i++) {
		char path[64];

		snprintf(path, sizeof(path), "sys/module/%s/parameters/enabled",
			 modules[i]);
		fake_root_write(scene->root, path, "Y\n");
		assert_not_opened(state, -EBUSY);
		assert_file(state, path, "Y");
		assert_file(state, NR_KDAMONDS, "0");
		assert_file(state, DAMON_STAT, "Y");
		fake_root_write(scene->root, path, "N\n");
	}
	mig_damon_close(damon_scene_open(state));
}

static void callers_do_not_take_it_at_the_same_moment(void **state)
{
	const struct damon_scene *scene = *state;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/" DAMON_ADMIN "/kdamonds", scene->root->path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_not_opened(state, -EBUSY);
	close(fd);
	mig_damon_close(damon_scene_open(state));
}

static void the_second_caller_is_told_that_it_is_busy(void **state)
{
	struct mig_damon *damon = damon_scene_open(state);

	assert_not_opened(state, -EBUSY);
	assert_file(state, NR_KDAMONDS, "1");
	mig_damon_close(damon);
	mig_damon_close(damon_scene_open(state));
}

static void a_kernel_without_it_is_not_supported(void **state)
{
	const struct damon_scene *scene = *state;

	fake_root_remove(scene->root, DAMON_ADMIN);
	assert_not_opened(state, -EOPNOTSUPP);
	assert_file(state, DAMON_STAT, "Y");
}

static void a_kernel_whose_schemes_cannot_migrate_is_not_supported(void **state)
{
	damon_scene_begin(state, FAKE_DAMON_6_10);
	assert_not_opened(state, -EOPNOTSUPP);
	assert_file(state, NR_KDAMONDS, "0");
}

static void a_captured_machine_is_not_supported(void **state)
{
	struct damon_scene *scene = *state;

	mig_context_free(scene->context);
	scene->context = fake_root_context(scene->root, NULL);
	assert_not_opened(state, -EOPNOTSUPP);
	assert_file(state, NR_KDAMONDS, "0");
}

static void a_kernel_that_is_busy_for_a_moment_is_waited_for(void **state)
{
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;

	fake->failing = "/nr_contexts";
	fake->error = EBUSY;
	fake->failures = 3;
	mig_damon_close(damon_scene_open(state));
	assert_int_equal(fake->failures, 0);
}

static void what_fails_while_it_is_taken_is_undone(void **state)
{
	static const char *const files[] = {
		"/nr_kdamonds", "/nr_contexts", "/operations", "/aggr_us", "/nr_targets",
		"/nr_schemes",  "/action",      "/nr_filters", "/type",
	};
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		fake->failing = files[i];
		fake->error = EIO;
		fake->failures = 1;
		assert_not_opened(state, -EIO);
		assert_file(state, NR_KDAMONDS, "0");
		assert_file(state, DAMON_STAT, "Y");
	}
}

static void what_cannot_be_restored_is_said(void **state)
{
	const struct damon_scene *scene = *state;
	struct mig_damon *damon = damon_scene_open(state);

	scene->damon->failing = "damon_stat/parameters/enabled";
	scene->damon->error = EIO;
	scene->damon->failures = 1;
	mig_damon_close(damon);
	assert_non_null(strstr(scene->root->log, "write Y to /" DAMON_STAT));
}

static bool die(void *data)
{
	(void)data;
	raise(SIGKILL);
	return true;
}

static void wait_for(void **state, const char *path, const char *value)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	for (int i = 0; i < 500; i++) {
		const struct damon_scene *scene = *state;

		if (!strcmp(fake_damon_read(scene->damon, path), value))
			return;
		nanosleep(&moment, NULL);
	}
	fail_msg("'%s' did not become '%s'", path, value);
}

static void a_caller_that_is_killed_leaves_nothing_behind(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct mig_damon_stats stats;

		mig_damon_run(damon_scene_open(state), &scheme, 1, DAMON_SCENE_TIME_NS,
			      die, NULL, &stats);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	wait_for(state, DAMON_STAT, "Y");
	assert_file(state, NR_KDAMONDS, "0");
	assert_file(state, DAMON_ADMIN "/kdamonds/0/state", "off");
}

/* ---- Running schemes ---- */

static void a_page_that_goes_at_the_second_attempt_is_waited_for(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	damon_scene_add_page(state, 4096, "/a");
	damon_scene_add_page(state, 8192, "/a");
	fake->pages[1].refusals = 1;
	damon_scene_add_page(state, 12288, "/a");
	fake->pages[2].refusals = 3;
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), 0);
	mig_damon_close(damon);
	assert_int_equal(fake->pages[1].node, 1);
	assert_int_equal(fake->pages[2].node, 1);
	assert_int_equal(stats.applied_bytes, 3 * 4096);
}

static void a_page_that_never_goes_does_not_hold_it_up(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	damon_scene_add_page(state, 4096, "/a");
	fake->pages[0].refusals = UINT32_MAX;
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), 0);
	mig_damon_close(damon);
	assert_int_equal(stats.applied_bytes, 0);
	assert_int_equal(fake->nr_rounds, 2);
}

static void schemes_that_make_no_sense_are_refused(void **state)
{
	static const struct mig_damon_scheme senseless[] = {
		{ .start = 4096, .end = 4096, .to = 1 },
		{ .start = 8192, .end = 4096, .to = 1 },
		{ .start = 0, .end = 4096, .to = MIG_NO_NODE },
	};
	static const struct mig_damon_scheme good = { .end = 4096, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats = { .tried_bytes = 77 };

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(damon_scene_run(damon, &senseless[i], 1, &stats),
				 -EINVAL);
	assert_int_equal(mig_damon_run(damon, &good, 1, 0, NULL, NULL, &stats), -EINVAL);
	assert_int_equal(stats.tried_bytes, 77);
	assert_int_equal(fake->nr_starts, 0);
	assert_int_equal(damon_scene_run(damon, NULL, 0, &stats), 0);
	assert_int_equal(stats.tried_bytes, 0);
	mig_damon_close(damon);
}

static void a_group_that_is_not_there_is_refused(void **state)
{
	static const enum fake_damon_kind kinds[] = { FAKE_DAMON_6_12, FAKE_DAMON_7_2 };
	static const struct mig_damon_scheme scheme = {
		.end = GIB,
		.to = 1,
		.cgroup = "/gone",
	};

	for (size_t i = 0; i < 2; i++) {
		struct mig_damon_stats stats = { .tried_bytes = 77 };
		struct mig_damon *damon;

		damon_scene_begin(state, kinds[i]);
		((struct damon_scene *)*state)->damon->no_cgroup = "/gone";
		damon = damon_scene_open(state);
		assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), -EINVAL);
		assert_int_equal(stats.tried_bytes, 77);
		mig_damon_close(damon);
		assert_file(state, NR_KDAMONDS, "0");
	}
}

static bool count_down(void *data)
{
	int *left = data;

	return --*left < 0;
}

static void it_ends_when_it_is_stopped(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;
	int left = 1;

	damon_scene_add_page(state, 4096, "/a");
	assert_int_equal(mig_damon_run(damon, &scheme, 1, DAMON_SCENE_TIME_NS, count_down,
				       &left, &stats),
			 -ECANCELED);
	assert_int_equal(stats.applied_bytes, 4096);
	assert_int_equal(stats.tried_bytes, GIB);
	assert_false(fake->is_on);
	left = 0;
	assert_int_equal(mig_damon_run(damon, &scheme, 1, DAMON_SCENE_TIME_NS, count_down,
				       &left, &stats),
			 -ECANCELED);
	assert_int_equal(stats.tried_bytes, 0);
	assert_int_equal(fake->nr_starts, 1);
	mig_damon_close(damon);
}

static void refuse_again(struct fake_damon *damon)
{
	/* Something always moves. */
	damon->pages[0].address = 4096;
	damon->pages[0].node = 0;
}

static void it_ends_when_its_time_is_over(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	damon_scene_add_page(state, 4096, "/a");
	fake->before_round = refuse_again;
	assert_int_equal(
		mig_damon_run(damon, &scheme, 1, UINT64_C(300000000), NULL, NULL, &stats),
		-ETIMEDOUT);
	assert_true(fake->nr_rounds > 1);
	assert_int_equal(stats.applied_bytes, fake->nr_rounds * 4096);
	assert_false(fake->is_on);
	mig_damon_close(damon);
}

static void more_than_there_is_cannot_have_been_moved(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = 8192, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	damon_scene_add_page(state, 4096, "/a");
	fake->before_round = refuse_again;
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), 0);
	assert_int_equal(fake->nr_rounds, 3);
	mig_damon_close(damon);
}

static void put_room(struct fake_root *root, unsigned int free_pages)
{
	char text[256];

	fake_root_write(root, "sys/devices/system/node/node1/meminfo",
			"Node 1 MemTotal: 1048576 kB\nNode 1 MemFree: 4 kB\n");
	snprintf(text, sizeof(text),
		 "Node 1, zone   Normal\n  pages free     %u\n        boost    0\n"
		 "        min      10\n        low      20\n        high     30\n",
		 free_pages);
	fake_root_write(root, "proc/zoneinfo", text);
}

static void fill_node(struct fake_damon *damon)
{
	refuse_again(damon);
	if (damon->nr_rounds == 2)
		put_room(damon->root, 30);
}

static void a_target_that_is_full_ends_it(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	const struct damon_scene *scene = *state;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	damon_scene_add_page(state, 4096, "/a");
	scene->damon->before_round = fill_node;
	put_room(scene->root, 31);
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), -ENOSPC);
	assert_int_equal(scene->damon->nr_rounds, 3);
	assert_int_equal(stats.applied_bytes, 3 * 4096);
	assert_false(scene->damon->is_on);
	/* It is not even begun. */
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), -ENOSPC);
	assert_int_equal(scene->damon->nr_rounds, 3);
	assert_int_equal(stats.tried_bytes, 0);
	mig_damon_close(damon);
}

static void end_by_itself(struct fake_damon *damon)
{
	damon->failing = "/0/state";
	damon->error = EINVAL;
	damon->failures = 1;
}

static void a_kdamond_that_has_ended_by_itself_is_an_error(void **state)
{
	static const struct mig_damon_scheme scheme = { .end = GIB, .to = 1 };
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats = { .tried_bytes = 77 };

	fake->before_round = end_by_itself;
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), -EIO);
	assert_int_equal(stats.tried_bytes, 77);
	mig_damon_close(damon);
}

static void what_fails_while_it_is_told_leaves_it_off(void **state)
{
	static const char *const files[] = {
		"/nr_regions",
		"/end",
		"/nr_schemes",
		"/target_nid",
		"/type",
		"/memcg_path",
		"/ops_filters/nr_filters",
		"/state",
	};
	static const struct mig_damon_scheme scheme = {
		.end = GIB,
		.to = 1,
		.cgroup = "/a",
	};
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		fake->failing = files[i];
		fake->error = EIO;
		fake->failures = 1;
		assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), -EIO);
		assert_false(fake->is_on);
	}
	assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), 0);
	mig_damon_close(damon);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, damon_scene_set_up, damon_scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_as_it_was_when_it_is_closed),
		TEST(damon_stat_that_was_off_stays_off),
		TEST(kdamonds_of_others_are_left_alone),
		TEST(modules_that_use_it_are_left_alone),
		TEST(callers_do_not_take_it_at_the_same_moment),
		TEST(the_second_caller_is_told_that_it_is_busy),
		TEST(a_kernel_without_it_is_not_supported),
		TEST(a_kernel_whose_schemes_cannot_migrate_is_not_supported),
		TEST(a_captured_machine_is_not_supported),
		TEST(a_kernel_that_is_busy_for_a_moment_is_waited_for),
		TEST(what_fails_while_it_is_taken_is_undone),
		TEST(what_cannot_be_restored_is_said),
		TEST(a_caller_that_is_killed_leaves_nothing_behind),
		TEST(a_page_that_goes_at_the_second_attempt_is_waited_for),
		TEST(a_page_that_never_goes_does_not_hold_it_up),
		TEST(schemes_that_make_no_sense_are_refused),
		TEST(a_group_that_is_not_there_is_refused),
		TEST(it_ends_when_it_is_stopped),
		TEST(it_ends_when_its_time_is_over),
		TEST(more_than_there_is_cannot_have_been_moved),
		TEST(a_target_that_is_full_ends_it),
		TEST(a_kdamond_that_has_ended_by_itself_is_an_error),
		TEST(what_fails_while_it_is_told_leaves_it_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
