/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables for people. The only file that knows libsmartcols. */
#include <errno.h>
#include <inttypes.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cleanup.h"
#include "escape.h"
#include "message.h"
#include "table.h"

/* How narrow columns may become when the terminal is. */
#define MIN_LIST_WIDTH 9
#define MIN_CUT_WIDTH 16

/* Stands where a text was cut off. */
#define CUT_MARK ".."

/* Machines with more nodes with memory show only those that hold something. */
#define MANY_NODES 8

/* The sum over the nodes that have no column of their own. */
#define NODE_OTHERS (-2)

/* A column as it is printed: a column of sizes per node is several of these. */
struct view {
	const struct column *column;
	size_t index; /* in the set */
	int node;     /* MIG_NO_NODE: not one of a node */
	size_t width; /* of the widest cell */
	char heading[16];
	bool narrowed;
};

struct printer {
	const struct table *table;
	struct view *views;
	size_t nr_views;
	size_t terminal_width; /* 0: no bound */
	struct mig_nodeset shown_nodes;
	bool has_others;
	struct libscols_table *output;
	struct libscols_line **lines;
};

static void printer_done(struct printer *printer)
{
	scols_unref_table(printer->output);
	free(printer->lines);
	free(printer->views);
}

/* Columns that a text takes on the terminal. */
static size_t get_ascii_length(const char *text)
{
	size_t length = 0;

	while (text[length] >= ' ' && text[length] <= '~')
		length++;
	return length;
}

static size_t get_width(const char *text)
{
	wchar_t wide[256];
	size_t length = get_ascii_length(text);
	int width;

	/* Nearly all that there is. */
	if (!text[length])
		return length;
	length = mbstowcs(wide, text, sizeof(wide) / sizeof(wide[0]));
	if (length == (size_t)-1 || length == sizeof(wide) / sizeof(wide[0]))
		return strlen(text);
	width = wcswidth(wide, length);
	return width < 0 ? strlen(text) : (size_t)width;
}

/* Of what has nothing to be escaped. */
static int copy_plain(const char *text, char **ret_text)
{
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

static int format_text(const struct printer *printer, const char *text, char **ret_text)
{
	size_t length = strlen(text);
	char *escaped;

	/* libsmartcols escapes what it prints raw. */
	if (printer->table->args->raw)
		return copy_plain(length ? text : "-", ret_text);
	if (get_ascii_length(text) == length)
		return copy_plain(text, ret_text);
	escaped = malloc(ESCAPE_SIZE(length));
	if (!escaped)
		return -ENOMEM;
	escape_text(text, length, escaped);
	*ret_text = escaped;
	return 0;
}

static int format_nodes(const struct mig_nodeset *nodes, char **ret_text)
{
	size_t size = mig_nodeset_format(nodes, NULL, 0) + 1;
	char *text = size > 1 ? malloc(size) : strdup("-");

	if (!text)
		return -ENOMEM;
	if (size > 1)
		mig_nodeset_format(nodes, text, size);
	*ret_text = text;
	return 0;
}

static uint64_t sum_others(const struct printer *printer, const struct node_sizes *sizes)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sizes->nr_entries; i++)
		if (!mig_nodeset_has(&printer->shown_nodes, sizes->entries[i].node))
			sum += sizes->entries[i].bytes;
	return sum;
}

static int format_cell(const struct printer *printer, size_t row, const struct view *view,
		       char **ret_text)
{
	const union cell *cell = table_get_cell(printer->table, row, view->index);
	bool exact = printer->table->args->bytes;
	char number[OUTPUT_BYTES_SIZE] = "-";

	if (!cell)
		return copy_plain("-", ret_text);
	switch (view->column->type) {
	case COLUMN_TEXT:
		return format_text(printer, cell->text, ret_text);
	case COLUMN_NODES:
		return format_nodes(cell->nodes, ret_text);
	case COLUMN_BOOL:
		return copy_plain(cell->number ? "yes" : "no", ret_text);
	case COLUMN_NUMBER:
		snprintf(number, sizeof(number), "%" PRIu64, cell->number);
		break;
	case COLUMN_PERCENT:
		snprintf(number, sizeof(number), "%" PRIu64 "%%", cell->number);
		break;
	case COLUMN_ADDRESS:
		snprintf(number, sizeof(number), "%" PRIx64, cell->number);
		break;
	case COLUMN_SIZE:
		output_format_bytes(cell->number, exact, number);
		break;
	case COLUMN_NODE_SIZES:
		output_format_bytes(
			view->node == NODE_OTHERS
				? sum_others(printer, cell->sizes)
				: table_get_node_bytes(cell->sizes, view->node),
			exact, number);
		break;
	}
	return copy_plain(number, ret_text);
}

