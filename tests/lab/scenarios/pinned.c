// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that something holds on to: they stay, with the reason, and are never a
 * success; and they do not keep their neighbours from moving. */
#include "lab.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void registered_io_uring_buffers_are_left_with_the_reason(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind io-uring --size 8M --node 0");
	struct oracle_view *before = lab_look(lab, victim), *after;
	struct run *run = lab_move(lab, "--to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_PARTLY);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	assert_int_equal(report_left(run->report, "pinned-io-uring"),
			 victim->nr_pages / 2);
	assert_int_equal(report_left(run->report, NULL), victim->nr_pages / 2);
	assert_int_equal(lab_count(victim, after, 0), victim->nr_pages / 2);
	assert_int_equal(lab_count(victim, after, 1), victim->nr_pages / 2);
	lab_assert_intact(victim);
}

static void the_reason_comes_with_node_text_and_hint(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind io-uring --size 2M --node 0");
	struct run *run = lab_move(lab, "--to 1 %d", victim->pid);
	const struct report_reason *left;

	lab_assert_status(run, EXIT_PARTLY);
	assert_int_equal(run->report->nr_left, 1);
	left = &run->report->left[0];
	assert_int_equal(left->node, 1);
	assert_non_null(strstr(left->text, "io_uring"));
	assert_true(strlen(left->hint) > 0);
}

static void pages_in_a_pipe_are_left_as_pinned(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind vmsplice --size 4M --node 0");
	struct oracle_view *before = lab_look(lab, victim), *after;
	struct run *run = lab_move(lab, "--to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_PARTLY);
	after = lab_look(lab, victim);
	lab_assert_accounting(run->report, before, after);
	assert_int_equal(report_left(run->report, "pinned"), 256);
	assert_int_equal(report_left(run->report, NULL), 256);
	assert_int_equal(lab_count(victim, after, 0), 256);
	lab_assert_intact(victim);
}

static void a_lower_requirement_makes_it_a_success(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--kind io-uring --size 8M --node 0");
	struct run *run = lab_move(lab, "--require 90 --to 1 %d", victim->pid);

	lab_assert_status(run, EXIT_PARTLY);
	run = lab_move(lab, "--require 30 --to 1 %d", victim->pid);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(report_left(run->report, NULL), victim->nr_pages / 2);
}

/* A ring that is busy does not tell. */
static bool await_registered_buffers(const struct run *fio)
{
	while (!lab_has_ended(fio)) {
		if (!system("cat /proc/[0-9]*/fdinfo/* 2>/dev/null | "
			    "grep -q 'UserBufs:.*[1-9]'"))
			return true;
		usleep(50000);
	}
	return false;
}

/* Returns whether it was at work before and after it was moved. */
static bool move_fio(struct lab *lab, unsigned int seconds)
{
	struct run *fio, *run;
	bool was_at_work;
	uint64_t nr_left;

	fio = lab_program(lab,
			  "numactl --preferred=0 "
			  "fio --name=job --directory=/tmp --size=8M --bs=64k "
			  "--ioengine=io_uring --fixedbufs=1 --iodepth=16 --rw=randrw "
			  "--verify=crc32c --verify_fatal=1 --time_based --runtime=%u "
			  "--output-format=terse",
			  seconds);
	was_at_work = await_registered_buffers(fio);
	run = lab_move(lab, "--tree --to 1 %d", fio->pid);
	nr_left = run->report ? report_left(run->report, "pinned-io-uring") : 0;
	was_at_work = was_at_work && await_registered_buffers(fio);
	if (was_at_work)
		assert_true(nr_left >= 16 * 16);
	if (was_at_work)
		lab_move(lab, "--tree --to 0 %d", fio->pid);
	lab_finish(fio);
	lab_assert_status(fio, 0);
	return was_at_work;
}

/* fio makes a process for the job; the buffers are of that one. */
static void fixed_buffers_of_fio_are_left_and_its_data_stays_right(void **state)
{
	struct lab *lab = *state;
	unsigned int seconds = 8;

	if (system("command -v fio >/dev/null"))
		lab_skip("fio is not installed");
	while (!move_fio(lab, seconds) && seconds < 128)
		seconds *= 2;
	assert_true(seconds < 128);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(registered_io_uring_buffers_are_left_with_the_reason),
		LAB_TEST(the_reason_comes_with_node_text_and_hint),
		LAB_TEST(pages_in_a_pipe_are_left_as_pinned),
		LAB_TEST(a_lower_requirement_makes_it_a_success),
		LAB_TEST(fixed_buffers_of_fio_are_left_and_its_data_stays_right),
	};

	return lab_main(tests, 4);
}
