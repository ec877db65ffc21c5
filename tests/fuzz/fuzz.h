/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers under arbitrary input. Each fuzz_*.c has one libFuzzer function. Besides
 * not crashing, it checks what must hold of whatever was accepted.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** assert() that stays in release builds. */
#define CHECK(condition)                                                                 \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, \
				#condition);                                             \
			abort();                                                         \
		}                                                                        \
	} while (0)

#endif
