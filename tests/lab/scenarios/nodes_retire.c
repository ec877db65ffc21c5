// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * retire: a page frame is out of use, by the kernel's flags and its sum, and what was in
 * it lies elsewhere, unharmed. The frames stay out of use until the machine ends; they
 * are few.
 */
#include "lab_files.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY 65534
#define KPF_SLAB KPF_BIT(7)
#define KPF_BUDDY KPF_BIT(10)
#define KPF_HWPOISON KPF_BIT(19)
#define KPF_PGTABLE KPF_BIT(26)
#define KPF_RESERVED KPF_BIT(32)
#define ENABLED "/proc/sys/vm/enable_soft_offline"

#define ROWS "--raw --noheadings -o PFN,PAGES,NODE,CONTENT,PID,RESULT"

static uint64_t read_flags(uint64_t frame)
{
	struct oracle_frames *frames;
	uint64_t flags, mappings;

	assert_int_equal(oracle_frames_open(&frames), 0);
	assert_int_equal(oracle_frames_read(frames, frame, 1, &flags, &mappings), 0);
	oracle_frames_close(frames);
	return flags;
}

static bool is_retired(uint64_t frame)
{
	return read_flags(frame) & KPF_HWPOISON;
}

/* The kernel's own sum. */
static uint64_t nr_retired(void)
{
	FILE *stream = fopen("/proc/meminfo", "re");
	uint64_t kib = UINT64_MAX;
	char line[128];

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		sscanf(line, "HardwareCorrupted: %" SCNu64, &kib);
	fclose(stream);
	return kib / (PAGE_BYTES / 1024);
}

static const struct oracle_page *page_of(struct lab *lab, const struct victim *victim,
					 uint64_t number)
{
	const struct oracle_view *view = lab_look(lab, victim);
	uint64_t address = victim->start + number * PAGE_BYTES;

	for (size_t i = 0; i < view->nr_pages; i++)
		if (view->pages[i].pid == victim->pid &&
		    view->pages[i].address == address)
			return &view->pages[i];
	fail_msg("the victim has no such page");
	return NULL;
}

/* The first frame with a flag, and without others, in the middle of a node. */
static uint64_t find_frame(uint64_t with, uint64_t without)
{
	struct oracle_frames *frames;
	uint64_t flags, mappings, frame = 0;

	assert_int_equal(oracle_frames_open(&frames), 0);
	for (uint64_t at = (uint64_t)1 << 15; at < (uint64_t)1 << 21 && !frame; at++)
		if (oracle_frames_node(frames, at) >= 0 &&
		    !oracle_frames_read(frames, at, 1, &flags, &mappings) &&
		    (flags & with) == with && !(flags & without))
			frame = at;
	oracle_frames_close(frames);
	if (!frame)
		fail_msg("no frame has the flags %" PRIx64, with);
	return frame;
}

static void assert_row(const struct run *run, uint64_t frame, int node,
		       const char *content, pid_t pid, const char *result)
{
	char row[128], number[16] = "-";

	if (pid)
		snprintf(number, sizeof(number), "%d", pid);
	snprintf(row, sizeof(row), "%" PRIu64 " 1 %d %s %s %s\n", frame, node, content,
		 number, result);
	if (!strstr(run->out, row))
		fail_msg("there is no row '%s'", row);
}

static void an_anonymous_page_goes_elsewhere(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 1");
	const struct oracle_page *page = page_of(lab, victim, 77), *after;
	uint64_t nr = nr_retired(), frame = page->frame;
	struct run *run =
		lab_migratectl(lab, "retire --yes " ROWS " pfn:%" PRIu64, frame);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_row(run, frame, 1, "anon", victim->pid, "retired");
	after = page_of(lab, victim, 77);
	assert_true(after->frame != frame);
	assert_int_equal(after->node, 1);
	assert_true(is_retired(frame));
	assert_int_equal(nr_retired(), nr + 1);
	lab_assert_intact(victim);
	/* Once more, by an address in the middle of it. */
	run = lab_migratectl(lab, "retire --yes " ROWS " 0x%" PRIx64,
			     frame * PAGE_BYTES + 100);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_row(run, frame, 1, "poisoned", 0, "already");
	assert_int_equal(nr_retired(), nr + 1);
}

