/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "fake_machine.h"
#include "fake_process.h"
#include "one_cgroup.h"

#define TOP ONE_CGROUPS "/cgroup.subtree_control"
#define PARENT ONE_CGROUPS "/a/cgroup.subtree_control"
#define DIRECTORY ONE_CGROUPS "/a/b/"

DEFINE_CLEANUP(context)

struct fixture {
	struct fake_machine *machine;
	const struct mig_topology *topology;
	struct mig_cgroup *cgroup;
};

static void write_file(const struct fixture *f, const char *path, const char *text)
{
	fake_root_write(f->machine->root, path, text);
}

static void assert_reads(const struct fixture *f, const char *path, const char *text)
{
	assert_string_equal(one_cgroup_read(f->machine->root, path), text);
}

static void write_v2(const struct fixture *f)
{
	write_file(f, DIRECTORY "cpuset.mems", "0\n");
	write_file(f, DIRECTORY "cpuset.mems.effective", "1\n");
	write_file(f, DIRECTORY "cpuset.cpus", "0-9\n");
	write_file(f, DIRECTORY "cpuset.cpus.effective", "4-7\n");
}

static void write_v1(const struct fixture *f)
{
	write_file(f, ONE_CGROUPS "/a/cpuset.mems", "0-1\n");
	write_file(f, DIRECTORY "cpuset.mems", "0\n");
	write_file(f, DIRECTORY "cpuset.cpus", "0-9\n");
	write_file(f, DIRECTORY "cpuset.memory_migrate", "0\n");
}

static void make(struct fixture *f, const char *path, bool is_v1)
{
	mig_cgroup_free(f->cgroup);
	f->cgroup = one_cgroup_new(f->machine->context, f->machine->root, path, is_v1);
}

/* Two nodes with four CPUs each, and one with none. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *machine;

	fake_machine_set_up(&machine);
	f->machine = machine;
	fake_machine_set_calls(&machine, fake_calls());
	fake_machine_write(&machine, NODES "/online", "0-2\n");
	fake_machine_write(&machine, NODES "/has_memory", "0-2\n");
	fake_machine_write_node(&machine, 0, "0-3\n", "10 20 20\n", 1000);
	fake_machine_write_node(&machine, 1, "4-7\n", "20 10 20\n", 1000);
	fake_machine_write_node(&machine, 2, "\n", "20 20 10\n", 1000);
	f->topology = fake_machine_read_topology(&machine);
	make(f, "/a/b", false);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	void *machine = f->machine;

	mig_cgroup_free(f->cgroup);
	fake_machine_tear_down(&machine);
	free(f);
	return 0;
}

static int bind_nodes(const struct fixture *f, uint64_t bits, unsigned int flags,
		      struct mig_cpuset_change **ret_change)
{
	const struct mig_nodeset nodes = { .bits = { bits } };

	return mig_cpuset_bind(f->cgroup, f->topology, &nodes, flags, ret_change);
}

static struct mig_cpuset_change *bind_to(const struct fixture *f, uint64_t bits,
					 unsigned int flags)
{
	struct mig_cpuset_change *change = NULL;

	assert_int_equal(bind_nodes(f, bits, flags, &change), 0);
	assert_non_null(change);
	return change;
}

static void assert_refused(const struct fixture *f, uint64_t bits, unsigned int flags,
			   int error)
{
	struct mig_cpuset_change *change = NULL;

	assert_int_equal(bind_nodes(f, bits, flags, &change), error);
	assert_null(change);
}

static void the_nodes_are_written_and_kept(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	mig_cpuset_keep(bind_to(f, 2, 0));
	assert_reads(f, DIRECTORY "cpuset.mems", "1\n");
	assert_reads(f, DIRECTORY "cpuset.cpus", "0-9\n");
}

static void what_was_there_before_comes_back(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	assert_int_equal(mig_cpuset_undo(bind_to(f, 2, MIG_CPUSET_CPUS)), 0);
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
	assert_reads(f, DIRECTORY "cpuset.cpus", "0-9\n");
}

static void the_cpus_of_all_nodes_are_written_if_asked_for(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	write_file(f, DIRECTORY "cpuset.mems", "0");
	write_file(f, DIRECTORY "cpuset.cpus", "");
	write_file(f, DIRECTORY "cpuset.mems.effective", "0-2\n");
	write_file(f, DIRECTORY "cpuset.cpus.effective", "0-3,4-7\n");
	mig_cpuset_keep(bind_to(f, 7, MIG_CPUSET_CPUS));
	assert_reads(f, DIRECTORY "cpuset.mems", "0-2");
	assert_reads(f, DIRECTORY "cpuset.cpus", "0-3,4-7");
}

/* v2 takes what the parent forbids, and goes on with all that the parent has. */
static void nodes_that_the_parent_forbids_are_refused(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	write_file(f, DIRECTORY "cpuset.mems.effective", "0\n");
	assert_refused(f, 2, 0, -EINVAL);
	write_file(f, DIRECTORY "cpuset.mems.effective", "0-1\n");
	assert_refused(f, 2, 0, -EINVAL);
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
}

