/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_damon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KDAMONDS DAMON_ADMIN "/kdamonds"
#define CONTEXT KDAMONDS "/0/contexts/0"
#define REGIONS CONTEXT "/targets/0/regions"
#define SCHEMES CONTEXT "/schemes"
#define MOST_FILTERS 8
#define MOST_PARTS 64
#define PAGE_BYTES 4096

struct filter {
	char type[16];
	bool matching;
	bool allow;
	uint64_t start;
	uint64_t end;
	char cgroup[64];
};

struct filters {
	struct filter filters[MOST_FILTERS];
	size_t nr;
};

struct scheme {
	int to;
	struct filters one; /**< before there were two */
	struct filters core;
	struct filters ops;
	uint64_t tried;
	uint64_t applied;
};

struct region {
	uint64_t start;
	uint64_t end;
};

/* What was read when it was switched on. */
static struct {
	struct fake_damon *damon;
	struct region regions[MOST_PARTS];
	size_t nr_regions;
	struct scheme schemes[MOST_PARTS];
	size_t nr_schemes;
} kernel;

__attribute__((format(printf, 2, 3))) static void put(const char *text,
						      const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	fake_root_write(kernel.damon->root, path, text);
}

const char *fake_damon_read(const struct fake_damon *damon, const char *path)
{
	static char text[256];
	char full[PATH_MAX];
	FILE *stream;

	snprintf(full, sizeof(full), "%s/%s", damon->root->path, path);
	stream = fopen(full, "re");
	if (!stream)
		fail_msg("there is no '%s'", path);
	if (!fgets(text, sizeof(text), stream))
		*text = '\0';
	fclose(stream);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

__attribute__((format(printf, 1, 2))) static const char *get(const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return fake_damon_read(kernel.damon, path);
}

static bool is_split(void)
{
	return kernel.damon->kind >= FAKE_DAMON_7_2;
}

/* ---- The directories ---- */

static void make_filters(const char *directory, unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		put("anon\n", "%s/%lu/type", directory, i);
		put("N\n", "%s/%lu/matching", directory, i);
		put("\n", "%s/%lu/memcg_path", directory, i);
		put("0\n", "%s/%lu/addr_start", directory, i);
		put("0\n", "%s/%lu/addr_end", directory, i);
		if (is_split())
			put("N\n", "%s/%lu/allow", directory, i);
	}
}

static void make_schemes(unsigned long nr)
{
	for (unsigned long i = 0; i < nr; i++) {
		put("stat\n", SCHEMES "/%lu/action", i);
		if (kernel.damon->kind >= FAKE_DAMON_6_12)
			put("-1\n", SCHEMES "/%lu/target_nid", i);
		put("0\n", SCHEMES "/%lu/access_pattern/sz/max", i);
		put("0\n", SCHEMES "/%lu/access_pattern/nr_accesses/max", i);
		put("0\n", SCHEMES "/%lu/access_pattern/age/max", i);
		put("0\n", SCHEMES "/%lu/stats/sz_tried", i);
		put("0\n", SCHEMES "/%lu/stats/sz_applied", i);
		put("0\n", SCHEMES "/%lu/filters/nr_filters", i);
		if (is_split()) {
			put("0\n", SCHEMES "/%lu/core_filters/nr_filters", i);
			put("0\n", SCHEMES "/%lu/ops_filters/nr_filters", i);
		}
	}
}

static void make_context(void)
{
	put("vaddr\nfvaddr\npaddr\n", CONTEXT "/avail_operations");
	put("vaddr\n", CONTEXT "/operations");
	put("5000\n", CONTEXT "/monitoring_attrs/intervals/sample_us");
	put("100000\n", CONTEXT "/monitoring_attrs/intervals/aggr_us");
	put("10\n", CONTEXT "/monitoring_attrs/nr_regions/min");
	put("1000\n", CONTEXT "/monitoring_attrs/nr_regions/max");
	put("0\n", CONTEXT "/targets/nr_targets");
	put("0\n", SCHEMES "/nr_schemes");
}

/* All directories with a number, as the kernel does it. */
static void remove_numbered(const char *directory)
{
	for (unsigned int i = 0; i < MOST_PARTS; i++) {
		char full[PATH_MAX];

		snprintf(full, sizeof(full), "%s/%s/%u", kernel.damon->root->path,
			 directory, i);
		if (!access(full, F_OK))
			fake_root_remove(kernel.damon->root,
					 full + strlen(kernel.damon->root->path) + 1);
	}
}

