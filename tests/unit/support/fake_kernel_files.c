/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fake kernel shows in /proc and /sys. A file is replaced as a whole, so that
 * who has it open reads on in what it was. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_kernel_memory.h"
#include "fake_machine.h"
#include "fake_process.h"

static void must(bool worked, const char *path)
{
	if (worked)
		return;
	perror(path);
	abort();
}

static void replace(const struct fake_kernel *kernel, const char *path, const char *text)
{
	char full[PATH_MAX], fresh[PATH_MAX];
	FILE *stream;

	snprintf(full, sizeof(full), "%s/%s", kernel->root->path, path);
	snprintf(fresh, sizeof(fresh), "%s/being-written", kernel->root->path);
	stream = fopen(fresh, "we");
	must(stream && fputs(text, stream) >= 0 && !fclose(stream), fresh);
	must(!rename(fresh, full), full);
}

/* What is being put together; fclose() makes it whole, and writes both members. */
struct text {
	char *bytes;
	size_t length;
};

static FILE *begin(struct text *text)
{
	return fake_need(open_memstream(&text->bytes, &text->length));
}

static void end(const struct fake_kernel *kernel, const char *path, FILE *stream,
		struct text *text)
{
	must(!fclose(stream), path);
	replace(kernel, path, text->bytes);
	free(text->bytes);
}

static void write_node(const struct fake_kernel *kernel, int node)
{
	char path[128], text[512];
	size_t length = 0;

	snprintf(path, sizeof(path), NODES "/node%d/cpulist", node);
	snprintf(text, sizeof(text), "%d-%d\n", node * 2, node * 2 + 1);
	fake_root_write(kernel->root, path, text);
	snprintf(path, sizeof(path), NODES "/node%d/distance", node);
	for (int to = 0; to < kernel->options.nr_nodes; to++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%d ",
					   10 + 10 * abs(node - to));
	fake_root_write(kernel->root, path, text);
	snprintf(path, sizeof(path), NODES "/node%d/memory%d/online", node, node + 1);
	fake_root_write(kernel->root, path, "1\n");
	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	snprintf(text, sizeof(text), "Node %d MemTotal: %" PRIu64 " kB\n", node,
		 kernel->options.node_pages * kernel->page_size / 1024);
	fake_root_write(kernel->root, path, text);
	snprintf(path, sizeof(path),
		 NODES "/node%d/hugepages/hugepages-2048kB/nr_hugepages", node);
	fake_root_write(kernel->root, path, "8\n");
}

void fake_files_write_machine(struct fake_kernel *kernel)
{
	static const char *const lists[] = { "possible", "online", "has_memory",
					     "has_cpu" };
	char path[128], text[128];

	snprintf(text, sizeof(text), "0-%d\n", kernel->options.nr_nodes - 1);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		snprintf(path, sizeof(path), NODES "/%s", lists[i]);
		fake_root_write(kernel->root, path, text);
	}
	for (int node = 0; node < kernel->options.nr_nodes; node++)
		write_node(kernel, node);
	snprintf(text, sizeof(text), "%" PRIx64 "\n",
		 FAKE_BLOCK_FRAMES * kernel->page_size);
	fake_root_write(kernel->root, "sys/devices/system/memory/block_size_bytes", text);
	snprintf(text, sizeof(text), "%" PRIu64 "\n",
		 FAKE_HUGE_PAGES * kernel->page_size);
	fake_root_write(kernel->root, "sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
			text);
	if (kernel->options.caller_mems)
		snprintf(text, sizeof(text), "Mems_allowed_list:\t%s\n",
			 kernel->options.caller_mems);
	else
		snprintf(text, sizeof(text), "Mems_allowed_list:\t0-%d\n",
			 kernel->options.nr_nodes - 1);
	fake_root_write(kernel->root, "proc/self/status", text);
	fake_root_write(kernel->root, "proc/self/pagemap", "self\n");
	fake_root_write(kernel->root, "proc/kpageflags", "kpageflags\n");
	fake_root_write(kernel->root, "proc/kpagecount", "kpagecount\n");
}

static void write_room(const struct fake_kernel *kernel)
{
	char path[128], pool[32];
	struct text text;
	FILE *stream = begin(&text);

	for (int node = 0; node < kernel->options.nr_nodes; node++)
		fprintf(stream,
			"Node %d, zone   Normal\n  pages free     %" PRIu64 "\n"
			"        min      0\n        low      0\n        high     %u\n",
			node,
			fake_node_free(kernel, node) + kernel->options.claimed_pages,
			FAKE_WATERMARK_PAGES);
	end(kernel, "proc/zoneinfo", stream, &text);
	for (int node = 0; node < kernel->options.nr_nodes; node++) {
		snprintf(path, sizeof(path),
			 NODES "/node%d/hugepages/hugepages-2048kB/free_hugepages", node);
		snprintf(pool, sizeof(pool), "%u\n", kernel->nodes[node].huge_pool);
		replace(kernel, path, pool);
	}
}

