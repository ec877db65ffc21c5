/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Node sets and their grammar. The made-up machine has the online nodes 0, 1, 4, 5
 * and 8, of which 5 has no memory and 8 is not allowed by the caller's cpuset.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_machine.h"

#define NIC "sys/devices/pci0000:00/0000:00:01.0/0000:3b:00.0"

/* What libnuma would say; it answers nothing but addresses. */
static int answer_ip(const char *text, uint64_t *ret_bits, size_t nr_words)
{
	if (strcmp(text, "ip:127.1.2.3") != 0 || nr_words != MIG_MAX_NODES / 64)
		return -ENOENT;
	memset(ret_bits, 0, nr_words * sizeof(*ret_bits));
	ret_bits[0] = 1 << 1;
	return 0;
}

static void write_nodes(struct fake_root *root)
{
	fake_root_write(root, NODES "/possible", "0-15\n");
	fake_root_write(root, NODES "/online", "0-1,4-5,8\n");
	fake_root_write(root, NODES "/has_memory", "0-1,4,8\n");
	fake_root_write(root, NODES "/has_cpu", "0-1\n");
	fake_root_write(root, "proc/self/status",
			"Name:\tx\nMems_allowed:\t1f\nMems_allowed_list:\t0-4\n");
}

static void write_devices(struct fake_root *root)
{
	fake_root_write(root, NIC "/numa_node", "4\n");
	fake_root_write(root, NIC "/virtio0/net/eth0.100/mtu", "1500\n");
	fake_root_link(root, "sys/class/net/eth0.100",
		       "../../../" NIC "/virtio0/net/eth0.100");
	fake_root_link(root, "sys/bus/pci/devices/0000:3b:00.0", "../../../../" NIC);
	fake_root_write(root, "sys/devices/virtual/net/lo/mtu", "65536\n");
	fake_root_link(root, "sys/class/net/lo", "../../devices/virtual/net/lo");
	fake_root_write(root, "sys/devices/pci0000:00/0000:00:02.0/numa_node", "-1\n");
	fake_root_write(root, "sys/devices/pci0000:00/0000:00:02.0/block/vda/dev",
			"254:0\n");
	fake_root_link(root, "sys/class/block/vda",
		       "../../devices/pci0000:00/0000:00:02.0/block/vda");
	fake_root_write(root, "sys/devices/pci0000:00/0000:00:03.0/numa_node", "9\n");
	fake_root_link(root, "sys/bus/pci/devices/0000:00:03.0",
		       "../../../devices/pci0000:00/0000:00:03.0");
}

static int set_up(void **state)
{
	static struct mig_calls calls;
	struct fake_machine *machine;

	calls = mig_calls_kernel;
	calls.device_nodes = answer_ip;
	fake_machine_set_up(state);
	machine = *state;
	write_nodes(machine->root);
	write_devices(machine->root);
	fake_machine_set_calls(state, &calls);
	fake_machine_read_topology(state);
	return 0;
}

static int parse(void **state, const char *text, struct mig_nodeset *set)
{
	const struct fake_machine *machine = *state;
	size_t length = strlen(text);
	/* Without a NUL behind it, so that sanitizers see a read too far. */
	char *exact = malloc(length ? length : 1);
	int r;

	assert_non_null(exact);
	memcpy(exact, text, length);
	r = mig_nodeset_parse(machine->topology, exact, length, set);
	free(exact);
	return r;
}

static void assert_parses(void **state, const char *text, const char *expected)
{
	struct mig_nodeset set;
	char buffer[256];

	if (parse(state, text, &set) != 0)
		fail_msg("'%s' was refused: %d", text, parse(state, text, &set));
	mig_nodeset_format(&set, buffer, sizeof(buffer));
	assert_string_equal(buffer, expected);
}

static void assert_refused(void **state, const char *text, int error)
{
	struct mig_nodeset set, before;
	int r;

	memset(&set, 0x5a, sizeof(set));
	before = set;
	r = parse(state, text, &set);
	if (r != error)
		fail_msg("'%s' gave %d, not %d", text, r, error);
	assert_memory_equal(&set, &before, sizeof(set));
}

