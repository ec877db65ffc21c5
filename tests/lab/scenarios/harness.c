// SPDX-License-Identifier: GPL-2.0-or-later
/* The harness itself, without migratectl: that victims are what they say, that the
 * oracle sees what other tools do, and that both notice what they must. */
#include "lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void assert_numa_maps_agrees(const struct victim *victim,
				    const struct oracle_view *view)
{
	size_t pages[ORACLE_MAX_NODES];

	assert_int_equal(oracle_read_numa_maps(victim->pid, pages), 0);
	for (int node = 0; node < ORACLE_MAX_NODES; node++) {
		if (pages[node] != oracle_count(view, node, 0, UINT64_MAX))
			fail_msg("node %d: numa_maps has %zu pages, the oracle %zu", node,
				 pages[node], oracle_count(view, node, 0, UINT64_MAX));
	}
}

static void every_kind_of_memory_is_resident_and_counted(void **state)
{
	static const char *const kinds[] = {
		"anon",        "thp",      "heap",         "stack",
		"shmem",       "memfd",    "sysv",         "tmpfs",
		"file-shared", "mlocked",  "file-private", "file-private-written",
		"protnone",    "vmsplice", "io-uring",
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 0", kinds[i]);
		struct oracle_view *view = lab_look(lab, victim);

		printf("%s\n", kinds[i]);
		assert_int_equal(lab_count(victim, view, 0), victim->nr_pages);
		assert_numa_maps_agrees(victim, view);
		lab_assert_intact(victim);
		lab_end_victim(lab, victim);
	}
}

static void huge_pages_are_seen_as_huge(void **state)
{
	struct lab *lab = *state;
	struct oracle_view *view;
	struct victim *thp, *hugetlb;

	lab_hugetlb_pool(lab, 0, 2);
	thp = lab_victim(lab, "--kind thp --size 4M --node 0");
	view = lab_look(lab, thp);
	assert_int_equal(oracle_count_flag(view, ORACLE_THP, 0, thp->start, thp->end),
			 1024);
	hugetlb = lab_victim(lab, "--kind hugetlb --size 4M --node 0");
	view = lab_look(lab, hugetlb);
	assert_int_equal(
		oracle_count_flag(view, ORACLE_HUGETLB, 0, hugetlb->start, hugetlb->end),
		1024);
	assert_numa_maps_agrees(hugetlb, view);
	lab_assert_intact(hugetlb);
}

static void untouched_memory_and_the_zero_page_are_no_pages(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind untouched --size 4M --node 0");
	struct oracle_view *view = lab_look(lab, victim);

	assert_int_equal(lab_count(victim, view, -1), 0);
	assert_int_equal(view->nr_zero, 512);
	lab_assert_intact(victim);
}

static void a_sparse_terabyte_has_256_pages(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind sparse --node 0");
	struct oracle_view *view = lab_look(lab, victim);

	assert_int_equal(lab_count(victim, view, -1), 0);
	assert_int_equal(oracle_look_at(view, victim->pid, victim->start, victim->end,
					UINT64_C(4) << 30),
			 0);
	assert_int_equal(lab_count(victim, view, 0), 256);
	assert_numa_maps_agrees(victim, view);
	lab_assert_intact(victim);
}

static void a_changed_byte_is_noticed(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 1M");
	char path[64], byte;
	int fd;

	lab_fork(victim, 1);
	lab_assert_intact(victim);
	snprintf(path, sizeof(path), "/proc/%d/mem", victim->children[0]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, (off_t)victim->start + 5000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)victim->start + 5000), 1);
	close(fd);
	lab_tell(victim, "check");
	assert_int_equal(read(victim->from, path, sizeof(path)),
			 strlen("damaged 5000\n"));
	assert_memory_equal(path, "damaged 5000\n", strlen("damaged 5000\n"));
}

