/* SPDX-License-Identifier: GPL-2.0-or-later */
/* show-node --by=file and --by=mount: files whose cached pages are on the nodes, as far
 * as they can be found. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "handles.h"
#include "message.h"
#include "show-node.h"

/* What a file system has on the nodes. */
struct mount {
	char *name;
	char *type;
	uint64_t *node_bytes;
};

struct search {
	const struct show_node_args *args;
	const struct machine *machine;
	struct holders *holders;
	struct mig_target *target; /**< all processes */
	struct mig_files *files;
	uint64_t page_size;
	struct mount *mounts;
	size_t nr_mounts;
	int error; /**< the last problem that was one */
};

static void search_done(struct search *search)
{
	for (size_t i = 0; i < search->nr_mounts; i++) {
		free(search->mounts[i].name);
		free(search->mounts[i].type);
		free(search->mounts[i].node_bytes);
	}
	free(search->mounts);
	mig_files_free(search->files);
	mig_target_free(search->target);
}

/* Others' processes and directories are missing; what has gone meanwhile, or never has
 * cached pages, is not. */
static void count_problem(void *data, const char *path, int error)
{
	struct search *search = data;

	(void)path;
	if (error != -EACCES && error != -EPERM)
		return;
	search->holders->nr_denied++;
	search->error = error;
}

static int find_files(struct search *search)
{
	static const char *const types[] = { "tmpfs", "hugetlbfs", "ramfs", "devtmpfs" };
	const char *tree = search->args->search;
	int r = mig_target_add_everybody(search->target);

	for (size_t i = 0; !r && i < mig_target_get_count(search->target); i++)
		r = mig_files_add_process(search->files,
					  mig_target_get_process(search->target, i));
	for (size_t i = 0; !r && i < ARRAY_SIZE(types); i++)
		r = mig_files_add_mounts(search->files, types[i]);
	/* Without a mount table there are the processes. */
	if (r == -ENODATA)
		r = 0;
	if (!r && tree)
		r = mig_files_add_path(search->files, tree, MIG_FILES_RECURSE);
	return r;
}

static struct mount *get_mount(struct search *search, const char *name, const char *type)
{
	struct mount *mounts, *mount;

	for (size_t i = 0; i < search->nr_mounts; i++)
		if (!strcmp(search->mounts[i].name, name) &&
		    !strcmp(search->mounts[i].type, type))
			return &search->mounts[i];
	mounts = reallocarray(search->mounts, search->nr_mounts + 1, sizeof(*mounts));
	if (!mounts)
		return NULL;
	search->mounts = mounts;
	mount = &mounts[search->nr_mounts++];
	*mount = (struct mount){
		.name = strdup(name),
		.type = strdup(type),
		.node_bytes = calloc(search->holders->nodes->count, sizeof(uint64_t)),
	};
	return mount->name && mount->type && mount->node_bytes ? mount : NULL;
}

static int add_to_mount(struct search *search, const struct mig_file_cache *cache,
			const uint64_t *node_bytes)
{
	char inner[64];
	struct mount *mount;

	snprintf(inner, sizeof(inner), "[%s]", cache->type);
	mount = get_mount(search, cache->mount ? cache->mount : inner, cache->type);
	if (!mount)
		return -ENOMEM;
	for (size_t i = 0; i < search->holders->nodes->count; i++)
		mount->node_bytes[i] += node_bytes[i];
	return 0;
}

static int add_file(void *data, const struct mig_file_cache *cache)
{
	struct search *search = data;
	const struct shown_nodes *nodes = search->holders->nodes;
	uint64_t node_bytes[MIG_MAX_NODES], total = 0;

	search->holders->nr_looked_at++;
	for (size_t i = 0; i < nodes->count; i++) {
		node_bytes[i] = cache->node_pages[nodes->numbers[i]] * search->page_size;
		total += node_bytes[i];
	}
	if (!total)
		return 0;
	if (search->args->by == BY_MOUNT)
		return add_to_mount(search, cache, node_bytes);
	return holders_add(search->holders, cache->path, NULL, 0, node_bytes);
}

static int add_mounts(struct search *search)
{
	int r = 0;

	for (size_t i = 0; !r && i < search->nr_mounts; i++)
		r = holders_add(search->holders, search->mounts[i].name,
				search->mounts[i].type, 0, search->mounts[i].node_bytes);
	return r;
}

static int begin(struct search *search)
{
	const struct mig_files_options options = {
		.size = sizeof(options),
		.problem = count_problem,
		.problem_data = search,
	};
	int r = mig_target_new(search->machine->context, &search->target);

	return r < 0 ? r
		     : mig_files_new(search->machine->context, &options, &search->files);
}

int show_node_find_files(const struct show_node_args *args, const struct machine *machine,
			 struct holders *holders)
{
	CLEANUP(search_done)
	struct search search = {
		.args = args,
		.machine = machine,
		.holders = holders,
		.page_size = mig_context_get_page_size(machine->context),
	};
	int r;

	if (args->search && access(args->search, F_OK) < 0)
		return message_failure(SUBJECT_FILE, -errno, "cannot search '%s'",
				       args->search);
	r = begin(&search);
	if (!r)
		r = find_files(&search);
	if (!r)
		r = mig_files_look(search.files, machine->topology, add_file, &search);
	if (!r)
		r = add_mounts(&search);
	if (r < 0)
		return message_failure(SUBJECT_FILE, r, "cannot look for files");
	if (!holders->nr_denied)
		return STATUS_OK;
	message_failure(SUBJECT_PROCESS, search.error,
			"files are missing: %zu processes, directories or files",
			(size_t)holders->nr_denied);
	return STATUS_PARTLY;
}
