/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIG_TARGET_H
#define MIG_TARGET_H

#include "libmigrate.h"

/** mig_target_get_files - those of mig_target_add_files(); NULL: none. */
struct mig_files *mig_target_get_files(const struct mig_target *target);

#endif
