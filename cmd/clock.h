/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time that has passed. */
#ifndef MIGRATECTL_CLOCK_H
#define MIGRATECTL_CLOCK_H

#include <stdint.h>

/** clock_get_ns - nanoseconds of a clock that only goes forward, from an unknown begin */
uint64_t clock_get_ns(void);

#endif
