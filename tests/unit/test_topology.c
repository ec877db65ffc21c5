/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The topology of made-up machines with the surprises that real ones have. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "fake_machine.h"
#include "topology.h"

#define TIERS "sys/devices/virtual/memory_tiering"

static void assert_refused(void **state, int error)
{
	const struct fake_machine *machine = *state;
	struct mig_topology *topology = (struct mig_topology *)-1;

	assert_int_equal(mig_topology_new(machine->context, &topology), error);
	assert_ptr_equal(topology, (struct mig_topology *)-1);
}

static void assert_nodes(const struct mig_topology *topology,
			 enum mig_node_class node_class, const char *expected)
{
	char buffer[256];

	mig_nodeset_format(mig_topology_get_nodes(topology, node_class), buffer,
			   sizeof(buffer));
	assert_string_equal(buffer, expected);
}

/* Two sockets and a memory expander whose number leaves a gap. */
static void put_machine(void **state)
{
	fake_machine_write(state, NODES "/possible", "0-255\n");
	fake_machine_write(state, NODES "/online", "0-1,255\n");
	fake_machine_write(state, NODES "/has_memory", "0-1,255\n");
	fake_machine_write(state, NODES "/has_cpu", "0-1\n");
	fake_machine_write(state, "proc/self/status",
			   "Name:\tx\nMems_allowed_list:\t0,255\n");
	fake_machine_write_node(state, 0, "0-3,8-11\n", "10 21 14\n", 1000);
	fake_machine_write_node(state, 1, "4-7,12-15\n", "22 10 24\n", 1000);
	fake_machine_write_node(state, 255, "\n", "15 25 10\n", 4000);
}

static void classes_of_nodes_are_read(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_nodes(topology, MIG_NODES_POSSIBLE, "0-255");
	assert_nodes(topology, MIG_NODES_ONLINE, "0-1,255");
	assert_nodes(topology, MIG_NODES_MEMORY, "0-1,255");
	assert_nodes(topology, MIG_NODES_CPU, "0-1");
	assert_nodes(topology, MIG_NODES_ALLOWED, "0,255");
	assert_int_equal(mig_topology_get_only_node(topology), MIG_NO_NODE);
}

static void a_class_that_does_not_exist_is_empty(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_nodes(topology, (enum mig_node_class)5, "");
	assert_nodes(topology, (enum mig_node_class) - 1, "");
	assert_nodes(NULL, MIG_NODES_ONLINE, "");
}

static void distance_columns_follow_the_online_nodes(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_get_distance(topology, 0, 0), 10);
	assert_int_equal(mig_topology_get_distance(topology, 0, 255), 14);
	assert_int_equal(mig_topology_get_distance(topology, 1, 255), 24);
	assert_int_equal(mig_topology_get_distance(topology, 255, 1), 25);
	assert_int_equal(mig_topology_get_distance(topology, 255, 255), 10);
}

static void distances_may_be_asymmetric(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_get_distance(topology, 0, 1), 21);
	assert_int_equal(mig_topology_get_distance(topology, 1, 0), 22);
}

static void the_distance_of_a_node_that_is_not_there_is_unknown(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_get_distance(topology, 0, 2), 0);
	assert_int_equal(mig_topology_get_distance(topology, 2, 0), 0);
	assert_int_equal(mig_topology_get_distance(topology, -1, 0), 0);
	assert_int_equal(mig_topology_get_distance(topology, 0, MIG_MAX_NODES), 0);
}

static void distances_with_too_few_or_too_many_columns_are_unknown(void **state)
{
	const struct fake_machine *machine = *state;
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, NODES "/node0/distance", "10 21\n");
	topology = fake_machine_read_topology(state);
	assert_non_null(strstr(machine->root->log, "node0/distance"));
	assert_int_equal(mig_topology_get_distance(topology, 0, 1), 0);
	assert_int_equal(mig_topology_get_distance(topology, 1, 0), 22);
	fake_machine_write(state, NODES "/node0/distance", "10 21 14 30\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_get_distance(topology, 0, 1), 0);
}

