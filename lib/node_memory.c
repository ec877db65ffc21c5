/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "meminfo.h"
#include "procfs.h"
#include "sysfs.h"
#include "zoneinfo.h"

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a == MIG_UNKNOWN_BYTES || b == MIG_UNKNOWN_BYTES ? MIG_UNKNOWN_BYTES
								: a + b;
}

/* The counters of a running kernel do not agree to the page: never below 0. */
static uint64_t difference(uint64_t a, uint64_t b)
{
	if (a == MIG_UNKNOWN_BYTES || b == MIG_UNKNOWN_BYTES)
		return MIG_UNKNOWN_BYTES;
	return a > b ? a - b : 0;
}

/*
 * A node's FilePages hold shmem and the swap cache too (kernels before 5.12 do not
 * tell the latter); /proc/meminfo has taken buffers and swap cache out of Cached.
 */
static uint64_t file_bytes(const struct mig_meminfo *meminfo)
{
	uint64_t pages = meminfo->file_pages_bytes;

	if (pages == MIG_UNKNOWN_BYTES)
		pages = sum(meminfo->cached_bytes, meminfo->buffers_bytes);
	else if (meminfo->swap_cached_bytes != MIG_UNKNOWN_BYTES)
		pages = difference(pages, meminfo->swap_cached_bytes);
	return difference(pages, meminfo->shmem_bytes);
}

static int read_meminfo(const struct mig_context *context, int node, bool has_directory,
			struct mig_node_memory *memory)
{
	CLEANUP_FREE char *text = NULL;
	struct mig_meminfo meminfo;
	ssize_t length;

	if (has_directory)
		length = mig_procfs_read_alloc(
			context, &text, MIG_NODE_DIRECTORY "/node%d/meminfo", node);
	else
		length = mig_procfs_read_alloc(context, &text, "proc/meminfo");
	if (length < 0)
		return (int)length;
	if (mig_meminfo_parse((struct mig_text){ text, (size_t)length }, &meminfo) < 0) {
		mig_log(context, MIG_LOG_WARNING, "meminfo of node %d does not parse",
			node);
		return -EBADMSG;
	}
	memory->total_bytes = meminfo.total_bytes;
	memory->free_bytes = meminfo.free_bytes;
	memory->file_bytes = file_bytes(&meminfo);
	memory->anon_bytes = meminfo.anon_bytes;
	memory->shmem_bytes = meminfo.shmem_bytes;
	memory->slab_bytes = meminfo.slab_bytes;
	memory->dirty_bytes = meminfo.dirty_bytes;
	memory->writeback_bytes = meminfo.writeback_bytes;
	memory->thp_bytes = meminfo.anon_huge_bytes;
	memory->mapped_bytes = meminfo.mapped_bytes;
	memory->swap_cached_bytes = meminfo.swap_cached_bytes;
	memory->slab_reclaimable_bytes = meminfo.slab_reclaimable_bytes;
	memory->slab_unreclaimable_bytes = meminfo.slab_unreclaimable_bytes;
	/* Before Linux 6.1 the others are not counted at all. */
	memory->page_table_bytes =
		meminfo.secondary_page_tables_bytes == MIG_UNKNOWN_BYTES
			? meminfo.page_tables_bytes
			: sum(meminfo.page_tables_bytes,
			      meminfo.secondary_page_tables_bytes);
	memory->kernel_stack_bytes = meminfo.kernel_stack_bytes;
	memory->unevictable_bytes = meminfo.unevictable_bytes;
	memory->balloon_bytes = meminfo.balloon_bytes;
	memory->gpu_bytes = sum(meminfo.gpu_active_bytes, meminfo.gpu_reclaim_bytes);
	return 0;
}

static int sum_zones(struct mig_lines *lines, struct mig_zone_room *room)
{
	for (;;) {
		struct mig_text line;
		int r = mig_lines_next(lines, &line.at, &line.length);

		if (r <= 0)
			return r;
		r = mig_zone_room_take_line(room, line);
		if (r)
			return r < 0 ? r : 0;
	}
}

static int read_room(const struct mig_context *context, int node,
		     struct mig_node_memory *memory)
{
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };
	CLEANUP_CLOSE int fd = mig_procfs_open(context, "proc/zoneinfo");
	struct mig_zone_room room = { .node = node };
	uint64_t room_bytes = 0, held_bytes = 0;
	int r;

	if (fd < 0)
		return fd;
	r = mig_lines_init(&lines, fd);
	if (r < 0)
		return r;
	fd = -1;
	r = sum_zones(&lines, &room);
	if (!r &&
	    (__builtin_mul_overflow(room.room_pages, context->page_size, &room_bytes) ||
	     __builtin_mul_overflow(room.held_pages, context->page_size, &held_bytes)))
		r = -EBADMSG;
	if (r == -EBADMSG)
		mig_log(context, MIG_LOG_WARNING, "/proc/zoneinfo does not parse");
	if (r < 0)
		return r;
	if (!room.found)
		return -ENOENT;
	memory->room_bytes = room_bytes;
	memory->held_bytes = held_bytes;
	return 0;
}

