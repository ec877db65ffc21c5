/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>

#include "cleanup.h"
#include "memory_blocks.h"
#include "numbered.h"
#include "procfs.h"
#include "topology.h"

struct mig_frames {
	/* Sorted, apart from each other; those that nodes share have MIG_NO_NODE. */
	struct mig_frames_run *runs;
	size_t nr_runs;
};

/* Memory blocks as they are found: one entry for each node that links to one. */
struct blocks {
	struct mig_frames_run *entries; /**< in units of blocks, each one long */
	size_t count;
	size_t capacity;
	int node; /**< whose directory is being read */
};

static int add_block(void *data, uint64_t number)
{
	struct blocks *blocks = data;

	if (number == UINT64_MAX)
		return -EBADMSG;
	if (blocks->count == blocks->capacity) {
		size_t capacity = blocks->capacity ? 2 * blocks->capacity : 256;
		struct mig_frames_run *larger =
			reallocarray(blocks->entries, capacity, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		blocks->entries = larger;
		blocks->capacity = capacity;
	}
	blocks->entries[blocks->count++] = (struct mig_frames_run){
		.start = number,
		.end = number + 1,
		.node = blocks->node,
	};
	return 0;
}

/* A node without memory has no blocks and a vanished one no directory. */
static int read_node_blocks(const struct mig_topology *topology, struct blocks *blocks)
{
	const struct mig_nodeset *online =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);
	int node = MIG_NO_NODE;

	while ((node = mig_nodeset_next(online, node)) != MIG_NO_NODE) {
		char path[MIG_PATH_SIZE];
		int r;

		blocks->node = node;
		snprintf(path, sizeof(path), "sys/devices/system/node/node%d", node);
		r = mig_numbered_visit(mig_topology_get_context(topology), path, "memory",
				       "", add_block, blocks);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

/* Without NUMA no node links to a block, and all are the one node's. */
static int read_all_blocks(const struct mig_topology *topology, struct blocks *blocks)
{
	blocks->node = mig_topology_get_only_node(topology);
	if (blocks->node == MIG_NO_NODE)
		return -ENOENT;
	return mig_numbered_visit(mig_topology_get_context(topology),
				  MIG_MEMORY_DIRECTORY, "memory", "", add_block, blocks);
}

static int compare_starts(const void *a, const void *b)
{
	const struct mig_frames_run *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Sorts, and makes one run of neighbours of one node. Return: the number of runs. */
static size_t merge(struct mig_frames_run *runs, size_t count)
{
	size_t merged = 0;

	qsort(runs, count, sizeof(*runs), compare_starts);
	/* First the blocks that several nodes link to, which change their node. */
	for (size_t i = 0; i < count; i++) {
		struct mig_frames_run *last = merged ? &runs[merged - 1] : NULL;

		if (last && last->start == runs[i].start)
			last->node = MIG_NO_NODE;
		else
			runs[merged++] = runs[i];
	}
	count = merged;
	merged = 0;
	for (size_t i = 0; i < count; i++) {
		struct mig_frames_run *last = merged ? &runs[merged - 1] : NULL;

		if (last && last->end == runs[i].start && last->node == runs[i].node)
			last->end = runs[i].end;
		else
			runs[merged++] = runs[i];
	}
	return merged;
}

static int scale(struct mig_frames_run *runs, size_t nr_runs, uint64_t nr_frames)
{
	for (size_t i = 0; i < nr_runs; i++)
		if (__builtin_mul_overflow(runs[i].start, nr_frames, &runs[i].start) ||
		    __builtin_mul_overflow(runs[i].end, nr_frames, &runs[i].end))
			return -EBADMSG;
	return 0;
}

int mig_frames_new(const struct mig_topology *topology, struct mig_frames **ret_frames)
{
	CLEANUP_FREE struct mig_frames_run *runs = NULL;
	struct mig_frames *frames;
	struct blocks blocks = { 0 };
	uint64_t nr_frames = 0;
	size_t nr_runs;
	int r;

	r = mig_memory_blocks_read_size(mig_topology_get_context(topology), &nr_frames);
	if (r < 0)
		return r;
	r = read_node_blocks(topology, &blocks);
	if (!r && !blocks.count)
		r = read_all_blocks(topology, &blocks);
	runs = blocks.entries;
	if (r < 0)
		return r;
	if (!blocks.count)
		return -ENOENT;
	nr_runs = merge(runs, blocks.count);
	r = scale(runs, nr_runs, nr_frames);
	if (r < 0)
		return r;
	frames = malloc(sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	*frames = (struct mig_frames){ .runs = STEAL(runs), .nr_runs = nr_runs };
	*ret_frames = frames;
	return 0;
}

void mig_frames_free(struct mig_frames *frames)
{
	if (!frames)
		return;
	free(frames->runs);
	free(frames);
}

/* The last run that starts at or before @frame, the first one if there is none. */
static const struct mig_frames_run *find_run(const struct mig_frames *frames,
					     uint64_t frame)
{
	const struct mig_frames_run *run = frames->runs;
	size_t count = frames->nr_runs;

	/*
	 * One comparison a step and no jump that depends on it: this is asked for every
	 * page of a process.
	 */
	while (count > 1) {
		size_t half = count / 2;

		run += run[half].start <= frame ? half : 0;
		count -= half;
	}
	return run;
}

int mig_frames_get_node(const struct mig_frames *frames, uint64_t frame)
{
	const struct mig_frames_run *run = find_run(frames, frame);

	return frame >= run->start && frame < run->end ? run->node : MIG_NO_NODE;
}

bool mig_frames_next_run(const struct mig_frames *frames, uint64_t frame,
			 struct mig_frames_run *ret_run)
{
	const struct mig_frames_run *end = frames->runs + frames->nr_runs;

	for (const struct mig_frames_run *run = find_run(frames, frame); run < end; run++)
		if (run->end > frame && run->node != MIG_NO_NODE) {
			*ret_run = *run;
			return true;
		}
	return false;
}

uint64_t mig_frames_get_end(const struct mig_frames *frames)
{
	return frames->runs[frames->nr_runs - 1].end;
}
