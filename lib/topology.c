/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "topology.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_ranges.h"
#include "handles.h"
#include "node.h"
#include "nodelist.h"
#include "numbered.h"
#include "procfs.h"
#include "procstat.h"

#define NR_CLASSES (MIG_NODES_ALLOWED + 1)

struct mig_topology {
	struct mig_context *context;
	struct mig_nodeset classes[NR_CLASSES];
	bool has_directory;     /**< false: a kernel without NUMA */
	struct mig_node *nodes; /**< the online ones, ascending */
	size_t nr_nodes;
	short index_of[MIG_MAX_NODES]; /**< into nodes; -1: not online */
	struct mig_cpu_ranges cpus;
};

static const struct mig_nodeset no_nodes;

static int does_not_parse(const struct mig_context *context, const char *path)
{
	mig_log(context, MIG_LOG_WARNING, "/%s does not parse", path);
	return -EBADMSG;
}

/* Errors: -ENOENT: there is no such file. */
static int read_set(const struct mig_context *context, const char *name,
		    struct mig_nodeset *ret_set)
{
	CLEANUP_FREE char *text = NULL;
	char path[MIG_PATH_SIZE];
	ssize_t length;

	snprintf(path, sizeof(path), MIG_NODE_DIRECTORY "/%s", name);
	length = mig_procfs_read_alloc(context, &text, "%s", path);
	if (length < 0)
		return (int)length;
	if (mig_nodelist_parse((struct mig_text){ text, (size_t)length }, ret_set) < 0)
		return does_not_parse(context, path);
	return 0;
}

static int add_node(void *data, uint64_t number)
{
	if (number < MIG_MAX_NODES)
		mig_nodeset_add(data, (int)number);
	return 0;
}

/* Some captured and some crippled machines have the nodes and not the list. */
static int read_online(struct mig_topology *topology)
{
	struct mig_nodeset *online = &topology->classes[MIG_NODES_ONLINE];
	int r = read_set(topology->context, "online", online);

	if (r == -ENOENT || (!r && !mig_nodeset_count(online)))
		r = mig_numbered_visit(topology->context, MIG_NODE_DIRECTORY, "node", "",
				       add_node, online);
	if (r < 0 && r != -ENOENT)
		return r;
	topology->has_directory = mig_nodeset_count(online);
	if (!topology->has_directory)
		mig_nodeset_add(online, 0);
	return 0;
}

static int make_nodes(struct mig_topology *topology)
{
	const struct mig_nodeset *online = &topology->classes[MIG_NODES_ONLINE];
	int number = MIG_NO_NODE;

	memset(topology->index_of, -1, sizeof(topology->index_of));
	topology->nodes = calloc(mig_nodeset_count(online), sizeof(*topology->nodes));
	if (!topology->nodes)
		return -ENOMEM;
	while ((number = mig_nodeset_next(online, number)) != MIG_NO_NODE) {
		topology->index_of[number] = (short)topology->nr_nodes;
		topology->nodes[topology->nr_nodes++].number = number;
	}
	return 0;
}

static int read_cpulist(struct mig_topology *topology, struct mig_node *node)
{
	char path[MIG_PATH_SIZE];
	struct mig_text list;
	ssize_t length;
	int r;

	if (topology->has_directory)
		snprintf(path, sizeof(path), MIG_NODE_DIRECTORY "/node%d/cpulist",
			 node->number);
	else
		snprintf(path, sizeof(path), "sys/devices/system/cpu/online");
	length = mig_procfs_read_alloc(topology->context, &node->cpulist, "%s", path);
	if (length == -ENOENT) {
		node->cpulist = strdup("");
		return node->cpulist ? 0 : -ENOMEM;
	}
	if (length < 0)
		return (int)length;
	list = (struct mig_text){ .at = node->cpulist, .length = (size_t)length };
	mig_text_trim(&list);
	node->cpulist[list.length] = '\0';
	r = mig_cpu_ranges_add(&topology->cpus, list, node->number);
	return r == -EBADMSG ? does_not_parse(topology->context, path) : r;
}

/*
 * One row: a column for each online node, in their order, whatever their numbers.
 * Return: the number of columns, -EBADMSG.
 */
