/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holes that a touch would fill: windows on files of hugetlbfs. The pool is empty as a
 * rule, so a usual file stands for one of its files.
 */
#include "pagecache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "live_files.h"

#define NR_PAGES 8U

static struct {
	struct mig_calls calls;
	int guard; /**< what the guard answers; 0: the kernel does */
	unsigned int nr_guards;
	unsigned int nr_touched;
	unsigned int nr_unguarded; /**< of them, those before there was a guard */
} spy;

static int spy_guard_holes(void *start, size_t length)
{
	assert_true(length % 4096 == 0);
	spy.nr_guards++;
	return spy.guard ? spy.guard : mig_calls_kernel.guard_holes(start, length);
}

static int spy_touch(const void *address)
{
	spy.nr_touched++;
	spy.nr_unguarded += !spy.nr_guards;
	return mig_calls_kernel.touch(address);
}

struct fixture {
	struct live_files *live;
	struct mig_self self;
	struct mig_window_scratch scratch;
	struct mig_file *file;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *live;

	live_files_set_up(&live);
	f->live = live;
	memset(&spy, 0, sizeof(spy));
	spy.calls = mig_calls_kernel;
	spy.calls.guard_holes = spy_guard_holes;
	spy.calls.touch = spy_touch;
	mig_context_set_calls(f->live->context, &spy.calls);
	assert_int_equal(mig_self_open(f->live->context, &f->self), 0);
	assert_int_equal(mig_window_scratch_init(&f->scratch), 0);
	live_files_write_pages(f->live, "file", 0, NR_PAGES);
	f->file = live_files_open(f->live, "file");
	f->file->kind = MIG_KIND_HUGETLB;
	f->file->page_size_bytes = 2 * f->live->context->page_size;
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *live = f->live;

	assert_int_equal(f->file->users, 1);
	mig_file_put(f->file);
	mig_window_scratch_done(&f->scratch);
	mig_self_close(&f->self);
	live_files_tear_down(&live);
	free(f);
	return 0;
}

static int open_window(struct fixture *f, struct mig_window *window, uint64_t *pages)
{
	return mig_window_open(window, f->file, 0, f->file->size_bytes, &f->self.pagemap,
			       &f->scratch, pages);
}

static void holes_that_cannot_be_guarded_are_not_touched(void **state)
{
	static const int errors[] = { -EPERM, -ENOSYS, -EINVAL };
	struct fixture *f = *state;
	struct mig_window window = { .offset = 77 };
	uint64_t pages = 88;

	f->file->has_holes = true;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		spy.guard = errors[i];
		assert_int_equal(open_window(f, &window, &pages), -ENXIO);
	}
	spy.guard = -EMFILE;
	assert_int_equal(open_window(f, &window, &pages), -EMFILE);
	assert_int_equal(spy.nr_touched, 0);
	assert_int_equal(window.offset, 77);
	assert_int_equal(pages, 88);
}

static void a_file_without_holes_needs_no_guard(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	uint64_t pages = 0;

	assert_int_equal(open_window(f, &window, &pages), 0);
	assert_int_equal(spy.nr_guards, 0);
	assert_int_equal(pages, NR_PAGES);
	assert_true(spy.nr_touched >= NR_PAGES / 2);
	mig_window_close(&window);
}

static void the_guard_stands_before_the_first_touch_and_goes_with_the_window(void **state)
{
	struct fixture *f = *state;
	struct mig_window window = { 0 };
	unsigned int before = live_files_count_descriptors();
	uint64_t pages = 0;
	int pipes[2];

	assert_int_equal(pipe(pipes), 0);
	f->file->has_holes = true;
	spy.guard = pipes[0];
	assert_int_equal(open_window(f, &window, &pages), 0);
	assert_true(spy.nr_touched > 0);
	assert_int_equal(spy.nr_unguarded, 0);
	mig_window_close(&window);
	close(pipes[1]);
	assert_int_equal(live_files_count_descriptors(), before);
}

/* Memory of nobody's: what is missing there is a hole too. */
static void under_a_guard_a_touch_fills_nothing(void **state)
{
	size_t page_size = ((struct fixture *)*state)->live->context->page_size;
	size_t length = NR_PAGES * page_size;
	unsigned char resident[NR_PAGES];
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int guard;

	assert_true(memory != MAP_FAILED);
	memory[3 * page_size] = 1;
	guard = mig_calls_kernel.guard_holes(memory, length);
	if (guard < 0) {
		munmap(memory, length);
		print_message("this system has no userfaultfd(2)\n");
		skip();
	}
	for (unsigned int i = 0; i < NR_PAGES; i++)
		assert_int_equal(mig_calls_kernel.touch(memory + i * page_size),
				 i == 3 ? 0 : -EFAULT);
	assert_int_equal(mincore(memory, length, resident), 0);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		assert_int_equal(resident[i] & 1, i == 3);
	close(guard);
	assert_int_equal(mig_calls_kernel.touch(memory), 0);
	munmap(memory, length);
}

static void memory_of_others_cannot_be_guarded(void **state)
{
	unsigned int before = live_files_count_descriptors();

	(void)state;
	assert_true(mig_calls_kernel.guard_holes(NULL, 4096) < 0);
	assert_int_equal(live_files_count_descriptors(), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holes_that_cannot_be_guarded_are_not_touched),
		TEST(a_file_without_holes_needs_no_guard),
		TEST(the_guard_stands_before_the_first_touch_and_goes_with_the_window),
		TEST(under_a_guard_a_touch_fills_nothing),
		TEST(memory_of_others_cannot_be_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
