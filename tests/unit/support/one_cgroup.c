/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "one_cgroup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"

#define NR_BUFFERS 4

static void nap(void)
{
	const struct timespec moment = { .tv_nsec = 10000000 };

	nanosleep(&moment, NULL);
}

static const char *read_path(const char *path)
{
	static _Thread_local char buffers[NR_BUFFERS][8192];
	static _Thread_local size_t next;
	char *buffer = buffers[next++ % NR_BUFFERS];
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, buffer, sizeof(buffers[0]) - 1);

	buffer[length > 0 ? length : 0] = '\0';
	return buffer;
}

static void write_path(const char *path, const char *text)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("cannot write to '%s': %s", path, strerror(errno));
}

struct mig_cgroup *one_cgroup_new(struct mig_context *context, struct fake_root *root,
				  const char *path, bool is_v1)
{
	struct mig_cgroup *cgroup = calloc(1, sizeof(*cgroup));
	char full[PATH_MAX];

	assert_non_null(cgroup);
	snprintf(full, sizeof(full), ONE_CGROUPS "%s/cgroup.procs",
		 strcmp(path, "/") ? path : "");
	fake_root_write(root, full, "");
	snprintf(full, sizeof(full), "%s/" ONE_CGROUPS "%s", root->path, path);
	cgroup->context = context;
	cgroup->path = strdup(path);
	cgroup->is_v1 = is_v1;
	cgroup->is_root = !strcmp(path, "/");
	cgroup->fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(cgroup->fd >= 0);
	for (size_t i = 0; i < MIG_NR_CONTROLLERS; i++) {
		cgroup->places[i].is_v1 = is_v1;
		cgroup->places[i].fd = fcntl(cgroup->fd, F_DUPFD_CLOEXEC, 0);
		assert_true(cgroup->places[i].fd >= 0);
	}
	return cgroup;
}

const char *one_cgroup_read(const struct fake_root *root, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", root->path, path);
	return read_path(full);
}

bool one_cgroup_comes_to_read(const struct fake_root *root, const char *path,
			      const char *text)
{
	for (int i = 0; i < 1000; i++) {
		if (!strncmp(one_cgroup_read(root, path), text, strlen(text)))
			return true;
		nap();
	}
	return false;
}

char *live_cgroup_make(const char *controller, const char *name)
{
	static const char *const of_v2[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char file[PATH_MAX + 32], directory[PATH_MAX] = "";
	char *path;

	for (size_t i = 0; !controller && i < 2; i++) {
		snprintf(file, sizeof(file), "%s/cgroup.controllers", of_v2[i]);
		if (!access(file, F_OK))
			snprintf(directory, sizeof(directory), "%s", of_v2[i]);
	}
	if (controller)
		snprintf(directory, sizeof(directory), "/sys/fs/cgroup/%s", controller);
	snprintf(file, sizeof(file), "%s/cgroup.procs", directory);
	if (!*directory || access(file, F_OK) < 0) {
		print_message("not checked here: no cgroup %s%s\n",
			      controller ? "v1 of " : "v2", controller ? controller : "");
		skip();
	}
	if (asprintf(&path, "%s/libmigrate-%s-%d", directory, name, getpid()) < 0)
		fail_msg("no memory");
	if (mkdir(path, 0755) < 0) {
		print_message("not checked here: cannot make '%s': %s\n", path,
			      strerror(errno));
		free(path);
		skip();
	}
	return path;
}

void live_cgroup_join(const char *path, pid_t pid)
{
	char file[PATH_MAX], text[16];

	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	snprintf(text, sizeof(text), "%d", pid);
	write_path(file, text);
}

const char *live_cgroup_read(const char *path, const char *name)
{
	char file[PATH_MAX];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	return read_path(file);
}

void live_cgroup_remove(char *path)
{
	int r = -1;

	for (int i = 0; r < 0 && i < 500; i++) {
		r = rmdir(path);
		if (r < 0 && errno == ENOENT)
			r = 0;
		if (r < 0)
			nap();
	}
	if (r < 0)
		fail_msg("cannot remove '%s': %s", path, strerror(errno));
	free(path);
}