static void make_numbered(const char *directory, const char *name, unsigned long nr)
{
	remove_numbered(directory);
	if (!strcmp(name, "nr_kdamonds") && nr) {
		put("off\n", KDAMONDS "/0/state");
		put("0\n", KDAMONDS "/0/contexts/nr_contexts");
	} else if (!strcmp(name, "nr_contexts") && nr) {
		make_context();
	} else if (!strcmp(name, "nr_targets") && nr) {
		put("0\n", REGIONS "/nr_regions");
	} else if (!strcmp(name, "nr_regions")) {
		for (unsigned long i = 0; i < nr; i++) {
			put("0\n", REGIONS "/%lu/start", i);
			put("0\n", REGIONS "/%lu/end", i);
		}
	} else if (!strcmp(name, "nr_schemes")) {
		make_schemes(nr);
	} else if (!strcmp(name, "nr_filters")) {
		make_filters(directory, nr);
	}
}

/* ---- Switched on ---- */

static void read_filters(size_t scheme, const char *name, struct filters *filters)
{
	filters->nr = strtoul(get(SCHEMES "/%zu/%s/nr_filters", scheme, name), NULL, 10);
	assert_true(filters->nr <= MOST_FILTERS);
	for (size_t i = 0; i < filters->nr; i++) {
		struct filter *filter = &filters->filters[i];

#define GET(file) get(SCHEMES "/%zu/%s/%zu/" file, scheme, name, i)
		snprintf(filter->type, sizeof(filter->type), "%s", GET("type"));
		filter->matching = *GET("matching") == 'Y';
		filter->allow = is_split() && *GET("allow") == 'Y';
		filter->start = strtoull(GET("addr_start"), NULL, 10);
		filter->end = strtoull(GET("addr_end"), NULL, 10);
		snprintf(filter->cgroup, sizeof(filter->cgroup), "%s", GET("memcg_path"));
#undef GET
	}
}

static void read_scheme(size_t i, struct scheme *scheme)
{
	*scheme = (struct scheme){ 0 };
	assert_string_equal(get(SCHEMES "/%zu/action", i), "migrate_cold");
	scheme->to = atoi(get(SCHEMES "/%zu/target_nid", i));
	assert_string_equal(get(SCHEMES "/%zu/access_pattern/age/max", i), "4294967295");
	assert_string_equal(get(SCHEMES "/%zu/access_pattern/nr_accesses/max", i),
			    "4294967295");
	read_filters(i, "filters", &scheme->one);
	if (is_split()) {
		read_filters(i, "core_filters", &scheme->core);
		read_filters(i, "ops_filters", &scheme->ops);
	}
	for (size_t region = 0; region < kernel.nr_regions; region++)
		assert_true(strtoull(get(SCHEMES "/%zu/access_pattern/sz/max", i), NULL,
				     10) >=
			    kernel.regions[region].end - kernel.regions[region].start);
}

static bool names_missing(const struct filters *filters)
{
	for (size_t i = 0; i < filters->nr; i++)
		if (!strcmp(filters->filters[i].type, "memcg") &&
		    kernel.damon->no_cgroup &&
		    !strcmp(filters->filters[i].cgroup, kernel.damon->no_cgroup))
			return true;
	return false;
}

static int switch_on(void)
{
	struct fake_damon *damon = kernel.damon;
	uint64_t bytes = 0, last = 0;

	assert_false(damon->is_on);
	if (!strcmp(get(DAMON_STAT), "Y"))
		return -EBUSY;
	assert_string_equal(get(CONTEXT "/operations"), "paddr");
	kernel.nr_regions = strtoul(get(REGIONS "/nr_regions"), NULL, 10);
	kernel.nr_schemes = strtoul(get(SCHEMES "/nr_schemes"), NULL, 10);
	for (size_t i = 0; i < kernel.nr_regions; i++) {
		struct region *region = &kernel.regions[i];

		region->start = strtoull(get(REGIONS "/%zu/start", i), NULL, 10);
		region->end = strtoull(get(REGIONS "/%zu/end", i), NULL, 10);
		if (region->start >= region->end || region->start < last)
			return -EINVAL;
		last = region->end;
		bytes += region->end - region->start;
	}
	for (size_t i = 0; i < kernel.nr_schemes; i++) {
		read_scheme(i, &kernel.schemes[i]);
		if (names_missing(&kernel.schemes[i].one))
			return -ENOMEM;
		if (names_missing(&kernel.schemes[i].ops))
			return -EINVAL;
	}
	if (bytes > damon->most_bytes)
		damon->most_bytes = bytes;
	damon->nr_starts++;
	damon->is_on = true;
	return 0;
}

