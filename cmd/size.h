/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes as people write and read them. */
#ifndef MIGRATECTL_SIZE_H
#define MIGRATECTL_SIZE_H

#include <stddef.h>
#include <stdint.h>

/** Room for what size_format() writes. */
#define SIZE_TEXT_SIZE 8

/**
 * size_parse - "4096", "1K", "1.5G", "100MB"
 *
 * K, M, G, T, P, E and the same with iB are powers of 1024, with B powers of 1000;
 * either case. A fraction needs a unit and has up to 9 digits; what is below a byte
 * is cut off.
 * Errors: -EINVAL: no size; -ERANGE: more than 64 bits.
 */
int size_parse(const char *text, size_t length, uint64_t *ret_bytes);

/**
 * size_format - "0", "512B", "1.2G", "24.5M", "512M": rounded, at most 5 characters
 * Return: @buffer.
 */
const char *size_format(uint64_t bytes, char buffer[static SIZE_TEXT_SIZE]);

#endif
