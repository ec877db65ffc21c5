/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crew.h"

#include <sched.h>

#include "engine.h"

/* Below this the start of a thread is not worth it. */
#define SMALL_JOB_BYTES (UINT64_C(4) << 20)
/* More than this many were never seen to help; the copy is bound by memory. */
#define MOST_BY_DEFAULT 8
#define TRY_NS UINT64_C(300000000)
#define FIRST_PATIENCE_NS UINT64_C(1000000000)
#define MOST_PATIENCE_NS UINT64_C(30000000000)
/* A neighbour must be so much better to be kept. */
#define GAIN 1.07

static unsigned int usable_cpus(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	return (unsigned int)CPU_COUNT(&cpus);
}

void mig_crew_init(struct mig_crew *crew, unsigned int wanted, uint64_t planned_bytes)
{
	unsigned int cpus = usable_cpus();

	*crew = (struct mig_crew){ .fixed = wanted != 0, .direction = 1 };
	if (wanted)
		crew->most = wanted < MIG_MOST_WORKERS ? wanted : MIG_MOST_WORKERS;
	else if (planned_bytes < SMALL_JOB_BYTES)
		crew->most = 1;
	else
		crew->most = cpus < MOST_BY_DEFAULT ? cpus : MOST_BY_DEFAULT;
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
