/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The truth of this machine: what is counted by presence is what numa_maps says, for
 * a process with memory of every kind that can be had here.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "context.h"
#include "handles.h"
#include "topology.h"

#define MEGA (UINT64_C(1) << 20)
#define MOST_TRIES 10

static int no_scan(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	return -ENOTTY;
}

static char *map(size_t length, int flags, int fd)
{
	char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		_exit(1);
	return memory;
}

/* One of each: touched, only read, huge, huge and only read, shared, of a pool. */
static void make_memory(size_t page)
{
	const size_t huge = page / 8 * page, length = 256 * MEGA;
	char *sparse = map(length, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *big = map(5 * huge, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *shared = map(MEGA, MAP_SHARED | MAP_ANONYMOUS, -1);
	char *pool = mmap(NULL, 2 * huge, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	int fd = memfd_create("unit", MFD_HUGETLB);
	volatile char seen;

	madvise(sparse, length, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < length; at += 3 * page)
		sparse[at] = 1;
	for (size_t at = page; at < length; at += 9 * page)
		seen = sparse[at];
	big += (huge - (uintptr_t)big % huge) % huge;
	madvise(big, 4 * huge, MADV_HUGEPAGE);
	big[0] = 1;
	seen = big[huge];
	big[2 * huge] = 1;
	(void)seen;
	memset(shared, 1, MEGA / 2);
	if (pool != MAP_FAILED)
		pool[0] = 1;
	if (fd < 0 || ftruncate(fd, (off_t)huge) < 0)
		return;
	pool = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pool != MAP_FAILED)
		pool[0] = 1;
}

static pid_t start_child(void)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* A test that fails does not come to its end. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_memory((size_t)sysconf(_SC_PAGESIZE));
		if (write(ends[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void count_child(const struct mig_calls *calls, pid_t pid, uint64_t *bytes)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(topology) struct mig_topology *topology = NULL;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP_MIG(residency) struct mig_residency *residency = NULL;
	int node;

	assert_int_equal(mig_context_new(NULL, &context), 0);
	mig_context_set_calls(context, calls);
	assert_int_equal(mig_topology_new(context, &topology), 0);
	node = mig_topology_get_only_node(topology);
	if (node == MIG_NO_NODE) {
		print_message("needs a machine with one node\n");
		skip();
	}
	assert_int_equal(mig_process_open(context, pid, &process), 0);
	assert_int_equal(mig_residency_new(context, &residency), 0);
	assert_int_equal(mig_residency_add_process(residency, topology, process), 0);
	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		bytes[kind] =
			mig_residency_get_bytes(residency, node, (enum mig_kind)kind);
}

static void the_real_kernel_says_the_same_as_numa_maps(void **state)
{
	uint64_t scanned[MIG_NR_KINDS], read_slowly[MIG_NR_KINDS];
	struct mig_calls slow = mig_calls_kernel;
	pid_t pid = start_child();

	(void)state;
	slow.pagemap_scan = no_scan;
	/* A page that the kernel moves at that moment, to make huge ones, is in neither. */
	for (int i = 0; i < MOST_TRIES; i++) {
		count_child(&mig_calls_kernel, pid, scanned);
		count_child(&slow, pid, read_slowly);
		if (!memcmp(scanned, read_slowly, sizeof(scanned)))
			break;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int kind = 0; kind < MIG_NR_KINDS; kind++)
		assert_int_equal(scanned[kind], read_slowly[kind]);
	assert_true(scanned[MIG_KIND_ANON] > 85 * MEGA);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_real_kernel_says_the_same_as_numa_maps),
	};

	return cmocka_run_group_tests_name("residency_live", tests, NULL, NULL);
}
