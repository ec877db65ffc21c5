/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "placement.h"

#include <errno.h>
#include <stdlib.h>

#include "handles.h"
#include "options_struct.h"

struct target_weight {
	int node;
	unsigned int weight;
};

struct mig_placement {
	const struct mig_topology *topology;
	enum mig_place place;
	struct mig_nodeset from;
	struct mig_nodeset to;
	/** For every node the target of its pages; MIG_NO_NODE: not covered. */
	int16_t wanted[MIG_MAX_NODES];
	struct target_weight *weights; /**< spread only, ascending by node */
	size_t nr_weights;
	uint64_t whole; /**< the sum of the weights */
};

static int nth_node(const struct mig_nodeset *set, unsigned int n)
{
	int node = mig_nodeset_next(set, MIG_NO_NODE);

	while (n--)
		node = mig_nodeset_next(set, node);
	return node;
}

/*
 * As do_migrate_pages() of mm/mempolicy.c pairs nodes: the n-th of from goes to
 * the n-th of to, modulo its length; where both have not the same length, pages
 * on a node of to stay.
 */
static void pair_relative(struct mig_placement *placement)
{
	unsigned int nr_to = mig_nodeset_count(&placement->to);
	bool stay = mig_nodeset_count(&placement->from) != nr_to;
	unsigned int n = 0;

	for (int node = mig_nodeset_next(&placement->from, MIG_NO_NODE);
	     node != MIG_NO_NODE; node = mig_nodeset_next(&placement->from, node), n++) {
		if (stay && mig_nodeset_has(&placement->to, node))
			placement->wanted[node] = (int16_t)node;
		else
			placement->wanted[node] =
				(int16_t)nth_node(&placement->to, n % nr_to);
	}
}

