/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libmigrate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "fake_process.h"
#include "mappings.h"

DEFINE_CLEANUP(context)
DEFINE_CLEANUP(process)
DEFINE_CLEANUP(mappings)

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	struct mig_process *process;
	size_t page_size;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = fake_root_new();
	fixture->context = fake_root_context(fixture->root, NULL);
	fixture->page_size = mig_context_get_page_size(fixture->context);
	fake_process_write(fixture->root, 42, 1, NULL);
	assert_int_equal(mig_process_open(fixture->context, 42, &fixture->process), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_process_free(fixture->process);
	mig_context_free(fixture->context);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static struct mig_mappings *start(struct fixture *f, const char *maps,
				  const char *numa_maps)
{
	struct mig_mappings *mappings = NULL;

	fake_root_write(f->root, "proc/42/maps", maps);
	if (numa_maps)
		fake_root_write(f->root, "proc/42/numa_maps", numa_maps);
	assert_int_equal(mig_mappings_new(f->process, &mappings), 0);
	return mappings;
}

static const struct mig_mapping *next(struct mig_mappings *mappings)
{
	const struct mig_mapping *mapping = NULL;

	assert_int_equal(mig_mappings_next(mappings, &mapping), 0);
	return mapping;
}

#define MAPS(start, end, device, inode, name) \
	start "-" end " rw-p 00000000 " device " " inode "    " name "\n"
#define ANON(start, end) MAPS(start, end, "00:00", "0", "")

static void both_files_are_joined_by_address(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings = start(
		f,
		"1000-9000 r-xs 00003000 fe:01 77    /usr/bin/a b\n" ANON("a000", "c000"),
		"1000 bind:0-1 file=/usr/bin/a\\040b mapped=3 mapmax=5 "
		"active=1 writeback=1 N0=1 N2=2 kernelpagesize_kB=4\n"
		"a000 default anon=2 dirty=2 swapcache=1 N1=2 "
		"kernelpagesize_kB=4\n");
	mapping = next(mappings);
	assert_int_equal(mapping->start, 0x1000);
	assert_int_equal(mapping->end, 0x9000);
	assert_int_equal(mapping->file_offset_bytes, 0x3000);
	assert_int_equal(mapping->inode, 77);
	assert_int_equal(mapping->device_major, 0xfe);
	assert_int_equal(mapping->device_minor, 1);
	assert_string_equal(mapping->permissions, "r-xs");
	assert_int_equal(mapping->kind, MIG_KIND_FILE);
	assert_string_equal(mapping->name, "/usr/bin/a b");
	assert_string_equal(mapping->policy, "bind:0-1");
	assert_true(mapping->has_residency);
	assert_int_equal(mapping->page_size_bytes, f->page_size);
	assert_int_equal(mapping->resident_pages, 3);
	assert_int_equal(mapping->node_pages[0], 1);
	assert_int_equal(mapping->node_pages[2], 2);
	assert_int_equal(mapping->most_mappers, 5);
	assert_int_equal(mapping->writeback_pages, 1);
	assert_int_equal(mapping->anon_pages, 0);
	mapping = next(mappings);
	assert_int_equal(mapping->start, 0xa000);
	assert_int_equal(mapping->kind, MIG_KIND_ANON);
	assert_string_equal(mapping->name, "");
	assert_string_equal(mapping->policy, "default");
	assert_int_equal(mapping->anon_pages, 2);
	assert_int_equal(mapping->dirty_pages, 2);
	assert_int_equal(mapping->swapcache_pages, 1);
	assert_int_equal(mapping->node_pages[0], 0);
	assert_int_equal(mapping->node_pages[1], 2);
	assert_null(next(mappings));
	assert_null(next(mappings));
}

static void a_mapping_that_only_maps_has_comes_without_residency(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings =
		start(f, ANON("1000", "2000") ANON("4000", "5000") ANON("6000", "7000"),
		      "1000 bind:1 N1=1\n6000 default N0=1\n");
	assert_true(next(mappings)->has_residency);
	mapping = next(mappings);
	assert_false(mapping->has_residency);
	assert_int_equal(mapping->resident_pages, 0);
	assert_int_equal(mapping->node_pages[1], 0);
	assert_int_equal(mapping->page_size_bytes, f->page_size);
	assert_string_equal(mapping->policy, "");
	assert_int_equal(next(mappings)->node_pages[0], 1);
	assert_null(next(mappings));
}

static void lines_of_numa_maps_behind_the_last_mapping_are_passed_over(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;

	mappings =
		start(f, ANON("1000", "2000"), "1000 default N0=1\n9000 default N0=7\n");
	assert_int_equal(next(mappings)->resident_pages, 1);
	assert_null(next(mappings));
}

static void a_mapping_that_grew_downward_meanwhile_keeps_its_pages(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings = start(f, ANON("1000", "2000") ANON("8000", "f000"),
			 "1000 default N0=1\n7000 bind:1 N1=6\n");
	assert_int_equal(next(mappings)->resident_pages, 1);
	mapping = next(mappings);
	assert_true(mapping->has_residency);
	assert_int_equal(mapping->node_pages[1], 6);
	assert_string_equal(mapping->policy, "bind:1");
}

static void a_line_for_the_very_start_wins_over_one_before_it(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings =
		start(f, ANON("8000", "f000"), "7000 bind:1 N1=6\n8000 default N0=2\n");
	mapping = next(mappings);
	assert_int_equal(mapping->resident_pages, 2);
	assert_int_equal(mapping->node_pages[1], 0);
	assert_string_equal(mapping->policy, "default");
}

static void parts_of_a_mapping_that_was_split_meanwhile_are_added_up(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings = start(f, ANON("1000", "9000") ANON("9000", "a000"),
			 "1000 default anon=2 dirty=1 mapmax=2 N0=2\n"
			 "3000 bind:1 anon=3 dirty=3 swapcache=1 writeback=1 mapmax=4 "
			 "N0=1 N1=2\n9000 default N0=1\n");
	mapping = next(mappings);
	assert_int_equal(mapping->resident_pages, 5);
	assert_int_equal(mapping->node_pages[0], 3);
	assert_int_equal(mapping->node_pages[1], 2);
	assert_int_equal(mapping->anon_pages, 5);
	assert_int_equal(mapping->dirty_pages, 4);
	assert_int_equal(mapping->swapcache_pages, 1);
	assert_int_equal(mapping->writeback_pages, 1);
	assert_int_equal(mapping->most_mappers, 4);
	assert_string_equal(mapping->policy, "default");
	assert_int_equal(next(mappings)->resident_pages, 1);
}

static void a_line_inside_is_enough_if_there_is_none_for_the_start(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings = start(f, ANON("1000", "2000") ANON("2000", "9000"),
			 "1000 default N0=1\n3000 bind:1 N1=5\n");
	assert_int_equal(next(mappings)->resident_pages, 1);
	mapping = next(mappings);
	assert_int_equal(mapping->resident_pages, 5);
	assert_int_equal(mapping->node_pages[1], 5);
	assert_string_equal(mapping->policy, "bind:1");
}

static void huge_pages_are_counted_in_base_pages(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;
	size_t pages = (2 << 20) / f->page_size;

	mappings = start(
		f, MAPS("200000", "a00000", "00:0f", "9", "/anon_hugepage (deleted)"),
		"200000 default file=/anon_hugepage\\040(deleted) huge anon=3 "
		"dirty=3 N0=1 N1=2 kernelpagesize_kB=2048\n");
	mapping = next(mappings);
	assert_int_equal(mapping->kind, MIG_KIND_HUGETLB);
	assert_int_equal(mapping->page_size_bytes, 2 << 20);
	assert_int_equal(mapping->resident_pages, 3 * pages);
	assert_int_equal(mapping->anon_pages, 3 * pages);
	assert_int_equal(mapping->dirty_pages, 3 * pages);
	assert_int_equal(mapping->node_pages[0], pages);
	assert_int_equal(mapping->node_pages[1], 2 * pages);
}

static void counts_that_are_no_base_pages_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const lines[] = {
		"200000 default huge N0=18446744073709551615 kernelpagesize_kB=2048\n",
		"200000 default huge N0=1 kernelpagesize_kB=6\n",
		"200000 default huge N0=1 kernelpagesize_kB=1\n",
		"200000 default huge N0=1\n",
		"200000 default N0=18446744073709551615\n201000 default N1=1\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
		const struct mig_mapping *mapping = NULL;

		mappings = start(f, ANON("200000", "a00000"), lines[i]);
		assert_int_equal(mig_mappings_next(mappings, &mapping), -EBADMSG);
		assert_null(mapping);
	}
}

