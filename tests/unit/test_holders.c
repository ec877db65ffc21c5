/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All processes of a made-up machine, looked at side by side. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fake_machine.h"
#include "fake_process.h"
#include "handles.h"

#define NR_PROCESSES 100
#define FIRST_PID 100

struct sum {
	size_t nr_visits;
	size_t nr_inside; /**< visits at this moment */
	uint64_t node_pages[2];
	uint64_t page_size;
	bool with_names;
	size_t last; /**< visit that ends the walk; 0: none */
};

static int sum_up(void *data, const struct mig_holder *holder)
{
	struct sum *sum = data;
	char name[64];

	assert_int_equal(sum->nr_inside++, 0);
	for (int node = 0; node < 2; node++)
		sum->node_pages[node] +=
			mig_holder_get_node_bytes(holder, node) / sum->page_size;
	if (sum->with_names) {
		assert_int_equal(mig_holder_read_name(holder, name, sizeof(name)), 0);
		assert_string_equal(name, "program");
		assert_int_equal(mig_holder_read_name(holder, name, 4), 0);
		assert_string_equal(name, "pro");
	}
	assert_int_equal(mig_holder_get_node_bytes(holder, -1), 0);
	assert_int_equal(mig_holder_get_node_bytes(holder, 2), 0);
	sum->nr_inside--;
	return ++sum->nr_visits == sum->last ? 17 : 0;
}

static void put_file(void **state, pid_t pid, const char *name, const char *text)
{
	const struct fake_machine *machine = *state;
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/%s", pid, name);
	fake_root_write(machine->root, path, text);
}

/* It has one page on node 0, and as many on node 1 as its number is high. */
static void put_process(void **state, pid_t pid)
{
	const struct fake_machine *machine = *state;
	char text[256];

	fake_process_write(machine->root, pid, 1, NULL);
	snprintf(text, sizeof(text),
		 "%x000 default anon=%d dirty=%d N0=1 N1=%d kernelpagesize_kB=4\n",
		 0x10000 + pid, pid + 1, pid + 1, pid);
	put_file(state, pid, "numa_maps", text);
	put_file(state, pid, "comm", "program\n");
}

static const struct mig_topology *make_machine(void **state, struct sum *sum)
{
	const struct fake_machine *machine = *state;

	fake_machine_write(state, NODES "/online", "0-1\n");
	fake_machine_write(state, NODES "/has_memory", "0-1\n");
	fake_machine_write_node(state, 0, "0\n", "10 20\n", 1000);
	fake_machine_write_node(state, 1, "1\n", "20 10\n", 1000);
	for (int i = 0; i < NR_PROCESSES; i++)
		put_process(state, FIRST_PID + i);
	*sum = (struct sum){ .page_size = mig_context_get_page_size(machine->context) };
	return fake_machine_read_topology(state);
}

static void look(const struct mig_topology *topology, struct sum *sum, size_t looked_at,
		 size_t denied)
{
	struct mig_holders_counts counts;

	assert_int_equal(mig_holders_look(topology, sum_up, sum, &counts), 0);
	assert_int_equal(counts.nr_looked_at, looked_at);
	assert_int_equal(counts.nr_denied, denied);
	assert_int_equal(sum->nr_visits, looked_at - denied);
}

static void each_process_is_visited_once(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);

	look(topology, &sum, NR_PROCESSES, 0);
	assert_int_equal(sum.node_pages[0], NR_PROCESSES);
	assert_int_equal(sum.node_pages[1],
			 NR_PROCESSES * FIRST_PID +
				 NR_PROCESSES * (NR_PROCESSES - 1) / 2);
}

static void names_are_read_when_they_are_asked_for(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);

	sum.with_names = true;
	look(topology, &sum, NR_PROCESSES, 0);
}

static void huge_pages_count_by_their_size(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct fake_root *root = ((struct fake_machine *)*state)->root;

	for (int i = 1; i < NR_PROCESSES; i++)
		fake_process_remove(root, FIRST_PID + i);
	put_file(state, FIRST_PID, "numa_maps",
		 "10000000 default file=/anon_hugepage\\040(deleted) huge anon=2 dirty=2 "
		 "N1=2 kernelpagesize_kB=2048\n20000000 default file=/a mapped=3 N0=3 "
		 "kernelpagesize_kB=4\n");
	look(topology, &sum, 1, 0);
	assert_int_equal(sum.node_pages[0] * sum.page_size, 3 * sum.page_size);
	assert_int_equal(sum.node_pages[1] * sum.page_size, 4 << 20);
}

static void pages_of_the_kernels_own_do_not_count(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct fake_root *root = ((struct fake_machine *)*state)->root;

	for (int i = 1; i < NR_PROCESSES; i++)
		fake_process_remove(root, FIRST_PID + i);
	put_file(state, FIRST_PID, "numa_maps",
		 "10000000 default stack anon=5 dirty=5 N0=5 kernelpagesize_kB=4\n"
		 "7fffffffe000 default mapped=1 N0=1 kernelpagesize_kB=4\n");
	look(topology, &sum, 1, 0);
	assert_int_equal(sum.node_pages[0], 5);
}

