/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DAMON's files in a made-up root, and what the kernel does when they are written: it
 * makes directories, and applies schemes to pages that the test has laid out. Each
 * "update_schemes_stats" is a round. One at a time.
 */
#ifndef FAKE_DAMON_H
#define FAKE_DAMON_H

#include "damon.h"
#include "fake_root.h"

#define DAMON_ADMIN "sys/kernel/mm/damon/admin"
#define DAMON_STAT "sys/module/damon_stat/parameters/enabled"
#define FAKE_DAMON_MOST_PAGES 256

enum fake_damon_kind {
	FAKE_DAMON_6_10, /**< it cannot migrate */
	FAKE_DAMON_6_12, /**< one list of filters, all of which see pages too */
	FAKE_DAMON_7_2,  /**< core_filters and ops_filters, "allow", "unmapped" */
};

struct fake_damon_page {
	uint64_t address;
	int node;
	const char *cgroup;
	bool is_mapped;
	bool is_anonymous;
	unsigned int refusals; /**< so often it does not go */
};

struct fake_damon {
	struct fake_root *root;
	enum fake_damon_kind kind;
	struct fake_damon_page pages[FAKE_DAMON_MOST_PAGES];
	size_t nr_pages;
	unsigned int nr_starts;
	unsigned int nr_rounds;
	bool is_on;
	uint64_t most_bytes;     /**< that it was given at once */
	const char *no_cgroup;   /**< is not there, NULL: all are */
	const char *failing;     /**< the end of a path whose writes fail, NULL: none */
	int error;               /**< of them, positive */
	unsigned int failures;   /**< that many, then no more */
	unsigned int nr_gathers; /**< calls of move_pages(2) without pages */
	/** Called before each round, may be NULL. */
	void (*before_round)(struct fake_damon *damon);
	void *data;
};

/** fake_damon_new - an idle one. Freed with fake_damon_free(), before the root. */
struct fake_damon *fake_damon_new(struct fake_root *root, enum fake_damon_kind kind);
void fake_damon_free(struct fake_damon *damon);

/** fake_damon_calls - system calls that have it work. */
const struct mig_calls *fake_damon_calls(void);

/** fake_damon_read - the value in a file below the root, without its newline. */
const char *fake_damon_read(const struct fake_damon *damon, const char *path);

/** One of them with its root and its context, as the state of a test. */
struct damon_scene {
	struct fake_root *root;
	struct mig_context *context;
	struct fake_damon *damon;
};

/** damon_scene_set_up - cmocka's set-up: *@state is a scene with the newest kind. */
int damon_scene_set_up(void **state);

/** damon_scene_tear_down - cmocka's tear-down. */
int damon_scene_tear_down(void **state);

/** damon_scene_begin - all anew, with another kind. */
void damon_scene_begin(void **state, enum fake_damon_kind kind);

/** damon_scene_open - take DAMON, which must be free. Closed by mig_damon_close(). */
struct mig_damon *damon_scene_open(void **state);

/** damon_scene_add_page - an unmapped page on node 0; NULL: charged to nobody */
void damon_scene_add_page(void **state, uint64_t address, const char *cgroup);

/** Time for all that can be done. */
#define DAMON_SCENE_TIME_NS UINT64_C(60000000000)

/** damon_scene_run - as mig_damon_run(), with that time. */
int damon_scene_run(struct mig_damon *damon, const struct mig_damon_scheme *schemes,
		    size_t nr_schemes, struct mig_damon_stats *stats);

#endif
