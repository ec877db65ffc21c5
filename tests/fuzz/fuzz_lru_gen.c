/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "lru_gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_lru_gen gen = { 0 };
	size_t left = size;
	int r;

	while ((r = mig_lru_gen_next(&text, &gen)) > 0) {
		CHECK(gen.has_pages);
		CHECK(text.length < left);
		left = text.length;
	}
	CHECK(r < 0 || !text.length);
	return 0;
}