/* What was empty could not be made so again. */
static void what_the_parent_lacks_is_refused_before_anything_is_written(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	write_file(f, ONE_CGROUPS "/a/cpuset.mems.effective", "0,2\n");
	write_file(f, ONE_CGROUPS "/a/cpuset.cpus.effective", "0-7\n");
	assert_refused(f, 2, MIG_CPUSET_CPUS, -EINVAL);
	write_file(f, ONE_CGROUPS "/a/cpuset.mems.effective", "0-2\n");
	write_file(f, ONE_CGROUPS "/a/cpuset.cpus.effective", "0-3\n");
	assert_refused(f, 2, MIG_CPUSET_CPUS, -EINVAL);
	write_file(f, ONE_CGROUPS "/a/cpuset.cpus.effective", "rubbish\n");
	assert_refused(f, 2, MIG_CPUSET_CPUS, -EBADMSG);
	mig_cpuset_keep(bind_to(f, 2, 0));
}

static void some_of_the_nodes_are_enough(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	write_file(f, DIRECTORY "cpuset.mems", "2");
	mig_cpuset_keep(bind_to(f, 3, 0));
	assert_reads(f, DIRECTORY "cpuset.mems", "0-1");
}

static void cpus_that_the_parent_forbids_are_refused(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	write_file(f, DIRECTORY "cpuset.cpus.effective", "3-7\n");
	assert_refused(f, 2, MIG_CPUSET_CPUS, -EINVAL);
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
	assert_reads(f, DIRECTORY "cpuset.cpus", "0-9\n");
}

static void nodes_without_cpus_are_refused_only_where_cpus_are_wanted(void **state)
{
	struct fixture *f = *state;

	write_v2(f);
	write_file(f, DIRECTORY "cpuset.mems.effective", "2\n");
	assert_refused(f, 4, MIG_CPUSET_CPUS, -EINVAL);
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
	assert_reads(f, DIRECTORY "cpuset.cpus", "0-9\n");
	mig_cpuset_keep(bind_to(f, 4, 0));
	assert_reads(f, DIRECTORY "cpuset.mems", "2\n");
}

static void v1_is_told_to_move_pages_until_it_is_over(void **state)
{
	struct fixture *f = *state;
	struct mig_cpuset_change *change;

	make(f, "/a/b", true);
	write_v1(f);
	change = bind_to(f, 2, MIG_CPUSET_CPUS);
	assert_reads(f, DIRECTORY "cpuset.mems", "1\n");
	assert_reads(f, DIRECTORY "cpuset.cpus", "4-7\n");
	assert_reads(f, DIRECTORY "cpuset.memory_migrate", "1\n");
	mig_cpuset_keep(change);
	assert_reads(f, DIRECTORY "cpuset.mems", "1\n");
	assert_reads(f, DIRECTORY "cpuset.memory_migrate", "0\n");

	change = bind_to(f, 1, 0);
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
	assert_int_equal(mig_cpuset_undo(change), 0);
	assert_reads(f, DIRECTORY "cpuset.mems", "1\n");
	assert_reads(f, DIRECTORY "cpuset.memory_migrate", "0\n");
}

