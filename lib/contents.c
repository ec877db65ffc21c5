/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What page frames hold: /proc/kpageflags. */
#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "lru.h"
#include "pagemap.h"
#include "procfs.h"

/* Words that are read at once. */
#define WINDOW 8192
/* No folio is longer: 1 GiB in base pages of 4 KiB, 16 GiB in those of 64 KiB. */
#define LONGEST_FOLIO (UINT64_C(1) << 18)

static const char *const names[MIG_NR_CONTENTS] = {
	[MIG_CONTENT_FREE] = "free",
	[MIG_CONTENT_ANON] = "anon",
	[MIG_CONTENT_FILE_MAPPED] = "file-mapped",
	[MIG_CONTENT_FILE_UNMAPPED] = "file-unmapped",
	[MIG_CONTENT_SHMEM] = "shmem",
	[MIG_CONTENT_HUGETLB] = "hugetlb",
	[MIG_CONTENT_SLAB] = "slab",
	[MIG_CONTENT_PAGE_TABLE] = "page-tables",
	[MIG_CONTENT_RESERVED] = "reserved",
	[MIG_CONTENT_OFFLINE] = "offline",
	[MIG_CONTENT_POISONED] = "poisoned",
	[MIG_CONTENT_KERNEL] = "kernel",
	[MIG_CONTENT_ABSENT] = "absent",
};

struct reader {
	const struct mig_context *context;
	int fd;
	uint64_t *words;   /**< WINDOW of them */
	bool has_gathered; /**< what was on the way to an LRU list has come there */
};

const char *mig_content_get_name(enum mig_content content)
{
	return (unsigned int)content < MIG_NR_CONTENTS ? names[content] : "?";
}

bool mig_content_is_movable(enum mig_content content)
{
	switch (content) {
	case MIG_CONTENT_ANON:
	case MIG_CONTENT_FILE_MAPPED:
	case MIG_CONTENT_FILE_UNMAPPED:
	case MIG_CONTENT_SHMEM:
	case MIG_CONTENT_HUGETLB:
		return true;
	default:
		return false;
	}
}

/*
 * Pages on their way to an LRU list are on none, but up to date: memory of the kernel's
 * own is neither. Its other flags say nothing where it uses their place for something
 * else (zsmalloc looks mapped on Linux 6.1). Since 6.17 that of being up to date is used
 * so, too (PG_movable_ops of zsmalloc and balloons, include/linux/page-flags.h): alone it
 * is no sign of a file's page.
 */
static enum mig_content content_of_user(uint64_t flags)
{
	if (flags & (MIG_FLAG_ANON | MIG_FLAG_SWAPCACHE))
		return MIG_CONTENT_ANON;
	if (!(flags & (MIG_FLAG_LRU | MIG_FLAG_UPTODATE)))
		return MIG_CONTENT_KERNEL;
	if (flags & MIG_FLAG_SWAPBACKED)
		return MIG_CONTENT_SHMEM;
	if (flags & MIG_FLAG_MMAP)
		return MIG_CONTENT_FILE_MAPPED;
	return flags & MIG_FLAG_LRU ? MIG_CONTENT_FILE_UNMAPPED : MIG_CONTENT_KERNEL;
}

static enum mig_content content_of(uint64_t flags)
{
	static const struct {
		uint64_t flag;
		enum mig_content content;
	} first[] = {
		{ MIG_FLAG_NO_PAGE, MIG_CONTENT_ABSENT },
		{ MIG_FLAG_POISONED, MIG_CONTENT_POISONED },
		{ MIG_FLAG_FREE, MIG_CONTENT_FREE },
		{ MIG_FLAG_OFFLINE, MIG_CONTENT_OFFLINE },
		{ MIG_FLAG_RESERVED, MIG_CONTENT_RESERVED },
		{ MIG_FLAG_HUGETLB, MIG_CONTENT_HUGETLB },
		{ MIG_FLAG_SLAB, MIG_CONTENT_SLAB },
		{ MIG_FLAG_PAGE_TABLE, MIG_CONTENT_PAGE_TABLE },
		{ MIG_FLAG_ZERO_PAGE, MIG_CONTENT_KERNEL },
	};

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (flags & first[i].flag)
			return first[i].content;
	return content_of_user(flags);
}

/* Linux 6.1 shows most flags of a folio with its first page only. */
static uint64_t with_head(uint64_t flags, uint64_t head)
{
	return flags | (head & ~(MIG_FLAG_MMAP | MIG_FLAG_POISONED));
}

