/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines, processes and requests by the hundred, each from a number. Whatever they
 * are, the account must add up to what there was, and what it says has moved must
 * have moved. MIGRATE_SEED=N runs one of them alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "scene.h"

#define NR_SEEDS 100
#define FIRST_PID 40
#define OUTSIDER 99

/* What happens to a process in the middle of a run. */
struct event {
	unsigned int at_call; /**< 0: never */
	pid_t pid;
	bool exec;
};

struct story {
	uint64_t state; /**< of the generator */
	struct fake_kernel_options machine;
	struct scene *scene;
	pid_t nr_processes;
	bool shares;
	bool spreads;
	struct event event;
	uint64_t expected_pages;
};

/* The numbers of a seed are the same on every machine. */
static uint32_t draw(struct story *story, uint32_t below)
{
	story->state = story->state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(story->state >> 33) % below;
}

static bool happens(struct story *story, uint32_t percent)
{
	return draw(story, 100) < percent;
}

static void draw_machine(struct story *story)
{
	story->machine = (struct fake_kernel_options){
		.nr_nodes = 2 + (int)draw(story, 3),
		.node_pages = 9000 + draw(story, 8000),
		.hides_frames = happens(story, 40),
		.no_sys_nice = happens(story, 30),
		.no_scan = happens(story, 30),
		.claimed_pages = happens(story, 30) ? 50000 : 0,
	};
	/* Pages of one folio that are told apart for want of rights go each its way. */
	story->spreads = !story->machine.hides_frames && happens(story, 30);
	story->scene = scene_new(&story->machine);
}

/* Pages are hidden one by one: where they are part of a folio, they go with it. */
static void draw_states(struct story *story, pid_t pid, uint64_t start, uint64_t nr_pages,
			bool may_hide)
{
	static const enum fake_state states[] = {
		FAKE_ABSENT, FAKE_SWAPPED, FAKE_ZERO,   FAKE_PINNED,
		FAKE_BUSY,   FAKE_OFF_LRU, FAKE_HINTED, FAKE_PROTECTED,
	};

	for (uint32_t i = draw(story, 4); i; i--) {
		uint64_t first = draw(story, (uint32_t)nr_pages);
		uint64_t nr = 1 + draw(story, 20);
		enum fake_state state = states[draw(story, may_hide ? 8 : 6)];

		if (nr > nr_pages - first)
			nr = nr_pages - first;
		scene_set(story->scene, pid, start, first, nr, state);
	}
}

static uint64_t draw_mapping(struct story *story, pid_t pid)
{
	static const uint32_t folios[] = { 1, 1, 1, 4, 16, FAKE_HUGE_PAGES };
	struct fake_memory memory = {
		.kind = (enum fake_kind)draw(story, 4),
		.nr_pages = 1 + draw(story, 900),
		.node = (int)draw(story, (uint32_t)story->machine.nr_nodes),
		.folio_pages = folios[draw(story, 6)],
	};
	uint64_t start;

	if (memory.kind == FAKE_HUGETLB)
		memory.nr_pages = FAKE_HUGE_PAGES * (1 + draw(story, 2));
	/* Parts of one folio would be spread each by itself: so there are none. */
	if (story->spreads && memory.kind != FAKE_HUGETLB)
		memory.nr_pages =
			(memory.nr_pages / memory.folio_pages + 1) * memory.folio_pages;
	start = fake_kernel_map(story->scene->kernel, pid, &memory);
	if (memory.kind == FAKE_ANON && (memory.folio_pages == 1 || !story->spreads))
		draw_states(story, pid, start, memory.nr_pages, memory.folio_pages == 1);
	/* Some of it lies elsewhere. */
	if (memory.kind != FAKE_HUGETLB && memory.folio_pages == 1 && happens(story, 40))
		fake_kernel_place_every(
			story->scene->kernel, pid, start, memory.nr_pages,
			1 + draw(story, 20),
			(int)draw(story, (uint32_t)story->machine.nr_nodes));
	return start;
}

static void draw_processes(struct story *story)
{
	story->nr_processes = 1 + (pid_t)draw(story, 4);
	fake_kernel_add_process(story->scene->kernel, OUTSIDER, 1);
	for (pid_t pid = FIRST_PID; pid < FIRST_PID + story->nr_processes; pid++) {
		scene_add(story->scene, pid);
		for (uint32_t i = draw(story, 4); i; i--) {
			uint64_t start = draw_mapping(story, pid);
			pid_t other = FIRST_PID + (pid_t)draw(story, 5);

			if (!happens(story, 25))
				continue;
			story->shares = true;
			if (other >= pid)
				other = OUTSIDER;
			fake_kernel_share(story->scene->kernel, other, pid, start);
		}
	}
}