/* How wide a column is with all its cells; nobody asks where there is no bound. */
static int measure(const struct printer *printer, struct view *view)
{
	if (!printer->terminal_width)
		return 0;
	view->width = printer->table->args->noheadings ? 1 : get_width(view->heading);
	for (size_t row = 0; row < printer->table->nr_rows; row++) {
		CLEANUP_FREE char *text = NULL;
		int r = format_cell(printer, row, view, &text);
		size_t width;

		if (r < 0)
			return r;
		width = get_width(text);
		if (width > view->width)
			view->width = width;
	}
	return 0;
}

static int init_view(const struct printer *printer, size_t index, int node,
		     struct view *ret_view)
{
	const struct column *column = &printer->table->set->columns[index];

	*ret_view = (struct view){ .column = column, .index = index, .node = node };
	if (node == NODE_OTHERS)
		snprintf(ret_view->heading, sizeof(ret_view->heading), "OTHERS");
	else if (node != MIG_NO_NODE)
		snprintf(ret_view->heading, sizeof(ret_view->heading), "N%d", node);
	else
		snprintf(ret_view->heading, sizeof(ret_view->heading), "%s",
			 column->name);
	return measure(printer, ret_view);
}

/* Lists go on in the next line. */
static bool may_wrap(const struct view *view)
{
	return view->column->type == COLUMN_NODES || (view->column->flags & COLUMN_LIST);
}

/* How narrow a column may become. */
static size_t get_least_width(const struct view *view)
{
	size_t least = view->width;

	if (may_wrap(view))
		least = MIN_LIST_WIDTH;
	else if (view->column->flags & (COLUMN_KEEP_END | COLUMN_TRUNCATE))
		least = MIN_CUT_WIDTH;
	return least < view->width ? least : view->width;
}

/* The least that the columns beside those of nodes take, with a blank each. */
static int measure_rest(const struct printer *printer, size_t *ret_width)
{
	const struct table *table = printer->table;
	size_t width = 0;

	for (size_t i = 0; i < table->nr_shown; i++) {
		struct view view;
		int r;

		if (table->set->columns[table->shown[i]].type == COLUMN_NODE_SIZES)
			continue;
		r = init_view(printer, table->shown[i], MIG_NO_NODE, &view);
		if (r < 0)
			return r;
		width += get_least_width(&view) + 1;
	}
	*ret_width = width;
	return 0;
}

static void sum_nodes(const struct table *table, size_t column, uint64_t *sums)
{
	for (size_t row = 0; row < table->nr_rows; row++) {
		const union cell *cell = table_get_cell(table, row, column);

		for (size_t i = 0; cell && i < cell->sizes->nr_entries; i++)
			sums[cell->sizes->entries[i].node] +=
				cell->sizes->entries[i].bytes;
	}
}

static int find_largest(const struct mig_nodeset *nodes, const uint64_t *sums)
{
	int largest = MIG_NO_NODE;

	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node))
		if (largest == MIG_NO_NODE || sums[node] > sums[largest])
			largest = node;
	return largest;
}

/* As many nodes of @waiting as fit, the largest first, and a column for the rest. */
static int fold_nodes(struct printer *printer, size_t index, struct mig_nodeset waiting,
		      const uint64_t *sums, size_t room)
{
	struct view view;
	size_t others;
	int node, r;

	/* No node is shown yet: this is the widest that the sum can be. */
	r = init_view(printer, index, NODE_OTHERS, &view);
	others = view.width + 1;
	while (!r && (node = find_largest(&waiting, sums)) != MIG_NO_NODE) {
		r = init_view(printer, index, node, &view);
		mig_nodeset_remove(&waiting, node);
		/* The last one needs no column for others beside it. */
		if (view.width + 1 + (mig_nodeset_count(&waiting) ? others : 0) > room &&
		    mig_nodeset_count(&printer->shown_nodes)) {
			printer->has_others = true;
			break;
		}
		mig_nodeset_add(&printer->shown_nodes, node);
		room -= view.width + 1 < room ? view.width + 1 : room;
	}
	return r;
}

/* What a column for each of @nodes takes, with a blank each. */
static int measure_nodes(const struct printer *printer, size_t index,
			 const struct mig_nodeset *nodes, size_t *ret_width)
{
	size_t width = 0;
	int r = 0;

	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); !r && node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node)) {
		struct view view;

		r = init_view(printer, index, node, &view);
		width += view.width + 1;
	}
	*ret_width = width;
	return r;
}

