/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names from other people's processes and files, made safe for a terminal. */
#ifndef MIGRATECTL_ESCAPE_H
#define MIGRATECTL_ESCAPE_H

#include <stddef.h>

/** Room that a text of @length bytes needs when every byte is escaped, with NUL. */
#define ESCAPE_SIZE(length) (4 * (length) + 1)

/**
 * escape_text - replace what a terminal would obey
 * @text:   any bytes
 * @length: of @text
 * @buffer: at least ESCAPE_SIZE(@length) bytes
 *
 * Control characters become \n, \t, \r or \x1b; so does every byte that is no
 * printable character in the locale, which lets UTF-8 pass where it is spoken.
 * Return: the length of what is in @buffer, without the NUL.
 */
size_t escape_text(const char *text, size_t length, char *buffer);

#endif
