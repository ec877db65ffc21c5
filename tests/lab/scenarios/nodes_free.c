// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drain --free: so much is free afterwards, not much more has left than was needed, and
 * what nobody has mapped has gone before what is idle, and that before what is busy.
 * Node 3 makes room.
 */
#include "lab_drain.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Who moves a lot at once, or hands over to DAMON, moves some more. */
#define OVERSHOOT (24 * MEBIBYTE)
/* What the machine itself takes and gives meanwhile, and what processors keep aside. */
#define SLACK (12 * MEBIBYTE)

/** A node with all that may go. */
struct scene {
	struct lab_disk disk;
	const char *path;
	struct victim *idle;
	struct victim *busy;
	uint64_t free_bytes;
};

static struct scene make_scene(struct lab *lab, unsigned int cache_mebibytes)
{
	struct scene scene = { .disk = lab_disk(lab, "ext4") };

	lab_show_all_free(lab);
	scene.path = lab_path(&scene.disk, "file");
	lab_write_file(scene.path, 3, 0, cache_mebibytes * MEBIBYTE, 7);
	scene.idle = lab_victim(lab, "--size 64M --node 3");
	scene.busy = lab_victim(lab, "--size 32M --node 3");
	lab_ask(scene.busy, "start write");
	lab_settle_lru();
	/* A search reads directories, which are not what is looked at here. */
	lab_shell(lab, NULL, "find %s >/dev/null", scene.disk.path);
	scene.free_bytes = lab_all_free_bytes(3);
	return scene;
}

static struct run *make_room(struct lab *lab, const struct scene *scene, uint64_t bytes)
{
	return lab_drain(lab, "--free %" PRIu64 " %s 3", scene->free_bytes + bytes,
			 lab_search(&scene->disk));
}

static uint64_t on_node_3(struct lab *lab, const struct victim *victim)
{
	return lab_count(victim, lab_look(lab, victim), 3);
}

static void assert_unharmed(const struct scene *scene)
{
	lab_ask(scene->busy, "stop");
	lab_assert_intact(scene->idle);
	lab_assert_intact(scene->busy);
}

static void unmapped_cache_goes_first_and_no_more_than_is_needed(void **state)
{
	struct lab *lab = *state;
	struct scene scene = make_scene(lab, 56);
	const struct lab_file_view *before = lab_look_at_file(lab, scene.path);
	struct lab_io io = lab_disk_io(&scene.disk);
	struct run *run = make_room(lab, &scene, 30 * MEBIBYTE);
	const struct lab_file_view *after = lab_look_at_file(lab, scene.path);

	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_no_io(&scene.disk, &io);
	lab_assert_dirty_same(before, after);
	assert_in_range(lab_all_free_bytes(3), scene.free_bytes + 30 * MEBIBYTE - SLACK,
			scene.free_bytes + 30 * MEBIBYTE + OVERSHOOT);
	/* What processors keep aside is free too; and the disk that the file is on is
	 * itself a file that nobody has mapped. */
	assert_in_range(lab_drained(run, 3, -1), 4 * PAGES_PER_MEBIBYTE,
			(30 * MEBIBYTE + OVERSHOOT) / PAGE_BYTES);
	assert_int_equal(on_node_3(lab, scene.idle), 64 * PAGES_PER_MEBIBYTE);
	assert_int_equal(on_node_3(lab, scene.busy), 32 * PAGES_PER_MEBIBYTE);
	lab_assert_file(scene.path, 0, 56 * MEBIBYTE, 7);
	assert_unharmed(&scene);
	/* Once more: it is so already. */
	run = make_room(lab, &scene, 8 * MEBIBYTE);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(run->nr_reports, 0);
}

static void then_go_idle_processes_and_a_busy_one_stays(void **state)
{
	struct lab *lab = *state;
	struct scene scene = make_scene(lab, 16);
	struct run *run = make_room(lab, &scene, 48 * MEBIBYTE);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(lab_all_free_bytes(3) >= scene.free_bytes + 48 * MEBIBYTE - SLACK);
	assert_in_range(lab_look_at_file(lab, scene.path)->node_pages[3], 0, 256);
	assert_in_range(on_node_3(lab, scene.idle), 0, 40 * PAGES_PER_MEBIBYTE);
	assert_int_equal(on_node_3(lab, scene.busy), 32 * PAGES_PER_MEBIBYTE);
	assert_unharmed(&scene);
}

static void a_busy_process_goes_last(void **state)
{
	struct lab *lab = *state;
	struct scene scene = make_scene(lab, 8);
	struct run *run = make_room(lab, &scene, 96 * MEBIBYTE);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(lab_all_free_bytes(3) >= scene.free_bytes + 96 * MEBIBYTE - SLACK);
	assert_int_equal(on_node_3(lab, scene.idle), 0);
	assert_in_range(on_node_3(lab, scene.busy), 0, 31 * PAGES_PER_MEBIBYTE);
	assert_unharmed(&scene);
}