/* The nodes that hold something, and with @empty also those with memory. */
static struct mig_nodeset get_nodes(const struct table *table, const uint64_t *sums,
				    bool empty)
{
	struct mig_nodeset nodes = { 0 };

	if (empty)
		nodes = table->nodes;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		if (sums[node])
			mig_nodeset_add(&nodes, node);
	return nodes;
}

/* Which nodes have a column: see table_set_nodes(). */
static int choose_nodes(struct printer *printer, size_t index)
{
	const struct table *table = printer->table;
	CLEANUP_FREE uint64_t *sums = calloc(MIG_MAX_NODES, sizeof(*sums));
	bool few = mig_nodeset_count(&table->nodes) <= MANY_NODES;
	size_t rest, room, width;
	struct mig_nodeset nodes;
	int r;

	if (!sums)
		return -ENOMEM;
	sum_nodes(table, index, sums);
	nodes = get_nodes(table, sums, few || table->all_nodes);
	if (!printer->terminal_width || table->all_nodes) {
		printer->shown_nodes = nodes;
		return 0;
	}
	r = measure_rest(printer, &rest);
	if (!r)
		r = measure_nodes(printer, index, &nodes, &width);
	if (r < 0)
		return r;
	/* The last column has no blank behind it. */
	room = printer->terminal_width + 1 > rest ? printer->terminal_width + 1 - rest
						  : 0;
	if (width <= room) {
		printer->shown_nodes = nodes;
		return 0;
	}
	return fold_nodes(printer, index, get_nodes(table, sums, false), sums, room);
}

static int add_node_views(struct printer *printer, size_t index)
{
	const struct mig_nodeset *nodes = &printer->shown_nodes;
	int r = choose_nodes(printer, index);

	for (int node = mig_nodeset_next(nodes, MIG_NO_NODE); !r && node != MIG_NO_NODE;
	     node = mig_nodeset_next(nodes, node))
		r = init_view(printer, index, node, &printer->views[printer->nr_views++]);
	if (!r && printer->has_others)
		r = init_view(printer, index, NODE_OTHERS,
			      &printer->views[printer->nr_views++]);
	return r;
}

static int add_views(struct printer *printer)
{
	const struct table *table = printer->table;
	int r = 0;

	printer->views =
		calloc(table->nr_shown + MIG_MAX_NODES + 1, sizeof(*printer->views));
	if (!printer->views)
		return -ENOMEM;
	for (size_t i = 0; !r && i < table->nr_shown; i++) {
		size_t index = table->shown[i];

		if (table->set->columns[index].type == COLUMN_NODE_SIZES)
			r = add_node_views(printer, index);
		else
			r = init_view(printer, index, MIG_NO_NODE,
				      &printer->views[printer->nr_views++]);
	}
	return r;
}

/* What the columns take that stay as they are, with a blank between two. */
static size_t measure_fixed(const struct printer *printer)
{
	size_t width = printer->nr_views - 1;

	for (size_t i = 0; i < printer->nr_views; i++)
		width += get_least_width(&printer->views[i]);
	return width;
}

/* Columns that may be narrower get what the others leave of the terminal, from left
 * to right, as far as they need it. */
static void narrow(struct printer *printer)
{
	size_t width = measure_fixed(printer);
	size_t room =
		printer->terminal_width > width ? printer->terminal_width - width : 0;

	if (!printer->terminal_width)
		return;
	for (size_t i = 0; i < printer->nr_views; i++) {
		struct view *view = &printer->views[i];
		size_t least = get_least_width(view);
		size_t more = view->width - least < room ? view->width - least : room;

		view->narrowed = least + more < view->width;
		view->width = least + more;
		room -= more;
	}
}

/* Newlines behind commas, so that no line is wider than @width where that can be. */
static int break_list(const char *list, size_t width, char **ret_text)
{
	char *text = malloc(2 * strlen(list) + 1);
	char *at = text;
	size_t used = 0;

	if (!text)
		return -ENOMEM;
	while (*list) {
		size_t length = strcspn(list, ",");

		length += list[length] == ',';
		if (used && used + length > width) {
			*at++ = '\n';
			used = 0;
		}
		memcpy(at, list, length);
		at += length;
		used += length;
		list += length;
	}
	*at = '\0';
	*ret_text = text;
	return 0;
}

/* The end of a text that takes @width, behind "..". Cuts only between characters. */
static int keep_end(const char *text, size_t width, char **ret_text)
{
	while (*text && get_width(text) + strlen(CUT_MARK) > width) {
		text++;
		while ((*text & 0xc0) == 0x80)
			text++;
	}
	return asprintf(ret_text, CUT_MARK "%s", text) < 0 ? -ENOMEM : 0;
}

