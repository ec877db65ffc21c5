/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages schemes reach, by what is written to DAMON's files. */
#include "damon.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

#include "fake_damon.h"

#define GIB (UINT64_C(1) << 30)

static void a_group_is_moved_and_its_neighbour_is_not(void **state)
{
	static const enum fake_damon_kind kinds[] = { FAKE_DAMON_6_12, FAKE_DAMON_7_2 };
	static const struct mig_damon_scheme scheme = {
		.end = GIB,
		.to = 1,
		.cgroup = "/a",
	};

	for (size_t i = 0; i < 2; i++) {
		struct mig_damon_stats stats;
		struct mig_damon *damon;
		const struct fake_damon *fake;

		damon_scene_begin(state, kinds[i]);
		damon_scene_add_page(state, 4096, "/a");
		damon_scene_add_page(state, 8192, "/a/b");
		damon_scene_add_page(state, GIB - 4096, "/a");
		damon_scene_add_page(state, GIB, "/a");
		damon = damon_scene_open(state);
		assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), 0);
		mig_damon_close(damon);
		fake = ((struct damon_scene *)*state)->damon;
		assert_int_equal(fake->pages[0].node, 1);
		assert_int_equal(fake->pages[1].node, 0);
		assert_int_equal(fake->pages[2].node, 1);
		assert_int_equal(fake->pages[3].node, 0);
		assert_int_equal(stats.applied_bytes, 8192);
		/* One round, and two in which nothing came of it. */
		assert_int_equal(stats.tried_bytes, 3 * GIB);
		assert_false(fake->is_on);
		assert_true(fake->nr_gathers >= fake->nr_rounds);
	}
}

static void mapped_pages_stay_where_the_kernel_can_tell(void **state)
{
	static const enum fake_damon_kind kinds[] = { FAKE_DAMON_6_12, FAKE_DAMON_7_2 };
	static const struct mig_damon_scheme scheme = {
		.end = GIB,
		.to = 1,
		.only_unmapped = true,
	};

	for (size_t i = 0; i < 2; i++) {
		struct mig_damon_stats stats;
		struct mig_damon *damon;
		struct fake_damon *fake;

		damon_scene_begin(state, kinds[i]);
		fake = ((struct damon_scene *)*state)->damon;
		damon_scene_add_page(state, 4096, "/a");
		damon_scene_add_page(state, 8192, "/a");
		fake->pages[1].is_mapped = true;
		damon_scene_add_page(state, 12288, "/a");
		fake->pages[2].is_mapped = fake->pages[2].is_anonymous = true;
		damon = damon_scene_open(state);
		assert_int_equal(damon_scene_run(damon, &scheme, 1, &stats), 0);
		mig_damon_close(damon);
		assert_int_equal(fake->pages[0].node, 1);
		assert_int_equal(fake->pages[1].node, kinds[i] == FAKE_DAMON_6_12);
		assert_int_equal(fake->pages[2].node, 0);
	}
}

static void much_memory_is_gone_through_a_part_at_a_time(void **state)
{
	static const struct mig_damon_scheme schemes[] = {
		{ .start = 6 * GIB, .end = 13 * GIB, .to = 2 },
		{ .end = 5 * GIB, .to = 1 },
	};
	struct fake_damon *fake = ((struct damon_scene *)*state)->damon;
	struct mig_damon *damon = damon_scene_open(state);
	struct mig_damon_stats stats;

	for (uint64_t i = 0; i < 14; i++)
		damon_scene_add_page(state, i * GIB, "/a");
	assert_int_equal(damon_scene_run(damon, schemes, 2, &stats), 0);
	mig_damon_close(damon);
	assert_int_equal(fake->nr_starts, 3);
	assert_int_equal(fake->most_bytes, 4 * GIB);
	for (size_t i = 0; i < 14; i++)
		assert_int_equal(fake->pages[i].node, i < 5    ? 1
						      : i == 5 ? 0
						      : i < 13 ? 2
							       : 0);
	assert_int_equal(stats.applied_bytes, 12 * 4096);
}

static uint64_t draw(uint64_t *seed, uint64_t limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % limit;
}

static int expect_node(const struct fake_damon_page *page, bool tells_unmapped,
		       const struct mig_damon_scheme *schemes, size_t nr_schemes)
{
	for (size_t i = 0; i < nr_schemes; i++) {
		const struct mig_damon_scheme *scheme = &schemes[i];
		bool is_refused = tells_unmapped ? page->is_mapped : page->is_anonymous;

		if (page->address < scheme->start || page->address >= scheme->end ||
		    page->node == scheme->to)
			continue;
		if (scheme->cgroup && strcmp(scheme->cgroup, page->cgroup) != 0)
			continue;
		if (!scheme->only_unmapped || !is_refused)
			return scheme->to;
	}
	return page->node;
}

/* Overlapping ranges of all sizes, on one to nine gigabytes. */
static void tell_random_story(void **state, uint64_t seed)
{
	static const char *const groups[] = { "/a", "/a/b", "/c", "/" };
	const uint64_t end = (1 + draw(&seed, 9)) * GIB;
	struct mig_damon_scheme schemes[7];
	size_t nr_schemes = 1 + draw(&seed, 7);
	int expected[100];
	struct mig_damon_stats stats;
	struct mig_damon *damon;
	struct fake_damon *fake;
	bool tells_unmapped = draw(&seed, 2);

	damon_scene_begin(state, tells_unmapped ? FAKE_DAMON_7_2 : FAKE_DAMON_6_12);
	fake = ((struct damon_scene *)*state)->damon;
	for (size_t i = 0; i < nr_schemes; i++) {
		uint64_t start = draw(&seed, end / 4096);

		schemes[i] = (struct mig_damon_scheme){
			.start = start * 4096,
			.end = (start + 1 + draw(&seed, end / 4096 - start)) * 4096,
			.to = (int)draw(&seed, 4),
			.cgroup = draw(&seed, 3) ? groups[draw(&seed, 4)] : NULL,
			.only_unmapped = draw(&seed, 2),
		};
	}
	for (size_t i = 0; i < 100; i++) {
		struct fake_damon_page *page = &fake->pages[i];

		damon_scene_add_page(state, draw(&seed, end / 4096) * 4096,
				     groups[draw(&seed, 4)]);
		page->node = (int)draw(&seed, 4);
		page->is_mapped = draw(&seed, 2);
		page->is_anonymous = draw(&seed, 2);
		expected[i] = expect_node(page, tells_unmapped, schemes, nr_schemes);
	}
	damon = damon_scene_open(state);
	assert_int_equal(damon_scene_run(damon, schemes, nr_schemes, &stats), 0);
	mig_damon_close(damon);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(fake->pages[i].node, expected[i]);
}

static void pages_go_where_the_first_scheme_that_fits_says(void **state)
{
	for (uint64_t seed = 0; seed < 12; seed++)
		tell_random_story(state, seed * 977 + 13);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, damon_scene_set_up, damon_scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_group_is_moved_and_its_neighbour_is_not),
		TEST(mapped_pages_stay_where_the_kernel_can_tell),
		TEST(much_memory_is_gone_through_a_part_at_a_time),
		TEST(pages_go_where_the_first_scheme_that_fits_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