/* All processes that have it mapped keep it. */
static void a_shared_page_goes_elsewhere_for_all(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 2");
	const struct oracle_page *page;
	uint64_t frame;
	struct run *run;

	lab_fork(victim, 2);
	page = page_of(lab, victim, 5);
	frame = page->frame;
	run = lab_migratectl(lab,
			     "retire --yes --raw --noheadings -o MAPS,RESULT "
			     "pfn:%" PRIu64,
			     frame);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(run->out, "3 retired\n");
	assert_true(is_retired(frame));
	assert_true(page_of(lab, victim, 5)->frame != frame);
	lab_assert_intact(victim);
}

static void pages_of_a_transparent_huge_page_go_by_range(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_huge_victim(lab, NULL, 4, 0);
	uint64_t frame = page_of(lab, victim, 100)->frame, nr = nr_retired();
	struct run *run = lab_migratectl(
		lab,
		"retire --yes --raw --noheadings -o PAGES,RESULT 0x%" PRIx64
		"-0x%" PRIx64,
		frame * PAGE_BYTES, (frame + 4) * PAGE_BYTES);

	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(run->out, "4 retired\n");
	for (uint64_t i = 0; i < 4; i++)
		assert_true(is_retired(frame + i));
	assert_false(is_retired(frame + 4));
	assert_int_equal(nr_retired(), nr + 4);
	lab_assert_intact(victim);
}

static void a_page_of_hugetlbfs_leaves_its_pool(void **state)
{
	struct lab *lab = *state;
	struct victim *victim;
	uint64_t frame;
	struct run *run;

	lab_hugetlb_pool(lab, 0, 4);
	victim = lab_victim(lab, "--kind hugetlb --size 4M --node 0");
	frame = page_of(lab, victim, 700)->frame;
	run = lab_migratectl(lab, "retire --yes " ROWS " pfn:%" PRIu64, frame);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_row(run, frame, 0, "hugetlb", victim->pid, "retired");
	assert_true(is_retired(frame));
	assert_true(page_of(lab, victim, 700)->frame != frame);
	lab_assert_intact(victim);
}

/*
 * Linux 7.2 has ext4's cache in large folios, which it must split first, and cannot as
 * long as they are dirty.
 */
static void retire_dirty(struct lab *lab, const char *path)
{
	const struct lab_file_page *page = &lab_look_at_file(lab, path)->pages[10];
	bool is_large = page->flags & (KPF_COMPOUND_HEAD | KPF_COMPOUND_TAIL);
	uint64_t frame = page->frame;
	struct run *run;

	assert_true(page->flags & KPF_DIRTY);
	run = lab_migratectl(lab, "retire --yes " ROWS " pfn:%" PRIu64, frame);
	if (is_large && run->status == EXIT_FAILED) {
		assert_row(run, frame, 2, "file-unmapped", 0, "refused");
		lab_assert_says(run, "sync");
		return;
	}
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_row(run, frame, 2, "file-unmapped", 0, "retired");
	assert_true(is_retired(frame));
	assert_true(lab_look_at_file(lab, path)->pages[10].frame != frame);
}

static void cached_pages_of_a_file_lose_nothing(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct run *run;
	uint64_t frame;

	lab_write_file(path, 2, 0, 1 * MEBIBYTE, 7);
	retire_dirty(lab, path);
	lab_assert_file(path, 0, 1 * MEBIBYTE, 7);
	lab_shell(lab, NULL, "sync %s", path);
	frame = lab_look_at_file(lab, path)->pages[10].frame;
	run = lab_migratectl(lab, "retire --yes " ROWS " pfn:%" PRIu64, frame);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_row(run, frame, 2, "file-unmapped", 0, "retired");
	assert_true(is_retired(frame));
	lab_drop_caches();
	lab_assert_file(path, 0, 1 * MEBIBYTE, 7);
}

static void a_free_page_is_taken(void **state)
{
	struct lab *lab = *state;
	uint64_t frame, nr = nr_retired();
	struct run *run;

	lab_show_all_free(lab);
	frame = find_frame(KPF_BUDDY, 0);
	run = lab_migratectl(lab,
			     "retire --yes --raw --noheadings -o CONTENT,RESULT "
			     "pfn:%" PRIu64,
			     frame);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_string_equal(run->out, "free retired\n");
	assert_true(is_retired(frame));
	assert_int_equal(nr_retired(), nr + 1);
}

