/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes of a made-up machine hold: meminfo, zoneinfo, huge-page pools. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_machine.h"
#include "node.h"

static void put_machine(void **state)
{
	fake_machine_write(state, NODES "/online", "0-1,255\n");
	fake_machine_write(state, NODES "/has_memory", "0-1,255\n");
	fake_machine_write_node(state, 0, "0\n", "10 20 20\n", 1000);
	fake_machine_write_node(state, 1, "1\n", "20 10 20\n", 1000);
	fake_machine_write_node(state, 255, "\n", "20 20 10\n", 1000);
}

static const char meminfo[] = "\n"
			      "Node 1 MemTotal:        8000 kB\n"
			      "Node 1 MemFree:         1000 kB\n"
			      "Node 1 MemUsed:         7000 kB\n"
			      "Node 1 SwapCached:        20 kB\n"
			      "Node 1 Dirty:              4 kB\n"
			      "Node 1 Writeback:          8 kB\n"
			      "Node 1 FilePages:       3000 kB\n"
			      "Node 1 AnonPages:        900 kB\n"
			      "Node 1 Shmem:            500 kB\n"
			      "Node 1 WritebackTmp:      77 kB\n"
			      "Node 1 Slab:             300 kB\n"
			      "Node 1 AnonHugePages:   2048 kB\n"
			      "Node 1 HugePages_Total:     0\n";

static void what_a_node_holds_is_read(void **state)
{
	const struct mig_topology *topology;
	struct mig_node_memory memory;

	put_machine(state);
	fake_machine_write(state, NODES "/node1/meminfo", meminfo);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_int_equal(memory.total_bytes, 8000 << 10);
	assert_int_equal(memory.free_bytes, 1000 << 10);
	assert_int_equal(memory.anon_bytes, 900 << 10);
	assert_int_equal(memory.shmem_bytes, 500 << 10);
	assert_int_equal(memory.slab_bytes, 300 << 10);
	assert_int_equal(memory.dirty_bytes, 4 << 10);
	assert_int_equal(memory.writeback_bytes, 8 << 10);
	assert_int_equal(memory.thp_bytes, 2048 << 10);
	assert_true(memory.hugetlb_total_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.hugetlb_free_bytes == MIG_UNKNOWN_BYTES);
}

static void what_the_kernel_has_on_a_node_is_read(void **state)
{
	const struct fake_machine *machine = *state;
	uint64_t page = mig_context_get_page_size(machine->context);
	const struct mig_topology *topology;
	struct mig_node_memory memory;

	put_machine(state);
	fake_machine_write(state, NODES "/node1/meminfo",
			   "Node 1 Mapped:           40 kB\n"
			   "Node 1 SwapCached:       20 kB\n"
			   "Node 1 Unevictable:      12 kB\n"
			   "Node 1 KernelStack:     356 kB\n"
			   "Node 1 PageTables:       48 kB\n"
			   "Node 1 SecPageTables:     8 kB\n"
			   "Node 1 KReclaimable:    999 kB\n"
			   "Node 1 SReclaimable:    156 kB\n"
			   "Node 1 SUnreclaim:     3384 kB\n"
			   "Node 1 Balloon:          16 kB\n"
			   "Node 1 GPUActive:        24 kB\n"
			   "Node 1 GPUReclaim:        4 kB\n");
	fake_machine_write(state, NODES "/node1/vmstat",
			   "nr_free_pages 7\nnr_zspages 11\nnr_free_cma 0\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_int_equal(memory.mapped_bytes, 40 << 10);
	assert_int_equal(memory.swap_cached_bytes, 20 << 10);
	assert_int_equal(memory.unevictable_bytes, 12 << 10);
	assert_int_equal(memory.kernel_stack_bytes, 356 << 10);
	assert_int_equal(memory.page_table_bytes, 56 << 10);
	assert_int_equal(memory.slab_reclaimable_bytes, 156 << 10);
	assert_int_equal(memory.slab_unreclaimable_bytes, 3384 << 10);
	assert_int_equal(memory.balloon_bytes, 16 << 10);
	assert_int_equal(memory.gpu_bytes, 28 << 10);
	assert_int_equal(memory.zsmalloc_bytes, 11 * page);
	/* Older kernels. */
	fake_machine_write(state, NODES "/node1/meminfo",
			   "Node 1 PageTables:       48 kB\n");
	fake_machine_write(state, NODES "/node1/vmstat", "nr_free_pages 7\n");
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_int_equal(memory.page_table_bytes, 48 << 10);
	assert_true(memory.balloon_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.gpu_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.zsmalloc_bytes == MIG_UNKNOWN_BYTES);
}

static void a_vmstat_that_does_not_parse_is_refused(void **state)
{
	static const char *const texts[] = {
		"nr_zspages x\n",
		"nr_zspages \n",
		"nr_zspages 1 2\n",
		"nr_zspages 18446744073709551615\n",
	};
	const struct mig_topology *topology;
	struct mig_node_memory memory;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		fake_machine_write(state, NODES "/node1/vmstat", texts[i]);
		assert_int_equal(mig_topology_read_memory(topology, 1, &memory),
				 -EBADMSG);
	}
}

