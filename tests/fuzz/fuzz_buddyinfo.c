/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "buddyinfo.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	const char *end = text.at + size;

	while (text.length) {
		struct mig_buddyinfo_line line;
		uint64_t pages = 0;

		if (mig_buddyinfo_parse(mig_text_take_line(&text), &line) < 0)
			continue;
		CHECK(line.node >= 0 && line.node < MIG_MAX_NODES);
		CHECK(line.nr_orders && line.nr_orders <= MIG_MOST_ORDERS);
		CHECK(line.zone.length && line.zone.at + line.zone.length <= end);
		for (unsigned int order = 0; order < line.nr_orders; order++)
			pages += line.nr_free[order] << order;
		CHECK(pages <= UINT64_C(1) << 40);
	}
	return 0;
}
