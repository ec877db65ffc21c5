/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pools of huge pages: a directory for each size. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "node.h"
#include "numbered.h"
#include "procfs.h"
#include "text.h"

struct pools {
	const struct mig_context *context;
	char directory[MIG_PATH_SIZE];
	struct mig_huge_pool *pools;
	size_t nr_pools;
	size_t count;
};

static int refuse(const struct pools *pools, uint64_t kilobytes, const char *name)
{
	mig_log(pools->context, MIG_LOG_WARNING, "/%s/hugepages-%jukB/%s does not parse",
		pools->directory, (uintmax_t)kilobytes, name);
	return -EBADMSG;
}

static int read_count(const struct pools *pools, uint64_t kilobytes, const char *name,
		      uint64_t *ret_count)
{
	char buffer[32];
	struct mig_text text = { .at = buffer };
	ssize_t length = mig_procfs_read(pools->context, buffer, sizeof(buffer),
					 "%s/hugepages-%jukB/%s", pools->directory,
					 (uintmax_t)kilobytes, name);
	uint64_t bytes;

	if (length < 0)
		return (int)length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	/* What all of them have can be summed up in bytes. */
	if (mig_text_take_number(&text, 10, ret_count) < 0 || text.length ||
	    __builtin_mul_overflow(*ret_count, kilobytes * 1024, &bytes) ||
	    bytes > MIG_UNKNOWN_BYTES / 64)
		return refuse(pools, kilobytes, name);
	return 0;
}

/* Keeps the array in order while there is room. */
static void insert(struct pools *pools, const struct mig_huge_pool *pool)
{
	size_t at = pools->count < pools->nr_pools ? pools->count : pools->nr_pools;

	pools->count++;
	while (at && pools->pools[at - 1].size_bytes > pool->size_bytes) {
		if (at < pools->nr_pools)
			pools->pools[at] = pools->pools[at - 1];
		at--;
	}
	if (at < pools->nr_pools)
		pools->pools[at] = *pool;
}

static int add_pool(void *data, uint64_t kilobytes)
{
	struct pools *pools = data;
	struct mig_huge_pool pool = { 0 };
	int r;

	if (!kilobytes || __builtin_mul_overflow(kilobytes, 1024, &pool.size_bytes))
		return refuse(pools, kilobytes, "nr_hugepages");
	r = read_count(pools, kilobytes, "nr_hugepages", &pool.nr_pages);
	if (!r)
		r = read_count(pools, kilobytes, "free_hugepages", &pool.nr_free);
	if (r < 0)
		return r;
	r = read_count(pools, kilobytes, "surplus_hugepages", &pool.nr_surplus);
	/* A machine may have been captured without it. */
	if (r < 0 && r != -ENOENT)
		return r;
	insert(pools, &pool);
	return 0;
}

int mig_node_read_pools(const struct mig_context *context, int node, bool has_directory,
			struct mig_huge_pool *pools, size_t nr_pools, size_t *ret_count)
{
	struct pools walk = { .context = context, .pools = pools, .nr_pools = nr_pools };
	int r;

	if (has_directory)
		snprintf(walk.directory, sizeof(walk.directory),
			 MIG_NODE_DIRECTORY "/node%d/hugepages", node);
	else
		snprintf(walk.directory, sizeof(walk.directory),
			 "sys/kernel/mm/hugepages");
	r = mig_numbered_visit(context, walk.directory, "hugepages-", "kB", add_pool,
			       &walk);
	if (!r)
		*ret_count = walk.count;
	return r;
}