static void a_set_holds_what_was_added(void **state)
{
	struct mig_nodeset set = { 0 };

	(void)state;
	mig_nodeset_add(&set, 0);
	mig_nodeset_add(&set, 63);
	mig_nodeset_add(&set, 64);
	mig_nodeset_add(&set, MIG_MAX_NODES - 1);
	assert_true(mig_nodeset_has(&set, 0));
	assert_true(mig_nodeset_has(&set, 63));
	assert_true(mig_nodeset_has(&set, 64));
	assert_true(mig_nodeset_has(&set, MIG_MAX_NODES - 1));
	assert_false(mig_nodeset_has(&set, 1));
	assert_int_equal(mig_nodeset_count(&set), 4);
	mig_nodeset_remove(&set, 63);
	assert_false(mig_nodeset_has(&set, 63));
	assert_int_equal(mig_nodeset_count(&set), 3);
}

static void numbers_out_of_range_are_ignored(void **state)
{
	struct mig_nodeset set = { 0 };

	(void)state;
	mig_nodeset_add(&set, -1);
	mig_nodeset_add(&set, MIG_MAX_NODES);
	mig_nodeset_remove(&set, -1);
	mig_nodeset_remove(&set, MIG_MAX_NODES);
	assert_int_equal(mig_nodeset_count(&set), 0);
	assert_false(mig_nodeset_has(&set, -1));
	assert_false(mig_nodeset_has(&set, MIG_MAX_NODES));
}

static void a_walk_sees_every_node_once_in_order(void **state)
{
	static const int nodes[] = { 0, 1, 62, 63, 64, 127, 128, 500, 1022, 1023 };
	struct mig_nodeset set = { 0 };
	int node = MIG_NO_NODE;

	(void)state;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		mig_nodeset_add(&set, nodes[i]);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		node = mig_nodeset_next(&set, node);
		assert_int_equal(node, nodes[i]);
	}
	assert_int_equal(mig_nodeset_next(&set, node), MIG_NO_NODE);
	assert_int_equal(mig_nodeset_next(&set, 100000), MIG_NO_NODE);
	/* From a number that is not in it. */
	assert_int_equal(mig_nodeset_next(&set, 200), 500);
}

static void an_empty_set_has_no_first_node(void **state)
{
	struct mig_nodeset set = { 0 };

	(void)state;
	assert_int_equal(mig_nodeset_next(&set, MIG_NO_NODE), MIG_NO_NODE);
}

static void sets_are_compared_and_combined(void **state)
{
	struct mig_nodeset a = { 0 }, b = { 0 };

	(void)state;
	mig_nodeset_add(&a, 3);
	mig_nodeset_add(&b, 3);
	mig_nodeset_add(&b, 900);
	assert_false(mig_nodeset_is_equal(&a, &b));
	assert_true(mig_nodeset_is_subset(&a, &b));
	assert_false(mig_nodeset_is_subset(&b, &a));
	mig_nodeset_and(&b, &a);
	assert_true(mig_nodeset_is_equal(&a, &b));
	mig_nodeset_add(&b, 900);
	mig_nodeset_or(&a, &b);
	assert_true(mig_nodeset_is_equal(&a, &b));
	assert_int_equal(mig_nodeset_count(&a), 2);
}

static void ranges_are_written_short(void **state)
{
	struct mig_nodeset set = { 0 };
	char buffer[64];

	(void)state;
	for (int node = 0; node < 4; node++)
		mig_nodeset_add(&set, node);
	mig_nodeset_add(&set, 5);
	mig_nodeset_add(&set, 1022);
	mig_nodeset_add(&set, 1023);
	assert_int_equal(mig_nodeset_format(&set, buffer, sizeof(buffer)), 15);
	assert_string_equal(buffer, "0-3,5,1022-1023");
}

static void an_empty_set_is_written_as_nothing(void **state)
{
	struct mig_nodeset set = { 0 };
	char buffer[4] = "xyz";

	(void)state;
	assert_int_equal(mig_nodeset_format(&set, buffer, sizeof(buffer)), 0);
	assert_string_equal(buffer, "");
}

