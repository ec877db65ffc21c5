/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "duration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "", NS_PER_S },         { "ns", 1 },       { "us", NS_PER_US },
	{ "ms", NS_PER_MS },      { "s", NS_PER_S }, { "m", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
};

int duration_parse(const char *text, size_t length, uint64_t *ret_ns)
{
	struct decimal decimal;
	size_t used;
	int r;

	r = number_take_decimal(text, length, &decimal, &used);
	if (r < 0)
		return r;
	text += used;
	length -= used;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == length &&
		    !memcmp(units[i].name, text, length))
			return number_multiply(&decimal, units[i].ns, ret_ns);
	return -EINVAL;
}

const char *duration_format(uint64_t ns, char buffer[static DURATION_TEXT_SIZE])
{
	uint64_t seconds = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2);

	if (!ns)
		snprintf(buffer, DURATION_TEXT_SIZE, "0s");
	else if (ns < NS_PER_MS)
		snprintf(buffer, DURATION_TEXT_SIZE, "%uus",
			 (unsigned int)(ns / NS_PER_US));
	else if (ns < NS_PER_S)
		snprintf(buffer, DURATION_TEXT_SIZE, "%ums",
			 (unsigned int)(ns / NS_PER_MS));
	else if (ns < 10 * NS_PER_S && ns % NS_PER_S >= 100 * NS_PER_MS)
		snprintf(buffer, DURATION_TEXT_SIZE, "%u.%us",
			 (unsigned int)(ns / NS_PER_S),
			 (unsigned int)(ns % NS_PER_S / (100 * NS_PER_MS)));
	else if (seconds < 60)
		snprintf(buffer, DURATION_TEXT_SIZE, "%us", (unsigned int)seconds);
	else if (seconds < 3600)
		snprintf(buffer, DURATION_TEXT_SIZE, "%um%02us",
			 (unsigned int)(seconds / 60), (unsigned int)(seconds % 60));
	else
		snprintf(buffer, DURATION_TEXT_SIZE, "%uh%02um",
			 (unsigned int)(seconds / 3600),
			 (unsigned int)(seconds / 60 % 60));
	return buffer;
}