static void a_v1_group_that_moves_pages_anyway_goes_on_doing_so(void **state)
{
	struct fixture *f = *state;

	make(f, "/a/b", true);
	write_v1(f);
	write_file(f, DIRECTORY "cpuset.memory_migrate", "1\n");
	mig_cpuset_keep(bind_to(f, 2, 0));
	assert_reads(f, DIRECTORY "cpuset.memory_migrate", "1\n");
}

static void v1_gets_what_its_parent_has_of_the_nodes(void **state)
{
	struct fixture *f = *state;

	make(f, "/a/b", true);
	write_v1(f);
	mig_cpuset_keep(bind_to(f, 6, 0));
	assert_reads(f, DIRECTORY "cpuset.mems", "1\n");
	assert_refused(f, 4, 0, -EINVAL);
	assert_reads(f, DIRECTORY "cpuset.mems", "1\n");
	assert_reads(f, DIRECTORY "cpuset.memory_migrate", "0\n");
}

static void a_cgroup_without_a_cpuset_is_told_of(void **state)
{
	struct fixture *f = *state;

	/* A container: nothing of the hierarchy is seen above it. */
	assert_refused(f, 2, 0, -ENODATA);
	make(f, "/a/b", true);
	assert_refused(f, 2, 0, -ENODATA);
	make(f, "/", false);
	write_file(f, TOP, "memory\n");
	assert_refused(f, 2, 0, -ENODATA);
	assert_reads(f, TOP, "memory\n");
	close(f->cgroup->places[MIG_CONTROLLER_CPUSET].fd);
	f->cgroup->places[MIG_CONTROLLER_CPUSET].fd = -1;
	assert_refused(f, 2, 0, -ENODATA);
}

/* What the kernel does when the controller is enabled: the lease holds the writer until
 * all is there. */
struct kernel {
	const struct fixture *fixture;
	pthread_t thread;
	int fd;
};

static void *play_kernel(void *data)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	struct kernel *kernel = data;

	for (int i = 0; i < 10000 && fcntl(kernel->fd, F_GETLEASE) == F_RDLCK; i++)
		nanosleep(&moment, NULL);
	write_v2(kernel->fixture);
	write_file(kernel->fixture, DIRECTORY "cpuset.mems", "\n");
	fcntl(kernel->fd, F_SETLEASE, F_UNLCK);
	return NULL;
}

static void start_kernel(struct kernel *kernel, const struct fixture *f)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" PARENT, f->machine->root->path);
	kernel->fixture = f;
	kernel->fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(kernel->fd >= 0);
	signal(SIGIO, SIG_IGN);
	if (fcntl(kernel->fd, F_SETLEASE, F_RDLCK) < 0) {
		close(kernel->fd);
		print_message("not checked here: no leases on files\n");
		skip();
	}
	assert_int_equal(pthread_create(&kernel->thread, NULL, play_kernel, kernel), 0);
}

static void end_kernel(struct kernel *kernel)
{
	assert_int_equal(pthread_join(kernel->thread, NULL), 0);
	close(kernel->fd);
	signal(SIGIO, SIG_DFL);
}

static void the_controller_is_enabled_where_it_is_not(void **state)
{
	struct fixture *f = *state;
	struct mig_cpuset_change *change;
	struct kernel kernel;

	write_file(f, TOP, "cpu cpuset memory\n");
	write_file(f, PARENT, "memory\n");
	start_kernel(&kernel, f);
	change = bind_to(f, 2, 0);
	end_kernel(&kernel);
	assert_reads(f, TOP, "cpu cpuset memory\n");
	assert_reads(f, PARENT, "+cpuset");
	assert_reads(f, DIRECTORY "cpuset.mems", "1");
	assert_int_equal(mig_cpuset_undo(change), 0);
	assert_reads(f, DIRECTORY "cpuset.mems", "\n");
	assert_reads(f, PARENT, "-cpuset");
	assert_reads(f, TOP, "cpu cpuset memory\n");
}

