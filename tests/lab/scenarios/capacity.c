// SPDX-License-Identifier: GPL-2.0-or-later
/* A destination without enough room. */
#include "lab.h"

#include <string.h>

/* Free memory of the crowded node, and what the victim has. */
#define FREE_MEBIBYTES 64
#define VICTIM_MEBIBYTES 96

static struct victim *victim_too_large_for(struct lab *lab, int node)
{
	struct victim *victim = lab_victim(lab, "--size %dM --node 0", VICTIM_MEBIBYTES);

	/* In its need the kernel would forget what is cached, and have more room. */
	lab_drop_caches();
	lab_leave_free(lab, node, FREE_MEBIBYTES * MEBIBYTE);
	return victim;
}

static void a_move_without_room_is_refused_with_figures(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = victim_too_large_for(lab, 3);
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move(lab, "--to 3 %d", victim->pid);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "node 3");
	/* What is needed, in the same words as a size option takes. */
	lab_assert_says(run, "96.");
	lab_assert_says(run, "--force");
	lab_assert_nothing_moved(lab, victim, before);
}

/* On a node under pressure the kernel takes page cache away, so the sums of the whole
 * process change; those of its own memory don't. */
static void with_force_as_much_moves_as_fits(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = victim_too_large_for(lab, 3);
	struct run *run = lab_move(lab, "--force --to 3 %d", victim->pid);
	struct oracle_view *after;
	uint64_t stayed, left;

	lab_assert_status(run, EXIT_PARTLY);
	after = lab_look(lab, victim);
	left = report_left(run->report, "no-memory");
	stayed = lab_count(victim, after, 0);
	assert_int_equal(report_left(run->report, NULL), left);
	assert_int_equal(stayed + lab_count(victim, after, 3), victim->nr_pages);
	/* The kernel finds a little more than it counts as free. */
	assert_true(stayed > 8 * PAGES_PER_MEBIBYTE);
	/* And keeps a reserve, which may be most of it. */
	assert_true(lab_count(victim, after, 3) > 4 * PAGES_PER_MEBIBYTE);
	/* Beside it, the process has its stack and the like. */
	assert_in_range(left, stayed, stayed + 100);
	lab_assert_intact(victim);
}

/* The room that is made by what goes the other way counts. */
static void an_exchange_needs_no_room(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 64M --node 0,3");

	lab_leave_free(lab, 3, 48 * MEBIBYTE);
	lab_assert_moves(lab, victim, "--map 0:3,3:0");
	lab_assert_intact(victim);
}

/* Direct migration could not; swap can take what is left. */
static void the_fallback_pages_out_what_is_left(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = victim_too_large_for(lab, 3);
	uint64_t left, nr_paged_out;
	struct run *run;

	lab_swap_on(lab, 256);
	nr_paged_out = oracle_vmstat("pswpout");
	run = lab_move(lab, "--force --fallback swap --to 3 %d", victim->pid);
	lab_assert_status(run, EXIT_PARTLY);
	left = report_left(run->report, "no-memory");
	assert_true(run->report->paged_out.pages > 0);
	assert_true(run->report->paged_out.pages <= left);
	nr_paged_out = oracle_vmstat("pswpout") - nr_paged_out;
	/* Of pages that are all zero none is written. */
	if (nr_paged_out < run->report->paged_out.pages)
		nr_paged_out = run->report->paged_out.pages;
	/* What the victim itself runs on comes back at once. Where there is swap, the
	 * kernel may use it for what has come, too. */
	assert_in_range(lab_look(lab, victim)->nr_swapped,
			run->report->paged_out.pages - 32, nr_paged_out);
	lab_assert_intact(victim);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_move_without_room_is_refused_with_figures),
		LAB_TEST(with_force_as_much_moves_as_fits),
		LAB_TEST(an_exchange_needs_no_room),
		LAB_TEST(the_fallback_pages_out_what_is_left),
	};

	return lab_main(tests, 4);
}
