/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Move a buffer of this program to a node, and say what became of each page.
 *
 * Usage: move_pages [NODE]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmigrate.h>

#define NR_PAGES 100

static const char *const results[] = {
	[MIG_PAGE_MOVED] = "on the node",         [MIG_PAGE_FAILED] = "failed",
	[MIG_PAGE_UNTRIED] = "not tried",         [MIG_PAGE_ABSENT] = "not there",
	[MIG_PAGE_SHARED] = "shared with others",
};

/* Return: the node, MIG_NO_NODE if that is no number of one. */
static int parse_node(const char *text)
{
	char *end;
	long node = strtol(text, &end, 10);

	return end == text || *end || node < 0 || node >= MIG_MAX_NODES ? MIG_NO_NODE
									: (int)node;
}

static void print_results(const struct mig_page *pages, int node)
{
	size_t counts[sizeof(results) / sizeof(*results)] = { 0 };

	for (size_t i = 0; i < NR_PAGES; i++)
		counts[pages[i].result]++;
	printf("%d pages to node %d:\n", NR_PAGES, node);
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++)
		if (counts[i])
			printf("  %3zu %s\n", counts[i], results[i]);
}

int main(int argc, char *argv[])
{
	int node = argc > 1 ? parse_node(argv[1]) : 0;
	struct mig_page pages[NR_PAGES] = { { 0 } };
	struct mig_context *context = NULL;
	size_t page_size, moved = 0;
	char *buffer;
	int r;

	r = mig_context_new(NULL, &context);
	if (r < 0) {
		fprintf(stderr, "cannot use libmigrate: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	page_size = mig_context_get_page_size(context);
	buffer = aligned_alloc(page_size, NR_PAGES * page_size);
	if (!buffer) {
		fprintf(stderr, "no memory\n");
		mig_context_free(context);
		return EXIT_FAILURE;
	}
	/* A page is somewhere only once it was written to. */
	memset(buffer, 1, NR_PAGES * page_size);
	for (size_t i = 0; i < NR_PAGES; i++)
		pages[i].address = (uintptr_t)(buffer + i * page_size);
	r = mig_pages_move(context, 0, pages, NR_PAGES, node, 0, &moved);
	if (r < 0)
		fprintf(stderr, "cannot move to node %d: %s\n", node, strerror(-r));
	else
		print_results(pages, node);
	free(buffer);
	mig_context_free(context);
	return r < 0 || moved < NR_PAGES ? EXIT_FAILURE : EXIT_SUCCESS;
}