static void the_controller_stays_enabled_for_what_is_kept(void **state)
{
	struct fixture *f = *state;
	struct mig_cpuset_change *change;
	struct kernel kernel;

	write_file(f, TOP, "memory\n");
	write_file(f, PARENT, "memory\n");
	start_kernel(&kernel, f);
	change = bind_to(f, 2, 0);
	end_kernel(&kernel);
	mig_cpuset_keep(change);
	assert_reads(f, TOP, "+cpuset");
	assert_reads(f, PARENT, "+cpuset");
}

static void a_controller_that_was_enabled_in_vain_is_disabled_again(void **state)
{
	struct fixture *f = *state;
	struct kernel kernel;

	/* No file comes of it. */
	write_file(f, TOP, "cpusets\n");
	write_file(f, PARENT, "memory\n");
	assert_refused(f, 2, 0, -ENODATA);
	assert_reads(f, TOP, "-cpuset\n");
	assert_reads(f, PARENT, "-cpuset");

	/* The parent lacks the nodes. */
	write_file(f, TOP, "cpuset\n");
	write_file(f, PARENT, "memory\n");
	start_kernel(&kernel, f);
	assert_refused(f, 1, 0, -EINVAL);
	end_kernel(&kernel);
	assert_reads(f, TOP, "cpuset\n");
	assert_reads(f, PARENT, "-cpuset");
	assert_reads(f, DIRECTORY "cpuset.mems", "\n");
}

static void a_cgroup_that_is_removed_is_told_of_and_undone_well(void **state)
{
	struct fixture *f = *state;
	struct mig_cpuset_change *change;
	struct kernel kernel;

	write_file(f, TOP, "cpuset\n");
	write_file(f, PARENT, "memory\n");
	start_kernel(&kernel, f);
	change = bind_to(f, 2, 0);
	end_kernel(&kernel);
	fake_root_remove(f->machine->root, ONE_CGROUPS "/a/b");
	assert_int_equal(mig_cpuset_undo(change), 0);
	assert_refused(f, 2, 0, -ENODEV);
}

static void await_reads(const struct fixture *f, const char *path, const char *text)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	for (int i = 0; i < 3000; i++) {
		if (!strcmp(one_cgroup_read(f->machine->root, path), text))
			return;
		nanosleep(&moment, NULL);
	}
	assert_reads(f, path, text);
}

static void what_a_caller_leaves_who_is_killed_is_undone(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	write_v2(f);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		bind_to(f, 2, MIG_CPUSET_CPUS);
		if (!strcmp(one_cgroup_read(f->machine->root, DIRECTORY "cpuset.mems"),
			    "1\n"))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	await_reads(f, DIRECTORY "cpuset.mems", "0\n");
	await_reads(f, DIRECTORY "cpuset.cpus", "0-9\n");
}

static void a_captured_machine_is_not_written_to(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(context)
	struct mig_context *captured = fake_root_context(f->machine->root, NULL);

	write_v2(f);
	f->cgroup->context = captured;
	assert_refused(f, 2, 0, -EXDEV);
	f->cgroup->context = f->machine->context;
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
}

