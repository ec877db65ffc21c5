/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "message.h"
#include "size.h"
#include "table.h"

size_t output_get_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
	    size.ws_col)
		return size.ws_col;
	if (columns) {
		long width = strtol(columns, NULL, 10);

		if (width > 0 && width < 10000)
			return (size_t)width;
	}
	return isatty(STDOUT_FILENO) ? 80 : 0;
}

const char *output_format_bytes(uint64_t bytes, bool exact,
				char buffer[static OUTPUT_BYTES_SIZE])
{
	if (!exact)
		return size_format(bytes, buffer);
	snprintf(buffer, OUTPUT_BYTES_SIZE, "%" PRIu64, bytes);
	return buffer;
}

static bool is_shown(const struct table *table, size_t column)
{
	for (size_t i = 0; i < table->nr_shown; i++)
		if (table->shown[i] == column)
			return true;
	return false;
}

static void show_column(struct table *table, size_t column)
{
	if (!is_shown(table, column))
		table->shown[table->nr_shown++] = column;
}

static size_t find_column(const struct column_set *set, const char *name, size_t length)
{
	size_t i = 0;

	while (i < set->nr_columns && (strncasecmp(set->columns[i].name, name, length) ||
				       set->columns[i].name[length]))
		i++;
	return i;
}

static int refuse_column(const char *command, const char *name, size_t length)
{
	return message_usage(command, "unknown column '%.*s'", (int)length, name);
}

static int select_columns(struct table *table, const char *command, uint64_t defaults)
{
	const struct common_args *args = table->args;
	const struct column_set *set = table->set;
	const char *list = args->output;

	for (size_t i = 0; i < set->nr_columns; i++) {
		bool is_default = args->json ? !(set->columns[i].flags & COLUMN_OUTER)
					     : defaults >> i & 1;

		if (args->output_all || ((!list || *list == '+') && is_default))
			show_column(table, i);
	}
	if (!list)
		return STATUS_OK;
	list += *list == '+';
	for (;;) {
		size_t length = strcspn(list, ",");
		size_t column = find_column(set, list, length);

		if (column == set->nr_columns)
			return refuse_column(command, list, length);
		show_column(table, column);
		if (!list[length])
			return STATUS_OK;
		list += length + 1;
	}
}

static uint64_t get_flagged(const struct column_set *set, unsigned int flag)
{
	uint64_t flagged = 0;

	for (size_t i = 0; i < set->nr_columns; i++)
		if (set->columns[i].flags & flag)
			flagged |= UINT64_C(1) << i;
	return flagged;
}

int table_new(const struct common_args *args, const char *command,
	      const struct column_set *set, uint64_t defaults, struct table **ret_table)
{
	struct table *table = calloc(1, sizeof(*table));
	int status;

	if (!table)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot make a table");
	table->args = args;
	table->set = set;
	status = select_columns(table, command,
				defaults ? defaults : get_flagged(set, COLUMN_DEFAULT));
	if (status) {
		table_free(table);
		return status;
	}
	*ret_table = table;
	return STATUS_OK;
}

int table_check_columns(const struct common_args *args, const char *command,
			const struct column_set *set)
{
	struct table *table;
	int status = table_new(args, command, set, 0, &table);

	if (!status)
		table_free(table);
	return status;
}

static void free_cell(const struct table *table, const struct row *row, size_t column)
{
	if (!(row->known >> column & 1))
		return;
	switch (table->set->columns[column].type) {
	case COLUMN_TEXT:
		free(row->cells[column].text);
		break;
	case COLUMN_NODES:
		free(row->cells[column].nodes);
		break;
	case COLUMN_NODE_SIZES:
		free(row->cells[column].sizes);
		break;
	default:
		break;
	}
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->nr_rows; i++) {
		for (size_t j = 0; j < table->set->nr_columns; j++)
			free_cell(table, &table->rows[i], j);
		free(table->rows[i].cells);
	}
	free(table->rows);
	free(table);
}

void table_set_nodes(struct table *table, const struct mig_nodeset *nodes, bool all)
{
	table->nodes = *nodes;
	table->all_nodes = all;
}

size_t table_get_nr_rows(const struct table *table)
{
	return table->nr_rows;
}

