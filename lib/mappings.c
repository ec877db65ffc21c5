/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Joins /proc/PID/maps and numa_maps, both of which the kernel writes in ascending
 * order, while the process may be changing its mappings. numa_maps gives only where
 * a mapping starts, and long walks of big mappings lie between its lines and those
 * of maps. What does not start at the same address is therefore still brought
 * together: see join().
 */
#include "mappings.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "filesystem.h"
#include "maps.h"
#include "numa_maps.h"
#include "process.h"
#include "procfs.h"

struct string {
	char *text;
	size_t size;
};

/* One of the two files. */
struct source {
	const char *name;
	struct mig_lines lines;
	uint64_t line_number;
};

/* The kind of the files on a device without a block device. */
struct device_kind {
	uint32_t minor;
	enum mig_kind kind;
};

#define MOST_KNOWN 16

struct mig_mappings {
	const struct mig_process *process;
	struct source maps;
	struct source numa_maps;
	bool has_residency;
	bool numa_at_end;
	struct mig_numa_maps_line numa_lines[2];
	struct mig_numa_maps_line *joined; /**< what belongs to the mapping */
	struct mig_numa_maps_line *ahead;  /**< the next one of the file */
	bool has_joined;
	bool has_ahead;
	struct mig_filesystems *filesystems; /**< NULL until one is asked for */
	bool filesystems_read;
	/** Of this and earlier processes: what one has mounted is the same for all. */
	struct device_kind known[MOST_KNOWN];
	size_t nr_known;
	struct string name;
	struct string policy;
	struct mig_mapping mapping;
};

DEFINE_CLEANUP(mappings)

static const uint64_t no_pages[MIG_MAX_NODES];

static int set_string(struct string *string, struct mig_text text)
{
	if (text.length >= string->size) {
		size_t size = text.length + 64;
		char *larger = realloc(string->text, size);

		if (!larger)
			return -ENOMEM;
		string->text = larger;
		string->size = size;
	}
	memcpy(string->text, text.at, text.length);
	string->text[text.length] = '\0';
	return 0;
}

static int open_source(const struct mig_process *process, pid_t tid, const char *name,
		       struct source *source)
{
	int fd = mig_process_open_file_of(process, tid, name);
	int r;

	if (fd < 0)
		return fd;
	r = mig_lines_reopen(&source->lines, fd);
	if (r < 0)
		close(fd);
	source->name = name;
	source->line_number = 0;
	return r;
}

/* What was known of the process before. */
static void forget_process(struct mig_mappings *mappings)
{
	mig_filesystems_free(mappings->filesystems);
	mappings->filesystems = NULL;
	mappings->filesystems_read = false;
	mappings->has_joined = mappings->has_ahead = false;
	mappings->has_residency = false;
	mappings->numa_at_end = true;
}

int mig_mappings_reopen(const struct mig_process *process, bool with_residency,
			struct mig_mappings **mappings)
{
	struct mig_mappings *opened = *mappings;
	pid_t tid;
	int r;

	if (!opened) {
		opened = calloc(1, sizeof(*opened));
		if (!opened)
			return -ENOMEM;
		opened->joined = &opened->numa_lines[0];
		opened->ahead = &opened->numa_lines[1];
		*mappings = opened;
	}
	forget_process(opened);
	opened->process = process;
	r = mig_process_find_thread(process, &tid);
	if (!r)
		r = open_source(process, tid, "maps", &opened->maps);
	if (r < 0 || !with_residency)
		return r;
	r = open_source(process, tid, "numa_maps", &opened->numa_maps);
	opened->has_residency = !r;
	opened->numa_at_end = r != 0;
	/* A kernel without NUMA has none: the mappings are known all the same. */
	return r == -ENOENT ? 0 : r;
}

int mig_mappings_open(const struct mig_process *process, bool with_residency,
		      struct mig_mappings **ret_mappings)
{
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	int r;

	if (!process || !ret_mappings)
		return -EINVAL;
	r = mig_mappings_reopen(process, with_residency, &mappings);
	if (!r)
		*ret_mappings = STEAL(mappings);
	return r;
}