/* The beginning of a text that takes @width, before "..". */
static int keep_start(char *text, size_t width, char **ret_text)
{
	size_t length = strlen(text);

	while (length && get_width(text) + strlen(CUT_MARK) > width) {
		length--;
		while (length && (text[length] & 0xc0) == 0x80)
			length--;
		text[length] = '\0';
	}
	return asprintf(ret_text, "%s" CUT_MARK, text) < 0 ? -ENOMEM : 0;
}

/* A cell as it is printed, after lists and ends of texts have given way. */
static int format_narrowed(const struct printer *printer, size_t row,
			   const struct view *view, char **ret_text)
{
	CLEANUP_FREE char *whole = NULL;
	int r = format_cell(printer, row, view, &whole);

	if (r < 0)
		return r;
	if (!view->narrowed || get_width(whole) <= view->width) {
		*ret_text = STEAL(whole);
		return 0;
	}
	if (may_wrap(view))
		return break_list(whole, view->width, ret_text);
	if (view->column->flags & COLUMN_KEEP_END)
		return keep_end(whole, view->width, ret_text);
	return keep_start(whole, view->width, ret_text);
}

static int get_flags(const struct printer *printer, const struct view *view)
{
	const struct column *column = view->column;
	int flags = 0;

	if (printer->table->args->raw)
		return 0;
	if (column->flags & COLUMN_TREE)
		flags |= SCOLS_FL_TREE;
	if (view->narrowed && may_wrap(view))
		flags |= SCOLS_FL_WRAP;
	if (column->type != COLUMN_TEXT && column->type != COLUMN_NODES &&
	    column->type != COLUMN_BOOL)
		flags |= SCOLS_FL_RIGHT;
	return flags;
}

static int add_output_columns(struct printer *printer)
{
	for (size_t i = 0; i < printer->nr_views; i++) {
		const struct view *view = &printer->views[i];
		struct libscols_column *column;

		column = scols_table_new_column(printer->output, view->heading, 0,
						get_flags(printer, view));
		if (!column)
			return -ENOMEM;
		if (view->narrowed && may_wrap(view) &&
		    scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
					      scols_wrapnl_nextchunk, NULL))
			return -ENOMEM;
	}
	return 0;
}

static int add_output_row(struct printer *printer, size_t row)
{
	size_t parent = printer->table->rows[row].parent;
	struct libscols_line *line;

	line = scols_table_new_line(
		printer->output, parent == TABLE_NO_ROW ? NULL : printer->lines[parent]);
	if (!line)
		return -ENOMEM;
	printer->lines[row] = line;
	for (size_t i = 0; i < printer->nr_views; i++) {
		const struct view *view = &printer->views[i];
		char *text = NULL;
		int r = format_narrowed(printer, row, view, &text);

		if (r < 0)
			return r;
		/* The line owns the text from here on. */
		if (scols_line_refer_data(line, i, text)) {
			free(text);
			return -ENOMEM;
		}
	}
	return 0;
}

static int set_up_output(struct printer *printer)
{
	const struct common_args *args = printer->table->args;

	printer->output = scols_new_table();
	printer->lines =
		calloc(printer->table->nr_rows + 1, sizeof(struct libscols_line *));
	if (!printer->output || !printer->lines)
		return -ENOMEM;
	scols_table_enable_raw(printer->output, args->raw);
	scols_table_enable_noheadings(printer->output, args->noheadings);
	/* Everything is escaped already; raw output escapes by itself. */
	scols_table_enable_noencoding(printer->output, !args->raw);
	scols_table_set_termforce(printer->output, printer->terminal_width
							   ? SCOLS_TERMFORCE_ALWAYS
							   : SCOLS_TERMFORCE_NEVER);
	if (printer->terminal_width)
		scols_table_set_termwidth(printer->output, printer->terminal_width);
	return add_output_columns(printer);
}

int table_print(struct table *table)
{
	CLEANUP(printer_done) struct printer printer = { .table = table };
	int status = table_check(table);
	int r;

	if (status || !table->nr_rows)
		return status;
	printer.terminal_width = table->args->raw ? 0 : output_get_width();
	r = add_views(&printer);
	if (!r) {
		narrow(&printer);
		r = set_up_output(&printer);
	}
	for (size_t row = 0; !r && row < table->nr_rows; row++)
		r = add_output_row(&printer, row);
	if (!r)
		r = scols_print_table(printer.output);
	return r < 0 ? message_failure(SUBJECT_SYSTEM, r, "cannot print a table")
		     : STATUS_OK;
}
