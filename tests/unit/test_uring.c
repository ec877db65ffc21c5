/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registered buffers, as fdinfo of Linux 5.12 to 7.x lists them. */
#include "uring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fake_process.h"
#include "handles.h"

static void parse(const char *string, struct mig_uring_buffers *buffers)
{
	const struct mig_text text = { .at = string, .length = strlen(string) };

	assert_int_equal(mig_uring_parse(text, buffers), 0);
}

static void buffers_are_read_with_address_and_length(void **state)
{
	struct mig_uring_buffers buffers = { 0 };

	(void)state;
	parse("pos:\t0\nflags:\t02000002\nSqThread:\t-1\nUserFiles:\t0\nUserBufs:\t2\n"
	      "    0: 0x7f32a4e00000/65536\n    1: 0x1000/1\nPollList:\n",
	      &buffers);
	assert_int_equal(buffers.nr, 2);
	assert_true(buffers.ranges[0].start == UINT64_C(0x7f32a4e00000));
	assert_true(buffers.ranges[0].end == UINT64_C(0x7f32a4e10000));
	assert_true(buffers.ranges[1].start == 0x1000 && buffers.ranges[1].end == 0x1001);
	mig_uring_done(&buffers);
	assert_int_equal(buffers.nr, 0);
	mig_uring_done(&buffers);
}

/* As Linux 6.18 writes it where the table is sparse. */
static void holes_in_the_table_hide_nothing_behind_them(void **state)
{
	struct mig_uring_buffers buffers = { 0 };

	(void)state;
	parse("UserBufs:\t4\n    0: <none>\n    1: <none>\n    2: 0x7fe791012000/65536\n"
	      "    3: <none>\nPollList:\n",
	      &buffers);
	assert_int_equal(buffers.nr, 1);
	assert_true(buffers.ranges[0].start == UINT64_C(0x7fe791012000));
	mig_uring_done(&buffers);
}

static void lines_outside_the_table_are_not_taken_for_buffers(void **state)
{
	struct mig_uring_buffers buffers = { 0 };

	(void)state;
	parse("UserFiles:\t1\n    0: 0x1000/4096\nUserBufs:\t0\nPollList:\n"
	      "    0: 0x2000/4096\n",
	      &buffers);
	assert_int_equal(buffers.nr, 0);
	mig_uring_done(&buffers);
}

static void lines_that_do_not_parse_are_passed_over(void **state)
{
	struct mig_uring_buffers buffers = { 0 };

	(void)state;
	parse("UserBufs:\t5\n    0: 0x1000/0\n    1: 0x/4096\n    2: 1000/4096\n"
	      "    3: 0xfffffffffffff000/8192\n    4: 0x1000\n    5: 0x3000/4096",
	      &buffers);
	assert_int_equal(buffers.nr, 1);
	assert_true(buffers.ranges[0].start == 0x3000);
	parse("", &buffers);
	assert_int_equal(buffers.nr, 1);
	mig_uring_done(&buffers);
}

static void a_range_that_touches_a_buffer_has_one(void **state)
{
	struct mig_uring_buffers buffers = { 0 };

	(void)state;
	assert_false(mig_uring_has(&buffers, 0, UINT64_MAX));
	parse("UserBufs:\t2\n    0: 0x2000/4096\n    1: 0x8010/16\n", &buffers);
	assert_true(mig_uring_has(&buffers, 0x2000, 0x3000));
	assert_true(mig_uring_has(&buffers, 0x1000, 0x2001));
	assert_true(mig_uring_has(&buffers, 0x2fff, 0x4000));
	assert_true(mig_uring_has(&buffers, 0x8000, 0x9000));
	assert_false(mig_uring_has(&buffers, 0x1000, 0x2000));
	assert_false(mig_uring_has(&buffers, 0x3000, 0x8010));
	mig_uring_done(&buffers);
}