static void distances_of_1024_nodes_are_read(void **state)
{
	CLEANUP_FREE char *row = malloc(1024 * 4 + 1);
	const struct mig_topology *topology;
	size_t length = 0;

	assert_non_null(row);
	for (int i = 0; i < MIG_MAX_NODES; i++)
		length += (size_t)sprintf(row + length, "%d ", i == 1023 ? 10 : 200);
	fake_machine_write(state, NODES "/online", "0-1023\n");
	fake_machine_write(state, NODES "/node1023/distance", row);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_get_distance(topology, 1023, 1023), 10);
	assert_int_equal(mig_topology_get_distance(topology, 1023, 0), 200);
	assert_int_equal(mig_topology_get_distance(topology, 0, 1023), 0);
}

static void cpus_are_found_on_their_nodes(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_string_equal(mig_topology_get_cpulist(topology, 0), "0-3,8-11");
	assert_string_equal(mig_topology_get_cpulist(topology, 255), "");
	assert_string_equal(mig_topology_get_cpulist(topology, 7), "");
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 0), 0);
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 3), 0);
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 4), 1);
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 11), 0);
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 15), 1);
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 16), MIG_NO_NODE);
}

static void a_node_may_have_neither_cpus_nor_memory(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, NODES "/online", "0-1,7,255\n");
	fake_machine_write_node(state, 7, "\n", "30 30 10 30\n", 0);
	topology = fake_machine_read_topology(state);
	assert_nodes(topology, MIG_NODES_ONLINE, "0-1,7,255");
	assert_nodes(topology, MIG_NODES_MEMORY, "0-1,255");
	assert_string_equal(mig_topology_get_cpulist(topology, 7), "");
	assert_int_equal(mig_topology_get_distance(topology, 7, 255), 30);
}

static void files_may_end_in_nul_bytes(void **state)
{
	const struct fake_machine *machine = *state;
	const struct mig_topology *topology;

	put_machine(state);
	fake_root_write_bytes(machine->root, NODES "/online", "0-1,255\n\0\0\0", 11);
	fake_root_write_bytes(machine->root, NODES "/node0/cpulist", "0-3\n\0\0", 6);
	fake_root_write_bytes(machine->root, NODES "/node0/distance", "10 21 14\n\0", 10);
	topology = fake_machine_read_topology(state);
	assert_nodes(topology, MIG_NODES_ONLINE, "0-1,255");
	assert_string_equal(mig_topology_get_cpulist(topology, 0), "0-3");
	assert_int_equal(mig_topology_get_distance(topology, 0, 255), 14);
}

static void without_the_list_of_online_nodes_their_directories_tell(void **state)
{
	const struct fake_machine *machine = *state;
	const struct mig_topology *topology;

	put_machine(state);
	fake_root_remove(machine->root, NODES "/online");
	fake_machine_write(state, NODES "/node5000/cpulist", "0\n");
	fake_machine_write(state, NODES "/nodename/cpulist", "0\n");
	topology = fake_machine_read_topology(state);
	assert_nodes(topology, MIG_NODES_ONLINE, "0-1,255");
	assert_int_equal(mig_topology_get_distance(topology, 255, 1), 25);
}

static void an_empty_list_of_online_nodes_is_as_none(void **state)
{
	put_machine(state);
	fake_machine_write(state, NODES "/online", "\n");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_ONLINE, "0-1,255");
}

static void without_has_memory_the_totals_tell(void **state)
{
	const struct fake_machine *machine = *state;

	put_machine(state);
	fake_root_remove(machine->root, NODES "/has_memory");
	fake_machine_write_node(state, 1, "4-7\n", "22 10 24\n", 0);
	fake_root_remove(machine->root, NODES "/node255/meminfo");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_MEMORY, "0");
	assert_int_equal(mig_topology_get_only_node(machine->topology), 0);
}

static void without_has_cpu_the_cpu_lists_tell(void **state)
{
	const struct fake_machine *machine = *state;

	put_machine(state);
	fake_root_remove(machine->root, NODES "/has_cpu");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_CPU, "0-1");
}

static void without_the_possible_nodes_the_online_ones_are_possible(void **state)
{
	const struct fake_machine *machine = *state;

	put_machine(state);
	fake_root_remove(machine->root, NODES "/possible");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_POSSIBLE, "0-1,255");
}

