/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "fake_process.h"

DEFINE_CLEANUP(context)
DEFINE_CLEANUP(process)
DEFINE_CLEANUP(topology)

struct fixture {
	struct fake_root *root;
	struct mig_context *live; /**< with pidfds */
	struct mig_context *captured;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = fake_root_new();
	fixture->live = fake_root_context(fixture->root, fake_calls());
	fixture->captured = fake_root_context(fixture->root, NULL);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_context_free(fixture->live);
	mig_context_free(fixture->captured);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static void refuse(struct mig_context *context, pid_t pid, int error)
{
	struct mig_process *process = NULL;

	assert_int_equal(mig_process_open(context, pid, &process), error);
	assert_null(process);
}

static void a_process_is_held_by_a_pidfd(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;

	fake_thread_write(f->root, &(struct fake_thread){
					   .pid = 42, .parent = 7, .name = "a) (b\n" });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_get_pid(process), 42);
	assert_string_equal(mig_process_get_name(process), "a) (b\n");
	assert_int_equal(process->tid, 42);
	assert_int_equal(process->parent, 7);
	assert_true(process->pidfd >= 0);
	assert_true(mig_process_is_alive(process));
}

static void the_number_of_a_thread_opens_its_process(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;

	fake_process_write(f->root, 42, 1, NULL);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 43 });
	assert_int_equal(mig_process_open(f->live, 43, &process), 0);
	assert_int_equal(mig_process_get_pid(process), 42);
}

static void a_number_that_nobody_has_is_no_process(void **state)
{
	struct fixture *f = *state;

	refuse(f->live, 42, -ESRCH);
	refuse(f->captured, 42, -ESRCH);
	refuse(f->live, 0, -EINVAL);
	refuse(f->live, -1, -EINVAL);
	refuse(NULL, 42, -EINVAL);
	assert_int_equal(mig_process_open(f->live, 42, NULL), -EINVAL);
}

static void a_kernel_thread_is_refused(void **state)
{
	struct fixture *f = *state;

	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 2, .flags = FAKE_KERNEL_THREAD });
	refuse(f->live, 2, -ENXIO);
}

static void a_zombie_is_refused(void **state)
{
	struct fixture *f = *state;

	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	refuse(f->live, 42, -ENODATA);
	/* Not even with other threads, if they have exited too. */
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .tid = 43, .state = 'X' });
	refuse(f->live, 42, -ENODATA);
}

static void a_leader_that_has_exited_is_reached_through_a_thread(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	pid_t tid = 0;

	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .tid = 43, .state = 'Z' });
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 44 });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(process->pid, 42);
	assert_int_equal(process->tid, 44);
	assert_true(mig_process_is_alive(process));
	/* That one goes too, and another has come. */
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .tid = 44, .state = 'Z' });
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 45 });
	assert_int_equal(mig_process_find_thread(process, &tid), 0);
	assert_int_equal(tid, 45);
}

static void a_thread_whose_memory_may_be_moved_lives_whatever_its_stat_says(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	pid_t tid = 0;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	fake_process_remove(f->root, 42);
	assert_int_equal(mig_process_find_thread(process, &tid), -ESRCH);
	fake_process_let_move(42);
	assert_int_equal(mig_process_find_thread(process, &tid), 0);
	assert_int_equal(tid, 42);
	assert_true(mig_process_is_alive(process));
	fake_process_reap(42);
	assert_false(mig_process_is_alive(process));
}

static void a_number_that_is_used_again_before_it_is_held_is_not_taken(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_reap(42);
	refuse(f->live, 42, -ESRCH);
}

/* As if 43, a thread of 42 when its status was read, were a process afterwards. */
static struct fake_root *swapped_root;

static int open_and_swap(pid_t pid)
{
	(void)pid;
	fake_process_write(swapped_root, 43, 1, NULL);
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void a_thread_number_that_changes_hands_meanwhile_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 43 });
	swapped_root = f->root;
	calls.pidfd_open = open_and_swap;
	mig_context_set_calls(f->live, &calls);
	refuse(f->live, 43, -ESRCH);
}

/* As if the number were given to another process right behind pidfd_open(2). */
static int always_gone(int fd)
{
	(void)fd;
	return -ESRCH;
}

static void a_number_that_is_used_again_while_it_is_read_is_not_taken(void **state)
{
	struct fixture *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	calls.pidfd_probe = always_gone;
	mig_context_set_calls(f->live, &calls);
	refuse(f->live, 42, -ESRCH);
}

static int pidfd_error;

static int fail_pidfd_open(pid_t pid)
{
	(void)pid;
	return pidfd_error;
}

