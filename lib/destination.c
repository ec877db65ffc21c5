/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "destination.h"

#include "batch.h"

/* How often a node that is full is asked again. */
#define ASK_AGAIN_NS UINT64_C(100000000)

void mig_destinations_init(struct mig_destinations *destinations,
			   const struct mig_topology *topology, size_t page_size)
{
	*destinations = (struct mig_destinations){
		.topology = topology,
		.page_size = page_size,
	};
	pthread_mutex_init(&destinations->lock, NULL);
}

void mig_destinations_done(struct mig_destinations *destinations)
{
	pthread_mutex_destroy(&destinations->lock);
}

static void ask(struct mig_destinations *destinations, int node)
{
	struct mig_destination *destination = &destinations->nodes[node];
	struct mig_node_memory memory;

	destination->asked_ns = mig_clock_ns();
	if (mig_topology_read_memory(destinations->topology, node, &memory) < 0 ||
	    memory.room_bytes == MIG_UNKNOWN_BYTES)
		destination->room_pages = INT64_MAX / 2;
	else
		destination->room_pages =
			(int64_t)(memory.room_bytes / destinations->page_size);
}

uint64_t mig_destinations_reserve(struct mig_destinations *destinations, int node,
				  uint64_t nr_pages)
{
	struct mig_destination *destination = &destinations->nodes[node];
	uint64_t fits;

	pthread_mutex_lock(&destinations->lock);
	if (destination->room_pages < (int64_t)nr_pages &&
	    mig_clock_ns() - destination->asked_ns > ASK_AGAIN_NS)
		ask(destinations, node);
	fits = destination->room_pages < 0 ? 0 : (uint64_t)destination->room_pages;
	if (fits > nr_pages)
		fits = nr_pages;
	destination->room_pages -= (int64_t)fits;
	pthread_mutex_unlock(&destinations->lock);
	return fits;
}

void mig_destinations_give_back(struct mig_destinations *destinations, int node,
				uint64_t nr_pages)
{
	pthread_mutex_lock(&destinations->lock);
	destinations->nodes[node].room_pages += (int64_t)nr_pages;
	pthread_mutex_unlock(&destinations->lock);
}

bool mig_destinations_has_room(struct mig_destinations *destinations, int node, bool huge)
{
	if (huge)
		return !mig_destinations_is_huge_full(destinations, node);
	if (!mig_destinations_reserve(destinations, node, 1))
		return false;
	mig_destinations_give_back(destinations, node, 1);
	return true;
}

void mig_destinations_set_full(struct mig_destinations *destinations, int node, bool huge)
{
	struct mig_destination *destination = &destinations->nodes[node];

	pthread_mutex_lock(&destinations->lock);
	if (huge) {
		destination->huge_full = true;
	} else {
		destination->room_pages = 0;
		destination->asked_ns = mig_clock_ns();
	}
	pthread_mutex_unlock(&destinations->lock);
}

bool mig_destinations_is_huge_full(struct mig_destinations *destinations, int node)
{
	bool full;

	pthread_mutex_lock(&destinations->lock);
	full = destinations->nodes[node].huge_full;
	pthread_mutex_unlock(&destinations->lock);
	return full;
}
