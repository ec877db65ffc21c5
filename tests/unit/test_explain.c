/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why pages are still where they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "scene.h"

#define PID 42

static int set_up(void **state)
{
	struct scene *scene = scene_new(NULL);

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int set_up_unprivileged(void **state)
{
	struct scene *scene = scene_new(&(struct fake_kernel_options){
		.hides_frames = true, .no_sys_nice = true });

	scene_add(scene, PID);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free(*state);
	return 0;
}

static uint64_t map_named(struct scene *scene, enum fake_kind kind, uint64_t nr_pages,
			  const char *name)
{
	return fake_kernel_map(scene->kernel, PID,
			       &(struct fake_memory){ .kind = kind,
						      .nr_pages = nr_pages,
						      .name = name });
}

/* One try is enough to be explained. */
static void run_once(struct scene *scene)
{
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 1 };

	scene_run(scene, &options);
	scene_assert_true(scene);
}

static void write_ring(const struct scene *scene, uint64_t address, uint64_t length)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "UserBufs:\t1\n    0: 0x%" PRIx64 "/%" PRIu64 "\nPollList:\n", address,
		 length);
	fake_root_write(fake_kernel_get_root(scene->kernel), "proc/42/fdinfo/5", text);
	fake_root_link(fake_kernel_get_root(scene->kernel), "proc/42/fd/5",
		       "anon_inode:[io_uring]");
}

static void registered_buffers_are_told_from_other_pins(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);

	scene_set(scene, PID, start, 10, 6, FAKE_PINNED);
	/* From within the first page to within the fourth. */
	write_ring(scene, start + 10 * scene->page_size + 100, 3 * scene->page_size);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED_IO_URING), 4);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 2);
}

static void a_huge_page_with_a_registered_buffer_in_it_is_pinned_by_that(void **state)
{
	struct scene *scene = *state;
	uint64_t start =
		fake_kernel_map(scene->kernel, PID,
				&(struct fake_memory){ .kind = FAKE_ANON,
						       .nr_pages = FAKE_HUGE_PAGES,
						       .folio_pages = FAKE_HUGE_PAGES });

	scene_set(scene, PID, start, 0, 1, FAKE_PINNED);
	write_ring(scene, start + 300 * scene->page_size, scene->page_size);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED_IO_URING), FAKE_HUGE_PAGES);
}

static void secret_memory_is_called_so(void **state)
{
	struct scene *scene = *state;
	uint64_t start = map_named(scene, FAKE_SHMEM, 4, "/secretmem (deleted)");

	scene_set(scene, PID, start, 0, 4, FAKE_PINNED);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_SECRET), 4);
}

static void the_mapping_of_each_page_is_looked_up(void **state)
{
	struct scene *scene = *state;
	uint64_t before = scene_map(scene, PID, FAKE_ANON, 4, 0);
	uint64_t secret = map_named(scene, FAKE_SHMEM, 4, "/secretmem (deleted)");
	uint64_t behind = scene_map(scene, PID, FAKE_ANON, 4, 0);

	scene_set(scene, PID, before, 0, 1, FAKE_PINNED);
	scene_set(scene, PID, secret, 0, 2, FAKE_PINNED);
	scene_set(scene, PID, behind, 0, 3, FAKE_PINNED);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_SECRET), 2);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 4);
}

static void dirty_pages_of_a_file_system_that_cannot_move_them_say_so(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_FILE, 10, 0);

	fake_root_write(fake_kernel_get_root(scene->kernel), "proc/42/mountinfo",
			"30 1 253:1 / /data rw - vfat /dev/vdb rw\n");
	scene_set(scene, PID, start, 0, 6, FAKE_PINNED);
	scene_set(scene, PID, start, 0, 2, FAKE_DIRTY);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_FILE_SYSTEM), 2);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 4);
}

static void dirty_pages_of_a_file_system_that_moves_them_are_pinned(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_FILE, 10, 0);

	fake_root_write(fake_kernel_get_root(scene->kernel), "proc/42/mountinfo",
			"30 1 253:1 / /data rw - ext4 /dev/vdb rw\n");
	scene_set(scene, PID, start, 0, 2, FAKE_PINNED);
	scene_set(scene, PID, start, 0, 2, FAKE_DIRTY);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 2);
}

static void pages_under_io_are_busy(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 10, 0);

	scene_set(scene, PID, start, 0, 3, FAKE_PINNED);
	scene_set(scene, PID, start, 0, 2, FAKE_WRITEBACK);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_BUSY), 2);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED), 1);
}

static void without_flags_only_lists_of_buffers_tell_pins(void **state)
{
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 10, 0);

	scene_set(scene, PID, start, 0, 4, FAKE_PINNED);
	write_ring(scene, start, scene->page_size);
	run_once(scene);
	assert_int_equal(scene_left(scene, MIG_REASON_PINNED_IO_URING), 1);
	assert_int_equal(scene_left(scene, MIG_REASON_BUSY), 3);
}

/* ---- a process that is gone when it is to be explained ---- */

static struct {
	struct mig_calls calls;
	struct fake_kernel *kernel;
} exiting;

static ssize_t exit_instead(int pidfd, const struct iovec *ranges, size_t nr_ranges,
			    int advice)
{
	(void)pidfd;
	(void)ranges;
	(void)nr_ranges;
	(void)advice;
	fake_kernel_exit(exiting.kernel, PID);
	return -ESRCH;
}

static void what_was_left_of_a_process_that_exits_is_gone(void **state)
{
	const struct mig_run_options options = { .size = sizeof(options),
						 .threads = 1,
						 .passes = 1,
						 .fallback = MIG_FALLBACK_SWAP };
	struct scene *scene = *state;
	uint64_t start = scene_map(scene, PID, FAKE_ANON, 100, 0);
	const struct mig_totals *totals;

	scene_set(scene, PID, start, 0, 10, FAKE_PINNED);
	exiting.kernel = scene->kernel;
	exiting.calls = *scene->context->calls;
	exiting.calls.process_madvise = exit_instead;
	mig_context_set_calls(scene->context, &exiting.calls);
	totals = scene_run(scene, &options);
	assert_int_equal(totals->moved_pages, 90);
	assert_int_equal(totals->gone_pages, 10);
	assert_int_equal(totals->left_pages, 0);
	assert_int_equal(totals->processes_gone, 1);
	assert_int_equal(totals->paged_out_pages, 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define unprivileged(function) \
	cmocka_unit_test_setup_teardown(function, set_up_unprivileged, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(registered_buffers_are_told_from_other_pins),
		test(a_huge_page_with_a_registered_buffer_in_it_is_pinned_by_that),
		test(secret_memory_is_called_so),
		unprivileged(secret_memory_is_called_so),
		test(the_mapping_of_each_page_is_looked_up),
		test(dirty_pages_of_a_file_system_that_cannot_move_them_say_so),
		test(dirty_pages_of_a_file_system_that_moves_them_are_pinned),
		test(pages_under_io_are_busy),
		unprivileged(without_flags_only_lists_of_buffers_tell_pins),
		test(what_was_left_of_a_process_that_exits_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
