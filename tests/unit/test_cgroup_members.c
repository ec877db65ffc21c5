/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup_mounts.h"
#include "fake_cgroup.h"
#include "handles.h"

struct fixture {
	struct fake_root *root;
	struct mig_context *context;
	char seen[256];
	const char *removed; /**< at the first member */
	int stop;            /**< returned at the second */
	unsigned int nr;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->root = fake_root_new();
	fixture->context = fake_root_context(fixture->root, NULL);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	mig_context_free(fixture->context);
	fake_root_free(fixture->root);
	free(fixture);
	return 0;
}

static int note(void *data, pid_t pid)
{
	struct fixture *f = data;

	snprintf(f->seen + strlen(f->seen), sizeof(f->seen) - strlen(f->seen), "%d ",
		 pid);
	if (f->removed)
		fake_root_remove(f->root, f->removed);
	f->removed = NULL;
	return ++f->nr == 2 ? f->stop : 0;
}

/* Return: an error; otherwise how many are hidden. */
static int visit(struct fixture *f, const char *name)
{
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	size_t hidden = 12345;
	int r;

	f->seen[0] = '\0';
	f->nr = 0;
	assert_int_equal(mig_cgroup_open(f->context, name, &cgroup), 0);
	r = mig_cgroup_visit_members(cgroup, note, f, &hidden);
	if (r)
		assert_int_equal(hidden, 12345);
	return r ? r : (int)hidden;
}

static void members_of_all_below_are_seen(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a/b/c", "44\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n");
	fake_cgroup_write(f->root, FAKE_V2, "/other", "99\n");
	assert_int_equal(visit(f, "a"), 0);
	assert_string_equal(f->seen, "42 43 44 ");
	assert_int_equal(visit(f, "a/b"), 0);
	assert_string_equal(f->seen, "44 ");
}

static void an_empty_one_has_none(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "");
	assert_int_equal(visit(f, "a"), 0);
	assert_string_equal(f->seen, "");
}

static void those_outside_of_the_pid_namespace_are_counted(void **state)
{
	struct fixture *f = *state;
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "0\n42\n0\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "0\n");
	assert_int_equal(visit(f, "a"), 3);
	assert_string_equal(f->seen, "42 ");
	assert_int_equal(mig_cgroup_open(f->context, "a", &cgroup), 0);
	assert_int_equal(mig_cgroup_visit_members(cgroup, note, f, NULL), 0);
}

static void on_hybrid_those_of_the_hierarchy_that_was_meant_are_seen(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_HYBRID);
	fake_cgroup_write(f->root, FAKE_MEMORY, "/a", "42\n");
	fake_cgroup_write(f->root, FAKE_CPUSET, "/a", "43\n");
	fake_cgroup_write(f->root, FAKE_UNIFIED, "/a/b", "44\n");
	assert_int_equal(visit(f, "a"), 0);
	assert_string_equal(f->seen, "42 ");
	assert_int_equal(visit(f, "/sys/fs/cgroup/cpuset/a"), 0);
	assert_string_equal(f->seen, "43 ");
	assert_int_equal(visit(f, "/sys/fs/cgroup/unified/a"), 0);
	assert_string_equal(f->seen, "44 ");
}

static void one_below_that_is_removed_meanwhile_is_passed_over(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "43\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/c", "44\n");
	f->removed = FAKE_V2 "/a/b";
	assert_int_equal(visit(f, "a"), 0);
	assert_string_equal(f->seen, "42 44 ");
}

static void one_that_is_removed_itself_is_told_from_an_empty_one(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n");
	f->removed = FAKE_V2 "/a";
	assert_int_equal(visit(f, "a"), -ENODEV);
}

static void a_visitor_can_end_the_walk(void **state)
{
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	fake_cgroup_write(f->root, FAKE_V2, "/a", "42\n43\n44\n");
	fake_cgroup_write(f->root, FAKE_V2, "/a/b", "45\n");
	f->stop = -ENODEV;
	assert_int_equal(visit(f, "a"), -ENODEV);
	assert_string_equal(f->seen, "42 43 ");
	f->stop = 7;
	assert_int_equal(visit(f, "a"), 7);
}

static void rubbish_is_refused(void **state)
{
	static const char *const lists[] = { "x\n", "42 \n", "-1\n", "\n",
					     "4294967338\n" };
	struct fixture *f = *state;

	fake_cgroups_mount(f->root, FAKE_CGROUPS_V2);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		fake_cgroup_write(f->root, FAKE_V2, "/a", lists[i]);
		assert_int_equal(visit(f, "a"), -EBADMSG);
	}
	assert_int_equal(mig_cgroup_visit_members(NULL, note, f, NULL), -EINVAL);
}

/* A threaded cgroup can be had of a real kernel only. */
struct real {
	struct mig_context *context;
	struct mig_cgroup_mounts mounts;
	int v2;
	char name[32];
	pid_t child;
};

static void *sleep_for_ever(void *data)
{
	for (;;)
		pause();
	return data;
}

