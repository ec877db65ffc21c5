/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes per node and kind, from numa_maps of a made-up process. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "fake_process.h"
#include "handles.h"
#include "residency.h"

#define MAPS                                                                 \
	"00400000-00500000 r-xp 00000000 fe:01 77 /usr/bin/a\n"              \
	"01000000-02000000 rw-p 00000000 00:00 0 [heap]\n"                   \
	"10000000-20000000 rw-p 00000000 00:00 0\n"                          \
	"20000000-20800000 rw-p 00000000 00:0f 5 /anon_hugepage (deleted)\n" \
	"30000000-30100000 rw-s 00000000 00:01 6 /dev/zero (deleted)\n"      \
	"7fff00000000-7fff00100000 rw-p 00000000 00:00 0 [stack]\n"          \
	"7fff00200000-7fff00202000 r-xp 00000000 00:00 0 [vdso]\n"

#define NUMA_MAPS                                                                   \
	"00400000 default file=/usr/bin/a mapped=3 N0=1 N1=2 kernelpagesize_kB=4\n" \
	"01000000 default heap anon=5 dirty=5 N1=5 kernelpagesize_kB=4\n"           \
	"10000000 bind:255 anon=7 dirty=7 N0=3 N255=4 kernelpagesize_kB=4\n"        \
	"20000000 default file=/anon_hugepage\\040(deleted) huge anon=2 dirty=2 "   \
	"N1=2 kernelpagesize_kB=2048\n"                                             \
	"30000000 default file=/dev/zero\\040(deleted) dirty=1 N0=1 "               \
	"kernelpagesize_kB=4\n"                                                     \
	"7fff00000000 default stack anon=2 dirty=2 N0=2 kernelpagesize_kB=4\n"      \
	"7fff00200000 default mapped=1 N0=1 kernelpagesize_kB=4\n"

struct fixture {
	void *machine;
	struct mig_process *process;
	struct mig_residency *residency;
	uint64_t page;
};

static void put_process(void **machine)
{
	fake_machine_write(machine, NODES "/online", "0-1,255\n");
	fake_machine_write(machine, NODES "/has_memory", "0-1,255\n");
	fake_process_write(((struct fake_machine *)*machine)->root, 42, 1, NULL);
	fake_machine_write(machine, "proc/42/status",
			   "Name:\ta\nTgid:\t42\nVmRSS:\t     100 kB\n"
			   "VmSwap:\t      24 kB\n");
	fake_machine_write(machine, "proc/42/maps", MAPS);
	fake_machine_write(machine, "proc/42/numa_maps", NUMA_MAPS);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fake_machine *machine;

	assert_non_null(f);
	fake_machine_set_up(&f->machine);
	put_process(&f->machine);
	fake_machine_read_topology(&f->machine);
	machine = f->machine;
	assert_int_equal(mig_process_open(machine->context, 42, &f->process), 0);
	assert_int_equal(mig_residency_new(machine->context, &f->residency), 0);
	f->page = mig_context_get_page_size(machine->context);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mig_residency_free(f->residency);
	mig_process_free(f->process);
	fake_machine_tear_down(&f->machine);
	free(f);
	return 0;
}

static int add(struct fixture *f)
{
	const struct fake_machine *machine = f->machine;

	return mig_residency_add_process(f->residency, machine->topology, f->process);
}

static void put(struct fixture *f, const char *path, const char *text)
{
	fake_machine_write(&f->machine, path, text);
}

static void a_new_account_is_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mig_residency_get_total_bytes(f->residency), 0);
	assert_int_equal(mig_residency_get_swapped_bytes(f->residency), 0);
	assert_int_equal(mig_residency_get_node_bytes(f->residency, 0), 0);
	assert_int_equal(mig_residency_get_bytes(f->residency, 0, MIG_KIND_ANON), 0);
}

static void pages_are_counted_by_node_and_kind(void **state)
{
	struct fixture *f = *state;
	const struct mig_residency *r = f->residency;

	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_bytes(r, 0, MIG_KIND_FILE), f->page);
	assert_int_equal(mig_residency_get_bytes(r, 1, MIG_KIND_FILE), 2 * f->page);
	assert_int_equal(mig_residency_get_bytes(r, 1, MIG_KIND_HEAP), 5 * f->page);
	assert_int_equal(mig_residency_get_bytes(r, 0, MIG_KIND_ANON), 3 * f->page);
	assert_int_equal(mig_residency_get_bytes(r, 255, MIG_KIND_ANON), 4 * f->page);
	assert_int_equal(mig_residency_get_bytes(r, 0, MIG_KIND_SHMEM), f->page);
	assert_int_equal(mig_residency_get_bytes(r, 0, MIG_KIND_STACK), 2 * f->page);
	assert_int_equal(mig_residency_get_bytes(r, 255, MIG_KIND_HEAP), 0);
	assert_int_equal(mig_residency_get_bytes(r, 17, MIG_KIND_ANON), 0);
}

static void huge_pages_of_the_pools_are_counted_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_bytes(f->residency, 1, MIG_KIND_HUGETLB),
			 4 << 20);
}

static void the_kernels_own_mappings_are_never_counted(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_bytes(f->residency, 0, MIG_KIND_KERNEL), 0);
}

static void sums_are_those_of_the_parts(void **state)
{
	struct fixture *f = *state;
	const struct mig_residency *r = f->residency;

	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_node_bytes(r, 0), 7 * f->page);
	assert_int_equal(mig_residency_get_node_bytes(r, 1), 7 * f->page + (4 << 20));
	assert_int_equal(mig_residency_get_node_bytes(r, 255), 4 * f->page);
	assert_int_equal(mig_residency_get_total_bytes(r), 18 * f->page + (4 << 20));
}

