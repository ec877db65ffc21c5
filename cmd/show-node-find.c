/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-node --by=process and --by=cgroup: who holds memory of the nodes. */
#include <errno.h>
#include <stdlib.h>

#include "command.h"
#include "handles.h"
#include "message.h"
#include "show-node.h"

/* ---- Processes ---- */

/* Most have too little to be shown: only the others' names are read. */
static int add_process(void *data, const struct mig_holder *holder)
{
	struct holders *holders = data;
	const struct shown_nodes *nodes = holders->nodes;
	uint64_t pid = (uint64_t)mig_holder_get_pid(holder);
	uint64_t node_bytes[MIG_MAX_NODES];
	char name[64];
	int r;

	for (size_t i = 0; i < nodes->count; i++)
		node_bytes[i] = mig_holder_get_node_bytes(holder, nodes->numbers[i]);
	if (holders_pass_over(holders, pid, node_bytes))
		return 0;
	r = mig_holder_read_name(holder, name, sizeof(name));
	if (r < 0)
		return r == -ESRCH ? 0 : r;
	return holders_add(holders, name, NULL, pid, node_bytes);
}

int show_node_find_processes(const struct machine *machine, struct holders *holders)
{
	struct mig_holders_counts counts;
	int r = mig_holders_look(machine->topology, add_process, holders, &counts);

	if (r < 0)
		return message_failure(SUBJECT_MEMORY, r, "cannot look at all processes");
	holders->nr_denied = counts.nr_denied;
	holders->nr_looked_at = counts.nr_looked_at;
	if (!holders->nr_denied)
		return STATUS_OK;
	message_failure(SUBJECT_MEMORY, -EACCES, "%zu of %zu processes are missing",
			(size_t)holders->nr_denied, (size_t)holders->nr_looked_at);
	return STATUS_PARTLY;
}

/* ---- Cgroups ---- */

/* What is charged to a cgroup with all below it. */
struct charged {
	struct holders *holders;
	uint64_t *below_bytes; /**< of the cgroup whose children are visited */
	uint64_t nr_known;     /**< that the kernel has an account of */
	int error;
};

static const enum mig_charge charges_apart[] = { MIG_CHARGE_ANON, MIG_CHARGE_FILE,
						 MIG_CHARGE_SHMEM, MIG_CHARGE_KERNEL };

/* Return: whether there is an account. */
static bool read_charged(struct charged *charged, const struct mig_cgroup *cgroup,
			 uint64_t *ret_bytes)
{
	CLEANUP_MIG(charges) struct mig_charges *charges = NULL;
	const struct shown_nodes *nodes = charged->holders->nodes;
	int r = mig_charges_read(cgroup, &charges);

	/* It was removed, or is accounted for with one above. */
	if (r == -ENODEV || r == -ENODATA)
		return false;
	if (r < 0) {
		charged->holders->nr_denied++;
		charged->error = r;
		return false;
	}
	for (size_t i = 0; i < nodes->count; i++) {
		ret_bytes[i] = 0;
		for (size_t j = 0; j < ARRAY_SIZE(charges_apart); j++) {
			uint64_t bytes = mig_charges_get_bytes(charges, nodes->numbers[i],
							       charges_apart[j]);

			if (bytes != MIG_UNKNOWN_BYTES)
				ret_bytes[i] += bytes;
		}
	}
	charged->nr_known++;
	return true;
}

static int add_cgroup(void *data, struct mig_cgroup *cgroup);

/* Its own share: without what is charged to those below it. */
static int add_own(struct charged *charged, struct mig_cgroup *cgroup, uint64_t *bytes,
		   const uint64_t *below)
{
	for (size_t i = 0; i < charged->holders->nodes->count; i++)
		bytes[i] = known_rest(bytes[i], below[i]);
	return holders_add(charged->holders, mig_cgroup_get_path(cgroup), NULL, 0, bytes);
}

static int add_cgroup(void *data, struct mig_cgroup *cgroup)
{
	struct charged *charged = data;
	size_t nr_nodes = charged->holders->nodes->count;
	CLEANUP_FREE uint64_t *bytes = calloc(nr_nodes, 2 * sizeof(*bytes));
	uint64_t *above_bytes = charged->below_bytes;
	bool is_known;
	int r;

	if (!bytes)
		return -ENOMEM;
	charged->holders->nr_looked_at++;
	is_known = read_charged(charged, cgroup, bytes);
	if (is_known && above_bytes)
		for (size_t i = 0; i < nr_nodes; i++)
			above_bytes[i] += bytes[i];
	charged->below_bytes = bytes + nr_nodes;
	r = mig_cgroup_visit_children(cgroup, add_cgroup, charged);
	charged->below_bytes = above_bytes;
	if (r == -EACCES) {
		charged->holders->nr_denied++;
		charged->error = r;
	} else if (r < 0 && r != -ENODEV) {
		return r;
	}
	return is_known ? add_own(charged, cgroup, bytes, bytes + nr_nodes) : 0;
}

int show_node_find_cgroups(const struct machine *machine, struct holders *holders)
{
	CLEANUP_MIG(cgroup) struct mig_cgroup *root = NULL;
	struct charged charged = { .holders = holders };
	int r = mig_cgroup_open(machine->context, "/", &root);

	if (!r)
		r = add_cgroup(&charged, root);
	if (r < 0)
		return message_failure(SUBJECT_CGROUP, r, "cannot look at all cgroups");
	if (!charged.nr_known && !charged.error) {
		message_error("no cgroup has a memory controller: what is charged to "
			      "them is not known");
		return STATUS_UNSUPPORTED;
	}
	if (!holders->nr_denied)
		return STATUS_OK;
	message_failure(SUBJECT_CGROUP, charged.error, "%zu of %zu cgroups are missing",
			(size_t)holders->nr_denied, (size_t)holders->nr_looked_at);
	return STATUS_PARTLY;
}
