/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Move all memory of a process from some nodes to others, as migratepages(8) does,
 * and say what stayed.
 *
 * Usage: migrate_nodes [PID FROM TO]    as in: migrate_nodes 4242 0-1 2-3
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmigrate.h>

/* Return: the process number, -1 if that is none. */
static pid_t parse_pid(const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	return end == text || *end || pid < 1 || pid > INT_MAX ? -1 : (pid_t)pid;
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

static int migrate(struct mig_context *context, const struct mig_topology *topology,
		   pid_t pid, const char *from_text, const char *to_text)
{
	struct mig_nodeset from, to;
	struct mig_migration migration;
	int r;

	r = mig_nodeset_parse(topology, from_text, strlen(from_text), &from);
	if (r < 0)
		return complain(from_text, r);
	r = mig_nodeset_parse(topology, to_text, strlen(to_text), &to);
	if (r < 0)
		return complain(to_text, r);
	r = mig_nodes_migrate(context, pid, &from, &to, &migration);
	if (r < 0)
		return complain("cannot migrate", r);
	printf("%" PRIu64 " pages were on nodes %s, %" PRIu64 " are still there\n",
	       migration.before_pages, from_text, migration.left_pages);
	/* The kernel's own count would leave out what it skipped. */
	if (migration.error)
		printf("it stopped half-way: %s\n", strerror(migration.error));
	return 0;
}

int main(int argc, char *argv[])
{
	struct mig_context *context = NULL;
	struct mig_topology *topology = NULL;
	int r;

	if (argc != 1 && argc != 4) {
		fprintf(stderr, "usage: %s [PID FROM TO]\n", argv[0]);
		return EXIT_FAILURE;
	}
	r = mig_context_new(NULL, &context);
	if (!r)
		r = mig_topology_new(context, &topology);
	if (r < 0)
		complain("cannot look at this machine", r);
	else if (argc == 4)
		r = migrate(context, topology, parse_pid(argv[1]), argv[2], argv[3]);
	else
		r = migrate(context, topology, 0, "all", "0");
	mig_topology_free(topology);
	mig_context_free(context);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
