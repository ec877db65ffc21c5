/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the number of workers finds what a machine is good for. */
#include "crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "engine.h"
#include "fake_root.h"

#define LARGE (UINT64_C(1) << 40)
#define TICK UINT64_C(100000000)

/* A machine that moves so many bytes in a tick, by the number of workers. */
struct speeds {
	uint64_t bytes[MIG_MOST_WORKERS + 1];
};

static struct mig_crew crew;
static uint64_t elapsed_ns, moved_bytes;

/* As if there were 8 processors, whatever there are. */
static void begin_large(unsigned int most)
{
	mig_crew_init(&crew, 0, 8, LARGE);
	crew.most = most;
	crew.open = crew.used = crew.settled = most < 2 ? most : 2;
	elapsed_ns = moved_bytes = 0;
}

/* Return: in how many of the ticks the crew was as large as @size. */
static unsigned int run(const struct speeds *speeds, unsigned int nr_ticks,
			unsigned int size)
{
	unsigned int matches = 0;

	for (unsigned int i = 0; i < nr_ticks; i++) {
		elapsed_ns += TICK;
		moved_bytes += speeds->bytes[crew.open];
		mig_crew_think(&crew, elapsed_ns, moved_bytes);
		assert_in_range(crew.open, 1, crew.most);
		matches += crew.open == size;
	}
	return matches;
}

static void a_number_that_the_caller_gave_is_kept(void **state)
{
	(void)state;
	mig_crew_init(&crew, 5, 2, LARGE);
	assert_int_equal(crew.most, 5);
	for (uint64_t tick = 1; tick < 1000; tick++)
		assert_int_equal(mig_crew_think(&crew, tick * TICK, tick), 5);
	mig_crew_init(&crew, 1000, 2, 1);
	assert_int_equal(crew.most, MIG_MOST_WORKERS);
}

static void a_small_job_gets_one_worker(void **state)
{
	(void)state;
	mig_crew_init(&crew, 0, 8, 1000);
	assert_int_equal(crew.most, 1);
	assert_int_equal(mig_crew_think(&crew, 100 * TICK, 0), 1);
	assert_int_equal(crew.used, 1);
}

static void a_large_job_has_no_more_workers_than_idle_processors(void **state)
{
	(void)state;
	mig_crew_init(&crew, 0, 5, LARGE);
	assert_int_equal(crew.most, 5);
	assert_int_equal(crew.open, 2);
	mig_crew_init(&crew, 0, 1, LARGE);
	assert_int_equal(crew.most, 1);
	mig_crew_init(&crew, 0, 0, LARGE);
	assert_int_equal(crew.most, 1);
	assert_int_equal(crew.open, 1);
}

/* The one that runs is who asks. */
static void processors_that_others_use_are_not_idle(void **state)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct fake_root *root = fake_root_new();
	struct mig_context *context = fake_root_context(root, NULL);
	char line[64];

	(void)state;
	fake_root_write(root, "proc/loadavg", "0.50 0.60 0.70 1/234 567\n");
	assert_true(mig_crew_count_idle(context) >= 1);
	snprintf(line, sizeof(line), "0.50 0.60 0.70 %ld/234 567\n", online + 1);
	fake_root_write(root, "proc/loadavg", line);
	assert_int_equal(mig_crew_count_idle(context), 0);
	mig_context_free(context);
	fake_root_free(root);
}

static void where_more_workers_help_there_come_more(void **state)
{
	struct speeds speeds = { { 0 } };

	(void)state;
	begin_large(8);
	for (uint64_t i = 1; i <= 8; i++)
		speeds.bytes[i] = i * 1000000;
	run(&speeds, 600, 0);
	assert_int_equal(crew.settled, 8);
	assert_int_equal(crew.used, 8);
	/* And there it stays, but for tries that become rarer. */
	assert_in_range(run(&speeds, 600, 8), 540, 600);
}

static void where_one_is_best_one_is_what_works(void **state)
{
	struct speeds speeds = { { 0 } };

	(void)state;
	begin_large(8);
	for (uint64_t i = 1; i <= 8; i++)
		speeds.bytes[i] = 8000000 / i;
	run(&speeds, 300, 0);
	assert_int_equal(crew.settled, 1);
	assert_in_range(run(&speeds, 600, 1), 540, 600);
}

static void a_best_number_in_between_is_found(void **state)
{
	static const struct speeds speeds = { { 0, 100, 180, 250, 300, 240, 200, 150,
						100 } };

	(void)state;
	begin_large(8);
	run(&speeds, 600, 0);
	assert_int_equal(crew.settled, 4);
}

static void where_the_number_does_not_matter_it_stays(void **state)
{
	struct speeds speeds = { { 0 } };

	(void)state;
	begin_large(8);
	for (int i = 1; i <= 8; i++)
		speeds.bytes[i] = 1000000;
	run(&speeds, 600, 0);
	assert_int_equal(crew.settled, 2);
}

static void a_run_in_which_nothing_moves_does_no_harm(void **state)
{
	static const struct speeds standstill = { { 0 } };

	(void)state;
	begin_large(8);
	run(&standstill, 600, 0);
	assert_in_range(crew.settled, 1, 8);
	begin_large(1);
	run(&standstill, 100, 0);
	assert_int_equal(crew.open, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_that_the_caller_gave_is_kept),
		cmocka_unit_test(a_small_job_gets_one_worker),
		cmocka_unit_test(a_large_job_has_no_more_workers_than_idle_processors),
		cmocka_unit_test(processors_that_others_use_are_not_idle),
		cmocka_unit_test(where_more_workers_help_there_come_more),
		cmocka_unit_test(where_one_is_best_one_is_what_works),
		cmocka_unit_test(a_best_number_in_between_is_found),
		cmocka_unit_test(where_the_number_does_not_matter_it_stays),
		cmocka_unit_test(a_run_in_which_nothing_moves_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
