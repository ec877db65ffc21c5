/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window_states.h"

/* Frames that are read at once. */
#define AT_ONCE 512

/* Before Linux 6.2 tails do not have their folio's flags: @head_flags are those of the
 * last head. */
static void count_flags(const uint64_t *flags, size_t nr, uint64_t *head_flags,
			struct mig_window_states *states)
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t all = flags[i];

		if (all & MIG_FLAG_TAIL)
			all |= *head_flags;
		else
			*head_flags = all;
		states->dirty_pages += (all & MIG_FLAG_DIRTY) != 0;
		states->writeback_pages += (all & MIG_FLAG_WRITEBACK) != 0;
		states->large_pages += (all & (MIG_FLAG_HEAD | MIG_FLAG_TAIL)) != 0;
	}
}

static size_t count_consecutive(const uint64_t *entries, size_t nr)
{
	uint64_t frame = entries[0] & MIG_PAGEMAP_FRAME;
	size_t i = 1;

	while (i < nr && i < AT_ONCE && entries[i] & MIG_PAGEMAP_PRESENT &&
	       (entries[i] & MIG_PAGEMAP_FRAME) == frame + i)
		i++;
	return i;
}

static void count_entries(const struct mig_pagemap *pagemap, const uint64_t *entries,
			  size_t nr, struct mig_window_states *states)
{
	uint64_t flags[AT_ONCE], head_flags = 0;

	for (size_t at = 0, run; at < nr; at += run) {
		run = 1;
		if (!(entries[at] & MIG_PAGEMAP_PRESENT))
			continue;
		run = count_consecutive(entries + at, nr - at);
		if (!mig_pagemap_read_flags(pagemap, entries[at] & MIG_PAGEMAP_FRAME,
					    flags, run))
			count_flags(flags, run, &head_flags, states);
	}
}

void mig_window_count_states(const struct mig_window *window,
			     const struct mig_pagemap *pagemap,
			     const struct mig_window_scratch *scratch,
			     struct mig_window_states *states)
{
	size_t page_size = window->file->context->page_size;

	for (size_t at = 0; at < window->length; at += MIG_FILE_PART) {
		size_t rest = window->length - at;
		size_t nr = (rest < MIG_FILE_PART ? rest : MIG_FILE_PART) / page_size;
		ssize_t got = mig_pagemap_read(pagemap, (uintptr_t)window->start + at,
					       scratch->entries, nr);

		if (got > 0)
			count_entries(pagemap, scratch->entries, (size_t)got, states);
	}
}

/* Those of the folio, as above; a head is at most one huge page before its tails. */
static int read_flags(const struct mig_pagemap *pagemap, uint64_t frame,
		      uint64_t *ret_flags)
{
	uint64_t flags[AT_ONCE];
	size_t nr = frame < AT_ONCE ? frame + 1 : AT_ONCE;
	int r = mig_pagemap_read_flags(pagemap, frame, flags, 1);

	if (!r && flags[0] & MIG_FLAG_TAIL) {
		r = mig_pagemap_read_flags(pagemap, frame + 1 - nr, flags, nr);
		while (!r && nr > 1 && flags[nr - 1] & MIG_FLAG_TAIL)
			nr--;
		flags[0] = flags[nr - 1];
	}
	if (!r)
		*ret_flags = flags[0];
	return r;
}

enum mig_is_dirty mig_window_is_dirty(const struct mig_window *window,
				      const struct mig_pagemap *pagemap, uint64_t address)
{
	uint64_t offset = address - (uintptr_t)window->start + window->offset;
	struct mig_cache_counts counts;
	uint64_t entry, flags;

	if (mig_pagemap_read(pagemap, address, &entry, 1) == 1 &&
	    entry & MIG_PAGEMAP_PRESENT && entry & MIG_PAGEMAP_FRAME &&
	    !read_flags(pagemap, entry & MIG_PAGEMAP_FRAME, &flags))
		return flags & MIG_FLAG_DIRTY ? MIG_IS_DIRTY : MIG_IS_CLEAN;
	if (mig_file_count(window->file, offset,
			   offset + window->file->context->page_size, &counts) < 0)
		return MIG_MAY_BE_DIRTY;
	return counts.dirty_pages ? MIG_IS_DIRTY : MIG_IS_CLEAN;
}