static int real_set_up(void **state)
{
	struct real *real = calloc(1, sizeof(*real));

	*state = real;
	real->v2 = -1;
	assert_int_equal(mig_context_new(NULL, &real->context), 0);
	snprintf(real->name, sizeof(real->name), "migrate-test-%d", getpid());
	if (!mig_cgroup_mounts_read(real->context, &real->mounts) &&
	    real->mounts.of[MIG_HIERARCHY_V2])
		real->v2 = real->mounts.of[MIG_HIERARCHY_V2]->fd;
	return 0;
}

static int real_tear_down(void **state)
{
	static const char *const below[] = { "/one", "/two", "" };
	struct real *real = *state;
	int r = 0;

	if (real->child > 0) {
		kill(real->child, SIGKILL);
		waitpid(real->child, NULL, 0);
	}
	for (size_t i = 0; real->v2 >= 0 && i < 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s%s", real->name, below[i]);
		if (unlinkat(real->v2, path, AT_REMOVEDIR) < 0 && errno == EBUSY)
			r = -1;
	}
	mig_cgroup_mounts_done(&real->mounts);
	mig_context_free(real->context);
	free(real);
	return r;
}

static bool write_real(const struct real *real, const char *file, const char *text)
{
	char path[96];
	int fd;
	bool is_written;

	snprintf(path, sizeof(path), "%s/%s", real->name, file);
	fd = openat(real->v2, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return is_written;
}

static bool make_real(const struct real *real, const char *path)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s", real->name, path);
	return real->v2 >= 0 && !mkdirat(real->v2, full, 0755);
}

/* All threads but the leader. Return: how many there are. */
static size_t find_threads(pid_t pid, pid_t tids[2])
{
	char path[64];
	struct dirent *entry;
	size_t nr = 0;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	directory = opendir(path);
	assert_non_null(directory);
	while (nr < 2 && (entry = readdir(directory))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0 && tid != pid)
			tids[nr++] = tid;
	}
	closedir(directory);
	return nr;
}

/* A child with three threads. */
static void start_threads(struct real *real, pid_t tids[2])
{
	size_t nr = 0;

	real->child = fork();
	assert_true(real->child >= 0);
	if (!real->child) {
		pthread_t thread;

		for (int i = 0; i < 2; i++)
			if (pthread_create(&thread, NULL, sleep_for_ever, NULL))
				_exit(1);
		sleep_for_ever(NULL);
	}
	for (int i = 0; nr < 2 && i < 1000; i++) {
		usleep(1000);
		nr = find_threads(real->child, tids);
	}
	assert_int_equal(nr, 2);
}

static void assert_real(struct real *real, const char *path, const char *expected)
{
	CLEANUP_MIG(cgroup) struct mig_cgroup *cgroup = NULL;
	struct fixture f = { .stop = 0 };
	char name[512];

	snprintf(name, sizeof(name), "%s/%s%s",
		 real->mounts.of[MIG_HIERARCHY_V2]->directory, real->name, path);
	assert_int_equal(mig_cgroup_open(real->context, name, &cgroup), 0);
	assert_int_equal(mig_cgroup_visit_members(cgroup, note, &f, NULL), 0);
	assert_string_equal(f.seen, expected);
}

static void a_threaded_cgroup_has_the_processes_of_its_threads(void **state)
{
	struct real *real = *state;
	char pid[16], texts[2][16];
	pid_t tids[2];

	if (!make_real(real, "") || !make_real(real, "/one") ||
	    !make_real(real, "/two")) {
		print_message("no cgroup v2 that may be written to\n");
		skip();
	}
	start_threads(real, tids);
	for (size_t i = 0; i < 2; i++)
		snprintf(texts[i], sizeof(texts[i]), "%d", tids[i]);
	snprintf(pid, sizeof(pid), "%d", real->child);
	if (!write_real(real, "cgroup.procs", pid) ||
	    !write_real(real, "one/cgroup.type", "threaded") ||
	    !write_real(real, "two/cgroup.type", "threaded") ||
	    !write_real(real, "one/cgroup.threads", texts[0]) ||
	    !write_real(real, "one/cgroup.threads", texts[1]) ||
	    !write_real(real, "two/cgroup.threads", pid)) {
		print_message("no threaded cgroups here\n");
		skip();
	}
	strcat(pid, " ");
	/* Once, whichever of its threads are where. */
	assert_real(real, "", pid);
	assert_real(real, "/one", pid);
	assert_real(real, "/two", pid);
	kill(real->child, SIGKILL);
	waitpid(real->child, NULL, 0);
	real->child = 0;
	assert_real(real, "/one", "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_of_all_below_are_seen),
		TEST(an_empty_one_has_none),
		TEST(those_outside_of_the_pid_namespace_are_counted),
		TEST(on_hybrid_those_of_the_hierarchy_that_was_meant_are_seen),
		TEST(one_below_that_is_removed_meanwhile_is_passed_over),
		TEST(one_that_is_removed_itself_is_told_from_an_empty_one),
		TEST(a_visitor_can_end_the_walk),
		TEST(rubbish_is_refused),
		cmocka_unit_test_setup_teardown(
			a_threaded_cgroup_has_the_processes_of_its_threads, real_set_up,
			real_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
