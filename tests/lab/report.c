// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* While a report is read: the first key that is not as it should be. */
struct reader {
	const char *problem;
};

static void complain(struct reader *reader, const char *problem)
{
	if (!reader->problem)
		reader->problem = problem;
}

static struct json_object *get(struct reader *reader, struct json_object *object,
			       const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, type)) {
		complain(reader, key);
		return NULL;
	}
	return value;
}

static uint64_t get_number(struct reader *reader, struct json_object *object,
			   const char *key)
{
	return json_object_get_uint64(get(reader, object, key, json_type_int));
}

static uint64_t get_number_or_null(struct reader *reader, struct json_object *object,
				   const char *key)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) && !value)
		return REPORT_UNKNOWN;
	return get_number(reader, object, key);
}

static bool get_bool(struct reader *reader, struct json_object *object, const char *key)
{
	return json_object_get_boolean(get(reader, object, key, json_type_boolean));
}

static double get_seconds(struct reader *reader, struct json_object *object,
			  const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value)) {
		complain(reader, key);
		return 0;
	}
	return json_object_get_double(value);
}

static int get_node(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) || !value)
		return -1;
	return json_object_get_int(value);
}

static void get_text(struct json_object *object, const char *key, char *to, size_t size)
{
	struct json_object *value = NULL;

	to[0] = '\0';
	if (json_object_object_get_ex(object, key, &value) && value)
		snprintf(to, size, "%s", json_object_get_string(value));
}

/* Pages are base pages and bytes are bytes, everywhere. */
static struct report_amount read_amount(struct reader *reader, struct json_object *object)
{
	struct report_amount amount = {
		.pages = get_number(reader, object, "pages"),
		.bytes = get_number(reader, object, "bytes"),
	};

	if (amount.bytes != amount.pages * (uint64_t)sysconf(_SC_PAGESIZE))
		complain(reader, "bytes are not pages times the page size");
	return amount;
}

static struct report_amount get_amount(struct reader *reader, struct json_object *object,
				       const char *key)
{
	return read_amount(reader, get(reader, object, key, json_type_object));
}

static size_t get_reasons(struct reader *reader, struct json_object *object,
			  const char *key,
			  struct report_reason reasons[REPORT_MAX_REASONS])
{
	struct json_object *array = get(reader, object, key, json_type_array);
	size_t nr = array ? json_object_array_length(array) : 0;

	if (nr > REPORT_MAX_REASONS) {
		complain(reader, key);
		return 0;
	}
	for (size_t i = 0; i < nr; i++) {
		struct json_object *entry = json_object_array_get_idx(array, i);
		struct report_reason *reason = &reasons[i];

		get_text(entry, "reason", reason->reason, sizeof(reason->reason));
		get_text(entry, "text", reason->text, sizeof(reason->text));
		get_text(entry, "hint", reason->hint, sizeof(reason->hint));
		reason->node = get_node(entry, "node");
		reason->error = get_node(entry, "error");
		reason->amount = read_amount(reader, entry);
		if (!reason->reason[0] || !reason->text[0] || !reason->amount.pages)
			complain(reader, key);
	}
	return nr;
}

static bool is_node(int node)
{
	return node >= 0 && node < REPORT_MAX_NODES;
}

static void get_pairs(struct reader *reader, struct json_object *object,
		      struct report *report)
{
	struct json_object *array = get(reader, object, "pairs", json_type_array);
	size_t nr = array ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *entry = json_object_array_get_idx(array, i);
		int from = get_node(entry, "from"), to = get_node(entry, "to");

		if (!is_node(from) || !is_node(to))
			complain(reader, "pairs");
		else
			report->pairs[from][to] = read_amount(reader, entry).pages;
	}
}