static void what_does_not_fit_is_cut_off_and_measured(void **state)
{
	struct mig_nodeset set = { 0 };
	char whole[8192], part[8192];
	size_t length;

	(void)state;
	for (int node = 0; node < MIG_MAX_NODES; node += 2)
		mig_nodeset_add(&set, node);
	length = mig_nodeset_format(&set, whole, sizeof(whole));
	assert_int_equal(length, strlen(whole));
	assert_int_equal(mig_nodeset_format(&set, NULL, 0), length);
	for (size_t size = 1; size <= length + 1; size++) {
		memset(part, 'x', sizeof(part));
		assert_int_equal(mig_nodeset_format(&set, part, size), length);
		assert_int_equal(strlen(part), size - 1);
		assert_memory_equal(part, whole, size - 1);
		assert_int_equal(part[size], 'x');
	}
}

static void numbers_ranges_and_lists_are_read(void **state)
{
	assert_parses(state, "0", "0");
	assert_parses(state, "0,4", "0,4");
	assert_parses(state, "4,0,4", "0,4");
	assert_parses(state, "0-1,8", "0-1,8");
	assert_parses(state, "4-4", "4");
}

static void a_range_passes_over_numbers_that_no_node_has(void **state)
{
	assert_parses(state, "0-8", "0-1,4-5,8");
}

static void all_is_what_the_cpuset_allows_and_has_memory(void **state)
{
	assert_parses(state, "all", "0-1,4");
	assert_parses(state, "+all", "0-1,4");
}

static void an_exclamation_mark_takes_the_other_allowed_nodes(void **state)
{
	assert_parses(state, "!0", "1,4");
	assert_parses(state, "!1,8", "0,4");
	assert_parses(state, "!+0-1", "4");
}

static void a_plus_counts_the_allowed_nodes(void **state)
{
	assert_parses(state, "+0", "0");
	assert_parses(state, "+2", "4");
	assert_parses(state, "+1-2", "1,4");
	assert_parses(state, "+2,0", "0,4");
}