static void the_page_cache_is_counted_without_shmem_and_swap_cache(void **state)
{
	const struct mig_topology *topology;
	struct mig_node_memory memory;

	put_machine(state);
	fake_machine_write(state, NODES "/node1/meminfo", meminfo);
	/* Before Linux 5.12 the swap cache is not told. */
	fake_machine_write(state, NODES "/node0/meminfo",
			   "Node 0 FilePages: 3000 kB\nNode 0 Shmem: 500 kB\n");
	fake_machine_write(state, NODES "/node255/meminfo",
			   "Node 255 FilePages: 3 kB\nNode 255 Shmem: 500 kB\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_int_equal(memory.file_bytes, 2480 << 10);
	assert_int_equal(mig_topology_read_memory(topology, 0, &memory), 0);
	assert_int_equal(memory.file_bytes, 2500 << 10);
	assert_int_equal(mig_topology_read_memory(topology, 255, &memory), 0);
	assert_int_equal(memory.file_bytes, 0);
}

static void figures_that_are_missing_are_unknown(void **state)
{
	const struct mig_topology *topology;
	struct mig_node_memory memory;

	put_machine(state);
	fake_machine_write(state, NODES "/node1/meminfo", "Node 1 FilePages: 3000 kB\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_true(memory.total_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.free_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.room_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.file_bytes == MIG_UNKNOWN_BYTES);
	assert_true(memory.thp_bytes == MIG_UNKNOWN_BYTES);
}

static void a_meminfo_that_does_not_parse_is_refused(void **state)
{
	static const char *const texts[] = {
		"Node 1 MemTotal: x kB\n",
		"Node 1 MemTotal: 12\n",
		"Node 1 MemTotal: -1 kB\n",
		"Node 1 MemTotal: 12 MB\n",
		"Node 1 MemTotal: 12 kB kB\n",
		"Node 1 MemTotal:\n",
		"Node 1 MemTotal: 18446744073709551615 kB\n",
		"Node 1 MemTotal: 18014398509481984 kB\n",
	};
	struct mig_node_memory memory = { .total_bytes = 7 };
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		fake_machine_write(state, NODES "/node1/meminfo", texts[i]);
		assert_int_equal(mig_topology_read_memory(topology, 1, &memory),
				 -EBADMSG);
		assert_int_equal(memory.total_bytes, 7);
	}
}

static void the_memory_of_no_node_is_refused(void **state)
{
	struct mig_node_memory memory;
	const struct mig_topology *topology;

	put_machine(state);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 7, &memory), -ENODEV);
	assert_int_equal(mig_topology_read_memory(topology, -1, &memory), -ENODEV);
	assert_int_equal(mig_topology_read_memory(topology, 5000, &memory), -ENODEV);
	assert_int_equal(mig_topology_read_memory(topology, 0, NULL), -EINVAL);
	assert_int_equal(mig_topology_read_memory(NULL, 0, &memory), -EINVAL);
}

static void pools_of_all_huge_page_sizes_are_summed(void **state)
{
	struct mig_node_memory memory;
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, NODES "/node1/hugepages/hugepages-2048kB/nr_hugepages",
			   "10\n");
	fake_machine_write(
		state, NODES "/node1/hugepages/hugepages-2048kB/free_hugepages", "4\n");
	fake_machine_write(
		state, NODES "/node1/hugepages/hugepages-1048576kB/nr_hugepages", "2\n");
	fake_machine_write(state,
			   NODES "/node1/hugepages/hugepages-1048576kB/free_hugepages",
			   "1\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_int_equal(memory.hugetlb_total_bytes, (10LL << 21) + (2LL << 30));
	assert_int_equal(memory.hugetlb_free_bytes, (4LL << 21) + (1LL << 30));
	fake_machine_write(state,
			   NODES "/node1/hugepages/hugepages-2048kB/free_hugepages",
			   "many\n");
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), -EBADMSG);
}

