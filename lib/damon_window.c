/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "damon_window.h"

#include <string.h>

#include "sysfs.h"

#define REGIONS DAMON_CONTEXT "/targets/0/regions"

/** The filters of one part, one after the other. */
struct filters {
	const struct mig_damon *damon;
	size_t part;
	const char *directory;
	unsigned int nr; /**< written already */
};

/*
 * Each filter rejects, and what none rejects is taken. Kernels with and without "allow"
 * mean the same by this.
 */
static int add_filter(struct filters *filters, const char *type, const char *matching)
{
	const struct mig_damon *damon = filters->damon;
	const struct setting {
		const char *name;
		const char *value;
	} settings[] = {
		{ "type", type },
		{ "matching", matching },
		{ "allow", "N" },
	};
	int r = 0;

	for (size_t i = 0; !r && i < (damon->has_allow ? 3 : 2); i++)
		r = mig_sysfs_write(damon->context, settings[i].value,
				    DAMON_SCHEMES "/%zu/%s/%u/%s", filters->part,
				    filters->directory, filters->nr, settings[i].name);
	filters->nr++;
	return r;
}

/*
 * Not one filter that rejects what is not in the part's range: 6.12 would ask it again
 * for each page, of which it knows no address, and reject them all.
 */
static int add_range_filter(struct filters *filters, uint64_t start, uint64_t end)
{
	const struct mig_context *context = filters->damon->context;
	unsigned int filter = filters->nr;
	int r;

	if (start >= end)
		return 0;
	r = add_filter(filters, "addr", "Y");
	if (!r)
		r = mig_sysfs_write_number(context, start,
					   DAMON_SCHEMES "/%zu/%s/%u/addr_start",
					   filters->part, filters->directory, filter);
	if (!r)
		r = mig_sysfs_write_number(context, end,
					   DAMON_SCHEMES "/%zu/%s/%u/addr_end",
					   filters->part, filters->directory, filter);
	return r;
}

static int add_page_filters(struct filters *filters,
			    const struct mig_damon_scheme *scheme)
{
	const struct mig_damon *damon = filters->damon;
	unsigned int filter = filters->nr;
	int r = 0;

	if (scheme->cgroup) {
		r = add_filter(filters, "memcg", "N");
		if (!r)
			r = mig_sysfs_write(damon->context, scheme->cgroup,
					    DAMON_SCHEMES "/%zu/%s/%u/memcg_path",
					    filters->part, filters->directory, filter);
	}
	if (r || !scheme->only_unmapped)
		return r;
	return damon->tells_unmapped ? add_filter(filters, "unmapped", "N")
				     : add_filter(filters, "anon", "Y");
}

static int write_filters(const struct mig_damon *damon, size_t i,
			 const struct mig_damon_window *window)
{
	const struct mig_damon_part *part = &window->parts[i];
	uint64_t start = window->regions[0].start,
		 end = window->regions[window->nr_regions - 1].end;
	unsigned int nr_range =
		(part->range.start > start ? 1U : 0) + (part->range.end < end ? 1U : 0);
	unsigned int nr_page =
		(part->scheme->cgroup ? 1U : 0) + (part->scheme->only_unmapped ? 1U : 0);
	bool is_split = strcmp(damon->range_filters, damon->page_filters) != 0;
	struct filters filters = { damon, i, damon->range_filters, 0 };
	int r;

	r = mig_sysfs_write_number(
		damon->context, is_split ? nr_range : nr_range + nr_page,
		DAMON_SCHEMES "/%zu/%s/nr_filters", i, damon->range_filters);
	if (!r && is_split)
		r = mig_sysfs_write_number(damon->context, nr_page,
					   DAMON_SCHEMES "/%zu/%s/nr_filters", i,
					   damon->page_filters);
	if (!r)
		r = add_range_filter(&filters, start, part->range.start);
	if (!r)
		r = add_range_filter(&filters, part->range.end, end);
	if (is_split)
		filters = (struct filters){ damon, i, damon->page_filters, 0 };
	return r ? r : add_page_filters(&filters, part->scheme);
}

/*
 * Of any size, which is judged before the filters cut a region, and whatever it has been
 * accessed like. Quotas and watermarks are off by default.
 */
static int write_scheme(const struct mig_damon *damon, size_t i,
			const struct mig_damon_window *window)
{
	const struct mig_context *context = damon->context;
	const struct mig_damon_scheme *scheme = window->parts[i].scheme;
	int r;

	r = mig_sysfs_write(context, "migrate_cold", DAMON_SCHEMES "/%zu/action", i);
	if (!r)
		r = mig_sysfs_write_number(context, (uint64_t)scheme->to,
					   DAMON_SCHEMES "/%zu/target_nid", i);
	if (!r)
		r = mig_sysfs_write_number(context,
					   window->regions[window->nr_regions - 1].end,
					   DAMON_SCHEMES "/%zu/access_pattern/sz/max", i);
	if (!r)
		r = mig_sysfs_write_number(
			context, UINT32_MAX,
			DAMON_SCHEMES "/%zu/access_pattern/nr_accesses/max", i);
	if (!r)
		r = mig_sysfs_write_number(context, UINT32_MAX,
					   DAMON_SCHEMES "/%zu/access_pattern/age/max",
					   i);
	return r ? r : write_filters(damon, i, window);
}

int mig_damon_window_write(const struct mig_damon *damon,
			   const struct mig_damon_window *window)
{
	const struct mig_context *context = damon->context;
	int r = mig_sysfs_write_number(context, window->nr_regions,
				       REGIONS "/nr_regions");

	for (size_t i = 0; !r && i < window->nr_regions; i++) {
		r = mig_sysfs_write_number(context, window->regions[i].start,
					   REGIONS "/%zu/start", i);
		if (!r)
			r = mig_sysfs_write_number(context, window->regions[i].end,
						   REGIONS "/%zu/end", i);
	}
	if (!r)
		r = mig_sysfs_write_number(context, window->nr_parts,
					   DAMON_SCHEMES "/nr_schemes");
	for (size_t i = 0; !r && i < window->nr_parts; i++)
		r = write_scheme(damon, i, window);
	return r;
}