static void what_the_kernel_needs_is_refused_beforehand(void **state)
{
	const struct {
		uint64_t flags;
		const char *content;
	} kinds[] = {
		{ KPF_SLAB, "slab" },
		{ KPF_PGTABLE, "page-tables" },
		{ KPF_RESERVED, "reserved" },
	};
	struct lab *lab = *state;
	uint64_t nr = nr_retired();
	struct run *run;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t frame = find_frame(kinds[i].flags, KPF_COMPOUND_TAIL);
		char row[64];

		snprintf(row, sizeof(row), "%s refused\n", kinds[i].content);
		run = lab_migratectl(lab,
				     "retire --yes --raw --noheadings -o "
				     "CONTENT,RESULT pfn:%" PRIu64,
				     frame);
		lab_assert_status(run, EXIT_FAILED);
		assert_string_equal(run->out, row);
		assert_false(is_retired(frame));
	}
	run = lab_migratectl(lab, "retire --yes 0x7ffffff000");
	lab_assert_status(run, EXIT_FAILED);
	assert_non_null(strstr(run->out, "no memory there"));
	assert_int_equal(nr_retired(), nr);
}

/* Its second page is in a pipe. */
static void a_pinned_page_stays_and_the_others_go(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind vmsplice --size 4M --node 1");
	uint64_t pinned = page_of(lab, victim, 1)->frame;
	uint64_t free = page_of(lab, victim, 1000)->frame;
	struct run *run = lab_migratectl(
		lab, "retire --yes " ROWS " pfn:%" PRIu64 " pfn:%" PRIu64, pinned, free);

	lab_assert_status(run, EXIT_PARTLY);
	assert_row(run, pinned, 1, "anon", victim->pid, "refused");
	assert_row(run, free, 1, "anon", victim->pid, "retired");
	assert_false(is_retired(pinned));
	assert_true(is_retired(free));
	assert_true(page_of(lab, victim, 1)->frame == pinned);
	lab_assert_intact(victim);
}

static void nothing_is_retired_without_a_yes(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 1");
	struct oracle_view *before = lab_look(lab, victim);
	uint64_t frame = page_of(lab, victim, 3)->frame, nr = nr_retired();
	struct run *run = lab_migratectl(lab, "retire pfn:%" PRIu64, frame);

	lab_assert_status(run, EXIT_MISUSED);
	lab_assert_says(run, "cannot be undone");
	lab_assert_says(run, "--yes");
	run = lab_migratectl(lab, "retire --dry-run " ROWS " pfn:%" PRIu64, frame);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_row(run, frame, 1, "anon", victim->pid, "retirable");
	/* On a terminal the question is answered with no. */
	run = lab_program(lab,
			  "sh -c echo\vn\v|\vscript\v-qec\v\"$MIGRATECTL\vretire\v"
			  "pfn:%" PRIu64 "\"\v/dev/null",
			  frame);
	lab_finish(run);
	assert_int_equal(run->status, EXIT_FAILED);
	assert_non_null(strstr(run->out, "nothing was retired"));
	assert_int_equal(nr_retired(), nr);
	lab_assert_nothing_moved(lab, victim, before);
}

static void a_question_on_a_terminal_is_answered_with_yes(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 1");
	uint64_t frame = page_of(lab, victim, 3)->frame;
	struct run *run = lab_program(lab,
				      "sh -c echo\vy\v|\vscript\v-qec\v\"$MIGRATECTL\v"
				      "retire\vpfn:%" PRIu64 "\"\v/dev/null",
				      frame);

	lab_finish(run);
	assert_int_equal(run->status, EXIT_IN_PLACE);
	assert_non_null(strstr(run->out, "[y/N]"));
	assert_true(is_retired(frame));
	lab_assert_intact(victim);
}

static void frames_are_read_from_standard_input(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 3");
	uint64_t first = page_of(lab, victim, 1)->frame;
	uint64_t second = page_of(lab, victim, 9)->frame;
	char input[256];
	struct lab_as as = { .input = input };
	struct run *run;

	snprintf(input, sizeof(input),
		 "# of last night\n\n  0x%" PRIx64 "\t# DIMM 3\nrubbish\npfn:%" PRIu64,
		 first * PAGE_BYTES, second);
	run = lab_migratectl_as(lab, &as, "retire --yes " ROWS " -");
	lab_assert_status(run, EXIT_PARTLY);
	lab_assert_says(run, "standard input, line 4: 'rubbish'");
	assert_row(run, first, 3, "anon", victim->pid, "retired");
	assert_row(run, second, 3, "anon", victim->pid, "retired");
	assert_true(is_retired(first));
	assert_true(is_retired(second));
	lab_assert_intact(victim);
}

