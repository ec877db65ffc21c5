/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which memory blocks are tried, and what is said of each: dry runs on captured and
 * made-up machines. */
#include "blocks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "stop_signal.h"

static const struct blocks_options dry = { .dry_run = true, .timeout_ns = 1000000000 };
static const struct blocks_options real = { .timeout_ns = 1000000000 };

struct fixture {
	char root[64];
	struct machine machine;
};

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/blocks-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	run("mkdir -p %s/sys/devices/system/memory %s/sys/devices/system/node", f->root,
	    f->root);
	run("echo 8000000 >%s/sys/devices/system/memory/block_size_bytes", f->root);
	run("echo 0-3 | tee %s/sys/devices/system/node/online "
	    ">%s/sys/devices/system/node/has_memory",
	    f->root, f->root);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	machine_close(&f->machine);
	run("rm -r %s", f->root);
	free(f);
	return 0;
}

/* @nodes: with blanks between. */
static void add_block(const struct fixture *f, unsigned int number, const char *state,
		      const char *zones, const char *nodes)
{
	const char *root = f->root;

	run("cd %s/sys/devices/system && mkdir -p memory/memory%u && "
	    "echo %s >memory/memory%u/state && echo %s >memory/memory%u/valid_zones && "
	    "for node in %s; do mkdir -p node/node$node && "
	    "ln -s ../../memory/memory%u node/node$node; done",
	    root, number, state, number, zones, number, nodes, number);
}

static void open_machine(struct fixture *f)
{
	assert_int_equal(machine_open(f->root, &f->machine), STATUS_OK);
}

static struct mig_nodeset set_of(int first, int last)
{
	struct mig_nodeset nodes = { 0 };

	for (int node = first; node <= last; node++)
		mig_nodeset_add(&nodes, node);
	return nodes;
}

/* As "12:done 11:skipped(shared)", in the order of the tries. */
static void assert_results(const struct blocks *blocks, const char *expected)
{
	char found[512] = "";
	size_t length = 0;

	for (size_t i = 0; i < blocks->nr; i++)
		length += (size_t)snprintf(
			found + length, sizeof(found) - length, "%s%d:%d/%d",
			i ? " " : "", (int)blocks->entries[i].number,
			blocks->entries[i].result, blocks->entries[i].reason);
	assert_string_equal(found, expected);
}

/* Without kpageflags nothing is known of what they hold. */
static void the_highest_block_goes_first(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 4, "online", "Normal", "1");
	add_block(f, 6, "online", "Movable", "1");
	add_block(f, 5, "online", "Normal", "1");
	add_block(f, 7, "online", "Normal", "2");
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &dry, &blocks), STATUS_OK);
	assert_results(&blocks, "6:0/0 5:0/0 4:0/0");
	assert_false(blocks.entries[0].has_contents);
	assert_int_equal(blocks_get_status(&blocks), STATUS_OK);
}

/* Block 0 is the kernel's but for a page; block 1 has four pages of a process. */
static void the_emptiest_block_goes_first(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 1, "online", "Normal", "1");
	add_block(f, 0, "online", "Normal", "1");
	/* A free page (KPF_BUDDY, bit 10), many without flags, which are the kernel's, and
	 * four of a process (KPF_LRU 5, KPF_MMAP 11, KPF_ANON 12). */
	run("mkdir %s/proc && { printf '\\0\\004\\0\\0\\0\\0\\0\\0'; "
	    "head -c %d /dev/zero; for i in 1 2 3 4; do "
	    "printf '\\040\\030\\0\\0\\0\\0\\0\\0'; done; } >%s/proc/kpageflags",
	    f->root, 0x7fff * 8, f->root);
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &dry, &blocks), STATUS_OK);
	assert_int_equal(blocks.nr, 2);
	assert_int_equal(blocks.entries[0].number, 1);
	assert_true(blocks.entries[0].has_contents);
	assert_int_equal(blocks.entries[0].used_pages, 4);
	assert_int_equal(blocks.entries[0].unmovable_pages, 0);
	assert_int_equal(blocks.entries[1].unmovable_pages, 0x7fff);
	assert_int_equal(blocks.entries[1].reason, BLOCK_UNMOVABLE);
	assert_int_equal(blocks.entries[1].result, BLOCK_WOULD_TRY);
}

