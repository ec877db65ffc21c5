/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel is a call that runs in the child, and does to the files of a made-up machine
 * what the real one does to its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "fake_root.h"
#include "handles.h"

#define SECOND UINT64_C(1000000000)
#define MEMORY "sys/devices/system/memory"
#define STATE MEMORY "/memory9/state"

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
};

static struct mig_calls calls;

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->root = fake_root_new();
	fake_root_write(f->root, MEMORY "/block_size_bytes", "8000000\n");
	fake_root_write(f->root, STATE, "online\n");
	fake_root_write(f->root, "dev/kmsg",
			"4,1,1,-;migrating pfn 48001 failed ret:1\n");
	calls = mig_calls_kernel;
	f->context = fake_root_context(f->root, &calls);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mig_context_free(f->context);
	fake_root_free(f->root);
	free(f);
	return 0;
}

static void assert_reads(const struct fixture *f, const char *name, const char *text)
{
	char path[256], found[64] = "";
	CLEANUP_CLOSE int fd = -1;

	snprintf(path, sizeof(path), "%s/%s", f->root->path, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	assert_string_equal(found, text);
}

/* As the kernel: "online_movable" makes it "online". */
static ssize_t change_state(int fd, const void *buffer, size_t length)
{
	static const char offline[] = "offline\n", online[] = "online\n";
	const char *text = memcmp(buffer, "off", 3) ? online : offline;

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) < 0)
		return -errno;
	return (ssize_t)length;
}

static ssize_t never_end(int fd, const void *buffer, size_t length)
{
	(void)fd;
	(void)buffer;
	for (;;)
		pause();
	return (ssize_t)length;
}

static ssize_t change_and_never_end(int fd, const void *buffer, size_t length)
{
	change_state(fd, buffer, length);
	return never_end(fd, buffer, length);
}

static ssize_t refuse(int fd, const void *buffer, size_t length)
{
	(void)fd;
	(void)buffer;
	(void)length;
	return -EBUSY;
}

static struct mig_block_attempt offline(struct fixture *f, uint64_t timeout_ns,
					bool (*is_stopped)(void *data))
{
	struct mig_block_attempt attempt;

	assert_int_equal(mig_memory_block_offline(f->context, 9, timeout_ns, is_stopped,
						  NULL, &attempt),
			 0);
	return attempt;
}

/* Neither of the caller's own, nor of others. */
static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_block_goes_offline_and_comes_back(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	calls.write = change_state;
	attempt = offline(f, SECOND, NULL);
	assert_int_equal(attempt.error, 0);
	assert_false(attempt.was_done);
	assert_false(attempt.timed_out);
	assert_true(attempt.elapsed_ns > 0);
	assert_reads(f, STATE, "offline\n");
	assert_int_equal(
		mig_memory_block_online(f->context, 9, MIG_ZONE_DEFAULT, &attempt), 0);
	assert_int_equal(attempt.error, 0);
	assert_reads(f, STATE, "online\n");
	assert_no_child();
}

/* The text lands in the file as it is written. */
static void the_zone_is_the_word_that_is_written(void **state)
{
	static const char *const words[] = { "online", "online_movable",
					     "online_kernel" };
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	for (unsigned int zone = MIG_ZONE_DEFAULT; zone <= MIG_ZONE_KERNEL; zone++) {
		fake_root_write(f->root, STATE, "offline");
		assert_int_equal(mig_memory_block_online(f->context, 9,
							 (enum mig_block_zone)zone,
							 &attempt),
				 0);
		assert_int_equal(attempt.error, 0);
		assert_reads(f, STATE, zone ? words[zone] : "onlinee");
	}
	assert_int_equal(
		mig_memory_block_online(f->context, 9, (enum mig_block_zone)3, &attempt),
		-EINVAL);
}

static void what_is_so_already_is_success(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	calls.write = refuse;
	assert_int_equal(
		mig_memory_block_online(f->context, 9, MIG_ZONE_MOVABLE, &attempt), 0);
	assert_true(attempt.was_done);
	assert_int_equal(attempt.error, 0);
	fake_root_write(f->root, STATE, "offline\n");
	attempt = offline(f, SECOND, NULL);
	assert_true(attempt.was_done);
	assert_int_equal(attempt.error, 0);
}

