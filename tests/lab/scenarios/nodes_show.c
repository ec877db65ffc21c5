// SPDX-License-Identifier: GPL-2.0-or-later
/* show-node: a node into which known amounts of each kind were put, against nodeN/meminfo
 * and /proc/kpageflags; and the largest holders, against victims of known size. */
#include "lab_cgroups.h"
#include "lab_files.h"
#include "lab_world.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_ROWS 256
#define MOST_FIELDS 8
#define NODE 2
#define UNKNOWN UINT64_MAX

static const char as_nobody[] = "setpriv --reuid 65534 --regid 65534 --clear-groups ";

/* A row of a table: its fields in the order of --output. */
struct row {
	char fields[MOST_FIELDS][128];
};

struct table {
	struct run *run;
	size_t nr_rows;
	struct row rows[MOST_ROWS];
};

static void split_row(char *line, struct row *row)
{
	char *rest = NULL;
	size_t nr = 0;

	for (char *word = strtok_r(line, " ", &rest); word && nr < MOST_FIELDS;
	     word = strtok_r(NULL, " ", &rest))
		snprintf(row->fields[nr++], sizeof(row->fields[0]), "%s", word);
}

/* Processors sum up what they count only now and then: on Linux 7.2 that is megabytes. */
static void refresh_counters(void)
{
	if (system("cat /proc/sys/vm/stat_refresh"))
		fail_msg("the kernel's counters cannot be refreshed");
}

/* The processors and memory of node 0 are enough for migratectl itself. */
static void show(struct lab *lab, const char *prefix, struct table *table,
		 const char *options)
{
	char *rest = NULL, *copy;

	refresh_counters();
	memset(table, 0, sizeof(*table));
	table->run = lab_program(
		lab, "%snumactl -m 0 -N 0 %s show-node --raw --noheadings --bytes %s",
		prefix, lab_program_path("MIGRATECTL", "migratectl"), options);
	lab_finish(table->run);
	copy = strdup(table->run->out);
	for (char *line = strtok_r(copy, "\n", &rest); line && table->nr_rows < MOST_ROWS;
	     line = strtok_r(NULL, "\n", &rest))
		split_row(line, &table->rows[table->nr_rows++]);
	free(copy);
}

static const struct row *find_row(const struct table *table, size_t field,
				  const char *value)
{
	for (size_t i = 0; i < table->nr_rows; i++)
		if (!strcmp(table->rows[i].fields[field], value))
			return &table->rows[i];
	fail_msg("no row of '%s' in:\n%s", value, table->run->out);
	return NULL;
}

static uint64_t number(const struct row *row, size_t field)
{
	const char *text = row->fields[field];

	return isdigit((unsigned char)*text) ? strtoull(text, NULL, 10) : UNKNOWN;
}

/* ------------------------------------------------------------------- the oracle */

/* A line of nodeN/meminfo, in bytes; UNKNOWN: this kernel has none. */
static uint64_t meminfo(int node, const char *name)
{
	char path[64], line[128], key[64];
	uint64_t kibibytes, found = UNKNOWN;
	FILE *stream;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	stream = fopen(path, "re");
	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "Node %*d %63[^:]: %" SCNu64, key, &kibibytes) == 2 &&
		    !strcmp(key, name))
			found = kibibytes * 1024;
	fclose(stream);
	return found;
}

static const struct {
	const char *kind;
	const char *line;
} same[] = {
	{ "total", "MemTotal" },
	{ "anon", "AnonPages" },
	{ "thp", "AnonHugePages" },
	{ "dirty", "Dirty" },
	{ "writeback", "Writeback" },
	{ "shmem", "Shmem" },
	{ "mapped", "Mapped" },
	{ "unevictable", "Unevictable" },
	{ "slab", "Slab" },
	{ "slab-reclaimable", "SReclaimable" },
	{ "slab-unreclaimable", "SUnreclaim" },
	{ "stacks", "KernelStack" },
	{ "page-tables", "PageTables" },
};