static void get_nodes(struct reader *reader, struct json_object *object, const char *key,
		      uint64_t bytes[REPORT_MAX_NODES])
{
	struct json_object *nodes = get(reader, object, key, json_type_array);
	size_t nr = nodes ? json_object_array_length(nodes) : 0;

	for (size_t i = 0; i < nr; i++) {
		struct json_object *entry = json_object_array_get_idx(nodes, i);
		int node = get_node(entry, "node");

		if (!is_node(node))
			complain(reader, key);
		else
			bytes[node] = get_number(reader, entry, "bytes");
	}
}

/* A key without a value: it was not read, or could not be. */
static void get_nodes_or_null(struct reader *reader, struct json_object *object,
			      const char *key, uint64_t bytes[REPORT_MAX_NODES],
			      bool *ret_is_there)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		complain(reader, key);
	*ret_is_there = value;
	if (value)
		get_nodes(reader, object, key, bytes);
}

static void get_residency(struct reader *reader, struct json_object *object,
			  struct report *report)
{
	struct json_object *residency =
		get(reader, object, "residency", json_type_object);

	get_nodes(reader, residency, "before", report->before_bytes);
	get_nodes_or_null(reader, residency, "after", report->after_bytes,
			  &report->has_after);
	get_nodes_or_null(reader, residency, "settled", report->settled_bytes,
			  &report->has_settled);
}

static void get_processes(struct reader *reader, struct json_object *object,
			  struct report *report)
{
	report->processes = (unsigned int)get_number(reader, object, "processes");
	report->processes_gone =
		(unsigned int)get_number(reader, object, "processes_gone");
	report->paged_out = get_amount(reader, object, "paged_out");
	report->swapped_pages = get_amount(reader, object, "swapped").pages;
}

static void get_cgroup(struct reader *reader, struct json_object *object,
		       struct report *report)
{
	struct json_object *binding = NULL, *mems;
	bool is_bound;

	get_text(object, "cgroup", report->cgroup, sizeof(report->cgroup));
	report->processes_hidden =
		(unsigned int)get_number(reader, object, "processes_hidden");
	if (!json_object_object_get_ex(object, "binding", &binding))
		complain(reader, "binding");
	get_nodes_or_null(reader, get(reader, object, "residency", json_type_object),
			  "bound", report->bound_bytes, &is_bound);
	if (is_bound != (binding != NULL))
		complain(reader, "bound");
	if (!binding)
		return;
	mems = get(reader, binding, "mems", json_type_array);
	for (size_t i = 0; mems && i < json_object_array_length(mems); i++)
		report->bound_mems |=
			UINT64_C(1)
			<< json_object_get_int(json_object_array_get_idx(mems, i));
	report->bound_pages = get_amount(reader, binding, "moved").pages;
}

static void get_files(struct reader *reader, struct json_object *object,
		      struct report *report)
{
	report->files = get_number(reader, object, "files");
	report->files_gone = get_number(reader, object, "files_gone");
	report->files_denied = get_number(reader, object, "files_denied");
	report->reread = get_amount(reader, object, "reread");
}

static void read_target(struct reader *reader, struct json_object *object,
			struct report *report)
{
	struct json_object *huge = get(reader, object, "huge", json_type_object);