static void a_kernel_without_numa_shows_mappings_without_residency(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	mappings = start(f, MAPS("1000", "2000", "00:00", "0", "[heap]"), NULL);
	mapping = next(mappings);
	assert_false(mapping->has_residency);
	assert_int_equal(mapping->kind, MIG_KIND_HEAP);
	assert_non_null(mapping->node_pages);
	assert_null(next(mappings));
}

static void names_and_file_systems_tell_the_kind(void **state)
{
	static const struct {
		const char *device;
		const char *inode;
		const char *name;
		enum mig_kind kind;
	} cases[] = {
		{ "00:00", "0", "", MIG_KIND_ANON },
		{ "00:00", "0", "[anon:glibc: malloc]", MIG_KIND_ANON },
		{ "00:00", "0", "[heap]", MIG_KIND_HEAP },
		{ "00:00", "0", "[stack]", MIG_KIND_STACK },
		{ "00:00", "0", "[stack:77]", MIG_KIND_STACK },
		{ "00:00", "0", "[vdso]", MIG_KIND_KERNEL },
		{ "00:00", "0", "[vvar]", MIG_KIND_KERNEL },
		{ "00:00", "0", "[vvar_vclock]", MIG_KIND_KERNEL },
		{ "00:00", "0", "[vsyscall]", MIG_KIND_KERNEL },
		{ "00:01", "5", "/memfd:a b (deleted)", MIG_KIND_SHMEM },
		{ "00:01", "5", "/SYSV00000000 (deleted)", MIG_KIND_SHMEM },
		{ "00:01", "5", "/dev/zero (deleted)", MIG_KIND_SHMEM },
		{ "00:01", "5", "[anon_shmem:x]", MIG_KIND_SHMEM },
		{ "00:06", "5", "/dev/zero", MIG_KIND_ANON },
		{ "00:1a", "5", "/dev/shm/x", MIG_KIND_SHMEM },
		{ "00:1a", "5", "/dev/shm/x (deleted)", MIG_KIND_SHMEM },
		{ "00:1b", "5", "/overlay/file", MIG_KIND_FILE },
		{ "00:1b", "5", "/SYSVnot", MIG_KIND_FILE },
		{ "00:1c", "5", "/huge/x", MIG_KIND_HUGETLB },
		{ "00:99", "5", "anon_inode:[io_uring]", MIG_KIND_FILE },
		{ "fe:01", "5", "/usr/lib/libc.so.6", MIG_KIND_FILE },
		{ "fe:01", "5", "/memfd:not (deleted)", MIG_KIND_FILE },
		{ "fe:01", "5", "/SYSVnot", MIG_KIND_FILE },
		{ "fe:01", "5", "/heap]", MIG_KIND_FILE },
	};
	struct fixture *f = *state;

	fake_root_write(f->root, "proc/42/mountinfo",
			"22 1 254:1 / / rw - ext4 /dev/vda rw\n"
			"23 22 0:26 / /dev/shm rw - tmpfs tmpfs rw\n"
			"24 22 0:27 / /overlay rw - overlay overlay rw\n"
			"25 22 0:28 / /huge rw - hugetlbfs none rw\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
		const struct mig_mapping *mapping;
		char maps[256];

		snprintf(maps, sizeof(maps), "1000-2000 rw-p 00000000 %s %s    %s\n",
			 cases[i].device, cases[i].inode, cases[i].name);
		mappings = start(f, maps, "1000 default\n");
		mapping = next(mappings);
		assert_string_equal(mapping->name, cases[i].name);
		if (mapping->kind != cases[i].kind)
			fail_msg("'%s' on %s is of kind %d", cases[i].name,
				 cases[i].device, mapping->kind);
	}
}

