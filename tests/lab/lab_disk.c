// SPDX-License-Identifier: GPL-2.0-or-later
/* File systems with a device of their own, and files with known content on them. */
#include "lab_files.h"
#include "lab_world.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)

/* As small as each may be, and still where no commit or collector comes by itself. */
struct disk_type {
	const char *name;
	const char *module;
	const char *program;
	const char *make; /**< with its options; the image comes behind */
	unsigned int mebibytes;
	const char *options; /**< of the mount */
};

static const struct disk_type types[] = {
	{ "ext4", "ext4", "mkfs.ext4",
	  "mkfs.ext4 -q -F -b 4096 -E lazy_itable_init=1,lazy_journal_init=1", 160,
	  "commit=300,noinit_itable,no_prefetch_block_bitmaps" },
	{ "ext2", "ext4", "mkfs.ext2", "mkfs.ext2 -q -F -b 4096 -E lazy_itable_init=1",
	  64, "noinit_itable,no_prefetch_block_bitmaps" },
	{ "xfs", "xfs", "mkfs.xfs", "mkfs.xfs -q -f", 320, "relatime" },
	{ "btrfs", "btrfs", "mkfs.btrfs", "mkfs.btrfs -q -f", 160, "commit=300" },
	{ "f2fs", "f2fs", "mkfs.f2fs", "mkfs.f2fs -q -f", 128,
	  "background_gc=off,nodiscard,checkpoint=enable" },
	{ "vfat", "vfat", "mkfs.vfat", "mkfs.vfat", 64, "relatime" },
	{ "minix", "minix", "mkfs.minix", "mkfs.minix -3", 48, "relatime" },
	{ "tmpfs", "loop", "true", NULL, 64, "size=64m" },
};

static const struct disk_type *find_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(types[i].name, name))
			return &types[i];
	}
	fail_msg("there is no recipe for %s", name);
	return NULL;
}

static void require(const struct disk_type *type)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", type->program);
	if (system(command))
		lab_skip("%s is not installed", type->program);
	snprintf(command, sizeof(command), "modprobe -q -a loop %s", type->module);
	if (system(command))
		lab_skip("the kernel has no %s", type->module);
}

/* From the mount table: st_dev is not the device's number on btrfs. */
static void find_counters(struct lab_disk *disk)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], source[64], path[256];
	struct stat status;

	disk->counters_path[0] = '\0';
	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%63s %255s", source, path) != 2 ||
		    strcmp(path, disk->path) || stat(source, &status) ||
		    !S_ISBLK(status.st_mode))
			continue;
		snprintf(disk->counters_path, sizeof(disk->counters_path),
			 "/sys/dev/block/%u:%u/stat", major(status.st_rdev),
			 minor(status.st_rdev));
	}
	if (mounts)
		fclose(mounts);
}

/* What would write by itself, sooner or later. */
static void calm(struct lab *lab, const struct disk_type *type)
{
	lab_set(lab, "/proc/sys/vm/dirty_writeback_centisecs", "0");
	if (!strcmp(type->name, "xfs"))
		lab_set(lab, "/proc/sys/fs/xfs/xfssyncd_centisecs", "720000");
}

/* A device that has hardly written anything yet is allowed hardly any dirty page before
 * the kernel begins to write. A file system of several devices is one by itself. */
void lab_allow_dirty(struct lab *lab, const char *pattern)
{
	char undo[128];

	snprintf(undo, sizeof(undo),
		 "for i in /sys/class/bdi/%s; do echo 0 >$i/min_ratio; done", pattern);
	lab_shell(lab, undo, "for i in /sys/class/bdi/%s; do echo 40 >$i/min_ratio; done",
		  pattern);
}

static void allow_dirty(struct lab *lab, const struct lab_disk *disk,
			const struct disk_type *type)
{
	char device[32];

	if (!strcmp(type->name, "btrfs"))
		lab_allow_dirty(lab, "btrfs*");
	else if (sscanf(disk->counters_path, "/sys/dev/block/%31[0-9:]", device) == 1)
		lab_allow_dirty(lab, device);
}