static uint64_t kind(const struct table *table, const char *name)
{
	return number(find_row(table, 0, name), 1);
}

static void assert_grown(const struct table *before, const struct table *after,
			 const char *name, uint64_t mebibytes, uint64_t more)
{
	uint64_t old = kind(before, name), new = kind(after, name);

	/* A little of what was there before may be gone. */
	if (new + MEBIBYTE / 2 < old + mebibytes * MEBIBYTE ||
	    new > old + (mebibytes + more) * MEBIBYTE)
		fail_msg("%s: from %" PRIu64 " to %" PRIu64 ", not %" PRIu64 " MiB more",
			 name, old, new, mebibytes);
}

/* Others' memory comes and goes meanwhile, migratectl's own too, and free pages are on
 * their way. */
static void assert_near(const char *what, uint64_t a, uint64_t b)
{
	if (a > b + MEBIBYTE || b > a + MEBIBYTE)
		fail_msg("%s: %" PRIu64 " and %" PRIu64 " bytes", what, a, b);
}

/* ------------------------------------------------------------------------ kinds */

static void what_was_put_on_a_node_is_shown_by_kind(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	static struct table before, after;

	lab_hugetlb_pool(lab, NODE, 6);
	lab_drop_caches();
	lab_show_all_free(lab);
	show(lab, "", &before, "-o kind,total,nodes 2");
	lab_victim(lab, "--size 16M --node 2");
	lab_huge_victim(lab, NULL, 8, NODE);
	lab_victim(lab, "--kind shmem --size 12M --node 2");
	lab_victim(lab, "--kind mlocked --size 4M --node 2");
	lab_victim(lab, "--kind hugetlb --size 4M --node 2");
	lab_write_file(lab_path(&disk, "clean"), NODE, 0, 6 * MEBIBYTE, 1);
	lab_shell(lab, NULL, "sync");
	lab_write_file(lab_path(&disk, "dirty"), NODE, 0, 10 * MEBIBYTE, 2);
	lab_settle_lru();
	show(lab, "", &after, "-o kind,total,nodes 2");
	lab_assert_status(after.run, EXIT_IN_PLACE);
	refresh_counters();
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		assert_near(same[i].kind, kind(&after, same[i].kind),
			    meminfo(NODE, same[i].line));
	assert_in_range(kind(&after, "free"), lab_free_bytes(NODE) - 8 * MEBIBYTE,
			lab_free_bytes(NODE) + 8 * MEBIBYTE);
	assert_grown(&before, &after, "anon", 28, 6);
	assert_grown(&before, &after, "thp", 8, 6);
	/* The disk is a file in memory too. */
	assert_grown(&before, &after, "shmem", 12, 4);
	assert_grown(&before, &after, "unevictable", 4, 3);
	assert_grown(&before, &after, "file", 16, 4);
	assert_grown(&before, &after, "dirty", 10, 2);
	assert_grown(&before, &after, "clean", 6, 4);
	assert_grown(&before, &after, "mapped", 12, 4);
	assert_grown(&before, &after, "unmapped", 16, 4);
	assert_int_equal(kind(&after, "hugetlb"), 12 * MEBIBYTE);
	assert_int_equal(kind(&after, "hugetlb-2M-used"), 4 * MEBIBYTE);
	assert_int_equal(kind(&after, "hugetlb-2M-free"), 8 * MEBIBYTE);
	assert_int_equal(kind(&after, "hugetlb-2M-surplus"), 0);
}

static uint64_t sum_column(const struct table *table, size_t field)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < table->nr_rows; i++)
		sum += number(&table->rows[i], field);
	return sum;
}

static uint64_t retired_bytes(void)
{
	char line[128];
	uint64_t kib = 0;
	FILE *stream = fopen("/proc/meminfo", "re");

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "HardwareCorrupted: %" SCNu64, &kib) == 1)
			break;
	fclose(stream);
	return kib * 1024;
}