static void without_a_cpuset_every_node_with_memory_is_allowed(void **state)
{
	const struct fake_machine *machine = *state;

	put_machine(state);
	fake_machine_write(state, "proc/self/status", "Name:\tx\n");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_ALLOWED, "0-1,255");
	fake_root_remove(machine->root, "proc");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_ALLOWED, "0-1,255");
}

static void allowed_nodes_have_memory(void **state)
{
	put_machine(state);
	fake_machine_write(state, NODES "/has_memory", "0\n");
	fake_machine_write(state, "proc/self/status", "Mems_allowed_list:\t0-1023\n");
	assert_nodes(fake_machine_read_topology(state), MIG_NODES_ALLOWED, "0");
}

static void a_kernel_without_numa_is_one_node(void **state)
{
	const struct mig_topology *topology;
	struct mig_node_memory memory;

	fake_machine_write(state, "sys/devices/system/cpu/online", "0-7\n");
	fake_machine_write(state, "proc/meminfo",
			   "MemTotal:  1000 kB\nMemFree:    400 kB\nBuffers:     50 kB\n"
			   "Cached:     300 kB\nSwapCached:   9 kB\nShmem:      100 kB\n"
			   "AnonPages:   70 kB\n");
	fake_machine_write(state, "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
			   "3\n");
	fake_machine_write(
		state, "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "1\n");
	topology = fake_machine_read_topology(state);
	for (int node_class = 0; node_class <= MIG_NODES_ALLOWED; node_class++)
		assert_nodes(topology, (enum mig_node_class)node_class, "0");
	assert_int_equal(mig_topology_get_only_node(topology), 0);
	assert_int_equal(mig_topology_get_distance(topology, 0, 0), 10);
	assert_string_equal(mig_topology_get_cpulist(topology, 0), "0-7");
	assert_int_equal(mig_topology_get_node_of_cpu(topology, 7), 0);
	assert_int_equal(mig_topology_get_tier(topology, 0), -1);
	assert_int_equal(mig_topology_read_memory(topology, 0, &memory), 0);
	assert_int_equal(memory.total_bytes, 1000 << 10);
	assert_int_equal(memory.free_bytes, 400 << 10);
	assert_int_equal(memory.file_bytes, 250 << 10);
	assert_int_equal(memory.shmem_bytes, 100 << 10);
	assert_int_equal(memory.anon_bytes, 70 << 10);
	assert_int_equal(memory.hugetlb_total_bytes, 3 << 21);
	assert_int_equal(memory.hugetlb_free_bytes, 1 << 21);
	assert_true(memory.room_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.slab_bytes == MIG_UNKNOWN_BYTES);
}

static void files_that_do_not_parse_are_named(void **state)
{
	static const struct {
		const char *path;
		const char *text;
	} cases[] = {
		{ NODES "/online", "0-x\n" },
		{ NODES "/online", "3-1\n" },
		{ NODES "/online", "0-1024\n" },
		{ NODES "/possible", "all\n" },
		{ NODES "/has_memory", "0,,1\n" },
		{ NODES "/has_cpu", "-1\n" },
		{ NODES "/node0/cpulist", "0-3,x\n" },
		{ NODES "/node0/cpulist", "3-0\n" },
		{ NODES "/node1/distance", "10 x 21\n" },
		{ NODES "/node1/distance", "10 256 21\n" },
		{ NODES "/node1/distance", "10,20,21\n" },
		{ "proc/self/status", "Mems_allowed_list:\t0-\n" },
		{ TIERS "/memory_tier4/nodelist", "zero\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fake_machine *machine = *state;

		put_machine(state);
		fake_machine_write(state, cases[i].path, cases[i].text);
		machine->root->log[0] = '\0';
		assert_refused(state, -EBADMSG);
		assert_non_null(strstr(machine->root->log, cases[i].path));
		fake_root_remove(machine->root, "sys");
	}
}

static void tiers_are_read(void **state)
{
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, TIERS "/memory_tier4/nodelist", "0-1\n");
	fake_machine_write(state, TIERS "/memory_tier22/nodelist", "255\n");
	fake_machine_write(state, TIERS "/uevent", "");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_get_tier(topology, 0), 4);
	assert_int_equal(mig_topology_get_tier(topology, 1), 4);
	assert_int_equal(mig_topology_get_tier(topology, 255), 22);
	assert_int_equal(mig_topology_get_tier(topology, 9), -1);
}