static void each_device_has_its_own_kind(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;

	fake_root_write(f->root, "proc/42/mountinfo",
			"23 22 0:26 / /dev/shm rw - tmpfs tmpfs rw\n"
			"24 22 0:27 / / rw - btrfs /dev/vda rw\n");
	mappings = start(f,
			 MAPS("1000", "2000", "00:1a", "5",
			      "/dev/shm/a") MAPS("2000", "3000", "00:1b", "5", "/b")
				 MAPS("3000", "4000", "00:1b", "6", "/c")
					 MAPS("4000", "5000", "00:1a", "6", "/dev/shm/d"),
			 "1000 default\n");
	assert_int_equal(next(mappings)->kind, MIG_KIND_SHMEM);
	assert_int_equal(next(mappings)->kind, MIG_KIND_FILE);
	assert_int_equal(next(mappings)->kind, MIG_KIND_FILE);
	assert_int_equal(next(mappings)->kind, MIG_KIND_SHMEM);
}

static void unreadable_mounts_make_tmpfs_a_file_and_are_logged(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;

	fake_root_write(f->root, "proc/42/mountinfo", "rubbish\n");
	mappings = start(f, MAPS("1000", "2000", "00:1a", "5", "/dev/shm/a"), NULL);
	assert_int_equal(next(mappings)->kind, MIG_KIND_FILE);
	assert_non_null(strstr(f->root->log, "mounts of process 42"));
}

