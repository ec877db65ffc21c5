/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mbind(2) on one's own memory, read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"
#include "context.h"

#define PAGE 4096
#define START ((char *)0x10000000)
#define WEIGHTED 6

/* What the kernel was asked for, and what it says. */
static struct {
	void *start;
	unsigned long length;
	int mode;
	unsigned long mask[16];
	unsigned long maxnode;
	unsigned int flags;
	unsigned int nr_binds; /**< of memory, not only of the mode */
	long result;
	int highest_mode; /**< that this kernel knows */
	long read_result;
	int mode_now;
	unsigned long mask_now[16];
	long ask_result;
	int nodes[2000]; /**< of the pages from START on */
	size_t most_asked;
	size_t nr_asked;
} script;

static long fake_mbind(void *start, unsigned long length, int mode,
		       const unsigned long *mask, unsigned long maxnode,
		       unsigned int flags)
{
	if (mode > script.highest_mode)
		return -EINVAL;
	if (!length)
		return 0;
	script.nr_binds++;
	script.start = start;
	script.length = length;
	script.mode = mode;
	script.maxnode = maxnode;
	script.flags = flags;
	memcpy(script.mask, mask, sizeof(script.mask));
	return script.result;
}

static long fake_get_mempolicy(int *mode, unsigned long *mask, unsigned long maxnode,
			       void *address, unsigned long flags)
{
	assert_int_equal(maxnode, 1025);
	assert_int_equal(flags, MPOL_F_ADDR);
	assert_ptr_equal(address, START);
	if (script.read_result < 0)
		return script.read_result;
	*mode = script.mode_now;
	memcpy(mask, script.mask_now, sizeof(script.mask_now));
	return 0;
}

static long fake_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	assert_int_equal(pid, 0);
	assert_null(nodes);
	assert_int_equal(flags, 0);
	if (script.ask_result < 0)
		return script.ask_result;
	if (count > script.most_asked)
		script.most_asked = count;
	script.nr_asked += count;
	for (unsigned long i = 0; i < count; i++)
		status[i] = script.nodes[((char *)pages[i] - START) / PAGE];
	return 0;
}

static const struct mig_calls calls = {
	.mbind = fake_mbind,
	.get_mempolicy = fake_get_mempolicy,
	.move_pages = fake_move_pages,
};

static struct mig_context context = { .live = true, .page_size = PAGE, .calls = &calls };

/* A kernel that knows all modes and says that BIND to node 1 is set. */
static int set_up(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	script.highest_mode = WEIGHTED;
	script.mode_now = MPOL_BIND;
	script.mask_now[0] = 2;
	return 0;
}

static struct mig_nodeset nodes_of(uint64_t bits)
{
	return (struct mig_nodeset){ .bits = { bits } };
}

static void each_policy_has_the_kernels_number(void **state)
{
	static const struct {
		enum mig_policy policy;
		int mode;
		uint64_t nodes;
	} cases[] = {
		{ MIG_POLICY_DEFAULT, MPOL_DEFAULT, 0 },
		{ MIG_POLICY_BIND, MPOL_BIND, 6 },
		{ MIG_POLICY_PREFER, MPOL_PREFERRED, 2 },
		{ MIG_POLICY_INTERLEAVE, MPOL_INTERLEAVE, 3 },
		{ MIG_POLICY_WEIGHTED_INTERLEAVE, WEIGHTED, 3 },
	};
	struct mig_binding binding;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mig_nodeset nodes = nodes_of(cases[i].nodes);

		script.mode_now = cases[i].mode;
		script.mask_now[0] = cases[i].nodes;
		assert_int_equal(mig_range_bind(&context, START, PAGE, cases[i].policy,
						&nodes, 0, &binding),
				 0);
		assert_int_equal(script.mode, cases[i].mode);
		assert_int_equal(script.mask[0], cases[i].nodes);
		assert_int_equal(binding.policy, cases[i].policy);
		assert_true(mig_nodeset_is_equal(&binding.nodes, &nodes));
	}
}

static void the_mask_has_room_for_every_node(void **state)
{
	struct mig_nodeset nodes = nodes_of(0);
	struct mig_binding binding;

	(void)state;
	mig_nodeset_add(&nodes, 64);
	mig_nodeset_add(&nodes, 1023);
	script.mask_now[15] = 1UL << 63;
	assert_int_equal(mig_range_bind(&context, START, 3 * PAGE, MIG_POLICY_BIND,
					&nodes, 0, &binding),
			 0);
	assert_int_equal(script.maxnode, 1025);
	assert_ptr_equal(script.start, START);
	assert_int_equal(script.length, 3 * PAGE);
	assert_true(script.mask[1] == 1 && script.mask[15] == 1UL << 63);
	assert_true(mig_nodeset_has(&binding.nodes, 1023));
}

