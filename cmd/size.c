/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "number.h"

static const char units[] = "KMGTPE";

/* What stands behind the number: "", "B", "K", "KiB" or "KB". */
static int parse_unit(const char *text, size_t length, uint64_t *ret_unit)
{
	uint64_t base = 1024, unit = 1;
	const char *letter;

	if (!length || (length == 1 && tolower(text[0]) == 'b')) {
		*ret_unit = 1;
		return 0;
	}
	letter = strchr(units, toupper(text[0]));
	if (!letter || !*letter)
		return -EINVAL;
	if (length == 2 && tolower(text[1]) == 'b')
		base = 1000;
	else if (length != 1 &&
		 !(length == 3 && tolower(text[1]) == 'i' && tolower(text[2]) == 'b'))
		return -EINVAL;
	for (const char *at = units; at <= letter; at++)
		unit *= base;
	*ret_unit = unit;
	return 0;
}

int size_parse(const char *text, size_t length, uint64_t *ret_bytes)
{
	struct decimal decimal;
	uint64_t unit;
	size_t used;
	int r;

	r = number_take_decimal(text, length, &decimal, &used);
	if (r < 0)
		return r;
	r = parse_unit(text + used, length - used, &unit);
	if (r < 0)
		return r;
	if (unit == 1 && decimal.scale > 1)
		return -EINVAL;
	return number_multiply(&decimal, unit, ret_bytes);
}

/* Behind what is there. Return: the end. */
static char *put_number(char *at, uint64_t number)
{
	char digits[20];
	size_t nr = 0;

	do
		digits[nr++] = (char)('0' + number % 10);
	while (number /= 10);
	while (nr)
		*at++ = digits[--nr];
	return at;
}

const char *size_format(uint64_t bytes, char buffer[static SIZE_TEXT_SIZE])
{
	unsigned int shift = 0, letter = 0;
	char *at = buffer;
	uint64_t tenths;

	/* Without printf(3): large tables are mostly sizes. */
	if (bytes < 1024) {
		at = put_number(at, bytes);
		if (bytes)
			*at++ = 'B';
		*at = '\0';
		return buffer;
	}
	while (bytes >> shift >= 1024)
		shift += 10;
	/* Rounding may reach the next unit: 1023.99M is 1G. */
	for (;;) {
		uint64_t half = 1ULL << (shift - 1);
		uint64_t rest = bytes & ((1ULL << shift) - 1);
		uint64_t whole = bytes >> shift;

		tenths = whole * 10 + ((rest >> (shift - 10)) * 10 + 512) / 1024;
		if (tenths >= 1000)
			tenths = (whole + (rest >= half)) * 10;
		letter = shift / 10 - 1;
		if (tenths < 10240 || shift == 60)
			break;
		shift += 10;
	}
	at = put_number(at, tenths / 10);
	if (tenths % 10) {
		*at++ = '.';
		at = put_number(at, tenths % 10);
	}
	*at++ = units[letter];
	*at = '\0';
	return buffer;
}