static void swapped_memory_is_on_no_node(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_swapped_bytes(f->residency), 24 << 10);
}

static void without_swap_nothing_is_swapped(void **state)
{
	struct fixture *f = *state;

	put(f, "proc/42/status", "Name:\ta\nTgid:\t42\n");
	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_swapped_bytes(f->residency), 0);
}

static void several_processes_are_added_up(void **state)
{
	struct fixture *f = *state;
	uint64_t once;

	assert_int_equal(add(f), 0);
	once = mig_residency_get_total_bytes(f->residency);
	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_total_bytes(f->residency), 2 * once);
	assert_int_equal(mig_residency_get_bytes(f->residency, 255, MIG_KIND_ANON),
			 8 * f->page);
	assert_int_equal(mig_residency_get_swapped_bytes(f->residency), 48 << 10);
}

static void an_account_is_as_it_was_after_a_failure(void **state)
{
	static const struct {
		const char *path;
		const char *text;
	} cases[] = {
		{ "proc/42/numa_maps", NUMA_MAPS "7fff00300000 default N0=\n" },
		{ "proc/42/maps", MAPS "7fff00300000 rw-p\n" },
		{ "proc/42/status", "Tgid:\t42\nVmSwap:\t 24 MB\n" },
	};
	struct fixture *f = *state;
	uint64_t total;

	assert_int_equal(add(f), 0);
	total = mig_residency_get_total_bytes(f->residency);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_process(&f->machine);
		put(f, cases[i].path, cases[i].text);
		/* So that the line above belongs to a mapping. */
		if (!i)
			put(f, "proc/42/maps",
			    MAPS "7fff00300000-7fff00301000 rw-p 00000000 00:00 0\n");
		assert_int_equal(add(f), -EBADMSG);
		assert_int_equal(mig_residency_get_total_bytes(f->residency), total);
		assert_int_equal(mig_residency_get_swapped_bytes(f->residency), 24 << 10);
	}
}

static void a_process_that_is_gone_is_told(void **state)
{
	struct fixture *f = *state;
	struct fake_machine *machine = f->machine;

	fake_root_remove(machine->root, "proc/42");
	assert_int_equal(add(f), -ESRCH);
	assert_int_equal(mig_residency_get_total_bytes(f->residency), 0);
}

static void a_kernel_that_tells_no_residency_is_not_supported(void **state)
{
	struct fixture *f = *state;
	struct fake_machine *machine = f->machine;

	fake_root_remove(machine->root, "proc/42/numa_maps");
	assert_int_equal(add(f), -ENOSYS);
}

static void one_mapping_can_be_added(void **state)
{
	struct fixture *f = *state;
	uint64_t pages[MIG_MAX_NODES] = { [3] = 2, [1023] = 5 };
	struct mig_mapping mapping = {
		.kind = MIG_KIND_SHMEM,
		.has_residency = true,
		.resident_pages = 7,
		.node_pages = pages,
	};

	assert_int_equal(mig_residency_add_mapping(f->residency, &mapping), 0);
	mapping.kind = MIG_KIND_KERNEL;
	assert_int_equal(mig_residency_add_mapping(f->residency, &mapping), 0);
	assert_int_equal(mig_residency_get_bytes(f->residency, 3, MIG_KIND_SHMEM),
			 2 * f->page);
	assert_int_equal(mig_residency_get_bytes(f->residency, 1023, MIG_KIND_SHMEM),
			 5 * f->page);
	assert_int_equal(mig_residency_get_total_bytes(f->residency), 7 * f->page);
}

static void nodes_and_kinds_that_do_not_exist_have_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f), 0);
	assert_int_equal(mig_residency_get_bytes(f->residency, -1, MIG_KIND_ANON), 0);
	assert_int_equal(
		mig_residency_get_bytes(f->residency, MIG_MAX_NODES, MIG_KIND_ANON), 0);
	assert_int_equal(
		mig_residency_get_bytes(f->residency, 0, (enum mig_kind)MIG_NR_KINDS), 0);
	assert_int_equal(mig_residency_get_bytes(f->residency, 0, (enum mig_kind) - 1),
			 0);
}

static void null_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct fake_machine *machine = f->machine;

	assert_int_equal(mig_residency_new(NULL, &f->residency), -EINVAL);
	assert_int_equal(mig_residency_new(machine->context, NULL), -EINVAL);
	assert_int_equal(mig_residency_add_process(NULL, machine->topology, f->process),
			 -EINVAL);
	assert_int_equal(mig_residency_add_process(f->residency, NULL, f->process),
			 -EINVAL);
	assert_int_equal(mig_residency_add_process(f->residency, machine->topology, NULL),
			 -EINVAL);
	assert_int_equal(mig_residency_get_total_bytes(NULL), 0);
	assert_int_equal(mig_residency_get_swapped_bytes(NULL), 0);
	mig_residency_free(NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_new_account_is_empty),
		TEST(pages_are_counted_by_node_and_kind),
		TEST(huge_pages_of_the_pools_are_counted_whole),
		TEST(the_kernels_own_mappings_are_never_counted),
		TEST(sums_are_those_of_the_parts),
		TEST(swapped_memory_is_on_no_node),
		TEST(without_swap_nothing_is_swapped),
		TEST(several_processes_are_added_up),
		TEST(an_account_is_as_it_was_after_a_failure),
		TEST(a_process_that_is_gone_is_told),
		TEST(a_kernel_that_tells_no_residency_is_not_supported),
		TEST(one_mapping_can_be_added),
		TEST(nodes_and_kinds_that_do_not_exist_have_nothing),
		TEST(null_is_refused),
	};

	return cmocka_run_group_tests_name("residency", tests, NULL, NULL);
}
