// SPDX-License-Identifier: GPL-2.0-or-later
/* What an ordinary user can do, and what a kernel cannot. */
#include "lab.h"

#include <sys/syscall.h>

#define NOBODY 65534
#define SOMEBODY 1234

static void a_user_moves_an_own_process(void **state)
{
	struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &nobody, "--size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move_as(lab, &nobody, "--to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_accounting(run->report, before, lab_look(lab, victim));
	lab_assert_all_on(lab, victim, 1);
	lab_assert_intact(victim);
}

static void huge_pages_of_a_user_move_whole(void **state)
{
	struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *victim = lab_huge_victim(lab, &nobody, 8, 0);
	struct oracle_view *before = lab_look(lab, victim), *after;
	struct run *run = lab_move_as(lab, &nobody, "--to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_IN_PLACE);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	assert_int_equal(
		oracle_count_flag(after, ORACLE_THP, 1, victim->start, victim->end),
		victim->nr_pages);
	lab_assert_intact(victim);
}

/* It would take CAP_SYS_NICE; so by default they are skipped. */
static void a_users_shared_pages_are_skipped(void **state)
{
	struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &nobody, "--size 8M --node 0");
	struct oracle_view *before;
	struct run *run;

	lab_fork(victim, 1);
	before = lab_look_pid(lab, victim->pid);
	run = lab_move_as(lab, &nobody, "--to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_accounting(run->report, before, lab_look_pid(lab, victim->pid));
	assert_true(report_skipped(run->report, "shared") >= victim->nr_pages);
	lab_assert_all_on(lab, victim, 0);
	lab_assert_intact(victim);
}

static void shared_pages_that_a_user_asks_for_are_refused(void **state)
{
	struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *victim = lab_victim_as(lab, &nobody, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run =
		lab_move_as(lab, &nobody, "--shared all --to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "CAP_SYS_NICE");
	lab_assert_nothing_moved(lab, victim, before);
}

static void another_users_process_is_refused(void **state)
{
	static const uid_t owners[] = { 0, SOMEBODY };
	struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;

	for (size_t i = 0; i < 2; i++) {
		struct lab_as owner = { .uid = owners[i] };
		struct victim *victim = lab_victim_as(lab, &owner, "--size 4M --node 0");
		struct oracle_view *before = lab_look(lab, victim);
		struct run *run = lab_move_as(lab, &nobody, "--to 1 %d", victim->pid);

		lab_assert_status(run, EXIT_FAILED);
		lab_assert_says(run, "CAP_SYS_PTRACE");
		lab_assert_nothing_moved(lab, victim, before);
	}
}

static void an_own_process_is_moved_beside_one_that_is_refused(void **state)
{
	struct lab_as nobody = { .uid = NOBODY };
	struct lab *lab = *state;
	struct victim *own = lab_victim_as(lab, &nobody, "--size 4M --node 0");
	struct victim *other = lab_victim(lab, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, other);
	struct run *run =
		lab_move_as(lab, &nobody, "--force --to 1 %d %d", own->pid, other->pid);

	assert_true(run->status == EXIT_PARTLY || run->status == EXIT_FAILED);
	lab_assert_nothing_moved(lab, other, before);
}

static void a_kernel_without_numa_is_told_so(void **state)
{
	static const long calls[] = { SYS_move_pages, SYS_migrate_pages, SYS_mbind,
				      SYS_set_mempolicy, -1 };
	struct lab_as as = { .without = calls };
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim);
	struct run *run = lab_move_as(lab, &as, "--to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_UNSUPPORTED);
	lab_assert_says(run, "move_pages");
	lab_assert_nothing_moved(lab, victim, before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_user_moves_an_own_process),
		LAB_TEST(huge_pages_of_a_user_move_whole),
		LAB_TEST(a_users_shared_pages_are_skipped),
		LAB_TEST(shared_pages_that_a_user_asks_for_are_refused),
		LAB_TEST(another_users_process_is_refused),
		LAB_TEST(an_own_process_is_moved_beside_one_that_is_refused),
		LAB_TEST(a_kernel_without_numa_is_told_so),
	};

	return lab_main(tests, 4);
}
