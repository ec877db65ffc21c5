/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nodes named by what is attached to them: "netdev:eth0", "pci:3b:00.0", ... */
#ifndef MIG_DEVICE_H
#define MIG_DEVICE_H

#include "libmigrate.h"
#include "text.h"

/** mig_device_is_named - whether @text begins as the name of a device. */
bool mig_device_is_named(struct mig_text text);

/**
 * mig_device_find_nodes - the node that a device is attached to
 * @text: the whole of it is a device, as "netdev:eth0"
 *
 * Errors: -EINVAL: not the name of such a device; -EXDEV: the root is not "/";
 * -ENOENT: there is no such device or it has no node; -ENODEV: its node is not
 * online.
 */
int mig_device_find_nodes(const struct mig_topology *topology, struct mig_text text,
			  struct mig_nodeset *ret_set);

#endif