static void errors_of_pidfd_open_are_told(void **state)
{
	static const struct {
		int given;
		int expected;
	} cases[] = {
		{ -ENOSYS, -ENOSYS }, { -EMFILE, -EMFILE }, { -ESRCH, -ESRCH },
		{ -EINVAL, -ESRCH },  { -ENOENT, -ESRCH },
	};
	struct fixture *f = *state;
	struct mig_calls calls = *fake_calls();

	fake_process_write(f->root, 42, 1, NULL);
	calls.pidfd_open = fail_pidfd_open;
	mig_context_set_calls(f->live, &calls);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pidfd_error = cases[i].given;
		refuse(f->live, 42, cases[i].expected);
	}
}

static void a_captured_machine_needs_no_pidfd(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_process_open(f->captured, 42, &process), 0);
	assert_int_equal(process->pidfd, -1);
	assert_true(mig_process_is_alive(process));
}

static void files_that_do_not_parse_are_logged(void **state)
{
	struct fixture *f = *state;

	fake_process_write(f->root, 42, 1, NULL);
	fake_root_write(f->root, "proc/42/stat", "rubbish");
	refuse(f->live, 42, -EBADMSG);
	assert_string_equal(f->root->log, "'proc/42/stat' does not parse");
	fake_root_write(f->root, "proc/42/status", "rubbish");
	refuse(f->live, 42, -EBADMSG);
	assert_string_equal(f->root->log, "'proc/42/status' does not parse");
}

static void a_name_longer_than_any_is_cut(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	char name[101];

	memset(name, 'n', 100);
	name[100] = '\0';
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .name = name });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(strlen(mig_process_get_name(process)), 63);
}

static void it_is_dead_once_it_is_a_zombie_or_its_number_is_free(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP_MIG(process) struct mig_process *other = NULL;

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 50, 1, NULL);
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_open(f->live, 50, &other), 0);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	assert_false(mig_process_is_alive(process));
	assert_true(mig_process_holds_number(process));
	/* The number of the other one has a new bearer. */
	fake_process_reuse(50);
	assert_false(mig_process_is_alive(other));
	assert_false(mig_process_holds_number(other));
	assert_false(mig_process_is_alive(NULL));
}

static void a_captured_process_without_a_directory_is_dead(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_process_open(f->captured, 42, &process), 0);
	fake_process_remove(f->root, 42);
	assert_false(mig_process_is_alive(process));
}

static void its_files_are_opened_through_a_living_thread(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP_CLOSE int own = -1;
	CLEANUP_CLOSE int threads = -1;
	char byte;

	fake_process_write(f->root, 42, 1, NULL);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .tid = 43 });
	fake_root_write(f->root, "proc/42/maps", "l");
	fake_root_write(f->root, "proc/42/task/43/maps", "t");
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	own = mig_process_open_file(process, "maps");
	assert_int_equal(read(own, &byte, 1), 1);
	assert_int_equal(byte, 'l');
	assert_int_equal(mig_process_open_file(process, "numa_maps"), -ENOENT);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	threads = mig_process_open_file(process, "maps");
	assert_int_equal(read(threads, &byte, 1), 1);
	assert_int_equal(byte, 't');
}

static void files_of_a_later_bearer_of_the_number_are_not_opened(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_nodeset nodes = { { 9 } };

	fake_process_write(f->root, 42, 1, NULL);
	fake_root_write(f->root, "proc/42/maps", "x");
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	fake_process_reuse(42);
	assert_int_equal(mig_process_open_file(process, "maps"), -ESRCH);
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), -ESRCH);
	assert_int_equal(nodes.bits[0], 9);
}

static void allowed_nodes_are_those_of_a_living_thread(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_nodeset nodes;

	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .mems_allowed = "0,2" });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), 0);
	assert_true(nodes.bits[0] == 5 && !nodes.bits[1]);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	fake_thread_write(f->root, &(struct fake_thread){
					   .pid = 42, .tid = 43, .mems_allowed = "1" });
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), 0);
	assert_true(nodes.bits[0] == 2);
	fake_process_remove(f->root, 42);
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), -ESRCH);
	assert_true(nodes.bits[0] == 2);
	assert_int_equal(mig_process_read_mems_allowed(NULL, &nodes), -EINVAL);
	assert_int_equal(mig_process_read_mems_allowed(process, NULL), -EINVAL);
}

static void allowed_nodes_that_do_not_parse_are_refused(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_nodeset nodes = { { 9 } };

	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .mems_allowed = "0-5000" });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), -EBADMSG);
	assert_int_equal(nodes.bits[0], 9);
	assert_string_equal(f->root->log, "'proc/42/status' does not parse");
}

