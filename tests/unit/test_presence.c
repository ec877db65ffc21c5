/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Presence by PAGEMAP_SCAN. A made-up kernel answers for a made-up process, whose
 * memory is a list of stretches.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_process.h"
#include "handles.h"
#include "pagemap.h"
#include "pagemap_scan.h"
#include "presence.h"

#define ANON_START UINT64_C(0x10000000)
#define ANON_END UINT64_C(0x110000000) /* 4 GiB */
#define MEGA (UINT64_C(1) << 20)

struct stretch {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

/* The made-up kernel. */
static struct {
	struct stretch stretches[8];
	size_t nr_stretches;
	uint64_t checkerboard_end; /**< below it every second page is present */
	uint64_t page;
	int error;            /**< of the next calls */
	uint64_t error_start; /**< of calls that begin here or behind it */
	bool stands_still;
	bool waits_for_others; /**< the main thread does, with its second call */
	pthread_t main_thread;
	_Atomic int nr_calls;
	_Atomic int nr_calls_of_others;
	_Atomic bool had_bad_argument;
	_Atomic bool had_open_signal;
	_Atomic uint64_t most_pages;
} kernel;

struct output {
	const struct pm_scan_arg *arg;
	struct page_region *regions;
	uint64_t nr_regions;
	uint64_t nr_pages;
};

/* Return: whether it went in whole; *@end is cut where it did not. */
static bool put_region(struct output *out, uint64_t start, uint64_t *end,
		       uint64_t categories)
{
	uint64_t pages = (*end - start) / kernel.page;
	bool whole = true;

	if (out->nr_regions == out->arg->vec_len) {
		*end = start;
		return false;
	}
	if (pages > out->arg->max_pages - out->nr_pages) {
		pages = out->arg->max_pages - out->nr_pages;
		*end = start + pages * kernel.page;
		whole = false;
	}
	if (pages)
		out->regions[out->nr_regions++] = (struct page_region){
			.start = start,
			.end = *end,
			.categories = categories & out->arg->return_mask,
		};
	out->nr_pages += pages;
	return whole;
}

static bool matches(const struct pm_scan_arg *arg, uint64_t categories)
{
	return ((categories ^ arg->category_inverted) & arg->category_mask) ==
	       arg->category_mask;
}

static uint64_t scan_checkerboard(struct output *out, uint64_t start)
{
	for (; start < kernel.checkerboard_end && start < out->arg->end;
	     start += kernel.page) {
		uint64_t end = start + kernel.page;

		if (start / kernel.page % 2 || start < ANON_START)
			continue;
		if (!put_region(out, start, &end, PAGE_IS_PRESENT))
			return start;
	}
	return 0;
}

static void check_caller(const struct pm_scan_arg *arg)
{
	sigset_t blocked;

	kernel.nr_calls++;
	if (arg->size != sizeof(*arg) || arg->flags || arg->start % kernel.page ||
	    arg->end % kernel.page || arg->end <= arg->start || !arg->max_pages)
		kernel.had_bad_argument = true;
	if (pthread_equal(pthread_self(), kernel.main_thread)) {
		for (int ms = 0; kernel.waits_for_others && kernel.nr_calls > 1 &&
				 !kernel.nr_calls_of_others && ms < 10000;
		     ms++)
			usleep(1000);
		return;
	}
	kernel.nr_calls_of_others++;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	if (!sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGINT) ||
	    !sigismember(&blocked, SIGALRM) || !sigismember(&blocked, SIGUSR1))
		kernel.had_open_signal = true;
}