static void a_dry_run_says_how_much_would_leave(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 3");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run;

	run = lab_migratectl(lab, "drain --dry-run --free 1M 3");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_non_null(strstr(run->out, "are free, 0 would leave"));
	run = lab_migratectl(lab, "drain --dry-run --free 90%% --bytes 3");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_non_null(strstr(run->out, "node 3: a dry run, nothing is moved: "));
	lab_assert_nothing_moved(lab, victim, before);
}

static void a_share_of_the_node_is_meant_by_percent(void **state)
{
	struct lab *lab = *state;
	struct scene scene = make_scene(lab, 48);
	struct run *run = lab_drain(lab, "--free 86%% %s 3", lab_search(&scene.disk));
	uint64_t total_kib = 0;
	FILE *meminfo = fopen("/sys/devices/system/node/node3/meminfo", "re");

	assert_non_null(meminfo);
	assert_int_equal(fscanf(meminfo, "Node 3 MemTotal: %" SCNu64, &total_kib), 1);
	fclose(meminfo);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(lab_all_free_bytes(3) + SLACK >= total_kib * 1024 / 100 * 86);
	assert_unharmed(&scene);
}

static void what_the_kernel_keeps_is_what_is_missing(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 16M --node 3");
	struct run *run = lab_drain(lab, "--free 100%% 3");

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "are free, not");
	assert_int_equal(on_node_3(lab, victim), 0);
	lab_assert_intact(victim);
}

static void what_does_not_fit_elsewhere_is_refused(void **state)
{
	struct lab *lab = *state;
	uint64_t room = lab_fill_node(lab, 2);
	struct victim *victim =
		lab_victim(lab, "--size %" PRIu64 "M --node 3", room + 64);
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_drain(lab, "--to 2 --free %" PRIu64 " 3",
				    lab_all_free_bytes(3) + (room + 48) * MEBIBYTE);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "there is room for");
	assert_int_equal(run->nr_reports, 0);
	lab_assert_nothing_moved(lab, victim, before);
	run = lab_drain(lab, "--free 100G 3");
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "node 3 has less memory than is to be free there");
	lab_assert_nothing_moved(lab, victim, before);
}

static void each_of_several_nodes_gets_its_room(void **state)
{
	struct lab *lab = *state;
	struct victim *first = lab_victim(lab, "--size 64M --node 2");
	struct victim *second = lab_victim(lab, "--size 16M --node 3");
	uint64_t free_bytes;
	struct run *run;

	lab_show_all_free(lab);
	free_bytes = lab_all_free_bytes(2) + 32 * MEBIBYTE;
	assert_true(lab_all_free_bytes(3) > free_bytes);
	run = lab_drain(lab, "--free %" PRIu64 " 2-3", free_bytes);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(lab_all_free_bytes(2) + SLACK >= free_bytes);
	assert_int_equal(lab_drained(run, 2, 3), 0);
	/* There was enough on node 3. */
	assert_int_equal(on_node_3(lab, second), 16 * PAGES_PER_MEBIBYTE);
	lab_assert_intact(first);
	lab_assert_intact(second);
}

static void a_signal_ends_it(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 48M --node 3");
	uint64_t wanted = lab_all_free_bytes(3) + 40 * MEBIBYTE;
	struct run *run =
		lab_start_drain(lab, "--rate 4M --free %" PRIu64 " --to 1 3", wanted);

	while (!lab_count(victim, lab_look(lab, victim), 1) && !lab_has_ended(run))
		usleep(50000);
	kill(run->pid, SIGTERM);
	lab_finish(run);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "are free, not");
	assert_true(on_node_3(lab, victim) > MEBIBYTE / PAGE_BYTES);
	lab_assert_intact(victim);
}

/* Of all that could still go, no more is begun. */
static void the_time_limit_is_for_all_of_it(void **state)
{
	struct lab *lab = *state;
	struct scene scene = make_scene(lab, 8);
	struct run *run =
		lab_drain(lab, "--rate 8M --timeout 2s --free %" PRIu64 " %s 3",
			  scene.free_bytes + 90 * MEBIBYTE, lab_search(&scene.disk));

	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "the time is up");
	assert_in_range(run->nr_reports, 1, 3);
	assert_int_equal(on_node_3(lab, scene.busy), 32 * PAGES_PER_MEBIBYTE);
	assert_unharmed(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(unmapped_cache_goes_first_and_no_more_than_is_needed),
		LAB_TEST(then_go_idle_processes_and_a_busy_one_stays),
		LAB_TEST(a_busy_process_goes_last),
		LAB_TEST(a_dry_run_says_how_much_would_leave),
		LAB_TEST(a_share_of_the_node_is_meant_by_percent),
		LAB_TEST(what_the_kernel_keeps_is_what_is_missing),
		LAB_TEST(what_does_not_fit_elsewhere_is_refused),
		LAB_TEST(each_of_several_nodes_gets_its_room),
		LAB_TEST(a_signal_ends_it),
		LAB_TEST(the_time_limit_is_for_all_of_it),
	};

	return lab_main(tests, 4);
}
