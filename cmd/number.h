/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What users write for numbers. Every parser takes a buffer and a length, reads all
 * of it or refuses: -EINVAL: it is not that at all, or something stands behind it;
 * -ERANGE: more than fits.
 */
#ifndef MIGRATECTL_NUMBER_H
#define MIGRATECTL_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include <libmigrate.h>

/** number_parse - decimal digits, no sign */
int number_parse(const char *text, size_t length, uint64_t *ret_number);

/** number_parse_percent - 0 to 100, with or without "%" */
int number_parse_percent(const char *text, size_t length, unsigned int *ret_percent);

/**
 * number_parse_range - START-END in hexadecimal with or without 0x
 * Errors: beside the common ones -EDOM: END is not above START.
 */
int number_parse_range(const char *text, size_t length,
		       struct mig_address_range *ret_range);

/** What stands before a unit: @whole and @fraction / @scale. */
struct decimal {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale;
};

/**
 * number_take_decimal - "12" or "1.5" from the front
 * @ret_used: how many bytes of @text it takes
 * Errors: -EINVAL: no digit before or behind the point; -ERANGE: more than 64 bits or
 * than 9 digits of fraction.
 */
int number_take_decimal(const char *text, size_t length, struct decimal *ret_decimal,
			size_t *ret_used);

/** number_multiply - a decimal in units of @unit, cut off. Errors: -ERANGE. */
int number_multiply(const struct decimal *decimal, uint64_t unit, uint64_t *ret_product);

#endif