/* Those that the kernel knows are few. */
#define MOST_POOLS 32

static int read_pools(const struct mig_context *context, int node, bool has_directory,
		      struct mig_node_memory *memory)
{
	struct mig_huge_pool pools[MOST_POOLS];
	uint64_t total_bytes = 0, free_bytes = 0;
	size_t count;
	int r = mig_node_read_pools(context, node, has_directory, pools, MOST_POOLS,
				    &count);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && i < MOST_POOLS; i++) {
		total_bytes += pools[i].nr_pages * pools[i].size_bytes;
		free_bytes += pools[i].nr_free * pools[i].size_bytes;
	}
	memory->hugetlb_total_bytes = total_bytes;
	memory->hugetlb_free_bytes = free_bytes;
	return 0;
}

/* What zsmalloc has: memory of zswap and zram. A kernel without it has no such line. */
static int read_zsmalloc(const struct mig_context *context, int node, bool has_directory,
			 uint64_t *ret_bytes)
{
	CLEANUP_FREE char *text = NULL;
	struct mig_text rest;
	ssize_t length;

	if (has_directory)
		length = mig_procfs_read_alloc(context, &text,
					       MIG_NODE_DIRECTORY "/node%d/vmstat", node);
	else
		length = mig_procfs_read_alloc(context, &text, "proc/vmstat");
	if (length < 0)
		return (int)length;
	rest = (struct mig_text){ text, (size_t)length };
	while (rest.length) {
		struct mig_text line = mig_text_take_line(&rest);
		uint64_t nr_pages, bytes;

		if (!mig_text_take_string(&line, "nr_zspages "))
			continue;
		mig_text_trim(&line);
		if (mig_text_take_number(&line, 10, &nr_pages) < 0 || line.length ||
		    __builtin_mul_overflow(nr_pages, context->page_size, &bytes)) {
			mig_log(context, MIG_LOG_WARNING,
				"vmstat of node %d does not parse", node);
			return -EBADMSG;
		}
		*ret_bytes = bytes;
		return 0;
	}
	return -ENOENT;
}

int mig_node_read_total(const struct mig_context *context, int node, uint64_t *ret_bytes)
{
	struct mig_node_memory memory;
	int r = read_meminfo(context, node, true, &memory);

	if (r < 0)
		return r;
	*ret_bytes = memory.total_bytes;
	return 0;
}

void mig_node_gather_counters(const struct mig_context *context)
{
	if (context->live)
		mig_sysfs_write(context, "1", "proc/sys/vm/stat_refresh");
}

int mig_node_read_unmapped(const struct mig_context *context, int node,
			   uint64_t *ret_bytes)
{
	struct mig_node_memory memory;
	uint64_t unmapped;
	int r = read_meminfo(context, node, true, &memory);

	if (r < 0)
		return r;
	unmapped = difference(sum(memory.file_bytes, memory.shmem_bytes),
			      memory.mapped_bytes);
	if (unmapped == MIG_UNKNOWN_BYTES)
		return -ENODATA;
	*ret_bytes = unmapped;
	return 0;
}

int mig_node_read_memory(const struct mig_context *context, int node, bool has_directory,
			 struct mig_node_memory *ret_memory)
{
	struct mig_node_memory memory = {
		.room_bytes = MIG_UNKNOWN_BYTES,
		.held_bytes = MIG_UNKNOWN_BYTES,
		.hugetlb_total_bytes = MIG_UNKNOWN_BYTES,
		.hugetlb_free_bytes = MIG_UNKNOWN_BYTES,
		.zsmalloc_bytes = MIG_UNKNOWN_BYTES,
	};
	int r;

	r = read_meminfo(context, node, has_directory, &memory);
	if (r < 0)
		return r;
	/* Not every kernel has these; then it does not tell. */
	r = read_room(context, node, &memory);
	if (r < 0 && r != -ENOENT)
		return r;
	r = read_pools(context, node, has_directory, &memory);
	if (r < 0 && r != -ENOENT)
		return r;
	r = read_zsmalloc(context, node, has_directory, &memory.zsmalloc_bytes);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_memory = memory;
	return 0;
}