static void wrong_arguments_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct mig_nodeset nodes = { .bits = { 2 } };
	struct mig_cpuset_change *change = NULL;

	write_v2(f);
	assert_int_equal(mig_cpuset_bind(NULL, f->topology, &nodes, 0, &change), -EINVAL);
	assert_int_equal(mig_cpuset_bind(f->cgroup, NULL, &nodes, 0, &change), -EINVAL);
	assert_int_equal(mig_cpuset_bind(f->cgroup, f->topology, NULL, 0, &change),
			 -EINVAL);
	assert_int_equal(mig_cpuset_bind(f->cgroup, f->topology, &nodes, 0, NULL),
			 -EINVAL);
	assert_refused(f, 0, 0, -EINVAL);
	assert_refused(f, 2, MIG_CPUSET_CPUS << 1, -EINVAL);
	assert_reads(f, DIRECTORY "cpuset.mems", "0\n");
	mig_cpuset_keep(NULL);
	assert_int_equal(mig_cpuset_undo(NULL), 0);
}

/* A real cgroup, and the nodes that it can be bound to. */
struct live {
	struct mig_context *context;
	struct mig_topology *topology;
	struct mig_cgroup *cgroup;
};

static void open_live(struct live *live, const char *path)
{
	assert_int_equal(mig_context_new(NULL, &live->context), 0);
	assert_int_equal(mig_topology_new(live->context, &live->topology), 0);
	assert_int_equal(mig_cgroup_open(live->context, path, &live->cgroup), 0);
}

static void close_live(struct live *live)
{
	mig_cgroup_free(live->cgroup);
	mig_topology_free(live->topology);
	mig_context_free(live->context);
}

/* Binds to the first node of the machine. */
static int bind_live(const struct live *live, unsigned int flags,
		     struct mig_cpuset_change **ret_change)
{
	const struct mig_nodeset *all =
		mig_topology_get_nodes(live->topology, MIG_NODES_MEMORY);
	struct mig_nodeset first = { 0 };

	mig_nodeset_add(&first, mig_nodeset_next(all, MIG_NO_NODE));
	return mig_cpuset_bind(live->cgroup, live->topology, &first, flags, ret_change);
}

static void the_kernel_binds_a_cgroup_of_v1(void **state)
{
	struct mig_cpuset_change *change = NULL;
	char *path = live_cgroup_make("cpuset", "bind");
	struct mig_nodeset nowhere = { 0 };
	struct live live;

	(void)state;
	open_live(&live, path);
	assert_int_equal(bind_live(&live, MIG_CPUSET_CPUS, &change), 0);
	assert_string_equal(live_cgroup_read(path, "cpuset.mems"), "0\n");
	assert_string_not_equal(live_cgroup_read(path, "cpuset.cpus"), "\n");
	assert_string_equal(live_cgroup_read(path, "cpuset.memory_migrate"), "1\n");
	assert_int_equal(mig_cpuset_undo(change), 0);
	assert_string_equal(live_cgroup_read(path, "cpuset.mems"), "\n");
	assert_string_equal(live_cgroup_read(path, "cpuset.cpus"), "\n");
	assert_string_equal(live_cgroup_read(path, "cpuset.memory_migrate"), "0\n");

	mig_nodeset_add(&nowhere, MIG_MAX_NODES - 1);
	change = NULL;
	assert_int_equal(
		mig_cpuset_bind(live.cgroup, live.topology, &nowhere, 0, &change),
		-EINVAL);
	assert_int_equal(bind_live(&live, 0, &change), 0);
	mig_cpuset_keep(change);
	assert_string_equal(live_cgroup_read(path, "cpuset.mems"), "0\n");
	assert_string_equal(live_cgroup_read(path, "cpuset.memory_migrate"), "0\n");
	close_live(&live);
	live_cgroup_remove(path);
}