static void without_tiers_none_is_told(void **state)
{
	put_machine(state);
	assert_int_equal(mig_topology_get_tier(fake_machine_read_topology(state), 0), -1);
}

static void performance_comes_from_the_best_initiators(void **state)
{
	struct mig_node_performance p;
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, NODES "/node0/access0/initiators/read_bandwidth",
			   "8000\n");
	fake_machine_write(state, NODES "/node0/access0/initiators/write_bandwidth",
			   "7000\n");
	fake_machine_write(state, NODES "/node0/access0/initiators/read_latency", "90\n");
	fake_machine_write(state, NODES "/node0/access0/initiators/write_latency",
			   "91\n");
	fake_machine_write(state, NODES "/node0/access1/initiators/read_bandwidth",
			   "1\n");
	fake_machine_write(state, NODES "/node255/access0/initiators/node0", "");
	fake_machine_write(state, NODES "/node255/access1/initiators/read_latency",
			   "250\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_performance(topology, 0, &p), 0);
	assert_int_equal(p.read_bandwidth_mbps, 8000);
	assert_int_equal(p.write_bandwidth_mbps, 7000);
	assert_int_equal(p.read_latency_ns, 90);
	assert_int_equal(p.write_latency_ns, 91);
	assert_int_equal(mig_topology_read_performance(topology, 255, &p), 0);
	assert_int_equal(p.read_bandwidth_mbps, 0);
	assert_int_equal(p.read_latency_ns, 250);
}

static void performance_that_does_not_parse_is_named(void **state)
{
	static const char path[] = NODES "/node1/access1/initiators/write_bandwidth";
	struct fake_machine *machine = *state;
	const struct mig_topology *topology;
	struct mig_node_performance p;

	put_machine(state);
	fake_machine_write(state, path, "-1\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_performance(topology, 0, &p), -ENODATA);
	assert_int_equal(mig_topology_read_performance(topology, 1, &p), -EBADMSG);
	assert_non_null(strstr(machine->root->log, path));
	fake_machine_write(state, path, "17x\n");
	assert_int_equal(mig_topology_read_performance(topology, 1, &p), -EBADMSG);
}

static void performance_that_is_not_told_is_no_data(void **state)
{
	struct mig_node_performance p = { .read_latency_ns = 7 };
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, NODES "/node0/access0/initiators/read_bandwidth",
			   "0\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_performance(topology, 0, &p), -ENODATA);
	assert_int_equal(mig_topology_read_performance(topology, 9, &p), -ENODEV);
	assert_int_equal(mig_topology_read_performance(topology, 0, NULL), -EINVAL);
	assert_int_equal(mig_topology_read_performance(NULL, 0, &p), -EINVAL);
	assert_int_equal(p.read_latency_ns, 7);
}

static void null_is_refused(void **state)
{
	struct fake_machine *machine = *state;

	assert_int_equal(mig_topology_new(NULL, &machine->topology), -EINVAL);
	assert_int_equal(mig_topology_new(machine->context, NULL), -EINVAL);
	mig_topology_free(NULL);
}

/* What holds on every machine, this one and the captured ones. */
static void check_invariants(const struct mig_topology *topology)
{
	const struct mig_nodeset *online =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);
	const struct mig_nodeset *memory_nodes =
		mig_topology_get_nodes(topology, MIG_NODES_MEMORY);
	int node = MIG_NO_NODE;

	assert_int_not_equal(mig_nodeset_count(online), 0);
	assert_int_not_equal(mig_nodeset_count(memory_nodes), 0);
	assert_true(mig_nodeset_is_subset(
		online, mig_topology_get_nodes(topology, MIG_NODES_POSSIBLE)));
	assert_true(mig_nodeset_is_subset(memory_nodes, online));
	assert_true(mig_nodeset_is_subset(mig_topology_get_nodes(topology, MIG_NODES_CPU),
					  online));
	assert_true(mig_nodeset_is_subset(
		mig_topology_get_nodes(topology, MIG_NODES_ALLOWED), memory_nodes));
	while ((node = mig_nodeset_next(online, node)) != MIG_NO_NODE) {
		struct mig_node_memory memory;

		assert_int_equal(mig_topology_get_distance(topology, node, node), 10);
		assert_int_equal(
			*mig_topology_get_cpulist(topology, node) != '\0',
			mig_nodeset_has(mig_topology_get_nodes(topology, MIG_NODES_CPU),
					node));
		assert_int_equal(mig_topology_read_memory(topology, node, &memory), 0);
		assert_int_equal(memory.total_bytes != 0,
				 mig_nodeset_has(memory_nodes, node));
		assert_true(memory.free_bytes <= memory.total_bytes);
		assert_true(memory.file_bytes <= memory.total_bytes);
		assert_true(memory.hugetlb_free_bytes <= memory.hugetlb_total_bytes);
	}
}

