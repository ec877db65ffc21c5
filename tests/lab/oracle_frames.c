// SPDX-License-Identifier: GPL-2.0-or-later
#include "oracle_frames.h"
#include "oracle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_BLOCKS 65536
#define MAX_ZONES ((size_t)ORACLE_MAX_NODES * 5)

#define NO_NODE (-1)
#define SEVERAL_NODES (-2)

struct zone {
	int node;
	uint64_t start;
	uint64_t end;
};

struct oracle_frames {
	int flags_fd;
	int mappings_fd;
	uint64_t block_pages;
	int block_node[MAX_BLOCKS];
	struct zone zones[MAX_ZONES];
	size_t nr_zones;
};

static int read_block_size(struct oracle_frames *frames)
{
	FILE *stream = fopen("/sys/devices/system/memory/block_size_bytes", "re");
	uint64_t bytes = 0;

	if (!stream)
		return -errno;
	if (fscanf(stream, "%" SCNx64, &bytes) != 1)
		bytes = 0;
	fclose(stream);
	frames->block_pages = bytes / (uint64_t)sysconf(_SC_PAGESIZE);
	return frames->block_pages ? 0 : -EBADMSG;
}

static void read_blocks(struct oracle_frames *frames, int node)
{
	struct dirent *entry;
	unsigned int block;
	char path[64];
	DIR *directory;
	int end, *owner;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", node);
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		end = 0;
		if (sscanf(entry->d_name, "memory%u%n", &block, &end) != 1 ||
		    entry->d_name[end] || block >= MAX_BLOCKS)
			continue;
		owner = &frames->block_node[block];
		*owner = *owner == NO_NODE ? node : SEVERAL_NODES;
	}
	closedir(directory);
}

/* Zones tell the nodes apart in a block that has several. */
static int read_zones(struct oracle_frames *frames)
{
	FILE *stream = fopen("/proc/zoneinfo", "re");
	struct zone zone = { 0 };
	uint64_t spanned = 0;
	char line[256];

	if (!stream)
		return -errno;
	while (fgets(line, sizeof(line), stream) && frames->nr_zones < MAX_ZONES) {
		if (sscanf(line, "Node %d,", &zone.node) == 1)
			spanned = 0;
		if (sscanf(line, " spanned %" SCNu64, &spanned) == 1)
			continue;
		if (sscanf(line, " start_pfn: %" SCNu64, &zone.start) != 1 || !spanned)
			continue;
		zone.end = zone.start + spanned;
		frames->zones[frames->nr_zones++] = zone;
	}
	fclose(stream);
	return 0;
}

static int read_all(struct oracle_frames *frames)
{
	int err = read_block_size(frames);

	if (err)
		return err;
	for (size_t i = 0; i < MAX_BLOCKS; i++)
		frames->block_node[i] = NO_NODE;
	for (int node = 0; node < ORACLE_MAX_NODES; node++)
		read_blocks(frames, node);
	frames->flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (frames->flags_fd < 0)
		return -errno;
	frames->mappings_fd = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	if (frames->mappings_fd < 0)
		return -errno;
	return read_zones(frames);
}

int oracle_frames_open(struct oracle_frames **ret_frames)
{
	struct oracle_frames *frames = calloc(1, sizeof(*frames));
	int err;

	if (!frames)
		return -ENOMEM;
	frames->flags_fd = -1;
	frames->mappings_fd = -1;
	err = read_all(frames);
	if (err) {
		oracle_frames_close(frames);
		return err;
	}
	*ret_frames = frames;
	return 0;
}

void oracle_frames_close(struct oracle_frames *frames)
{
	if (!frames)
		return;
	if (frames->flags_fd >= 0)
		close(frames->flags_fd);
	if (frames->mappings_fd >= 0)
		close(frames->mappings_fd);
	free(frames);
}

int oracle_frames_node(const struct oracle_frames *frames, uint64_t frame)
{
	uint64_t block = frame / frames->block_pages;
	int node = block < MAX_BLOCKS ? frames->block_node[block] : NO_NODE;

	if (node != SEVERAL_NODES)
		return node;
	node = NO_NODE;
	for (size_t i = 0; i < frames->nr_zones; i++) {
		const struct zone *zone = &frames->zones[i];

		if (frame < zone->start || frame >= zone->end)
			continue;
		/* Zones that overlap do not tell either. */
		if (node != NO_NODE && node != zone->node)
			return NO_NODE;
		node = zone->node;
	}
	return node;
}

static int read_words(int fd, uint64_t first, size_t nr, uint64_t *ret_words)
{
	ssize_t got = pread(fd, ret_words, nr * sizeof(*ret_words),
			    (off_t)(first * sizeof(*ret_words)));

	if (got < 0)
		return -errno;
	return (size_t)got == nr * sizeof(*ret_words) ? 0 : -EIO;
}

int oracle_frames_read(const struct oracle_frames *frames, uint64_t first, size_t nr,
		       uint64_t *ret_flags, uint64_t *ret_mappings)
{
	int err = read_words(frames->flags_fd, first, nr, ret_flags);

	return err ? err : read_words(frames->mappings_fd, first, nr, ret_mappings);
}
