/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "options_struct.h"

#include <errno.h>
#include <string.h>

int mig_options_copy(void *known, size_t known_size, const void *given)
{
	const unsigned char *bytes = given;
	size_t given_size;

	if (!given)
		return 0;
	memcpy(&given_size, given, sizeof(given_size));
	if (given_size < sizeof(given_size))
		return -EINVAL;
	for (size_t i = known_size; i < given_size; i++)
		if (bytes[i])
			return -E2BIG;
	memcpy(known, given, given_size < known_size ? given_size : known_size);
	return 0;
}
