/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleanup for the library's own handles: CLEANUP_MIG(plan) struct mig_plan *plan. */
#ifndef MIG_HANDLES_H
#define MIG_HANDLES_H

#include "cleanup.h"
#include "libmigrate.h"

DEFINE_CLEANUP(context)
DEFINE_CLEANUP(topology)
DEFINE_CLEANUP(process)
DEFINE_CLEANUP(target)
DEFINE_CLEANUP(files)
DEFINE_CLEANUP(mappings)
DEFINE_CLEANUP(residency)
DEFINE_CLEANUP(cgroup)
DEFINE_CLEANUP(charges)
DEFINE_CLEANUP(memory_blocks)
DEFINE_CLEANUP(zones)
DEFINE_CLEANUP(placement)
DEFINE_CLEANUP(plan)
DEFINE_CLEANUP(outcome)

#endif