static void a_long_name_is_given_whole(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	CLEANUP_FREE char *maps = malloc(70000);
	size_t length = (size_t)sprintf(maps, "1000-2000 rw-p 00000000 fe:01 5   /");

	memset(maps + length, 'x', 60000);
	strcpy(maps + length + 60000, "\n" ANON("2000", "3000"));
	mappings = start(f, maps, NULL);
	assert_int_equal(strlen(next(mappings)->name), 60001);
	assert_string_equal(next(mappings)->name, "");
}

static void a_line_that_does_not_parse_is_named_in_the_log(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	CLEANUP_MIG(mappings) struct mig_mappings *others = NULL;
	const struct mig_mapping *mapping;

	mappings = start(f, ANON("1000", "2000") "rubbish\n", "1000 default\n");
	assert_non_null(next(mappings));
	mapping = NULL;
	assert_int_equal(mig_mappings_next(mappings, &mapping), -EBADMSG);
	assert_null(mapping);
	assert_string_equal(f->root->log, "line 2 of 'proc/42/maps' does not parse");
	others = start(f, ANON("1000", "2000"), "1000 default N0=x\n");
	assert_int_equal(mig_mappings_next(others, &mapping), -EBADMSG);
	assert_string_equal(f->root->log, "line 1 of 'proc/42/numa_maps' does not parse");
}

static void files_that_read_empty_mean_that_the_memory_is_gone(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping = NULL;

	mappings = start(f, "", "");
	assert_int_equal(mig_mappings_next(mappings, &mapping), -ESRCH);
	assert_null(mapping);
}

static void memory_that_goes_during_the_walk_is_noticed_at_its_end(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping = NULL;

	mappings = start(f, ANON("1000", "2000"), "1000 default\n");
	assert_non_null(next(mappings));
	/* As after exit or execve(2): from now on it reads as empty. */
	fake_root_write(f->root, "proc/42/maps", "");
	assert_int_equal(mig_mappings_next(mappings, &mapping), -ESRCH);
}

static void memory_is_reached_through_a_living_thread(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;

	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 44 });
	fake_root_write(f->root, "proc/42/task/44/maps", ANON("5000", "6000"));
	fake_root_write(f->root, "proc/42/task/44/numa_maps", "5000 default N3=1\n");
	mappings = start(f, "", "");
	assert_int_equal(next(mappings)->node_pages[3], 1);
	assert_null(next(mappings));
}

static void one_reader_goes_from_process_to_process(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *other = NULL;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;

	fake_process_write(f->root, 43, 1, NULL);
	assert_int_equal(mig_process_open(f->context, 43, &other), 0);
	fake_root_write(f->root, "proc/42/mountinfo",
			"30 1 0:25 / /dev/shm rw - tmpfs tmpfs rw\n");
	fake_root_write(f->root, "proc/43/mountinfo",
			"31 1 0:26 / /tmp rw - tmpfs tmpfs rw\n");
	fake_root_write(f->root, "proc/43/maps",
			MAPS("3000", "4000", "00:19", "7", "/dev/shm/a")
				MAPS("5000", "6000", "00:1a", "8", "/tmp/b"));
	mappings = start(f, MAPS("1000", "2000", "00:19", "7", "/dev/shm/a"),
			 "1000 default N2=1\n2000 default N3=1\n");
	assert_int_equal(next(mappings)->kind, MIG_KIND_SHMEM);
	assert_int_equal(mig_mappings_reopen(other, true, &mappings), 0);
	assert_false(mig_mappings_have_residency(mappings));
	/* It sees only one of them mounted, and the other was learnt. */
	mapping = next(mappings);
	assert_int_equal(mapping->start, 0x3000);
	assert_int_equal(mapping->kind, MIG_KIND_SHMEM);
	assert_false(mapping->has_residency);
	assert_int_equal(next(mappings)->kind, MIG_KIND_SHMEM);
	assert_null(next(mappings));
	fake_process_remove(f->root, 43);
	assert_int_equal(mig_mappings_reopen(other, true, &mappings), -ESRCH);
	assert_int_equal(mig_mappings_reopen(f->process, true, &mappings), 0);
	assert_int_equal(next(mappings)->node_pages[2], 1);
	assert_null(next(mappings));
}

