// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs of `migratectl drain`, and what a node holds. */
#include "lab_drain.h"
#include "lab_world.h"
#include "oracle_frames.h"

#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY "/sys/devices/system/memory"
#define KPF_LRU KPF_BIT(5)
#define KPF_BUDDY KPF_BIT(10)
#define KPF_ANON KPF_BIT(12)
#define KPF_SWAPBACKED KPF_BIT(14)
#define KPF_UNEVICTABLE KPF_BIT(18)

/* -------------------------------------------------------------------- the runs */

FORMAT(2, 0)
static struct run *start(struct lab *lab, const char *format, va_list arguments)
{
	char options[512];
	struct run *run;

	vsnprintf(options, sizeof(options), format, arguments);
	run = lab_program(lab, "%s drain --json %s",
			  lab_program_path("MIGRATECTL", "migratectl"), options);
	lab_expect_report(run);
	return run;
}

struct run *lab_start_drain(struct lab *lab, const char *format, ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start(lab, format, arguments);
	va_end(arguments);
	return run;
}

struct run *lab_drain(struct lab *lab, const char *format, ...)
{
	va_list arguments;
	struct run *run;

	va_start(arguments, format);
	run = start(lab, format, arguments);
	va_end(arguments);
	lab_finish(run);
	return run;
}

bool lab_has_damon(void)
{
	return !access(LAB_KDAMONDS, F_OK);
}

const char *lab_search(const struct lab_disk *disk)
{
	static char option[80];

	snprintf(option, sizeof(option), "--search %s", disk->path);
	return lab_has_damon() ? "" : option;
}

uint64_t lab_drained(const struct run *run, int from, int to)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < run->nr_reports; i++) {
		for (int a = 0; a < REPORT_MAX_NODES; a++)
			for (int b = 0; b < REPORT_MAX_NODES; b++)
				if ((from < 0 || from == a) && (to < 0 || to == b))
					pages += run->reports[i].pairs[a][b];
	}
	return pages;
}

static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("drain does not say '%s'", key);
	return value;
}

static struct json_object *parse(const struct run *run)
{
	struct json_object *root = json_tokener_parse(run->out);

	if (!root)
		fail_msg("drain does not print JSON");
	return root;
}

static void get_text(struct json_object *object, const char *key, char *to, size_t size)
{
	struct json_object *value = get(object, key);

	snprintf(to, size, "%s", value ? json_object_get_string(value) : "");
}

uint64_t lab_drain_number(const struct run *run, const char *key)
{
	struct json_object *root = parse(run);
	uint64_t number = json_object_get_uint64(get(root, key));

	json_object_put(root);
	return number;
}

static uint64_t bytes_on(struct json_object *nodes, int node)
{
	for (size_t i = 0; i < json_object_array_length(nodes); i++) {
		struct json_object *entry = json_object_array_get_idx(nodes, i);

		if (json_object_get_int(get(entry, "node")) == node)
			return json_object_get_uint64(get(entry, "bytes"));
	}
	return 0;
}

uint64_t lab_drain_rest(const struct run *run, const char *content, int node)
{
	struct json_object *root = parse(run), *rest = get(root, "rest");
	uint64_t bytes = 0;

	for (size_t i = 0; i < json_object_array_length(rest); i++) {
		struct json_object *entry = json_object_array_get_idx(rest, i);

		if (!strcmp(json_object_get_string(get(entry, "content")), content))
			bytes += bytes_on(get(entry, "nodes"), node);
	}
	json_object_put(root);
	return bytes;
}

pid_t lab_drain_holder(const struct run *run)
{
	struct json_object *root = parse(run), *holders = NULL;
	pid_t pid = 0;

	if (json_object_object_get_ex(root, "holders", &holders) &&
	    json_object_array_length(holders))
		pid = json_object_get_int(
			get(json_object_array_get_idx(holders, 0), "pid"));
	json_object_put(root);
	return pid;
}