static int fake_scan(int fd, void *data)
{
	struct pm_scan_arg *arg = data;
	struct output out = { .arg = arg };

	(void)fd;
	check_caller(arg);
	if (kernel.error && arg->start >= kernel.error_start)
		return kernel.error;
	arg->walk_end = kernel.stands_still ? arg->start : arg->end;
	/* The address of the caller's array, as the kernel takes it. */
	memcpy(&out.regions, &arg->vec, sizeof(out.regions));
	if (arg->start < kernel.checkerboard_end) {
		uint64_t stopped = scan_checkerboard(&out, arg->start);

		if (stopped) {
			arg->walk_end = stopped;
			return (int)out.nr_regions;
		}
	}
	for (size_t i = 0; i < kernel.nr_stretches; i++) {
		const struct stretch *s = &kernel.stretches[i];
		uint64_t start = s->start > arg->start ? s->start : arg->start;
		uint64_t end = s->end < arg->end ? s->end : arg->end;

		if (start >= end || !matches(arg, s->categories))
			continue;
		if (!put_region(&out, start, &end, s->categories)) {
			arg->walk_end = end;
			break;
		}
	}
	if (out.nr_pages > kernel.most_pages)
		kernel.most_pages = out.nr_pages;
	return (int)out.nr_regions;
}

/* pagemap: the huge zero page is not anonymous, everything else here is. */
static ssize_t fake_pread(int fd, void *buffer, size_t length, off_t offset)
{
	uint64_t address = (uint64_t)offset / sizeof(uint64_t) * kernel.page;
	uint64_t entry = 0;

	(void)fd;
	for (size_t i = 0; i < kernel.nr_stretches; i++) {
		const struct stretch *s = &kernel.stretches[i];

		if (address < s->start || address >= s->end)
			continue;
		entry = MIG_PAGEMAP_PRESENT;
		if (s->categories & PAGE_IS_PFNZERO || s->categories & PAGE_IS_FILE)
			entry |= MIG_PAGEMAP_FILE;
	}
	memcpy(buffer, &entry, length);
	return (ssize_t)length;
}

static void put_stretch(uint64_t start, uint64_t end, uint64_t categories)
{
	kernel.stretches[kernel.nr_stretches++] = (struct stretch){
		.start = start,
		.end = end,
		.categories = categories,
	};
}

struct fixture {
	void *machine;
	struct mig_process *process;
	struct mig_calls calls;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fake_machine *machine;

	assert_non_null(f);
	memset(&kernel, 0, sizeof(kernel));
	f->calls = *fake_calls();
	f->calls.pagemap_scan = fake_scan;
	f->calls.pread = fake_pread;
	fake_machine_set_up(&f->machine);
	fake_machine_set_calls(&f->machine, &f->calls);
	machine = f->machine;
	kernel.page = mig_context_get_page_size(machine->context);
	kernel.main_thread = pthread_self();
	fake_process_write(machine->root, 42, 1, NULL);
	fake_machine_write(&f->machine, "proc/42/pagemap", "");
	fake_machine_write(&f->machine, NODES "/online", "0\n");
	fake_machine_write(&f->machine, NODES "/has_memory", "0\n");
	fake_machine_read_topology(&f->machine);
	assert_int_equal(mig_process_open(machine->context, 42, &f->process), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mig_process_free(f->process);
	fake_machine_tear_down(&f->machine);
	free(f);
	assert_false(kernel.had_bad_argument);
	assert_false(kernel.had_open_signal);
	return 0;
}

static void put_maps(struct fixture *f, const char *maps)
{
	fake_machine_write(&f->machine, "proc/42/maps", maps);
}

static void assert_counted(struct fixture *f, enum mig_kind kind, uint64_t expected)
{
	uint64_t bytes[MIG_NR_KINDS];

	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(mig_presence_count(f->process, bytes), 0);
	assert_int_equal(bytes[kind], expected);
}

static void assert_not_counted(struct fixture *f, int error)
{
	uint64_t bytes[MIG_NR_KINDS], before[MIG_NR_KINDS];

	memset(bytes, 0x5a, sizeof(bytes));
	memcpy(before, bytes, sizeof(bytes));
	assert_int_equal(mig_presence_count(f->process, bytes), error);
	assert_memory_equal(bytes, before, sizeof(bytes));
}

#define ANON_MAPS "10000000-110000000 rw-p 00000000 00:00 0\n"

static void present_pages_are_counted_by_kind(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "00400000-00500000 r-xp 00000000 fe:01 77 /usr/bin/a\n"
		    "01000000-02000000 rw-p 00000000 00:00 0 [heap]\n"
		    "7fff00000000-7fff00100000 rw-p 00000000 00:00 0 [stack]\n");
	put_stretch(0x400000, 0x440000, PAGE_IS_PRESENT | PAGE_IS_FILE);
	put_stretch(0x1010000, 0x1020000, PAGE_IS_PRESENT);
	put_stretch(0x1050000, 0x1060000, PAGE_IS_PRESENT | PAGE_IS_WRITTEN);
	assert_counted(f, MIG_KIND_FILE, 0x40000);
	assert_counted(f, MIG_KIND_HEAP, 0x20000);
	assert_counted(f, MIG_KIND_STACK, 0);
	assert_counted(f, MIG_KIND_ANON, 0);
}

