/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buddyinfo.h"
#include "handles.h"
#include "procfs.h"
#include "sysfs.h"

struct mig_zones {
	size_t page_size;
	uint64_t huge_page_bytes;
	struct mig_zone *zones;
	size_t nr;
	size_t capacity;
};

/* As the kernel does it for extfrag/unusable_index (mm/vmstat.c,
 * unusable_free_index, Linux 6.1 to 7.2), which only root is shown. */
static void find_unusable(struct mig_zone *zone)
{
	uint64_t all = 0, suitable = 0;

	for (unsigned int order = 0; order < zone->nr_orders; order++)
		all += zone->nr_free[order] << order;
	for (unsigned int order = zone->nr_orders; order-- > 0;) {
		suitable += zone->nr_free[order] << order;
		zone->unusable_thousandths[order] =
			all ? (unsigned int)((all - suitable) * 1000 / all) : 1000;
	}
}

static int add_zone(struct mig_zones *zones, const struct mig_buddyinfo_line *line)
{
	struct mig_zone zone = { .node = line->node, .nr_orders = line->nr_orders };
	void *array = zones->zones;
	int r;

	if (line->zone.length >= sizeof(zone.name))
		return -EBADMSG;
	r = mig_array_reserve(&array, &zones->capacity, zones->nr, sizeof(zone));
	zones->zones = array;
	if (r < 0)
		return r;
	memcpy(zone.name, line->zone.at, line->zone.length);
	memcpy(zone.nr_free, line->nr_free, sizeof(zone.nr_free));
	find_unusable(&zone);
	zones->zones[zones->nr++] = zone;
	return 0;
}

static int read_zones(struct mig_context *context, struct mig_zones *zones)
{
	CLEANUP_FREE char *text = NULL;
	ssize_t length = mig_procfs_read_alloc(context, &text, "proc/buddyinfo");
	struct mig_text rest = { .at = text };
	int r = 0;

	if (length < 0)
		return (int)length;
	rest.length = (size_t)length;
	while (!r && rest.length) {
		struct mig_buddyinfo_line line;

		r = mig_buddyinfo_parse(mig_text_take_line(&rest), &line);
		if (!r)
			r = add_zone(zones, &line);
	}
	if (r == -EBADMSG)
		mig_log(context, MIG_LOG_WARNING, "/proc/buddyinfo does not parse");
	return r;
}

int mig_zones_read(struct mig_context *context, struct mig_zones **ret_zones)
{
	CLEANUP_MIG(zones) struct mig_zones *zones = NULL;
	int r;

	if (!context || !ret_zones)
		return -EINVAL;
	zones = calloc(1, sizeof(*zones));
	if (!zones)
		return -ENOMEM;
	zones->page_size = context->page_size;
	/* A kernel without transparent ones still maps others so: a table's worth. */
	if (mig_sysfs_read_number(context, &zones->huge_page_bytes,
				  "sys/kernel/mm/transparent_hugepage/hpage_pmd_size"))
		zones->huge_page_bytes =
			context->page_size / sizeof(uint64_t) * context->page_size;
	r = read_zones(context, zones);
	if (r < 0)
		return r;
	*ret_zones = STEAL(zones);
	return 0;
}

void mig_zones_free(struct mig_zones *zones)
{
	if (!zones)
		return;
	free(zones->zones);
	free(zones);
}

const struct mig_zone *mig_zones_get(const struct mig_zones *zones, size_t index)
{
	return zones && index < zones->nr ? &zones->zones[index] : NULL;
}

uint64_t mig_zones_sum_free(const struct mig_zones *zones, int node, uint64_t block_bytes)
{
	uint64_t pages = 0;

	for (size_t i = 0; zones && i < zones->nr; i++) {
		const struct mig_zone *zone = &zones->zones[i];

		for (unsigned int order = 0; order < zone->nr_orders; order++)
			if (zone->node == node &&
			    (uint64_t)zones->page_size << order >= block_bytes)
				pages += zone->nr_free[order] << order;
	}
	return zones ? pages * zones->page_size : 0;
}

uint64_t mig_zones_get_huge_page_bytes(const struct mig_zones *zones)
{
	return zones ? zones->huge_page_bytes : 0;
}
