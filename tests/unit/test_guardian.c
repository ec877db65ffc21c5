/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guardian.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "fake_root.h"

struct fixture {
	struct fake_root *root;
	int dir_fd;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->root = fake_root_new();
	fake_root_write(f->root, "first", "1");
	fake_root_write(f->root, "second", "1");
	f->dir_fd = open(f->root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->dir_fd);
	fake_root_free(f->root);
	free(f);
	return 0;
}

static bool reads(const struct fixture *f, const char *name, const char *text)
{
	CLEANUP_CLOSE int fd = openat(f->dir_fd, name, O_RDONLY | O_CLOEXEC);
	char found[64] = "";

	return fd >= 0 && read(fd, found, sizeof(found) - 1) >= 0 && !strcmp(found, text);
}

static void nap(void)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	nanosleep(&moment, NULL);
}

/* Whether it reads so within a few seconds. */
static bool comes_to_read(const struct fixture *f, const char *name, const char *text)
{
	for (int i = 0; i < 1000; i++) {
		if (reads(f, name, text))
			return true;
		nap();
	}
	return false;
}

/* Both files become 0, the second one behind the first. */
static int watch_both(const struct fixture *f, struct mig_guardian **ret_guardian)
{
	const struct mig_guardian_write writes[] = {
		{ f->dir_fd, "first", "0" },
		{ f->dir_fd, "second", "0" },
	};

	return mig_guardian_new(writes, 2, ret_guardian);
}

static struct mig_guardian *watch(const struct fixture *f)
{
	struct mig_guardian *guardian = NULL;

	assert_int_equal(watch_both(f, &guardian), 0);
	return guardian;
}

/* The guardian of this process, by its name; 0: there is none. */
static pid_t find_guardian(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	assert_non_null(proc);
	while (!found && (entry = readdir(proc))) {
		char path[300], comm[32] = "";
		int parent = 0, pid = atoi(entry->d_name);
		FILE *stream;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		stream = pid > 0 ? fopen(path, "re") : NULL;
		if (!stream)
			continue;
		if (fscanf(stream, "%*d (%31[^)]) %*c %d", comm, &parent) == 2 &&
		    parent == getpid() && !strcmp(comm, "mig-guardian"))
			found = pid;
		fclose(stream);
	}
	closedir(proc);
	return found;
}

