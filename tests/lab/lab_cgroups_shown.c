// SPDX-License-Identifier: GPL-2.0-or-later
/* What `migratectl show-cgroup --json` says, as structs. */
#include "lab_cgroups.h"
#include "lab_world.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("show-cgroup does not say '%s'", key);
	return value;
}

static uint64_t get_number(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key);

	return value ? json_object_get_uint64(value) : REPORT_UNKNOWN;
}

static void get_text(struct json_object *object, const char *key, char *to, size_t size)
{
	snprintf(to, size, "%s", json_object_get_string(get(object, key)));
}

static uint64_t get_node_bits(struct json_object *object, const char *key)
{
	struct json_object *nodes = get(object, key);
	uint64_t bits = 0;

	if (!nodes)
		return REPORT_UNKNOWN;
	for (size_t i = 0; i < json_object_array_length(nodes); i++)
		bits |= UINT64_C(1)
			<< json_object_get_int(json_object_array_get_idx(nodes, i));
	return bits;
}

/* All of them add up to the total. */
static void get_nodes(struct json_object *object, uint64_t total_bytes,
		      uint64_t node_bytes[REPORT_MAX_NODES])
{
	struct json_object *nodes = get(object, "nodes");
	uint64_t sum = 0;

	for (size_t i = 0; nodes && i < json_object_array_length(nodes); i++) {
		struct json_object *entry = json_object_array_get_idx(nodes, i);
		int node = json_object_get_int(get(entry, "node"));

		assert_in_range(node, 0, REPORT_MAX_NODES - 1);
		node_bytes[node] = json_object_get_uint64(get(entry, "bytes"));
		sum += node_bytes[node];
	}
	if (nodes)
		assert_int_equal(sum, total_bytes);
}

static void read_kinds(struct json_object *object, struct shown_group *group)
{
	struct json_object *kinds = NULL;

	if (!json_object_object_get_ex(object, "kinds", &kinds))
		return;
	group->nr_kinds = json_object_array_length(kinds);
	assert_in_range(group->nr_kinds, 1, LAB_MOST_KINDS);
	for (size_t i = 0; i < group->nr_kinds; i++) {
		struct json_object *entry = json_object_array_get_idx(kinds, i);
		struct shown_kind *kind = &group->kinds[i];

		get_text(entry, "account", kind->account, sizeof(kind->account));
		get_text(entry, "kind", kind->kind, sizeof(kind->kind));
		kind->total_bytes = get_number(entry, "total_bytes");
		get_nodes(entry, kind->total_bytes, kind->node_bytes);
	}
}

static void read_group(struct json_object *object, struct shown_group *group)
{
	*group = (struct shown_group){
		.processes = get_number(object, "processes"),
		.hidden = get_number(object, "hidden_processes"),
		.total_bytes = get_number(object, "total_bytes"),
		.swapped_bytes = get_number(object, "swapped_bytes"),
		.local_percent = get_number(object, "local_percent"),
		.run_nodes = get_node_bits(object, "run_nodes"),
		.mems = get_node_bits(object, "mems_effective"),
		.own_mems = get_node_bits(object, "mems"),
	};
	get_text(object, "cgroup", group->path, sizeof(group->path));
	get_nodes(object, group->total_bytes, group->node_bytes);
	read_kinds(object, group);
}

void lab_show_groups_by(struct lab *lab, const char *prefix, struct shown *shown,
			const char *format, ...)
{
	struct json_object *root, *groups;
	char options[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(options, sizeof(options), format, arguments);
	va_end(arguments);
	*shown = (struct shown){ .nr = 0 };
	shown->run = lab_program(lab, "%s%s show-cgroup --json %s", prefix,
				 lab_program_path("MIGRATECTL", "migratectl"), options);
	lab_finish(shown->run);
	if (shown->run->status != EXIT_IN_PLACE && shown->run->status != EXIT_PARTLY)
		return;
	root = json_tokener_parse(shown->run->out);
	if (!root)
		fail_msg("show-cgroup says no JSON");
	groups = get(root, "cgroups");
	shown->nr = json_object_array_length(groups);
	assert_in_range(shown->nr, 1, LAB_MOST_SHOWN);
	for (size_t i = 0; i < shown->nr; i++)
		read_group(json_object_array_get_idx(groups, i), &shown->groups[i]);
	json_object_put(root);
}

const struct shown_kind *lab_shown_kind(const struct shown_group *group,
					const char *account, const char *kind)
{
	for (size_t i = 0; i < group->nr_kinds; i++) {
		if (!strcmp(group->kinds[i].account, account) &&
		    !strcmp(group->kinds[i].kind, kind))
			return &group->kinds[i];
	}
	fail_msg("no row for '%s' that is %s", kind, account);
	return NULL;
}