static void an_attempt_that_does_not_end_is_ended(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	calls.write = never_end;
	attempt = offline(f, SECOND / 5, NULL);
	assert_int_equal(attempt.error, -EINTR);
	assert_true(attempt.timed_out);
	assert_true(attempt.elapsed_ns >= SECOND / 5);
	assert_reads(f, STATE, "online\n");
	assert_no_child();
}

static bool is_stopped_at_once(void *data)
{
	(void)data;
	return true;
}

static void a_stop_ends_it_before_its_time(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	calls.write = never_end;
	attempt = offline(f, 3600 * SECOND, is_stopped_at_once);
	assert_int_equal(attempt.error, -EINTR);
	assert_false(attempt.timed_out);
	assert_true(attempt.elapsed_ns < 3600 * SECOND);
	assert_no_child();
}

/* It was done in the last moment, or somebody else did it. */
static void the_state_counts_and_not_how_the_child_ended(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	calls.write = change_and_never_end;
	attempt = offline(f, SECOND / 5, NULL);
	assert_int_equal(attempt.error, 0);
	assert_false(attempt.timed_out);
	assert_false(attempt.was_done);
}

static char log_path[256];

static ssize_t refuse_and_log(int fd, const void *buffer, size_t length)
{
	static const char text[] =
		"4,2,1,-;page: refcount:1 mapcount:0 index:0x0 pfn:0x48002\n"
		"4,3,1,-;page_type: f5(slab)\n"
		"4,4,1,-;page dumped because: unmovable page\n";
	int log = open(log_path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (log < 0 || write(log, text, strlen(text)) < 0)
		return -EIO;
	close(log);
	return refuse(fd, buffer, length);
}

static void a_refusal_comes_with_the_page_in_the_way(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	snprintf(log_path, sizeof(log_path), "%s/dev/kmsg", f->root->path);
	calls.write = refuse_and_log;
	attempt = offline(f, SECOND, NULL);
	assert_int_equal(attempt.error, -EBUSY);
	assert_false(attempt.timed_out);
	assert_int_equal(attempt.obstacle, MIG_OBSTACLE_UNMOVABLE);
	assert_int_equal(attempt.frame, 0x48002);
	assert_string_equal(attempt.page, "slab");
}

/* What the log said before is of another attempt; and there may be no log. */
static void without_a_word_in_the_log_the_obstacle_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;

	calls.write = refuse;
	attempt = offline(f, SECOND, NULL);
	assert_int_equal(attempt.error, -EBUSY);
	assert_int_equal(attempt.obstacle, MIG_OBSTACLE_UNKNOWN);
	assert_string_equal(attempt.page, "");
	fake_root_remove(f->root, "dev/kmsg");
	attempt = offline(f, SECOND, NULL);
	assert_int_equal(attempt.error, -EBUSY);
	assert_int_equal(attempt.obstacle, MIG_OBSTACLE_UNKNOWN);
}

static int pid_pipe[2];

static ssize_t tell_pid_and_never_end(int fd, const void *buffer, size_t length)
{
	/* The child has no descriptors but those that it needs. */
	int told = open(log_path, O_WRONLY | O_CLOEXEC);
	pid_t pid = getpid();

	if (told < 0 || write(told, &pid, sizeof(pid)) != sizeof(pid))
		return -EIO;
	close(told);
	return never_end(fd, buffer, length);
}

static void attempt_and_wait(struct fixture *f)
{
	struct mig_block_attempt attempt;

	calls.write = tell_pid_and_never_end;
	mig_memory_block_offline(f->context, 9, 3600 * SECOND, NULL, NULL, &attempt);
	_exit(0);
}