static void a_busy_victim_finds_its_writes_again(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M");

	lab_ask(victim, "start write");
	lab_ask(victim, "start churn");
	lab_ask(victim, "start remap");
	lab_ask(victim, "start grow");
	lab_ask(victim, "start fork");
	usleep(500000);
	lab_ask(victim, "stop");
	lab_assert_intact(victim);
	lab_ask(victim, "leave-leader");
	lab_ask(victim, "remap");
	lab_assert_intact(victim);
	lab_tell(victim, "exec");
	lab_await_ready(victim);
	lab_assert_intact(victim);
}

static void a_victim_in_parts_is_where_it_was_put(void **state)
{
	struct lab *lab = *state;
	struct oracle_view *view;
	struct victim *victim;

	if (lab_nodes() < 2)
		lab_skip("one node has no other");
	victim = lab_victim(lab, "--size 8M --node 1,0");
	view = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, view, 1), 1024);
	assert_int_equal(lab_count(victim, view, 0), 1024);
	assert_numa_maps_agrees(victim, view);
}

static void what_migratepages_moves_is_seen(void **state)
{
	struct oracle_view *before, *after;
	struct oracle_change change;
	struct lab *lab = *state;
	struct victim *victim;

	if (lab_nodes() < 2)
		lab_skip("one node has no other");
	victim = lab_victim(lab, "--size 8M --node 0");
	before = lab_look(lab, victim);
	lab_shell(lab, NULL, "migratepages %d 0 1", victim->pid);
	after = lab_look(lab, victim);
	oracle_compare(before, after, &change);
	assert_int_equal(lab_count(victim, after, 1), victim->nr_pages);
	assert_in_range(change.moved[0][1], victim->nr_pages, before->nr_pages);
	assert_int_equal(change.nr_gone + change.nr_new, 0);
	assert_int_equal(change.nr_moved, change.nr_moved_frames);
	lab_assert_intact(victim);
	lab_assert_all_on(lab, victim, 1);
}

static void a_page_that_two_processes_map_moves_once(void **state)
{
	struct oracle_view *before, *after;
	struct oracle_change change;
	struct lab *lab = *state;
	struct victim *victim;

	if (lab_nodes() < 2)
		lab_skip("one node has no other");
	victim = lab_victim(lab, "--size 4M --node 0");
	lab_fork(victim, 2);
	before = lab_look(lab, victim);
	assert_int_equal(lab_count(victim, before, 0), 3 * 1024);
	assert_int_equal(
		oracle_count_flag(before, ORACLE_SHARED, 0, victim->start, victim->end),
		3 * 1024);
	lab_shell(lab, NULL, "migratepages %d 0 1", victim->pid);
	after = lab_look(lab, victim);
	oracle_compare(before, after, &change);
	assert_int_equal(lab_count(victim, after, 1), 3 * 1024);
	assert_in_range(change.nr_moved_frames, 1024, change.nr_moved - 2 * 1024);
	lab_assert_intact(victim);
}

static void another_pid_namespace_and_another_user_are_possible(void **state)
{
	struct lab_as as = { .uid = 65534, .own_pid_namespace = true };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &as, "--size 1M");
	struct oracle_view *view = lab_look(lab, victim);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", victim->pid);
	assert_int_equal(lab_count(victim, view, -1), 256);
	lab_shell(lab, NULL, "grep -q 'NSpid:.*%d.*1$' %s", victim->pid, path);
	lab_shell(lab, NULL, "grep -q 'Uid:.*65534' %s", path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(every_kind_of_memory_is_resident_and_counted),
		LAB_TEST(huge_pages_are_seen_as_huge),
		LAB_TEST(untouched_memory_and_the_zero_page_are_no_pages),
		LAB_TEST(a_sparse_terabyte_has_256_pages),
		LAB_TEST(a_changed_byte_is_noticed),
		LAB_TEST(a_busy_victim_finds_its_writes_again),
		LAB_TEST(a_victim_in_parts_is_where_it_was_put),
		LAB_TEST(what_migratepages_moves_is_seen),
		LAB_TEST(a_page_that_two_processes_map_moves_once),
		LAB_TEST(another_pid_namespace_and_another_user_are_possible),
	};

	return lab_main(tests, 1);
}