static int grow(struct table *table)
{
	size_t max_rows = table->max_rows ? 2 * table->max_rows : 16;
	struct row *rows;

	if (table->nr_rows < table->max_rows)
		return 0;
	rows = reallocarray(table->rows, max_rows, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	table->max_rows = max_rows;
	return 0;
}

size_t table_add_row(struct table *table)
{
	union cell *cells = calloc(table->set->nr_columns, sizeof(*cells));

	if (!cells || grow(table) < 0) {
		free(cells);
		table->failed = true;
		return 0;
	}
	table->rows[table->nr_rows] =
		(struct row){ .parent = TABLE_NO_ROW, .cells = cells };
	return table->nr_rows++;
}

/* The cell to fill, NULL if nobody will see it or there is no memory. */
static union cell *get_new_cell(struct table *table, size_t column)
{
	struct row *row;

	if (table->failed || !table->nr_rows || !is_shown(table, column))
		return NULL;
	row = &table->rows[table->nr_rows - 1];
	free_cell(table, row, column);
	row->known &= ~(UINT64_C(1) << column);
	return &row->cells[column];
}

static void set_known(struct table *table, size_t column)
{
	table->rows[table->nr_rows - 1].known |= UINT64_C(1) << column;
}

void table_put_parent(struct table *table, size_t parent)
{
	if (!table->failed && parent + 1 < table->nr_rows)
		table->rows[table->nr_rows - 1].parent = parent;
}

static void put_text(struct table *table, size_t column, char *text)
{
	union cell *cell = get_new_cell(table, column);

	if (!text)
		table->failed = true;
	if (!cell || !text) {
		free(text);
		return;
	}
	cell->text = text;
	set_known(table, column);
}

void table_put_text(struct table *table, size_t column, const char *text)
{
	put_text(table, column, strdup(text));
}

void table_put_format(struct table *table, size_t column, const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	put_text(table, column, text);
}

void table_put_number(struct table *table, size_t column, uint64_t number)
{
	union cell *cell = get_new_cell(table, column);

	if (!cell)
		return;
	cell->number = number;
	set_known(table, column);
}

void table_put_bool(struct table *table, size_t column, bool value)
{
	table_put_number(table, column, value);
}

void table_put_nodes(struct table *table, size_t column, const struct mig_nodeset *nodes)
{
	union cell *cell = get_new_cell(table, column);

	if (!cell)
		return;
	cell->nodes = malloc(sizeof(*nodes));
	if (!cell->nodes) {
		table->failed = true;
		return;
	}
	*cell->nodes = *nodes;
	set_known(table, column);
}

/* Whether there is any among the first 64: most of the nodes that may be are not. */
static bool has_size(const uint64_t *sizes)
{
	uint64_t any = 0;

	for (int i = 0; i < 64; i++)
		any |= sizes[i];
	return any != 0;
}

void table_put_node_sizes(struct table *table, size_t column, const uint64_t *sizes)
{
	union cell *cell = get_new_cell(table, column);
	struct node_bytes entries[MIG_MAX_NODES];
	struct node_sizes *list;
	size_t nr_entries = 0;

	if (!cell)
		return;
	for (int node = 0; node < MIG_MAX_NODES; node++) {
		if (node % 64 == 0 && !has_size(sizes + node))
			node += 63;
		else if (sizes[node])
			entries[nr_entries++] =
				(struct node_bytes){ .node = node, .bytes = sizes[node] };
	}
	list = malloc(sizeof(*list) + nr_entries * sizeof(list->entries[0]));
	if (!list) {
		table->failed = true;
		return;
	}
	list->nr_entries = nr_entries;
	memcpy(list->entries, entries, nr_entries * sizeof(entries[0]));
	cell->sizes = list;
	set_known(table, column);
}

int table_check(const struct table *table)
{
	if (!table->failed)
		return STATUS_OK;
	return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot make a table");
}

const union cell *table_get_cell(const struct table *table, size_t row, size_t column)
{
	return table->rows[row].known >> column & 1 ? &table->rows[row].cells[column]
						    : NULL;
}

uint64_t table_get_node_bytes(const struct node_sizes *sizes, int node)
{
	for (size_t i = 0; i < sizes->nr_entries; i++)
		if (sizes->entries[i].node == node)
			return sizes->entries[i].bytes;
	return 0;
}

static void write_sizes(struct json *json, const char *key,
			const struct node_sizes *sizes)
{
	json_open_array(json, key);
	for (size_t i = 0; i < sizes->nr_entries; i++) {
		json_open_object(json, NULL);
		json_put_signed(json, "node", sizes->entries[i].node);
		json_put_number(json, "bytes", sizes->entries[i].bytes);
		json_close_object(json);
	}
	json_close_array(json);
}

static void write_cell(struct json *json, const struct column *column,
		       const union cell *cell)
{
	if (!cell)
		json_put_null(json, column->key);
	else if (column->type == COLUMN_NODE_SIZES)
		write_sizes(json, column->key, cell->sizes);
	else if (column->type == COLUMN_TEXT)
		json_put_text(json, column->key, cell->text);
	else if (column->type == COLUMN_NODES)
		json_put_nodes(json, column->key, cell->nodes);
	else if (column->type == COLUMN_BOOL)
		json_put_bool(json, column->key, cell->number != 0);
	else
		json_put_number(json, column->key, cell->number);
}

void table_write_row(const struct table *table, size_t row, struct json *json)
{
	for (size_t i = 0; i < table->nr_shown; i++)
		write_cell(json, &table->set->columns[table->shown[i]],
			   table_get_cell(table, row, table->shown[i]));
}

void table_write_rows(const struct table *table, size_t first, size_t end,
		      struct json *json, const char *key)
{
	json_open_array(json, key);
	for (size_t row = first; row < end; row++) {
		json_open_object(json, NULL);
		table_write_row(table, row, json);
		json_close_object(json);
	}
	json_close_array(json);
}
