/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_RESIDENCY_H
#define MIG_RESIDENCY_H

#include "libmigrate.h"

/**
 * mig_residency_add_mapping - count one mapping's resident pages
 * Errors: -ENOMEM: nothing was counted.
 */
int mig_residency_add_mapping(struct mig_residency *residency,
			      const struct mig_mapping *mapping);

/** mig_residency_add_pages - count pages on one node. Errors: -ENOMEM. */
int mig_residency_add_pages(struct mig_residency *residency, int node, enum mig_kind kind,
			    uint64_t nr_pages);

/** mig_residency_merge - add another account. Errors: -ENOMEM: nothing was added. */
int mig_residency_merge(struct mig_residency *residency,
			const struct mig_residency *added);

/** mig_residency_add_swapped - count what /proc/PID/status says is swapped out. */
int mig_residency_add_swapped(struct mig_residency *residency,
			      const struct mig_process *process);

/**
 * mig_residency_add_next - as mig_residency_add_process(), of one after the other
 * @mappings: see mig_mappings_reopen()
 */
int mig_residency_add_next(struct mig_residency *residency,
			   const struct mig_topology *topology,
			   const struct mig_process *process,
			   struct mig_mappings **mappings);

#endif
