/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bind memory to a node, with the pages that it has already, and believe nothing but
 * what is read back.
 *
 * Usage: bind_range [NODE]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmigrate.h>

#define LENGTH ((size_t)1 << 20)

/* Return: the node, MIG_NO_NODE if that is no number of one. */
static int parse_node(const char *text)
{
	char *end;
	long node = strtol(text, &end, 10);

	return end == text || *end || node < 0 || node >= MIG_MAX_NODES ? MIG_NO_NODE
									: (int)node;
}

static int bind_to(struct mig_context *context, void *memory, int node)
{
	struct mig_nodeset nodes = { { 0 } };
	struct mig_binding binding;
	char text[64];
	int r;

	mig_nodeset_add(&nodes, node);
	r = mig_range_bind(context, memory, LENGTH, MIG_POLICY_BIND, &nodes,
			   MIG_BIND_MOVE, &binding);
	if (r < 0) {
		fprintf(stderr, "cannot bind to node %d: %s\n", node, strerror(-r));
		return r;
	}
	mig_nodeset_format(&binding.nodes, text, sizeof(text));
	printf("bound to node %s: %" PRIu64 " pages are resident, %" PRIu64
	       " of them elsewhere\n",
	       text, binding.resident_pages, binding.misplaced_pages);
	return binding.misplaced_pages ? 1 : 0;
}

int main(int argc, char *argv[])
{
	int node = argc > 1 ? parse_node(argv[1]) : 0;
	struct mig_context *context = NULL;
	char *memory;
	int r;

	r = mig_context_new(NULL, &context);
	if (r < 0) {
		fprintf(stderr, "cannot use libmigrate: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	memory = aligned_alloc(mig_context_get_page_size(context), LENGTH);
	if (memory) {
		/* Half of it is somewhere now; the rest will come to the node. */
		memset(memory, 1, LENGTH / 2);
		r = bind_to(context, memory, node);
	} else {
		fprintf(stderr, "no memory\n");
		r = -1;
	}
	free(memory);
	mig_context_free(context);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
