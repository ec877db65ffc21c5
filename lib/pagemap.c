/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pagemap.h"

#include <errno.h>

#include "cleanup.h"
#include "pagemap_scan.h"
#include "procfs.h"

static void open_frame_files(const struct mig_context *context,
			     struct mig_frame_files *files)
{
	files->shows_frames = mig_pagemap_shows_frames(context);
	files->flags_fd = files->count_fd = -1;
	if (files->shows_frames) {
		files->flags_fd = mig_procfs_open(context, "proc/kpageflags");
		files->count_fd = mig_procfs_open(context, "proc/kpagecount");
	}
	files->is_known = true;
}

static void take_frame_files(struct mig_context *context, struct mig_pagemap *pagemap)
{
	struct mig_frame_files *files = &context->frame_files;

	pthread_mutex_lock(&files->lock);
	if (!files->is_known)
		open_frame_files(context, files);
	pagemap->has_frames = files->shows_frames;
	pagemap->flags_fd = files->flags_fd;
	pagemap->count_fd = files->count_fd;
	pthread_mutex_unlock(&files->lock);
}

int mig_pagemap_open(const struct mig_process *process, struct mig_pagemap *ret_pagemap)
{
	struct mig_context *context = process->context;
	struct mig_pagemap pagemap = { .context = context,
				       .flags_fd = -1,
				       .count_fd = -1 };

	pagemap.fd = mig_process_open_file(process, "pagemap");
	if (pagemap.fd < 0)
		return pagemap.fd;
	take_frame_files(context, &pagemap);
	*ret_pagemap = pagemap;
	return 0;
}

void mig_pagemap_close(struct mig_pagemap *pagemap)
{
	if (pagemap->fd >= 0)
		close(pagemap->fd);
	pagemap->fd = pagemap->flags_fd = pagemap->count_fd = -1;
}

ssize_t mig_pagemap_read(const struct mig_pagemap *pagemap, uint64_t address,
			 uint64_t *entries, size_t nr_pages)
{
	const struct mig_context *context = pagemap->context;
	ssize_t r = context->calls->pread(
		pagemap->fd, entries, nr_pages * sizeof(*entries),
		(off_t)(address >> context->page_shift) * (off_t)sizeof(*entries));

	return r < 0 ? r : r / (ssize_t)sizeof(*entries);
}

bool mig_pagemap_is_gone(const struct mig_pagemap *pagemap, uint64_t address)
{
	uint64_t entry;

	return mig_pagemap_read(pagemap, address, &entry, 1) <= 0;
}

uint64_t mig_pagemap_skip_hole(struct mig_pagemap *pagemap, uint64_t start, uint64_t end)
{
	struct page_region region;
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)&region,
		.vec_len = 1,
		.max_pages = 1,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
	};
	int r;

	if (__atomic_load_n(&pagemap->no_scan, __ATOMIC_RELAXED))
		return start;
	r = pagemap->context->calls->pagemap_scan(pagemap->fd, &arg);
	if (r < 0) {
		__atomic_store_n(&pagemap->no_scan, true, __ATOMIC_RELAXED);
		return start;
	}
	return r ? region.start : end;
}

static int read_words(const struct mig_context *context, int fd, uint64_t frame,
		      uint64_t *words, size_t nr_words)
{
	ssize_t r;

	if (fd < 0)
		return -EACCES;
	r = context->calls->pread(fd, words, nr_words * sizeof(*words),
				  (off_t)frame * (off_t)sizeof(*words));
	if (r < 0)
		return (int)r;
	return (size_t)r == nr_words * sizeof(*words) ? 0 : -EIO;
}

int mig_pagemap_read_flags(const struct mig_pagemap *pagemap, uint64_t frame,
			   uint64_t *flags, size_t nr_frames)
{
	return read_words(pagemap->context, pagemap->flags_fd, frame, flags, nr_frames);
}

int mig_pagemap_read_mappers(const struct mig_pagemap *pagemap, uint64_t frame,
			     uint64_t *ret_mappers)
{
	return read_words(pagemap->context, pagemap->count_fd, frame, ret_mappers, 1);
}

bool mig_pagemap_shows_frames(const struct mig_context *context)
{
	CLEANUP_CLOSE int fd = mig_procfs_open(context, "proc/self/pagemap");
	uint64_t entry = 0;
	off_t offset =
		(off_t)((uintptr_t)&entry >> context->page_shift) * (off_t)sizeof(entry);
	uint64_t own = 0;

	if (fd < 0 || context->calls->pread(fd, &own, sizeof(own), offset) != sizeof(own))
		return false;
	return (own & MIG_PAGEMAP_PRESENT) && (own & MIG_PAGEMAP_FRAME);
}
