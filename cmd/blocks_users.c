/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has the pages mapped that keep memory blocks online. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "message.h"

static bool may_be_mapped(const struct block *block)
{
	return block->has_frame && frame_content_may_be_mapped(block->content);
}

static int note_user(void *data, const struct mig_frame_user *user)
{
	struct blocks *blocks = data;
	struct block *block = NULL;

	for (size_t i = 0; i < blocks->nr && !block; i++)
		if (may_be_mapped(&blocks->entries[i]) &&
		    blocks->entries[i].frame == user->frame)
			block = &blocks->entries[i];
	return block ? frame_users_add(&block->users, user) : 0;
}

static int compare_frames(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* One walk of all page tables for all blocks; each has its own frames. */
void blocks_find_users(const struct machine *machine, struct blocks *blocks)
{
	CLEANUP_FREE uint64_t *frames = calloc(blocks->nr + 1, sizeof(*frames));
	size_t nr = 0;
	int r = frames ? 0 : -ENOMEM;

	for (size_t i = 0; i < blocks->nr && frames; i++)
		if (may_be_mapped(&blocks->entries[i]))
			frames[nr++] = blocks->entries[i].frame;
	if (!r && nr) {
		qsort(frames, nr, sizeof(*frames), compare_frames);
		r = mig_frames_visit_users(machine->context, frames, nr, note_user,
					   blocks);
	}
	if (r < 0)
		message_warning("cannot tell which processes have the pages mapped: %s",
				strerror(-r));
}