/* A process of its own that is watched, and then does something that ends it. */
static pid_t start_watched(const struct fixture *f, void (*then)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		struct mig_guardian *guardian;

		if (watch_both(f, &guardian) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		then();
		_exit(2);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void a_caller_who_is_killed_is_undone(void **state)
{
	const struct fixture *f = *state;
	pid_t pid = start_watched(f, sleep_for_ever);

	nap();
	assert_true(reads(f, "first", "1"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(comes_to_read(f, "second", "0"));
	assert_true(reads(f, "first", "0"));
}

static void exit_at_once(void)
{
	_exit(0);
}

static void a_caller_who_exits_is_undone(void **state)
{
	const struct fixture *f = *state;
	pid_t pid = start_watched(f, exit_at_once);

	/* Not reaped: that it is dead is enough. */
	assert_true(comes_to_read(f, "second", "0"));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void become_another(void)
{
	execl("/bin/sleep", "sleep", "60", (char *)NULL);
}

static void a_caller_who_becomes_another_program_is_undone(void **state)
{
	const struct fixture *f = *state;
	pid_t pid = start_watched(f, become_another);

	assert_true(comes_to_read(f, "second", "0"));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The child has a copy of all descriptors of the caller. */
static void leave_a_child(void)
{
	if (!fork()) {
		/* Whoever reads what this test says must not wait for it. */
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		sleep(20);
		_exit(0);
	}
	raise(SIGKILL);
}

static void a_child_of_the_callers_that_lives_on_does_not_hide_its_death(void **state)
{
	const struct fixture *f = *state;
	pid_t pid = start_watched(f, leave_a_child);

	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(comes_to_read(f, "second", "0"));
}

static void who_is_let_go_writes_nothing(void **state)
{
	const struct fixture *f = *state;

	mig_guardian_free(watch(f));
	assert_int_equal(find_guardian(), 0);
	nap();
	assert_true(reads(f, "first", "1"));
	assert_true(reads(f, "second", "1"));
	mig_guardian_free(NULL);
}

static void it_undoes_when_it_is_told_to(void **state)
{
	const struct fixture *f = *state;

	assert_int_equal(mig_guardian_undo(watch(f)), 0);
	assert_true(reads(f, "first", "0"));
	assert_true(reads(f, "second", "0"));
	assert_int_equal(find_guardian(), 0);
}

static void a_write_that_fails_does_not_keep_it_from_the_others(void **state)
{
	const struct fixture *f = *state;
	struct mig_guardian *guardian = NULL;
	const struct mig_guardian_write writes[] = {
		{ f->dir_fd, "first", "0" },
		{ f->dir_fd, "missing", "0" },
		{ f->dir_fd, ".", "0" },
		{ f->dir_fd, "second", "0" },
	};

	assert_int_equal(mig_guardian_new(writes, 4, &guardian), 0);
	assert_int_equal(mig_guardian_undo(guardian), -ENOENT);
	assert_true(reads(f, "first", "0"));
	assert_true(reads(f, "second", "0"));
}

static void what_is_busy_is_tried_again(void **state)
{
	const struct fixture *f = *state;
	void (*before)(int) = signal(SIGIO, SIG_IGN);
	int leased = openat(f->dir_fd, "first", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	assert_true(leased >= 0);
	if (fcntl(leased, F_SETLEASE, F_RDLCK) < 0) {
		close(leased);
		print_message("no leases on files here\n");
		skip();
	}
	pid = start_watched(f, exit_at_once);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 10; i++)
		nap();
	assert_true(reads(f, "first", "1"));
	assert_true(reads(f, "second", "1"));
	assert_int_equal(fcntl(leased, F_SETLEASE, F_UNLCK), 0);
	close(leased);
	assert_true(comes_to_read(f, "second", "0"));
	assert_true(reads(f, "first", "0"));
	signal(SIGIO, before);
}

static void a_file_that_is_made_later_is_written_too(void **state)
{
	const struct fixture *f = *state;
	const struct mig_guardian_write write = { f->dir_fd, "later", "off" };
	struct mig_guardian *guardian = NULL;

	assert_int_equal(mig_guardian_new(&write, 1, &guardian), 0);
	fake_root_write(f->root, "later", "on!");
	assert_int_equal(mig_guardian_undo(guardian), 0);
	assert_true(reads(f, "later", "off"));
}

static void it_needs_no_descriptor_of_the_caller_any_more(void **state)
{
	const struct fixture *f = *state;
	struct mig_guardian *guardian = NULL;
	int fd = dup(f->dir_fd);
	const struct mig_guardian_write write = { fd, "first", "0" };

	assert_int_equal(mig_guardian_new(&write, 1, &guardian), 0);
	close(fd);
	assert_int_equal(mig_guardian_undo(guardian), 0);
	assert_true(reads(f, "first", "0"));
}

static void signals_do_not_end_it(void **state)
{
	static const int signals[] = { SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
				       SIGPIPE, SIGTSTP, SIGUSR1 };
	const struct fixture *f = *state;
	struct mig_guardian *guardian = watch(f);
	pid_t pid = find_guardian();

	assert_true(pid > 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		assert_int_equal(kill(pid, signals[i]), 0);
	nap();
	assert_int_equal(find_guardian(), pid);
	assert_true(reads(f, "first", "1"));
	assert_int_equal(mig_guardian_undo(guardian), 0);
	assert_true(reads(f, "first", "0"));
}

static void it_is_in_a_session_of_its_own_and_holds_no_directory(void **state)
{
	struct mig_guardian *guardian = watch(*state);
	char path[64], directory[64] = "";
	pid_t pid = find_guardian();

	assert_int_equal(getsid(pid), pid);
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	assert_true(readlink(path, directory, sizeof(directory) - 1) > 0);
	assert_string_equal(directory, "/");
	mig_guardian_free(guardian);
}

static unsigned int count_descriptors(pid_t pid)
{
	char path[64];
	unsigned int nr = 0;
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	assert_non_null(directory);
	while ((entry = readdir(directory)))
		nr += entry->d_name[0] != '.';
	closedir(directory);
	return nr;
}

static void it_holds_no_pipe_of_the_caller_open(void **state)
{
	struct mig_guardian *guardian;
	int pair[2];
	char byte;

	/* Without O_CLOEXEC, as standard output has none. */
	assert_int_equal(pipe(pair), 0);
	guardian = watch(*state);
	close(pair[1]);
	assert_int_equal(read(pair[0], &byte, 1), 0);
	close(pair[0]);
	/* Its socket, the caller and one directory. */
	assert_int_equal(count_descriptors(find_guardian()), 3);
	mig_guardian_free(guardian);
}

static volatile sig_atomic_t nr_ended;

static void count_end(int number)
{
	(void)number;
	nr_ended++;
}

static void the_caller_does_not_notice_its_child(void **state)
{
	const struct sigaction count = { .sa_handler = count_end };
	struct mig_guardian *guardian;
	struct sigaction before;

	nr_ended = 0;
	assert_int_equal(sigaction(SIGCHLD, &count, &before), 0);
	guardian = watch(*state);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	mig_guardian_free(guardian);
	assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
	assert_int_equal(nr_ended, 0);
	assert_int_equal(waitpid(-1, NULL, __WALL), -1);
}

static void a_caller_who_ignores_its_children_is_served_too(void **state)
{
	const struct fixture *f = *state;
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);

	assert_int_equal(mig_guardian_undo(watch(f)), 0);
	signal(SIGCHLD, before);
	assert_true(reads(f, "first", "0"));
}

static void the_signals_that_the_caller_blocks_stay_the_same(void **state)
{
	sigset_t wanted, mask;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR2);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &wanted, NULL), 0);
	mig_guardian_free(watch(*state));
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGUSR2), 1);
	assert_int_equal(sigismember(&mask, SIGINT), 0);
	sigemptyset(&wanted);
	pthread_sigmask(SIG_SETMASK, &wanted, NULL);
}

static void *watch_in_thread(void *data)
{
	struct mig_guardian *guardian = NULL;

	return watch_both(data, &guardian) < 0 ? NULL : guardian;
}

static void it_outlives_the_thread_that_made_it(void **state)
{
	struct fixture *f = *state;
	void *guardian = NULL;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, watch_in_thread, f), 0);
	assert_int_equal(pthread_join(thread, &guardian), 0);
	assert_non_null(guardian);
	nap();
	assert_true(reads(f, "first", "1"));
	assert_int_equal(mig_guardian_undo(guardian), 0);
	assert_true(reads(f, "first", "0"));
}

