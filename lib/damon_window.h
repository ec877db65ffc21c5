/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What DAMON is told to do at once, written to its files. */
#ifndef MIG_DAMON_WINDOW_H
#define MIG_DAMON_WINDOW_H

#include "damon.h"
#include "guardian.h"

#define DAMON_KDAMONDS "sys/kernel/mm/damon/admin/kdamonds"
#define DAMON_CONTEXT DAMON_KDAMONDS "/0/contexts/0"
#define DAMON_SCHEMES DAMON_CONTEXT "/schemes"

struct mig_damon {
	const struct mig_context *context;
	struct mig_guardian *guardian;
	int lock_fd;
	bool has_kdamond;
	bool stat_was_on;
	/* By what there is, not by the version: before 6.15 all filters are in one
	 * directory, before 6.14 they have nothing to allow. */
	const char *range_filters;
	const char *page_filters;
	bool has_allow;
	bool tells_unmapped;
};

/** Physical addresses. */
struct mig_damon_range {
	uint64_t start;
	uint64_t end;
};

/** What a scheme has in the window that is being worked on. */
struct mig_damon_part {
	const struct mig_damon_scheme *scheme;
	struct mig_damon_range range;
	struct mig_damon_stats stats;
	uint64_t quiet_since; /**< tried_bytes when applied_bytes changed last */
};

/** Memory to look at, and what to do with it. */
struct mig_damon_window {
	struct mig_damon_range *regions; /**< ascending, disjoint */
	size_t nr_regions;
	struct mig_damon_part *parts; /**< the scheme of a number is that part's */
	size_t nr_parts;
};

/** mig_damon_window_write - Errors: errnos of open(2) and write(2). */
int mig_damon_window_write(const struct mig_damon *damon,
			   const struct mig_damon_window *window);

#endif
