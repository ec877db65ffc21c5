/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "damon_window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "cleanup.h"
#include "lru.h"
#include "node.h"
#include "procfs.h"
#include "sysfs.h"

#define NR_KDAMONDS DAMON_KDAMONDS "/nr_kdamonds"
#define STATE DAMON_KDAMONDS "/0/state"
#define STAT_ENABLED "sys/module/damon_stat/parameters/enabled"

/*
 * The kernel looks at all regions at each aggregation and can only be stopped between
 * two of them, so the memory that it is given at once is bounded: this much full of
 * pages that have to be moved takes it a few seconds.
 */
#define WINDOW_BYTES (UINT64_C(4) << 30)
/* There is no access pattern to find out, only the schemes to apply, and soon. */
#define SAMPLE_US "5000"
#define AGGREGATION_US "20000"
#define FIRST_PAUSE_NS 20000000L
#define MOST_PAUSE_NS 100000000L
/* More regions than the least that the kernel takes only cost it samples. */
#define MOST_REGIONS "20"

struct setting {
	const char *path;
	const char *value;
};

static int write_settings(const struct mig_context *context,
			  const struct setting *settings, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int r = mig_sysfs_write(context, settings[i].value, "%s",
					settings[i].path);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What is missing is what this kernel's DAMON does not have. */
static int or_unsupported(int r)
{
	return r == -ENOENT || r == -EINVAL ? -EOPNOTSUPP : r;
}

/*
 * Settings of others are theirs also while they do not run: making a kdamond takes away
 * all that there are.
 */
static int check_unused(const struct mig_damon *damon)
{
	static const char *const modules[] = {
		"sys/module/damon_reclaim/parameters/enabled",
		"sys/module/damon_lru_sort/parameters/enabled",
	};
	const struct mig_context *context = damon->context;
	uint64_t nr;
	int r = mig_sysfs_read_number(context, &nr, NR_KDAMONDS);

	if (r < 0)
		return or_unsupported(r);
	if (nr) {
		mig_log(context, MIG_LOG_INFO, "/" NR_KDAMONDS " is not 0");
		return -EBUSY;
	}
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++)
		if (mig_sysfs_is_yes(context, modules[i])) {
			mig_log(context, MIG_LOG_INFO, "/%s is Y", modules[i]);
			return -EBUSY;
		}
	return 0;
}

