// SPDX-License-Identifier: GPL-2.0-or-later
/* show-pid on several nodes: to the page what the oracle counts. */
#include "lab.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes on a node in an object that has "nodes": [{"node": N, "bytes": B} …]. */
static uint64_t bytes_on(struct json_object *object, int node)
{
	struct json_object *nodes = json_object_object_get(object, "nodes");

	for (size_t i = 0; i < json_object_array_length(nodes); i++) {
		struct json_object *entry = json_object_array_get_idx(nodes, i);

		if (json_object_get_int(json_object_object_get(entry, "node")) == node)
			return json_object_get_uint64(
				json_object_object_get(entry, "bytes"));
	}
	return 0;
}

/* The i-th process of `show-pid --json`; to be put with json_object_put(*ret_root). */
static struct json_object *show(struct lab *lab, const char *arguments, size_t i,
				struct json_object **ret_root)
{
	struct run *run = lab_migratectl(lab, "show-pid --json %s", arguments);
	struct json_object *processes;

	lab_assert_status(run, EXIT_IN_PLACE);
	*ret_root = json_tokener_parse(run->out);
	assert_non_null(*ret_root);
	processes = json_object_object_get(*ret_root, "processes");
	assert_true(i < json_object_array_length(processes));
	return json_object_array_get_idx(processes, i);
}

static void assert_same_nodes(struct json_object *object, const struct oracle_view *view,
			      uint64_t start, uint64_t end)
{
	for (int node = 0; node < 4; node++)
		assert_int_equal(bytes_on(object, node) / PAGE_BYTES,
				 oracle_count(view, node, start, end));
}

static void assert_shown_right(struct lab *lab, struct victim *victim)
{
	struct oracle_view *view = lab_look(lab, victim);
	struct json_object *root, *process;
	char arguments[32];

	snprintf(arguments, sizeof(arguments), "%d", victim->pid);
	process = show(lab, arguments, 0, &root);
	assert_same_nodes(process, view, 0, UINT64_MAX);
	assert_int_equal(
		json_object_get_uint64(json_object_object_get(process, "total_bytes")),
		view->nr_pages * PAGE_BYTES);
	json_object_put(root);
}

static void every_kind_of_memory_is_counted_where_it_is(void **state)
{
	static const char *const kinds[] = {
		"anon",      "thp",      "hugetlb", "heap",
		"stack",     "shmem",    "sysv",    "file-private-written",
		"untouched", "protnone",
	};
	struct lab *lab = *state;

	lab_hugetlb_pool(lab, 0, 1);
	lab_hugetlb_pool(lab, 2, 1);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --node 2,0", kinds[i]);

		assert_shown_right(lab, victim);
		lab_end_victim(lab, victim);
	}
}

static struct json_object *find_kind(struct json_object *process, const char *name)
{
	struct json_object *kinds = json_object_object_get(process, "kinds");

	for (size_t i = 0; i < json_object_array_length(kinds); i++) {
		struct json_object *kind = json_object_array_get_idx(kinds, i);

		if (!strcmp(json_object_get_string(json_object_object_get(kind, "kind")),
			    name))
			return kind;
	}
	fail_msg("no kind '%s'", name);
	return NULL;
}

static void kinds_are_told_apart(void **state)
{
	static const char *const kinds[][2] = {
		{ "anon", "anon" },       { "heap", "heap" },        { "stack", "stack" },
		{ "shmem", "shmem" },     { "file-shared", "file" }, { "thp", "anon" },
		{ "hugetlb", "hugetlb" },
	};
	struct lab *lab = *state;
	const char *mounted = lab_mount(lab, "ext4", 32);

	lab_hugetlb_pool(lab, 3, 2);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct victim *victim =
			lab_victim(lab, "--kind %s --size 4M --at 3 --path %s/file",
				   kinds[i][0], mounted);
		struct json_object *root, *process;
		char arguments[32];

		snprintf(arguments, sizeof(arguments), "--by-kind %d", victim->pid);
		process = show(lab, arguments, 0, &root);
		/* Some pages of the stack were there before, and all have libraries. */
		assert_in_range(bytes_on(find_kind(process, kinds[i][1]), 3) / PAGE_BYTES,
				victim->nr_pages - 4, victim->nr_pages + 400);
		json_object_put(root);
		lab_end_victim(lab, victim);
	}
}