struct lab_disk lab_disk_with(struct lab *lab, const char *name, const char *options)
{
	const struct disk_type *type = find_type(name);
	static unsigned int nr_disks;
	struct lab_disk disk;
	char image[96], undo[256];

	require(type);
	calm(lab, type);
	snprintf(disk.path, sizeof(disk.path), "/tmp/disk%u-%s", nr_disks++, name);
	snprintf(image, sizeof(image), LAB_IMAGES "%s", strrchr(disk.path, '/'));
	snprintf(undo, sizeof(undo), "umount -l %s; rmdir %s; rm -f %s", disk.path,
		 disk.path, image);
	lab_shell(lab, undo, "mkdir %s", disk.path);
	if (type->make) {
		lab_shell(lab, NULL, "truncate -s %uM %s && %s %s >/dev/null",
			  type->mebibytes, image, type->make, image);
		lab_shell(lab, NULL, "mount -t %s -o loop,%s %s %s && sync", name,
			  options, image, disk.path);
	} else {
		lab_shell(lab, NULL, "mount -t %s -o %s none %s", name, options,
			  disk.path);
	}
	find_counters(&disk);
	assert_true(disk.counters_path[0] || !type->make);
	allow_dirty(lab, &disk, type);
	return disk;
}

struct lab_disk lab_disk(struct lab *lab, const char *name)
{
	return lab_disk_with(lab, name, find_type(name)->options);
}

/* Returns how many requests are still being served. */
static uint64_t read_io(const struct lab_disk *disk, struct lab_io *ret_io)
{
	uint64_t nr_in_flight = 0;

	*ret_io = (struct lab_io){ 0 };
	if (disk->counters_path[0] &&
	    sscanf(lab_read(disk->counters_path),
		   "%" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64 " %*u %" SCNu64
		   " %*u %" SCNu64,
		   &ret_io->reads, &ret_io->read_sectors, &ret_io->writes,
		   &ret_io->written_sectors, &nr_in_flight) != 5)
		fail_msg("'%s' is not as it should be", disk->counters_path);
	return nr_in_flight;
}

/* What was done before may still be under way, in a journal's own time. */
struct lab_io lab_disk_io(const struct lab_disk *disk)
{
	double deadline = lab_now() + LAB_ANSWER_SECONDS;
	struct lab_io io, before;
	uint64_t nr_in_flight;

	read_io(disk, &io);
	do {
		if (lab_now() > deadline)
			fail_msg("the device does not come to rest");
		before = io;
		usleep(30000);
		nr_in_flight = read_io(disk, &io);
	} while (nr_in_flight || memcmp(&io, &before, sizeof(io)));
	return io;
}

void lab_assert_no_io(const struct lab_disk *disk, const struct lab_io *before)
{
	struct lab_io now = lab_disk_io(disk);

	if (memcmp(&now, before, sizeof(now)))
		fail_msg("the device has read %" PRIu64 " and written %" PRIu64
			 " sectors",
			 now.read_sectors - before->read_sectors,
			 now.written_sectors - before->written_sectors);
}

const char *lab_path(const struct lab_disk *disk, const char *name)
{
	static char paths[64][128];
	static unsigned int next;
	char *path = paths[next++ % 64];

	snprintf(path, sizeof(paths[0]), "%s/%s", disk->path, name);
	return path;
}

/* ------------------------------------------------------------------- contents */

/* New pages of the page cache follow the policy of who writes or reads. */
static void bind_to(int node)
{
	unsigned long mask = node < 0 ? 0 : 1UL << node;

	if (syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_BIND,
		    node < 0 ? NULL : &mask, node < 0 ? 0 : sizeof(mask) * 8 + 1))
		fail_msg("cannot bind to node %d: %s", node, strerror(errno));
}

static void fill(char *piece, uint64_t offset, size_t bytes, unsigned int seed)
{
	for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
		uint64_t word = seed * UINT64_C(0x9e3779b97f4a7c15) *
				(offset + i + sizeof(uint64_t));

		memcpy(piece + i, &word, sizeof(word));
	}
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd < 0)
		fail_msg("cannot open '%s': %s", path, strerror(errno));
	return fd;
}

