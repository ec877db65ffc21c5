/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup_args.h"
#include "drain.h"
#include "handles.h"
#include "message.h"

static int open_fence(const struct drain *drain, const char *name,
		      struct drain_fences *fences)
{
	struct drain_fence *all =
		reallocarray(fences->fences, fences->nr + 1, sizeof(*all));
	struct mig_cgroup *cgroup;
	int status;

	if (!all)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "'%s'", name);
	fences->fences = all;
	status = cgroup_open(&drain->move.machine, NULL, name, &cgroup);
	if (!status)
		all[fences->nr++] = (struct drain_fence){ .cgroup = cgroup };
	return status;
}

int drain_fences_open(const struct drain *drain, struct drain_fences *ret_fences)
{
	struct drain_fences fences = { 0 };
	CLEANUP_FREE char *names = NULL;
	int status = STATUS_OK;

	*ret_fences = fences;
	if (!drain->args->fence)
		return STATUS_OK;
	names = strdup(drain->args->fence);
	if (!names)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "--fence");
	for (char *rest = names, *name; !status && (name = strsep(&rest, ","));)
		status = open_fence(drain, name, &fences);
	if (status)
		drain_fences_close(&fences);
	*ret_fences = fences;
	return status;
}

static int set_fence(const struct drain *drain, struct drain_fence *fence)
{
	const char *path = mig_cgroup_get_path(fence->cgroup);
	struct mig_nodeset mems, before;
	int r = mig_cgroup_read_mems(fence->cgroup, NULL, &mems);

	/* Without a cpuset of its own it may use what its parent's has. */
	if (r == -ENODATA) {
		mems = *mig_topology_get_nodes(drain->move.machine.topology,
					       MIG_NODES_MEMORY);
		r = 0;
	}
	before = mems;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (mig_nodeset_has(&drain->nodes, node))
			mig_nodeset_remove(&mems, node);
	if (!r && mig_nodeset_is_equal(&mems, &before))
		return STATUS_OK;
	if (!r)
		r = mig_cpuset_bind(fence->cgroup, drain->move.machine.topology, &mems, 0,
				    &fence->change);
	return r < 0 ? message_failure(SUBJECT_CPUSET, r,
				       "cannot keep cgroup '%s' off %s", path,
				       drain->name)
		     : STATUS_OK;
}

int drain_fences_set(const struct drain *drain, struct drain_fences *fences)
{
	int status = STATUS_OK;

	for (size_t i = 0; !status && i < fences->nr; i++)
		status = set_fence(drain, &fences->fences[i]);
	if (status)
		drain_fences_end(fences, false);
	return status;
}

int drain_fences_end(struct drain_fences *fences, bool keep)
{
	int status = STATUS_OK;

	for (size_t i = 0; i < fences->nr; i++) {
		struct drain_fence *fence = &fences->fences[i];
		int r = 0;

		if (keep)
			mig_cpuset_keep(STEAL(fence->change));
		else
			r = mig_cpuset_undo(STEAL(fence->change));
		if (r < 0)
			status = message_failure(SUBJECT_CPUSET, r,
						 "cannot undo the fence of cgroup '%s'",
						 mig_cgroup_get_path(fence->cgroup));
	}
	return status;
}

void drain_fences_close(struct drain_fences *fences)
{
	for (size_t i = 0; i < fences->nr; i++)
		mig_cgroup_free(fences->fences[i].cgroup);
	free(fences->fences);
	*fences = (struct drain_fences){ 0 };
}