static void the_blocks_of_a_node_hold_what_its_kinds_are(void **state)
{
	struct lab *lab = *state;
	static struct table table;
	uint64_t total;

	lab_show_all_free(lab);
	lab_hugetlb_pool(lab, NODE, 4);
	lab_victim(lab, "--size 24M --node 2");
	lab_victim(lab, "--kind shmem --size 8M --node 2");
	lab_settle_lru();
	show(lab, "", &table,
	     "--blocks -o block,size,free,movable,unmovable,absent,anon,shmem 2");
	lab_assert_status(table.run, EXIT_IN_PLACE);
	assert_int_equal(table.nr_rows, 6);
	total = sum_column(&table, 1);
	assert_int_equal(total, 768 * MEBIBYTE);
	/* Frames that the scenarios before this one have retired are in none of them. */
	assert_in_range(sum_column(&table, 2) + sum_column(&table, 3) +
				sum_column(&table, 4) + sum_column(&table, 5),
			total - retired_bytes(), total);
	assert_near("free", sum_column(&table, 2), lab_free_bytes(NODE));
	assert_near("anon", sum_column(&table, 6), meminfo(NODE, "AnonPages"));
	assert_near("shmem", sum_column(&table, 7), meminfo(NODE, "Shmem"));
	show(lab, "", &table, "--blocks -o block,state,zones,node,hugetlb 2");
	assert_int_equal(sum_column(&table, 4), 8 * MEBIBYTE);
	for (size_t i = 0; i < table.nr_rows; i++) {
		assert_string_equal(table.rows[i].fields[1], "online");
		assert_string_equal(table.rows[i].fields[3], "2");
	}
}

/* Text, which can be compressed, in the memory of a sort(1) that waits for more of it. */
static void push_text_out(struct lab *lab)
{
	const char *group = lab_group(lab, NULL, "lab-zswap");

	lab_shell(lab, NULL,
		  "sh -c 'echo 0 >%s/cgroup.procs; (seq 1 1000000; exec sleep 1000) | "
		  "numactl -m 2 sort -S 200M >/dev/null' >/dev/null 2>&1 &",
		  group);
	lab_await_charged(group, "anon", 2, 24 * MEBIBYTE, 200 * MEBIBYTE);
	/* What was just used is not taken at the first try. */
	lab_shell(lab, NULL,
		  "for i in $(seq 60); do "
		  "grep -q 'Zswapped: *[1-9][0-9][0-9][0-9][0-9] kB' /proc/meminfo && "
		  "break; echo 8M >%s/memory.reclaim || :; done 2>/dev/null",
		  group);
}

static void compressed_swap_is_shown(void **state)
{
	struct lab *lab = *state;
	static struct table before, after;
	bool is_zbud = false;

	lab_set(lab, "/sys/module/zswap/parameters/enabled", "Y");
	/* Before Linux 6.13 it takes no huge pages. */
	lab_set(lab, "/sys/kernel/mm/transparent_hugepage/enabled", "never");
	if (!access("/sys/module/zswap/parameters/zpool", F_OK))
		is_zbud = !strcmp(lab_read("/sys/module/zswap/parameters/zpool"), "zbud");
	lab_swap_on(lab, 256);
	show(lab, "", &before, "-o kind,total 0-3");
	push_text_out(lab);
	show(lab, "", &after, "-o kind,total 0-3");
	lab_assert_status(after.run, EXIT_IN_PLACE);
	assert_grown(&before, &after, "zswapped", 8, 100);
	assert_grown(&before, &after, "zswap", 1, 50);
	/* What zsmalloc has it has by node; of zbud no counter tells. */
	if (!is_zbud)
		assert_grown(&before, &after, "zsmalloc", 1, 50);
	show(lab, "", &after, "-o kind,nodes 2");
	assert_string_equal(find_row(&after, 0, "zswap")->fields[1], "-");
}

/* ---------------------------------------------------------------------- holders */

static uint64_t numa_maps_bytes(pid_t pid, int node)
{
	size_t pages[ORACLE_MAX_NODES];

	assert_int_equal(oracle_read_numa_maps(pid, pages), 0);
	return pages[node] * PAGE_BYTES;
}