/* Node 1: 100 and nothing above the watermarks; node 255: an empty zone. */
static const char zoneinfo[] = "Node 0, zone      DMA\n"
			       "  per-node stats\n"
			       "      nr_inactive_anon 5\n"
			       "  pages free     4000\n"
			       "        boost    0\n"
			       "        min      10\n"
			       "        low      20\n"
			       "        high     30\n"
			       "        promo    40\n"
			       "      nr_free_pages 4000\n"
			       "  pagesets\n"
			       "    cpu: 0\n"
			       "              count:    0\n"
			       "              high:     7\n"
			       "              high_min: 20\n"
			       "  start_pfn:           1\n"
			       "Node 0, zone   Normal\n"
			       "  pages free     20\n"
			       "        high     30\n"
			       "Node 1, zone   Normal\n"
			       "  pages free     150\n"
			       "        high     50\n"
			       "    cpu: 0\n"
			       "              count:    3\n"
			       "              high:     7\n"
			       "    cpu: 1\n"
			       "              count:    4\n"
			       "Node 1, zone  Movable\n"
			       "  pages free     8\n"
			       "        high     8\n"
			       "Node 255, zone   Normal\n"
			       "  pages free     0\n"
			       "        min      0\n"
			       "        low      0\n"
			       "        high     0\n"
			       "Node 255, zone  Movable\n"
			       "  pages free     x\n";

static void room_is_what_is_free_above_the_high_watermarks(void **state)
{
	const struct fake_machine *machine = *state;
	uint64_t page = mig_context_get_page_size(machine->context);
	struct mig_node_memory memory;
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, "proc/zoneinfo", zoneinfo);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 0, &memory), 0);
	assert_int_equal(memory.room_bytes, 3970 * page);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_int_equal(memory.room_bytes, 100 * page);
	assert_int_equal(memory.held_bytes, 7 * page);
}

static void a_zoneinfo_that_does_not_parse_is_refused(void **state)
{
	struct mig_node_memory memory;
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, "proc/zoneinfo", zoneinfo);
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 255, &memory), -EBADMSG);
	fake_machine_write(state, "proc/zoneinfo", "Node x, zone Normal\n");
	assert_int_equal(mig_topology_read_memory(topology, 0, &memory), -EBADMSG);
	fake_machine_write(state, "proc/zoneinfo",
			   "Node 0, zone Normal\n  pages free 9\n  high 9 9\n");
	assert_int_equal(mig_topology_read_memory(topology, 0, &memory), -EBADMSG);
	/* More than there can be bytes. */
	fake_machine_write(state, "proc/zoneinfo",
			   "Node 0, zone Normal\n  pages free 9007199254740993\n"
			   "  high 0\n");
	assert_int_equal(mig_topology_read_memory(topology, 0, &memory), -EBADMSG);
}

static void the_room_of_a_node_without_zones_is_unknown(void **state)
{
	struct mig_node_memory memory;
	const struct mig_topology *topology;

	put_machine(state);
	fake_machine_write(state, "proc/zoneinfo", "Node 0, zone DMA\n  pages free 9\n");
	topology = fake_machine_read_topology(state);
	assert_int_equal(mig_topology_read_memory(topology, 1, &memory), 0);
	assert_true(memory.room_bytes == MIG_UNKNOWN_BYTES);
}

static void what_nobody_has_mapped_is_cache_without_what_is_mapped(void **state)
{
	const struct fake_machine *machine = *state;
	uint64_t bytes = 7;

	put_machine(state);
	fake_machine_write(state, NODES "/node1/meminfo", meminfo);
	assert_int_equal(mig_node_read_unmapped(machine->context, 1, &bytes), -ENODATA);
	assert_int_equal(mig_node_read_unmapped(machine->context, 2, &bytes), -ENOENT);
	assert_int_equal(bytes, 7);
	fake_machine_write(state, NODES "/node1/meminfo",
			   "Node 1 SwapCached:        20 kB\n"
			   "Node 1 FilePages:       3000 kB\n"
			   "Node 1 Mapped:           480 kB\n"
			   "Node 1 Shmem:            500 kB\n");
	assert_int_equal(mig_node_read_unmapped(machine->context, 1, &bytes), 0);
	assert_int_equal(bytes, 2500 << 10);
	/* Counters of different moments. */
	fake_machine_write(state, NODES "/node1/meminfo",
			   "Node 1 FilePages:        100 kB\n"
			   "Node 1 Mapped:           104 kB\n"
			   "Node 1 Shmem:              0 kB\n");
	assert_int_equal(mig_node_read_unmapped(machine->context, 1, &bytes), 0);
	assert_int_equal(bytes, 0);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_a_node_holds_is_read),
		TEST(what_the_kernel_has_on_a_node_is_read),
		TEST(a_vmstat_that_does_not_parse_is_refused),
		TEST(the_page_cache_is_counted_without_shmem_and_swap_cache),
		TEST(figures_that_are_missing_are_unknown),
		TEST(what_nobody_has_mapped_is_cache_without_what_is_mapped),
		TEST(a_meminfo_that_does_not_parse_is_refused),
		TEST(the_memory_of_no_node_is_refused),
		TEST(pools_of_all_huge_page_sizes_are_summed),
		TEST(room_is_what_is_free_above_the_high_watermarks),
		TEST(a_zoneinfo_that_does_not_parse_is_refused),
		TEST(the_room_of_a_node_without_zones_is_unknown),
	};

	return cmocka_run_group_tests_name("node_memory", tests, NULL, NULL);
}
