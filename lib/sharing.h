/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a page that is mapped more than once may be moved. Pages that only the
 * target maps are its own, however often it maps them: where frame numbers are
 * known, the target's own mappings of each frame are counted and compared with
 * the kernel's count.
 */
#ifndef MIG_SHARING_H
#define MIG_SHARING_H

#include "frametable.h"
#include "page_scan.h"

struct mig_sharing {
	enum mig_shared mode; /**< never MIG_SHARED_DEFAULT */
	bool may_move_shared; /**< the caller has CAP_SYS_NICE */
	bool counts_own;      /**< own is in use */
	struct mig_frametable own;
	/** Frames that were seen to be mapped outside too: many processes map the same
	 *  libraries, and the kernel is asked once. */
	struct mig_frametable foreign;
};

/** mig_sharing_init - @nr_frames 0: frame numbers are not known. Errors: -ENOMEM. */
int mig_sharing_init(struct mig_sharing *sharing, enum mig_shared mode,
		     bool may_move_shared, uint64_t nr_frames);

/** mig_sharing_done - a zeroed one is allowed. */
void mig_sharing_done(struct mig_sharing *sharing);

/**
 * mig_sharing_depends_on_owner - whether a mapping's shared pages move only if they
 * are the target's own, so that it must be surveyed
 */
bool mig_sharing_depends_on_owner(const struct mig_sharing *sharing, enum mig_kind kind);

/**
 * mig_sharing_begin_survey - more of the target's processes are going to be surveyed
 *
 * What was mapped outside may be mapped by those. Errors: -ENOMEM.
 */
int mig_sharing_begin_survey(struct mig_sharing *sharing);

/** mig_sharing_survey - count units of the target as mapped once more by it. */
void mig_sharing_survey(struct mig_sharing *sharing, const struct mig_units *units);

/** mig_sharing_allows - whether units of a mapping of @kind may be moved. */
bool mig_sharing_allows(const struct mig_sharing *sharing,
			const struct mig_pagemap *pagemap, enum mig_kind kind,
			const struct mig_units *units);

#endif
