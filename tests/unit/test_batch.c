/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call of move_pages(2), with every way in which the kernel may answer it. */
#include "batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/mempolicy.h>

#define MOST 1200
#define PID 42
/** A status that the kernel does not write. */
#define LEFT (INT_MIN + 2)

/* What the kernel does in the call that moves, and what it says afterwards. */
static struct {
	long result;
	int status[MOST];
	int node[MOST]; /**< where each page is when it is asked for */
	long ask_result;
	int flags;
	int asked_node;
	size_t nr_moves;
	size_t nr_asks;
	size_t most_asked;
} script;

static size_t page_of(const void *address)
{
	return (uintptr_t)address / 4096;
}

static long move(unsigned long count, const int *nodes, int *status, int flags)
{
	script.nr_moves++;
	script.flags = flags;
	script.asked_node = nodes[0];
	for (unsigned long i = 0; i < count; i++) {
		assert_int_equal(nodes[i], nodes[0]);
		if (script.status[i] != LEFT)
			status[i] = script.status[i];
	}
	return script.result;
}

static long fake_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	assert_int_equal(pid, PID);
	if (nodes)
		return move(count, nodes, status, flags);
	script.nr_asks++;
	if (count > script.most_asked)
		script.most_asked = count;
	if (script.ask_result < 0)
		return script.ask_result;
	for (unsigned long i = 0; i < count; i++)
		status[i] = script.node[page_of(pages[i])];
	return 0;
}

static const struct mig_calls calls = { .move_pages = fake_move_pages };
static const struct mig_context context = { .calls = &calls, .page_size = 4096 };

struct fixture {
	struct mig_batch batch;
};

/* All pages are on node 0, and the kernel writes nothing. */
static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_int_equal(mig_batch_init(&fixture->batch, MOST), 0);
	script.result = script.ask_result = 0;
	script.nr_moves = script.nr_asks = script.most_asked = 0;
	for (size_t i = 0; i < MOST; i++) {
		script.status[i] = LEFT;
		script.node[i] = 0;
		fixture->batch.addresses[i] = (void *)(i * 4096);
	}
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_batch_done(&fixture->batch);
	free(fixture);
	return 0;
}

static struct mig_batch *batch_of(void **state, size_t nr)
{
	struct fixture *fixture = *state;

	fixture->batch.nr = nr;
	return &fixture->batch;
}

static void write_status(size_t start, size_t end, int status)
{
	for (size_t i = start; i < end; i++)
		script.status[i] = status;
}

static void put_on(size_t start, size_t end, int node)
{
	for (size_t i = start; i < end; i++)
		script.node[i] = node;
}

static void assert_status(const struct mig_batch *batch, size_t start, size_t end,
			  int status)
{
	for (size_t i = start; i < end; i++)
		assert_int_equal(batch->status[i], status);
}

static void a_call_that_moves_all_needs_no_question(void **state)
{
	struct mig_batch *batch = batch_of(state, 10);

	write_status(0, 10, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_status(batch, 0, 10, 1);
	assert_int_equal(script.nr_asks, 0);
	assert_false(batch->no_memory);
}

static void each_call_names_its_own_node(void **state)
{
	/* Wrong ones too: to refuse them is the kernel's part. */
	static const int nodes[] = { MIG_NO_NODE, 0, 1, 1, 0, 1023, INT_MAX, -2 };
	struct mig_batch *batch = batch_of(state, 5);

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		assert_int_equal(mig_batch_move(&context, batch, PID, nodes[i], false),
				 0);
		assert_int_equal(script.asked_node, nodes[i]);
	}
}

static void shared_pages_are_moved_only_if_that_is_asked_for(void **state)
{
	struct mig_batch *batch = batch_of(state, 1);

	write_status(0, 1, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_int_equal(script.flags, MPOL_MF_MOVE);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, true), 0);
	assert_int_equal(script.flags, MPOL_MF_MOVE_ALL);
}

static void every_errno_of_the_call_is_handed_on_and_nothing_counts_as_tried(void **state)
{
	static const int errors[] = { EPERM,  ESRCH,  EINTR,  EFAULT, EACCES,
				      ENODEV, EINVAL, ENOSYS, E2BIG,  EIO };
	struct mig_batch *batch = batch_of(state, 4);

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		script.result = -errors[i];
		write_status(0, 2, 1);
		assert_int_equal(mig_batch_move(&context, batch, PID, 1, false),
				 -errors[i]);
		assert_status(batch, 0, 4, MIG_STATUS_UNTRIED);
		assert_false(batch->no_memory);
	}
	assert_int_equal(script.nr_asks, 0);
}

