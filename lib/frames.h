/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Physical page frames to nodes, by the memory blocks that each node links to
 * (nodeN/memory[0-9]*). A block that two nodes link to has no single answer.
 */
#ifndef MIG_FRAMES_H
#define MIG_FRAMES_H

#include "context.h"

struct mig_frames;

/**
 * mig_frames_new - read which blocks belong to which node
 * Errors: -ENOENT: the kernel has no memory blocks; -EBADMSG; -ENOMEM.
 */
int mig_frames_new(const struct mig_topology *topology, struct mig_frames **ret_frames);

/** mig_frames_free - @frames may be NULL. */
void mig_frames_free(struct mig_frames *frames);

/** mig_frames_get_node - MIG_NO_NODE: unknown, or a block shared by nodes. */
int mig_frames_get_node(const struct mig_frames *frames, uint64_t frame);

/** Consecutive frames of one node. */
struct mig_frames_run {
	uint64_t start;
	uint64_t end;
	int node;
};

/**
 * mig_frames_next_run - the first run that ends behind @frame
 *
 * With 0 and then each time the end of the last one, all of them in ascending order;
 * frames that have no single node are in none.
 * Return: whether there is one.
 */
bool mig_frames_next_run(const struct mig_frames *frames, uint64_t frame,
			 struct mig_frames_run *ret_run);

/** mig_frames_get_end - one behind the highest known frame. */
uint64_t mig_frames_get_end(const struct mig_frames *frames);

#endif