/* ---- Rounds ---- */

static bool contains(const struct filter *filter, uint64_t address)
{
	return address >= filter->start && address < filter->end;
}

static bool page_matches(const struct filter *filter, const struct fake_damon_page *page)
{
	if (!strcmp(filter->type, "memcg"))
		return !strcmp(filter->cgroup, page->cgroup);
	if (!strcmp(filter->type, "anon"))
		return page->is_anonymous;
	if (!strcmp(filter->type, "unmapped"))
		return !page->is_mapped;
	/* It has no address here. */
	assert_string_equal(filter->type, "addr");
	return false;
}

/* By ranges, before any page is looked at. */
static bool core_rejects(const struct scheme *scheme, uint64_t address)
{
	const struct filters *filters = is_split() ? &scheme->core : &scheme->one;

	assert_true(!is_split() || !scheme->one.nr);
	for (size_t i = 0; i < filters->nr; i++) {
		const struct filter *filter = &filters->filters[i];

		assert_true(!is_split() || !strcmp(filter->type, "addr"));
		if (!strcmp(filter->type, "addr") &&
		    contains(filter, address) == filter->matching)
			return !filter->allow;
	}
	return false;
}

static bool page_is_rejected(const struct scheme *scheme,
			     const struct fake_damon_page *page)
{
	const struct filters *filters = is_split() ? &scheme->ops : &scheme->one;

	for (size_t i = 0; i < filters->nr; i++)
		if (page_matches(&filters->filters[i], page) ==
		    filters->filters[i].matching)
			return !filters->filters[i].allow;
	return filters->nr && filters->filters[filters->nr - 1].allow;
}

/* The next address at which the core's answer may change. */
static uint64_t next_edge(const struct scheme *scheme, uint64_t address, uint64_t end)
{
	const struct filters *filters = is_split() ? &scheme->core : &scheme->one;

	for (size_t i = 0; i < filters->nr; i++) {
		const struct filter *filter = &filters->filters[i];

		if (strcmp(filter->type, "addr") != 0)
			continue;
		if (filter->start > address && filter->start < end)
			end = filter->start;
		if (filter->end > address && filter->end < end)
			end = filter->end;
	}
	return end;
}

static void apply_to_pages(struct scheme *scheme, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < kernel.damon->nr_pages; i++) {
		struct fake_damon_page *page = &kernel.damon->pages[i];

		if (page->address < start || page->address >= end ||
		    page->node == scheme->to || page_is_rejected(scheme, page))
			continue;
		if (page->refusals) {
			page->refusals--;
			continue;
		}
		page->node = scheme->to;
		/* It is somewhere else now. */
		page->address = UINT64_MAX;
		scheme->applied += PAGE_BYTES;
	}
}

static void apply(struct scheme *scheme, const struct region *region)
{
	for (uint64_t address = region->start, next; address < region->end;
	     address = next) {
		next = next_edge(scheme, address, region->end);
		if (core_rejects(scheme, address))
			continue;
		scheme->tried += next - address;
		apply_to_pages(scheme, address, next);
	}
}

static int update(void)
{
	struct fake_damon *damon = kernel.damon;

	if (!damon->is_on)
		return -EINVAL;
	if (damon->before_round)
		damon->before_round(damon);
	damon->nr_rounds++;
	for (size_t i = 0; i < kernel.nr_schemes; i++) {
		struct scheme *scheme = &kernel.schemes[i];
		char text[32];

		for (size_t region = 0; region < kernel.nr_regions; region++)
			apply(scheme, &kernel.regions[region]);
		snprintf(text, sizeof(text), "%" PRIu64 "\n", scheme->tried);
		put(text, SCHEMES "/%zu/stats/sz_tried", i);
		snprintf(text, sizeof(text), "%" PRIu64 "\n", scheme->applied);
		put(text, SCHEMES "/%zu/stats/sz_applied", i);
	}
	return 0;
}

static int command(const char *text)
{
	if (!strcmp(text, "on"))
		return switch_on();
	if (!strcmp(text, "update_schemes_stats"))
		return update();
	assert_string_equal(text, "off");
	if (!kernel.damon->is_on)
		return -EINVAL;
	kernel.damon->is_on = false;
	return 0;
}

