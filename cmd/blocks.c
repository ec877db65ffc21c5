/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking the memory blocks of nodes offline, and bringing them back. */
#include "blocks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "message.h"
#include "stop_signal.h"

void blocks_done(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->nr; i++)
		frame_users_done(&blocks->entries[i].users);
	free(blocks->entries);
	*blocks = (struct blocks){ 0 };
}

size_t blocks_count(const struct blocks *blocks, enum block_result result)
{
	size_t count = 0;

	for (size_t i = 0; i < blocks->nr; i++)
		count += blocks->entries[i].result == result;
	return count;
}

int blocks_get_status(const struct blocks *blocks)
{
	size_t nr_good = blocks_count(blocks, BLOCK_DONE) +
			 blocks_count(blocks, BLOCK_ALREADY) +
			 blocks_count(blocks, BLOCK_WOULD_TRY);

	if (nr_good == blocks->nr)
		return STATUS_OK;
	return nr_good ? STATUS_PARTLY : STATUS_FAILED;
}

/* ---- what there is ---- */

static void set_state(struct block *block, const struct mig_memory_block *now)
{
	block->state = now->state;
	snprintf(block->zones, sizeof(block->zones), "%s", now->zones);
}

static bool has_common(const struct mig_nodeset *a, const struct mig_nodeset *b)
{
	struct mig_nodeset common = *a;

	mig_nodeset_and(&common, b);
	return mig_nodeset_count(&common) != 0;
}

static int read_snapshot(const struct machine *machine,
			 struct mig_memory_blocks **ret_snapshot)
{
	int r = mig_memory_blocks_read(machine->topology, ret_snapshot);

	if (r == -EOPNOTSUPP) {
		message_error("the kernel has no memory blocks");
		message_hint("they come with CONFIG_MEMORY_HOTPLUG");
		return STATUS_UNSUPPORTED;
	}
	if (r < 0)
		return message_failure(SUBJECT_MACHINE, r, "cannot read memory blocks");
	return STATUS_OK;
}

static int collect(const struct machine *machine, const struct mig_nodeset *nodes,
		   struct blocks *blocks)
{
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *snapshot = NULL;
	const struct mig_memory_block *found;
	int status = read_snapshot(machine, &snapshot);

	if (status)
		return status;
	blocks->wanted = *nodes;
	blocks->page_size = mig_context_get_page_size(machine->context);
	blocks->entries = calloc(mig_memory_blocks_get_count(snapshot) + 1,
				 sizeof(*blocks->entries));
	if (!blocks->entries)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM,
				       "cannot read memory blocks");
	for (size_t i = 0; (found = mig_memory_blocks_get(snapshot, i)); i++) {
		struct block *block = &blocks->entries[blocks->nr];

		if (!has_common(&found->nodes, nodes))
			continue;
		*block = (struct block){
			.number = found->number,
			.first_frame = found->first_frame,
			.nr_pages = found->nr_pages,
			.nodes = found->nodes,
			.result = BLOCK_NOT_TRIED,
		};
		set_state(block, found);
		blocks->nr++;
	}
	return STATUS_OK;
}

static struct block *find_block(struct blocks *blocks, uint64_t number)
{
	for (size_t i = 0; i < blocks->nr; i++)
		if (blocks->entries[i].number == number)
			return &blocks->entries[i];
	return NULL;
}

/* What the kernel says of them in the end. */
static void collect_states(const struct machine *machine, struct blocks *blocks)
{
	CLEANUP_MIG(memory_blocks) struct mig_memory_blocks *snapshot = NULL;
	const struct mig_memory_block *found;

	if (mig_memory_blocks_read(machine->topology, &snapshot) < 0)
		return;
	for (size_t i = 0; (found = mig_memory_blocks_get(snapshot, i)); i++) {
		struct block *block = find_block(blocks, found->number);

		if (block)
			set_state(block, found);
	}
}

static bool is_kernels(enum mig_content content)
{
	return content == MIG_CONTENT_SLAB || content == MIG_CONTENT_PAGE_TABLE ||
	       content == MIG_CONTENT_RESERVED || content == MIG_CONTENT_KERNEL;
}

static void read_contents(const struct machine *machine, struct block *block)
{
	uint64_t pages[MIG_NR_CONTENTS];

	if (block->state != MIG_BLOCK_ONLINE ||
	    mig_contents_read(machine->context, block->first_frame, block->nr_pages,
			      pages) < 0)
		return;
	block->has_contents = true;
	for (int i = 0; i < MIG_NR_CONTENTS; i++) {
		if (i != MIG_CONTENT_FREE && i != MIG_CONTENT_ABSENT)
			block->used_pages += pages[i];
		if (is_kernels((enum mig_content)i))
			block->unmovable_pages += pages[i];
	}
}

