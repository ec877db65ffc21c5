/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Print how much of each file below a directory is cached, and on which nodes.
 *
 * Usage: show_files [DIRECTORY]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmigrate.h>

/* One call at a time, but from any thread. */
static int print_file(void *data, const struct mig_file_cache *cache)
{
	uint64_t *total = data;

	if (!cache->cached_pages)
		return 0;
	*total += cache->cached_pages;
	printf("%10" PRIu64 " pages", cache->cached_pages);
	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (cache->node_pages[node])
			printf(", %" PRIu64 " on node %d", cache->node_pages[node], node);
	printf(": %s\n", cache->path);
	return 0;
}

static void print_problem(void *data, const char *path, int error)
{
	(void)data;
	fprintf(stderr, "%s: %s\n", path, strerror(-error));
}

int main(int argc, char *argv[])
{
	const char *directory = argc > 1 ? argv[1] : ".";
	const struct mig_files_options options = {
		.size = sizeof(options),
		.problem = print_problem,
	};
	struct mig_context *context = NULL;
	struct mig_topology *topology = NULL;
	struct mig_files *files = NULL;
	uint64_t total = 0;
	int r;

	r = mig_context_new(NULL, &context);
	if (!r)
		r = mig_topology_new(context, &topology);
	if (!r)
		r = mig_files_new(context, &options, &files);
	if (!r)
		r = mig_files_add_path(files, directory, MIG_FILES_RECURSE);
	if (!r)
		r = mig_files_look(files, topology, print_file, &total);
	if (r < 0)
		fprintf(stderr, "cannot look at files: %s\n", strerror(-r));
	else
		printf("%10" PRIu64 " pages in all\n", total);
	mig_files_free(files);
	mig_topology_free(topology);
	mig_context_free(context);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