static void zero_pages_and_swapped_pages_do_not_count(void **state)
{
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	put_stretch(ANON_START, ANON_START + MEGA, PAGE_IS_PRESENT | PAGE_IS_PFNZERO);
	put_stretch(ANON_START + MEGA, ANON_START + 3 * MEGA, PAGE_IS_SWAPPED);
	put_stretch(ANON_START + 3 * MEGA, ANON_START + 7 * MEGA, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, 4 * MEGA);
}

static void the_kernels_own_mappings_are_not_looked_at(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "7fff00000000-7fff00004000 r--p 00000000 00:00 0 [vvar]\n"
		    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 "
		    "[vsyscall]\n");
	put_stretch(0x7fff00000000, 0x7fff00004000, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_KERNEL, 0);
	assert_int_equal(kernel.nr_calls, 0);
}

static void one_call_finds_a_bounded_number_of_pages(void **state)
{
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	put_stretch(ANON_START, ANON_END, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, ANON_END - ANON_START);
	assert_in_range(kernel.most_pages, 1, 16384);
}

static void big_mappings_are_shared_by_threads_that_block_signals(void **state)
{
	struct fixture *f = *state;
	sigset_t before, after;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		print_message("needs two processors\n");
		skip();
	}
	put_maps(f, ANON_MAPS);
	put_stretch(ANON_START, ANON_END, PAGE_IS_PRESENT);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	kernel.waits_for_others = true;
	assert_counted(f, MIG_KIND_ANON, ANON_END - ANON_START);
	assert_true(kernel.nr_calls_of_others > 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
	assert_int_equal(sigismember(&before, SIGUSR1), sigismember(&after, SIGUSR1));
}

static void small_mappings_need_no_threads(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-17000000 rw-p 00000000 00:00 0\n");
	put_stretch(ANON_START, ANON_END, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, 112 * MEGA);
	assert_int_equal(kernel.nr_calls_of_others, 0);
}

static void a_huge_reservation_costs_one_call(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-100010000000 ---p 00000000 00:00 0\n");
	put_stretch(0x80000000000, 0x80000001000, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, 0x1000);
	assert_int_equal(kernel.nr_calls, 1);
}

static void neighbours_of_one_kind_take_one_call(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-10002000 rw-p 00000000 00:00 0\n"
		    "10003000-10005000 r--p 00000000 00:00 0\n"
		    "10005000-10007000 rw-p 00000000 00:00 0\n");
	put_stretch(0x10001000, 0x10002000, PAGE_IS_PRESENT);
	put_stretch(0x10004000, 0x10006000, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, 0x3000);
	assert_int_equal(kernel.nr_calls, 1);
}

