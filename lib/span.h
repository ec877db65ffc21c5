/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consecutive pages of one mapping, with what the walk over them must know. */
#ifndef MIG_SPAN_H
#define MIG_SPAN_H

#include "libmigrate.h"

struct mig_span {
	uint64_t start;
	uint64_t end;
	enum mig_kind kind;
	uint64_t page_size_bytes;
	int only_node;   /**< where all its resident pages were, or MIG_NO_NODE */
	bool sparse;     /**< mostly holes */
	bool shared;     /**< some of its pages are mapped more than once */
	uint64_t origin; /**< of a file's pages: where its first would be mapped */
};

#endif