static void this_machine_is_read(void **state)
{
	struct mig_context *context;
	struct mig_topology *topology;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_topology_new(context, &topology), 0);
	check_invariants(topology);
	mig_topology_free(topology);
	mig_context_free(context);
}

static void check_captured_machine(const char *path)
{
	const struct mig_context_options options = {
		.size = sizeof(options),
		.root_path = path,
	};
	struct mig_context *context;
	struct mig_topology *topology;

	print_message("looking at %s\n", path);
	assert_int_equal(mig_context_new(&options, &context), 0);
	assert_int_equal(mig_topology_new(context, &topology), 0);
	check_invariants(topology);
	mig_topology_free(topology);
	mig_context_free(context);
}

static void every_captured_machine_is_read(void **state)
{
	const char *directory = getenv("TESTS_SYSROOT");
	struct dirent **entries;
	int nr_entries, nr_machines = 0;

	(void)state;
	if (!directory) {
		print_message("TESTS_SYSROOT is not set\n");
		skip();
	}
	nr_entries = scandir(directory, &entries, NULL, alphasort);
	assert_true(nr_entries >= 0);
	for (int i = 0; i < nr_entries; i++) {
		CLEANUP_FREE struct dirent *entry = entries[i];
		char path[4096], probe[4200];

		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		snprintf(probe, sizeof(probe), "%s/sys/devices/system", path);
		if (*entry->d_name == '.' || access(probe, F_OK))
			continue;
		check_captured_machine(path);
		nr_machines++;
	}
	free(entries);
	assert_int_not_equal(nr_machines, 0);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(classes_of_nodes_are_read),
		TEST(a_class_that_does_not_exist_is_empty),
		TEST(distance_columns_follow_the_online_nodes),
		TEST(distances_may_be_asymmetric),
		TEST(the_distance_of_a_node_that_is_not_there_is_unknown),
		TEST(distances_with_too_few_or_too_many_columns_are_unknown),
		TEST(distances_of_1024_nodes_are_read),
		TEST(cpus_are_found_on_their_nodes),
		TEST(a_node_may_have_neither_cpus_nor_memory),
		TEST(files_may_end_in_nul_bytes),
		TEST(without_the_list_of_online_nodes_their_directories_tell),
		TEST(an_empty_list_of_online_nodes_is_as_none),
		TEST(without_has_memory_the_totals_tell),
		TEST(without_has_cpu_the_cpu_lists_tell),
		TEST(without_the_possible_nodes_the_online_ones_are_possible),
		TEST(without_a_cpuset_every_node_with_memory_is_allowed),
		TEST(allowed_nodes_have_memory),
		TEST(a_kernel_without_numa_is_one_node),
		TEST(files_that_do_not_parse_are_named),
		TEST(tiers_are_read),
		TEST(without_tiers_none_is_told),
		TEST(performance_comes_from_the_best_initiators),
		TEST(performance_that_does_not_parse_is_named),
		TEST(performance_that_is_not_told_is_no_data),
		TEST(null_is_refused),
		cmocka_unit_test(this_machine_is_read),
		cmocka_unit_test(every_captured_machine_is_read),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