static void neighbours_of_other_kinds_are_kept_apart(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-10004000 rw-p 00000000 00:00 0\n"
		    "10004000-10008000 r--p 00000000 fe:01 77 /usr/bin/a\n"
		    "10008000-1000c000 rw-p 00000000 00:00 0 [vdso]\n"
		    "1000c000-10010000 rw-p 00000000 00:00 0\n"
		    "20000000-20004000 rw-p 00000000 00:00 0\n");
	put_stretch(0x10000000, 0x10010000, PAGE_IS_PRESENT);
	put_stretch(0x18000000, 0x20001000, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, 0x9000);
	assert_counted(f, MIG_KIND_FILE, 0x4000);
	assert_counted(f, MIG_KIND_KERNEL, 0);
}

static void every_second_page_is_found(void **state)
{
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	kernel.checkerboard_end = ANON_START + 256 * MEGA;
	assert_counted(f, MIG_KIND_ANON, 128 * MEGA);
}

static void a_huge_zero_page_that_is_not_marked_does_not_count(void **state)
{
	struct fixture *f = *state;
	uint64_t huge = kernel.page / 8 * kernel.page;
	uint64_t first = (ANON_START + huge - 1) / huge * huge;

	put_maps(f, ANON_MAPS);
	put_stretch(first, first + 2 * huge, PAGE_IS_PRESENT | PAGE_IS_HUGE);
	/* As kernels before 6.16 show it. */
	put_stretch(first + 2 * huge, first + 3 * huge,
		    PAGE_IS_PRESENT | PAGE_IS_HUGE | PAGE_IS_FILE);
	put_stretch(first + 3 * huge, first + 3 * huge + MEGA, PAGE_IS_PRESENT);
	assert_counted(f, MIG_KIND_ANON, 2 * huge + MEGA);
}

static void memory_of_huge_pages_is_left_to_numa_maps(void **state)
{
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	put_stretch(ANON_START, ANON_START + 256 * MEGA, PAGE_IS_PRESENT | PAGE_IS_HUGE);
	assert_not_counted(f, -EOPNOTSUPP);
}

static void huge_pages_of_files_on_a_device_count(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-110000000 r-xp 00000000 fe:01 77 /usr/bin/a\n");
	put_stretch(ANON_START, ANON_START + 4 * MEGA,
		    PAGE_IS_PRESENT | PAGE_IS_HUGE | PAGE_IS_FILE);
	assert_counted(f, MIG_KIND_FILE, 4 * MEGA);
}

static void hugetlb_pages_are_counted_in_bytes(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-10800000 rw-p 00000000 00:0f 5 /anon_hugepage (deleted)\n");
	put_stretch(ANON_START, ANON_START + 4 * MEGA, PAGE_IS_PRESENT | PAGE_IS_HUGE);
	assert_counted(f, MIG_KIND_HUGETLB, 4 * MEGA);
}

static void shared_memory_of_huge_pages_is_left_to_numa_maps(void **state)
{
	struct fixture *f = *state;

	put_maps(f, "10000000-10800000 rw-s 00000000 00:01 5 /memfd:x (deleted)\n");
	put_stretch(ANON_START, ANON_START + MEGA, PAGE_IS_PRESENT | PAGE_IS_FILE);
	assert_counted(f, MIG_KIND_SHMEM, MEGA);
	put_stretch(ANON_START + 2 * MEGA, ANON_START + 4 * MEGA,
		    PAGE_IS_PRESENT | PAGE_IS_FILE | PAGE_IS_HUGE);
	assert_not_counted(f, -EOPNOTSUPP);
}

static void kernels_that_cannot_scan_are_told_apart(void **state)
{
	static const int errors[] = { -ENOTTY, -EINVAL, -ENOSYS, -EPERM };
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		kernel.error = errors[i];
		assert_not_counted(f, -EOPNOTSUPP);
	}
}

