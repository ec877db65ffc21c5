/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migratectl show-file: where the cached pages of files lie. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "file_args.h"
#include "message.h"
#include "output.h"

enum file_column {
	FILE_CACHED,
	FILE_NODES,
	FILE_SIZE,
	FILE_DIRTY,
	FILE_WRITEBACK,
	FILE_LARGE,
	FILE_PATH,
};

static const struct column columns[] = {
	[FILE_CACHED] = { "RES", "cached_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			  "how much of it is cached" },
	[FILE_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			 "of RES: on each node, in columns N0, N1, ..." },
	[FILE_SIZE] = { "SIZE", "size_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			"how long it is" },
	[FILE_DIRTY] = { "DIRTY", "dirty_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "of RES: not written yet" },
	[FILE_WRITEBACK] = { "WRITEBACK", "writeback_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			     "of RES: being written" },
	[FILE_LARGE] = { "LARGE", "large_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			 "of RES: in folios of more than one page" },
	[FILE_PATH] = { "PATH", "path", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_KEEP_END,
			"its name" },
};

static const struct column_set file_columns = { "Columns", columns, ARRAY_SIZE(columns) };
static const struct column_set *const column_sets[] = { &file_columns };

enum sort_key {
	SORT_PATH = 0,
	SORT_CACHED = 1,
	SORT_SIZE = 2,
	SORT_DIRTY = 3,
};

static const struct option_word sort_words[] = {
	{ "path", SORT_PATH }, { "res", SORT_CACHED },
	{ "size", SORT_SIZE }, { "dirty", SORT_DIRTY },
	{ NULL, 0 },
};

struct show_file_args {
	struct common_args common;
	struct file_args files;
	uint64_t min_bytes; /**< DEFAULT_MIN: not given */
	unsigned int sort;  /**< enum sort_key */
	bool total;
	bool summarize;
	bool all_nodes;
};

#define DEFAULT_MIN UINT64_MAX

static const struct show_file_args defaults = { .min_bytes = DEFAULT_MIN };

static const struct option_spec options[] = {
	OPTIONS_FILES(struct show_file_args),
	{ OPTION_SIZE(struct show_file_args, min_bytes), .name = "min", .metavar = "SIZE",
	  .help = "pass over files of which less is cached; by default those without any "
		  "that were not named one by one" },
	{ OPTION_WORD(struct show_file_args, sort), .name = "sort", .metavar = "KEY",
	  .words = sort_words,
	  .help = "by path (the default), or the largest first by res, size or dirty" },
	{ OPTION_FLAG(struct show_file_args, total), .name = "total",
	  .help = "add the sum over all files, those too that are passed over" },
	{ OPTION_FLAG(struct show_file_args, summarize), .letter = 's',
	  .name = "summarize", .help = "print nothing but that sum" },
	{ OPTION_FLAG(struct show_file_args, all_nodes), .name = "all-nodes",
	  .help = "a column for each node with memory, however many there are" },
	OPTIONS_TABLE,
};

/** Sums of one file, or of all. */
struct amounts {
	uint64_t cached;
	uint64_t size;
	uint64_t dirty;     /**< MIG_UNKNOWN_PAGES: not known */
	uint64_t writeback; /**< the same */
	uint64_t large;     /**< the same */
};

struct row {
	char *path;
	struct amounts amounts; /**< bytes */
	uint64_t *node_bytes;   /**< one for each node of show.nodes */
};

struct show {
	const struct show_file_args *args;
	const struct mig_nodeset *nodes;
	size_t nr_nodes;
	uint64_t page_size;
	uint64_t min_bytes;
	struct row *rows;
	size_t nr_rows;
	size_t max_rows;
	struct row total;
	uint64_t nr_files;
};

static uint64_t to_bytes(const struct show *show, uint64_t nr_pages)
{
	return nr_pages == MIG_UNKNOWN_PAGES ? MIG_UNKNOWN_PAGES
					     : nr_pages * show->page_size;
}

static struct amounts amounts_of(const struct show *show,
				 const struct mig_file_cache *cache)
{
	return (struct amounts){
		.cached = to_bytes(show, cache->cached_pages),
		.size = cache->size_bytes,
		.dirty = to_bytes(show, cache->dirty_pages),
		.writeback = to_bytes(show, cache->writeback_pages),
		.large = to_bytes(show, cache->large_pages),
	};
}

/* One that is not known makes the sum unknown. */
static void add_known(uint64_t *sum, uint64_t amount)
{
	if (amount == MIG_UNKNOWN_PAGES || *sum == MIG_UNKNOWN_PAGES)
		*sum = MIG_UNKNOWN_PAGES;
	else
		*sum += amount;
}

static void add_nodes(const struct show *show, const struct mig_file_cache *cache,
		      uint64_t *node_bytes)
{
	size_t i = 0;

	for (int node = mig_nodeset_next(show->nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(show->nodes, node), i++)
		node_bytes[i] += cache->node_pages[node] * show->page_size;
}

static void add_to_total(struct show *show, const struct mig_file_cache *cache)
{
	const struct amounts amounts = amounts_of(show, cache);
	struct amounts *sum = &show->total.amounts;

	show->nr_files++;
	sum->cached += amounts.cached;
	sum->size += amounts.size;
	add_known(&sum->dirty, amounts.dirty);
	add_known(&sum->writeback, amounts.writeback);
	/* What is not cached is in no large folio. */
	add_known(&sum->large, amounts.cached ? amounts.large : 0);
	add_nodes(show, cache, show->total.node_bytes);
}

static int add_row(struct show *show, const struct mig_file_cache *cache)
{
	struct row row = { .amounts = amounts_of(show, cache) };

	if (show->nr_rows == show->max_rows) {
		size_t max = show->max_rows ? 2 * show->max_rows : 256;
		struct row *rows = reallocarray(show->rows, max, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		show->rows = rows;
		show->max_rows = max;
	}
	row.path = strdup(cache->path);
	row.node_bytes = calloc(show->nr_nodes, sizeof(*row.node_bytes));
	if (!row.path || !row.node_bytes) {
		free(row.path);
		free(row.node_bytes);
		return -ENOMEM;
	}
	add_nodes(show, cache, row.node_bytes);
	show->rows[show->nr_rows++] = row;
	return 0;
}

static int visit(void *data, const struct mig_file_cache *cache)
{
	struct show *show = data;

	add_to_total(show, cache);
	if (show->args->summarize ||
	    cache->cached_pages * show->page_size < show->min_bytes)
		return 0;
	return add_row(show, cache);
}

static uint64_t key_of(const struct row *row, unsigned int key)
{
	switch (key) {
	case SORT_CACHED:
		return row->amounts.cached;
	case SORT_SIZE:
		return row->amounts.size;
	case SORT_DIRTY:
		return row->amounts.dirty == MIG_UNKNOWN_PAGES ? 0 : row->amounts.dirty;
	default:
		return 0;
	}
}

static int compare_rows(const void *a, const void *b, void *data)
{
	const struct row *left = a, *right = b;
	const unsigned int *key = data;
	uint64_t left_key = key_of(left, *key), right_key = key_of(right, *key);

	if (left_key != right_key)
		return left_key > right_key ? -1 : 1;
	return strcmp(left->path, right->path);
}

static void put_known(struct table *table, size_t column, uint64_t bytes)
{
	if (bytes != MIG_UNKNOWN_PAGES)
		table_put_number(table, column, bytes);
}

static void put_row(const struct show *show, struct table *table, const struct row *row,
		    uint64_t *node_sizes)
{
	size_t i = 0;

	table_add_row(table);
	table_put_text(table, FILE_PATH, row->path);
	table_put_number(table, FILE_CACHED, row->amounts.cached);
	table_put_number(table, FILE_SIZE, row->amounts.size);
	put_known(table, FILE_DIRTY, row->amounts.dirty);
	put_known(table, FILE_WRITEBACK, row->amounts.writeback);
	put_known(table, FILE_LARGE, row->amounts.large);
	for (int node = mig_nodeset_next(show->nodes, MIG_NO_NODE); node != MIG_NO_NODE;
	     node = mig_nodeset_next(show->nodes, node))
		node_sizes[node] = row->node_bytes[i++];
	table_put_node_sizes(table, FILE_NODES, node_sizes);
}

static int print_json(const struct show *show, struct table *table)
{
	struct json json;

	json_begin(&json, stdout);
	table_write_rows(table, 0, show->nr_rows, &json, "files");
	json_put_number(&json, "nr_files", show->nr_files);
	json_open_object(&json, "total");
	table_write_row(table, show->nr_rows, &json);
	json_close_object(&json);
	return json_end(&json);
}

static int print_rows(const struct show *show, const struct common_args *common)
{
	bool with_total = show->args->total || show->args->summarize || common->json;
	CLEANUP_FREE uint64_t *node_sizes = calloc(MIG_MAX_NODES, sizeof(*node_sizes));
	CLEANUP_TABLE struct table *table = NULL;
	int status;

	if (!node_sizes)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot report");
	status = table_new(common, "show-file", &file_columns, 0, &table);
	if (status)
		return status;
	table_set_nodes(table, show->nodes, show->args->all_nodes);
	for (size_t i = 0; i < show->nr_rows; i++)
		put_row(show, table, &show->rows[i], node_sizes);
	if (with_total)
		put_row(show, table, &show->total, node_sizes);
	if (!common->json)
		return table_print(table);
	status = table_check(table);
	return status ? status : print_json(show, table);
}

static void free_rows(struct show *show)
{
	for (size_t i = 0; i < show->nr_rows; i++) {
		free(show->rows[i].path);
		free(show->rows[i].node_bytes);
	}
	free(show->rows);
	free(show->total.node_bytes);
}

static int look(struct show *show, const struct machine *machine, struct file_set *set)
{
	unsigned int sort = show->args->sort;
	char total[] = "total";
	int r, status;

	show->nodes = mig_topology_get_nodes(machine->topology, MIG_NODES_MEMORY);
	show->nr_nodes = mig_nodeset_count(show->nodes);
	show->page_size = mig_context_get_page_size(machine->context);
	show->total.path = total;
	show->total.node_bytes = calloc(show->nr_nodes, sizeof(uint64_t));
	r = show->total.node_bytes
		    ? mig_files_look(set->files, machine->topology, visit, show)
		    : -ENOMEM;
	if (r < 0)
		return message_failure(SUBJECT_SYSTEM, r, "cannot look at the files");
	if (show->nr_rows)
		qsort_r(show->rows, show->nr_rows, sizeof(*show->rows), compare_rows,
			&sort);
	status = print_rows(show, &show->args->common);
	if (status || !set->nr_problems)
		return status;
	return show->nr_files ? STATUS_PARTLY : STATUS_FAILED;
}

/* Of a tree only what is cached is of interest; what was named is shown. */
static uint64_t default_min(const struct show_file_args *args)
{
	const struct file_args *files = &args->files;

	return files->recurse || files->mount || files->of_pid || files->files0_from;
}

static int run(const void *given)
{
	CLEANUP_MACHINE struct machine machine = { 0 };
	const struct show_file_args *args = given;
	struct show show = { .args = args };
	struct file_set set;
	int status = table_check_columns(&args->common, "show-file", &file_columns);

	if (!status)
		status = machine_open(NULL, &machine);
	if (status)
		return status;
	show.min_bytes =
		args->min_bytes == DEFAULT_MIN ? default_min(args) : args->min_bytes;
	status = file_set_open("show-file", &machine, &args->common, &args->files, &set);
	if (status)
		return status;
	status = look(&show, &machine, &set);
	free_rows(&show);
	file_set_close(&set);
	return status;
}

const struct command command_show_file = {
	.name = "show-file",
	.summary = "show on which nodes files are cached",
	.operands = "[PATH...]",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.description =
		"Shows how much of files is in the page cache, and on which nodes.\n"
		"Nothing is read in and nothing written out, and what is looked at "
		"becomes neither younger nor older: cached amounts, dirtiness and access "
		"times stay as they are.",
	.options = options,
	.nr_options = ARRAY_SIZE(options),
	.column_sets = column_sets,
	.nr_column_sets = ARRAY_SIZE(column_sets),
	.args_size = sizeof(struct show_file_args),
	.defaults = &defaults,
	.run = run,
};
