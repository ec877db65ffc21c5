/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "node.h"

#include <errno.h>
#include <stdio.h>

#include "cleanup.h"
#include "meminfo.h"
#include "numbered.h"
#include "procfs.h"
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

static int read_room(const struct mig_context *context, int node, uint64_t *ret_bytes)
{
	CLEANUP(mig_lines_done) struct mig_lines lines = { 0 };
	CLEANUP_CLOSE int fd = mig_procfs_open(context, "proc/zoneinfo");
	struct mig_zone_room room = { .node = node };
	uint64_t bytes = 0;
	int r;

	if (fd < 0)
		return fd;
	r = mig_lines_init(&lines, fd);
	if (r < 0)
		return r;
	fd = -1;
	r = sum_zones(&lines, &room);
	if (!r && __builtin_mul_overflow(room.room_pages, context->page_size, &bytes))
		r = -EBADMSG;
	if (r == -EBADMSG)
		mig_log(context, MIG_LOG_WARNING, "/proc/zoneinfo does not parse");
	if (r < 0)
		return r;
	if (!room.found)
		return -ENOENT;
	*ret_bytes = bytes;
	return 0;
}

struct pools {
	const struct mig_context *context;
	char directory[MIG_PATH_SIZE];
	uint64_t total_bytes;
	uint64_t free_bytes;
};

static int add_pool_file(const struct pools *pools, uint64_t kilobytes, const char *name,
			 uint64_t *bytes)
{
	char buffer[32];
	struct mig_text text = { .at = buffer };
	ssize_t length = mig_procfs_read(pools->context, buffer, sizeof(buffer),
					 "%s/hugepages-%jukB/%s", pools->directory,
					 (uintmax_t)kilobytes, name);
	uint64_t nr_pages, added;

	if (length < 0)
		return (int)length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	if (mig_text_take_number(&text, 10, &nr_pages) < 0 || text.length ||
	    __builtin_mul_overflow(nr_pages, kilobytes, &added) ||
	    __builtin_mul_overflow(added, 1024, &added) ||
	    __builtin_add_overflow(*bytes, added, bytes)) {
		mig_log(pools->context, MIG_LOG_WARNING,
			"/%s/hugepages-%jukB/%s does not parse", pools->directory,
			(uintmax_t)kilobytes, name);
		return -EBADMSG;
	}
	return 0;
}

static int add_pool(void *data, uint64_t kilobytes)
{
	struct pools *pools = data;
	int r;

	r = add_pool_file(pools, kilobytes, "nr_hugepages", &pools->total_bytes);
	if (r < 0)
		return r;
	return add_pool_file(pools, kilobytes, "free_hugepages", &pools->free_bytes);
}

static int read_pools(const struct mig_context *context, int node, bool has_directory,
		      struct mig_node_memory *memory)
{
	struct pools pools = { .context = context };
	int r;

	if (has_directory)
		snprintf(pools.directory, sizeof(pools.directory),
			 MIG_NODE_DIRECTORY "/node%d/hugepages", node);
	else
		snprintf(pools.directory, sizeof(pools.directory),
			 "sys/kernel/mm/hugepages");
	r = mig_numbered_visit(context, pools.directory, "hugepages-", "kB", add_pool,
			       &pools);
	if (r < 0)
		return r;
	memory->hugetlb_total_bytes = pools.total_bytes;
	memory->hugetlb_free_bytes = pools.free_bytes;
	return 0;
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

int mig_node_read_memory(const struct mig_context *context, int node, bool has_directory,
			 struct mig_node_memory *ret_memory)
{
	struct mig_node_memory memory = {
		.room_bytes = MIG_UNKNOWN_BYTES,
		.hugetlb_total_bytes = MIG_UNKNOWN_BYTES,
		.hugetlb_free_bytes = MIG_UNKNOWN_BYTES,
	};
	int r;

	r = read_meminfo(context, node, has_directory, &memory);
	if (r < 0)
		return r;
	/* Not every kernel has these two; then it does not tell. */
	r = read_room(context, node, &memory.room_bytes);
	if (r < 0 && r != -ENOENT)
		return r;
	r = read_pools(context, node, has_directory, &memory);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_memory = memory;
	return 0;
}