/* Two nodes, CPUs 0 and 1 on node 0, 2 and 3 on node 1. */
static struct mig_topology *two_nodes(struct fixture *f)
{
	struct mig_topology *topology = NULL;
	static const char *const files[][2] = {
		{ "possible", "0-1\n" },         { "online", "0-1\n" },
		{ "has_memory", "0-1\n" },       { "has_normal_memory", "0-1\n" },
		{ "has_cpu", "0-1\n" },          { "node0/cpulist", "0-1\n" },
		{ "node1/cpulist", "2-3\n" },    { "node0/distance", "10 20\n" },
		{ "node1/distance", "20 10\n" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "sys/devices/system/node/%s", files[i][0]);
		fake_root_write(f->root, path, files[i][1]);
	}
	fake_root_write(f->root, "proc/self/status", "Mems_allowed_list:\t0-1\n");
	assert_int_equal(mig_topology_new(f->live, &topology), 0);
	return topology;
}

static void run_nodes_are_those_of_living_threads(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(topology) struct mig_topology *topology = two_nodes(f);
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_nodeset nodes;

	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .cpu = 3 });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_read_run_nodes(process, topology, &nodes), 0);
	assert_true(nodes.bits[0] == 2);
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .state = 'Z', .cpu = 3 });
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .tid = 43, .cpu = 1 });
	assert_int_equal(mig_process_read_run_nodes(process, topology, &nodes), 0);
	assert_true(nodes.bits[0] == 1);
	fake_thread_write(f->root,
			  &(struct fake_thread){ .pid = 42, .tid = 44, .cpu = 2 });
	assert_int_equal(mig_process_read_run_nodes(process, topology, &nodes), 0);
	assert_true(nodes.bits[0] == 3);
}

static void a_process_without_living_threads_runs_nowhere(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(topology) struct mig_topology *topology = two_nodes(f);
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_nodeset nodes = { { 9 } };

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	fake_thread_write(f->root, &(struct fake_thread){ .pid = 42, .state = 'Z' });
	assert_int_equal(mig_process_read_run_nodes(process, topology, &nodes), -ESRCH);
	fake_process_remove(f->root, 42);
	assert_int_equal(mig_process_read_run_nodes(process, topology, &nodes), -ESRCH);
	assert_true(nodes.bits[0] == 9);
}

static void run_time_is_that_of_the_whole_process(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	uint64_t ns = 9;

	fake_process_write(f->root, 42, 1, NULL);
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_read_run_time(process, &ns), 0);
	assert_int_equal(ns, 3 * (1000000000 / sysconf(_SC_CLK_TCK)));
	assert_int_equal(mig_process_read_run_time(NULL, &ns), -EINVAL);
	fake_process_remove(f->root, 42);
	assert_int_equal(mig_process_read_run_time(process, &ns), -ESRCH);
}

struct seen {
	pid_t pids[8];
	size_t count;
	int answer;
};

static int see(void *data, pid_t pid)
{
	struct seen *seen = data;

	seen->pids[seen->count++] = pid;
	return seen->answer;
}

static int see_child(void *data, pid_t pid, pid_t parent)
{
	return parent == 42 ? see(data, pid) : 0;
}

static void children_of_all_threads_are_visited(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct seen seen = { .count = 0 };

	fake_process_write(f->root, 42, 1, "50 0 51 ");
	fake_thread_write(f->root, &(struct fake_thread){
					   .pid = 42, .tid = 43, .children = "60 " });
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	assert_int_equal(mig_process_visit_children(process, see, &seen), 0);
	/* In no order of threads; 0 has no number here. */
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.pids[0] + seen.pids[1] + seen.pids[2], 50 + 51 + 60);
	seen = (struct seen){ .answer = -E2BIG };
	assert_int_equal(mig_process_visit_children(process, see, &seen), -E2BIG);
	assert_int_equal(seen.count, 1);
}

static void children_of_a_later_bearer_of_the_number_are_not_visited(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct seen seen = { .count = 0 };

	fake_process_write(f->root, 42, 1, "50 ");
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	fake_process_reuse(42);
	assert_int_equal(mig_process_visit_children(process, see, &seen), -ESRCH);
	fake_process_remove(f->root, 42);
	assert_int_equal(mig_process_visit_children(process, see, &seen), -ESRCH);
	assert_int_equal(seen.count, 0);
}