static bool comes_to_end(pid_t pid)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	for (int i = 0; i < 1000; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

/* Adopted by whoever reaps here: a zombie is an end too. */
static bool is_zombie(pid_t pid)
{
	char path[64], text[256] = "";
	CLEANUP_CLOSE int fd = -1;
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return true;
	state = strrchr(text, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

static void an_attempt_ends_when_the_caller_is_killed(void **state)
{
	struct fixture *f = *state;
	pid_t caller, child = 0;

	assert_int_equal(pipe2(pid_pipe, O_CLOEXEC), 0);
	snprintf(log_path, sizeof(log_path), "/proc/%d/fd/%d", getpid(), pid_pipe[1]);
	caller = fork();
	if (!caller)
		attempt_and_wait(f);
	assert_int_equal(read(pid_pipe[0], &child, sizeof(child)), sizeof(child));
	assert_true(child > 0);
	kill(caller, SIGKILL);
	assert_int_equal(waitpid(caller, NULL, 0), caller);
	assert_true(comes_to_end(child) || is_zombie(child));
	close(pid_pipe[0]);
	close(pid_pipe[1]);
}

/* The caller stands still, as with ^Z, and cannot keep the time. */
static void an_attempt_ends_in_time_although_the_caller_is_stopped(void **state)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	struct fixture *f = *state;
	pid_t caller, child = 0;
	bool ended = false;
	int status;

	assert_int_equal(pipe2(pid_pipe, O_CLOEXEC), 0);
	snprintf(log_path, sizeof(log_path), "/proc/%d/fd/%d", getpid(), pid_pipe[1]);
	caller = fork();
	if (!caller) {
		struct mig_block_attempt attempt;

		calls.write = tell_pid_and_never_end;
		mig_memory_block_offline(f->context, 9, 2 * SECOND, NULL, NULL, &attempt);
		_exit(attempt.timed_out ? 42 : 1);
	}
	assert_int_equal(read(pid_pipe[0], &child, sizeof(child)), sizeof(child));
	kill(caller, SIGSTOP);
	for (int i = 0; i < 1000 && !ended; i++) {
		ended = is_zombie(child);
		nanosleep(&moment, NULL);
	}
	assert_true(ended);
	kill(caller, SIGCONT);
	assert_int_equal(waitpid(caller, &status, 0), caller);
	assert_int_equal(WEXITSTATUS(status), 42);
	close(pid_pipe[0]);
	close(pid_pipe[1]);
}

static void what_cannot_be_tried_is_told_apart(void **state)
{
	struct fixture *f = *state;
	struct mig_block_attempt attempt;
	CLEANUP_MIG(context)
	struct mig_context *captured = fake_root_context(f->root, NULL);

	assert_int_equal(
		mig_memory_block_offline(f->context, 8, SECOND, NULL, NULL, &attempt),
		-ENODEV);
	assert_int_equal(
		mig_memory_block_online(f->context, 8, MIG_ZONE_DEFAULT, &attempt),
		-ENODEV);
	assert_int_equal(mig_memory_block_offline(f->context, 9, 0, NULL, NULL, &attempt),
			 -EINVAL);
	assert_int_equal(mig_memory_block_offline(NULL, 9, SECOND, NULL, NULL, &attempt),
			 -EINVAL);
	assert_int_equal(
		mig_memory_block_offline(captured, 9, SECOND, NULL, NULL, &attempt),
		-EXDEV);
	assert_int_equal(mig_memory_block_online(captured, 9, MIG_ZONE_DEFAULT, &attempt),
			 -EXDEV);
	fake_root_remove(f->root, MEMORY);
	assert_int_equal(
		mig_memory_block_offline(f->context, 9, SECOND, NULL, NULL, &attempt),
		-EOPNOTSUPP);
}

#define BLOCK_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLOCK_TEST(a_block_goes_offline_and_comes_back),
		BLOCK_TEST(the_zone_is_the_word_that_is_written),
		BLOCK_TEST(what_is_so_already_is_success),
		BLOCK_TEST(an_attempt_that_does_not_end_is_ended),
		BLOCK_TEST(a_stop_ends_it_before_its_time),
		BLOCK_TEST(the_state_counts_and_not_how_the_child_ended),
		BLOCK_TEST(a_refusal_comes_with_the_page_in_the_way),
		BLOCK_TEST(without_a_word_in_the_log_the_obstacle_is_unknown),
		BLOCK_TEST(an_attempt_ends_when_the_caller_is_killed),
		BLOCK_TEST(an_attempt_ends_in_time_although_the_caller_is_stopped),
		BLOCK_TEST(what_cannot_be_tried_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