static void an_exited_process_has_no_mappings_to_walk(void **state)
{
	struct fixture *f = *state;
	struct mig_mappings *mappings = NULL;

	fake_process_remove(f->root, 42);
	assert_int_equal(mig_mappings_new(f->process, &mappings), -ESRCH);
	assert_null(mappings);
}

static void null_is_refused_where_it_is_not_allowed(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	struct mig_mappings *none = NULL;
	const struct mig_mapping *mapping = NULL;

	assert_int_equal(mig_mappings_new(NULL, &none), -EINVAL);
	assert_int_equal(mig_mappings_new(f->process, NULL), -EINVAL);
	mappings = start(f, ANON("1000", "2000"), NULL);
	assert_int_equal(mig_mappings_next(NULL, &mapping), -EINVAL);
	assert_int_equal(mig_mappings_next(mappings, NULL), -EINVAL);
	mig_mappings_free(NULL);
}

/* What this machine's kernel writes, about a mapping of which all is known. */
static void the_running_kernel_is_understood(void **state)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;
	bool kinds[MIG_NR_KINDS] = { false };
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	char *memory;
	bool is_found = false;

	(void)state;
	memory = mmap(NULL, 16 * page_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	memset(memory, 1, 5 * page_size);
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_process_open(context, getpid(), &process), 0);
	assert_int_equal(mig_mappings_new(process, &mappings), 0);
	while ((mapping = next(mappings))) {
		kinds[mapping->kind] = true;
		if (mapping->start != (uintptr_t)memory)
			continue;
		is_found = true;
		assert_int_equal(mapping->end - mapping->start, 16 * page_size);
		assert_int_equal(mapping->kind, MIG_KIND_SHMEM);
		assert_string_equal(mapping->permissions, "rw-s");
		if (mapping->has_residency)
			assert_int_equal(mapping->resident_pages, 5);
	}
	assert_true(is_found);
	assert_true(kinds[MIG_KIND_STACK] && kinds[MIG_KIND_FILE] &&
		    kinds[MIG_KIND_ANON]);
	munmap(memory, 16 * page_size);
}

static void exec_during_the_walk_is_noticed(void **state)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	const struct mig_mapping *mapping;
	int begin[2], done[2], r;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(begin), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		/* The program holds the pipe open: its first byte comes after exec. */
		if (read(begin[0], &byte, 1) == 1 && dup2(done[1], 1) == 1)
			execlp("sh", "sh", "-c", "echo; exec sleep 100", (char *)NULL);
		_exit(1);
	}
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_process_open(context, pid, &process), 0);
	assert_int_equal(mig_mappings_new(process, &mappings), 0);
	assert_non_null(next(mappings));
	assert_int_equal(write(begin[1], "x", 1), 1);
	assert_int_equal(read(done[0], &byte, 1), 1);
	do
		r = mig_mappings_next(mappings, &mapping);
	while (!r && mapping);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(begin[i]);
		close(done[i]);
	}
	assert_int_equal(r, -ESRCH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_files_are_joined_by_address),
		TEST(a_mapping_that_only_maps_has_comes_without_residency),
		TEST(lines_of_numa_maps_behind_the_last_mapping_are_passed_over),
		TEST(a_mapping_that_grew_downward_meanwhile_keeps_its_pages),
		TEST(a_line_for_the_very_start_wins_over_one_before_it),
		TEST(parts_of_a_mapping_that_was_split_meanwhile_are_added_up),
		TEST(a_line_inside_is_enough_if_there_is_none_for_the_start),
		TEST(huge_pages_are_counted_in_base_pages),
		TEST(counts_that_are_no_base_pages_are_refused),
		TEST(a_kernel_without_numa_shows_mappings_without_residency),
		TEST(names_and_file_systems_tell_the_kind),
		TEST(each_device_has_its_own_kind),
		TEST(unreadable_mounts_make_tmpfs_a_file_and_are_logged),
		TEST(a_long_name_is_given_whole),
		TEST(a_line_that_does_not_parse_is_named_in_the_log),
		TEST(files_that_read_empty_mean_that_the_memory_is_gone),
		TEST(memory_that_goes_during_the_walk_is_noticed_at_its_end),
		TEST(memory_is_reached_through_a_living_thread),
		TEST(one_reader_goes_from_process_to_process),
		TEST(an_exited_process_has_no_mappings_to_walk),
		TEST(null_is_refused_where_it_is_not_allowed),
		cmocka_unit_test(the_running_kernel_is_understood),
		cmocka_unit_test(exec_during_the_walk_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