int mig_mappings_new(const struct mig_process *process,
		     struct mig_mappings **ret_mappings)
{
	return mig_mappings_open(process, true, ret_mappings);
}

bool mig_mappings_have_residency(const struct mig_mappings *mappings)
{
	return mappings->has_residency;
}

void mig_mappings_free(struct mig_mappings *mappings)
{
	if (!mappings)
		return;
	mig_lines_done(&mappings->maps.lines);
	mig_lines_done(&mappings->numa_maps.lines);
	mig_filesystems_free(mappings->filesystems);
	free(mappings->name.text);
	free(mappings->policy.text);
	free(mappings);
}

static int next_line(struct source *source, struct mig_text *ret_line)
{
	int r = mig_lines_next(&source->lines, &ret_line->at, &ret_line->length);

	if (r > 0)
		source->line_number++;
	return r;
}

/* The line itself is not shown: its names are other people's. */
static int refuse_line(const struct mig_mappings *mappings, const struct source *source)
{
	mig_log(mappings->process->context, MIG_LOG_WARNING,
		"line %" PRIu64 " of 'proc/%d/%s' does not parse", source->line_number,
		mappings->process->pid, source->name);
	return -EBADMSG;
}

/* ---- kinds ---- */

static bool has_prefix(struct mig_text text, const char *prefix)
{
	return mig_text_take_string(&text, prefix);
}

static bool is_deleted(struct mig_text name)
{
	static const char mark[] = " (deleted)";
	const size_t length = sizeof(mark) - 1;

	return name.length >= length &&
	       !memcmp(name.at + name.length - length, mark, length);
}

