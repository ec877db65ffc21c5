/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "live_files.h"

static struct mig_calls calls;

/* What cachestat(2) says of the file: the parts that have pages, by bit. */
static struct {
	uint64_t parts;
	int error;
	unsigned int nr_calls;
} cache;

static int fake_cachestat(int fd, const uint64_t range[2], uint64_t counts[5])
{
	(void)fd;
	cache.nr_calls++;
	memset(counts, 0, 5 * sizeof(*counts));
	for (uint64_t part = 0; part < 64; part++)
		if (cache.parts >> part & 1 && part * MIG_FILE_PART >= range[0] &&
		    part * MIG_FILE_PART < range[0] + range[1])
			counts[0]++;
	counts[1] = 2;
	counts[2] = 3;
	return cache.error;
}

static int set_up(void **state)
{
	int r = live_files_set_up(state);
	struct live_files *live = *state;

	cache.parts = 0;
	cache.error = 0;
	cache.nr_calls = 0;
	calls = mig_calls_kernel;
	calls.cachestat = fake_cachestat;
	mig_context_set_calls(live->context, &calls);
	return r;
}

static int try_open(struct live_files *live, const char *path, bool follow)
{
	const struct mig_file_name name = { .path = (char *)(uintptr_t)path,
					    .follow = follow };
	struct mig_file *file = NULL;
	int r = mig_file_open(&live->files->backings, &name, &file);

	if (r < 0 && file)
		return -EBADMSG;
	mig_file_put(file);
	return r;
}

static int try_name(struct live_files *live, const char *name, bool follow)
{
	return try_open(live, live_files_path(live, name), follow);
}

/* ---- what can be opened ---- */

static void a_file_is_known_by_device_and_inode(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file, *link;

	fake_root_write(live->root, "file", "12345");
	fake_root_link(live->root, "link", "file");
	file = live_files_open(live, "file");
	link = live_files_open(live, "link");
	assert_int_equal(file->size_bytes, 5);
	assert_int_equal(file->nr_links, 1);
	assert_true(file->inode != 0);
	assert_int_equal(file->inode, link->inode);
	assert_int_equal(file->device, link->device);
	assert_ptr_equal(file->backing, link->backing);
	assert_int_equal(file->page_size_bytes, live->context->page_size);
	assert_true(fcntl(file->fd, F_GETFD) & FD_CLOEXEC);
	assert_string_equal(mig_file_get_label(file), live_files_path(live, "file"));
	mig_file_put(file);
	mig_file_put(link);
}

static void a_symbolic_link_is_followed_only_where_that_is_asked(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "file", "");
	fake_root_link(live->root, "link", "file");
	fake_root_link(live->root, "broken", "nothing");
	fake_root_link(live->root, "loop", "loop");
	assert_int_equal(try_name(live, "link", true), 0);
	assert_int_equal(try_name(live, "link", false), -ELOOP);
	assert_int_equal(try_name(live, "broken", true), -ENOENT);
	assert_int_equal(try_name(live, "loop", true), -ELOOP);
	assert_int_equal(try_name(live, "file", false), 0);
}

