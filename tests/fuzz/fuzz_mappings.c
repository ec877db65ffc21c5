/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The join of maps and numa_maps: both files in one input, with a NUL between. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "fuzz.h"
#include "process.h"

DEFINE_CLEANUP(context)
DEFINE_CLEANUP(mappings)

/* A /proc with process 42, in a directory that goes when the program does. */
static char root[64];

/* Its files are links to memory: nothing is written to a disk. */
static struct {
	const char *name;
	int fd;
} files[] = {
	{ "stat", -1 },
	{ "mountinfo", -1 },
	{ "maps", -1 },
	{ "numa_maps", -1 },
};

#define NR_FILES (sizeof(files) / sizeof(files[0]))

static void write_file(size_t file, const void *bytes, size_t size)
{
	CHECK(!ftruncate(files[file].fd, 0));
	CHECK(pwrite(files[file].fd, bytes, size, 0) == (ssize_t)size);
}

static void remove_root(void)
{
	char path[128];

	for (size_t i = 0; i < NR_FILES; i++) {
		snprintf(path, sizeof(path), "%s/proc/42/%s", root, files[i].name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/proc/42", root);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/proc", root);
	rmdir(path);
	rmdir(root);
}

static void make_file(size_t file)
{
	char path[128], target[64];

	files[file].fd = memfd_create(files[file].name, MFD_CLOEXEC);
	CHECK(files[file].fd >= 0);
	snprintf(path, sizeof(path), "%s/proc/42/%s", root, files[file].name);
	snprintf(target, sizeof(target), "/proc/self/fd/%d", files[file].fd);
	CHECK(!symlink(target, path));
}

static void make_root(void)
{
	static const char stat[] =
		"42 (a) S 1 42 42 0 -1 0 100 0 0 0 1 2 0 0 20 0 1 0 500 8192 1 2 1 1 0 0 "
		"0 0 0 0 0 0 0 0 17 1\n";
	static const char mountinfo[] = "23 22 0:26 / /dev/shm rw - tmpfs tmpfs rw\n";
	char path[128];

	snprintf(root, sizeof(root), "%s/fuzz-mappings-XXXXXX", P_tmpdir);
	CHECK(mkdtemp(root));
	atexit(remove_root);
	snprintf(path, sizeof(path), "%s/proc", root);
	CHECK(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/proc/42", root);
	CHECK(!mkdir(path, 0700));
	for (size_t i = 0; i < NR_FILES; i++)
		make_file(i);
	write_file(0, stat, sizeof(stat) - 1);
	write_file(1, mountinfo, sizeof(mountinfo) - 1);
}

static void check_mapping(const struct mig_mapping *mapping)
{
	uint64_t sum = 0;

	CHECK(mapping->start < mapping->end);
	CHECK((unsigned int)mapping->kind < MIG_NR_KINDS);
	CHECK(mapping->page_size_bytes > 0);
	/* Both are ended: a sanitizer sees it if not. */
	CHECK(strlen(mapping->name) < SIZE_MAX && strlen(mapping->policy) < SIZE_MAX);
	for (int node = 0; node < MIG_MAX_NODES; node++)
		CHECK(!__builtin_add_overflow(sum, mapping->node_pages[node], &sum));
	CHECK(sum == mapping->resident_pages);
	CHECK(mapping->has_residency || !sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_MIG(context) struct mig_context *context = NULL;
	CLEANUP_MIG(mappings) struct mig_mappings *mappings = NULL;
	struct mig_process process = { .pid = 42, .tid = 42, .pidfd = -1 };
	struct mig_context_options options = { .size = sizeof(options) };
	const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
	const struct mig_mapping *mapping = NULL;
	size_t first = end ? (size_t)(end - data) : size;
	int r;

	if (!*root)
		make_root();
	write_file(2, data, first);
	write_file(3, end ? end + 1 : data, end ? size - first - 1 : 0);
	options.root_path = root;
	CHECK(!mig_context_new(&options, &context));
	process.context = context;
	CHECK(!mig_mappings_new(&process, &mappings));
	while (!(r = mig_mappings_next(mappings, &mapping)) && mapping)
		check_mapping(mapping);
	CHECK(r == 0 || r == -EBADMSG || (r == -ESRCH && !first));
	return 0;
}
