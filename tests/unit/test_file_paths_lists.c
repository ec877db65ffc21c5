/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over lists, and over what processes have open or mapped. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "live_files.h"

static int begin_list(struct live_files *live, const char *bytes, size_t length)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], bytes, length), length);
	close(ends[1]);
	assert_int_equal(mig_files_add_list(live->files, ends[0]), 0);
	return ends[0];
}

/* Names are relative: the tests of a program run one after the other. */
static void enter(const struct live_files *live)
{
	assert_int_equal(chdir(live->root->path), 0);
}

#define LIST(live, text) begin_list(live, text, sizeof(text) - 1)

static void a_list_is_read_to_its_end(void **state)
{
	struct live_files *live = *state;
	int fd = LIST(live, "a\0./b\0with\nnewline\0last");

	enter(live);
	fake_root_write(live->root, "a", "");
	fake_root_write(live->root, "b", "");
	fake_root_write(live->root, "with\nnewline", "");
	fake_root_write(live->root, "last", "");
	fake_root_write(live->root, "with", "");
	assert_met(live, "./b a last with\nnewline ");
	assert_int_equal(live->nr_problems, 0);
	/* It is the caller's still. */
	assert_int_equal(close(fd), 0);
}

static void a_list_that_ends_as_it_should_has_no_empty_name_behind(void **state)
{
	struct live_files *live = *state;
	int fd = LIST(live, "a\0");

	enter(live);
	fake_root_write(live->root, "a", "");
	assert_met(live, "a ");
	assert_int_equal(live->nr_problems, 0);
	close(fd);
}

static void empty_names_and_directories_in_a_list_are_problems(void **state)
{
	struct live_files *live = *state;
	int fd = LIST(live, "\0a\0\0d\0");

	enter(live);
	fake_root_write(live->root, "a", "");
	fake_root_write(live->root, "d/file", "");
	assert_met(live, "a ");
	assert_int_equal(live->nr_problems, 3);
	assert_int_equal(live->problem, -EISDIR);
	close(fd);
}

static void an_empty_list_has_no_files(void **state)
{
	struct live_files *live = *state;
	int fd = LIST(live, "");

	assert_met(live, "");
	assert_int_equal(live->nr_problems, 0);
	close(fd);
}

static void a_file_that_stands_twice_in_a_list_is_met_once(void **state)
{
	struct live_files *live = *state;
	int fd = LIST(live, "a\0a\0./a\0");

	enter(live);
	fake_root_write(live->root, "a", "");
	assert_met(live, "a ");
	close(fd);
}