/* Return: how many words there are, less than asked at the end of memory. */
static ssize_t read_words(const struct reader *reader, uint64_t frame, uint64_t nr_words)
{
	ssize_t r = reader->context->calls->pread(
		reader->fd, reader->words, nr_words * sizeof(*reader->words),
		(off_t)frame * (off_t)sizeof(*reader->words));

	return r < 0 ? r : r / (ssize_t)sizeof(*reader->words);
}

/* The flags of the first page of the folio that @frame is in; 0: there is none. */
static int read_head(const struct reader *reader, uint64_t frame, uint64_t *ret_head)
{
	uint64_t lowest = frame > LONGEST_FOLIO ? frame - LONGEST_FOLIO : 0;

	*ret_head = 0;
	while (frame > lowest) {
		uint64_t count = frame - lowest < WINDOW ? frame - lowest : WINDOW;
		ssize_t r = read_words(reader, frame - count, count);

		if (r < (ssize_t)count)
			return r < 0 ? (int)r : 0;
		for (; count; count--, frame--) {
			uint64_t flags = reader->words[count - 1];

			if (flags & MIG_FLAG_TAIL)
				continue;
			if (flags & MIG_FLAG_HEAD)
				*ret_head = flags;
			return 0;
		}
	}
	return 0;
}

/* Only where it matters: the rest of a folio that began before @frame. */
static int find_first_head(const struct reader *reader, uint64_t frame,
			   uint64_t *ret_head)
{
	ssize_t r = read_words(reader, frame, 1);

	*ret_head = 0;
	if (r <= 0 || !(reader->words[0] & MIG_FLAG_TAIL))
		return r < 0 ? (int)r : 0;
	return read_head(reader, frame, ret_head);
}

/* A file's page that is on its way to a list, or one of zsmalloc. */
static bool may_be_on_its_way(uint64_t flags)
{
	return content_of(flags) == MIG_CONTENT_KERNEL && flags & MIG_FLAG_UPTODATE;
}

/* Once it is told from what will come to no list, if there is such. */
static ssize_t read_window(struct reader *reader, uint64_t frame, uint64_t nr_words)
{
	ssize_t count = read_words(reader, frame, nr_words);

	for (ssize_t i = 0; !reader->has_gathered && i < count; i++) {
		if (!may_be_on_its_way(reader->words[i]))
			continue;
		mig_lru_gather(reader->context);
		reader->has_gathered = true;
		count = read_words(reader, frame, nr_words);
	}
	return count;
}

static int count_frames(struct reader *reader, uint64_t frame, uint64_t nr_pages,
			uint64_t pages[MIG_NR_CONTENTS])
{
	uint64_t head;
	int r = find_first_head(reader, frame, &head);

	if (r < 0)
		return r;
	while (nr_pages) {
		ssize_t count =
			read_window(reader, frame, nr_pages < WINDOW ? nr_pages : WINDOW);

		if (count < 0)
			return (int)count;
		if (!count)
			break;
		for (ssize_t i = 0; i < count; i++) {
			uint64_t flags = reader->words[i];

			if (flags & MIG_FLAG_TAIL)
				flags = with_head(flags, head);
			else
				head = flags & MIG_FLAG_HEAD ? flags : 0;
			pages[content_of(flags)]++;
		}
		frame += (uint64_t)count;
		nr_pages -= (uint64_t)count;
	}
	pages[MIG_CONTENT_ABSENT] += nr_pages;
	return 0;
}

int mig_contents_read(struct mig_context *context, uint64_t first_frame,
		      uint64_t nr_pages, uint64_t ret_pages[MIG_NR_CONTENTS])
{
	CLEANUP_FREE uint64_t *words = NULL;
	CLEANUP_CLOSE int fd = -1;
	uint64_t pages[MIG_NR_CONTENTS] = { 0 };
	struct reader reader = { .context = context };
	uint64_t end;
	int r;

	if (!context || !ret_pages ||
	    __builtin_add_overflow(first_frame, nr_pages, &end) ||
	    end > INT64_MAX / sizeof(*words))
		return -EINVAL;
	fd = mig_procfs_open(context, "proc/kpageflags");
	if (fd < 0)
		return fd;
	words = malloc(WINDOW * sizeof(*words));
	if (!words)
		return -ENOMEM;
	reader.fd = fd;
	reader.words = words;
	r = count_frames(&reader, first_frame, nr_pages, pages);
	if (r < 0)
		return r;
	for (size_t i = 0; i < MIG_NR_CONTENTS; i++)
		ret_pages[i] = pages[i];
	return 0;
}
