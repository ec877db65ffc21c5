/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "zoneinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_zone_room room = { .node = 1 };

	while (text.length)
		if (mig_zone_room_take_line(&room, mig_text_take_line(&text)) < 0)
			return 0;
	CHECK(room.found || !room.room_pages);
	return 0;
}
