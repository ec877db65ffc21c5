// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many nodes that are smaller than a memory block, each of which then belongs to several,
 * so that the directory of a block does not tell which node a page is on. On the layout
 * "shared-blocks": 64 nodes, all but the first of 44 MiB. The oracle is numa_maps, where
 * the kernel asks the page itself.
 */
#include "lab_drain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "/sys/devices/system/memory"
#define FROM 30
#define TO 50

static uint64_t bytes_on(pid_t pid, int node)
{
	size_t pages[ORACLE_MAX_NODES];

	assert_int_equal(oracle_read_numa_maps(pid, pages), 0);
	return pages[node] * PAGE_BYTES;
}

/* Of the block that the middle of a node's memory is in. */
static unsigned int block_of(int node)
{
	const struct dirent *entry;
	unsigned int number = 0;
	char path[64];
	DIR *directory;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", node);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)) &&
	       sscanf(entry->d_name, "memory%u", &number) != 1)
		;
	closedir(directory);
	assert_true(number > 0);
	return number;
}

static const char *read_block(unsigned int block, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), MEMORY "/memory%u/%s", block, name);
	return lab_read(path);
}

/* Its nodes, by the links in its directory: "29-32". */
static void read_nodes(unsigned int block, char text[64])
{
	int first = -1, last = -1;

	for (int node = 0; node < 64; node++) {
		char path[96];

		snprintf(path, sizeof(path), MEMORY "/memory%u/node%d", block, node);
		if (access(path, F_OK))
			continue;
		first = first < 0 ? node : first;
		last = node;
	}
	assert_true(first >= 0 && last > first);
	snprintf(text, 64, "%d-%d", first, last);
}

/* By hand. Return: the kernel's errno. */
static int take_offline(unsigned int block)
{
	char path[96];
	int fd, error;

	snprintf(path, sizeof(path), MEMORY "/memory%u/state", block);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	error = write(fd, "offline", strlen("offline")) < 0 ? errno : 0;
	close(fd);
	return error;
}

static void a_node_is_emptied_and_its_neighbours_are_left_alone(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 6M --node %d", FROM);
	struct victim *shmem = lab_victim(lab, "--kind shmem --size 4M --node %d", FROM);
	struct victim *left = lab_victim(lab, "--size 4M --node %d", FROM - 1);
	struct victim *right = lab_victim(lab, "--size 4M --node %d", FROM + 1);
	struct run *run;

	assert_true(bytes_on(victim->pid, FROM) >= 6 * MEBIBYTE);
	run = lab_drain(lab, "--to %d --require 90 %d", TO, FROM);
	assert_true(run->status == EXIT_IN_PLACE || run->status == EXIT_PARTLY);
	assert_int_equal(bytes_on(victim->pid, FROM), 0);
	assert_int_equal(bytes_on(shmem->pid, FROM), 0);
	assert_true(bytes_on(victim->pid, TO) >= 6 * MEBIBYTE);
	assert_true(bytes_on(shmem->pid, TO) >= 4 * MEBIBYTE);
	assert_true(bytes_on(left->pid, FROM - 1) >= 4 * MEBIBYTE);
	assert_true(bytes_on(right->pid, FROM + 1) >= 4 * MEBIBYTE);
	assert_true(lab_drained(run, FROM, TO) >= 10 * PAGES_PER_MEBIBYTE);
	assert_int_equal(lab_drained(run, -1, -1), lab_drained(run, FROM, TO));
	lab_assert_intact(victim);
	lab_assert_intact(shmem);
	lab_assert_intact(left);
	lab_assert_intact(right);
}

static void a_block_of_several_nodes_stays_and_it_is_said_why(void **state)
{
	struct lab *lab = *state;
	unsigned int block = block_of(FROM);
	struct victim *victim = lab_victim(lab, "--size 6M --node %d", FROM);
	char nodes[64];
	struct run *run;

	read_nodes(block, nodes);
	assert_string_equal(read_block(block, "valid_zones"), "none");
	run = lab_migratectl(lab, "drain --offline --to %d --json %d", TO, FROM);
	assert_true(run->status == EXIT_PARTLY || run->status == EXIT_FAILED);
	lab_assert_says(run, "a part of it");
	lab_assert_says(run, "name all nodes that have a part of a block");
	assert_non_null(strstr(run->out, "\"reason\": \"shared\""));
	assert_string_equal(read_block(block, "state"), "online");
	assert_int_equal(bytes_on(victim->pid, FROM), 0);
	lab_assert_intact(victim);
	/* With all of them named the kernel refuses: it is of several zones. */
	run = lab_migratectl(lab, "drain --offline --dry-run --to %d --json %s", TO,
			     nodes);
	assert_non_null(strstr(run->out, "\"reason\": \"holes\""));
	lab_assert_says(run, "it has holes, or several zones");
	assert_int_equal(take_offline(block), EINVAL);
	assert_string_equal(read_block(block, "state"), "online");
}

static void show_node_says_whose_a_block_is(void **state)
{
	struct lab *lab = *state;
	unsigned int block = block_of(FROM);
	char nodes[64], row[128];
	struct run *run;

	read_nodes(block, nodes);
	run = lab_migratectl(lab,
			     "show-node --blocks --raw --noheadings "
			     "--output block,node,state,zones %d",
			     FROM);
	lab_assert_status(run, EXIT_IN_PLACE);
	snprintf(row, sizeof(row), "%u %s online none\n", block, nodes);
	assert_non_null(strstr(run->out, row));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(a_node_is_emptied_and_its_neighbours_are_left_alone),
		LAB_TEST(a_block_of_several_nodes_stays_and_it_is_said_why),
		LAB_TEST(show_node_says_whose_a_block_is),
	};

	return lab_main(tests, 64);
}