static void what_is_offline_already_is_success(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 4, "offline", "Normal", "1");
	add_block(f, 5, "offline", "'Normal Movable'", "1");
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &real, &blocks), STATUS_OK);
	assert_results(&blocks, "5:2/0 4:2/0");
	assert_int_equal(blocks_get_status(&blocks), STATUS_OK);
}

static void a_block_with_holes_is_not_tried(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 4, "online", "none", "1");
	add_block(f, 5, "offline", "Normal", "1");
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &real, &blocks), STATUS_OK);
	assert_results(&blocks, "5:2/0 4:6/1");
	assert_int_equal(blocks_get_status(&blocks), STATUS_PARTLY);
}

/* Small nodes may lie in one block. */
static void a_block_is_tried_if_all_nodes_in_it_are_named(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks one = { 0 };
	CLEANUP_BLOCKS struct blocks both = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 4, "online", "Normal", "1 2");
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &real, &one), STATUS_OK);
	assert_results(&one, "4:6/2");
	assert_int_equal(blocks_get_status(&one), STATUS_FAILED);
	nodes = set_of(1, 2);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &dry, &both), STATUS_OK);
	assert_results(&both, "4:0/0");
}

static void a_captured_machine_cannot_be_changed(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	CLEANUP_BLOCKS struct blocks back = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 4, "online", "Normal", "1");
	add_block(f, 5, "online", "Normal", "1");
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &real, &blocks),
			 STATUS_FAILED);
	assert_results(&blocks, "5:3/7 4:7/0");
	run("echo offline >%s/sys/devices/system/memory/memory4/state", f->root);
	assert_int_equal(blocks_online(&f->machine, &nodes, &real, &back), STATUS_FAILED);
	assert_results(&back, "4:3/7 5:7/0");
}

static void a_kernel_without_blocks_is_not_supported(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	run("rm -r %s/sys/devices/system/memory", f->root);
	open_machine(f);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &real, &blocks),
			 STATUS_UNSUPPORTED);
	assert_int_equal(blocks.nr, 0);
}

static void what_comes_back_comes_from_below(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);
	const struct blocks_options options = { .dry_run = true,
						.zone = MIG_ZONE_MOVABLE };

	add_block(f, 4, "offline", "'Normal Movable'", "1");
	add_block(f, 5, "online", "Normal", "1");
	add_block(f, 6, "online", "Movable", "1");
	open_machine(f);
	assert_int_equal(blocks_online(&f->machine, &nodes, &options, &blocks),
			 STATUS_OK);
	assert_results(&blocks, "4:0/0 5:2/5 6:2/0");
	assert_int_equal(blocks_get_status(&blocks), STATUS_OK);
}

/* The last test: what came is never forgotten. */
static void after_a_signal_nothing_is_tried(void **state)
{
	struct fixture *f = *state;
	CLEANUP_BLOCKS struct blocks blocks = { 0 };
	struct mig_nodeset nodes = set_of(1, 1);

	add_block(f, 4, "online", "Normal", "1");
	add_block(f, 5, "offline", "Normal", "1");
	open_machine(f);
	stop_signal_watch();
	raise(SIGTERM);
	assert_int_equal(blocks_offline(&f->machine, &nodes, &real, &blocks), STATUS_OK);
	assert_results(&blocks, "5:2/0 4:7/0");
	assert_true(blocks.is_stopped);
	assert_int_equal(blocks_get_status(&blocks), STATUS_PARTLY);
}

#define BLOCKS_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCKS_TEST(the_highest_block_goes_first),
		BLOCKS_TEST(the_emptiest_block_goes_first),
		BLOCKS_TEST(what_is_offline_already_is_success),
		BLOCKS_TEST(a_block_with_holes_is_not_tried),
		BLOCKS_TEST(a_block_is_tried_if_all_nodes_in_it_are_named),
		BLOCKS_TEST(a_captured_machine_cannot_be_changed),
		BLOCKS_TEST(a_kernel_without_blocks_is_not_supported),
		BLOCKS_TEST(what_comes_back_comes_from_below),
		BLOCKS_TEST(after_a_signal_nothing_is_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
