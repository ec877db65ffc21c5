/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-pid --maps: a row for each mapping, its nodes beside it. */
#include "show-pid.h"

#include <stdio.h>

#include "command.h"
#include "handles.h"
#include "kind.h"
#include "message.h"

enum map_column {
	MAP_PID,
	MAP_START,
	MAP_END,
	MAP_SIZE,
	MAP_PERM,
	MAP_KIND,
	MAP_RESIDENT,
	MAP_NODES,
	MAP_ANON,
	MAP_DIRTY,
	MAP_WRITEBACK,
	MAP_SWAPCACHE,
	MAP_MAPPERS,
	MAP_PAGE,
	MAP_OFFSET,
	MAP_INODE,
	MAP_DEVICE,
	MAP_POLICY,
	MAP_NAME,
};

static const struct column columns[] = {
	[MAP_PID] = { "PID", "pid", COLUMN_NUMBER, COLUMN_OUTER,
		      "number of the process; printed if there may be several" },
	[MAP_START] = { "START", "start", COLUMN_ADDRESS, COLUMN_DEFAULT,
			"first address" },
	[MAP_END] = { "END", "end", COLUMN_ADDRESS, 0, "address behind the last" },
	[MAP_SIZE] = { "SIZE", "size_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
		       "of the addresses" },
	[MAP_PERM] = { "PERM", "permissions", COLUMN_TEXT, COLUMN_DEFAULT,
		       "read, write, execute; private or shared" },
	[MAP_KIND] = { "KIND", "kind", COLUMN_TEXT, COLUMN_DEFAULT,
		       "anon, heap, stack, file, shmem, hugetlb or kernel" },
	[MAP_RESIDENT] = { "RES", "resident_bytes", COLUMN_SIZE, COLUMN_DEFAULT,
			   "memory that is there" },
	[MAP_NODES] = { "NODES", "nodes", COLUMN_NODE_SIZES, COLUMN_DEFAULT,
			"of RES: on each node, in columns N0, N1, ..." },
	[MAP_ANON] = { "ANON", "anon_bytes", COLUMN_SIZE, 0,
		       "of RES: anonymous, so copied if it is a file's" },
	[MAP_DIRTY] = { "DIRTY", "dirty_bytes", COLUMN_SIZE, 0,
			"of RES: not written yet" },
	[MAP_WRITEBACK] = { "WRITEBACK", "writeback_bytes", COLUMN_SIZE, 0,
			    "of RES: being written" },
	[MAP_SWAPCACHE] = { "SWAPCACHE", "swapcache_bytes", COLUMN_SIZE, 0,
			    "of RES: in the swap cache" },
	[MAP_MAPPERS] = { "MAPPERS", "most_mappers", COLUMN_NUMBER, 0,
			  "the most processes that map one page" },
	[MAP_PAGE] = { "PAGE", "page_size_bytes", COLUMN_SIZE, 0,
		       "size of the kernel's pages there" },
	[MAP_OFFSET] = { "OFFSET", "file_offset_bytes", COLUMN_ADDRESS, 0,
			 "where it begins in its file" },
	[MAP_INODE] = { "INODE", "inode", COLUMN_NUMBER, 0, "of its file" },
	[MAP_DEVICE] = { "DEVICE", "device", COLUMN_TEXT, 0, "of its file: major:minor" },
	[MAP_POLICY] = { "POLICY", "policy", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_LIST,
			 "where new pages go, in the words of numa(7)" },
	[MAP_NAME] = { "NAME", "name", COLUMN_TEXT, COLUMN_DEFAULT | COLUMN_KEEP_END,
		       "its file, or what the kernel calls it" },
};

const struct column_set show_map_columns = { "Columns of --maps", columns,
					     ARRAY_SIZE(columns) };

/* A process that has been added, and where its rows begin. */
struct shown {
	pid_t pid;
	pid_t parent;
	const char *name; /* borrowed from the target */
	size_t first_row;
};

struct maps {
	struct table *table;
	struct shown *shown; /* with one more as an end */
	size_t nr_shown;
	uint64_t page_size;
};

static void done(struct show *show)
{
	struct maps *maps = show->state;

	if (!maps)
		return;
	table_free(maps->table);
	free(maps->shown);
	free(maps);
}

static int begin(struct show *show)
{
	struct maps *maps = calloc(1, sizeof(*maps));
	uint64_t defaults = 0;
	int status;

	show->state = maps;
	if (maps)
		maps->shown = calloc(mig_target_get_count(show->target) + 2,
				     sizeof(*maps->shown));
	if (!maps || !maps->shown)
		return message_failure(SUBJECT_SYSTEM, -ENOMEM, "cannot list processes");
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].flags & COLUMN_DEFAULT)
			defaults |= UINT64_C(1) << i;
	if (show->several)
		defaults |= UINT64_C(1) << MAP_PID;
	status = table_new(&show->args->common, "show-pid", &show_map_columns, defaults,
			   &maps->table);
	if (status)
		return status;
	table_set_nodes(maps->table, show_get_nodes(show), show->args->all_nodes);
	maps->page_size = mig_context_get_page_size(show->machine->context);
	return STATUS_OK;
}

