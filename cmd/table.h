/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a table is made of: between output.c, which builds it, and output_print.c. */
#ifndef MIGRATECTL_TABLE_H
#define MIGRATECTL_TABLE_H

#include "output.h"

#define TABLE_MAX_COLUMNS 64

struct node_bytes {
	int node;
	uint64_t bytes;
};

struct node_sizes {
	size_t nr_entries;
	struct node_bytes entries[];
};

/** Which member it is, the column's type says. */
union cell {
	uint64_t number;
	char *text;
	struct mig_nodeset *nodes;
	struct node_sizes *sizes;
};

struct row {
	uint64_t known;    /**< bits of the columns that were put */
	size_t parent;     /**< TABLE_NO_ROW: none */
	union cell *cells; /**< one for each column of the set */
};

#define TABLE_NO_ROW SIZE_MAX

struct table {
	const struct common_args *args;
	const struct column_set *set;
	size_t shown[TABLE_MAX_COLUMNS]; /**< indexes into the set */
	size_t nr_shown;
	struct mig_nodeset nodes;
	bool all_nodes;
	struct row *rows;
	size_t nr_rows;
	size_t max_rows;
	bool failed; /**< memory ran out */
};

/** table_get_cell - NULL if it is not known. */
const union cell *table_get_cell(const struct table *table, size_t row, size_t column);

/** table_get_node_bytes - of one node; 0 where nothing was put. */
uint64_t table_get_node_bytes(const struct node_sizes *sizes, int node);

#endif