static void flags_say_whose_pages_move(void **state)
{
	static const struct {
		unsigned int flags;
		unsigned int kernels;
	} cases[] = {
		{ 0, 0 },
		{ MIG_BIND_MOVE, MPOL_MF_MOVE },
		{ MIG_BIND_MOVE_SHARED, MPOL_MF_MOVE_ALL },
		{ MIG_BIND_MOVE | MIG_BIND_MOVE_SHARED, MPOL_MF_MOVE | MPOL_MF_MOVE_ALL },
	};
	const struct mig_nodeset nodes = nodes_of(2);
	struct mig_binding binding;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(mig_range_bind(&context, START, PAGE, MIG_POLICY_BIND,
						&nodes, cases[i].flags, &binding),
				 0);
		assert_int_equal(script.flags, cases[i].kernels);
	}
}

static void what_the_kernel_did_not_move_is_counted(void **state)
{
	const struct mig_nodeset nodes = nodes_of(2);
	struct mig_binding binding;

	(void)state;
	script.nodes[0] = script.nodes[3] = 1;
	script.nodes[1] = 0;
	script.nodes[2] = -ENOENT;
	script.nodes[4] = -EFAULT;
	script.nodes[5] = 2;
	assert_int_equal(mig_range_bind(&context, START, 6 * PAGE, MIG_POLICY_BIND,
					&nodes, MIG_BIND_MOVE, &binding),
			 0);
	assert_int_equal(binding.resident_pages, 4);
	assert_int_equal(binding.misplaced_pages, 2);
}

/* Asked by pages, as the kernel takes a length; the last one counts whole. */
static void the_length_counts_up_to_whole_pages(void **state)
{
	const struct mig_nodeset nodes = nodes_of(2);
	struct mig_binding binding;

	(void)state;
	assert_int_equal(mig_range_bind(&context, START, PAGE + 1, MIG_POLICY_BIND,
					&nodes, 0, &binding),
			 0);
	assert_int_equal(binding.resident_pages, 2);
}

static void a_default_policy_misplaces_nothing(void **state)
{
	struct mig_binding binding;

	(void)state;
	script.mode_now = MPOL_DEFAULT;
	script.mask_now[0] = 0;
	script.nodes[1] = 3;
	assert_int_equal(mig_range_bind(&context, START, 2 * PAGE, MIG_POLICY_DEFAULT,
					NULL, 0, &binding),
			 0);
	assert_int_equal(binding.resident_pages, 2);
	assert_int_equal(binding.misplaced_pages, 0);
}

static void a_long_range_is_asked_for_in_bounded_pieces(void **state)
{
	const struct mig_nodeset nodes = nodes_of(1);
	struct mig_binding binding;

	(void)state;
	script.mask_now[0] = 1;
	script.nodes[1999] = 1;
	assert_int_equal(mig_range_bind(&context, START, 2000 * PAGE, MIG_POLICY_BIND,
					&nodes, 0, &binding),
			 0);
	assert_int_equal(script.nr_asked, 2000);
	assert_in_range(script.most_asked, 1, 512);
	assert_int_equal(binding.resident_pages, 2000);
	assert_int_equal(binding.misplaced_pages, 1);
}

static void the_policy_is_what_the_kernel_says_now(void **state)
{
	static const struct {
		int mode;
		enum mig_policy policy;
	} cases[] = {
		{ MPOL_LOCAL, MIG_POLICY_DEFAULT },
		{ 5, MIG_POLICY_PREFER }, /* several preferred nodes */
		{ MPOL_BIND | 1 << 13 | 1 << 15, MIG_POLICY_BIND },
		{ MPOL_INTERLEAVE | 1 << 14, MIG_POLICY_INTERLEAVE },
	};
	const struct mig_nodeset nodes = nodes_of(2);
	struct mig_binding binding;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		script.mode_now = cases[i].mode;
		assert_int_equal(mig_range_bind(&context, START, PAGE, MIG_POLICY_BIND,
						&nodes, 0, &binding),
				 0);
		assert_int_equal(binding.policy, cases[i].policy);
	}
	script.mode_now = 9;
	assert_int_equal(mig_range_bind(&context, START, PAGE, MIG_POLICY_BIND, &nodes, 0,
					&binding),
			 -ENOTSUP);
}

static void a_kernel_without_weighted_interleave_says_so(void **state)
{
	const struct mig_nodeset nodes = nodes_of(3);
	struct mig_binding binding = { .resident_pages = 77 };

	(void)state;
	script.highest_mode = 5;
	assert_int_equal(mig_range_bind(&context, START, PAGE,
					MIG_POLICY_WEIGHTED_INTERLEAVE, &nodes, 0,
					&binding),
			 -ENOTSUP);
	assert_int_equal(binding.resident_pages, 77);
	/* One that has it may find something else wrong. */
	script.highest_mode = WEIGHTED;
	script.result = -EINVAL;
	assert_int_equal(mig_range_bind(&context, START, PAGE,
					MIG_POLICY_WEIGHTED_INTERLEAVE, &nodes, 0,
					&binding),
			 -EINVAL);
}