static void a_kernel_that_lists_no_children_says_so(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct seen seen = { .count = 0 };

	fake_process_write(f->root, 42, 1, NULL);
	fake_process_write(f->root, 50, 42, NULL);
	fake_process_write(f->root, 51, 50, NULL);
	assert_int_equal(mig_process_open(f->live, 42, &process), 0);
	fake_root_remove(f->root, "proc/42/task/42/children");
	assert_int_equal(mig_process_visit_children(process, see, &seen), -ENOSYS);
	assert_int_equal(seen.count, 0);
	assert_int_equal(mig_process_visit_all(f->live, see_child, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.pids[0], 50);
}

static void malformed_children_are_refused(void **state)
{
	static const char *const bad[] = { "50,51", "x", "50x ", "99999999999 " };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CLEANUP_MIG(process) struct mig_process *process = NULL;
		struct seen seen = { .count = 0 };

		fake_process_write(f->root, 42, 1, bad[i]);
		assert_int_equal(mig_process_open(f->live, 42, &process), 0);
		assert_int_equal(mig_process_visit_children(process, see, &seen),
				 -EBADMSG);
	}
}

static void the_caller_itself_can_be_held(void **state)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct mig_nodeset nodes;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(mig_process_open(context, getpid(), &process), 0);
	assert_int_equal(mig_process_get_pid(process), getpid());
	assert_true(fcntl(process->pidfd, F_GETFD) & FD_CLOEXEC);
	assert_true(mig_process_is_alive(process));
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), 0);
}

static void a_real_zombie_is_seen_to_be_one(void **state)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	siginfo_t info;
	pid_t pid;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		pause();
		_exit(0);
	}
	assert_int_equal(mig_process_open(context, pid, &process), 0);
	assert_true(mig_process_is_alive(process));
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	assert_false(mig_process_is_alive(process));
	assert_true(mig_process_holds_number(process));
	refuse(context, pid, -ENODATA);
	waitpid(pid, NULL, 0);
	assert_false(mig_process_holds_number(process));
	refuse(context, pid, -ESRCH);
}

static void *run_on(void *data)
{
	const int *ready = data;

	/* The leader has to be gone before this is said. */
	for (;;) {
		char path[64], line[256] = "";
		FILE *stat;

		snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
		stat = fopen(path, "re");
		if (stat && fgets(line, sizeof(line), stat) && strstr(line, ") Z ")) {
			fclose(stat);
			break;
		}
		if (stat)
			fclose(stat);
		usleep(1000);
	}
	if (write(*ready, "x", 1) == 1)
		pause();
	_exit(0);
}

static void a_real_leader_that_has_exited_is_reached_through_a_thread(void **state)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	CLEANUP_CLOSE int maps = -1;
	struct mig_nodeset nodes;
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(mig_context_new(NULL, &context), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, run_on, &ready[1]))
			_exit(1);
		pthread_exit(NULL);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(mig_process_open(context, pid, &process), 0);
	assert_int_equal(process->pid, pid);
	assert_int_not_equal(process->tid, pid);
	assert_true(mig_process_is_alive(process));
	assert_int_equal(mig_process_read_mems_allowed(process, &nodes), 0);
	maps = mig_process_open_file(process, "maps");
	assert_true(maps >= 0);
	assert_int_equal(read(maps, &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_process_is_held_by_a_pidfd),
		TEST(the_number_of_a_thread_opens_its_process),
		TEST(a_number_that_nobody_has_is_no_process),
		TEST(a_kernel_thread_is_refused),
		TEST(a_zombie_is_refused),
		TEST(a_leader_that_has_exited_is_reached_through_a_thread),
		TEST(a_thread_whose_memory_may_be_moved_lives_whatever_its_stat_says),
		TEST(a_number_that_is_used_again_before_it_is_held_is_not_taken),
		TEST(a_thread_number_that_changes_hands_meanwhile_is_not_taken),
		TEST(a_number_that_is_used_again_while_it_is_read_is_not_taken),
		TEST(errors_of_pidfd_open_are_told),
		TEST(a_captured_machine_needs_no_pidfd),
		TEST(files_that_do_not_parse_are_logged),
		TEST(a_name_longer_than_any_is_cut),
		TEST(it_is_dead_once_it_is_a_zombie_or_its_number_is_free),
		TEST(a_captured_process_without_a_directory_is_dead),
		TEST(its_files_are_opened_through_a_living_thread),
		TEST(files_of_a_later_bearer_of_the_number_are_not_opened),
		TEST(allowed_nodes_are_those_of_a_living_thread),
		TEST(allowed_nodes_that_do_not_parse_are_refused),
		TEST(run_nodes_are_those_of_living_threads),
		TEST(a_process_without_living_threads_runs_nowhere),
		TEST(run_time_is_that_of_the_whole_process),
		TEST(children_of_all_threads_are_visited),
		TEST(children_of_a_later_bearer_of_the_number_are_not_visited),
		TEST(a_kernel_that_lists_no_children_says_so),
		TEST(malformed_children_are_refused),
		cmocka_unit_test(the_caller_itself_can_be_held),
		cmocka_unit_test(a_real_zombie_is_seen_to_be_one),
		cmocka_unit_test(
			a_real_leader_that_has_exited_is_reached_through_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
