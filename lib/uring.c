/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "cleanup.h"
#include "procfs.h"

static void cleanup_closedir(DIR *const *directory)
{
	if (*directory)
		closedir(*directory);
}

static int add_range(struct mig_uring_buffers *buffers, uint64_t start, uint64_t length)
{
	struct mig_address_range *ranges =
		reallocarray(buffers->ranges, buffers->nr + 1, sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	ranges[buffers->nr++] = (struct mig_address_range){ start, start + length };
	buffers->ranges = ranges;
	return 0;
}

/* The number of a buffer in its table, as "    0:". */
static bool take_index(struct mig_text *line)
{
	uint64_t index;

	mig_text_take_blanks(line);
	return !mig_text_take_number(line, 10, &index) && mig_text_take_char(line, ':');
}

/* " 0x7f32a4e00000/65536"; a sparse table also has " <none>". */
static bool parse_buffer(struct mig_text line, uint64_t *ret_start, uint64_t *ret_length)
{
	mig_text_take_blanks(&line);
	return mig_text_take_string(&line, "0x") &&
	       !mig_text_take_number(&line, 16, ret_start) &&
	       mig_text_take_char(&line, '/') &&
	       !mig_text_take_number(&line, 10, ret_length) && *ret_length &&
	       *ret_start <= UINT64_MAX - *ret_length;
}

int mig_uring_parse(struct mig_text text, struct mig_uring_buffers *buffers)
{
	bool inside = false;

	while (text.length) {
		struct mig_text line = mig_text_take_line(&text);
		uint64_t start, length;
		int r;

		if (mig_text_take_string(&line, "UserBufs:")) {
			inside = true;
			continue;
		}
		inside = inside && take_index(&line);
		if (!inside || !parse_buffer(line, &start, &length))
			continue;
		r = add_range(buffers, start, length);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_one(const struct mig_process *process, const char *name,
		    struct mig_uring_buffers *buffers)
{
	CLEANUP_FREE char *text = NULL;
	ssize_t length = mig_procfs_read_alloc(process->context, &text,
					       "proc/%d/fdinfo/%s", process->pid, name);

	if (length < 0)
		return length == -ENOMEM ? -ENOMEM : 0; /* closed meanwhile */
	return mig_uring_parse((struct mig_text){ text, (size_t)length }, buffers);
}

int mig_uring_read(const struct mig_process *process,
		   struct mig_uring_buffers *ret_buffers)
{
	struct mig_uring_buffers buffers = { 0 };
	CLEANUP(cleanup_closedir) DIR *directory = NULL;
	char path[64];
	struct dirent *entry;
	int fd, r = 0;

	snprintf(path, sizeof(path), "proc/%d/fdinfo", process->pid);
	fd = openat(process->context->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	while (!r && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			r = read_one(process, entry->d_name, &buffers);
	if (r < 0) {
		mig_uring_done(&buffers);
		return r;
	}
	*ret_buffers = buffers;
	return 0;
}

void mig_uring_done(struct mig_uring_buffers *buffers)
{
	free(buffers->ranges);
	*buffers = (struct mig_uring_buffers){ 0 };
}

bool mig_uring_has(const struct mig_uring_buffers *buffers, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < buffers->nr; i++)
		if (buffers->ranges[i].start < end && buffers->ranges[i].end > start)
			return true;
	return false;
}