/* ---- taking offline ---- */

static int compare_emptiness(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->used_pages != y->used_pages)
		return x->used_pages < y->used_pages ? -1 : 1;
	return (x->number < y->number) - (x->number > y->number);
}

static void skip(struct block *block, enum block_reason reason)
{
	block->result = BLOCK_SKIPPED;
	block->reason = reason;
}

static void keep_obstacle(struct block *block, const struct mig_block_attempt *attempt)
{
	if (attempt->obstacle == MIG_OBSTACLE_UNKNOWN)
		return;
	block->reason = attempt->obstacle == MIG_OBSTACLE_UNMOVABLE ? BLOCK_UNMOVABLE
								    : BLOCK_HELD;
	block->has_frame = true;
	block->frame = attempt->frame;
	memcpy(block->page, attempt->page, sizeof(block->page));
}

static uint64_t count_movable(const struct machine *machine, uint64_t first_frame,
			      uint64_t nr_pages)
{
	uint64_t pages[MIG_NR_CONTENTS], movable = 0;

	if (mig_contents_read(machine->context, first_frame, nr_pages, pages) < 0)
		return 0;
	for (int i = 0; i < MIG_NR_CONTENTS; i++)
		if (mig_content_is_movable((enum mig_content)i))
			movable += pages[i];
	return movable;
}

/* The log is not told of every page. What is left when the time is up did not go. */
static void find_leftover(const struct machine *machine, struct block *block)
{
	uint64_t frame = block->first_frame, nr = block->nr_pages;

	if (!count_movable(machine, frame, nr))
		return;
	while (nr > 1) {
		uint64_t half = nr / 2;

		if (count_movable(machine, frame, half)) {
			nr = half;
		} else {
			frame += half;
			nr -= half;
		}
	}
	block->reason = BLOCK_HELD;
	block->has_frame = true;
	block->frame = frame;
	block->page[0] = '\0';
}

/* What the page in the way holds; FREE: nothing, or it is not known. */
static void look(const struct machine *machine, struct block *block)
{
	int node;

	block->content = MIG_CONTENT_FREE;
	if (block->has_frame)
		mig_frame_look(machine->topology, block->frame, &block->content, &node);
}

static void judge_error(const struct blocks *blocks, struct block *block,
			const struct mig_block_attempt *attempt)
{
	block->error = attempt->error;
	block->result = BLOCK_REFUSED;
	if (attempt->error == -EINPROGRESS)
		block->reason = BLOCK_STUCK;
	else if (attempt->error == -EINVAL && !blocks->is_online)
		block->reason = BLOCK_HOLES;
	else
		block->reason = BLOCK_ERROR;
	if (attempt->timed_out) {
		block->result = BLOCK_TIMED_OUT;
	} else if (attempt->error == -EINTR && stop_signal_get()) {
		block->result = BLOCK_STOPPED;
		block->reason = BLOCK_NO_REASON;
	}
}

static void judge(const struct machine *machine, const struct blocks *blocks,
		  struct block *block, const struct mig_block_attempt *attempt)
{
	block->elapsed_ns = attempt->elapsed_ns;
	if (!attempt->error) {
		block->result = attempt->was_done ? BLOCK_ALREADY : BLOCK_DONE;
		return;
	}
	judge_error(blocks, block, attempt);
	/* What was in the way when a signal came may have gone a moment later. */
	if (block->result == BLOCK_STOPPED || block->reason == BLOCK_STUCK)
		return;
	keep_obstacle(block, attempt);
	look(machine, block);
	/* A page that stayed once may have gone the next time. */
	if (block->result == BLOCK_TIMED_OUT && block->content == MIG_CONTENT_FREE) {
		find_leftover(machine, block);
		look(machine, block);
	}
}

static bool is_stopped(void *data)
{
	(void)data;
	return stop_signal_get() != 0;
}

/* Return: STATUS_OK, or the status of what would keep all others too. */
static int fail(struct block *block, int error)
{
	block->result = BLOCK_REFUSED;
	block->reason = BLOCK_ERROR;
	block->error = error;
	/* Unplugged meanwhile. */
	return error == -ENODEV ? STATUS_OK : STATUS_FAILED;
}

