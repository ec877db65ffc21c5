// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that a process maps, and the libraries that all processes map. */
#include "lab_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t count_dirty(struct lab *lab, const struct victim *victim)
{
	return oracle_count_flag(lab_look(lab, victim), ORACLE_DIRTY, -1, victim->start,
				 victim->end);
}

static void a_shared_mapping_moves_dirty_as_it_is(void **state)
{
	struct lab *lab = *state;
	/* Nobody but the move shall write pages back. */
	struct lab_disk disk = lab_disk(lab, "ext4");
	struct victim *victim = lab_victim(
		lab, "--kind file-shared --path %s/file --size 8M --node 0", disk.path);

	assert_int_equal(count_dirty(lab, victim), victim->nr_pages);
	lab_assert_moves(lab, victim, "--to 1");
	lab_assert_all_on(lab, victim, 1);
	assert_int_equal(count_dirty(lab, victim), victim->nr_pages);
}

static void private_mappings_move_with_their_copies(void **state)
{
	static const char *const kinds[] = { "file-private", "file-private-written" };
	struct lab *lab = *state;
	const char *mounted = lab_mount(lab, "ext4", 64);

	for (size_t i = 0; i < 2; i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --path %s/%zu --size 4M --node 0",
				   kinds[i], mounted, i);

		lab_assert_moves(lab, victim, "--to 1");
		lab_assert_all_on(lab, victim, 1);
		lab_end_victim(lab, victim);
	}
}

static void large_folios_of_xfs_and_btrfs_move(void **state)
{
	static const char *const types[] = { "xfs", "btrfs" };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		const char *mounted;
		struct victim *victim;
		char command[64];

		snprintf(command, sizeof(command), "command -v mkfs.%s >/dev/null",
			 types[i]);
		if (system(command))
			lab_skip("mkfs.%s is not installed", types[i]);
		mounted = lab_mount(lab, types[i], 320);
		victim = lab_victim(
			lab, "--kind file-shared --path %s/file --size 8M --node 0",
			mounted);
		lab_assert_moves(lab, victim, "--to 1");
		lab_assert_all_on(lab, victim, 1);
		lab_end_victim(lab, victim);
	}
}

/* Two processes map the file; only one of them is moved. */
static void a_file_that_others_map_is_skipped_unless_all_shared_pages_move(void **state)
{
	struct lab *lab = *state;
	const char *mounted = lab_mount(lab, "ext4", 64);
	struct victim *victim, *other;
	struct run *run;

	victim = lab_victim(lab, "--kind file-shared --path %s/file --size 4M --node 0",
			    mounted);
	other = lab_victim(lab, "--kind file-shared --path %s/file --size 4M --node 0",
			   mounted);
	run = lab_move(lab, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_true(report_skipped(run->report, "shared") >= victim->nr_pages);
	lab_assert_all_on(lab, victim, 0);
	run = lab_move(lab, "--shared none --to 1 %d", victim->pid);
	assert_true(report_skipped(run->report, "shared") >= victim->nr_pages);
	lab_assert_all_on(lab, victim, 0);
	run = lab_move(lab, "--shared all --to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_all_on(lab, victim, 1);
	lab_assert_all_on(lab, other, 1);
	lab_assert_intact(victim);
	lab_assert_intact(other);
}

/* Pages of a view that are on a node, by what they are. */
struct census {
	uint64_t anon;
	uint64_t own_file;
	uint64_t shared_file;
};

static struct census take_census(const struct oracle_view *view, int node)
{
	struct census census = { 0 };

	for (size_t i = 0; i < view->nr_pages; i++) {
		const struct oracle_page *page = &view->pages[i];

		if (page->node != node)
			continue;
		if (!(page->flags & ORACLE_FILE))
			census.anon++;
		else if (page->flags & ORACLE_SHARED)
			census.shared_file++;
		else
			census.own_file++;
	}
	return census;
}

/* A victim whose shared libraries are on node 0, with everything else. */
static struct victim *victim_with_libraries(struct lab *lab)
{
	struct victim *victim = lab_victim(lab, "--kind libs --node 0");

	lab_assert_status(lab_move(lab, "--shared all --to 0 %d", victim->pid),
			  EXIT_IN_PLACE);
	return victim;
}

static void libraries_that_others_use_stay_by_default(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = victim_with_libraries(lab);
	struct census census = take_census(lab_look(lab, victim), 0);
	const struct report *report;

	assert_true(census.shared_file > 100);
	report = lab_assert_moves(lab, victim, "--to 1");
	/* migratectl itself maps a few that nobody else did before. */
	assert_true(report_skipped(report, "shared") >= census.shared_file);
	assert_int_equal(report_skipped(report, NULL), report_skipped(report, "shared"));
	assert_int_equal(take_census(victim->after, 0).anon, 0);
	assert_int_equal(oracle_count(victim->after, 0, 0, UINT64_MAX),
			 report_skipped(report, "shared"));
}

static void with_no_shared_page_the_same_libraries_stay(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = victim_with_libraries(lab);
	struct oracle_view *before = lab_look(lab, victim), *after;
	struct run *run = lab_move(lab, "--shared none --to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	assert_true(report_skipped(run->report, "shared") >=
		    take_census(before, 0).shared_file);
	assert_int_equal(take_census(after, 0).anon, 0);
}

static void with_all_shared_pages_the_libraries_move_too(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = victim_with_libraries(lab);
	const struct report *report =
		lab_assert_moves(lab, victim, "--shared all --to 1");

	assert_int_equal(report_skipped(report, NULL), 0);
	assert_int_equal(oracle_count(victim->after, 0, 0, UINT64_MAX), 0);
	/* Back to where the other tests' processes had them. */
	lab_assert_moves(lab, victim, "--shared all --to 0");
}

/* Names in maps that try to be something else. */
static void odd_file_names_are_harmless(void **state)
{
	static const char *const names[] = {
		"/tmp/new\nline",
		"/tmp/file\v(deleted)",
		"/tmp/heap]\033[31m",
		"/tmp/7f0000000000-7f0000001000\nN1=5",
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct victim *victim = lab_victim(
			lab, "--kind file-shared --path %s --size 1M --node 0", names[i]);
		struct run *run;

		lab_assert_moves(lab, victim, "--to 1");
		lab_assert_all_on(lab, victim, 1);
		run = lab_migratectl(lab, "show-pid --maps %d", victim->pid);
		lab_assert_status(run, EXIT_IN_PLACE);
		assert_null(strchr(run->out, '\033'));
		lab_end_victim(lab, victim);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_shared_mapping_moves_dirty_as_it_is),
		LAB_TEST(private_mappings_move_with_their_copies),
		LAB_TEST(large_folios_of_xfs_and_btrfs_move),
		LAB_TEST(a_file_that_others_map_is_skipped_unless_all_shared_pages_move),
		LAB_TEST(libraries_that_others_use_stay_by_default),
		LAB_TEST(with_no_shared_page_the_same_libraries_stay),
		LAB_TEST(with_all_shared_pages_the_libraries_move_too),
		LAB_TEST(odd_file_names_are_harmless),
	};

	return lab_main(tests, 4);
}
