// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drain --offline and --online: what the memory blocks' own files say afterwards. On the
 * layout "hotplug": node 2 is a module of memory of 1 GiB in zone Movable, node 1 a node
 * that was there when the machine started.
 */
#include "lab_cgroups.h"
#include "lab_drain.h"
#include "lab_world.h"

#include <dirent.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "/sys/devices/system/memory"
#define MOST_BLOCKS 64

/* What "blocks" says of one. */
struct told {
	unsigned int number;
	char state[16];
	char result[16];
	char reason[16];
	bool has_frame;
	uint64_t frame;
	char page[64];
	pid_t pid; /**< of the first user; 0: none */
};

struct told_blocks {
	struct told blocks[MOST_BLOCKS];
	size_t nr;
};

/* ---- the machine ---- */

static uint64_t block_frames(void)
{
	return strtoull(lab_read(MEMORY "/block_size_bytes"), NULL, 16) / PAGE_BYTES;
}

static const char *read_block(unsigned int number, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY "/memory%u/%s", number, name);
	return lab_read(path);
}

/* Numbers of a node's blocks, by its directory. */
static size_t list_blocks(int node, unsigned int numbers[MOST_BLOCKS])
{
	const struct dirent *entry;
	char path[64];
	size_t nr = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", node);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)))
		if (sscanf(entry->d_name, "memory%u", &numbers[nr]) == 1)
			assert_true(++nr < MOST_BLOCKS);
	closedir(directory);
	return nr;
}

static size_t count_blocks(int node, const char *state)
{
	unsigned int numbers[MOST_BLOCKS];
	size_t nr = list_blocks(node, numbers), count = 0;

	for (size_t i = 0; i < nr; i++)
		count += !strcmp(read_block(numbers[i], "state"), state);
	return count;
}

/* All blocks are online, those of node 2 as movable, now and after the test. */
static void bring_all_back(struct lab *lab)
{
	static const char back[] =
		"for block in " MEMORY "/memory[0-9]*; do "
		"grep -q offline $block/state || continue; "
		"if [ -e $block/node2 ]; then echo online_movable >$block/state; "
		"else echo online_kernel >$block/state; fi; done; true";

	lab_shell(lab, back, "%s", back);
	assert_int_equal(count_blocks(2, "online"), 8);
}

static bool is_helper(const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	return !access(path, F_OK) && !strcmp(lab_read(path), "mig-block");
}

/* The child that does the write. */
static bool has_helper(void)
{
	const struct dirent *entry;
	DIR *directory = opendir("/proc");
	bool found = false;

	assert_non_null(directory);
	while (!found && (entry = readdir(directory)))
		found = *entry->d_name >= '0' && *entry->d_name <= '9' &&
			is_helper(entry->d_name);
	closedir(directory);
	return found;
}

static void await_helper(bool there)
{
	double end = lab_now() + 120;
	bool is_there;

	/* Each block has one: between two there is none. */
	while ((is_there = has_helper()) != there && lab_now() < end)
		usleep(50000);
	assert_true(is_there == there);
}

/* ---- what is said ---- */

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("there is no '%s'", key);
	return value;
}

static void get_text(struct json_object *object, const char *key, char *text, size_t size)
{
	const char *found = json_object_get_string(get(object, key));

	snprintf(text, size, "%s", found ? found : "");
}

static void read_one(struct json_object *object, struct told *told)
{
	struct json_object *users;

	told->number = (unsigned int)json_object_get_int(get(object, "block"));
	get_text(object, "state", told->state, sizeof(told->state));
	get_text(object, "result", told->result, sizeof(told->result));
	get_text(object, "reason", told->reason, sizeof(told->reason));
	told->has_frame = get(object, "frame") != NULL;
	if (!told->has_frame)
		return;
	told->frame = json_object_get_uint64(get(object, "frame"));
	get_text(object, "page", told->page, sizeof(told->page));
	users = get(object, "users");
	if (json_object_array_length(users))
		told->pid = json_object_get_int(
			get(json_object_array_get_idx(users, 0), "pid"));
}

/* What is said of a block's state is what the kernel says. */
static struct told_blocks read_told(const struct run *run)
{
	struct json_object *document = json_tokener_parse(run->out);
	struct told_blocks told = { 0 };
	struct json_object *blocks;

