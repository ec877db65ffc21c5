/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kind.h"

const struct option_word kind_words[] = {
	{ "anon", 1U << MIG_KIND_ANON },   { "heap", 1U << MIG_KIND_HEAP },
	{ "stack", 1U << MIG_KIND_STACK }, { "file", 1U << MIG_KIND_FILE },
	{ "shmem", 1U << MIG_KIND_SHMEM }, { "hugetlb", 1U << MIG_KIND_HUGETLB },
	{ "thp", KIND_BIT_THP },           { NULL, 0 },
};

const char *kind_get_name(enum mig_kind kind)
{
	for (const struct option_word *at = kind_words; at->word; at++)
		if (at->value == 1U << kind)
			return at->word;
	return "kernel";
}
