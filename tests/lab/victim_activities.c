// SPDX-License-Identifier: GPL-2.0-or-later
#include "victim_activities.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ACTIVITIES 8
#define AREA_BYTES ((size_t)1 << 20)
#define AREA_PAGES (AREA_BYTES / VICTIM_PAGE)
#define MAX_GROWN 32
#define MAX_CHILDREN 4

struct activity {
	pthread_t thread;
	int (*work)(struct victim_memory *memory);
	struct victim_memory *memory;
	int result;
};

/* A victim is one program with one memory: this is its state. */
static struct activity activities[MAX_ACTIVITIES];
static size_t nr_activities;
static atomic_bool stop_wanted;

static bool must_stop(void)
{
	return atomic_load(&stop_wanted);
}

static int write_pages(struct victim_memory *memory)
{
	size_t nr_pages = memory->size / VICTIM_PAGE;

	for (size_t page = 0; !must_stop(); page = (page + 1) % nr_pages) {
		if (!victim_memory_bump(memory, page))
			return -EIO;
	}
	return 0;
}

/* ------------------------------------------------------ areas beside the memory */

static unsigned char *map_area(uint64_t seed)
{
	unsigned char *area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < AREA_PAGES; i++)
		victim_pattern_fill(area + i * VICTIM_PAGE, seed, i);
	return area;
}

static int check_area(const unsigned char *area, uint64_t seed)
{
	unsigned char page[VICTIM_PAGE];

	for (size_t i = 0; i < AREA_PAGES; i++) {
		victim_pattern_fill(page, seed, i);
		if (memcmp(page, area + i * VICTIM_PAGE, VICTIM_PAGE))
			return -EIO;
	}
	return 0;
}

static int churn(struct victim_memory *memory)
{
	unsigned char *area;
	int err = 0;

	(void)memory;
	for (uint64_t seed = 1; !must_stop() && !err; seed++) {
		area = map_area(seed);
		if (!area)
			return -ENOMEM;
		usleep(2000);
		err = check_area(area, seed);
		munmap(area, AREA_BYTES);
	}
	return err;
}

static int remap(struct victim_memory *memory)
{
	unsigned char *area = map_area(1), *place;
	int err = area ? 0 : -ENOMEM;

	(void)memory;
	while (!must_stop() && !err) {
		place = mmap(NULL, AREA_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (place == MAP_FAILED)
			return -ENOMEM;
		area = mremap(area, AREA_BYTES, AREA_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
			      place);
		if (area == MAP_FAILED)
			return -errno;
		usleep(2000);
		err = check_area(area, 1);
	}
	return err;
}

static int grow(struct victim_memory *memory)
{
	unsigned char *areas[MAX_GROWN];
	size_t nr = 0;
	int err = 0;

	(void)memory;
	while (!must_stop()) {
		if (nr < MAX_GROWN) {
			areas[nr] = map_area(nr);
			if (!areas[nr])
				return -ENOMEM;
			nr++;
		}
		usleep(10000);
	}
	for (size_t i = 0; i < nr && !err; i++) {
		err = check_area(areas[i], i);
		munmap(areas[i], AREA_BYTES);
	}
	return err;
}

/* ----------------------------------------------------------------- a fork storm */

/* Breaks the sharing of a few pages, lives for some milliseconds, and ends. */
static void be_child(struct victim_memory *memory, unsigned int number)
{
	size_t nr_pages = memory->size / VICTIM_PAGE;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < 16; i++)
		memory->start[(number * 37 + i) % nr_pages * VICTIM_PAGE] ^= 0xff;
	usleep(5000 + number % 4 * 10000);
	_exit(0);
}

static int fork_on_and_on(struct victim_memory *memory)
{
	pid_t children[MAX_CHILDREN] = { 0 };
	unsigned int number = 0;
	int err = 0;

	while (!must_stop() && !err) {
		pid_t *child = &children[number % MAX_CHILDREN];

		if (*child)
			waitpid(*child, NULL, 0);
		*child = fork();
		if (*child == 0)
			be_child(memory, number);
		if (*child < 0)
			err = -errno;
		number++;
	}
	for (size_t i = 0; i < MAX_CHILDREN; i++) {
		if (children[i] > 0)
			waitpid(children[i], NULL, 0);
	}
	return err;
}

/* ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int (*work)(struct victim_memory *memory);
} known[] = {
	{ "write", write_pages }, { "churn", churn },         { "remap", remap },
	{ "grow", grow },         { "fork", fork_on_and_on },
};

static void *work(void *data)
{
	struct activity *activity = data;

	activity->result = activity->work(activity->memory);
	return NULL;
}

static int start(struct activity *activity, struct victim_memory *memory)
{
	size_t nr_pages = memory->size / VICTIM_PAGE;

	if (activity->work == write_pages && !memory->generations) {
		memory->generations = calloc(nr_pages, sizeof(*memory->generations));
		if (!memory->generations)
			return -ENOMEM;
	}
	activity->memory = memory;
	activity->result = 0;
	return -pthread_create(&activity->thread, NULL, work, activity);
}

int victim_activity_start(struct victim_memory *memory, const char *name)
{
	struct activity *activity = &activities[nr_activities];
	int err;

	if (nr_activities == MAX_ACTIVITIES)
		return -ENOSPC;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name))
			continue;
		activity->work = known[i].work;
		err = start(activity, memory);
		if (!err)
			nr_activities++;
		return err;
	}
	return -ENOENT;
}

int victim_activities_stop(void)
{
	int result = 0;

	atomic_store(&stop_wanted, true);
	for (size_t i = 0; i < nr_activities; i++) {
		pthread_join(activities[i].thread, NULL);
		if (!result)
			result = activities[i].result;
	}
	nr_activities = 0;
	atomic_store(&stop_wanted, false);
	return result;
}