static void put_residency(struct maps *maps, const struct mig_mapping *mapping)
{
	struct table *table = maps->table;
	uint64_t nodes[MIG_MAX_NODES];

	if (!mapping->has_residency)
		return;
	for (int node = 0; node < MIG_MAX_NODES; node++)
		nodes[node] = mapping->node_pages[node] * maps->page_size;
	table_put_number(table, MAP_RESIDENT, mapping->resident_pages * maps->page_size);
	table_put_node_sizes(table, MAP_NODES, nodes);
	table_put_number(table, MAP_ANON, mapping->anon_pages * maps->page_size);
	table_put_number(table, MAP_DIRTY, mapping->dirty_pages * maps->page_size);
	table_put_number(table, MAP_WRITEBACK,
			 mapping->writeback_pages * maps->page_size);
	table_put_number(table, MAP_SWAPCACHE,
			 mapping->swapcache_pages * maps->page_size);
	table_put_number(table, MAP_MAPPERS, mapping->most_mappers);
}

static void add_mapping(struct maps *maps, pid_t pid, const struct mig_mapping *mapping)
{
	struct table *table = maps->table;

	table_add_row(table);
	table_put_number(table, MAP_PID, (uint64_t)pid);
	table_put_number(table, MAP_START, mapping->start);
	table_put_number(table, MAP_END, mapping->end);
	table_put_number(table, MAP_SIZE, mapping->end - mapping->start);
	table_put_text(table, MAP_PERM, mapping->permissions);
	table_put_text(table, MAP_KIND, kind_get_name(mapping->kind));
	put_residency(maps, mapping);
	if (mapping->page_size_bytes)
		table_put_number(table, MAP_PAGE, mapping->page_size_bytes);
	if (mapping->inode) {
		table_put_number(table, MAP_OFFSET, mapping->file_offset_bytes);
		table_put_number(table, MAP_INODE, mapping->inode);
		table_put_format(table, MAP_DEVICE, "%u:%u", mapping->device_major,
				 mapping->device_minor);
	}
	if (*mapping->policy)
		table_put_text(table, MAP_POLICY, mapping->policy);
	if (*mapping->name)
		table_put_text(table, MAP_NAME, mapping->name);
}

static int add_mappings(const struct show *show, const struct mig_process *process)
{
	struct maps *maps = show->state;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	int r = mig_mappings_new(process, &mappings);

	while (!r) {
		const struct mig_mapping *mapping;

		r = mig_mappings_next(mappings, &mapping);
		if (r < 0 || !mapping)
			break;
		add_mapping(maps, mig_process_get_pid(process), mapping);
	}
	return r < 0 ? show_failure(show, process, r) : STATUS_OK;
}

static int add(struct show *show, const struct mig_process *process)
{
	struct maps *maps = show->state;
	struct shown *shown = &maps->shown[maps->nr_shown];
	pid_t pid = mig_process_get_pid(process);
	int status;

	shown->pid = pid;
	shown->parent = mig_process_get_parent(process);
	shown->name = mig_process_get_name(process);
	shown->first_row = table_get_nr_rows(maps->table);
	status = add_mappings(show, process);
	/* What was read before it failed is shown. */
	if (status && table_get_nr_rows(maps->table) == shown->first_row)
		return status;
	maps->nr_shown++;
	maps->shown[maps->nr_shown].first_row = table_get_nr_rows(maps->table);
	return status ? STATUS_PARTLY : STATUS_OK;
}

static int write_json(const struct maps *maps)
{
	struct json json;

	json_begin(&json, stdout);
	json_open_array(&json, "processes");
	for (size_t i = 0; i < maps->nr_shown; i++) {
		const struct shown *shown = &maps->shown[i];

		json_open_object(&json, NULL);
		json_put_signed(&json, "pid", shown->pid);
		if (shown->parent)
			json_put_signed(&json, "ppid", shown->parent);
		else
			json_put_null(&json, "ppid");
		json_put_text(&json, "name", shown->name);
		table_write_rows(maps->table, shown->first_row, shown[1].first_row, &json,
				 "maps");
		json_close_object(&json);
	}
	json_close_array(&json);
	return json_end(&json);
}

static int print(struct show *show)
{
	struct maps *maps = show->state;
	int status;

	if (!show->args->common.json)
		return table_print(maps->table);
	status = table_check(maps->table);
	return status ? status : write_json(maps);
}

const struct show_view show_view_maps = {
	.begin = begin,
	.add = add,
	.print = print,
	.done = done,
};
