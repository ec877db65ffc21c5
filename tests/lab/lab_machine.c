// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's knobs, which come back to where they were. */
#include "lab_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_BYTES (2 * MEBIBYTE)
#define NODES "/sys/devices/system/node"

const char *lab_read(const char *path)
{
	static char line[4096];
	FILE *stream = fopen(path, "re");

	if (!stream)
		fail_msg("cannot open '%s': %s", path, strerror(errno));
	if (!fgets(line, sizeof(line), stream))
		line[0] = '\0';
	fclose(stream);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

unsigned int lab_nodes(void)
{
	unsigned int nr = 0, first, last;
	int length;

	for (const char *at = lab_read(NODES "/has_memory");
	     sscanf(at, "%u%n", &first, &length) == 1; at += *at == ',') {
		at += length;
		last = first;
		if (sscanf(at, "-%u%n", &last, &length) == 1)
			at += length;
		nr += last - first + 1;
	}
	return nr;
}

/* ------------------------------------------------------------- doing and undoing */

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written = -1;

	if (fd >= 0) {
		written = write(fd, text, strlen(text));
		close(fd);
	}
	return written == (ssize_t)strlen(text);
}

static void remember(struct lab *lab, const char *path, const char *text)
{
	struct lab_undo *undo = calloc(1, sizeof(*undo));

	assert_non_null(undo);
	undo->path = path ? strdup(path) : NULL;
	undo->text = strdup(text);
	undo->next = lab->undos;
	lab->undos = undo;
}

void lab_undo_all(struct lab *lab)
{
	struct lab_undo *undo;

	while ((undo = lab->undos)) {
		lab->undos = undo->next;
		if (undo->path ? !write_text(undo->path, undo->text) : system(undo->text))
			printf("cannot undo: %s %s\n", undo->path ? undo->path : "",
			       undo->text);
		free(undo->path);
		free(undo->text);
		free(undo);
	}
}

/* Of "always [madvise] never" the word that holds. */
static const char *chosen_word(char *text)
{
	char *start = strchr(text, '['), *end = strchr(text, ']');

	if (!start || !end)
		return text;
	*end = '\0';
	return start + 1;
}

void lab_set(struct lab *lab, const char *path, const char *format, ...)
{
	char text[256], *old = strdup(lab_read(path));
	va_list arguments;

	assert_non_null(old);
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	remember(lab, path, chosen_word(old));
	free(old);
	if (!write_text(path, text))
		fail_msg("cannot write '%s' to '%s': %s", text, path, strerror(errno));
}

void lab_shell(struct lab *lab, const char *undo, const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	fflush(NULL);
	if (undo)
		remember(lab, NULL, undo);
	if (system(command))
		fail_msg("failed: %s", command);
}

/* ------------------------------------------------------------ cgroups and memory */

const char *lab_cgroup(struct lab *lab, const char *name, const char *nodes)
{
	char path[128], undo[128], *cgroup = lab->cgroup[lab->nr_cgroups++];

	assert_in_range(lab->nr_cgroups, 1, sizeof(lab->cgroup) / sizeof(lab->cgroup[0]));
	snprintf(cgroup, sizeof(lab->cgroup[0]), "/sys/fs/cgroup/lab-%s", name);
	snprintf(undo, sizeof(undo), "rmdir %s", cgroup);
	lab_shell(lab, undo, "mkdir %s", cgroup);
	snprintf(path, sizeof(path), "%s/cpuset.mems", cgroup);
	if (!write_text(path, nodes))
		fail_msg("cannot write '%s' to '%s': %s", nodes, path, strerror(errno));
	return cgroup;
}

static void pool_path(char path[128], int node, const char *file)
{
	snprintf(path, 128, NODES "/node%d/hugepages/hugepages-2048kB/%s", node, file);
}

void lab_hugetlb_pool(struct lab *lab, int node, unsigned int nr_pages)
{
	char path[128];

	pool_path(path, node, "nr_hugepages");
	lab_set(lab, path, "%u", nr_pages);
	if (strtoul(lab_read(path), NULL, 10) != nr_pages)
		fail_msg("node %d cannot have %u huge pages", node, nr_pages);
}

unsigned int lab_hugetlb_free(int node)
{
	char path[128];

	pool_path(path, node, "free_hugepages");
	return (unsigned int)strtoul(lab_read(path), NULL, 10);
}

uint64_t lab_free_bytes(int node)
{
	char path[64], line[128];
	uint64_t kib = 0;
	FILE *stream;

	snprintf(path, sizeof(path), NODES "/node%d/meminfo", node);
	stream = fopen(path, "re");
	while (stream && fgets(line, sizeof(line), stream)) {
		if (sscanf(line, "Node %*d MemFree: %" SCNu64, &kib) == 1)
			break;
	}
	if (stream)
		fclose(stream);
	return kib * 1024;
}

static unsigned long pool_size(int node)
{
	char path[128];

	pool_path(path, node, "nr_hugepages");
	return strtoul(lab_read(path), NULL, 10);
}

void lab_show_all_free(struct lab *lab)
{
	lab_set(lab, "/proc/sys/vm/percpu_pagelist_high_fraction", "100000");
}

void lab_drop_caches(void)
{
	if (system("sync; echo 3 >/proc/sys/vm/drop_caches"))
		fail_msg("the caches cannot be dropped");
}

/* Pages of the pool are quickly made, belong to nobody, and nothing moves them. What
 * the kernel finds only when it looks for it a second time is taken too. */
void lab_leave_free(struct lab *lab, int node, uint64_t bytes)
{
	unsigned long before, nr_tries = 0;
	char path[128];

	lab_show_all_free(lab);
	pool_path(path, node, "nr_hugepages");
	do {
		before = pool_size(node);
		if (lab_free_bytes(node) > bytes)
			lab_set(lab, path, "%lu",
				before + (lab_free_bytes(node) - bytes) / HUGE_BYTES);
		usleep(20000);
	} while (pool_size(node) > before && ++nr_tries < 10);
	printf("node %d: %" PRIu64 " KiB free\n", node, lab_free_bytes(node) / 1024);
}

void lab_swap_on(struct lab *lab, unsigned int mebibytes)
{
	lab_shell(lab, NULL, "modprobe zram");
	lab_shell(
		lab, "swapoff /dev/zram0; echo 1 >/sys/block/zram0/reset",
		"echo %uM >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && "
		"swapon /dev/zram0",
		mebibytes);
}

const char *lab_mount(struct lab *lab, const char *type, unsigned int mebibytes)
{
	snprintf(lab->mount_path, sizeof(lab->mount_path), "/tmp/lab-%s", type);
	lab_shell(lab, NULL, "modprobe -a loop %s; mkdir -p %s", type, lab->mount_path);
	lab_shell(lab, NULL,
		  "truncate -s %uM " LAB_IMAGES "/lab-%s && mkfs.%s -q " LAB_IMAGES
		  "/lab-%s",
		  mebibytes, type, type, type);
	lab_shell(lab, "umount /tmp/lab-*/; rm " LAB_IMAGES "/lab-*",
		  "mount -o loop " LAB_IMAGES "/lab-%s %s", type, lab->mount_path);
	return lab->mount_path;
}
