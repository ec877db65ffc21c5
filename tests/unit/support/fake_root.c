/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In memory if that can be: thousands of files are written anew with each change. */
static const char *get_parent(void)
{
	static const char memory[] = "/dev/shm";
	const char *parent = getenv("TMPDIR");

	if (parent)
		return parent;
	return access(memory, W_OK) ? P_tmpdir : memory;
}

struct fake_root *fake_root_new(void)
{
	struct fake_root *root = calloc(1, sizeof(*root));

	if (!root || asprintf(&root->path, "%s/fake-root-XXXXXX", get_parent()) < 0)
		fail_msg("no memory for a fake root");
	if (!mkdtemp(root->path))
		fail_msg("cannot make '%s': %s", root->path, strerror(errno));
	return root;
}

static int remove_one(const char *path, const struct stat *status, int type,
		      struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_all(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		fail_msg("cannot remove '%s': %s", path, strerror(errno));
}

void fake_root_free(struct fake_root *root)
{
	if (!root)
		return;
	remove_all(root->path);
	free(root->path);
	free(root);
}

static void join(const struct fake_root *root, const char *path, char full[PATH_MAX])
{
	int length = snprintf(full, PATH_MAX, "%s/%s", root->path, path);

	if (length < 0 || length >= PATH_MAX)
		fail_msg("'%s' is too long a path", path);
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0777) < 0 && errno != EEXIST)
		fail_msg("cannot make '%s': %s", path, strerror(errno));
}

/* All directories of @full that lie below the root. */
static void make_parents(const struct fake_root *root, char *full)
{
	char *slash = full + strlen(root->path);

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		make_directory(full);
		*slash = '/';
	}
}

void fake_root_write_bytes(struct fake_root *root, const char *path, const void *bytes,
			   size_t length)
{
	char full[PATH_MAX];
	FILE *stream;
	size_t written;

	join(root, path, full);
	make_parents(root, full);
	stream = fopen(full, "we");
	if (!stream)
		fail_msg("cannot open '%s': %s", full, strerror(errno));
	written = fwrite(bytes, 1, length, stream);
	if (fclose(stream) || written != length)
		fail_msg("cannot write '%s'", full);
}

void fake_root_write(struct fake_root *root, const char *path, const char *text)
{
	fake_root_write_bytes(root, path, text, strlen(text));
}

void fake_root_link(struct fake_root *root, const char *path, const char *target)
{
	char full[PATH_MAX];

	join(root, path, full);
	make_parents(root, full);
	if (symlink(target, full) < 0)
		fail_msg("cannot link '%s': %s", full, strerror(errno));
}

void fake_root_mkdir(struct fake_root *root, const char *path)
{
	char full[PATH_MAX];

	join(root, path, full);
	make_parents(root, full);
	make_directory(full);
}

void fake_root_remove(struct fake_root *root, const char *path)
{
	char full[PATH_MAX];

	join(root, path, full);
	remove_all(full);
}

static void keep_line(void *data, enum mig_log_level level, const char *line)
{
	struct fake_root *root = data;

	(void)level;
	snprintf(root->log, sizeof(root->log), "%s", line);
}

struct mig_context *fake_root_context(struct fake_root *root,
				      const struct mig_calls *calls)
{
	const struct mig_context_options options = {
		.size = sizeof(options),
		.root_path = root->path,
		.log = keep_line,
		.log_data = root,
	};
	struct mig_context *context = NULL;

	if (mig_context_new(&options, &context) < 0)
		fail_msg("no context for '%s'", root->path);
	if (calls)
		mig_context_set_calls(context, calls);
	return context;
}