static bool is_kernels_own(struct mig_text name)
{
	static const char *const names[] = { "[vdso]",     "[vvar]",    "[vvar_vclock]",
					     "[vsyscall]", "[vectors]", "[sigpage]",
					     "[uprobes]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mig_text_is(name, names[i]))
			return true;
	return false;
}

/* Shared memory on the kernel's own mount, which no mountinfo shows. */
static bool is_hidden_shmem(const struct mig_maps_line *line)
{
	/* A file of such a name lies on a device, or is not deleted. */
	return !line->device_major && is_deleted(line->name) &&
	       (has_prefix(line->name, "/memfd:") || has_prefix(line->name, "/SYSV") ||
		mig_text_is(line->name, "/dev/zero (deleted)"));
}

static enum mig_kind kind_of_type(const char *type)
{
	if (type && !strcmp(type, "tmpfs"))
		return MIG_KIND_SHMEM;
	if (type && !strcmp(type, "hugetlbfs"))
		return MIG_KIND_HUGETLB;
	return MIG_KIND_FILE;
}

static int read_filesystems(struct mig_mappings *mappings)
{
	const struct mig_process *process = mappings->process;
	int r;

	if (mappings->filesystems_read)
		return 0;
	r = mig_filesystems_new(process->context, process->pid, &mappings->filesystems);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		mig_log(process->context, MIG_LOG_WARNING,
			"mounts of process %d cannot be read: "
			"tmpfs counts as file (error %d)",
			process->pid, -r);
	mappings->filesystems_read = true;
	return 0;
}

/* What a file on a device without a number of its own is, by what the process sees
 * mounted. Memory file systems are among those. */
static int find_device_kind(struct mig_mappings *mappings, uint32_t minor,
			    enum mig_kind *ret_kind)
{
	const char *type = NULL;
	int r;

	for (size_t i = 0; i < mappings->nr_known; i++)
		if (mappings->known[i].minor == minor) {
			*ret_kind = mappings->known[i].kind;
			return 0;
		}
	r = read_filesystems(mappings);
	if (r < 0)
		return r;
	if (mappings->filesystems)
		type = mig_filesystems_get_type(mappings->filesystems, 0, minor);
	*ret_kind = kind_of_type(type);
	/* Others may see it mounted. */
	if (type && mappings->nr_known < MOST_KNOWN)
		mappings->known[mappings->nr_known++] =
			(struct device_kind){ .minor = minor, .kind = *ret_kind };
	return 0;
}

/* All but hugetlb, which numa_maps tells better. */
static int find_kind(struct mig_mappings *mappings, const struct mig_maps_line *line,
		     enum mig_kind *ret_kind)
{
	const struct mig_text name = line->name;

	if (mig_text_is(name, "[heap]"))
		*ret_kind = MIG_KIND_HEAP;
	else if (mig_text_is(name, "[stack]") || has_prefix(name, "[stack:"))
		*ret_kind = MIG_KIND_STACK;
	else if (is_kernels_own(name))
		*ret_kind = MIG_KIND_KERNEL;
	else if (has_prefix(name, "[anon_shmem:") || is_hidden_shmem(line))
		*ret_kind = MIG_KIND_SHMEM;
	else if (mig_text_is(name, "/anon_hugepage (deleted)"))
		*ret_kind = MIG_KIND_HUGETLB;
	/* A private mapping of /dev/zero is anonymous memory with a name. */
	else if (!line->inode || mig_text_is(name, "/dev/zero"))
		*ret_kind = MIG_KIND_ANON;
	/* Memory file systems have no device, and so major number 0. */
	else if (!line->device_major)
		return find_device_kind(mappings, line->device_minor, ret_kind);
	else
		*ret_kind = MIG_KIND_FILE;
	return 0;
}

/* ---- residency ---- */

/* Makes sure that there is a line ahead. Return: 1, 0 at the end, or an error. */
static int look_ahead(struct mig_mappings *mappings)
{
	struct mig_text line;
	int r;

	if (mappings->has_ahead)
		return 1;
	if (mappings->numa_at_end)
		return 0;
	r = next_line(&mappings->numa_maps, &line);
	if (r < 0)
		return r;
	if (!r) {
		mappings->numa_at_end = true;
		return 0;
	}
	if (mig_numa_maps_parse(line, mappings->ahead) < 0)
		return refuse_line(mappings, &mappings->numa_maps);
	mappings->has_ahead = true;
	return 1;
}

/* numa_maps counts a hugetlb mapping in its huge pages. */
static bool to_base_pages(struct mig_numa_maps_line *line, size_t base_bytes)
{
	uint64_t *const counts[] = {
		&line->anon_pages,      &line->dirty_pages,    &line->swapcache_pages,
		&line->writeback_pages, &line->resident_pages,
	};
	uint64_t factor = line->page_size_bytes / base_bytes;

	if (!line->is_huge || !line->resident_pages)
		return true;
	if (!factor || line->page_size_bytes % base_bytes)
		return false;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (__builtin_mul_overflow(*counts[i], factor, counts[i]))
			return false;
	/* None of these is more than the sum, which fits. */
	for (int node = 0; node < line->end_node; node++)
		line->node_pages[node] *= factor;
	return true;
}

static bool add_line(struct mig_numa_maps_line *sum,
		     const struct mig_numa_maps_line *line)
{
	if (__builtin_add_overflow(sum->resident_pages, line->resident_pages,
				   &sum->resident_pages) ||
	    __builtin_add_overflow(sum->anon_pages, line->anon_pages, &sum->anon_pages) ||
	    __builtin_add_overflow(sum->dirty_pages, line->dirty_pages,
				   &sum->dirty_pages) ||
	    __builtin_add_overflow(sum->swapcache_pages, line->swapcache_pages,
				   &sum->swapcache_pages) ||
	    __builtin_add_overflow(sum->writeback_pages, line->writeback_pages,
				   &sum->writeback_pages))
		return false;
	if (line->most_mappers > sum->most_mappers)
		sum->most_mappers = line->most_mappers;
	for (int node = 0; node < line->end_node; node++)
		sum->node_pages[node] += line->node_pages[node];
	if (sum->end_node < line->end_node)
		sum->end_node = line->end_node;
	return true;
}

/* Takes the line ahead into the mapping. */
static int take_ahead(struct mig_mappings *mappings)
{
	struct mig_numa_maps_line *line = mappings->ahead;
	int r;

	mappings->has_ahead = false;
	if (!to_base_pages(line, mappings->process->context->page_size))
		return refuse_line(mappings, &mappings->numa_maps);
	if (mappings->has_joined && line->start > mappings->mapping.start)
		return add_line(mappings->joined, line)
			       ? 0
			       : refuse_line(mappings, &mappings->numa_maps);
	/* It is borrowed from the file's window, which moves on. */
	r = set_string(&mappings->policy, line->policy);
	if (r < 0)
		return r;
	mappings->ahead = mappings->joined;
	mappings->joined = line;
	mappings->has_joined = true;
	return 0;
}

/*
 * Which lines of numa_maps are the mapping's: the one with its start. Where the
 * process has changed its mappings between the two reads, also lines that start
 * inside (it was split, or two became one), or else the last one before it that no
 * other mapping has taken (it grew downward, as stacks do, and as new memory does
 * that the kernel puts below the old and merges with it).
 */
static int join(struct mig_mappings *mappings)
{
	int r;

	mappings->has_joined = false;
	while ((r = look_ahead(mappings)) > 0 &&
	       mappings->ahead->start < mappings->mapping.end) {
		r = take_ahead(mappings);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

static void set_residency(struct mig_mappings *mappings)
{
	const struct mig_numa_maps_line *joined = mappings->joined;
	struct mig_mapping *mapping = &mappings->mapping;

	mapping->page_size_bytes = mappings->process->context->page_size;
	mapping->node_pages = no_pages;
	mapping->policy = "";
	if (!mappings->has_joined)
		return;
	if (joined->is_huge) {
		mapping->kind = MIG_KIND_HUGETLB;
		/* The size stands only where something is resident. */
		if (joined->page_size_bytes)
			mapping->page_size_bytes = joined->page_size_bytes;
	}
	mapping->has_residency = true;
	mapping->anon_pages = joined->anon_pages;
	mapping->dirty_pages = joined->dirty_pages;
	mapping->swapcache_pages = joined->swapcache_pages;
	mapping->writeback_pages = joined->writeback_pages;
	mapping->most_mappers = joined->most_mappers;
	mapping->resident_pages = joined->resident_pages;
	mapping->node_pages = joined->node_pages;
	mapping->policy = mappings->policy.text;
}

/*
 * The memory that the files were opened for: once it is gone, by exit or execve(2),
 * they read as empty from the start on, and the walk has seen only part of it.
 */
static int check_memory(const struct mig_mappings *mappings)
{
	char byte;
	ssize_t n = pread(mappings->maps.lines.fd, &byte, 1, 0);

	if (n < 0)
		return -errno;
	return n ? 0 : -ESRCH;
}

int mig_mappings_next(struct mig_mappings *mappings,
		      const struct mig_mapping **ret_mapping)
{
	struct mig_maps_line line;
	struct mig_text text;
	int r;

	if (!mappings || !ret_mapping)
		return -EINVAL;
	r = next_line(&mappings->maps, &text);
	if (r < 0)
		return r;
	if (!r) {
		r = check_memory(mappings);
		if (!r)
			*ret_mapping = NULL;
		return r;
	}
	if (mig_maps_parse(text, &line) < 0)
		return refuse_line(mappings, &mappings->maps);
	mappings->mapping = (struct mig_mapping){
		.start = line.start,
		.end = line.end,
		.file_offset_bytes = line.file_offset_bytes,
		.inode = line.inode,
		.device_major = line.device_major,
		.device_minor = line.device_minor,
	};
	memcpy(mappings->mapping.permissions, line.permissions, sizeof(line.permissions));
	r = find_kind(mappings, &line, &mappings->mapping.kind);
	if (!r)
		r = set_string(&mappings->name, line.name);
	if (!r)
		r = join(mappings);
	if (r < 0)
		return r;
	mappings->mapping.name = mappings->name.text;
	set_residency(mappings);
	*ret_mapping = &mappings->mapping;
	return 0;
}