static int parse_distances(struct mig_text text, unsigned char *distances,
			   size_t nr_distances)
{
	size_t columns = 0;

	mig_text_trim(&text);
	mig_text_take_blanks(&text);
	while (text.length) {
		uint64_t distance;

		/* The kernel keeps them in a byte. */
		if (mig_text_take_number(&text, 10, &distance) < 0 ||
		    distance > UINT8_MAX || columns == MIG_MAX_NODES ||
		    (text.length && !mig_text_take_blanks(&text)))
			return -EBADMSG;
		if (columns < nr_distances)
			distances[columns] = (unsigned char)distance;
		columns++;
	}
	return (int)columns;
}

static int read_distances(const struct mig_topology *topology, struct mig_node *node)
{
	CLEANUP_FREE unsigned char *distances = NULL;
	CLEANUP_FREE char *text = NULL;
	char path[MIG_PATH_SIZE];
	ssize_t length;
	int columns;

	snprintf(path, sizeof(path), MIG_NODE_DIRECTORY "/node%d/distance", node->number);
	length = mig_procfs_read_alloc(topology->context, &text, "%s", path);
	if (length < 0)
		return length == -ENOENT ? 0 : (int)length;
	distances = malloc(topology->nr_nodes);
	if (!distances)
		return -ENOMEM;
	columns = parse_distances((struct mig_text){ text, (size_t)length }, distances,
				  topology->nr_nodes);
	if (columns < 0)
		return does_not_parse(topology->context, path);
	/* A node came or went meanwhile: which column is whose cannot be told. */
	if ((size_t)columns != topology->nr_nodes) {
		mig_log(topology->context, MIG_LOG_WARNING,
			"/%s has %d columns for %zu nodes", path, columns,
			topology->nr_nodes);
		return 0;
	}
	node->distances = STEAL(distances);
	return 0;
}

static int read_nodes(struct mig_topology *topology)
{
	for (size_t i = 0; i < topology->nr_nodes; i++) {
		struct mig_node *node = &topology->nodes[i];
		int r = read_cpulist(topology, node);

		if (!r)
			r = read_distances(topology, node);
		if (r < 0)
			return r;
	}
	mig_cpu_ranges_sort(&topology->cpus);
	return mig_node_read_tiers(topology->context, topology->nodes,
				   topology->nr_nodes);
}

static int find_nodes_with_memory(struct mig_topology *topology, struct mig_nodeset *set)
{
	*set = no_nodes;
	for (size_t i = 0; i < topology->nr_nodes; i++) {
		int number = topology->nodes[i].number;
		uint64_t bytes;
		int r = mig_node_read_total(topology->context, number, &bytes);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if (bytes && bytes != MIG_UNKNOWN_BYTES)
			mig_nodeset_add(set, number);
	}
	return 0;
}

static void find_nodes_with_cpus(const struct mig_topology *topology,
				 struct mig_nodeset *set)
{
	*set = no_nodes;
	for (size_t i = 0; i < topology->nr_nodes; i++)
		if (*topology->nodes[i].cpulist)
			mig_nodeset_add(set, topology->nodes[i].number);
}

static int read_allowed(struct mig_topology *topology)
{
	struct mig_nodeset *allowed = &topology->classes[MIG_NODES_ALLOWED];
	CLEANUP_FREE char *text = NULL;
	struct mig_nodeset mems;
	ssize_t length;

	*allowed = topology->classes[MIG_NODES_MEMORY];
	length = mig_procfs_read_alloc(topology->context, &text, "proc/self/status");
	if (length < 0)
		return length == -ENOENT ? 0 : (int)length;
	if (mig_procstatus_parse_mems_allowed((struct mig_text){ text, (size_t)length },
					      &mems) < 0)
		return does_not_parse(topology->context, "proc/self/status");
	mig_nodeset_and(allowed, &mems);
	return 0;
}

/* The classes that depend on the nodes; what exists is known by now. */
static int read_classes(struct mig_topology *topology)
{
	const struct mig_nodeset *online = &topology->classes[MIG_NODES_ONLINE];
	struct mig_nodeset *possible = &topology->classes[MIG_NODES_POSSIBLE];
	struct mig_nodeset *memory = &topology->classes[MIG_NODES_MEMORY];
	struct mig_nodeset *cpu = &topology->classes[MIG_NODES_CPU];
	int r;

	r = read_set(topology->context, "possible", possible);
	if (r < 0 && r != -ENOENT)
		return r;
	mig_nodeset_or(possible, online);
	r = read_set(topology->context, "has_memory", memory);
	if (r == -ENOENT && topology->has_directory)
		r = find_nodes_with_memory(topology, memory);
	else if (r == -ENOENT)
		*memory = *online;
	if (r < 0 && r != -ENOENT)
		return r;
	mig_nodeset_and(memory, online);
	r = read_set(topology->context, "has_cpu", cpu);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		find_nodes_with_cpus(topology, cpu);
	mig_nodeset_and(cpu, online);
	return read_allowed(topology);
}

