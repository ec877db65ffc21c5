/* SPDX-License-Identifier: GPL-2.0-or-later */
/* numactl's grammar of nodes, over a machine with gaps. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "libmigrate.h"

/* Made once: the captured machine is read, not the one that this runs on. */
static struct mig_topology *machine(void)
{
	static struct mig_topology *topology;
	struct mig_context_options options = { .size = sizeof(options) };
	struct mig_context *context;

	if (topology)
		return topology;
	options.root_path = FUZZ_SYSROOT;
	CHECK(!mig_context_new(&options, &context));
	CHECK(!mig_topology_new(context, &topology));
	return topology;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_nodeset nodes, again;
	char text[8192];
	size_t length;

	if (mig_nodeset_parse(machine(), (const char *)data, size, &nodes) < 0)
		return 0;
	CHECK(mig_nodeset_count(&nodes) > 0);
	CHECK(mig_nodeset_is_subset(&nodes,
				    mig_topology_get_nodes(machine(), MIG_NODES_ONLINE)));
	/* What is written reads as the same set. */
	length = mig_nodeset_format(&nodes, text, sizeof(text));
	CHECK(length < sizeof(text));
	CHECK(!mig_nodeset_parse(machine(), text, length, &again));
	CHECK(mig_nodeset_is_equal(&nodes, &again));
	return 0;
}
