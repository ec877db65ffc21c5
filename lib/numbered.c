/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "numbered.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "procfs.h"
#include "text.h"

static void cleanup_closedir(DIR *const *directory)
{
	if (*directory)
		closedir(*directory);
}

/* memory12 is one, memory_failure (Linux 6.12) is none. */
static bool has_number(const char *name, const char *prefix, const char *suffix,
		       uint64_t *ret_number)
{
	struct mig_text text = { .at = name, .length = strlen(name) };

	return mig_text_take_string(&text, prefix) &&
	       !mig_text_take_number(&text, 10, ret_number) && mig_text_is(text, suffix);
}

int mig_numbered_visit(const struct mig_context *context, const char *directory,
		       const char *prefix, const char *suffix,
		       int (*visit)(void *data, uint64_t number), void *data)
{
	CLEANUP(cleanup_closedir) DIR *stream = NULL;
	CLEANUP_CLOSE int fd = mig_procfs_open(context, "%s", directory);

	if (fd < 0)
		return fd;
	stream = fdopendir(fd);
	if (!stream)
		return -errno;
	/* The stream owns it now. */
	fd = -1;
	for (;;) {
		const struct dirent *entry;
		uint64_t number;
		int r;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			return -errno;
		if (!has_number(entry->d_name, prefix, suffix, &number))
			continue;
		r = visit(data, number);
		if (r)
			return r;
	}
}
