/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smaps.h"

#include <errno.h>
#include <string.h>

#include "meminfo.h"

enum field {
	PAGE_SIZE_OF_MAPPING,
	TRANSPARENT,
	HUGETLB,
};

static const struct {
	const char *name;
	enum field field;
} fields[] = {
	{ "KernelPageSize:", PAGE_SIZE_OF_MAPPING },
	{ "AnonHugePages:", TRANSPARENT },
	{ "ShmemPmdMapped:", TRANSPARENT },
	{ "FilePmdMapped:", TRANSPARENT },
	{ "Shared_Hugetlb:", HUGETLB },
	{ "Private_Hugetlb:", HUGETLB },
};

/* The entry of a size, made at its place if there is none. NULL: no room. */
static struct mig_huge_pages *find_size(struct mig_smaps_count *count, uint64_t bytes)
{
	struct mig_huge_pages *entry = count->sizes;
	struct mig_huge_pages *end = count->sizes + count->nr_sizes;

	while (entry < end && entry->size_bytes < bytes)
		entry++;
	if (entry < end && entry->size_bytes == bytes)
		return entry;
	if (count->nr_sizes == MIG_MOST_HUGE_SIZES)
		return NULL;
	memmove(entry + 1, entry, (size_t)(end - entry) * sizeof(*entry));
	*entry = (struct mig_huge_pages){ .size_bytes = bytes };
	count->nr_sizes++;
	return entry;
}

static int add(struct mig_smaps_count *count, enum field field, uint64_t bytes)
{
	uint64_t size_bytes = field == HUGETLB ? count->page_bytes : count->pmd_bytes;
	struct mig_huge_pages *entry;

	if (!bytes)
		return 0;
	entry = size_bytes ? find_size(count, size_bytes) : NULL;
	if (!entry)
		return -EBADMSG;
	if (field == HUGETLB)
		entry->nr_hugetlb += bytes / size_bytes;
	else
		entry->nr_thp += bytes / size_bytes;
	return 0;
}

int mig_smaps_take_line(struct mig_smaps_count *count, struct mig_text line)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		uint64_t bytes;

		if (!mig_text_take_string(&line, fields[i].name))
			continue;
		if (mig_meminfo_parse_size(line, &bytes) < 0)
			return -EBADMSG;
		if (fields[i].field != PAGE_SIZE_OF_MAPPING)
			return add(count, fields[i].field, bytes);
		count->page_bytes = bytes;
		return 0;
	}
	return 0;
}