static void assert_live_v2(const char *parent, const char *path)
{
	struct mig_cpuset_change *change = NULL;
	struct mig_nodeset nowhere = { 0 };
	struct live live;

	open_live(&live, path);
	mig_nodeset_add(&nowhere, MIG_MAX_NODES - 1);
	assert_int_equal(
		mig_cpuset_bind(live.cgroup, live.topology, &nowhere, 0, &change),
		-EINVAL);
	assert_null(strstr(live_cgroup_read(parent, "cgroup.subtree_control"), "cpuset"));
	assert_int_equal(bind_live(&live, MIG_CPUSET_CPUS, &change), 0);
	assert_non_null(
		strstr(live_cgroup_read(parent, "cgroup.subtree_control"), "cpuset"));
	assert_string_equal(live_cgroup_read(path, "cpuset.mems"), "0\n");
	assert_string_not_equal(live_cgroup_read(path, "cpuset.cpus"), "\n");
	assert_int_equal(mig_cpuset_undo(change), 0);
	assert_string_equal(live_cgroup_read(path, "cpuset.mems"), "");
	assert_null(strstr(live_cgroup_read(parent, "cgroup.subtree_control"), "cpuset"));

	/* Removed before it is undone: its parent is as it was all the same. */
	assert_int_equal(bind_live(&live, 0, &change), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mig_cpuset_undo(change), 0);
	assert_null(strstr(live_cgroup_read(parent, "cgroup.subtree_control"), "cpuset"));
	close_live(&live);
}

/* What was empty has all that the machine has then, and is as free as before. */
static void assert_live_member_v2(const char *parent, const char *path)
{
	char *before = strdup(live_cgroup_read(parent, "cpuset.mems.effective"));
	struct mig_cpuset_change *change = NULL;
	struct live live;
	pid_t pid = fork();
	int r;

	if (!pid) {
		pause();
		_exit(0);
	}
	assert_int_equal(mkdir(path, 0755), 0);
	live_cgroup_join(path, pid);
	open_live(&live, path);
	/* The controller is there before, and stays. */
	assert_int_equal(mig_cgroup_write_file(live.cgroup, MIG_CONTROLLER_CPUSET,
					       "../cgroup.subtree_control", "+cpuset"),
			 0);
	assert_int_equal(bind_live(&live, 0, &change), 0);
	r = mig_cpuset_undo(change);
	assert_true(!r || r == -ENOSPC);
	assert_string_equal(live_cgroup_read(path, "cpuset.mems.effective"), before);
	close_live(&live);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(rmdir(path), 0);
	free(before);
}

static void the_kernel_binds_a_cgroup_of_v2(void **state)
{
	char *parent = live_cgroup_make(NULL, "bind");
	char path[PATH_MAX];

	(void)state;
	if (!strstr(live_cgroup_read(parent, "../cgroup.controllers"), "cpuset")) {
		live_cgroup_remove(parent);
		print_message("not checked here: no cpuset controller in cgroup v2\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/leaf", parent);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_live_v2(parent, path);
	assert_live_member_v2(parent, path);
	live_cgroup_remove(parent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_nodes_are_written_and_kept),
		TEST(what_was_there_before_comes_back),
		TEST(the_cpus_of_all_nodes_are_written_if_asked_for),
		TEST(nodes_that_the_parent_forbids_are_refused),
		TEST(what_the_parent_lacks_is_refused_before_anything_is_written),
		TEST(some_of_the_nodes_are_enough),
		TEST(cpus_that_the_parent_forbids_are_refused),
		TEST(nodes_without_cpus_are_refused_only_where_cpus_are_wanted),
		TEST(v1_is_told_to_move_pages_until_it_is_over),
		TEST(a_v1_group_that_moves_pages_anyway_goes_on_doing_so),
		TEST(v1_gets_what_its_parent_has_of_the_nodes),
		TEST(a_cgroup_without_a_cpuset_is_told_of),
		TEST(the_controller_is_enabled_where_it_is_not),
		TEST(the_controller_stays_enabled_for_what_is_kept),
		TEST(a_controller_that_was_enabled_in_vain_is_disabled_again),
		TEST(a_cgroup_that_is_removed_is_told_of_and_undone_well),
		TEST(what_a_caller_leaves_who_is_killed_is_undone),
		TEST(a_captured_machine_is_not_written_to),
		TEST(wrong_arguments_are_refused),
		cmocka_unit_test(the_kernel_binds_a_cgroup_of_v1),
		cmocka_unit_test(the_kernel_binds_a_cgroup_of_v2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