static size_t smaller(uint64_t bytes)
{
	return bytes < PIECE ? (size_t)bytes : PIECE;
}

static bool write_pattern(int fd, uint64_t offset, uint64_t bytes, unsigned int seed)
{
	static char piece[PIECE];

	for (uint64_t at = offset, end = offset + bytes; at < end;) {
		size_t now = smaller(end - at);

		fill(piece, at, now, seed);
		if (pwrite(fd, piece, now, (off_t)at) != (ssize_t)now)
			return false;
		at += now;
	}
	return true;
}

void lab_write_file(const char *path, int node, uint64_t offset, uint64_t bytes,
		    unsigned int seed)
{
	int fd = open_file(path, O_WRONLY | O_CREAT);

	bind_to(node);
	if (!write_pattern(fd, offset, bytes, seed))
		fail_msg("cannot write '%s': %s", path, strerror(errno));
	bind_to(-1);
	close(fd);
}

/* A child does it: whoever was in a group of v1 has something of it until the end. */
void lab_write_file_in(const char *group, const char *path, int node, uint64_t bytes,
		       unsigned int seed)
{
	int fd = open_file(path, O_WRONLY | O_CREAT), members, status;
	char procs[192];
	pid_t pid;

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
	members = open_file(procs, O_WRONLY);
	bind_to(node);
	pid = fork();
	if (!pid)
		_exit(write(members, "0", 1) != 1 || !write_pattern(fd, 0, bytes, seed));
	bind_to(-1);
	close(members);
	close(fd);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fail_msg("cannot write '%s' in '%s'", path, group);
}

void lab_read_file(const char *path, int node, uint64_t offset, uint64_t bytes)
{
	static char piece[PIECE];
	int fd = open_file(path, O_RDONLY);

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	bind_to(node);
	for (uint64_t at = offset, end = offset + bytes; at < end;) {
		ssize_t got = pread(fd, piece, smaller(end - at), (off_t)at);

		if (got <= 0)
			fail_msg("cannot read '%s': %s", path, strerror(errno));
		at += (uint64_t)got;
	}
	bind_to(-1);
	close(fd);
}

void lab_assert_file(const char *path, uint64_t offset, uint64_t bytes, unsigned int seed)
{
	static char piece[PIECE], expected[PIECE];
	int fd = open_file(path, O_RDONLY);

	for (uint64_t at = offset, end = offset + bytes; at < end;) {
		size_t now = smaller(end - at);

		fill(expected, at, now, seed);
		if (pread(fd, piece, now, (off_t)at) != (ssize_t)now)
			fail_msg("cannot read '%s' at %" PRIu64, path, at);
		if (memcmp(piece, expected, now))
			fail_msg("'%s' is damaged behind %" PRIu64, path, at);
		at += now;
	}
	close(fd);
}

/* By one that does nothing else. */
void lab_make_files(const char *directory, unsigned int nr, unsigned int every)
{
	char path[128];

	for (unsigned int i = 0; i < nr; i++) {
		if (!(i % LAB_FILES_IN_ONE)) {
			snprintf(path, sizeof(path), "%s/%u", directory,
				 i / LAB_FILES_IN_ONE);
			assert_int_equal(mkdir(path, 0755), 0);
		}
		snprintf(path, sizeof(path), "%s/%u/%u", directory, i / LAB_FILES_IN_ONE,
			 i);
		if (mknod(path, S_IFREG | 0644, 0) || truncate(path, PAGE_BYTES))
			fail_msg("cannot make '%s'", path);
		if (!(i % every))
			lab_write_file(path, 0, 0, PAGE_BYTES, 1);
	}
}

/* Before it moves any page the kernel empties the lists of all processors. */
void lab_settle_lru(void)
{
	void *page = &(char){ 0 };
	int status, node = 0;

	if (syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, MPOL_MF_MOVE) < 0)
		fail_msg("cannot move a page: %s", strerror(errno));
}
