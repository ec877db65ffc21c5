/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crew.h"

#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "procfs.h"

/* Below this the start of a thread is not worth it. */
#define SMALL_JOB_BYTES (UINT64_C(4) << 20)
/* More than this many were never seen to help; the copy is bound by memory. */
#define MOST_BY_DEFAULT 8
#define TRY_NS UINT64_C(300000000)
#define FIRST_PATIENCE_NS UINT64_C(1000000000)
#define MOST_PATIENCE_NS UINT64_C(30000000000)
#define LOOKS 3
/* A neighbour must be so much better to be kept. */
#define GAIN 1.07

static unsigned int usable_cpus(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	return (unsigned int)CPU_COUNT(&cpus);
}

/* What runs or wants to, but for the caller, by the fourth field of /proc/loadavg. */
static bool count_running(const struct mig_context *context, unsigned int *ret_nr)
{
	char line[128];

	if (mig_procfs_read(context, line, sizeof(line), "proc/loadavg") < 0 ||
	    sscanf(line, "%*s %*s %*s %u/", ret_nr) != 1)
		return false;
	*ret_nr -= *ret_nr > 0;
	return true;
}

unsigned int mig_crew_count_idle(const struct mig_context *context)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	unsigned int cpus = usable_cpus(), most = 0;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	/* The best of a few looks: what ran for a moment is no load. */
	for (unsigned int look = 0; look < LOOKS && most < cpus; look++) {
		unsigned int running = 0, idle;

		if (look)
			nanosleep(&moment, NULL);
		if (!count_running(context, &running))
			return cpus;
		idle = online > (long)running ? (unsigned int)online - running : 0;
		most = idle > most ? idle : most;
	}
	return most < cpus ? most : cpus;
}

void mig_crew_init(struct mig_crew *crew, unsigned int wanted, unsigned int nr_idle,
		   uint64_t planned_bytes)
{
	unsigned int most = nr_idle < MOST_BY_DEFAULT ? nr_idle : MOST_BY_DEFAULT;

	*crew = (struct mig_crew){ .fixed = wanted != 0, .direction = 1 };
	if (wanted)
		crew->most = wanted < MIG_MOST_WORKERS ? wanted : MIG_MOST_WORKERS;
	else
		crew->most = planned_bytes < SMALL_JOB_BYTES || !most ? 1 : most;
	crew->open = wanted || crew->most < 2 ? crew->most : 2;
	crew->used = crew->settled = crew->open;
	crew->patience_ns = FIRST_PATIENCE_NS;
}

static void begin_window(struct mig_crew *crew, uint64_t elapsed_ns, uint64_t moved_bytes)
{
	crew->window_ns = elapsed_ns;
	crew->window_bytes = moved_bytes;
}

static void end_try(struct mig_crew *crew, double rate)
{
	if (rate > crew->settled_rate * GAIN) {
		crew->settled = crew->open;
		crew->patience_ns = FIRST_PATIENCE_NS;
	} else {
		crew->direction = -crew->direction;
		if (crew->patience_ns < MOST_PATIENCE_NS)
			crew->patience_ns *= 2;
	}
	crew->open = crew->settled;
	crew->trying = false;
}

static void begin_try(struct mig_crew *crew, double rate)
{
	unsigned int next = crew->settled + (unsigned int)crew->direction;

	crew->settled_rate = rate;
	if (!next || next > crew->most) {
		crew->direction = -crew->direction;
		next = crew->settled + (unsigned int)crew->direction;
	}
	if (!next || next > crew->most)
		return;
	crew->open = next;
	crew->trying = true;
}

unsigned int mig_crew_think(struct mig_crew *crew, uint64_t elapsed_ns,
			    uint64_t moved_bytes)
{
	uint64_t window = elapsed_ns - crew->window_ns;
	double rate;

	if (crew->fixed || crew->most < 2 ||
	    window < (crew->trying ? TRY_NS : crew->patience_ns))
		return crew->open;
	rate = (double)(moved_bytes - crew->window_bytes) / (double)window;
	if (crew->trying)
		end_try(crew, rate);
	else
		begin_try(crew, rate);
	if (crew->open > crew->used)
		crew->used = crew->open;
	begin_window(crew, elapsed_ns, moved_bytes);
	return crew->open;
}