static void draw_placement(struct story *story)
{
	uint32_t all = (1U << story->machine.nr_nodes) - 1;
	uint64_t from = 1 + draw(story, all);
	uint64_t to = 1 + draw(story, all);
	enum mig_place place = (enum mig_place)(MIG_PLACE_RELATIVE + draw(story, 2));

	if (story->spreads)
		place = MIG_PLACE_SPREAD;
	if (place != MIG_PLACE_RELATIVE && happens(story, 50))
		from = 0;
	scene_place(story->scene, from, to, place);
}

static void draw_plan(struct story *story)
{
	struct mig_plan_options options = {
		.size = sizeof(options),
		.shared = (enum mig_shared)draw(story, 4),
		.only_kinds = happens(story, 20) ? draw(story, 64) : 0,
		.only_thp = happens(story, 10),
	};

	scene_plan(story->scene, &options);
}

static void come_between(void *data, struct fake_kernel *kernel, unsigned int number)
{
	const struct event *event = data;

	if (number != event->at_call)
		return;
	if (event->exec)
		fake_kernel_exec(kernel, event->pid);
	else
		fake_kernel_exit(kernel, event->pid);
}

static void draw_event(struct story *story)
{
	if (!happens(story, 25))
		return;
	story->event = (struct event){
		.at_call = 1 + draw(story, 4),
		.pid = FIRST_PID + (pid_t)draw(story, (uint32_t)story->nr_processes),
		.exec = happens(story, 50),
	};
	fake_kernel_before_move(story->scene->kernel, come_between, &story->event);
}

static struct mig_run_options draw_run(struct story *story)
{
	return (struct mig_run_options){
		.size = sizeof(struct mig_run_options),
		.threads = 1 + draw(story, 4),
		.passes = 1 + draw(story, 4),
		.max_stall_ns = happens(story, 30) ? 1000000 : 0,
		.timeout_ns = happens(story, 15) ? 1000000 * (1 + draw(story, 9)) : 0,
	};
}

static void check(struct story *story)
{
	const struct mig_totals *totals = mig_outcome_get_totals(story->scene->outcome);
	struct fake_truth truth;

	assert_int_equal(totals->error, 0);
	fake_kernel_compare(story->scene->kernel, &truth);
	/* What was moved and then lost with its process is not in the account. */
	if (story->event.at_call && truth.nr_calls >= story->event.at_call) {
		assert_true(totals->considered_pages <= story->expected_pages);
		return;
	}
	assert_int_equal(totals->considered_pages, story->expected_pages);
	assert_int_equal(totals->gone_pages, 0);
	/* A page that two members' workers had in hand at once has moved for both. */
	if (story->shares) {
		assert_true(totals->moved_pages >= truth.moved_pages);
		return;
	}
	assert_int_equal(totals->moved_pages, truth.moved_pages);
	for (int from = 0; from < FAKE_MOST_NODES; from++)
		for (int to = 0; to < FAKE_MOST_NODES; to++)
			assert_int_equal(scene_moved(story->scene, from, to),
					 truth.moved[from][to]);
}

static void tell(uint64_t seed)
{
	struct story story = { .state = seed * 977 + 13 };
	struct mig_run_options options;

	draw_machine(&story);
	draw_processes(&story);
	draw_placement(&story);
	draw_plan(&story);
	draw_event(&story);
	options = draw_run(&story);
	for (pid_t pid = FIRST_PID; pid < FIRST_PID + story.nr_processes; pid++)
		story.expected_pages += fake_kernel_count(story.scene->kernel, pid);
	scene_run(story.scene, &options);
	check(&story);
	scene_free(story.scene);
}

/* After a failure the last seed is the one that failed. */
static int say_seed(void **state)
{
	const uint64_t *seed = *state;

	print_message("up to seed %u\n", (unsigned int)*seed);
	return 0;
}

static void whatever_the_request_the_account_is_true(void **state)
{
	const char *only = getenv("MIGRATE_SEED");
	uint64_t *seed = *state;
	uint64_t last = NR_SEEDS - 1;

	if (only)
		*seed = last = strtoull(only, NULL, 10);
	for (; *seed <= last; ++*seed)
		tell(*seed);
}

int main(void)
{
	uint64_t seed = 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate_setup_teardown(
			whatever_the_request_the_account_is_true, NULL, say_seed, &seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