/* As from a program that watches the machine's error log; a signal ends it. */
static void a_program_can_feed_it_one_by_one(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 3");
	struct run *run;

	lab_shell(lab, "rm /tmp/lab-frames", "mkfifo /tmp/lab-frames");
	run = lab_program(lab, "sh -c exec\v$MIGRATECTL\vretire\v--yes\v--json\v-\v0<>"
			       "/tmp/lab-frames");
	for (uint64_t i = 0; i < 2; i++) {
		uint64_t frame = page_of(lab, victim, i)->frame;
		double deadline = lab_now() + 120;

		lab_shell(lab, NULL, "echo pfn:%" PRIu64 " >/tmp/lab-frames", frame);
		while (!is_retired(frame) && lab_now() < deadline)
			usleep(10000);
		assert_true(is_retired(frame));
	}
	kill(run->pid, SIGTERM);
	lab_finish(run);
	assert_int_equal(run->status, EXIT_PARTLY);
	assert_non_null(strstr(run->out, "\"retired\": 2,"));
	assert_non_null(strstr(run->out, "\"stopped\": true"));
	lab_assert_intact(victim);
}

/* Far more frames than are looked at together. */
static void memory_does_not_grow_with_a_range(void **state)
{
	struct lab *lab = *state;
	uint64_t nr = nr_retired(), nr_pages = 0, pages;
	struct run *run = lab_migratectl(lab, "retire --dry-run --raw --noheadings "
					      "-o PAGES 0x8000000-0xc000000");
	int length;

	for (const char *at = run->out; sscanf(at, "%" SCNu64 "%n", &pages, &length) == 1;
	     at += length)
		nr_pages += pages;
	assert_int_equal(nr_pages, 64 * PAGES_PER_MEBIBYTE);
	assert_int_equal(nr_retired(), nr);
	assert_true(run->peak_kib < 16 * 1024);
}

static void an_ordinary_user_is_told_what_it_takes(void **state)
{
	const struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &nobody, "--size 4M --node 1");
	struct oracle_view *before = lab_look(lab, victim);
	uint64_t frame = page_of(lab, victim, 3)->frame;
	struct run *run =
		lab_migratectl_as(lab, &nobody, "retire --yes pfn:%" PRIu64, frame);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "Permission denied");
	lab_assert_says(run, "needs root");
	assert_false(is_retired(frame));
	lab_assert_nothing_moved(lab, victim, before);
}

static void a_switch_that_is_off_is_respected(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 1");
	uint64_t frame = page_of(lab, victim, 3)->frame;
	struct run *run;

	/* Linux 6.1 has none: it is always on. */
	if (access(ENABLED, F_OK) < 0) {
		run = lab_migratectl(lab, "retire --yes pfn:%" PRIu64, frame);
		lab_assert_status(run, EXIT_IN_PLACE);
		return;
	}
	lab_set(lab, ENABLED, "0");
	run = lab_migratectl(lab, "retire --yes pfn:%" PRIu64, frame);
	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "switched off");
	lab_assert_says(run, "vm.enable_soft_offline");
	run = lab_migratectl(lab, "retire -n " ROWS " pfn:%" PRIu64, frame);
	lab_assert_status(run, EXIT_UNSUPPORTED);
	assert_row(run, frame, 1, "anon", victim->pid, "retirable");
	assert_false(is_retired(frame));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(an_anonymous_page_goes_elsewhere),
		LAB_TEST(a_shared_page_goes_elsewhere_for_all),
		LAB_TEST(pages_of_a_transparent_huge_page_go_by_range),
		LAB_TEST(a_page_of_hugetlbfs_leaves_its_pool),
		LAB_TEST(cached_pages_of_a_file_lose_nothing),
		LAB_TEST(a_free_page_is_taken),
		LAB_TEST(what_the_kernel_needs_is_refused_beforehand),
		LAB_TEST(a_pinned_page_stays_and_the_others_go),
		LAB_TEST(nothing_is_retired_without_a_yes),
		LAB_TEST(a_question_on_a_terminal_is_answered_with_yes),
		LAB_TEST(frames_are_read_from_standard_input),
		LAB_TEST(a_program_can_feed_it_one_by_one),
		LAB_TEST(memory_does_not_grow_with_a_range),
		LAB_TEST(an_ordinary_user_is_told_what_it_takes),
		LAB_TEST(a_switch_that_is_off_is_respected),
	};

	return lab_main(tests, 4);
}