/* As it was seen on Linux 6.1, 6.12 and 7.2: the sixth page is pinned, the eleventh
 * is not there, and the call says 6 = 1 that failed and 5 that it never came to. */
static void a_pinned_page_hides_neither_what_moved_nor_what_was_not_tried(void **state)
{
	struct mig_batch *batch = batch_of(state, 16);

	script.result = 6;
	script.status[10] = -EFAULT;
	put_on(0, 10, 1);
	script.node[5] = 0;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, true), 0);
	assert_status(batch, 0, 5, 1);
	assert_int_equal(batch->status[5], MIG_STATUS_FAILED);
	assert_status(batch, 6, 10, 1);
	assert_int_equal(batch->status[10], -EFAULT);
	assert_status(batch, 11, 16, MIG_STATUS_UNTRIED);
}

static void a_stretch_that_fails_behind_one_that_went_is_found(void **state)
{
	struct mig_batch *batch = batch_of(state, 12);

	script.result = 4;
	write_status(0, 3, 1);
	script.status[3] = -ENOENT;
	script.status[8] = -EACCES;
	put_on(0, 3, 1);
	put_on(4, 7, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_status(batch, 0, 3, 1);
	assert_int_equal(batch->status[3], -ENOENT);
	assert_status(batch, 4, 7, 1);
	assert_int_equal(batch->status[7], MIG_STATUS_FAILED);
	assert_int_equal(batch->status[8], -EACCES);
	assert_status(batch, 9, 12, MIG_STATUS_UNTRIED);
}

static void a_stretch_that_fails_at_the_end_leaves_nothing_untried(void **state)
{
	struct mig_batch *batch = batch_of(state, 4);

	script.result = 2;
	put_on(1, 3, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_int_equal(batch->status[0], MIG_STATUS_FAILED);
	assert_status(batch, 1, 3, 1);
	assert_int_equal(batch->status[3], MIG_STATUS_FAILED);
}

static void a_full_node_is_no_error_and_what_went_before_it_counts(void **state)
{
	struct mig_batch *batch = batch_of(state, 8);

	script.result = -ENOMEM;
	put_on(0, 5, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_true(batch->no_memory);
	assert_status(batch, 0, 5, 1);
	assert_status(batch, 5, 8, MIG_STATUS_FAILED);
}

static void the_next_call_forgets_that_a_node_was_full(void **state)
{
	struct mig_batch *batch = batch_of(state, 2);

	script.result = -ENOMEM;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	script.result = 0;
	write_status(0, 2, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_false(batch->no_memory);
}

static void a_page_that_is_on_a_third_node_has_failed(void **state)
{
	struct mig_batch *batch = batch_of(state, 1);

	script.result = 1;
	script.node[0] = 2;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_int_equal(batch->status[0], MIG_STATUS_FAILED);
}

static void a_second_address_of_a_folio_is_busy_only_in_appearance(void **state)
{
	struct mig_batch *batch = batch_of(state, 4);

	write_status(0, 4, 1);
	script.status[1] = -EBUSY;
	script.status[3] = -EBUSY;
	put_on(0, 3, 1);
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_status(batch, 0, 3, 1);
	assert_int_equal(batch->status[3], -EBUSY);
}

/* Busy or gone, behind a question: what the move itself said is the better word. */
static void a_busy_page_that_has_gone_meanwhile_stays_busy(void **state)
{
	struct mig_batch *batch = batch_of(state, 1);

	script.status[0] = -EBUSY;
	script.node[0] = -ENOENT;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_int_equal(batch->status[0], -EBUSY);
}

static void a_status_that_is_not_written_by_a_success_is_not_taken_for_one(void **state)
{
	struct mig_batch *batch = batch_of(state, 3);

	script.status[0] = script.status[2] = 1;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_int_equal(batch->status[0], 1);
	assert_int_equal(batch->status[1], MIG_STATUS_UNTRIED);
	assert_int_equal(batch->status[2], 1);
}

static void statuses_of_pages_pass_through(void **state)
{
	static const int status[] = { -ENOENT, -EFAULT, -EACCES, -EIO, -EOPNOTSUPP, 3 };
	const size_t nr = sizeof(status) / sizeof(*status);
	struct mig_batch *batch = batch_of(state, nr);

	for (size_t i = 0; i < nr; i++)
		script.status[i] = status[i];
	assert_int_equal(mig_batch_move(&context, batch, PID, 3, false), 0);
	assert_memory_equal(batch->status, status, sizeof(status));
}

static void a_process_that_exits_before_the_question_leaves_no_half_answer(void **state)
{
	struct mig_batch *batch = batch_of(state, 4);

	script.result = 3;
	script.status[0] = 1;
	script.ask_result = -ESRCH;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), -ESRCH);
	assert_status(batch, 0, 4, MIG_STATUS_UNTRIED);
}

static void a_long_stretch_is_asked_for_in_bounded_pieces(void **state)
{
	struct mig_batch *batch = batch_of(state, MOST);

	script.result = 1;
	put_on(0, MOST, 1);
	script.node[700] = 0;
	assert_int_equal(mig_batch_move(&context, batch, PID, 1, false), 0);
	assert_status(batch, 0, 700, 1);
	assert_int_equal(batch->status[700], MIG_STATUS_FAILED);
	assert_status(batch, 701, MOST, 1);
	assert_in_range(script.most_asked, 1, 512);
}

static void a_question_of_any_length_is_put_in_pieces(void **state)
{
	struct mig_batch *batch = batch_of(state, MOST);

	put_on(513, 514, 7);
	script.node[1023] = -ENOENT;
	assert_int_equal(
		mig_batch_ask(&context, PID, batch->addresses, batch->status, MOST), 0);
	assert_int_equal(batch->status[512], 0);
	assert_int_equal(batch->status[513], 7);
	assert_int_equal(batch->status[1023], -ENOENT);
	assert_in_range(script.most_asked, 1, 512);
	assert_int_equal(script.nr_moves, 0);
}

static void a_question_that_is_refused_says_so(void **state)
{
	struct mig_batch *batch = batch_of(state, 1);

	script.ask_result = -EPERM;
	assert_int_equal(mig_batch_ask(&context, PID, batch->addresses, batch->status, 1),
			 -EPERM);
	assert_int_equal(mig_batch_ask(&context, PID, batch->addresses, batch->status, 0),
			 0);
}

static void a_batch_that_is_done_may_be_done_again(void **state)
{
	struct mig_batch batch = { 0 };

	(void)state;
	mig_batch_done(&batch);
	assert_int_equal(mig_batch_init(&batch, 1), 0);
	mig_batch_done(&batch);
	mig_batch_done(&batch);
	assert_null(batch.addresses);
}

static void the_clock_does_not_run_backwards(void **state)
{
	uint64_t before = mig_clock_ns();

	(void)state;
	assert_true(before > 0);
	assert_true(mig_clock_ns() >= before);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_call_that_moves_all_needs_no_question),
		test(each_call_names_its_own_node),
		test(shared_pages_are_moved_only_if_that_is_asked_for),
		test(every_errno_of_the_call_is_handed_on_and_nothing_counts_as_tried),
		test(a_pinned_page_hides_neither_what_moved_nor_what_was_not_tried),
		test(a_stretch_that_fails_behind_one_that_went_is_found),
		test(a_stretch_that_fails_at_the_end_leaves_nothing_untried),
		test(a_full_node_is_no_error_and_what_went_before_it_counts),
		test(the_next_call_forgets_that_a_node_was_full),
		test(a_page_that_is_on_a_third_node_has_failed),
		test(a_second_address_of_a_folio_is_busy_only_in_appearance),
		test(a_busy_page_that_has_gone_meanwhile_stays_busy),
		test(a_status_that_is_not_written_by_a_success_is_not_taken_for_one),
		test(statuses_of_pages_pass_through),
		test(a_process_that_exits_before_the_question_leaves_no_half_answer),
		test(a_long_stretch_is_asked_for_in_bounded_pieces),
		test(a_question_of_any_length_is_put_in_pieces),
		test(a_question_that_is_refused_says_so),
		cmocka_unit_test(a_batch_that_is_done_may_be_done_again),
		cmocka_unit_test(the_clock_does_not_run_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