static void kernel_threads_zombies_and_those_that_are_gone_are_passed_over(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct fake_root *root = ((struct fake_machine *)*state)->root;

	fake_thread_write(root,
			  &(struct fake_thread){ .pid = 2, .flags = FAKE_KERNEL_THREAD });
	put_file(state, 2, "numa_maps", "");
	fake_thread_write(root, &(struct fake_thread){ .pid = 103, .state = 'Z' });
	put_file(state, 103, "numa_maps", "");
	fake_process_remove(root, 104);
	fake_root_mkdir(root, "proc/104");
	look(topology, &sum, NR_PROCESSES - 2, 0);
}

static void memory_outlives_the_first_thread(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct fake_root *root = ((struct fake_machine *)*state)->root;

	fake_thread_write(root, &(struct fake_thread){ .pid = 103, .state = 'Z' });
	put_file(state, 103, "numa_maps", "");
	fake_thread_write(root, &(struct fake_thread){ .pid = 103, .tid = 1103 });
	/* The kernel has it, but does not list it. */
	fake_root_remove(root, "proc/1103");
	fake_root_write(root, "proc/103/task/1103/numa_maps",
			"10000000 default anon=7 dirty=7 N0=7 kernelpagesize_kB=4\n");
	look(topology, &sum, NR_PROCESSES, 0);
	assert_int_equal(sum.node_pages[0], NR_PROCESSES - 1 + 7);
}

static void those_that_are_not_shown_are_counted(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct fake_root *root = ((struct fake_machine *)*state)->root;

	/* A captured machine may have a process's name and nothing else of it. */
	fake_root_remove(root, "proc/105/numa_maps");
	fake_root_remove(root, "proc/106/numa_maps");
	look(topology, &sum, NR_PROCESSES, 2);
}

static void shared_memory_is_told_once_and_hardly_asked_about(void **state)
{
	static const char text[] =
		"10000000 default anon=7 dirty=7 N0=7 kernelpagesize_kB=4\n"
		"7ffe12345000 default\n";
	struct sum sum;
	const struct mig_topology *topology;

	fake_machine_set_calls(state, fake_calls());
	topology = make_machine(state, &sum);
	put_file(state, 110, "numa_maps", text);
	put_file(state, 111, "numa_maps", text);
	put_file(state, 112, "numa_maps", text);
	fake_process_share(111, 110);
	look(topology, &sum, NR_PROCESSES - 1, 0);
	/* Of those three alone: about itself, and about one other or two. */
	assert_in_range(fake_kcmp_count(), 4, 5);
}

static void what_has_no_numa_maps_is_looked_at_by_its_mappings(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct mig_holders_counts counts;

	fake_root_remove(((struct fake_machine *)*state)->root, "proc/105/numa_maps");
	put_file(state, 105, "maps", "10000000-20000000 rw-p 00000000 00:00 0\n");
	assert_int_equal(mig_holders_look(topology, sum_up, &sum, &counts), -ENOSYS);
}

static void a_visit_ends_the_walk(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct mig_holders_counts counts = { .nr_denied = 12345 };

	sum.last = 5;
	assert_int_equal(mig_holders_look(topology, sum_up, &sum, &counts), 17);
	assert_int_equal(sum.nr_visits, 5);
	assert_int_equal(counts.nr_denied, 12345);
}

static void a_line_that_does_not_parse_ends_the_walk(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct mig_holders_counts counts;

	put_file(state, 150, "numa_maps", "10000000 default N0=x\n");
	assert_int_equal(mig_holders_look(topology, sum_up, &sum, &counts), -EBADMSG);
	put_file(state, 150, "numa_maps", "10000000 default file=/a huge anon=1 N0=1\n");
	sum.nr_visits = 0;
	assert_int_equal(mig_holders_look(topology, sum_up, &sum, &counts), -EBADMSG);
}

static void wrong_arguments_are_refused(void **state)
{
	struct sum sum;
	const struct mig_topology *topology = make_machine(state, &sum);
	struct mig_holders_counts counts;
	char name[8];

	assert_int_equal(mig_holders_look(NULL, sum_up, &sum, &counts), -EINVAL);
	assert_int_equal(mig_holders_look(topology, NULL, &sum, &counts), -EINVAL);
	assert_int_equal(mig_holders_look(topology, sum_up, &sum, NULL), -EINVAL);
	assert_int_equal(mig_holder_get_pid(NULL), 0);
	assert_int_equal(mig_holder_get_node_bytes(NULL, 0), 0);
	assert_int_equal(mig_holder_read_name(NULL, name, sizeof(name)), -EINVAL);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, fake_machine_set_up, fake_machine_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_process_is_visited_once),
		TEST(names_are_read_when_they_are_asked_for),
		TEST(huge_pages_count_by_their_size),
		TEST(pages_of_the_kernels_own_do_not_count),
		TEST(kernel_threads_zombies_and_those_that_are_gone_are_passed_over),
		TEST(memory_outlives_the_first_thread),
		TEST(those_that_are_not_shown_are_counted),
		TEST(shared_memory_is_told_once_and_hardly_asked_about),
		TEST(what_has_no_numa_maps_is_looked_at_by_its_mappings),
		TEST(a_visit_ends_the_walk),
		TEST(a_line_that_does_not_parse_ends_the_walk),
		TEST(wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests_name("holders", tests, NULL, NULL);
}