static int try_offline(const struct machine *machine, const struct blocks *blocks,
		       struct block *block, const struct blocks_options *options)
{
	struct mig_block_attempt attempt;
	int r = mig_memory_block_offline(machine->context, block->number,
					 options->timeout_ns, is_stopped, NULL, &attempt);

	if (r < 0)
		return fail(block, r);
	judge(machine, blocks, block, &attempt);
	return STATUS_OK;
}

/* Return: whether it is worth a try. */
static bool sort_out(const struct blocks *blocks, struct block *block)
{
	struct mig_nodeset ours = block->nodes;

	mig_nodeset_and(&ours, &blocks->wanted);
	if (block->state == MIG_BLOCK_OFFLINE)
		block->result = BLOCK_ALREADY;
	else if (mig_nodeset_count(&ours) < mig_nodeset_count(&block->nodes))
		skip(block, BLOCK_SHARED);
	else if (!strcmp(block->zones, "none"))
		skip(block, BLOCK_HOLES);
	else if (blocks->is_dry)
		block->result = BLOCK_WOULD_TRY;
	else
		return true;
	return false;
}

/* A page of the kernel's is in the way of a block, but in zone Movable. */
static void foresee(struct block *block)
{
	if (block->result == BLOCK_WOULD_TRY && block->unmovable_pages &&
	    strcmp(block->zones, "Movable") != 0)
		block->reason = BLOCK_UNMOVABLE;
}

int blocks_offline(const struct machine *machine, const struct mig_nodeset *nodes,
		   const struct blocks_options *options, struct blocks *ret_blocks)
{
	struct blocks *blocks = ret_blocks;
	int status = collect(machine, nodes, blocks);
	bool is_stuck = false;

	blocks->is_dry = options->dry_run;
	if (status)
		return status;
	for (size_t i = 0; i < blocks->nr; i++)
		read_contents(machine, &blocks->entries[i]);
	qsort(blocks->entries, blocks->nr, sizeof(*blocks->entries), compare_emptiness);
	for (size_t i = 0; i < blocks->nr && !status; i++) {
		struct block *block = &blocks->entries[i];

		blocks->is_stopped = stop_signal_get() != 0;
		if (sort_out(blocks, block) && !blocks->is_stopped && !is_stuck)
			status = try_offline(machine, blocks, block, options);
		foresee(block);
		is_stuck = is_stuck || block->reason == BLOCK_STUCK;
	}
	if (blocks->is_dry)
		return status;
	blocks->is_stopped = stop_signal_get() != 0;
	collect_states(machine, blocks);
	blocks_find_users(machine, blocks);
	return status;
}

/* ---- bringing back ---- */

static int try_online(const struct machine *machine, const struct blocks *blocks,
		      struct block *block, const struct blocks_options *options)
{
	struct mig_block_attempt attempt;
	int r = mig_memory_block_online(machine->context, block->number, options->zone,
					&attempt);

	if (r < 0)
		return fail(block, r);
	judge(machine, blocks, block, &attempt);
	return STATUS_OK;
}

static void judge_zone(struct block *block, enum mig_block_zone zone)
{
	bool is_movable = !strcmp(block->zones, "Movable");

	if (block->result == BLOCK_ALREADY &&
	    ((zone == MIG_ZONE_MOVABLE && !is_movable) ||
	     (zone == MIG_ZONE_KERNEL && is_movable)))
		block->reason = BLOCK_ZONE;
}

int blocks_online(const struct machine *machine, const struct mig_nodeset *nodes,
		  const struct blocks_options *options, struct blocks *ret_blocks)
{
	struct blocks *blocks = ret_blocks;
	int status = collect(machine, nodes, blocks);

	blocks->is_online = true;
	blocks->is_dry = options->dry_run;
	for (size_t i = 0; i < blocks->nr && !status; i++) {
		struct block *block = &blocks->entries[i];

		blocks->is_stopped = stop_signal_get() != 0;
		if (block->state == MIG_BLOCK_ONLINE)
			block->result = BLOCK_ALREADY;
		else if (blocks->is_dry)
			block->result = BLOCK_WOULD_TRY;
		else if (!blocks->is_stopped)
			status = try_online(machine, blocks, block, options);
	}
	if (!blocks->is_dry)
		collect_states(machine, blocks);
	for (size_t i = 0; i < blocks->nr; i++)
		judge_zone(&blocks->entries[i], options->zone);
	return status;
}
