/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "memory_blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "handles.h"
#include "node.h"
#include "numbered.h"
#include "procfs.h"
#include "text.h"
#include "topology.h"

struct mig_memory_blocks {
	struct mig_memory_block *blocks; /**< ascending */
	size_t count;
	size_t capacity;
	uint64_t block_pages;
	/** What valid_zones says, each text once: there are a handful. */
	char **zones;
	size_t nr_zones;
	size_t max_zones;
	int node; /**< whose directory is being read */
};

/* "8000000": hexadecimal without a prefix, in bytes. */
int mig_memory_blocks_read_size(const struct mig_context *context, uint64_t *ret_pages)
{
	char buffer[32];
	struct mig_text text = { .at = buffer };
	ssize_t length;
	uint64_t bytes;

	length = mig_procfs_read(context, buffer, sizeof(buffer),
				 MIG_MEMORY_DIRECTORY "/block_size_bytes");
	if (length < 0)
		return (int)length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	if (mig_text_take_number(&text, 16, &bytes) < 0 || text.length ||
	    bytes < context->page_size || bytes % context->page_size) {
		mig_log(context, MIG_LOG_WARNING,
			"/" MIG_MEMORY_DIRECTORY "/block_size_bytes does not parse");
		return -EBADMSG;
	}
	*ret_pages = bytes >> context->page_shift;
	return 0;
}

/* A word or more of a block's directory, without the newline. */
static ssize_t read_words(const struct mig_context *context, uint64_t number,
			  const char *name, char *buffer, size_t size)
{
	ssize_t length = mig_procfs_read(context, buffer, size,
					 MIG_MEMORY_DIRECTORY "/memory%" PRIu64 "/%s",
					 number, name);
	struct mig_text text = { .at = buffer };

	if (length < 0)
		return length;
	text.length = (size_t)length;
	mig_text_trim(&text);
	buffer[text.length] = '\0';
	return (ssize_t)text.length;
}

int mig_memory_block_read_state(const struct mig_context *context, uint64_t number,
				enum mig_block_state *ret_state)
{
	static const char *const words[] = {
		[MIG_BLOCK_OFFLINE] = "offline",
		[MIG_BLOCK_ONLINE] = "online",
		[MIG_BLOCK_GOING_OFFLINE] = "going-offline",
	};
	char buffer[32];
	ssize_t length = read_words(context, number, "state", buffer, sizeof(buffer));

	if (length < 0)
		return (int)length;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(buffer, words[i])) {
			*ret_state = (enum mig_block_state)i;
			return 0;
		}
	mig_log(context, MIG_LOG_WARNING,
		"/" MIG_MEMORY_DIRECTORY "/memory%" PRIu64 "/state does not parse",
		number);
	return -EBADMSG;
}

/* One copy of each text. Errors: -ENOMEM. */
static int keep_zones(struct mig_memory_blocks *blocks, const char *text,
		      const char **ret_zones)
{
	void *array = blocks->zones;

	for (size_t i = 0; i < blocks->nr_zones; i++)
		if (!strcmp(blocks->zones[i], text)) {
			*ret_zones = blocks->zones[i];
			return 0;
		}
	if (mig_array_reserve(&array, &blocks->max_zones, blocks->nr_zones,
			      sizeof(*blocks->zones)) < 0)
		return -ENOMEM;
	blocks->zones = array;
	blocks->zones[blocks->nr_zones] = strdup(text);
	if (!blocks->zones[blocks->nr_zones])
		return -ENOMEM;
	*ret_zones = blocks->zones[blocks->nr_zones++];
	return 0;
}

static int add_block(void *data, uint64_t number)
{
	struct mig_memory_blocks *blocks = data;
	struct mig_memory_block block = {
		.number = number,
		.nr_pages = blocks->block_pages,
	};
	void *array = blocks->blocks;

	if (__builtin_mul_overflow(number, blocks->block_pages, &block.first_frame) ||
	    block.first_frame > UINT64_MAX - block.nr_pages)
		return -EBADMSG;
	if (mig_array_reserve(&array, &blocks->capacity, blocks->count, sizeof(block)) <
	    0)
		return -ENOMEM;
	blocks->blocks = array;
	blocks->blocks[blocks->count++] = block;
	return 0;
}