static void one_that_somebody_kills_is_told_of(void **state)
{
	const struct fixture *f = *state;
	struct mig_guardian *guardian = watch(f);

	kill(find_guardian(), SIGKILL);
	assert_int_equal(mig_guardian_undo(guardian), -ESRCH);
	guardian = watch(f);
	kill(find_guardian(), SIGKILL);
	mig_guardian_free(guardian);
	assert_int_equal(find_guardian(), 0);
	assert_true(reads(f, "first", "1"));
}

static void more_writes_than_it_can_hold_are_refused(void **state)
{
	struct mig_guardian_write writes[MIG_GUARDIAN_MOST_WRITES + 1] = { { 0 } };
	struct mig_guardian *guardian = NULL;

	(void)state;
	assert_int_equal(
		mig_guardian_new(writes, MIG_GUARDIAN_MOST_WRITES + 1, &guardian),
		-EINVAL);
	assert_null(guardian);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_caller_who_is_killed_is_undone),
		TEST(a_caller_who_exits_is_undone),
		TEST(a_caller_who_becomes_another_program_is_undone),
		TEST(a_child_of_the_callers_that_lives_on_does_not_hide_its_death),
		TEST(who_is_let_go_writes_nothing),
		TEST(it_undoes_when_it_is_told_to),
		TEST(a_write_that_fails_does_not_keep_it_from_the_others),
		TEST(what_is_busy_is_tried_again),
		TEST(a_file_that_is_made_later_is_written_too),
		TEST(it_needs_no_descriptor_of_the_caller_any_more),
		TEST(signals_do_not_end_it),
		TEST(it_is_in_a_session_of_its_own_and_holds_no_directory),
		TEST(it_holds_no_pipe_of_the_caller_open),
		TEST(the_caller_does_not_notice_its_child),
		TEST(a_caller_who_ignores_its_children_is_served_too),
		TEST(the_signals_that_the_caller_blocks_stay_the_same),
		TEST(it_outlives_the_thread_that_made_it),
		TEST(one_that_somebody_kills_is_told_of),
		TEST(more_writes_than_it_can_hold_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