	if (!document)
		fail_msg("no JSON: '%s', '%s'", run->out, run->err);
	blocks = get(document, "blocks");
	told.nr = json_object_array_length(blocks);
	assert_in_range(told.nr, 1, MOST_BLOCKS);
	for (size_t i = 0; i < told.nr; i++) {
		read_one(json_object_array_get_idx(blocks, i), &told.blocks[i]);
		assert_string_equal(told.blocks[i].state,
				    read_block(told.blocks[i].number, "state"));
	}
	json_object_put(document);
	return told;
}

static size_t count_told(const struct told_blocks *told, const char *result)
{
	size_t count = 0;

	for (size_t i = 0; i < told->nr; i++)
		count += !strcmp(told->blocks[i].result, result);
	return count;
}

static bool is_in(const struct told *block)
{
	return block->frame / block_frames() == block->number;
}

/* The victim's page in that frame. */
static bool is_page_of(struct lab *lab, const struct victim *victim, uint64_t frame)
{
	const struct oracle_view *view = lab_look(lab, victim);

	for (size_t i = 0; i < view->nr_pages; i++)
		if (view->pages[i].frame == frame)
			return true;
	return false;
}

/* ---- the tests ---- */

static void a_module_goes_offline_with_all_that_is_in_it_and_comes_back(void **state)
{
	static const char *const kinds[] = { "anon", "thp", "shmem", "mlocked", "tmpfs" };
	struct lab *lab = *state;
	struct victim *victims[5];
	struct told_blocks told;
	struct run *run;

	bring_all_back(lab);
	for (size_t i = 0; i < 5; i++)
		victims[i] = lab_victim(lab, "--kind %s --size 16M --node 2", kinds[i]);
	run = lab_migratectl(lab, "drain --offline --to 1 --json 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	told = read_told(run);
	assert_int_equal(told.nr, 8);
	assert_int_equal(count_told(&told, "done"), 8);
	assert_int_equal(count_blocks(2, "offline"), 8);
	for (size_t i = 0; i < 5; i++) {
		lab_assert_intact(victims[i]);
		/* Where it was asked to go, and not where the kernel would have put it. */
		lab_assert_all_on(lab, victims[i], 1);
	}

	/* What is offline already is a success. */
	run = lab_migratectl(lab, "drain --offline --to 1 --json 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	told = read_told(run);
	assert_int_equal(count_told(&told, "already"), 8);

	run = lab_migratectl(lab, "drain --online --movable --json 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	told = read_told(run);
	assert_int_equal(count_told(&told, "done"), 8);
	for (size_t i = 0; i < told.nr; i++)
		assert_string_equal(read_block(told.blocks[i].number, "valid_zones"),
				    "Movable");
	run = lab_migratectl(lab, "drain --online --json 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	told = read_told(run);
	assert_int_equal(count_told(&told, "already"), 8);
	lab_assert_moves(lab, victims[0], "--to 2");
}

static void a_dry_run_changes_no_block(void **state)
{
	struct lab *lab = *state;
	struct told_blocks told;
	struct run *run;

	bring_all_back(lab);
	run = lab_migratectl(lab, "drain --offline --dry-run --to 1 --json 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	told = read_told(run);
	assert_int_equal(count_told(&told, "would-try"), 8);
	assert_int_equal(count_blocks(2, "online"), 8);
}

/* In a pipe: the kernel would try for ever. */
static void a_pinned_page_is_named_and_its_block_stays(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;
	const struct told *kept = NULL;
	struct told_blocks told;
	struct run *run;

	bring_all_back(lab);
	victim = lab_victim(lab, "--kind vmsplice --size 4M --node 2");
	run = lab_migratectl(lab, "drain --offline --offline-timeout 5s --to 1 --json 2");
	lab_assert_status(run, EXIT_PARTLY);
	told = read_told(run);
	for (size_t i = 0; i < told.nr; i++)
		if (!strcmp(told.blocks[i].result, "timed-out"))
			kept = &told.blocks[i];
	assert_non_null(kept);
	assert_int_equal(count_told(&told, "done") + count_told(&told, "timed-out"), 8);
	assert_int_equal(count_blocks(2, "online"), count_told(&told, "timed-out"));
	assert_string_equal(kept->reason, "held");
	assert_true(kept->has_frame && is_in(kept));
	assert_true(is_page_of(lab, victim, kept->frame));
	assert_int_equal(kept->pid, victim->pid);
	lab_assert_says(run, "mapped by");
	/* All of it but what is in the pipe is where it was asked for. */
	assert_true(lab_count(victim, lab_look(lab, victim), 1) >=
		    3 * PAGES_PER_MEBIBYTE);
	lab_assert_intact(victim);
	assert_false(has_helper());

	/* As soon as it lets go, it goes. */
	lab_end_victim(lab, victim);
	run = lab_migratectl(lab, "drain --offline --to 1 --json 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(count_blocks(2, "offline"), 8);
}

static struct run *start_offline(struct lab *lab)
{
	struct run *run = lab_program(
		lab, "%s drain --offline --offline-timeout 280s --to 1 --json 2",
		lab_program_path("MIGRATECTL", "migratectl"));

	await_helper(true);
	/* The blocks without a pinned page go soon; the one with it is in hand then. */
	while (!lab_has_ended(run) &&
	       (count_blocks(2, "offline") < 7 || count_blocks(2, "going-offline") < 1))
		usleep(100000);
	assert_false(lab_has_ended(run));
	return run;
}

static void a_caller_that_is_killed_leaves_the_block_online(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;
	struct run *run;

	bring_all_back(lab);
	victim = lab_victim(lab, "--kind vmsplice --size 4M --node 2");
	run = start_offline(lab);
	kill(run->pid, SIGKILL);
	lab_finish(run);
	await_helper(false);
	assert_int_equal(count_blocks(2, "online"), 1);
	assert_int_equal(count_blocks(2, "offline"), 7);
	lab_assert_intact(victim);
}

static void a_signal_ends_it_and_it_says_what_is_off(void **state)
{
	struct lab *lab = *state;
	struct told_blocks told;
	struct run *run;

	bring_all_back(lab);
	lab_victim(lab, "--kind vmsplice --size 4M --node 2");
	run = start_offline(lab);
	kill(run->pid, SIGTERM);
	lab_finish(run);
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "stopped by a signal");
	assert_false(has_helper());
	told = read_told(run);
	assert_int_equal(count_told(&told, "done"), 7);
	assert_int_equal(count_told(&told, "stopped"), 1);
	assert_int_equal(count_blocks(2, "online"), 1);
}

/* The kernel's own memory, and holes at its end: some blocks of such a node never go. */
static void a_boot_node_keeps_the_blocks_that_the_kernel_is_in(void **state)
{
	struct lab *lab = *state;
	struct told_blocks told;
	size_t nr_named = 0, nr_good;
	struct run *run;

	bring_all_back(lab);
	run = lab_migratectl(lab, "drain --offline --to 0,2 --json 1");
	lab_assert_status(run, EXIT_PARTLY);
	told = read_told(run);
	assert_int_equal(told.nr, 8);
	nr_good = count_told(&told, "done");
	assert_in_range(nr_good, 1, 7);
	assert_int_equal(count_blocks(1, "offline"), nr_good);
	for (size_t i = 0; i < told.nr; i++) {
		const struct told *block = &told.blocks[i];

		if (!strcmp(block->result, "done"))
			continue;
		assert_string_equal(block->result, "refused");
		if (strcmp(block->reason, "unmovable") != 0)
			continue;
		assert_true(block->has_frame && is_in(block));
		nr_named += *block->page != '\0';
	}
	assert_true(nr_named > 0);
	lab_assert_says(run, "stays online: page frame ");
	run = lab_migratectl(lab, "drain --online --json 1");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(count_blocks(1, "online"), 8);
}

/* ---- ended anywhere ---- */

/* On the module, each with its contents. */
struct contents {
	const char *group;
	struct victim *anon;
	struct victim *shmem;
	struct lab_disk disk;
	const char *path;
};

static struct contents fill_module(struct lab *lab)
{
	struct contents contents = {
		.group = lab_cgroup(lab, "lab-fenced", "0-2"),
		.disk = lab_disk(lab, "ext4"),
	};
	const struct lab_as as = { .cgroup = contents.group };

	contents.anon = lab_victim_as(lab, &as, "--size 8M --at 2");
	contents.shmem = lab_victim(lab, "--kind shmem --size 8M --at 2");
	contents.path = lab_path(&contents.disk, "file");
	lab_write_file(contents.path, 2, 0, 8 * MEBIBYTE, 7);
	return contents;
}

/* The kernel takes no node into a cpuset that has no memory left. */
static bool is_half_done(const struct contents *contents)
{
	return has_helper() ||
	       (lab_has_damon() && strcmp(lab_read(LAB_KDAMONDS "/nr_kdamonds"), "0")) ||
	       (strcmp(lab_group_read(contents->group, "cpuset.mems"), "0-2") != 0 &&
		count_blocks(2, "online"));
}

/* What a run has changed for good is no half. */
static void assert_nothing_half_done(const struct contents *contents,
				     const struct run *run)
{
	bool is_done = run->status < 128 && !strstr(run->err, "stopped by a signal");

	for (double deadline = lab_now() + 120; !is_done && is_half_done(contents);) {
		assert_true(lab_now() < deadline);
		usleep(50000);
	}
	assert_int_equal(count_blocks(2, "online") + count_blocks(2, "offline"), 8);
	lab_assert_intact(contents->anon);
	lab_assert_intact(contents->shmem);
	lab_assert_file(contents->path, 0, 8 * MEBIBYTE, 7);
}

/* All is on the module again. */
static void begin_again(struct lab *lab, const struct contents *contents)
{
	bring_all_back(lab);
	lab_group_write(contents->group, "cpuset.mems", "0-2");
	lab_move(lab, "--to 2 %d", contents->anon->pid);
	lab_move(lab, "--to 2 %d", contents->shmem->pid);
	lab_move_file(lab, "--to 2 %s", contents->path);
}

static struct run *start_fenced(struct lab *lab, const struct contents *contents)
{
	return lab_program(lab,
			   "%s drain --offline --fence %s --search %s --to 1 --json 2",
			   lab_program_path("MIGRATECTL", "migratectl"), contents->group,
			   contents->disk.path);
}

static bool was_ended(const struct run *run)
{
	return run->status == 128 + SIGKILL || run->status == 128 + SIGTERM ||
	       run->status == EXIT_PARTLY;
}

/* Whatever it was about, in each part of a run. How long one takes is up to the machine:
 * where it was over before the signal came, the next gets it sooner. */
static void wherever_it_is_ended_nothing_is_left_half_done(void **state)
{
	struct lab *lab = *state;
	int nr_wanted = lab_has_time() ? 50 : 4, nr_ended = 0;
	struct contents contents;
	struct run *run;
	double seconds;

	bring_all_back(lab);
	contents = fill_module(lab);
	run = start_fenced(lab, &contents);
	lab_finish(run);
	seconds = run->seconds;
	assert_nothing_half_done(&contents, run);
	srandom(7);
	for (int nr_tries = 0; nr_ended < nr_wanted; nr_tries++) {
		assert_true(nr_tries < 4 * nr_wanted);
		begin_again(lab, &contents);
		run = start_fenced(lab, &contents);
		/* Of each part of its time the same number. */
		usleep((useconds_t)(1e6 * seconds *
				    (nr_ended + (double)random() / RAND_MAX) /
				    nr_wanted));
		kill(run->pid, nr_ended % 2 ? SIGKILL : SIGTERM);
		lab_finish(run);
		assert_nothing_half_done(&contents, run);
		if (run->status == EXIT_PARTLY && strstr(run->out, "\"blocks\""))
			read_told(run);
		if (was_ended(run))
			nr_ended++;
		else
			seconds = run->seconds;
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_module_goes_offline_with_all_that_is_in_it_and_comes_back),
		LAB_TEST(a_dry_run_changes_no_block),
		LAB_TEST(a_pinned_page_is_named_and_its_block_stays),
		LAB_TEST(a_caller_that_is_killed_leaves_the_block_online),
		LAB_TEST(a_signal_ends_it_and_it_says_what_is_off),
		LAB_TEST(wherever_it_is_ended_nothing_is_left_half_done),
		LAB_TEST(a_boot_node_keeps_the_blocks_that_the_kernel_is_in),
	};

	return lab_main(tests, 2);
}
