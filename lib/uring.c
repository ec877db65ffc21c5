/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "procfs.h"

/* With 2 ms between them. */
#define LOOKS_AT_BUSY_RINGS 50

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
	uint64_t nr_announced = 1, nr_listed = 0;
	bool inside = false;

	while (text.length) {
		struct mig_text line = mig_text_take_line(&text);
		uint64_t start, length;
		int r;

		if (mig_text_take_string(&line, "UserBufs:")) {
			mig_text_take_blanks(&line);
			inside = !mig_text_take_number(&line, 10, &nr_announced);
			continue;
		}
		inside = inside && take_index(&line);
		nr_listed += inside;
		if (!inside || !parse_buffer(line, &start, &length))
			continue;
		r = add_range(buffers, start, length);
		if (r < 0)
			return r;
	}
	buffers->unlisted = nr_listed < nr_announced;
	return 0;
}

/* The one kind of file that can have buffers: the others need not be read. */
static bool is_ring(int directory_fd, const char *name)
{
	static const char ring[] = "anon_inode:[io_uring]";
	char link[sizeof(ring) + 1];
	ssize_t length = readlinkat(directory_fd, name, link, sizeof(link));

	return length == sizeof(ring) - 1 && !memcmp(link, ring, sizeof(ring) - 1);
}

static int look_at_ring(const struct mig_process *process, const char *name,
			struct mig_uring_buffers *buffers)
{
	CLEANUP_FREE char *text = NULL;
	ssize_t length = mig_procfs_read_alloc(process->context, &text,
					       "proc/%d/fdinfo/%s", process->pid, name);

	if (length < 0)
		return length == -ENOMEM ? -ENOMEM : 0; /* closed meanwhile */
	return mig_uring_parse((struct mig_text){ text, (size_t)length }, buffers);
}

/* A look that lists only a part adds nothing twice: a ring that is in use lists none. */
static int read_ring(const struct mig_process *process, const char *name,
		     unsigned int *looks_left, struct mig_uring_buffers *buffers)
{
	static const struct timespec moment = { .tv_nsec = 2000000 };

	for (;;) {
		int r;

		buffers->unlisted = false;
		r = look_at_ring(process, name, buffers);
		if (r < 0 || !buffers->unlisted || !*looks_left)
			return r;
		--*looks_left;
		nanosleep(&moment, NULL);
	}
}

static int open_descriptors(const struct mig_process *process, DIR **ret_directory)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "proc/%d/fd", process->pid);
	fd = openat(process->context->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	*ret_directory = fdopendir(fd);
	if (*ret_directory)
		return 0;
	close(fd);
	return -ENOMEM;
}

int mig_uring_read(const struct mig_process *process,
		   struct mig_uring_buffers *ret_buffers)
{
	struct mig_uring_buffers buffers = { 0 };
	CLEANUP(cleanup_closedir) DIR *directory = NULL;
	unsigned int looks_left = LOOKS_AT_BUSY_RINGS;
	bool unlisted = false;
	struct dirent *entry;
	int r = open_descriptors(process, &directory);

	while (!r && (entry = readdir(directory))) {
		if (!is_ring(dirfd(directory), entry->d_name))
			continue;
		r = read_ring(process, entry->d_name, &looks_left, &buffers);
		unlisted |= buffers.unlisted;
	}
	if (r < 0) {
		mig_uring_done(&buffers);
		return r;
	}
	*ret_buffers = buffers;
	ret_buffers->unlisted = unlisted;
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
