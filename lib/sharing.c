/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sharing.h"

int mig_sharing_init(struct mig_sharing *sharing, enum mig_shared mode,
		     bool may_move_shared, uint64_t nr_frames)
{
	*sharing =
		(struct mig_sharing){ .mode = mode, .may_move_shared = may_move_shared };
	if (mode == MIG_SHARED_DEFAULT)
		sharing->mode = may_move_shared ? MIG_SHARED_ANON : MIG_SHARED_NONE;
	if (!nr_frames || !may_move_shared || sharing->mode == MIG_SHARED_ALL)
		return 0;
	sharing->counts_own = true;
	return mig_frametable_init(&sharing->own, nr_frames);
}

int mig_sharing_begin_survey(struct mig_sharing *sharing)
{
	mig_frametable_done(&sharing->foreign);
	return sharing->counts_own
		       ? mig_frametable_init(&sharing->foreign, sharing->own.nr_frames)
		       : 0;
}

void mig_sharing_done(struct mig_sharing *sharing)
{
	mig_frametable_done(&sharing->own);
	mig_frametable_done(&sharing->foreign);
}

bool mig_sharing_depends_on_owner(const struct mig_sharing *sharing, enum mig_kind kind)
{
	if (!sharing->counts_own)
		return false;
	return sharing->mode == MIG_SHARED_NONE || kind == MIG_KIND_FILE;
}

void mig_sharing_survey(struct mig_sharing *sharing, const struct mig_units *units)
{
	if (units->flags & MIG_UNIT_SHARED)
		mig_frametable_count(&sharing->own, units->frame);
}

static bool is_own(const struct mig_sharing *sharing, const struct mig_pagemap *pagemap,
		   const struct mig_units *units)
{
	uint64_t mappers;

	if (!sharing->counts_own || !units->frame ||
	    mig_frametable_get(&sharing->foreign, units->frame) ||
	    mig_pagemap_read_mappers(pagemap, units->frame, &mappers) < 0)
		return false;
	if (mappers <= mig_frametable_get(&sharing->own, units->frame))
		return true;
	mig_frametable_count(&sharing->foreign, units->frame);
	return false;
}

bool mig_sharing_allows(const struct mig_sharing *sharing,
			const struct mig_pagemap *pagemap, enum mig_kind kind,
			const struct mig_units *units)
{
	if (!(units->flags & MIG_UNIT_SHARED))
		return true;
	if (!sharing->may_move_shared)
		return false;
	if (sharing->mode == MIG_SHARED_ALL)
		return true;
	/* A private copy in a file's mapping is anonymous memory. */
	if (sharing->mode == MIG_SHARED_ANON &&
	    (kind != MIG_KIND_FILE || !(units->flags & MIG_UNIT_FILE)))
		return true;
	return is_own(sharing, pagemap, units);
}
