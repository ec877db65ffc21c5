/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Move all memory of a process to some nodes, and say what stayed and why.
 *
 * Usage: move_process [PID [NODES]]    as in: move_process 4242 2-3
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmigrate.h>

/* Return: the process number, -1 if that is none. */
static pid_t parse_pid(const char *text)
{
	char *end;
	long pid = strtol(text, &end, 10);

	return end == text || *end || pid < 1 || pid > INT_MAX ? -1 : (pid_t)pid;
}

static void print_outcome(const struct mig_outcome *outcome)
{
	const struct mig_totals *totals = mig_outcome_get_totals(outcome);
	const struct mig_left *left;

	printf("%" PRIu64 " pages: %" PRIu64 " moved, %" PRIu64
	       " were there already, %" PRIu64 " skipped, %" PRIu64 " left, %" PRIu64
	       " gone\n",
	       totals->considered_pages, totals->moved_pages, totals->already_pages,
	       totals->skipped_pages, totals->left_pages, totals->gone_pages);
	for (size_t i = 0; (left = mig_outcome_get_left(outcome, i)); i++)
		printf("  %" PRIu64 " left: %s\n", left->nr_pages,
		       mig_reason_get_text(left->reason));
}

int main(int argc, char *argv[])
{
	pid_t pid = argc > 1 ? parse_pid(argv[1]) : getpid();
	const char *text = argc > 2 ? argv[2] : "0";
	struct mig_nodeset to;
	const struct mig_placement_options rule = { .size = sizeof(rule), .to = &to };
	struct mig_context *context = NULL;
	struct mig_topology *topology = NULL;
	struct mig_target *target = NULL;
	struct mig_placement *placement = NULL;
	struct mig_plan *plan = NULL;
	struct mig_outcome *outcome = NULL;
	const struct mig_finding *finding;
	int r;

	/* Each step is left out once one has failed. */
	r = mig_context_new(NULL, &context);
	r = r ? r : mig_topology_new(context, &topology);
	r = r ? r : mig_nodeset_parse(topology, text, strlen(text), &to);
	r = r ? r : mig_target_new(context, &target);
	r = r ? r : mig_target_add_pid(target, pid);
	r = r ? r : mig_placement_new(topology, &rule, &placement);
	r = r ? r : mig_plan_new(target, topology, placement, NULL, &plan);
	finding = r ? NULL : mig_plan_get_finding(plan, 0);
	if (finding && finding->refuses)
		r = finding->code == MIG_FINDING_NO_ROOM ? -ENOMEM : -EPERM;
	r = r ? r : mig_plan_run(plan, NULL, &outcome);
	if (r < 0)
		fprintf(stderr, "cannot move process %d: %s\n", (int)pid, strerror(-r));
	else
		print_outcome(outcome);
	mig_outcome_free(outcome);
	mig_plan_free(plan);
	mig_placement_free(placement);
	mig_target_free(target);
	mig_topology_free(topology);
	mig_context_free(context);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
