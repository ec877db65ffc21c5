/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "process.h"
#include "procfs.h"
#include "smaps.h"

/* The size of a transparent huge page that is mapped by one entry. */
static int read_pmd_bytes(const struct mig_context *context, uint64_t *ret_bytes)
{
	char buffer[32];
	struct mig_text text = { .at = buffer };
	ssize_t length;

	length = mig_procfs_read(context, buffer, sizeof(buffer),
				 "sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
	/* A kernel without them still maps other huge pages so: a table's worth. */
	if (length == -ENOENT) {
		*ret_bytes = context->page_size / sizeof(uint64_t) * context->page_size;
		return 0;
	}
	if (length < 0)
		return (int)length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	if (mig_text_take_number(&text, 10, ret_bytes) < 0 || text.length)
		return -EBADMSG;
	return 0;
}

static int count_lines(struct mig_lines *lines, struct mig_smaps_count *count)
{
	struct mig_text line;
	int r;

	while ((r = mig_lines_next(lines, &line.at, &line.length)) > 0) {
		r = mig_smaps_take_line(count, line);
		if (r < 0)
			return r;
	}
	return r;
}

/* Once the memory is gone, by exit or execve(2), the file reads as empty. */
static int check_memory(int fd)
{
	char byte;
	ssize_t n = pread(fd, &byte, 1, 0);

	if (n < 0)
		return -errno;
	return n ? 0 : -ESRCH;
}

int mig_residency_read_huge_pages(const struct mig_process *process,
				  struct mig_huge_pages *sizes, size_t nr_sizes,
				  size_t *ret_count)
{
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };
	CLEANUP_CLOSE int fd = -1;
	struct mig_smaps_count count = { 0 };
	int r;

	if (!process || (!sizes && nr_sizes) || !ret_count)
		return -EINVAL;
	r = read_pmd_bytes(process->context, &count.pmd_bytes);
	if (r < 0)
		return r;
	fd = mig_process_open_file(process, "smaps");
	if (fd < 0)
		return fd;
	r = mig_lines_init(&lines, fd);
	if (r < 0)
		return r;
	fd = -1;
	r = count_lines(&lines, &count);
	if (!r)
		r = check_memory(lines.fd);
	if (r == -EBADMSG)
		mig_log(process->context, MIG_LOG_WARNING,
			"'proc/%d/smaps' does not parse", process->pid);
	if (r < 0)
		return r;
	if (nr_sizes > count.nr_sizes)
		nr_sizes = count.nr_sizes;
	if (nr_sizes)
		memcpy(sizes, count.sizes, nr_sizes * sizeof(*sizes));
	*ret_count = count.nr_sizes;
	return 0;
}
