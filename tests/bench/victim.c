/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <numaif.h>

#include "bench.h"

#define HUGE_BYTES ((size_t)2 << 20)

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Random content: a huge page of zeroes may turn into the zero page when it is split. */
static void fill(const struct bench_victim *victim)
{
	uint64_t state = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < victim->size_bytes / sizeof(state); i += 64) {
		state = state * 6364136223846793005 + 1442695040888963407;
		((uint64_t *)(void *)victim->start)[i] = state | 1;
	}
}

static void keep_longest(uint64_t *longest, uint64_t *since)
{
	uint64_t now = bench_now_ns();

	if (now - *since > *longest)
		*longest = now - *since;
	*since = now;
}

/* Works as programs do: writes here and there, and now and then takes fresh memory
 * and gives it back, as malloc(3) does. */
static void work(const struct bench_victim *victim)
{
	struct bench_counters *counters = victim->counters;
	uint64_t since = bench_now_ns();
	size_t at = 0;

	for (unsigned int step = 1;; step++) {
		if (!__atomic_load_n(&counters->working, __ATOMIC_ACQUIRE)) {
			usleep(1000);
			since = bench_now_ns();
			continue;
		}
		__atomic_fetch_add(&victim->start[at], 1, __ATOMIC_RELAXED);
		at = (at + 4096 * 257) % victim->size_bytes;
		keep_longest(&counters->longest_touch_ns, &since);
		if (step % 256)
			continue;
		char *fresh = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (fresh != MAP_FAILED) {
			*fresh = 1;
			munmap(fresh, 65536);
		}
		keep_longest(&counters->longest_map_ns, &since);
	}
}

static void live(struct bench_victim *victim)
{
	unsigned long node0 = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_mempolicy(MPOL_BIND, &node0, 65);
	fill(victim);
	set_mempolicy(MPOL_DEFAULT, NULL, 0);
	__atomic_store_n(&victim->counters->ready, true, __ATOMIC_RELEASE);
	work(victim);
}

static char *reserve(size_t size_bytes, bool huge)
{
	char *start = mmap(NULL, size_bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		bench_die("no address space for %zu bytes", size_bytes);
	start += HUGE_BYTES - (uintptr_t)start % HUGE_BYTES;
	madvise(start, size_bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	return start;
}

void bench_victim_start(struct bench_victim *victim, size_t size_bytes, bool huge)
{
	*victim = (struct bench_victim){
		.start = reserve(size_bytes, huge),
		.size_bytes = size_bytes,
		.unit_bytes = huge ? HUGE_BYTES : (size_t)sysconf(_SC_PAGESIZE),
		.counters = mmap(NULL, sizeof(*victim->counters), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	fflush(NULL);
	victim->pid = fork();
	if (!victim->pid)
		live(victim);
	if (victim->pid < 0 || victim->counters == MAP_FAILED)
		bench_die("cannot start a victim");
	while (!__atomic_load_n(&victim->counters->ready, __ATOMIC_ACQUIRE)) {
		usleep(10000);
		if (waitpid(victim->pid, NULL, WNOHANG) == victim->pid)
			bench_die(
				"the victim did not live: too little memory on node 0?");
	}
}

/* Where a program that only holds memory has it: the same in all of them. */
#define HELD_AT ((char *)0x200000000000)

int bench_hold_main(const char *text)
{
	size_t size_bytes = strtoul(text, NULL, 10);
	const struct bench_victim victim = {
		.start = mmap(HELD_AT, size_bytes, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
		.size_bytes = size_bytes,
	};
	unsigned long node0 = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (victim.start != HELD_AT)
		bench_die("no address space for %zu bytes", size_bytes);
	madvise(victim.start, size_bytes, MADV_NOHUGEPAGE);
	set_mempolicy(MPOL_BIND, &node0, 65);
	fill(&victim);
	set_mempolicy(MPOL_DEFAULT, NULL, 0);
	if (write(STDOUT_FILENO, "", 1) != 1)
		return 1;
	for (;;)
		pause();
}

void bench_victim_start_program(struct bench_victim *victim, size_t size_bytes)
{
	char size[32], byte;
	int ends[2];

	*victim = (struct bench_victim){
		.start = HELD_AT,
		.size_bytes = size_bytes,
		.unit_bytes = (size_t)sysconf(_SC_PAGESIZE),
	};
	snprintf(size, sizeof(size), "%zu", size_bytes);
	if (pipe(ends))
		bench_die("no pipe");
	victim->pid = fork();
	if (!victim->pid) {
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", bench_self, "hold", size, (char *)NULL);
		_exit(1);
	}
	close(ends[1]);
	if (victim->pid < 0 || read(ends[0], &byte, 1) != 1)
		bench_die("cannot start a program");
	close(ends[0]);
}

void bench_victim_stop(struct bench_victim *victim)
{
	kill(victim->pid, SIGKILL);
	waitpid(victim->pid, NULL, 0);
	if (!victim->counters)
		return;
	munmap(victim->counters, sizeof(*victim->counters));
	munmap(victim->start, victim->size_bytes);
}

int bench_victim_node(const struct bench_victim *victim)
{
	size_t nr = victim->size_bytes / victim->unit_bytes;
	int first = -1;

	for (size_t i = 0; i < nr; i++) {
		void *address = victim->start + i * victim->unit_bytes;
		int status = -1;

		if (move_pages(victim->pid, 1, &address, NULL, &status, 0) < 0 ||
		    status < 0 || (i && status != first))
			return -1;
		first = status;
	}
	return first;
}
