/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "placement_args.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "message.h"
#include "number.h"

/* The next part of @text up to @separator; NULL at the end. */
static const char *next_part(const char **text, char separator, size_t *ret_length)
{
	const char *part = *text;
	const char *end;

	if (!part)
		return NULL;
	end = strchr(part, separator);
	*ret_length = end ? (size_t)(end - part) : strlen(part);
	*text = end ? end + 1 : NULL;
	return part;
}

static bool parse_node(const char *text, size_t length, int *ret_node)
{
	uint64_t number;

	if (number_parse(text, length, &number) < 0 || number >= MIG_MAX_NODES)
		return false;
	*ret_node = (int)number;
	return true;
}

static int check_node(const char *option, const struct machine *machine, int node)
{
	if (mig_nodeset_has(mig_topology_get_nodes(machine->topology, MIG_NODES_ONLINE),
			    node))
		return STATUS_OK;
	message_error("%s: node %d does not exist", option, node);
	message_hint("'migratectl nodes' lists the nodes of this machine");
	return STATUS_FAILED;
}

static int parse_map(const char *command, const char *text, const struct machine *machine,
		     struct mig_node_pair *pairs, size_t *ret_nr)
{
	size_t nr = 0, length;
	const char *part;

	while ((part = next_part(&text, ',', &length))) {
		const char *colon = memchr(part, ':', length);
		struct mig_node_pair *pair = &pairs[nr];
		int status;

		if (nr == MIG_MAX_NODES || !colon ||
		    !parse_node(part, (size_t)(colon - part), &pair->from) ||
		    !parse_node(colon + 1, length - (size_t)(colon + 1 - part),
				&pair->to))
			return message_usage(
				command, "--map: '%.*s' is not FROM:TO with two nodes",
				(int)length, part);
		if (pair->from == pair->to)
			return message_usage(command, "--map: node %d to itself",
					     pair->to);
		for (size_t i = 0; i < nr; i++)
			if (pairs[i].from == pair->from)
				return message_usage(command,
						     "--map: node %d stands twice",
						     pair->from);
		status = check_node("--map", machine, pair->from);
		if (!status)
			status = check_node("--map", machine, pair->to);
		if (status)
			return status;
		nr++;
	}
	*ret_nr = nr;
	return STATUS_OK;
}

static int parse_weights(const char *command, const char *text, unsigned int *weights,
			 size_t *ret_nr)
{
	size_t nr = 0, length;
	const char *part;

	while ((part = next_part(&text, ':', &length))) {
		uint64_t weight;

		if (nr == MIG_MAX_NODES || number_parse(part, length, &weight) < 0 ||
		    !weight || weight > UINT16_MAX)
			return message_usage(command,
					     "--weights: '%.*s' is no weight of 1 to %d",
					     (int)length, part, UINT16_MAX);
		weights[nr++] = (unsigned int)weight;
	}
	*ret_nr = nr;
	return STATUS_OK;
}

static int check_memory(const struct machine *machine, const struct mig_nodeset *to)
{
	const struct mig_nodeset *memory =
		mig_topology_get_nodes(machine->topology, MIG_NODES_MEMORY);

	for (int node = mig_nodeset_next(to, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(to, node)) {
		if (mig_nodeset_has(memory, node))
			continue;
		message_error("node %d has no memory: nothing can be moved there", node);
		message_hint("'migratectl nodes' shows which nodes have memory");
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* What placements refuse, in the words of the options. */
static int check_combination(const char *command, const struct move_args *args,
			     const struct mig_placement_options *options)
{
	if (!args->to && !args->map)
		return message_usage(command, "where to? --to or --map is required");
	if (args->map && args->weights)
		return message_usage(command, "--weights goes with --place=spread");
	if (args->map)
		return STATUS_OK;
	if (args->from && mig_nodeset_is_equal(options->from, options->to))
		return message_usage(command, "--from and --to are the same nodes");
	if (args->place == MIG_PLACE_RELATIVE && !args->from)
		return message_usage(command, "--place=relative needs --from");
	if (args->weights && args->place != MIG_PLACE_SPREAD)
		return message_usage(command, "--weights goes with --place=spread");
	if (args->weights && options->nr_weights != mig_nodeset_count(options->to))
		return message_usage(command, "%zu weights for %u nodes",
				     options->nr_weights, mig_nodeset_count(options->to));
	return STATUS_OK;
}

int placement_args_parse(const char *command, const struct move_args *args,
			 const struct machine *machine,
			 struct mig_placement **ret_placement)
{
	struct mig_nodeset to = { 0 }, from = { 0 };
	struct mig_node_pair map[MIG_MAX_NODES];
	unsigned int weights[MIG_MAX_NODES];
	struct mig_placement_options options = {
		.size = sizeof(options),
		.place = (enum mig_place)args->place,
		.to = args->to ? &to : NULL,
		.from = args->from ? &from : NULL,
		.map = map,
		.weights = weights,
	};
	int status = STATUS_OK;
	int r;

	if (args->to)
		status = machine_parse_nodes(machine, command, "--to", args->to, &to);
	if (!status && args->from)
		status = machine_parse_nodes(machine, command, "--from", args->from,
					     &from);
	if (!status && args->map)
		status = parse_map(command, args->map, machine, map, &options.nr_map);
	for (size_t i = 0; i < options.nr_map; i++)
		mig_nodeset_add(&to, map[i].to);
	if (!status && args->weights)
		status = parse_weights(command, args->weights, weights,
				       &options.nr_weights);
	if (!status)
		status = check_combination(command, args, &options);
	if (!status)
		status = check_memory(machine, &to);
	if (status)
		return status;
	r = mig_placement_new(machine->topology, &options, ret_placement);
	return r < 0 ? message_failure(SUBJECT_PLACEMENT, r, "cannot make the rule")
		     : STATUS_OK;
}
