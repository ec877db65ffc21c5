/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as people write and read them. */
#ifndef MIGRATECTL_DURATION_H
#define MIGRATECTL_DURATION_H

#include <stddef.h>
#include <stdint.h>

/** Room for what duration_format() writes. */
#define DURATION_TEXT_SIZE 16

/**
 * duration_parse - "5s", "200ms", "1.5m", "2h"; a number alone is seconds
 *
 * Units: ns, us, ms, s, m, h. A fraction has up to 9 digits.
 * Errors: -EINVAL: no duration; -ERANGE: more than 64 bits of nanoseconds.
 */
int duration_parse(const char *text, size_t length, uint64_t *ret_ns);

/**
 * duration_format - "850us", "12ms", "4.5s", "3m20s", "2h05m": rounded
 * Return: @buffer.
 */
const char *duration_format(uint64_t ns, char buffer[static DURATION_TEXT_SIZE]);

#endif
