/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "kmsg.h"

#include <string.h>

#define FIRST_FRAME UINT64_C(0x100000)
#define END_FRAME UINT64_C(0x108000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_kmsg_scan scan = { .first_frame = FIRST_FRAME,
				      .end_frame = END_FRAME };

	mig_kmsg_scan_take(&scan, (struct mig_text){ (const char *)data, size });
	CHECK(memchr(scan.name, '\0', sizeof(scan.name)));
	if (scan.obstacle == MIG_OBSTACLE_UNKNOWN)
		return 0;
	CHECK(scan.frame >= FIRST_FRAME && scan.frame < END_FRAME);
	return 0;
}