/* ---- all of a process ---- */

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_process *process;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->root = fake_root_new();
	fixture->context = fake_root_context(fixture->root, NULL);
	fake_process_write(fixture->root, 42, 1, "");
	assert_int_equal(mig_process_open(fixture->context, 42, &fixture->process), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_process_free(fixture->process);
	mig_context_free(fixture->context);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static void write_ring(const struct fixture *fixture, int number, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/42/fdinfo/%d", number);
	fake_root_write(fixture->root, path, text);
	snprintf(path, sizeof(path), "proc/42/fd/%d", number);
	fake_root_link(fixture->root, path, "anon_inode:[io_uring]");
}

static void buffers_of_all_rings_are_read(void **state)
{
	struct fixture *fixture = *state;
	struct mig_uring_buffers buffers = { 0 };

	write_ring(fixture, 3, "UserBufs:\t1\n    0: 0x1000/4096\n");
	write_ring(fixture, 4, "UserBufs:\t1\n    0: 0x9000/4096\n");
	assert_int_equal(mig_uring_read(fixture->process, &buffers), 0);
	assert_int_equal(buffers.nr, 2);
	assert_true(mig_uring_has(&buffers, 0x1000, 0x1001));
	assert_true(mig_uring_has(&buffers, 0x9000, 0x9001));
	assert_false(buffers.unlisted);
	mig_uring_done(&buffers);
}

static void files_that_are_no_rings_are_not_read(void **state)
{
	struct fixture *fixture = *state;
	struct mig_uring_buffers buffers = { 0 };

	fake_root_write(fixture->root, "proc/42/fdinfo/3",
			"UserBufs:\t1\n    0: 0x1000/4096\n");
	fake_root_link(fixture->root, "proc/42/fd/3", "/home/anon_inode:[io_uring]");
	assert_int_equal(mig_uring_read(fixture->process, &buffers), 0);
	assert_int_equal(buffers.nr, 0);
	assert_false(buffers.unlisted);
}

/* As Linux 6.12 writes it while somebody holds the lock of the ring, and 6.15. */
static void a_ring_that_stays_busy_is_said_to_be_unlisted(void **state)
{
	static const char *const texts[] = { "SqMask:\t0xf\nUserBufs:\t4\nPollList:\n",
					     "pos:\t0\nflags:\t02000002\n" };
	struct fixture *fixture = *state;
	struct mig_uring_buffers buffers = { 0 };

	write_ring(fixture, 9, "UserBufs:\t1\n    0: 0x9000/4096\n");
	write_ring(fixture, 3, "");
	for (size_t i = 0; i < 2; i++) {
		fake_root_write(fixture->root, "proc/42/fdinfo/3", texts[i]);
		assert_int_equal(mig_uring_read(fixture->process, &buffers), 0);
		assert_int_equal(buffers.nr, 1);
		assert_true(buffers.unlisted);
		mig_uring_done(&buffers);
	}
}

static void a_file_that_was_closed_meanwhile_is_no_error(void **state)
{
	struct fixture *fixture = *state;
	struct mig_uring_buffers buffers = { 0 };

	fake_root_link(fixture->root, "proc/42/fd/5", "anon_inode:[io_uring]");
	assert_int_equal(mig_uring_read(fixture->process, &buffers), 0);
	assert_int_equal(buffers.nr, 0);
	mig_uring_done(&buffers);
}

static void a_process_that_has_exited_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct mig_uring_buffers buffers = { .nr = 77 };

	fake_process_remove(fixture->root, 42);
	assert_int_equal(mig_uring_read(fixture->process, &buffers), -ESRCH);
	assert_int_equal(buffers.nr, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_read_with_address_and_length),
		cmocka_unit_test(holes_in_the_table_hide_nothing_behind_them),
		cmocka_unit_test(lines_outside_the_table_are_not_taken_for_buffers),
		cmocka_unit_test(lines_that_do_not_parse_are_passed_over),
		cmocka_unit_test(a_range_that_touches_a_buffer_has_one),
		cmocka_unit_test_setup_teardown(buffers_of_all_rings_are_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files_that_are_no_rings_are_not_read,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_ring_that_stays_busy_is_said_to_be_unlisted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_was_closed_meanwhile_is_no_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_process_that_has_exited_is_gone, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
