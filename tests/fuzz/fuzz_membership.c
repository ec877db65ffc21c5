/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"
#include "membership.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mig_text text = { .at = (const char *)data, .length = size };
	struct mig_membership membership;

	if (mig_membership_parse(text, &membership) < 0)
		return 0;
	for (size_t i = 0; i < MIG_NR_HIERARCHIES; i++) {
		struct mig_text path = membership.paths[i];

		/* Empty, or a path within what was given. */
		CHECK(!path.length || (*path.at == '/' && path.at >= text.at &&
				       path.at + path.length <= text.at + size));
	}
	return 0;
}