/* Rounds that had none do not say. */
const char *lab_drain_way(const struct run *run)
{
	struct json_object *root = parse(run), *targets = get(root, "targets");
	static char way[16];

	way[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(targets) && !way[0]; i++)
		get_text(json_object_array_get_idx(targets, i), "cache", way,
			 sizeof(way));
	json_object_put(root);
	return way;
}

uint64_t lab_fill_node(struct lab *lab, int node)
{
	lab_drop_caches();
	lab_shell(lab, NULL, "echo 1 >/proc/sys/vm/compact_memory");
	lab_leave_free(lab, node, 16 * MEBIBYTE);
	return lab_free_bytes(node) / MEBIBYTE;
}

/* ------------------------------------------------------------------- the oracle */

static void count(struct lab_node_pages *pages, uint64_t flags)
{
	if (flags & KPF_HUGE)
		pages->huge++;
	else if (flags & KPF_BUDDY)
		return;
	else if (flags & KPF_ANON)
		pages->anon++;
	else if (!(flags & (KPF_LRU | KPF_UNEVICTABLE)))
		return;
	else if (flags & KPF_SWAPBACKED)
		pages->shmem++;
	else
		pages->file++;
}

/* On 6.1 the first page of a folio has the flags of all. */
static void count_block(uint64_t first, uint64_t nr, struct lab_node_pages *pages)
{
	uint64_t *flags = calloc(nr, sizeof(*flags)), head = 0;
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	ssize_t size = (ssize_t)(nr * sizeof(*flags));

	assert_non_null(flags);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, flags, (size_t)size, (off_t)(first * sizeof(*flags))),
			 size);
	close(fd);
	for (uint64_t i = 0; i < nr; i++) {
		if (!(flags[i] & KPF_COMPOUND_TAIL))
			head = flags[i] & KPF_COMPOUND_HEAD ? flags[i] : 0;
		count(pages, flags[i] | head);
	}
	free(flags);
}

static uint64_t block_pages(void)
{
	return strtoull(lab_read(MEMORY "/block_size_bytes"), NULL, 16) / PAGE_BYTES;
}

/* Calls @visit for each block of a node in that state; NULL: only counts them. */
static unsigned int each_block(int node, const char *state,
			       void (*visit)(uint64_t first, uint64_t nr,
					     struct lab_node_pages *pages),
			       struct lab_node_pages *pages)
{
	uint64_t nr_pages = block_pages();
	unsigned int nr = 0;
	char path[128];
	glob_t found;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/memory[0-9]*",
		 node);
	if (glob(path, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/');

		snprintf(path, sizeof(path), MEMORY "%s/state", name);
		if (strcmp(lab_read(path), state))
			continue;
		nr++;
		if (visit)
			visit(strtoull(name + strlen("/memory"), NULL, 10) * nr_pages,
			      nr_pages, pages);
	}
	globfree(&found);
	return nr;
}

struct lab_node_pages lab_look_at_node(int node)
{
	struct lab_node_pages pages = { 0 };

	each_block(node, "online", count_block, &pages);
	printf("node %d: %" PRIu64 " anon, %" PRIu64 " file, %" PRIu64 " shmem, %" PRIu64
	       " huge\n",
	       node, pages.anon, pages.file, pages.shmem, pages.huge);
	return pages;
}

unsigned int lab_blocks_in_state(int node, const char *state)
{
	return each_block(node, state, NULL, NULL);
}

uint64_t lab_all_free_bytes(int node)
{
	char line[256];
	uint64_t pages = 0, count;
	int here = -1, number;
	FILE *stream = fopen("/proc/zoneinfo", "re");

	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "Node %d,", &number) == 1)
			here = number;
		else if (here == node && sscanf(line, " count: %" SCNu64, &count) == 1)
			pages += count;
	fclose(stream);
	return lab_free_bytes(node) + pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
