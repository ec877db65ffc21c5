/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of /proc/PID/maps. */
#ifndef MIG_MAPS_H
#define MIG_MAPS_H

#include "text.h"

struct mig_maps_line {
	uint64_t start;
	uint64_t end;
	char permissions[5];
	uint64_t file_offset_bytes;
	uint32_t device_major;
	uint32_t device_minor;
	uint64_t inode;
	struct mig_text name; /**< borrowed from the line; "" for anonymous memory */
};

/** mig_maps_parse - Errors: -EBADMSG: not such a line, or an empty or backward range. */
int mig_maps_parse(struct mig_text line, struct mig_maps_line *ret_line);

#endif