static void the_largest_processes_are_named_largest_first(void **state)
{
	struct lab *lab = *state;
	struct victim *middle = lab_victim(lab, "--size 24M --node 3");
	struct victim *large = lab_victim(lab, "--size 40M --node 3");
	struct victim *small = lab_victim(lab, "--size 12M --node 3");
	struct victim *elsewhere = lab_victim(lab, "--size 60M --node 1");
	const struct victim *order[] = { large, middle, small };
	static struct table table;
	char pid[16];

	show(lab, "", &table, "--by=process --top 3 -o pid,total,name 3");
	lab_assert_status(table.run, EXIT_IN_PLACE);
	assert_int_equal(table.nr_rows, 5);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(number(&table.rows[i], 0), order[i]->pid);
		assert_int_equal(number(&table.rows[i], 1),
				 numa_maps_bytes(order[i]->pid, 3));
		assert_string_equal(table.rows[i].fields[2], "victim");
	}
	assert_non_null(strstr(table.rows[3].fields[2], "other"));
	assert_string_equal(table.rows[4].fields[2], "not\\x20attributed");
	show(lab, "", &table, "--by=process --top 1000 -o pid,total,nodes,name 1,3");
	snprintf(pid, sizeof(pid), "%d", elsewhere->pid);
	assert_string_equal(table.rows[0].fields[0], pid);
	assert_int_equal(number(&table.rows[0], 2), numa_maps_bytes(elsewhere->pid, 1));
	assert_int_equal(number(&table.rows[0], 3), numa_maps_bytes(elsewhere->pid, 3));
}

/* What a group is charged for without those below it, so that the rows add up. */
static void the_largest_cgroups_are_named_by_their_own_share(void **state)
{
	struct lab *lab = *state;
	const char *top = lab_group(lab, NULL, "lab-holders");
	const char *inner = lab_group_below(lab, top, "inner", "+memory");
	const char *next = lab_group_below(lab, top, "next", NULL);
	static struct table table;

	lab_member(lab, inner, "--size 32M --node 3");
	lab_member(lab, next, "--size 16M --node 3");
	lab_await_charged(inner, "anon", 3, 32 * MEBIBYTE, 40 * MEBIBYTE);
	lab_await_charged(top, "anon", 3, 48 * MEBIBYTE, 56 * MEBIBYTE);
	show(lab, "", &table, "--by=cgroup -o total,name 3");
	lab_assert_status(table.run, EXIT_IN_PLACE);
	assert_string_equal(table.rows[0].fields[1], "/lab-holders/inner");
	assert_in_range(number(&table.rows[0], 0), 32 * MEBIBYTE, 40 * MEBIBYTE);
	assert_in_range(number(find_row(&table, 1, "/lab-holders/next"), 0),
			16 * MEBIBYTE, 24 * MEBIBYTE);
	for (size_t i = 0; i < table.nr_rows; i++)
		if (!strcmp(table.rows[i].fields[1], "/lab-holders"))
			assert_in_range(number(&table.rows[i], 0), 0, 2 * MEBIBYTE);
}

