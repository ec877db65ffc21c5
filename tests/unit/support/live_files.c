/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live_files.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

static void note_problem(void *data, const char *path, int error)
{
	struct live_files *live = data;

	live->nr_problems++;
	live->problem = error;
	snprintf(live->problem_path, sizeof(live->problem_path), "%s", path);
}

int live_files_set_up(void **state)
{
	struct live_files *live = calloc(1, sizeof(*live));
	const struct mig_files_options options = {
		.size = sizeof(options),
		.problem = note_problem,
		.problem_data = live,
	};

	assert_non_null(live);
	live->root = fake_root_new();
	assert_int_equal(mig_context_new(NULL, &live->context), 0);
	assert_int_equal(mig_files_new(live->context, &options, &live->files), 0);
	*state = live;
	return 0;
}

int live_files_tear_down(void **state)
{
	struct live_files *live = *state;

	mig_files_free(live->files);
	mig_context_free(live->context);
	fake_root_free(live->root);
	free(live);
	return 0;
}

const char *live_files_path(const struct live_files *live, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 4];
	int length = snprintf(path, PATH_MAX, "%s/%s", live->root->path, name);

	assert_true(length > 0 && length < PATH_MAX);
	return path;
}

void live_files_add(struct live_files *live, const char *name, unsigned int flags)
{
	assert_int_equal(
		mig_files_add_path(live->files, live_files_path(live, name), flags), 0);
}

void live_files_write_pages(struct live_files *live, const char *name, uint64_t first,
			    uint64_t nr_pages)
{
	size_t page_size = live->context->page_size;
	int fd = open(live_files_path(live, name), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char *page = malloc(page_size);

	assert_true(fd >= 0);
	memset(page, 'x', page_size);
	for (uint64_t i = 0; i < nr_pages; i++)
		assert_int_equal(
			pwrite(fd, page, page_size, (off_t)((first + i) * page_size)),
			page_size);
	free(page);
	close(fd);
}

void live_files_resize(struct live_files *live, const char *name, uint64_t size_bytes)
{
	assert_int_equal(truncate(live_files_path(live, name), (off_t)size_bytes), 0);
}

struct mig_file *live_files_open(struct live_files *live, const char *name)
{
	char path[PATH_MAX];
	const struct mig_file_name given = { .path = path, .follow = true };
	struct mig_file *file = NULL;

	snprintf(path, sizeof(path), "%s", live_files_path(live, name));
	assert_int_equal(mig_file_open(&live->files->backings, &given, &file), 0);
	return file;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int met_note(void *data, unsigned int thread, struct mig_file *file)
{
	struct met *met = data;
	const char *label = mig_file_get_label(file);
	size_t length = strlen(met->live->root->path);
	unsigned int nr = live_files_count_descriptors();

	(void)thread;
	if (!strncmp(label, met->live->root->path, length))
		label += length + 1;
	if (met->nr < 64)
		snprintf(met->names[met->nr], sizeof(met->names[0]), "%s", label);
	met->nr++;
	if (nr > met->most_descriptors)
		met->most_descriptors = nr;
	return 0;
}

int live_files_walk(struct live_files *live, struct met *ret_met)
{
	int r;

	*ret_met = (struct met){ .live = live };
	r = mig_files_walk(live->files, 1, met_note, ret_met);
	qsort(ret_met->names, ret_met->nr < 64 ? ret_met->nr : 64,
	      sizeof(ret_met->names[0]), compare);
	return r;
}

void assert_met(struct live_files *live, const char *expected)
{
	struct met met;
	char all[8192] = "";

	assert_int_equal(live_files_walk(live, &met), 0);
	for (size_t i = 0; i < met.nr; i++) {
		strcat(all, met.names[i]);
		strcat(all, " ");
	}
	assert_string_equal(all, expected);
}

/* In the child: no check of the test's own may be made there. */
static int become_nobody(void)
{
	return setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY);
}

int live_files_as_nobody(struct live_files *live, int (*call)(struct live_files *live))
{
	int status;
	pid_t pid;

	if (geteuid()) {
		print_message("only root can become somebody else\n");
		skip();
	}
	assert_int_equal(chmod(live->root->path, 0755), 0);
	pid = fork();
	if (!pid)
		_exit(become_nobody() ? 255 : call(live) + 128);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 255);
	return WEXITSTATUS(status) - 128;
}

unsigned int live_files_count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	unsigned int nr = 0;

	assert_non_null(directory);
	while (readdir(directory))
		nr++;
	closedir(directory);
	return nr;
}