static void nothing_but_a_set_is_refused(void **state)
{
	static const char *const texts[] = {
		"",     "!",     "+",    ",",     "0,",   ",0",     "0,,1", "0-",   "-1",
		"0--1", "0-1-",  "0 ",   " 0",    "0x1",  "1e0",    "0;1",  "same", "All",
		"all,", "0,all", "all0", "!all ", "!!0",  "+!0",    "++0",  "0\n",  "+-1",
		"0+1",  "0-+1",  "٠",    "any",   "none", "+all,0",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_refused(state, texts[i], -EINVAL);
}

static void a_nul_byte_in_the_text_is_refused(void **state)
{
	const struct fake_machine *machine = *state;
	struct mig_nodeset set;

	assert_int_equal(mig_nodeset_parse(machine->topology, "0\0", 2, &set), -EINVAL);
	assert_int_equal(
		mig_nodeset_parse(machine->topology, "netdev:eth0.100\0x", 17, &set),
		-EINVAL);
}

static void a_range_that_runs_backwards_is_refused(void **state)
{
	assert_refused(state, "1-0", -ERANGE);
	assert_refused(state, "+2-1", -ERANGE);
}

static void numbers_beyond_every_node_are_refused(void **state)
{
	assert_refused(state, "1024", -ERANGE);
	assert_refused(state, "0-1024", -ERANGE);
	assert_refused(state, "+1024", -ERANGE);
	assert_refused(state, "18446744073709551616", -ERANGE);
	assert_refused(state, "99999999999999999999999999", -ERANGE);
}

static void nodes_that_do_not_exist_are_refused(void **state)
{
	assert_refused(state, "2", -ENODEV);
	assert_refused(state, "0-2", -ENODEV);
	assert_refused(state, "0,1023", -ENODEV);
	assert_refused(state, "+3", -ENODEV);
	assert_refused(state, "!2", -ENODEV);
}

static void a_set_that_comes_out_empty_is_refused(void **state)
{
	assert_refused(state, "!all", -ENODATA);
	assert_refused(state, "!0-8", -ENODATA);
}

static void null_is_refused(void **state)
{
	const struct fake_machine *machine = *state;
	struct mig_nodeset set;

	assert_int_equal(mig_nodeset_parse(NULL, "0", 1, &set), -EINVAL);
	assert_int_equal(mig_nodeset_parse(machine->topology, NULL, 0, &set), -EINVAL);
	assert_int_equal(mig_nodeset_parse(machine->topology, "0", 1, NULL), -EINVAL);
}

static void a_device_is_on_the_node_of_the_bus_device_above_it(void **state)
{
	assert_parses(state, "netdev:eth0.100", "4");
	assert_parses(state, "!netdev:eth0.100", "0-1");
}

static void a_pci_device_behind_a_bridge_is_found(void **state)
{
	assert_parses(state, "pci:0000:3b:00.0", "4");
	assert_parses(state, "pci:3b:00.0", "4");
	assert_parses(state, "pci:3b:0", "4");
	assert_parses(state, "pci:3B:0.0", "4");
}

static void a_device_without_a_node_is_refused(void **state)
{
	assert_refused(state, "netdev:lo", -ENOENT);
	assert_refused(state, "block:vda", -ENOENT);
}

static void a_device_that_does_not_exist_is_refused(void **state)
{
	assert_refused(state, "netdev:eth9", -ENOENT);
	assert_refused(state, "block:sdz", -ENOENT);
	assert_refused(state, "pci:00:1f.7", -ENOENT);
	assert_refused(state, "file:/nowhere/at/all", -ENOENT);
}

static void a_device_on_a_node_that_is_offline_is_refused(void **state)
{
	assert_refused(state, "pci:00:03.0", -ENODEV);
}

static void a_malformed_device_is_refused(void **state)
{
	static const char *const texts[] = {
		"netdev:",
		"netdev:.",
		"netdev:..",
		"netdev:../net/lo",
		"block:",
		"block:sda/../x",
		"pci:",
		"pci:3b",
		"pci:x:0",
		"pci:0:0:0:0.0",
		"pci:3b:0.",
		"pci:3b:0.0x",
		"file:",
		"ip:",
		"ip:no.such.name",
		"+netdev:lo",
		"usb:1-1",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_refused(state, texts[i], -EINVAL);
}

static void a_file_is_on_the_node_of_its_disk(void **state)
{
	const struct fake_machine *machine = *state;
	char link[64], text[512];
	struct stat status;

	assert_int_equal(stat(machine->root->path, &status), 0);
	snprintf(link, sizeof(link), "sys/dev/block/%u:%u", major(status.st_dev),
		 minor(status.st_dev));
	snprintf(text, sizeof(text), "file:%s", machine->root->path);
	assert_refused(state, text, -ENOENT);
	fake_root_write(machine->root, NIC "/block/sda/sda1/partition", "1\n");
	fake_root_link(machine->root, link, "../../../" NIC "/block/sda/sda1");
	assert_parses(state, text, "4");
}

static void an_own_address_has_no_device_on_the_way(void **state)
{
	assert_refused(state, "ip:127.0.0.1", -ENOENT);
}

static void an_address_is_asked_of_libnuma_where_its_interface_has_a_node(void **state)
{
	const struct fake_machine *machine = *state;

	/* Addresses of the loopback network are reached through lo. */
	assert_refused(state, "ip:127.1.2.3", -ENOENT);
	fake_root_write(machine->root, "sys/devices/virtual/net/lo/numa_node", "1\n");
	assert_parses(state, "ip:127.1.2.3", "1");
	/* libnuma would refuse a number that is not below the count of nodes. */
	fake_root_write(machine->root, "sys/devices/virtual/net/lo/numa_node", "4\n");
	assert_refused(state, "ip:127.1.2.3", -ENOENT);
}

/* Where standard error goes meanwhile. Return: how much was written there. */
static long count_printed(const struct mig_topology *topology, const char *const *texts,
			  size_t nr_texts)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	long length;

	assert_non_null(file);
	assert_true(saved >= 0);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	for (size_t i = 0; i < nr_texts; i++) {
		struct mig_nodeset set;

		(void)mig_nodeset_parse(topology, texts[i], strlen(texts[i]), &set);
	}
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	length = lseek(fileno(file), 0, SEEK_END);
	fclose(file);
	return length;
}

static void libnuma_prints_nothing_on_this_machine(void **state)
{
	static const char *const texts[] = {
		"netdev:lo",   "netdev:eth0",  "netdev:none",
		"netdev:a/b",  "block:vda",    "block:sda",
		"block:loop0", "block:none",   "pci:00:00.0",
		"pci:00:03.0", "pci:ff:1f.7",  "pci:none",
		"file:/",      "file:/proc",   "file:/dev/null",
		"file:/none",  "ip:127.0.0.1", "ip:127.1.2.3",
		"ip:::1",      "ip:192.0.2.1", "ip:none",
		"ip:",         "all",          "same",
		"!all",        "0,x",          "4096",
		"+4095",
	};
	struct mig_context *context;
	struct mig_topology *topology;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_topology_new(context, &topology), 0);
	assert_int_equal(count_printed(topology, texts, sizeof(texts) / sizeof(*texts)),
			 0);
	mig_topology_free(topology);
	mig_context_free(context);
}