/* Among callers of this library; others do not know of it. */
static int lock(struct mig_damon *damon)
{
	damon->lock_fd = openat(damon->context->root_fd, DAMON_KDAMONDS,
				O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (damon->lock_fd < 0)
		return or_unsupported(-errno);
	if (flock(damon->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int watch(struct mig_damon *damon)
{
	const int root_fd = damon->context->root_fd;
	const struct mig_guardian_write writes[] = {
		{ root_fd, STATE, "off" },
		{ root_fd, NR_KDAMONDS, "0" },
		{ root_fd, STAT_ENABLED, "Y" },
	};

	return mig_guardian_new(writes, damon->stat_was_on ? 3 : 2, &damon->guardian);
}

static int check_has_physical(const struct mig_context *context)
{
	char operations[256];
	ssize_t length = mig_procfs_read(context, operations, sizeof(operations),
					 DAMON_CONTEXT "/avail_operations");

	if (length < 0)
		return (int)length;
	return strstr(operations, "paddr") ? 0 : -EOPNOTSUPP;
}

static int make_kdamond(struct mig_damon *damon)
{
	static const struct setting makings[] = {
		{ NR_KDAMONDS, "1" },
		{ DAMON_KDAMONDS "/0/contexts/nr_contexts", "1" },
	};
	static const struct setting settings[] = {
		{ DAMON_CONTEXT "/operations", "paddr" },
		{ DAMON_CONTEXT "/monitoring_attrs/intervals/sample_us", SAMPLE_US },
		{ DAMON_CONTEXT "/monitoring_attrs/intervals/aggr_us", AGGREGATION_US },
		{ DAMON_CONTEXT "/monitoring_attrs/nr_regions/max", MOST_REGIONS },
		{ DAMON_CONTEXT "/targets/nr_targets", "1" },
		{ DAMON_SCHEMES "/nr_schemes", "1" },
		{ DAMON_SCHEMES "/0/action", "migrate_cold" },
		{ DAMON_SCHEMES "/0/target_nid", "0" },
	};
	int r;

	damon->has_kdamond = true;
	r = write_settings(damon->context, makings, sizeof(makings) / sizeof(*makings));
	if (!r)
		r = check_has_physical(damon->context);
	if (!r)
		r = write_settings(damon->context, settings,
				   sizeof(settings) / sizeof(*settings));
	return or_unsupported(r);
}

/* By a filter that is not kept. */
static int find_filters(struct mig_damon *damon)
{
	const struct mig_context *context = damon->context;
	bool is_split = mig_sysfs_exists(context, DAMON_SCHEMES "/0/ops_filters");
	char path[MIG_PATH_SIZE];
	int r;

	damon->range_filters = is_split ? "core_filters" : "filters";
	damon->page_filters = is_split ? "ops_filters" : "filters";
	r = mig_sysfs_write(context, "1", DAMON_SCHEMES "/0/%s/nr_filters",
			    damon->page_filters);
	if (r < 0)
		return or_unsupported(r);
	snprintf(path, sizeof(path), DAMON_SCHEMES "/0/%s/0/allow", damon->page_filters);
	damon->has_allow = mig_sysfs_exists(context, path);
	r = mig_sysfs_write(context, "unmapped", DAMON_SCHEMES "/0/%s/0/type",
			    damon->page_filters);
	damon->tells_unmapped = !r;
	return r == -EINVAL ? 0 : or_unsupported(r);
}

static int take(struct mig_damon *damon)
{
	int r = lock(damon);

	if (!r)
		r = check_unused(damon);
	if (r < 0)
		return r;
	damon->stat_was_on = mig_sysfs_is_yes(damon->context, STAT_ENABLED);
	r = watch(damon);
	if (r < 0)
		return r;
	if (damon->stat_was_on)
		r = mig_sysfs_write(damon->context, "N", STAT_ENABLED);
	if (!r)
		r = make_kdamond(damon);
	if (!r)
		r = find_filters(damon);
	return r == -EPERM ? -EACCES : r;
}

int mig_damon_open(const struct mig_context *context, struct mig_damon **ret_damon)
{
	struct mig_damon *damon;
	int r;

	if (!context->live)
		return -EOPNOTSUPP;
	damon = calloc(1, sizeof(*damon));
	if (!damon)
		return -ENOMEM;
	damon->context = context;
	damon->lock_fd = -1;
	r = take(damon);
	if (r < 0) {
		mig_damon_close(damon);
		return r;
	}
	*ret_damon = damon;
	return 0;
}

void mig_damon_close(struct mig_damon *damon)
{
	const struct mig_context *context;

	if (!damon)
		return;
	context = damon->context;
	/* It is on only if a run could not end it. */
	if (damon->has_kdamond)
		mig_sysfs_write(context, "off", STATE);
	if (damon->has_kdamond && mig_sysfs_write(context, "0", NR_KDAMONDS) < 0)
		mig_log(context, MIG_LOG_WARNING,
			"cannot take our kdamond away: write 0 to /" NR_KDAMONDS);
	if (damon->stat_was_on && mig_sysfs_write(context, "Y", STAT_ENABLED) < 0)
		mig_log(context, MIG_LOG_WARNING,
			"cannot switch damon_stat on again: write Y to /" STAT_ENABLED);
	mig_guardian_free(damon->guardian);
	if (damon->lock_fd >= 0)
		close(damon->lock_fd);
	free(damon);
}

struct run {
	const struct mig_damon *damon;
	const struct mig_damon_scheme *schemes;
	size_t nr_schemes;
	struct mig_damon_range
		*ranges; /**< all that the schemes cover; ascending, disjoint */
	size_t nr_ranges;
	struct mig_damon_window window;
	uint64_t deadline_ns;
	bool (*is_stopped)(void *data);
	void *data;
	struct mig_damon_stats stats; /**< of the windows that are done */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int compare_starts(const void *a, const void *b)
{
	const struct mig_damon_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static void unite_ranges(struct run *run)
{
	size_t nr = 0;

	for (size_t i = 0; i < run->nr_schemes; i++)
		run->ranges[i] = (struct mig_damon_range){ run->schemes[i].start,
							   run->schemes[i].end };
	qsort(run->ranges, run->nr_schemes, sizeof(*run->ranges), compare_starts);
	for (size_t i = 0; i < run->nr_schemes; i++) {
		struct mig_damon_range *last = nr ? &run->ranges[nr - 1] : NULL;

		if (last && run->ranges[i].start <= last->end)
			last->end = max(last->end, run->ranges[i].end);
		else
			run->ranges[nr++] = run->ranges[i];
	}
	run->nr_ranges = nr;
}

/* The next window begins at or behind @from. Return: where it ends; 0: there is none. */
static uint64_t set_window(struct run *run, uint64_t from)
{
	uint64_t left = WINDOW_BYTES, end = 0;

	run->window.nr_regions = run->window.nr_parts = 0;
	for (size_t i = 0; i < run->nr_ranges && left; i++) {
		uint64_t start = max(run->ranges[i].start, from);

		if (start >= run->ranges[i].end)
			continue;
		end = start + min(run->ranges[i].end - start, left);
		left -= end - start;
		run->window.regions[run->window.nr_regions++] =
			(struct mig_damon_range){ start, end };
	}
	for (size_t i = 0; i < run->nr_schemes; i++) {
		const struct mig_damon_scheme *scheme = &run->schemes[i];
		struct mig_damon_range range = { max(scheme->start, from),
						 min(scheme->end, end) };

		if (range.start < range.end)
			run->window.parts[run->window.nr_parts++] =
				(struct mig_damon_part){ .scheme = scheme,
							 .range = range };
	}
	return end;
}

static int read_part(const struct mig_context *context, size_t i,
		     struct mig_damon_part *part)
{
	struct mig_damon_stats stats;
	int r = mig_sysfs_read_number(context, &stats.tried_bytes,
				      DAMON_SCHEMES "/%zu/stats/sz_tried", i);

	if (!r)
		r = mig_sysfs_read_number(context, &stats.applied_bytes,
					  DAMON_SCHEMES "/%zu/stats/sz_applied", i);
	if (r < 0)
		return r;
	if (stats.applied_bytes != part->stats.applied_bytes)
		part->quiet_since = stats.tried_bytes;
	part->stats = stats;
	return 0;
}

/*
 * A round tries all of the part's memory once. More than that cannot have been moved
 * away: see check_room().
 */
static bool is_done(const struct mig_damon_part *part)
{
	uint64_t bytes = part->range.end - part->range.start;

	return part->stats.tried_bytes - part->quiet_since >= 2 * bytes ||
	       part->stats.applied_bytes > bytes;
}

/*
 * Some kernels (7.2) take a page from anywhere when the target is full, the node that it
 * came from too, call that applied, and do it again in each round.
 */
static int check_room(const struct run *run)
{
	int known = MIG_NO_NODE;

	for (size_t i = 0; i < run->window.nr_parts; i++) {
		const struct mig_damon_part *part = &run->window.parts[i];
		struct mig_node_memory memory;

		if (part->scheme->to == known || is_done(part))
			continue;
		known = part->scheme->to;
		if (!mig_node_read_memory(run->damon->context, known, true, &memory) &&
		    !memory.room_bytes)
			return -ENOSPC;
	}
	return 0;
}

/* Return: 1 when all are done. */
static int look(struct run *run)
{
	const struct mig_context *context = run->damon->context;
	bool all_done = true;
	int r;

	/* What could not be moved waits in a processor's list to be put back. */
	mig_lru_gather(context);
	r = mig_sysfs_write(context, "update_schemes_stats", STATE);
	/* It has ended by itself. */
	if (r == -EINVAL)
		return -EIO;
	for (size_t i = 0; !r && i < run->window.nr_parts; i++) {
		r = read_part(context, i, &run->window.parts[i]);
		all_done = all_done && is_done(&run->window.parts[i]);
	}
	if (r || all_done)
		return r ? r : 1;
	return check_room(run);
}

static int wait_until_done(struct run *run)
{
	struct timespec pause = { .tv_nsec = FIRST_PAUSE_NS };

	for (;;) {
		int r;

		nanosleep(&pause, NULL);
		r = look(run);
		if (r)
			return r < 0 ? r : 0;
		if (run->is_stopped && run->is_stopped(run->data))
			return -ECANCELED;
		if (now_ns() >= run->deadline_ns)
			return -ETIMEDOUT;
		pause.tv_nsec = (long)min((uint64_t)pause.tv_nsec * 2, MOST_PAUSE_NS);
	}
}

static int run_window(struct run *run)
{
	const struct mig_context *context = run->damon->context;
	int r;

	if (run->is_stopped && run->is_stopped(run->data))
		return -ECANCELED;
	if (now_ns() >= run->deadline_ns)
		return -ETIMEDOUT;
	r = check_room(run);
	if (!r)
		r = mig_damon_window_write(run->damon, &run->window);
	if (r < 0)
		return r;
	mig_lru_gather(context);
	r = mig_sysfs_write(context, "on", STATE);
	/* So says 6.12 where a cgroup is not there. */
	if (r == -ENOMEM)
		r = -EINVAL;
	if (r < 0)
		return r;
	r = wait_until_done(run);
	mig_sysfs_write(context, "off", STATE);
	for (size_t i = 0; i < run->window.nr_parts; i++) {
		run->stats.tried_bytes += run->window.parts[i].stats.tried_bytes;
		run->stats.applied_bytes += run->window.parts[i].stats.applied_bytes;
	}
	return r;
}

static bool are_valid(const struct mig_damon_scheme *schemes, size_t nr_schemes)
{
	for (size_t i = 0; i < nr_schemes; i++)
		if (schemes[i].start >= schemes[i].end || schemes[i].to < 0)
			return false;
	return true;
}

int mig_damon_run(struct mig_damon *damon, const struct mig_damon_scheme *schemes,
		  size_t nr_schemes, uint64_t timeout_ns, bool (*is_stopped)(void *data),
		  void *data, struct mig_damon_stats *ret_stats)
{
	CLEANUP_FREE struct mig_damon_range *ranges = NULL;
	CLEANUP_FREE struct mig_damon_part *parts = NULL;
	struct run run = {
		.damon = damon,
		.schemes = schemes,
		.nr_schemes = nr_schemes,
		.is_stopped = is_stopped,
		.data = data,
	};
	uint64_t end = 0;
	int r = 0;

	if (!timeout_ns || !are_valid(schemes, nr_schemes))
		return -EINVAL;
	run.ranges = ranges = calloc(2 * nr_schemes + 1, sizeof(*ranges));
	run.window.parts = parts = calloc(nr_schemes + 1, sizeof(*parts));
	if (!ranges || !parts)
		return -ENOMEM;
	run.window.regions = ranges + nr_schemes;
	if (__builtin_add_overflow(now_ns(), timeout_ns, &run.deadline_ns))
		run.deadline_ns = UINT64_MAX;
	unite_ranges(&run);
	while (!r && (end = set_window(&run, end)))
		r = run_window(&run);
	if (!r || r == -ETIMEDOUT || r == -ECANCELED || r == -ENOSPC)
		*ret_stats = run.stats;
	return r;
}
