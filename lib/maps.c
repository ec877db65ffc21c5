/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "maps.h"

#include <errno.h>
#include <string.h>

static bool take_hexadecimal(struct mig_text *text, uint64_t *ret_number)
{
	return mig_text_take_number(text, 16, ret_number) == 0;
}

static bool take_decimal(struct mig_text *text, uint64_t *ret_number)
{
	return mig_text_take_number(text, 10, ret_number) == 0;
}

static bool take_device_number(struct mig_text *text, uint32_t *ret_number)
{
	uint64_t number;

	if (!take_hexadecimal(text, &number) || number > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

/* "rw-p": each place has its letter or '-', the last is private or shared. */
static bool take_permissions(struct mig_text *text, char permissions[5])
{
	static const char allowed[4][3] = { "r-", "w-", "x-", "ps" };

	if (text->length < 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		char letter = text->at[i];

		if (!letter || !strchr(allowed[i], letter))
			return false;
		permissions[i] = letter;
	}
	permissions[4] = '\0';
	text->at += 4;
	text->length -= 4;
	return true;
}

int mig_maps_parse(struct mig_text line, struct mig_maps_line *ret_line)
{
	struct mig_maps_line parsed = { 0 };

	if (!take_hexadecimal(&line, &parsed.start) || !mig_text_take_char(&line, '-') ||
	    !take_hexadecimal(&line, &parsed.end) || parsed.end <= parsed.start ||
	    !mig_text_take_char(&line, ' ') ||
	    !take_permissions(&line, parsed.permissions) ||
	    !mig_text_take_char(&line, ' ') ||
	    !take_hexadecimal(&line, &parsed.file_offset_bytes) ||
	    !mig_text_take_char(&line, ' ') ||
	    !take_device_number(&line, &parsed.device_major) ||
	    !mig_text_take_char(&line, ':') ||
	    !take_device_number(&line, &parsed.device_minor) ||
	    !mig_text_take_char(&line, ' ') || !take_decimal(&line, &parsed.inode))
		return -EBADMSG;
	/* Blanks fill up to the name's column; blanks at its end are part of it. */
	if (line.length && !mig_text_take_blanks(&line))
		return -EBADMSG;
	parsed.name = line;
	*ret_line = parsed;
	return 0;
}
