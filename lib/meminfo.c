/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "meminfo.h"

#include <errno.h>

#include "libmigrate.h"

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
#define FIELD(name, member)                                \
	{                                                  \
		name, offsetof(struct mig_meminfo, member) \
	}
	FIELD("MemTotal:", total_bytes),
	FIELD("MemFree:", free_bytes),
	FIELD("FilePages:", file_pages_bytes),
	FIELD("Cached:", cached_bytes),
	FIELD("Buffers:", buffers_bytes),
	FIELD("SwapCached:", swap_cached_bytes),
	FIELD("Shmem:", shmem_bytes),
	FIELD("AnonPages:", anon_bytes),
	FIELD("Slab:", slab_bytes),
	FIELD("Dirty:", dirty_bytes),
	FIELD("Writeback:", writeback_bytes),
	FIELD("AnonHugePages:", anon_huge_bytes),
	FIELD("Mapped:", mapped_bytes),
	FIELD("SReclaimable:", slab_reclaimable_bytes),
	FIELD("SUnreclaim:", slab_unreclaimable_bytes),
	FIELD("PageTables:", page_tables_bytes),
	FIELD("SecPageTables:", secondary_page_tables_bytes),
	FIELD("KernelStack:", kernel_stack_bytes),
	FIELD("Unevictable:", unevictable_bytes),
	FIELD("Balloon:", balloon_bytes),
	FIELD("GPUActive:", gpu_active_bytes),
	FIELD("GPUReclaim:", gpu_reclaim_bytes),
	FIELD("Zswap:", zswap_bytes),
	FIELD("Zswapped:", zswapped_bytes),
#undef FIELD
};

#define NR_FIELDS (sizeof(fields) / sizeof(*fields))

static uint64_t *member_of(struct mig_meminfo *meminfo, const struct field *field)
{
	return (uint64_t *)(void *)((char *)meminfo + field->offset);
}

int mig_meminfo_parse_size(struct mig_text text, uint64_t *ret_bytes)
{
	uint64_t kilobytes;

	mig_text_trim(&text);
	mig_text_take_blanks(&text);
	if (mig_text_take_number(&text, 10, &kilobytes) < 0 ||
	    !mig_text_take_blanks(&text) || !mig_text_is(text, "kB") ||
	    kilobytes > MIG_UNKNOWN_BYTES / 1024)
		return -EBADMSG;
	*ret_bytes = kilobytes * 1024;
	return 0;
}

static void skip_node(struct mig_text *line)
{
	uint64_t node;

	if (!mig_text_take_string(line, "Node "))
		return;
	if (!mig_text_take_number(line, 10, &node))
		mig_text_take_blanks(line);
}

static int parse_line(struct mig_text line, struct mig_meminfo *meminfo)
{
	skip_node(&line);
	for (size_t i = 0; i < NR_FIELDS; i++)
		if (mig_text_take_string(&line, fields[i].name))
			return mig_meminfo_parse_size(line,
						      member_of(meminfo, &fields[i]));
	return 0;
}

int mig_meminfo_parse(struct mig_text text, struct mig_meminfo *ret_meminfo)
{
	struct mig_meminfo meminfo;

	for (size_t i = 0; i < NR_FIELDS; i++)
		*member_of(&meminfo, &fields[i]) = MIG_UNKNOWN_BYTES;
	while (text.length) {
		int r = parse_line(mig_text_take_line(&text), &meminfo);

		if (r < 0)
			return r;
	}
	*ret_meminfo = meminfo;
	return 0;
}