static void devices_of_a_captured_machine_are_refused(void **state)
{
	fake_machine_set_calls(state, NULL);
	fake_machine_read_topology(state);
	assert_refused(state, "netdev:eth0.100", -EXDEV);
	assert_refused(state, "ip:127.0.0.1", -EXDEV);
	assert_parses(state, "0", "0");
}

#define ON_MACHINE(test) \
	cmocka_unit_test_setup_teardown(test, set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_holds_what_was_added),
		cmocka_unit_test(numbers_out_of_range_are_ignored),
		cmocka_unit_test(a_walk_sees_every_node_once_in_order),
		cmocka_unit_test(an_empty_set_has_no_first_node),
		cmocka_unit_test(sets_are_compared_and_combined),
		cmocka_unit_test(ranges_are_written_short),
		cmocka_unit_test(an_empty_set_is_written_as_nothing),
		cmocka_unit_test(what_does_not_fit_is_cut_off_and_measured),
		ON_MACHINE(numbers_ranges_and_lists_are_read),
		ON_MACHINE(a_range_passes_over_numbers_that_no_node_has),
		ON_MACHINE(all_is_what_the_cpuset_allows_and_has_memory),
		ON_MACHINE(an_exclamation_mark_takes_the_other_allowed_nodes),
		ON_MACHINE(a_plus_counts_the_allowed_nodes),
		ON_MACHINE(nothing_but_a_set_is_refused),
		ON_MACHINE(a_nul_byte_in_the_text_is_refused),
		ON_MACHINE(a_range_that_runs_backwards_is_refused),
		ON_MACHINE(numbers_beyond_every_node_are_refused),
		ON_MACHINE(nodes_that_do_not_exist_are_refused),
		ON_MACHINE(a_set_that_comes_out_empty_is_refused),
		ON_MACHINE(null_is_refused),
		ON_MACHINE(a_device_is_on_the_node_of_the_bus_device_above_it),
		ON_MACHINE(a_pci_device_behind_a_bridge_is_found),
		ON_MACHINE(a_device_without_a_node_is_refused),
		ON_MACHINE(a_device_that_does_not_exist_is_refused),
		ON_MACHINE(a_device_on_a_node_that_is_offline_is_refused),
		ON_MACHINE(a_malformed_device_is_refused),
		ON_MACHINE(a_file_is_on_the_node_of_its_disk),
		ON_MACHINE(an_own_address_has_no_device_on_the_way),
		ON_MACHINE(an_address_is_asked_of_libnuma_where_its_interface_has_a_node),
		cmocka_unit_test(libnuma_prints_nothing_on_this_machine),
		ON_MACHINE(devices_of_a_captured_machine_are_refused),
	};

	return cmocka_run_group_tests_name("nodeset", tests, NULL, NULL);
}