/* ---- System calls ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

static int type_is_known(const char *path, const char *type)
{
	bool is_page_filter = !strcmp(type, "memcg") || !strcmp(type, "anon");

	if (!strcmp(type, "unmapped"))
		is_page_filter = is_split();
	if (strstr(path, "core_filters"))
		return !strcmp(type, "addr");
	return is_page_filter || (!strcmp(type, "addr") && !strstr(path, "ops_filters"));
}

static int store(const char *path, char *directory, const char *name, const char *text)
{
	struct fake_damon *damon = kernel.damon;

	if (damon->failing && damon->failures && ends_with(path, damon->failing)) {
		damon->failures--;
		return -damon->error;
	}
	if (!strcmp(name, "state"))
		return command(text);
	if (!strcmp(name, "type") && !type_is_known(path, text))
		return -EINVAL;
	if (!strcmp(name, "action") && damon->kind < FAKE_DAMON_6_12)
		return -EINVAL;
	if (!strncmp(name, "nr_", 3))
		make_numbered(directory, name, strtoul(text, NULL, 10));
	return 0;
}

static ssize_t fake_write(int fd, const void *buffer, size_t length)
{
	char link[64], full[PATH_MAX], path[PATH_MAX], text[PATH_MAX];
	ssize_t n;
	char *slash;
	int r;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, full, sizeof(full) - 1);
	if (n < 0 || length >= sizeof(text))
		fail_msg("what is written is not to be found");
	full[n] = '\0';
	memcpy(text, buffer, length);
	text[length] = '\0';
	snprintf(path, sizeof(path), "%s", full + strlen(kernel.damon->root->path) + 1);
	slash = strrchr(full, '/');
	*slash = '\0';
	r = store(path, full + strlen(kernel.damon->root->path) + 1, slash + 1, text);
	if (r < 0)
		return r;
	return write(fd, text, length) == (ssize_t)length ? (ssize_t)length : -EIO;
}

static long fake_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	(void)pid;
	(void)pages;
	(void)status;
	(void)flags;
	assert_int_equal(count, 0);
	assert_non_null(nodes);
	kernel.damon->nr_gathers++;
	return 0;
}

const struct mig_calls *fake_damon_calls(void)
{
	static const struct mig_calls calls = {
		.write = fake_write,
		.move_pages = fake_move_pages,
	};

	return &calls;
}

struct fake_damon *fake_damon_new(struct fake_root *root, enum fake_damon_kind kind)
{
	struct fake_damon *damon = calloc(1, sizeof(*damon));

	assert_non_null(damon);
	damon->root = root;
	damon->kind = kind;
	kernel.damon = damon;
	put("0\n", KDAMONDS "/nr_kdamonds");
	put("N\n", "sys/module/damon_reclaim/parameters/enabled");
	put("N\n", "sys/module/damon_lru_sort/parameters/enabled");
	put(kind >= FAKE_DAMON_7_2 ? "Y\n" : "N\n", DAMON_STAT);
	return damon;
}

void fake_damon_free(struct fake_damon *damon)
{
	kernel.damon = NULL;
	free(damon);
}

void damon_scene_begin(void **state, enum fake_damon_kind kind)
{
	struct damon_scene *scene = *state;

	fake_damon_free(scene->damon);
	mig_context_free(scene->context);
	fake_root_free(scene->root);
	scene->root = fake_root_new();
	scene->damon = fake_damon_new(scene->root, kind);
	scene->context = fake_root_context(scene->root, fake_damon_calls());
}

struct mig_damon *damon_scene_open(void **state)
{
	const struct damon_scene *scene = *state;
	struct mig_damon *damon = NULL;

	assert_int_equal(mig_damon_open(scene->context, &damon), 0);
	return damon;
}

void damon_scene_add_page(void **state, uint64_t address, const char *cgroup)
{
	struct fake_damon *damon = ((struct damon_scene *)*state)->damon;

	assert_true(damon->nr_pages < FAKE_DAMON_MOST_PAGES);
	damon->pages[damon->nr_pages++] = (struct fake_damon_page){
		.address = address,
		.cgroup = cgroup,
	};
}

int damon_scene_run(struct mig_damon *damon, const struct mig_damon_scheme *schemes,
		    size_t nr_schemes, struct mig_damon_stats *stats)
{
	return mig_damon_run(damon, schemes, nr_schemes, DAMON_SCENE_TIME_NS, NULL, NULL,
			     stats);
}

int damon_scene_set_up(void **state)
{
	*state = calloc(1, sizeof(struct damon_scene));
	assert_non_null(*state);
	damon_scene_begin(state, FAKE_DAMON_7_2);
	return 0;
}

int damon_scene_tear_down(void **state)
{
	struct damon_scene *scene = *state;

	fake_damon_free(scene->damon);
	mig_context_free(scene->context);
	fake_root_free(scene->root);
	free(scene);
	return 0;
}