int mig_topology_new(struct mig_context *context, struct mig_topology **ret_topology)
{
	CLEANUP_MIG(topology) struct mig_topology *topology = NULL;
	int r;

	if (!context || !ret_topology)
		return -EINVAL;
	topology = calloc(1, sizeof(*topology));
	if (!topology)
		return -ENOMEM;
	topology->context = context;
	r = read_online(topology);
	if (!r)
		r = make_nodes(topology);
	if (!r)
		r = read_nodes(topology);
	if (!r)
		r = read_classes(topology);
	if (r < 0)
		return r;
	*ret_topology = STEAL(topology);
	return 0;
}

void mig_topology_free(struct mig_topology *topology)
{
	if (!topology)
		return;
	for (size_t i = 0; i < topology->nr_nodes; i++) {
		free(topology->nodes[i].cpulist);
		free(topology->nodes[i].distances);
	}
	free(topology->nodes);
	mig_cpu_ranges_done(&topology->cpus);
	free(topology);
}

const struct mig_nodeset *mig_topology_get_nodes(const struct mig_topology *topology,
						 enum mig_node_class node_class)
{
	if (!topology || (unsigned int)node_class >= NR_CLASSES)
		return &no_nodes;
	return &topology->classes[node_class];
}

static const struct mig_node *find_node(const struct mig_topology *topology, int node)
{
	if (!topology || node < 0 || node >= MIG_MAX_NODES ||
	    topology->index_of[node] < 0)
		return NULL;
	return &topology->nodes[topology->index_of[node]];
}

unsigned int mig_topology_get_distance(const struct mig_topology *topology, int from,
				       int to)
{
	const struct mig_node *source = find_node(topology, from);
	const struct mig_node *target = find_node(topology, to);

	if (!source || !target)
		return 0;
	/* The one node of a kernel without NUMA. */
	if (!topology->has_directory)
		return 10;
	return source->distances ? source->distances[target - topology->nodes] : 0;
}

const char *mig_topology_get_cpulist(const struct mig_topology *topology, int node)
{
	const struct mig_node *found = find_node(topology, node);

	return found ? found->cpulist : "";
}

int mig_topology_get_node_of_cpu(const struct mig_topology *topology, unsigned int cpu)
{
	return topology ? mig_cpu_ranges_find(&topology->cpus, cpu) : MIG_NO_NODE;
}

int mig_topology_get_tier(const struct mig_topology *topology, int node)
{
	const struct mig_node *found = find_node(topology, node);

	return found ? found->tier : -1;
}

int mig_topology_read_memory(const struct mig_topology *topology, int node,
			     struct mig_node_memory *ret_memory)
{
	if (!topology || !ret_memory)
		return -EINVAL;
	if (!find_node(topology, node))
		return -ENODEV;
	return mig_node_read_memory(topology->context, node, topology->has_directory,
				    ret_memory);
}

int mig_topology_read_huge_pools(const struct mig_topology *topology, int node,
				 struct mig_huge_pool *pools, size_t nr_pools,
				 size_t *ret_count)
{
	if (!topology || (!pools && nr_pools) || !ret_count)
		return -EINVAL;
	if (!find_node(topology, node))
		return -ENODEV;
	return mig_node_read_pools(topology->context, node, topology->has_directory,
				   pools, nr_pools, ret_count);
}

int mig_topology_read_performance(const struct mig_topology *topology, int node,
				  struct mig_node_performance *ret_performance)
{
	if (!topology || !ret_performance)
		return -EINVAL;
	if (!find_node(topology, node))
		return -ENODEV;
	return mig_node_read_performance(topology->context, node, ret_performance);
}

struct mig_context *mig_topology_get_context(const struct mig_topology *topology)
{
	return topology->context;
}

int mig_topology_get_only_node(const struct mig_topology *topology)
{
	const struct mig_nodeset *memory =
		mig_topology_get_nodes(topology, MIG_NODES_MEMORY);

	if (mig_nodeset_count(memory) != 1)
		return MIG_NO_NODE;
	return mig_nodeset_next(memory, MIG_NO_NODE);
}
