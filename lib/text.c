/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text.h"

#include <errno.h>
#include <string.h>

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

static void skip(struct mig_text *text, size_t length)
{
	text->at += length;
	text->length -= length;
}

/* Splits off the first @length bytes. */
static struct mig_text split(struct mig_text *text, size_t length)
{
	struct mig_text front = { .at = text->at, .length = length };

	skip(text, length);
	return front;
}

bool mig_text_take_char(struct mig_text *text, char character)
{
	if (!text->length || *text->at != character)
		return false;
	skip(text, 1);
	return true;
}

bool mig_text_take_string(struct mig_text *text, const char *string)
{
	size_t length = 0;

	/* Mostly it is another word, which shows at the first byte. */
	for (; string[length]; length++)
		if (length == text->length || text->at[length] != string[length])
			return false;
	skip(text, length);
	return true;
}

bool mig_text_take_blanks(struct mig_text *text)
{
	size_t length = 0;

	while (length < text->length && is_blank(text->at[length]))
		length++;
	skip(text, length);
	return length > 0;
}

/* Locale and the C library's character classes have no say in kernel files. */
static bool digit_value(char character, unsigned int base, unsigned int *ret_value)
{
	unsigned int value;

	if (character >= '0' && character <= '9')
		value = (unsigned int)(character - '0');
	else if (character >= 'a' && character <= 'f')
		value = (unsigned int)(character - 'a') + 10;
	else if (character >= 'A' && character <= 'F')
		value = (unsigned int)(character - 'A') + 10;
	else
		return false;
	if (value >= base)
		return false;
	*ret_value = value;
	return true;
}

int mig_text_take_number(struct mig_text *text, unsigned int base, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t length = 0;
	unsigned int digit;

	while (length < text->length && digit_value(text->at[length], base, &digit)) {
		if (__builtin_mul_overflow(number, base, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			return -ERANGE;
		length++;
	}
	if (!length)
		return -EINVAL;
	skip(text, length);
	*ret_number = number;
	return 0;
}

struct mig_text mig_text_take_word(struct mig_text *text)
{
	size_t length = 0;

	while (length < text->length && !is_blank(text->at[length]))
		length++;
	return split(text, length);
}

struct mig_text mig_text_take_line(struct mig_text *text)
{
	const char *newline = text->length ? memchr(text->at, '\n', text->length) : NULL;
	struct mig_text line;

	if (!newline)
		return split(text, text->length);
	line = split(text, (size_t)(newline - text->at));
	skip(text, 1);
	return line;
}

void mig_text_trim(struct mig_text *text)
{
	while (text->length) {
		char last = text->at[text->length - 1];

		if (!is_blank(last) && last != '\n' && last != '\0')
			return;
		text->length--;
	}
}

bool mig_text_is(struct mig_text text, const char *string)
{
	return mig_text_take_string(&text, string) && !text.length;
}

bool mig_text_find_field(struct mig_text text, const char *name,
			 struct mig_text *ret_value)
{
	while (text.length) {
		struct mig_text line = mig_text_take_line(&text);

		if (!mig_text_take_string(&line, name) || !mig_text_take_char(&line, ':'))
			continue;
		mig_text_take_blanks(&line);
		*ret_value = line;
		return true;
	}
	return false;
}