static int nearest_target(const struct mig_placement *placement, int node)
{
	unsigned int best_distance = 0;
	int best = MIG_NO_NODE;

	for (int to = mig_nodeset_next(&placement->to, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(&placement->to, to)) {
		unsigned int distance =
			mig_topology_get_distance(placement->topology, node, to);

		if (!distance)
			distance = UINT16_MAX;
		if (best == MIG_NO_NODE || distance < best_distance) {
			best = to;
			best_distance = distance;
		}
	}
	return best;
}

static void pair_nearest(struct mig_placement *placement)
{
	for (int node = mig_nodeset_next(&placement->from, MIG_NO_NODE);
	     node != MIG_NO_NODE; node = mig_nodeset_next(&placement->from, node))
		placement->wanted[node] =
			(int16_t)(mig_nodeset_has(&placement->to, node)
					  ? node
					  : nearest_target(placement, node));
}

static int set_weights(struct mig_placement *placement,
		       const struct mig_placement_options *options)
{
	size_t n = 0;

	placement->nr_weights = mig_nodeset_count(&placement->to);
	if (options->nr_weights && options->nr_weights != placement->nr_weights)
		return -EINVAL;
	placement->weights = calloc(placement->nr_weights, sizeof(*placement->weights));
	if (!placement->weights)
		return -ENOMEM;
	for (int to = mig_nodeset_next(&placement->to, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(&placement->to, to), n++) {
		unsigned int weight = options->nr_weights ? options->weights[n] : 1;

		if (!weight)
			return -EINVAL;
		placement->weights[n] = (struct target_weight){ to, weight };
		placement->whole += weight;
	}
	return 0;
}

static int set_map(struct mig_placement *placement,
		   const struct mig_placement_options *options)
{
	for (size_t i = 0; i < options->nr_map; i++) {
		const struct mig_node_pair *pair = &options->map[i];

		if (pair->from < 0 || pair->from >= MIG_MAX_NODES || pair->to < 0 ||
		    pair->to >= MIG_MAX_NODES ||
		    mig_nodeset_has(&placement->from, pair->from))
			return -EINVAL;
		mig_nodeset_add(&placement->from, pair->from);
		mig_nodeset_add(&placement->to, pair->to);
		placement->wanted[pair->from] = (int16_t)pair->to;
	}
	return 0;
}

/* Sources without memory have no pages and would only shift the pairs. */
static void set_sources(struct mig_placement *placement, const struct mig_nodeset *from)
{
	if (from) {
		placement->from = *from;
		mig_nodeset_and(
			&placement->from,
			mig_topology_get_nodes(placement->topology, MIG_NODES_MEMORY));
	} else {
		placement->from =
			*mig_topology_get_nodes(placement->topology, MIG_NODES_MEMORY);
	}
}

static int choose_place(const struct mig_placement_options *options,
			enum mig_place *ret_place)
{
	enum mig_place place = options->place;

	if (options->nr_map) {
		if (!options->map || options->from || options->to ||
		    options->nr_weights ||
		    (place != MIG_PLACE_DEFAULT && place != MIG_PLACE_MAP))
			return -EINVAL;
		*ret_place = MIG_PLACE_MAP;
		return 0;
	}
	if (place == MIG_PLACE_DEFAULT)
		place = options->from ? MIG_PLACE_RELATIVE : MIG_PLACE_NEAREST;
	/* A map that is not there, and places that do not exist. */
	if ((unsigned int)place >= MIG_PLACE_MAP)
		return -EINVAL;
	if (!options->to || !mig_nodeset_count(options->to) ||
	    (place == MIG_PLACE_RELATIVE && !options->from) ||
	    (options->nr_weights && (place != MIG_PLACE_SPREAD || !options->weights)))
		return -EINVAL;
	*ret_place = place;
	return 0;
}

static int fill(struct mig_placement *placement,
		const struct mig_placement_options *options)
{
	if (placement->place == MIG_PLACE_MAP)
		return set_map(placement, options);
	placement->to = *options->to;
	set_sources(placement, options->from);
	switch (placement->place) {
	case MIG_PLACE_RELATIVE:
		pair_relative(placement);
		return 0;
	case MIG_PLACE_SPREAD:
		return set_weights(placement, options);
	default:
		pair_nearest(placement);
		return 0;
	}
}

int mig_placement_new(const struct mig_topology *topology,
		      const struct mig_placement_options *options,
		      struct mig_placement **ret_placement)
{
	CLEANUP_MIG(placement) struct mig_placement *placement = NULL;
	struct mig_placement_options known = { 0 };
	int r;

	if (!topology || !options || !ret_placement)
		return -EINVAL;
	r = mig_options_copy(&known, sizeof(known), options);
	if (r < 0)
		return r;
	placement = calloc(1, sizeof(*placement));
	if (!placement)
		return -ENOMEM;
	placement->topology = topology;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		placement->wanted[node] = MIG_NO_NODE;
	r = choose_place(&known, &placement->place);
	if (r < 0)
		return r;
	r = fill(placement, &known);
	if (r < 0)
		return r;
	if (!mig_nodeset_is_subset(&placement->to,
				   mig_topology_get_nodes(topology, MIG_NODES_MEMORY)))
		return -ENODEV;
	*ret_placement = STEAL(placement);
	return 0;
}

void mig_placement_free(struct mig_placement *placement)
{
	if (!placement)
		return;
	free(placement->weights);
	free(placement);
}

const struct mig_nodeset *mig_placement_get_targets(const struct mig_placement *placement)
{
	return &placement->to;
}

static int interleaved_target(const struct mig_placement *placement, uint64_t index)
{
	uint64_t slot = index % placement->whole;
	size_t n = 0;

	while (slot >= placement->weights[n].weight)
		slot -= placement->weights[n++].weight;
	return placement->weights[n].node;
}

int mig_placement_get_wanted(const struct mig_placement *placement, int node,
			     uint64_t index)
{
	if (node == MIG_NO_NODE || node >= MIG_MAX_NODES)
		return MIG_NO_NODE;
	if (placement->place != MIG_PLACE_SPREAD)
		return placement->wanted[node];
	if (!mig_nodeset_has(&placement->from, node))
		return MIG_NO_NODE;
	return interleaved_target(placement, index);
}

bool mig_placement_is_interleaved(const struct mig_placement *placement)
{
	return placement->place == MIG_PLACE_SPREAD && placement->nr_weights > 1;
}

bool mig_placement_has_choice(const struct mig_placement *placement)
{
	return placement->place == MIG_PLACE_NEAREST &&
	       mig_nodeset_count(&placement->to) > 1;
}

uint64_t mig_placement_get_share(const struct mig_placement *placement, int node, int to,
				 uint64_t *ret_whole)
{
	*ret_whole = 1;
	if (placement->place != MIG_PLACE_SPREAD)
		return mig_placement_get_wanted(placement, node, 0) == to;
	*ret_whole = placement->whole;
	if (!mig_nodeset_has(&placement->from, node))
		return 0;
	for (size_t n = 0; n < placement->nr_weights; n++)
		if (placement->weights[n].node == to)
			return placement->weights[n].weight;
	return 0;
}

bool mig_placement_takes_from(const struct mig_placement *placement, int node)
{
	for (int to = mig_nodeset_next(&placement->to, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(&placement->to, to)) {
		uint64_t whole;

		if (to != node && mig_placement_get_share(placement, node, to, &whole))
			return true;
	}
	return false;
}

bool mig_placement_moves_twice(const struct mig_placement *placement)
{
	if (mig_placement_is_interleaved(placement))
		return true;
	for (int to = mig_nodeset_next(&placement->to, MIG_NO_NODE); to != MIG_NO_NODE;
	     to = mig_nodeset_next(&placement->to, to)) {
		int on = mig_placement_get_wanted(placement, to, 0);

		if (on != MIG_NO_NODE && on != to)
			return true;
	}
	return false;
}

const struct mig_topology *
mig_placement_get_topology(const struct mig_placement *placement)
{
	return placement->topology;
}
