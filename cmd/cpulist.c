/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpulist.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

/* As many as make the short form the shorter one. */
#define MIN_STEPS 4

/* The CPU that stands alone at the front; false: a range does, or nothing. */
static bool get_single(const char *list, uint64_t *ret_cpu)
{
	return !number_parse(list, strcspn(list, ","), ret_cpu);
}

static const char *get_next(const char *list)
{
	list += strcspn(list, ",");
	return *list ? list + 1 : list;
}

/* CPUs at the front that stand alone and at equal distances.
 * Return: how many; *ret_last and *ret_step are set from 2 on. */
static size_t count_steps(const char *list, uint64_t *ret_last, uint64_t *ret_step)
{
	uint64_t last, cpu, step = 0;
	size_t count = 1;

	if (!get_single(list, &last))
		return 0;
	for (list = get_next(list); get_single(list, &cpu) && cpu > last;
	     list = get_next(list)) {
		if (step && cpu - last != step)
			break;
		step = cpu - last;
		last = cpu;
		count++;
	}
	*ret_last = last;
	*ret_step = step;
	return count;
}

char *cpulist_shorten(const char *list)
{
	char *text = malloc(strlen(list) + 1);
	char *at = text;

	if (!text)
		return NULL;
	while (*list) {
		uint64_t last = 0, step = 0;
		size_t length = strcspn(list, ",");
		size_t count = count_steps(list, &last, &step);

		memcpy(at, list, length);
		at += length;
		/* "0-6:2" is shorter than "0,2,4,6", so there is room. */
		if (count >= MIN_STEPS) {
			at += sprintf(at, "-%" PRIu64 ":%" PRIu64, last, step);
			while (count-- > 1)
				list = get_next(list);
		}
		list = get_next(list);
		if (*list)
			*at++ = ',';
	}
	*at = '\0';
	return text;
}
