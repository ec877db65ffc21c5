/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pace.h"

#include "batch.h"

#define DEFAULT_CALL_NS UINT64_C(250000000)
/* Below this many pages the drain of the LRU caches costs more than the move. */
#define LEAST_PAGES 512
/* Where the user bounds the stall, it may cost what it does. */
#define LEAST_STRICT_PAGES 16
#define FIRST_PAGES 4096
#define FIRST_LARGE_PAGES 16384
/* 256 MiB of 4 KiB pages: a call of huge pages is bounded by bytes, too. */
#define MOST_LARGE_PAGES 65536
/* Of a second: how much of the rate one call may take. */
#define RATE_SLICE 10

void mig_pace_init(struct mig_pace *pace, size_t page_size, uint64_t max_stall_ns,
		   uint64_t rate)
{
	*pace = (struct mig_pace){
		.page_size = page_size,
		.call_ns = max_stall_ns ? max_stall_ns : DEFAULT_CALL_NS,
		.strict = max_stall_ns != 0,
		.rate = rate,
	};
	pace->limit[MIG_PACE_SMALL] = pace->strict ? LEAST_PAGES / 4 : FIRST_PAGES;
	pace->limit[MIG_PACE_LARGE] = pace->strict ? LEAST_PAGES : FIRST_LARGE_PAGES;
	pthread_mutex_init(&pace->lock, NULL);
}

void mig_pace_done(struct mig_pace *pace)
{
	pthread_mutex_destroy(&pace->lock);
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most)
{
	if (value < least)
		return least;
	return value > most ? most : value;
}

uint64_t mig_pace_get_limit(struct mig_pace *pace, enum mig_pace_class pace_class)
{
	uint64_t limit = __atomic_load_n(&pace->limit[pace_class], __ATOMIC_RELAXED);

	if (pace->rate)
		limit = clamp(pace->rate / RATE_SLICE / pace->page_size, 1, limit);
	return limit;
}

void mig_pace_record(struct mig_pace *pace, enum mig_pace_class pace_class,
		     uint64_t nr_pages, uint64_t elapsed_ns)
{
	uint64_t limit = __atomic_load_n(&pace->limit[pace_class], __ATOMIC_RELAXED);
	uint64_t most =
		pace_class == MIG_PACE_LARGE ? MOST_LARGE_PAGES : MIG_PACE_MOST_ADDRESSES;
	uint64_t fitting;

	if (!elapsed_ns)
		elapsed_ns = 1;
	fitting =
		(uint64_t)((double)nr_pages * (double)pace->call_ns / (double)elapsed_ns);
	/* A short call says little about a long one. */
	if (nr_pages < limit / 2 && fitting > limit)
		return;
	fitting = clamp(fitting, limit / 4, limit * 2);
	fitting = clamp(fitting, pace->strict ? LEAST_STRICT_PAGES : LEAST_PAGES, most);
	__atomic_store_n(&pace->limit[pace_class], fitting, __ATOMIC_RELAXED);
}

uint64_t mig_pace_reserve(struct mig_pace *pace, uint64_t nr_pages)
{
	uint64_t now, begin;

	if (!pace->rate)
		return 0;
	now = mig_clock_ns();
	pthread_mutex_lock(&pace->lock);
	begin = pace->next_ns > now ? pace->next_ns : now;
	pace->next_ns = begin + (uint64_t)((double)nr_pages * (double)pace->page_size *
					   1e9 / (double)pace->rate);
	pthread_mutex_unlock(&pace->lock);
	return begin > now ? begin : 0;
}
