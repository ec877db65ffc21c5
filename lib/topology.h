/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_TOPOLOGY_H
#define MIG_TOPOLOGY_H

#include "context.h"

/** mig_topology_get_context - the context that it was made with. Borrowed. */
struct mig_context *mig_topology_get_context(const struct mig_topology *topology);

/** mig_topology_get_only_node - the one node with memory, MIG_NO_NODE if there are more. */
int mig_topology_get_only_node(const struct mig_topology *topology);

#endif