static void a_list_that_cannot_be_read_is_a_problem(void **state)
{
	struct live_files *live = *state;
	int fd = open(live->root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	fake_root_write(live->root, "a", "");
	assert_int_equal(mig_files_add_list(live->files, fd), 0);
	assert_int_equal(mig_files_add_list(live->files, 9999), 0);
	live_files_add(live, "a", 0);
	assert_met(live, "a ");
	assert_int_equal(live->nr_problems, 2);
	assert_int_equal(live->problem, -EBADF);
	close(fd);
}

/* ---- processes ---- */

/* A child with files of every sort. Return: its number. */
static pid_t start_owner(struct live_files *live)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		int mapped = open(live_files_path(live, "mapped"), O_RDWR);
		int deleted = open(live_files_path(live, "deleted"), O_RDWR);
		int again = open(live_files_path(live, "open"), O_RDONLY);
		int memory = memfd_create("unit", 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, mapped, 0);
		mmap(NULL, 4096, PROT_READ, MAP_SHARED, again, 0);
		close(mapped);
		unlink(live_files_path(live, "deleted"));
		unlink(live_files_path(live, "mapped"));
		if (deleted >= 0 && memory >= 0 && write(ends[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static unsigned int count_met(const struct met *met, const char *start)
{
	unsigned int nr = 0;

	for (size_t i = 0; i < met->nr && i < 64; i++)
		nr += !strncmp(met->names[i], start, strlen(start));
	return nr;
}

static void the_files_of_a_process_are_met_deleted_or_not(void **state)
{
	struct live_files *live = *state;
	struct mig_process *process = NULL;
	struct met met;
	pid_t pid;

	fake_root_write(live->root, "mapped", "m");
	fake_root_write(live->root, "deleted", "d");
	fake_root_write(live->root, "open", "o");
	pid = start_owner(live);
	assert_int_equal(mig_process_open(live->context, pid, &process), 0);
	assert_int_equal(mig_files_add_process(live->files, process), 0);
	assert_int_equal(live_files_walk(live, &met), 0);
	assert_int_equal(count_met(&met, "open"), 1);
	assert_int_equal(count_met(&met, "deleted (deleted)"), 1);
	assert_int_equal(count_met(&met, "/memfd:unit (deleted)"), 1);
	assert_int_equal(count_met(&met, "mapped (deleted)"), !geteuid());
	assert_int_equal(count_met(&met, "pipe:"), 0);
	/* Its program and the libraries of it. */
	assert_true(met.nr > 4);
	assert_int_equal(live->nr_problems, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	live->nr_problems = 0;
	assert_int_equal(live_files_walk(live, &met), 0);
	assert_int_equal(met.nr, 0);
	assert_int_equal(live->nr_problems, 1);
	assert_int_equal(live->problem, -ESRCH);
	mig_process_free(process);
}

static int walk_others_process(struct live_files *live)
{
	struct met met;

	live->nr_problems = 0;
	if (live_files_walk(live, &met) < 0 || met.nr || live->nr_problems != 1)
		return 1;
	return -live->problem;
}

static void the_files_of_others_processes_are_a_problem(void **state)
{
	struct live_files *live = *state;
	struct mig_process *process = NULL;

	assert_int_equal(mig_process_open(live->context, getpid(), &process), 0);
	assert_int_equal(mig_files_add_process(live->files, process), 0);
	assert_int_equal(live_files_as_nobody(live, walk_others_process), EACCES);
	mig_process_free(process);
}

static void count_forbidden(void *data, const char *path, int error)
{
	unsigned int *nr = data;

	*nr += strstr(path, "/forbidden") && error == -EACCES;
}

static int visit_nothing(void *data, unsigned int thread, struct mig_file *file)
{
	(void)data;
	(void)thread;
	(void)file;
	return 0;
}

/* What this process has open itself. */
static int count_complaints(struct live_files *live)
{
	unsigned int nr = 0;
	const struct mig_files_options options = {
		.size = sizeof(options),
		.problem = count_forbidden,
		.problem_data = &nr,
	};
	struct mig_process *process = NULL;
	struct mig_files *files = NULL;

	/* Who has become somebody else may not look at itself. */
	prctl(PR_SET_DUMPABLE, 1);
	if (mig_process_open(live->context, getpid(), &process) < 0 ||
	    mig_files_new(live->context, &options, &files) < 0 ||
	    mig_files_add_process(files, process) < 0 ||
	    mig_files_walk(files, 1, visit_nothing, NULL) < 0)
		nr = 99;
	mig_files_free(files);
	mig_process_free(process);
	return (int)nr;
}

static void a_file_that_is_open_and_mapped_is_complained_of_once(void **state)
{
	struct live_files *live = *state;
	const char *path = live_files_path(live, "forbidden");
	int descriptors[2];
	void *mappings[2];

	fake_root_write(live->root, "forbidden", "f");
	for (int i = 0; i < 2; i++) {
		descriptors[i] = open(path, O_RDONLY);
		mappings[i] = mmap(NULL, 4096, PROT_READ, MAP_SHARED, descriptors[i], 0);
		assert_true(mappings[i] != MAP_FAILED);
	}
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(chmod(live->root->path, 0755), 0);
	assert_int_equal(live_files_as_nobody(live, count_complaints), 1);
	for (int i = 0; i < 2; i++) {
		munmap(mappings[i], 4096);
		close(descriptors[i]);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, live_files_set_up, live_files_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_list_is_read_to_its_end),
		TEST(a_list_that_ends_as_it_should_has_no_empty_name_behind),
		TEST(empty_names_and_directories_in_a_list_are_problems),
		TEST(an_empty_list_has_no_files),
		TEST(a_file_that_stands_twice_in_a_list_is_met_once),
		TEST(a_list_that_cannot_be_read_is_a_problem),
		TEST(the_files_of_a_process_are_met_deleted_or_not),
		TEST(the_files_of_others_processes_are_a_problem),
		TEST(a_file_that_is_open_and_mapped_is_complained_of_once),
	};

	return cmocka_run_group_tests_name("file_paths_lists", tests, NULL, NULL);
}
