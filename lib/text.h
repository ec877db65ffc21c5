/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parsers over a buffer and a length. A struct mig_text is what is left to read;
 * every function takes what it understands from the front and leaves the rest.
 */
#ifndef MIG_TEXT_H
#define MIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mig_text {
	const char *at;
	size_t length;
};

/** mig_text_take_char - true and taken if it is next. */
bool mig_text_take_char(struct mig_text *text, char character);

/** mig_text_take_string - true and taken if @string is next. */
bool mig_text_take_string(struct mig_text *text, const char *string);

/** mig_text_take_blanks - spaces and tabs. Return: whether there were any. */
bool mig_text_take_blanks(struct mig_text *text);

/**
 * mig_text_take_number - digits in @base 10 or 16, without sign or prefix
 * Errors: -EINVAL: no digit; -ERANGE: more than 64 bits.
 */
int mig_text_take_number(struct mig_text *text, unsigned int base, uint64_t *ret_number);

/** mig_text_take_word - up to the next blank or the end; may be empty. */
struct mig_text mig_text_take_word(struct mig_text *text);

/** mig_text_take_line - up to the next newline, which is taken too but not given. */
struct mig_text mig_text_take_line(struct mig_text *text);

/** mig_text_trim - cut blanks, newlines and NUL bytes off the end. */
void mig_text_trim(struct mig_text *text);

/** mig_text_is - whether it is exactly @string. */
bool mig_text_is(struct mig_text text, const char *string);

/**
 * mig_text_find_field - the value of "NAME:" at the beginning of some line
 * @ret_value: without leading blanks, up to the end of the line
 * Return: whether there is such a line.
 */
bool mig_text_find_field(struct mig_text text, const char *name,
			 struct mig_text *ret_value);

#endif
