/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "libmigrate.h"
#include "meminfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_meminfo meminfo;

	if (mig_meminfo_parse(text, &meminfo) < 0)
		return 0;
	/* Whole kibibytes, or not known. */
	CHECK(meminfo.total_bytes == MIG_UNKNOWN_BYTES ||
	      meminfo.total_bytes % 1024 == 0);
	CHECK(meminfo.free_bytes == MIG_UNKNOWN_BYTES || meminfo.free_bytes % 1024 == 0);
	return 0;
}