/* Nobody writes to the FIFO: an open that waits would wait for ever. */
static void fifos_sockets_and_devices_are_not_opened(void **state)
{
	struct live_files *live = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkfifo(live_files_path(live, "fifo"), 0600), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s",
		 live_files_path(live, "socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	alarm(20);
	assert_int_equal(try_name(live, "fifo", true), -EOPNOTSUPP);
	assert_int_equal(try_name(live, "fifo", false), -EOPNOTSUPP);
	assert_int_equal(try_open(live, address.sun_path, true), -EOPNOTSUPP);
	assert_int_equal(try_open(live, "/dev/null", true), -EOPNOTSUPP);
	assert_int_equal(try_open(live, "/dev/tty", true), -EOPNOTSUPP);
	alarm(0);
	close(fd);
}

static void what_became_a_fifo_since_it_was_listed_is_not_waited_for(void **state)
{
	struct live_files *live = *state;
	char *path = strdup(live_files_path(live, "fifo"));
	const struct mig_file_name name = { .path = path, .is_file = true };
	struct mig_file *file = NULL;

	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(20);
	assert_int_equal(mig_file_open(&live->files->backings, &name, &file),
			 -EOPNOTSUPP);
	alarm(0);
	assert_null(file);
	free(path);
}

static void directories_and_what_is_not_there_are_told_apart(void **state)
{
	struct live_files *live = *state;

	fake_root_mkdir(live->root, "directory");
	fake_root_write(live->root, "file", "");
	assert_int_equal(try_name(live, "directory", true), -EISDIR);
	assert_int_equal(try_name(live, "nothing", true), -ENOENT);
	assert_int_equal(try_name(live, "file/below", true), -ENOTDIR);
	assert_int_equal(try_open(live, "", true), -ENOENT);
}

static int open_others(struct live_files *live)
{
	static const struct {
		const char *name;
		int expected;
	} cases[] = {
		{ "readable", -EPERM },
		{ "writable", 0 },
		{ "secret", -EACCES },
		{ "nothing", -ENOENT },
	};
	int i = 0;

	for (; i < 4; i++)
		if (try_name(live, cases[i].name, true) != cases[i].expected)
			return i + 1;
	return 0;
}

/* mincore(2) would call all of the first one's pages cached. */
static void others_files_are_seen_only_by_who_may_write_them(void **state)
{
	struct live_files *live = *state;

	fake_root_write(live->root, "readable", "");
	fake_root_write(live->root, "writable", "");
	fake_root_write(live->root, "secret", "");
	chmod(live_files_path(live, "readable"), 0644);
	chmod(live_files_path(live, "writable"), 0666);
	chmod(live_files_path(live, "secret"), 0600);
	assert_int_equal(live_files_as_nobody(live, open_others), 0);
}

static void memory_files_can_be_opened_by_their_descriptor(void **state)
{
	struct live_files *live = *state;
	int fd = memfd_create("unit", MFD_CLOEXEC);
	struct mig_file *file = NULL;
	char path[64];
	const struct mig_file_name name = { .path = path,
					    .shown = (char[]){ "/memfd:unit" },
					    .follow = true };

	assert_int_equal(ftruncate(fd, 12345), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(mig_file_open(&live->files->backings, &name, &file), 0);
	assert_int_equal(file->kind, MIG_KIND_SHMEM);
	assert_int_equal(file->size_bytes, 12345);
	assert_string_equal(mig_file_get_label(file), "/memfd:unit");
	mig_file_put(file);
	close(fd);
}

static void secret_memory_has_no_cache_to_look_at(void **state)
{
	struct live_files *live = *state;
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
	char path[64];

	if (fd < 0) {
		print_message("no secret memory on this kernel\n");
		skip();
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(try_open(live, path, true), -EOPNOTSUPP);
	close(fd);
}

/* Touches of others would fill them. */
static void holes_of_a_file_of_huge_pages_are_known(void **state)
{
	struct live_files *live = *state;
	int fd = memfd_create("unit", MFD_CLOEXEC | MFD_HUGETLB);
	struct mig_file *file = NULL;
	char path[64];
	const struct mig_file_name name = { .path = path, .follow = true };
	char *memory;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memory = fd < 0 || ftruncate(fd, 4 << 20) < 0
			 ? MAP_FAILED
			 : mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (memory == MAP_FAILED) {
		print_message("no huge pages on this kernel\n");
		skip();
	}
	assert_int_equal(mig_file_open(&live->files->backings, &name, &file), 0);
	assert_int_equal(file->kind, MIG_KIND_HUGETLB);
	assert_int_equal(file->size_bytes, 0);
	mig_file_put(file);
	munmap(memory, 4 << 20);
	if (fallocate(fd, 0, 0, 2 << 20) < 0) {
		close(fd);
		print_message("the pool of huge pages is empty\n");
		skip();
	}
	assert_int_equal(mig_file_open(&live->files->backings, &name, &file), 0);
	assert_int_equal(file->size_bytes, 4 << 20);
	assert_true(file->has_holes);
	mig_file_put(file);
	close(fd);
}

static void nothing_stays_open_of_what_was_refused(void **state)
{
	struct live_files *live = *state;
	unsigned int before = live_files_count_descriptors();

	fake_root_write(live->root, "file", "");
	fake_root_mkdir(live->root, "directory");
	for (int i = 0; i < 5; i++) {
		try_name(live, "file", true);
		try_name(live, "directory", true);
		try_name(live, "nothing", true);
	}
	assert_int_equal(live_files_count_descriptors(), before);
}

static void the_last_user_closes_a_file(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file;
	int fd;

	fake_root_write(live->root, "file", "");
	file = live_files_open(live, "file");
	fd = file->fd;
	assert_ptr_equal(mig_file_get(file), file);
	mig_file_put(file);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	mig_file_put(file);
	assert_true(fcntl(fd, F_GETFD) < 0);
	mig_file_put(NULL);
}

static void looking_leaves_the_access_time_alone(void **state)
{
	struct live_files *live = *state;
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
	struct mig_file *file;
	struct stat status;
	char byte;

	fake_root_write(live->root, "file", "12345");
	assert_int_equal(utimensat(AT_FDCWD, live_files_path(live, "file"), old, 0), 0);
	file = live_files_open(live, "file");
	assert_int_equal(pread(file->fd, &byte, 1, 0), 1);
	mig_file_put(file);
	assert_int_equal(stat(live_files_path(live, "file"), &status), 0);
	assert_int_equal(status.st_atim.tv_sec, 1000);
}

/* ---- what is cached ---- */

static struct mig_file *open_sized(struct live_files *live, uint64_t size_bytes)
{
	fake_root_write(live->root, "file", "");
	live_files_resize(live, "file", size_bytes);
	return live_files_open(live, "file");
}

static void counts_are_those_of_the_kernel(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file = open_sized(live, 3 * MIG_FILE_PART);
	struct mig_cache_counts counts;

	cache.parts = 5;
	assert_int_equal(mig_file_count(file, 0, file->size_bytes, &counts), 0);
	assert_int_equal(counts.cached_pages, 2);
	assert_int_equal(counts.dirty_pages, 2);
	assert_int_equal(counts.writeback_pages, 3);
	assert_int_equal(mig_file_count(file, MIG_FILE_PART, 2 * MIG_FILE_PART, &counts),
			 0);
	assert_int_equal(counts.cached_pages, 0);
	mig_file_put(file);
}

static void a_kernel_that_cannot_count_is_asked_once(void **state)
{
	static const int errors[] = { -ENOSYS, -EPERM, -EOPNOTSUPP, -EBADF };
	struct live_files *live = *state;
	struct mig_file *file = open_sized(live, MIG_FILE_PART);
	struct mig_cache_counts counts = { 7, 8, 9 };

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		file->backing->counts = true;
		cache.nr_calls = 0;
		cache.error = errors[i];
		for (int again = 0; again < 3; again++)
			assert_int_equal(mig_file_count(file, 0, 1, &counts),
					 -EOPNOTSUPP);
		assert_int_equal(cache.nr_calls, 1);
	}
	assert_int_equal(counts.cached_pages, 7);
	assert_int_equal(counts.writeback_pages, 9);
	mig_file_put(file);
}

static uint64_t walk_parts(const struct mig_file *file, unsigned int *ret_nr)
{
	uint64_t seen = 0, start, end;

	*ret_nr = 0;
	for (uint64_t at = 0; mig_file_next_part(file, at, &start, &end); at = end) {
		assert_true(start >= at && end > start);
		assert_true(end <= file->size_bytes);
		assert_true(end - start <= MIG_FILE_PART);
		assert_int_equal(start % file->page_size_bytes, 0);
		for (uint64_t part = start / MIG_FILE_PART; part * MIG_FILE_PART < end;
		     part++)
			seen |= UINT64_C(1) << part % 64;
		(*ret_nr)++;
	}
	return seen;
}

static void parts_that_have_pages_are_found_wherever_they_are(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file = open_sized(live, 63 * MIG_FILE_PART + 5);
	unsigned int nr;

	srand(1);
	for (int i = 0; i < 300; i++) {
		cache.parts = 0;
		for (int bit = rand() % 12; bit > 0; bit--)
			cache.parts |= UINT64_C(1) << rand() % 64;
		assert_int_equal(walk_parts(file, &nr) & cache.parts, cache.parts);
		/* The half of a stretch that is not empty is not looked for twice. */
		assert_int_equal(nr, __builtin_popcountll(cache.parts));
	}
	mig_file_put(file);
}

static void where_nobody_counts_every_part_may_have_pages(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file = open_sized(live, 5 * MIG_FILE_PART + 5);
	unsigned int nr;

	cache.error = -ENOSYS;
	assert_int_equal(walk_parts(file, &nr), 0x3f);
	assert_int_equal(nr, 6);
	mig_file_put(file);
}

static void an_empty_file_has_no_parts(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file = open_sized(live, 0);
	unsigned int nr;

	walk_parts(file, &nr);
	assert_int_equal(nr, 0);
	assert_int_equal(cache.nr_calls, 0);
	mig_file_put(file);
}

static void terabytes_of_nothing_cost_few_calls(void **state)
{
	struct live_files *live = *state;
	struct mig_file *file = open_sized(live, 4096);
	unsigned int nr;

	/* Not every file system has files of that size. */
	file->size_bytes = UINT64_C(15) << 40;
	assert_int_equal(walk_parts(file, &nr), 0);
	assert_true(cache.nr_calls < 64);
	cache.nr_calls = 0;
	cache.parts = 1;
	walk_parts(file, &nr);
	assert_int_equal(nr, 1);
	assert_true(cache.nr_calls < 64);
	mig_file_put(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, live_files_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_file_is_known_by_device_and_inode),
		TEST(a_symbolic_link_is_followed_only_where_that_is_asked),
		TEST(fifos_sockets_and_devices_are_not_opened),
		TEST(what_became_a_fifo_since_it_was_listed_is_not_waited_for),
		TEST(directories_and_what_is_not_there_are_told_apart),
		TEST(others_files_are_seen_only_by_who_may_write_them),
		TEST(memory_files_can_be_opened_by_their_descriptor),
		TEST(secret_memory_has_no_cache_to_look_at),
		TEST(holes_of_a_file_of_huge_pages_are_known),
		TEST(nothing_stays_open_of_what_was_refused),
		TEST(the_last_user_closes_a_file),
		TEST(looking_leaves_the_access_time_alone),
		TEST(counts_are_those_of_the_kernel),
		TEST(a_kernel_that_cannot_count_is_asked_once),
		TEST(parts_that_have_pages_are_found_wherever_they_are),
		TEST(where_nobody_counts_every_part_may_have_pages),
		TEST(an_empty_file_has_no_parts),
		TEST(terabytes_of_nothing_cost_few_calls),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