static const char *name_of(const struct fake_mapping *mapping)
{
	static const char *const names[] = {
		[FAKE_ANON] = "",
		[FAKE_FILE] = "/data/file",
		[FAKE_SHMEM] = "/dev/zero (deleted)",
		[FAKE_HUGETLB] = "/anon_hugepage (deleted)",
	};

	return *mapping->name ? mapping->name : names[mapping->kind];
}

static void put_maps_line(FILE *stream, const struct fake_mapping *mapping,
			  uint64_t page_size)
{
	static const char *const files[] = {
		[FAKE_ANON] = "rw-p 00000000 00:00 0",
		[FAKE_FILE] = "r--s 00000000 fd:01 1234",
		[FAKE_SHMEM] = "rw-s 00000000 00:01 77",
		[FAKE_HUGETLB] = "rw-p 00000000 00:10 99",
	};

	fprintf(stream, "%" PRIx64 "-%" PRIx64 " %s %s\n", mapping->start,
		mapping->start + mapping->nr_pages * page_size, files[mapping->kind],
		name_of(mapping));
}

static void put_numa_maps_line(FILE *stream, const struct fake_mapping *mapping,
			       uint64_t page_size)
{
	uint64_t counts[FAKE_MOST_NODES] = { 0 }, all = 0;
	uint32_t unit = mapping->kind == FAKE_HUGETLB ? FAKE_HUGE_PAGES : 1;
	unsigned int most = 0;

	for (uint64_t i = 0; i < mapping->nr_pages; i += unit) {
		const struct fake_pte *pte = &mapping->ptes[i];

		if (!pte->folio)
			continue;
		counts[pte->folio->node]++;
		all++;
		if (pte->folio->mapped[pte->page] > most)
			most = pte->folio->mapped[pte->page];
	}
	fprintf(stream, "%" PRIx64 " default%s", mapping->start,
		mapping->kind == FAKE_HUGETLB ? " huge" : "");
	if (all)
		fprintf(stream, " anon=%" PRIu64 " dirty=%" PRIu64, all, all);
	if (most > 1)
		fprintf(stream, " mapmax=%u", most);
	for (int node = 0; node < FAKE_MOST_NODES; node++)
		if (counts[node])
			fprintf(stream, " N%d=%" PRIu64, node, counts[node]);
	if (all)
		fprintf(stream, " kernelpagesize_kB=%" PRIu64, unit * page_size / 1024);
	fputc('\n', stream);
}

static void write_memory(const struct fake_kernel *kernel, const struct fake_task *task)
{
	const struct fake_process_memory *memory = &task->memory;
	char path[64];
	struct text text;
	FILE *stream = begin(&text);

	for (size_t i = 0; i < memory->nr_mappings; i++)
		put_maps_line(stream, &memory->mappings[i], kernel->page_size);
	/* A process that is there has a stack, of which nothing is resident here. */
	fputs("7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0 [stack]\n", stream);
	snprintf(path, sizeof(path), "proc/%d/maps", task->pid);
	end(kernel, path, stream, &text);
	stream = begin(&text);
	for (size_t i = 0; i < memory->nr_mappings; i++)
		put_numa_maps_line(stream, &memory->mappings[i], kernel->page_size);
	fputs("7ffffffde000 default stack\n", stream);
	snprintf(path, sizeof(path), "proc/%d/numa_maps", task->pid);
	end(kernel, path, stream, &text);
}

void fake_files_write_changes(struct fake_kernel *kernel)
{
	char text[64];

	write_room(kernel);
	snprintf(text, sizeof(text), "nr_free_pages 1\nthp_migration_split %u\n",
		 kernel->nr_splits);
	replace(kernel, "proc/vmstat", text);
	for (size_t i = 0; i < kernel->nr_tasks; i++)
		if (!kernel->tasks[i].gone)
			write_memory(kernel, &kernel->tasks[i]);
}

void fake_files_write_task(struct fake_kernel *kernel, const struct fake_task *task)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "proc/%d/pagemap", task->pid);
	snprintf(text, sizeof(text), "pagemap %d %u\n", task->pid, task->memory.id);
	replace(kernel, path, text);
	snprintf(path, sizeof(path), "proc/%d/pidfd", task->pid);
	snprintf(text, sizeof(text), "pidfd %d\n", task->pid);
	replace(kernel, path, text);
	write_memory(kernel, task);
}

void fake_files_forget_memory(struct fake_kernel *kernel, const struct fake_task *task)
{
	static const char *const names[] = { "pagemap", "maps", "numa_maps" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/proc/%d/%s", kernel->root->path,
			 task->pid, names[i]);
		must(!truncate(path, 0), path);
	}
}

void fake_files_remove_task(struct fake_kernel *kernel, const struct fake_task *task)
{
	char path[PATH_MAX];

	/* First what says that it lives: the rest is missing only then. */
	snprintf(path, sizeof(path), "%s/proc/%d/stat", kernel->root->path, task->pid);
	must(!unlink(path), path);
	fake_process_remove(kernel->root, task->pid);
}
