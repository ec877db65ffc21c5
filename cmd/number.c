/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "number.h"

#include <errno.h>
#include <stdbool.h>

#define FRACTION_DIGITS 9

static int get_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

/* Digits from the front: how many in @ret_used. */
static int take_digits(const char *text, size_t length, unsigned int base,
		       uint64_t *ret_number, size_t *ret_used)
{
	uint64_t number = 0;
	size_t used = 0;

	for (; used < length; used++) {
		int digit = get_digit(text[used]);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, (uint64_t)digit, &number))
			return -ERANGE;
	}
	if (!used)
		return -EINVAL;
	*ret_number = number;
	*ret_used = used;
	return 0;
}

int number_parse(const char *text, size_t length, uint64_t *ret_number)
{
	uint64_t number;
	size_t used;
	int r;

	r = take_digits(text, length, 10, &number, &used);
	if (r < 0)
		return r;
	if (used != length)
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int number_parse_percent(const char *text, size_t length, unsigned int *ret_percent)
{
	uint64_t number;
	int r;

	if (length && text[length - 1] == '%')
		length--;
	r = number_parse(text, length, &number);
	if (r < 0)
		return r;
	if (number > 100)
		return -ERANGE;
	*ret_percent = (unsigned int)number;
	return 0;
}

static int take_address(const char *text, size_t length, uint64_t *ret_address,
			size_t *ret_used)
{
	size_t prefix = 0;
	size_t used;
	int r;

	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		prefix = 2;
	r = take_digits(text + prefix, length - prefix, 16, ret_address, &used);
	if (r < 0)
		return r;
	*ret_used = prefix + used;
	return 0;
}

int number_parse_range(const char *text, size_t length,
		       struct mig_address_range *ret_range)
{
	struct mig_address_range range;
	size_t used, rest;
	int r;

	r = take_address(text, length, &range.start, &used);
	if (r < 0)
		return r;
	if (used == length || text[used] != '-')
		return -EINVAL;
	used++;
	r = take_address(text + used, length - used, &range.end, &rest);
	if (r < 0)
		return r;
	if (used + rest != length)
		return -EINVAL;
	if (range.end <= range.start)
		return -EDOM;
	*ret_range = range;
	return 0;
}

int number_take_decimal(const char *text, size_t length, struct decimal *ret_decimal,
			size_t *ret_used)
{
	struct decimal decimal = { .scale = 1 };
	size_t used, digits;
	int r;

	r = take_digits(text, length, 10, &decimal.whole, &used);
	if (r < 0)
		return r;
	if (used < length && text[used] == '.') {
		used++;
		r = take_digits(text + used, length - used, 10, &decimal.fraction,
				&digits);
		if (r < 0)
			return r;
		if (digits > FRACTION_DIGITS)
			return -ERANGE;
		used += digits;
		while (digits--)
			decimal.scale *= 10;
	}
	*ret_decimal = decimal;
	*ret_used = used;
	return 0;
}

int number_multiply(const struct decimal *decimal, uint64_t unit, uint64_t *ret_product)
{
	/* Split so that nothing overflows: fraction and scale are at most 10^9. */
	uint64_t part = decimal->fraction * (unit / decimal->scale) +
			decimal->fraction * (unit % decimal->scale) / decimal->scale;
	uint64_t product;

	if (__builtin_mul_overflow(decimal->whole, unit, &product) ||
	    __builtin_add_overflow(product, part, &product))
		return -ERANGE;
	*ret_product = product;
	return 0;
}
