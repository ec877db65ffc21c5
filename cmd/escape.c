/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "escape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Bytes of the printable character at the front; 0: none. */
static size_t get_printable(const char *text, size_t length)
{
	mbstate_t state = { 0 };
	wchar_t character;
	size_t used;

	/* In every locale's encoding, and nearly all that there is. */
	if (*text >= ' ' && *text <= '~')
		return 1;
	used = mbrtowc(&character, text, length, &state);
	if (used == (size_t)-1 || used == (size_t)-2 || used == 0)
		return 0;
	return iswprint((wint_t)character) ? used : 0;
}

static size_t put_escape(unsigned char byte, char *buffer)
{
	static const struct {
		char byte;
		char letter;
	} named[] = { { '\n', 'n' }, { '\t', 't' }, { '\r', 'r' } };

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i].byte == (char)byte) {
			buffer[0] = '\\';
			buffer[1] = named[i].letter;
			buffer[2] = '\0';
			return 2;
		}
	return (size_t)sprintf(buffer, "\\x%02x", byte);
}

size_t escape_text(const char *text, size_t length, char *buffer)
{
	size_t written = 0;

	while (length) {
		size_t used = get_printable(text, length);

		if (used) {
			memcpy(buffer + written, text, used);
			written += used;
		} else {
			used = 1;
			written += put_escape((unsigned char)*text, buffer + written);
		}
		text += used;
		length -= used;
	}
	buffer[written] = '\0';
	return written;
}