/* Kernels that cannot take memory offline have no valid_zones. */
static int describe(const struct mig_context *context, struct mig_memory_blocks *blocks,
		    struct mig_memory_block *block)
{
	char zones[128];
	ssize_t length;
	int r = mig_memory_block_read_state(context, block->number, &block->state);

	if (r < 0)
		return r;
	length = read_words(context, block->number, "valid_zones", zones, sizeof(zones));
	if (length == -ENOENT)
		zones[0] = '\0';
	else if (length < 0)
		return (int)length;
	return keep_zones(blocks, zones, &block->zones);
}

/* Those that are unplugged meanwhile are none. */
static int describe_all(const struct mig_context *context,
			struct mig_memory_blocks *blocks)
{
	size_t kept = 0;

	for (size_t i = 0; i < blocks->count; i++) {
		int r = describe(context, blocks, &blocks->blocks[i]);

		if (r == -ENOENT || r == -ENODEV)
			continue;
		if (r < 0)
			return r;
		blocks->blocks[kept++] = blocks->blocks[i];
	}
	blocks->count = kept;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct mig_memory_block *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int add_node(void *data, uint64_t number)
{
	struct mig_memory_blocks *blocks = data;
	const struct mig_memory_block key = { .number = number };
	struct mig_memory_block *block = bsearch(&key, blocks->blocks, blocks->count,
						 sizeof(key), compare_numbers);

	if (block)
		mig_nodeset_add(&block->nodes, blocks->node);
	return 0;
}

/* A node without memory has no blocks and a vanished one no directory. */
static int read_nodes(const struct mig_topology *topology,
		      struct mig_memory_blocks *blocks)
{
	const struct mig_nodeset *online =
		mig_topology_get_nodes(topology, MIG_NODES_ONLINE);
	bool has_links = false;
	int node = MIG_NO_NODE;

	while ((node = mig_nodeset_next(online, node)) != MIG_NO_NODE) {
		char path[MIG_PATH_SIZE];
		int r;

		blocks->node = node;
		snprintf(path, sizeof(path), MIG_NODE_DIRECTORY "/node%d", node);
		r = mig_numbered_visit(mig_topology_get_context(topology), path, "memory",
				       "", add_node, blocks);
		if (r < 0 && r != -ENOENT)
			return r;
		has_links = has_links || !r;
	}
	if (has_links)
		return 0;
	/* Without NUMA no node links to a block, and all are the one node's. */
	blocks->node = mig_topology_get_only_node(topology);
	for (size_t i = 0; blocks->node != MIG_NO_NODE && i < blocks->count; i++)
		mig_nodeset_add(&blocks->blocks[i].nodes, blocks->node);
	return 0;
}

int mig_memory_blocks_read(const struct mig_topology *topology,
			   struct mig_memory_blocks **ret_blocks)
{
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *blocks = NULL;
	const struct mig_context *context;
	int r;

	if (!topology || !ret_blocks)
		return -EINVAL;
	context = mig_topology_get_context(topology);
	blocks = calloc(1, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	r = mig_memory_blocks_read_size(context, &blocks->block_pages);
	if (!r)
		r = mig_numbered_visit(context, MIG_MEMORY_DIRECTORY, "memory", "",
				       add_block, blocks);
	if (r < 0)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	r = describe_all(context, blocks);
	if (r < 0)
		return r;
	if (blocks->count)
		qsort(blocks->blocks, blocks->count, sizeof(*blocks->blocks),
		      compare_numbers);
	r = read_nodes(topology, blocks);
	if (r < 0)
		return r;
	*ret_blocks = STEAL(blocks);
	return 0;
}

void mig_memory_blocks_free(struct mig_memory_blocks *blocks)
{
	if (!blocks)
		return;
	for (size_t i = 0; i < blocks->nr_zones; i++)
		free(blocks->zones[i]);
	free(blocks->zones);
	free(blocks->blocks);
	free(blocks);
}

size_t mig_memory_blocks_get_count(const struct mig_memory_blocks *blocks)
{
	return blocks ? blocks->count : 0;
}

const struct mig_memory_block *
mig_memory_blocks_get(const struct mig_memory_blocks *blocks, size_t index)
{
	return blocks && index < blocks->count ? &blocks->blocks[index] : NULL;
}
