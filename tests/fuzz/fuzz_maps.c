/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "fuzz.h"
#include "maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_maps_line line;

	if (mig_maps_parse(text, &line) < 0)
		return 0;
	CHECK(line.start < line.end);
	CHECK(strlen(line.permissions) == 4);
	CHECK(line.name.at + line.name.length == text.at + text.length);
	CHECK(line.name.length < size);
	return 0;
}
