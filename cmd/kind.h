/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of memory by the names that options, tables and JSON have for them. */
#ifndef MIGRATECTL_KIND_H
#define MIGRATECTL_KIND_H

#include <libmigrate.h>

#include "options.h"

/** In --only beside the bits 1 << enum mig_kind: transparent huge pages. */
#define KIND_BIT_THP (1U << 31)

/** kind_words - the words of --only: bits 1 << enum mig_kind, and KIND_BIT_THP. */
extern const struct option_word kind_words[];

/** kind_get_name - "anon", "heap", ... Never NULL. */
const char *kind_get_name(enum mig_kind kind);

#endif
