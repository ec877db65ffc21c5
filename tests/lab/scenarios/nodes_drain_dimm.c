// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drain --offline of a memory module with something of everything on it, to the node that
 * was asked for; the module is pulled out, and put in again. On the layout "hotplug": node
 * 2 is a module of 1 GiB in zone Movable, nearer to node 0 than to node 1.
 */
#include "lab_drain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "/sys/devices/system/memory"
#define NODE "/sys/devices/system/node/node2"
#define MONITOR "/run/lab/monitor"
#define PLUG_IN "device_add pc-dimm,id=dimm2,memdev=dimm2,node=2"
#define NR_KINDS 6
#define WAIT_SECONDS 120

/* A program that runs from pages on the module. */
static struct run *run_from(struct lab *lab, const struct lab_disk *disk)
{
	char program[80], comm[32];
	struct run *run;

	snprintf(program, sizeof(program), "%s/sleep", disk->path);
	lab_shell(lab, NULL, "numactl --membind=2 cp /bin/sleep %s && sync %s", program,
		  program);
	run = lab_program(lab, "numactl --membind=2 %s 600", program);
	snprintf(comm, sizeof(comm), "/proc/%d/comm", run->pid);
	for (double deadline = lab_now() + 60;
	     strcmp(lab_read(comm), "sleep") ||
	     !oracle_count_flag(lab_look_pid(lab, run->pid), ORACLE_FILE, 2, 0,
				UINT64_MAX);) {
		assert_true(lab_now() < deadline);
		usleep(50000);
	}
	return run;
}

static void bring_all_back(struct lab *lab)
{
	static const char back[] =
		"for block in " MEMORY "/memory[0-9]*; do "
		"grep -q offline $block/state && echo online_movable >$block/state; "
		"done; true";

	lab_shell(lab, back, "%s", back);
	assert_int_equal(lab_blocks_in_state(2, "online"), 8);
}

static uint64_t total_kib(void)
{
	uint64_t kib = 0;

	assert_int_equal(sscanf(lab_read("/proc/meminfo"), "MemTotal: %" SCNu64, &kib),
			 1);
	return kib;
}

static void await_node(bool there)
{
	for (double deadline = lab_now() + WAIT_SECONDS; !access(NODE, F_OK) != there;) {
		assert_true(lab_now() < deadline);
		usleep(50000);
	}
}

/* Without its node and a trace; until the test is over, or plug_in(). */
static void pull_out(struct lab *lab, uint64_t kib_before)
{
	lab_shell(lab, "[ -e " NODE " ] || echo " PLUG_IN " >" MONITOR,
		  "echo device_del dimm2 >" MONITOR);
	await_node(false);
	assert_string_equal(lab_read("/sys/devices/system/node/online"), "0-1");
	assert_in_range(total_kib(), kib_before - 1050 * 1024, kib_before - 1000 * 1024);
}

/* What is new comes online by itself, as the machine was told when it was started. */
static void plug_in(struct lab *lab)
{
	lab_shell(lab, NULL, "echo " PLUG_IN " >" MONITOR);
	await_node(true);
	for (double deadline = lab_now() + WAIT_SECONDS;
	     lab_blocks_in_state(2, "online") < 8;) {
		assert_true(lab_now() < deadline);
		usleep(50000);
	}
}

static void a_module_with_all_kinds_is_pulled_out_and_put_in_again(void **state)
{
	static const char *const kinds[NR_KINDS] = { "anon",  "thp",   "mlocked",
						     "shmem", "tmpfs", "hugetlb" };
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	const char *path = lab_path(&disk, "file");
	struct victim *victims[NR_KINDS];
	struct run *program, *run;
	uint64_t kib_before;
	struct lab_io io;

	bring_all_back(lab);
	kib_before = total_kib();
	lab_hugetlb_pool(lab, 2, 8);
	for (size_t i = 0; i < NR_KINDS; i++)
		victims[i] = lab_victim(lab, "--kind %s --size 16M --at 2", kinds[i]);
	program = run_from(lab, &disk);
	lab_write_file(path, 2, 0, 16 * MEBIBYTE, 7);
	lab_settle_lru();
	lab_shell(lab, NULL, "find %s >/dev/null", disk.path);
	io = lab_disk_io(&disk);
	run = lab_drain(lab, "--to 1 --offline --require 98 --search %s 2", disk.path);
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(lab_blocks_in_state(2, "offline"), 8);
	pull_out(lab, kib_before);
	lab_assert_no_io(&disk, &io);
	for (size_t i = 0; i < NR_KINDS; i++) {
		lab_assert_all_on(lab, victims[i], 1);
		lab_assert_intact(victims[i]);
	}
	lab_assert_file_on(lab, path, 1, 16 * PAGES_PER_MEBIBYTE);
	lab_assert_file(path, 0, 16 * MEBIBYTE, 7);
	assert_false(lab_has_ended(program));
	assert_int_equal(oracle_count(lab_look_pid(lab, program->pid), 2, 0, UINT64_MAX),
			 0);
	run = lab_drain(lab, "--offline 2");
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "'2': no such node");
	plug_in(lab);
	lab_assert_moves(lab, victims[0], "--to 2");
	lab_assert_all_on(lab, victims[0], 2);
}

static void a_node_without_memory_is_as_it_should_be(void **state)
{
	struct lab *lab = *state;
	struct run *run;

	bring_all_back(lab);
	run = lab_drain(lab, "--offline --require 90 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	run = lab_drain(lab, "--offline 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	lab_assert_says(run, "node 2: no memory to be drained");
	assert_int_equal(run->nr_reports, 0);
	run = lab_migratectl(lab, "drain --to 2 1");
	lab_assert_status(run, EXIT_FAILED);
	lab_assert_says(run, "a destination has no memory");
	run = lab_migratectl(lab, "drain --online --movable 2");
	lab_assert_status(run, EXIT_IN_PLACE);
	assert_int_equal(lab_blocks_in_state(2, "online"), 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_module_with_all_kinds_is_pulled_out_and_put_in_again),
		LAB_TEST(a_node_without_memory_is_as_it_should_be),
	};

	return lab_main(tests, 3);
}