	*report = (struct report){
		.considered = get_amount(reader, object, "considered"),
		.wanted = get_amount(reader, object, "wanted"),
		.moved = get_amount(reader, object, "moved"),
		.already = get_amount(reader, object, "already"),
		.gone = get_amount(reader, object, "gone"),
		.huge_moved_whole = get_number(reader, huge, "moved_whole"),
		.huge_split = get_number_or_null(reader, huge, "split"),
		.seconds = get_seconds(reader, object, "seconds"),
		.longest_call_seconds =
			get_seconds(reader, object, "longest_call_seconds"),
		.passes = (unsigned int)get_number(reader, object, "passes"),
		.threads = (unsigned int)get_number(reader, object, "threads"),
		.stopped = get_bool(reader, object, "stopped"),
		.timed_out = get_bool(reader, object, "timed_out"),
	};
	if (json_object_object_get_ex(object, "pid", NULL))
		report->pid = (int)get_number(reader, object, "pid");
	else if (json_object_object_get_ex(object, "cgroup", NULL))
		get_cgroup(reader, object, report);
	if (json_object_object_get_ex(object, "processes", NULL))
		get_processes(reader, object, report);
	else
		get_files(reader, object, report);
	report->nr_skipped = get_reasons(reader, object, "skipped", report->skipped);
	report->nr_left = get_reasons(reader, object, "left", report->left);
	get_pairs(reader, object, report);
	/* What is on a node is more than what a round looks at. */
	if (json_object_object_get_ex(object, "round", NULL))
		report->round = (unsigned int)get_number(reader, object, "round");
	else
		get_residency(reader, object, report);
}

bool report_parse(const char *text, struct report **ret_reports, size_t *ret_nr,
		  const char **ret_problem)
{
	struct json_object *root = json_tokener_parse(text), *targets;
	struct reader reader = { .problem = root ? NULL : "not JSON" };
	struct report *reports = NULL;
	size_t nr;

	targets = root ? get(&reader, root, "targets", json_type_array) : NULL;
	nr = targets ? json_object_array_length(targets) : 0;
	if (nr) {
		reports = calloc(nr, sizeof(*reports));
		if (!reports)
			complain(&reader, "no memory");
	}
	for (size_t i = 0; i < nr && reports; i++)
		read_target(&reader, json_object_array_get_idx(targets, i), &reports[i]);
	json_object_put(root);
	if (reader.problem) {
		free(reports);
		*ret_problem = reader.problem;
		return false;
	}
	*ret_reports = reports;
	*ret_nr = nr;
	return true;
}

static void read_file(struct reader *reader, struct json_object *object,
		      struct report_file *file)
{
	*file = (struct report_file){
		.size_bytes = get_number(reader, object, "size_bytes"),
		.cached_bytes = get_number(reader, object, "cached_bytes"),
		.dirty_bytes = get_number_or_null(reader, object, "dirty_bytes"),
		.writeback_bytes = get_number_or_null(reader, object, "writeback_bytes"),
		.large_bytes = get_number_or_null(reader, object, "large_bytes"),
	};
	get_text(object, "path", file->path, sizeof(file->path));
	get_nodes(reader, object, "nodes", file->node_bytes);
}

bool report_parse_files(const char *text, struct report_file **ret_files, size_t *ret_nr,
			const char **ret_problem)
{
	struct json_object *root = json_tokener_parse(text), *array, *total;
	struct reader reader = { .problem = root ? NULL : "not JSON" };
	struct report_file *files = NULL;
	size_t nr;

	array = root ? get(&reader, root, "files", json_type_array) : NULL;
	total = root ? get(&reader, root, "total", json_type_object) : NULL;
	nr = array ? json_object_array_length(array) : 0;
	if (total)
		files = calloc(nr + 1, sizeof(*files));
	for (size_t i = 0; files && i < nr; i++)
		read_file(&reader, json_object_array_get_idx(array, i), &files[i]);
	if (files)
		read_file(&reader, total, &files[nr]);
	else
		complain(&reader, "no memory");
	json_object_put(root);
	if (reader.problem) {
		free(files);
		*ret_problem = reader.problem;
		return false;
	}
	*ret_files = files;
	*ret_nr = nr;
	return true;
}

static uint64_t sum(const struct report_reason *reasons, size_t nr, const char *reason)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!reason || !strcmp(reasons[i].reason, reason))
			pages += reasons[i].amount.pages;
	}
	return pages;
}

uint64_t report_skipped(const struct report *report, const char *reason)
{
	return sum(report->skipped, report->nr_skipped, reason);
}

uint64_t report_left(const struct report *report, const char *reason)
{
	return sum(report->left, report->nr_left, reason);
}