static void errors_are_told_and_leave_the_answer_untouched(void **state)
{
	static const int errors[] = { EPERM, EFAULT, EINVAL, ENOSYS, ENOMEM };
	const struct mig_nodeset nodes = nodes_of(2);
	struct mig_binding binding = { .resident_pages = 77 };

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(errors) / sizeof(*errors); i++) {
		int error = -errors[i / 3];

		script.result = i % 3 == 0 ? error : 0;
		script.read_result = i % 3 == 1 ? error : 0;
		script.ask_result = i % 3 == 2 ? error : 0;
		assert_int_equal(mig_range_bind(&context, START, PAGE, MIG_POLICY_BIND,
						&nodes, 0, &binding),
				 error);
	}
	assert_int_equal(binding.resident_pages, 77);
}

static void assert_refused(void *start, size_t length, enum mig_policy policy,
			   const struct mig_nodeset *nodes, unsigned int flags)
{
	struct mig_binding binding = { .resident_pages = 77 };

	assert_int_equal(
		mig_range_bind(&context, start, length, policy, nodes, flags, &binding),
		-EINVAL);
	assert_int_equal(binding.resident_pages, 77);
	assert_int_equal(script.nr_binds, 0);
}

static void what_is_no_request_is_refused(void **state)
{
	const struct mig_nodeset none = nodes_of(0), one = nodes_of(2), two = nodes_of(6);
	struct mig_binding binding;

	(void)state;
	assert_refused(START + 1, PAGE, MIG_POLICY_BIND, &one, 0);
	assert_refused(START, 0, MIG_POLICY_BIND, &one, 0);
	assert_refused(START, SIZE_MAX - PAGE, MIG_POLICY_BIND, &one, 0);
	assert_refused(START, PAGE, MIG_POLICY_BIND, NULL, 0);
	assert_refused(START, PAGE, MIG_POLICY_INTERLEAVE, &none, 0);
	assert_refused(START, PAGE, MIG_POLICY_PREFER, &two, 0);
	assert_refused(START, PAGE, MIG_POLICY_PREFER, NULL, 0);
	assert_refused(START, PAGE, MIG_POLICY_DEFAULT, &one, 0);
	assert_refused(START, PAGE, (enum mig_policy)5, &one, 0);
	assert_refused(START, PAGE, MIG_POLICY_BIND, &one, 4);
	assert_int_equal(
		mig_range_bind(NULL, START, PAGE, MIG_POLICY_BIND, &one, 0, &binding),
		-EINVAL);
	assert_int_equal(
		mig_range_bind(&context, START, PAGE, MIG_POLICY_BIND, &one, 0, NULL),
		-EINVAL);
}

static void a_captured_machine_has_no_memory_to_bind(void **state)
{
	const struct mig_nodeset one = nodes_of(1);
	struct mig_context captured = context;
	struct mig_binding binding;

	(void)state;
	captured.live = false;
	assert_int_equal(mig_range_bind(&captured, START, PAGE, MIG_POLICY_BIND, &one, 0,
					&binding),
			 -EXDEV);
	assert_int_equal(script.nr_binds, 0);
}

/* The machine that the tests run on. */
static void memory_is_bound_to_the_node_that_there_is(void **state)
{
	const size_t length = 64 * (size_t)sysconf(_SC_PAGESIZE);
	const struct mig_nodeset one = nodes_of(1);
	struct mig_context *live = NULL;
	struct mig_binding binding;
	char *memory;
	int r;

	(void)state;
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	assert_true(memory != MAP_FAILED);
	memset(memory, 1, length / 2);
	assert_int_equal(mig_context_new(NULL, &live), 0);
	r = mig_range_bind(live, memory, length, MIG_POLICY_BIND, &one, MIG_BIND_MOVE,
			   &binding);
	mig_context_free(live);
	munmap(memory, length);
	if (r == -ENOSYS || r == -EPERM) {
		print_message("this machine does not let memory be bound: skipped\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(binding.policy, MIG_POLICY_BIND);
	assert_true(mig_nodeset_is_equal(&binding.nodes, &one));
	assert_int_equal(binding.misplaced_pages, 0);
	/* A huge page may have come instead of half the range. */
	assert_true(binding.resident_pages >= 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_policy_has_the_kernels_number, set_up),
		cmocka_unit_test_setup(the_mask_has_room_for_every_node, set_up),
		cmocka_unit_test_setup(flags_say_whose_pages_move, set_up),
		cmocka_unit_test_setup(what_the_kernel_did_not_move_is_counted, set_up),
		cmocka_unit_test_setup(the_length_counts_up_to_whole_pages, set_up),
		cmocka_unit_test_setup(a_default_policy_misplaces_nothing, set_up),
		cmocka_unit_test_setup(a_long_range_is_asked_for_in_bounded_pieces,
				       set_up),
		cmocka_unit_test_setup(the_policy_is_what_the_kernel_says_now, set_up),
		cmocka_unit_test_setup(a_kernel_without_weighted_interleave_says_so,
				       set_up),
		cmocka_unit_test_setup(errors_are_told_and_leave_the_answer_untouched,
				       set_up),
		cmocka_unit_test_setup(what_is_no_request_is_refused, set_up),
		cmocka_unit_test_setup(a_captured_machine_has_no_memory_to_bind, set_up),
		cmocka_unit_test(memory_is_bound_to_the_node_that_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
