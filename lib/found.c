/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "found.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What stands before the strings of a record. */
struct head {
	uint64_t device;
	uint64_t inode;
	uint32_t follow;
	uint32_t path_size;  /**< with its NUL */
	uint32_t shown_size; /**< 0: there is none */
};

int mig_found_init(struct mig_found *found)
{
	int fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* Not every file system can, and not every system has that directory. */
	if (fd < 0)
		fd = memfd_create("migrate", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*found = (struct mig_found){ .stream = fdopen(fd, "w+") };
	if (found->stream)
		return 0;
	close(fd);
	return -ENOMEM;
}

void mig_found_done(struct mig_found *found)
{
	if (found->stream)
		fclose(found->stream);
	*found = (struct mig_found){ 0 };
}

int mig_found_add(struct mig_found *found, const struct mig_file *file)
{
	const struct mig_file_name *name = &file->name;
	const struct head head = {
		.device = file->device,
		.inode = file->inode,
		.follow = name->follow,
		.path_size = (uint32_t)strlen(name->path) + 1,
		.shown_size = name->shown ? (uint32_t)strlen(name->shown) + 1 : 0,
	};

	if (fwrite(&head, sizeof(head), 1, found->stream) != 1 ||
	    fwrite(name->path, head.path_size, 1, found->stream) != 1 ||
	    (name->shown && fwrite(name->shown, head.shown_size, 1, found->stream) != 1))
		return errno ? -errno : -EIO;
	found->nr_files++;
	return 0;
}

int mig_found_rewind(struct mig_found *found)
{
	return fflush(found->stream) || fseek(found->stream, 0, SEEK_SET) ? -errno : 0;
}

static int read_string(FILE *stream, size_t size, char **ret_string)
{
	char *string = malloc(size);

	if (!string)
		return -ENOMEM;
	if (fread(string, size, 1, stream) != 1) {
		free(string);
		return -EIO;
	}
	*ret_string = string;
	return 0;
}

int mig_found_next(struct mig_found *found, struct mig_found_file *ret_file)
{
	struct mig_found_file file = { 0 };
	struct head head;
	int r;

	if (fread(&head, sizeof(head), 1, found->stream) != 1)
		return ferror(found->stream) ? -EIO : 0;
	file.device = head.device;
	file.inode = head.inode;
	file.name.follow = head.follow;
	r = read_string(found->stream, head.path_size, &file.name.path);
	if (!r && head.shown_size)
		r = read_string(found->stream, head.shown_size, &file.name.shown);
	if (r < 0) {
		free(file.name.path);
		return r;
	}
	*ret_file = file;
	return 1;
}