static void a_failure_in_any_thread_is_told(void **state)
{
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	put_stretch(ANON_START, ANON_END, PAGE_IS_PRESENT);
	kernel.error = -ENOMEM;
	kernel.error_start = ANON_START + 2048 * MEGA;
	assert_not_counted(f, -ENOMEM);
}

static void a_scan_that_stands_still_ends(void **state)
{
	struct fixture *f = *state;

	put_maps(f, ANON_MAPS);
	kernel.stands_still = true;
	assert_not_counted(f, -EIO);
}

static void memory_that_is_gone_is_told(void **state)
{
	struct fixture *f = *state;

	/* So the file reads after execve(2). */
	put_maps(f, "");
	assert_not_counted(f, -ESRCH);
}

static void the_account_uses_it_only_with_one_node(void **state)
{
	struct fixture *f = *state;
	struct fake_machine *machine = f->machine;
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;

	put_maps(f, ANON_MAPS);
	fake_machine_write(&f->machine, "proc/42/numa_maps",
			   "10000000 default anon=3 N0=3 kernelpagesize_kB=4\n");
	put_stretch(ANON_START, ANON_START + MEGA, PAGE_IS_PRESENT);
	assert_int_equal(mig_residency_new(machine->context, &residency), 0);
	assert_int_equal(
		mig_residency_add_process(residency, machine->topology, f->process), 0);
	assert_int_equal(mig_residency_get_bytes(residency, 0, MIG_KIND_ANON), MEGA);
	fake_machine_write(&f->machine, NODES "/online", "0-1\n");
	fake_machine_write(&f->machine, NODES "/has_memory", "0-1\n");
	fake_machine_read_topology(&f->machine);
	assert_int_equal(
		mig_residency_add_process(residency, machine->topology, f->process), 0);
	assert_int_equal(mig_residency_get_bytes(residency, 0, MIG_KIND_ANON),
			 MEGA + 3 * kernel.page);
}

static void without_it_the_account_reads_numa_maps(void **state)
{
	struct fixture *f = *state;
	struct fake_machine *machine = f->machine;
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;

	put_maps(f, ANON_MAPS);
	fake_machine_write(&f->machine, "proc/42/numa_maps",
			   "10000000 default anon=3 N0=3 kernelpagesize_kB=4\n");
	kernel.error = -ENOTTY;
	assert_int_equal(mig_residency_new(machine->context, &residency), 0);
	assert_int_equal(
		mig_residency_add_process(residency, machine->topology, f->process), 0);
	assert_int_equal(mig_residency_get_total_bytes(residency), 3 * kernel.page);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(present_pages_are_counted_by_kind),
		TEST(zero_pages_and_swapped_pages_do_not_count),
		TEST(the_kernels_own_mappings_are_not_looked_at),
		TEST(one_call_finds_a_bounded_number_of_pages),
		TEST(big_mappings_are_shared_by_threads_that_block_signals),
		TEST(small_mappings_need_no_threads),
		TEST(a_huge_reservation_costs_one_call),
		TEST(neighbours_of_one_kind_take_one_call),
		TEST(neighbours_of_other_kinds_are_kept_apart),
		TEST(every_second_page_is_found),
		TEST(a_huge_zero_page_that_is_not_marked_does_not_count),
		TEST(memory_of_huge_pages_is_left_to_numa_maps),
		TEST(huge_pages_of_files_on_a_device_count),
		TEST(hugetlb_pages_are_counted_in_bytes),
		TEST(shared_memory_of_huge_pages_is_left_to_numa_maps),
		TEST(kernels_that_cannot_scan_are_told_apart),
		TEST(a_failure_in_any_thread_is_told),
		TEST(a_scan_that_stands_still_ends),
		TEST(memory_that_is_gone_is_told),
		TEST(the_account_uses_it_only_with_one_node),
		TEST(without_it_the_account_reads_numa_maps),
	};

	return cmocka_run_group_tests_name("presence", tests, NULL, NULL);
}