static void the_largest_files_are_found_in_processes_mounts_and_trees(void **state)
{
	struct lab *lab = *state;
	struct lab_disk disk = lab_disk(lab, "ext4");
	static struct table table;
	char options[160];
	uint64_t rest;

	lab_victim(lab, "--kind memfd --size 24M --node 3");
	lab_shell(lab, "rm -f /dev/shm/lab-alone",
		  "numactl -m 3 head -c 16M /dev/zero >/dev/shm/lab-alone");
	lab_write_file(lab_path(&disk, "unknown"), 3, 0, 32 * MEBIBYTE, 3);
	show(lab, "", &table, "--by=file -o total,name 3");
	lab_assert_status(table.run, EXIT_IN_PLACE);
	assert_non_null(strstr(table.rows[0].fields[1], "memfd:victim"));
	assert_int_equal(number(&table.rows[0], 0), 24 * MEBIBYTE);
	assert_int_equal(number(find_row(&table, 1, "/dev/shm/lab-alone"), 0),
			 16 * MEBIBYTE);
	rest = number(find_row(&table, 1, "not\\x20attributed"), 0);
	assert_true(rest >= 32 * MEBIBYTE);
	snprintf(options, sizeof(options), "--by=file -o total,name --search %s 3",
		 disk.path);
	show(lab, "", &table, options);
	assert_string_equal(table.rows[0].fields[1], lab_path(&disk, "unknown"));
	assert_int_equal(number(&table.rows[0], 0), 32 * MEBIBYTE);
	assert_true(number(find_row(&table, 1, "not\\x20attributed"), 0) +
			    31 * MEBIBYTE <=
		    rest);
	snprintf(options, sizeof(options), "--by=mount -o total,type,name --search %s 3",
		 disk.path);
	show(lab, "", &table, options);
	assert_in_range(number(find_row(&table, 2, disk.path), 0), 32 * MEBIBYTE,
			34 * MEBIBYTE);
	assert_string_equal(find_row(&table, 2, disk.path)->fields[1], "ext4");
	assert_in_range(number(find_row(&table, 2, "/dev/shm"), 0), 16 * MEBIBYTE,
			20 * MEBIBYTE);
	assert_in_range(number(find_row(&table, 2, "[tmpfs]"), 0), 24 * MEBIBYTE,
			28 * MEBIBYTE);
}

/* ----------------------------------------------------------------- what is missing */

static void without_rights_it_is_said_what_is_missing(void **state)
{
	struct lab *lab = *state;
	static struct table table;

	lab_victim(lab, "--size 16M --node 3");
	show(lab, as_nobody, &table, "-o kind,total 3");
	lab_assert_status(table.run, EXIT_IN_PLACE);
	assert_true(kind(&table, "anon") >= 16 * MEBIBYTE);
	show(lab, as_nobody, &table, "--blocks -o block,state,size,free,unmovable 3");
	lab_assert_status(table.run, EXIT_PARTLY);
	lab_assert_says(table.run, "only root may read /proc/kpageflags");
	assert_int_equal(table.nr_rows, 6);
	assert_string_equal(table.rows[0].fields[1], "online");
	assert_string_equal(table.rows[0].fields[3], "-");
	assert_string_equal(table.rows[0].fields[4], "-");
	show(lab, as_nobody, &table, "--by=process -o total,name 3");
	lab_assert_status(table.run, EXIT_PARTLY);
	lab_assert_says(table.run, "processes are missing");
	lab_assert_says(table.run, "CAP_SYS_PTRACE");
	assert_true(number(find_row(&table, 1, "not\\x20attributed"), 0) >=
		    16 * MEBIBYTE);
	show(lab, as_nobody, &table, "--by=file -o total,name 3");
	lab_assert_status(table.run, EXIT_PARTLY);
	lab_assert_says(table.run, "files are missing");
}

static void a_node_that_does_not_exist_is_refused(void **state)
{
	struct lab *lab = *state;
	static struct table table;

	show(lab, "", &table, "0 9");
	lab_assert_status(table.run, EXIT_FAILED);
	lab_assert_says(table.run, "'9': no such node");
	assert_string_equal(table.run->out, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(what_was_put_on_a_node_is_shown_by_kind),
		LAB_TEST(the_blocks_of_a_node_hold_what_its_kinds_are),
		LAB_TEST(compressed_swap_is_shown),
		LAB_TEST(the_largest_processes_are_named_largest_first),
		LAB_TEST(the_largest_cgroups_are_named_by_their_own_share),
		LAB_TEST(the_largest_files_are_found_in_processes_mounts_and_trees),
		LAB_TEST(without_rights_it_is_said_what_is_missing),
		LAB_TEST(a_node_that_does_not_exist_is_refused),
	};

	return lab_main(tests, 4);
}
