/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of four nodes whose frames are written by the test, with the cgroups "/a" and
 * "/a/b", a DAMON that is made up, and a target that has the cache of "/a". One at a time.
 */
#ifndef CACHE_SCENE_H
#define CACHE_SCENE_H

#include "fake_damon.h"
#include "fake_machine.h"
#include "frames.h"
#include "pagemap.h"
#include "plan.h"
#include "target.h"

/* A block of 256 MiB for each node. */
#define BLOCK_FRAMES UINT64_C(65536)
#define NR_NODES 4
#define NR_FRAMES (NR_NODES * BLOCK_FRAMES)
#define SOMEBODY 1

#define CACHE MIG_FLAG_LRU
#define SHMEM (MIG_FLAG_LRU | MIG_FLAG_SWAPBACKED)
#define ENTRY (MIG_PAGEMAP_PRESENT | MIG_PAGEMAP_FILE | MIG_PAGEMAP_EXCLUSIVE)

struct cache_scene {
	struct fake_machine *machine;
	struct fake_damon *damon;
	struct mig_frames *frames;
	struct mig_cgroup *cgroup;
	struct mig_target *target;
	struct mig_placement *placement;
	struct mig_plan *plan;
	struct mig_outcome *outcome;
	uint64_t inode;       /**< of "/a" */
	uint64_t child_inode; /**< of "/a/b" */
	uint64_t flags[NR_FRAMES];
	uint64_t inodes[NR_FRAMES];
};

/** For cmocka: *@state is a scene. */
int cache_scene_set_up(void **state);
int cache_scene_tear_down(void **state);

/** cache_scene_place - bits of nodes; @from 0: all others */
void cache_scene_place(struct cache_scene *scene, uint64_t from, uint64_t to,
		       enum mig_place way);

/** cache_scene_put - what frames are, and whose */
void cache_scene_put(struct cache_scene *scene, uint64_t frame, uint64_t nr,
		     uint64_t flags, uint64_t inode);

#endif