static void each_mapping_is_shown_where_it_is(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 1,3");
	struct oracle_view *view = lab_look(lab, victim);
	struct json_object *root, *maps;
	char arguments[32];
	size_t nr_resident = 0;

	snprintf(arguments, sizeof(arguments), "--maps %d", victim->pid);
	maps = json_object_object_get(show(lab, arguments, 0, &root), "maps");
	for (size_t i = 0; i < json_object_array_length(maps); i++) {
		struct json_object *map = json_object_array_get_idx(maps, i);
		uint64_t start =
			json_object_get_uint64(json_object_object_get(map, "start"));
		uint64_t end = json_object_get_uint64(json_object_object_get(map, "end"));

		assert_same_nodes(map, view, start, end);
		nr_resident += oracle_count(view, -1, start, end);
	}
	assert_int_equal(nr_resident, view->nr_pages);
	json_object_put(root);
}

static void swapped_memory_is_on_no_node(void **state)
{
	struct json_object *root, *process;
	struct lab *lab = *state;
	struct oracle_view *view;
	struct victim *victim;
	char arguments[32];

	lab_swap_on(lab, 64);
	victim = lab_victim(lab, "--kind swapped --size 8M --node 0");
	view = lab_look(lab, victim);
	snprintf(arguments, sizeof(arguments), "%d", victim->pid);
	process = show(lab, arguments, 0, &root);
	assert_int_equal(
		json_object_get_uint64(json_object_object_get(process, "swapped_bytes")),
		view->nr_swapped * PAGE_BYTES);
	assert_same_nodes(process, view, 0, UINT64_MAX);
	json_object_put(root);
}

static void the_local_share_is_that_of_the_nodes_where_it_runs(void **state)
{
	struct json_object *root, *process;
	struct lab *lab = *state;
	struct oracle_view *view;
	struct victim *victim = lab_victim(lab, "--size 32M --node 1,2");
	char arguments[32];
	uint64_t percent;

	/* The third processor is the third node's. */
	lab_shell(lab, NULL, "taskset -p 4 %d >/dev/null", victim->pid);
	lab_assert_intact(victim);
	view = lab_look(lab, victim);
	snprintf(arguments, sizeof(arguments), "%d", victim->pid);
	process = show(lab, arguments, 0, &root);
	percent = oracle_count(view, 2, 0, UINT64_MAX) * 100 / view->nr_pages;
	assert_in_range(
		json_object_get_uint64(json_object_object_get(process, "local_percent")),
		percent - 1, percent + 1);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(
				 json_object_object_get(process, "run_nodes"), 0)),
			 2);
	json_object_put(root);
}

static void a_tree_is_shown_member_by_member(void **state)
{
	struct lab *lab = *state;
	struct victim *victim = lab_victim(lab, "--size 4M --node 3");
	struct json_object *root;
	char arguments[32];

	lab_fork(victim, 2);
	snprintf(arguments, sizeof(arguments), "--tree %d", victim->pid);
	for (size_t i = 0; i < 3; i++) {
		pid_t pid = i ? victim->children[i - 1] : victim->pid;
		struct oracle_view *view = lab_look_pid(lab, pid);
		struct json_object *process = show(lab, arguments, i, &root);

		assert_int_equal(
			json_object_get_int(json_object_object_get(process, "pid")), pid);
		assert_same_nodes(process, view, 0, UINT64_MAX);
		json_object_put(root);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LAB_TEST(every_kind_of_memory_is_counted_where_it_is),
		LAB_TEST(kinds_are_told_apart),
		LAB_TEST(each_mapping_is_shown_where_it_is),
		LAB_TEST(swapped_memory_is_on_no_node),
		LAB_TEST(the_local_share_is_that_of_the_nodes_where_it_runs),
		LAB_TEST(a_tree_is_shown_member_by_member),
	};

	return lab_main(tests, 4);
}
