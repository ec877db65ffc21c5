// SPDX-License-Identifier: GPL-2.0-or-later
/* The kinds of memory that a victim can have. */
#include "victim_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define HUGE_SIZE ((size_t)2 << 20)
#define VMSPLICED_BYTES ((size_t)1 << 20)

/* In the middle of a reservation, so that no neighbour becomes part of the mapping. */
static int map_between_guards(struct victim_memory *memory, int flags, int fd)
{
	unsigned char *reserved, *start;

	reserved = mmap(NULL, memory->size + 2 * HUGE_SIZE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (reserved == MAP_FAILED)
		return -errno;
	start = reserved + HUGE_SIZE - (uintptr_t)reserved % HUGE_SIZE;
	if (mmap(start, memory->size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) ==
	    MAP_FAILED)
		return -errno;
	memory->start = start;
	return 0;
}

static int advise(struct victim_memory *memory, int advice)
{
	return madvise(memory->start, memory->size, advice) ? -errno : 0;
}

/* ---------------------------------------------------------------- anonymous */

static int map_anon(struct victim_memory *memory)
{
	int err = map_between_guards(memory, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
				     -1);

	return err ? err : advise(memory, MADV_NOHUGEPAGE);
}

static int map_thp(struct victim_memory *memory)
{
	int err = map_between_guards(memory, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	return err ? err : advise(memory, MADV_HUGEPAGE);
}

/* Without a reservation, which would have to fit into the pool of the first node. */
static int map_hugetlb(struct victim_memory *memory)
{
	int flags =
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB | MAP_NORESERVE;

	return map_between_guards(memory, flags, -1);
}

/* Huge pages that nobody else can have meanwhile. Nothing is written to them. */
static int map_ballast(struct victim_memory *memory)
{
	int flags =
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB | MAP_POPULATE;

	return map_between_guards(memory, flags, -1);
}

static int leave_alone(struct victim_memory *memory, size_t offset, size_t length)
{
	(void)memory;
	(void)offset;
	(void)length;
	return 0;
}

static int map_heap(struct victim_memory *memory)
{
	uintptr_t end = (uintptr_t)sbrk(0);
	intptr_t wanted = (intptr_t)(memory->size + VICTIM_PAGE - end % VICTIM_PAGE);

	if (sbrk(wanted) == (void *)-1)
		return -errno;
	memory->start = (unsigned char *)sbrk(0) - memory->size;
	return 0;
}

/* A terabyte however small the others are: that is what it is for. */
static int map_sparse(struct victim_memory *memory)
{
	memory->size = (size_t)1 << 40;
	return map_anon(memory);
}

static int map_nothing(struct victim_memory *memory)
{
	memory->size = 0;
	return 0;
}

static int read_all(struct victim_memory *memory, size_t offset, size_t length)
{
	for (size_t at = offset; at < offset + length; at += VICTIM_PAGE)
		(void)*(volatile unsigned char *)(memory->start + at);
	return 0;
}

/* The first half is never touched, the second shows the zero page. */
static int read_second_half(struct victim_memory *memory, size_t offset, size_t length)
{
	size_t start = offset > memory->size / 2 ? offset : memory->size / 2;

	return start < offset + length ? read_all(memory, start, offset + length - start)
				       : 0;
}

static int lock(struct victim_memory *memory)
{
	return mlock(memory->start, memory->size) ? -errno : 0;
}

static int protect(struct victim_memory *memory)
{
	return mprotect(memory->start, memory->size, PROT_NONE) ? -errno : 0;
}

static int unprotect(struct victim_memory *memory)
{
	return mprotect(memory->start, memory->size, PROT_READ | PROT_WRITE) ? -errno : 0;
}

static int merge(struct victim_memory *memory)
{
	return advise(memory, MADV_MERGEABLE);
}

static bool is_resident(struct victim_memory *memory)
{
	size_t nr_pages = memory->size / VICTIM_PAGE;
	unsigned char *vec = malloc(nr_pages);
	bool found = false;

	if (!vec || mincore(memory->start, memory->size, vec))
		found = true;
	for (size_t i = 0; i < nr_pages && !found; i++)
		found = vec[i] & 1;
	free(vec);
	return found;
}

static int page_out(struct victim_memory *memory)
{
	int err = 0;

	/* A page that another CPU still has in its batch stays the first time. */
	for (int i = 0; i < 200 && !err && is_resident(memory); i++) {
		err = advise(memory, MADV_PAGEOUT);
		usleep(20000);
	}
	return err;
}

/* ------------------------------------------------------- shared and with files */

static int map_shmem(struct victim_memory *memory)
{
	return map_between_guards(memory, MAP_SHARED | MAP_ANONYMOUS, -1);
}

/* Takes over the descriptor. */
static int map_file(struct victim_memory *memory, int fd, int flags)
{
	if (fd < 0)
		return -errno;
	memory->fd = fd;
	if (ftruncate(fd, (off_t)memory->size))
		return -errno;
	return map_between_guards(memory, flags, fd);
}

static int map_memfd(struct victim_memory *memory)
{
	return map_file(memory, memfd_create("victim", MFD_CLOEXEC), MAP_SHARED);
}

static int map_secretmem(struct victim_memory *memory)
{
	return map_file(memory, (int)syscall(SYS_memfd_secret, O_CLOEXEC), MAP_SHARED);
}

static int map_sysv(struct victim_memory *memory)
{
	int id = shmget(IPC_PRIVATE, memory->size, IPC_CREAT | 0600);
	void *start;

	if (id < 0)
		return -errno;
	start = shmat(id, NULL, 0);
	/* It lives until the last process that has it attached is gone. */
	shmctl(id, IPC_RMID, NULL);
	if (start == (void *)-1)
		return -errno;
	memory->start = start;
	return 0;
}

/* The file stays if its path was given, for others to map. */
static int open_file(const struct victim_options *options, const char *directory)
{
	char path[256];
	int fd;

	if (options->path)
		return open(options->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!directory)
		directory = getenv("TMPDIR");
	snprintf(path, sizeof(path), "%s/victim-XXXXXX", directory ? directory : "/tmp");
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int map_tmpfs(struct victim_memory *memory)
{
	return map_file(memory, open_file(memory->options, "/dev/shm"), MAP_SHARED);
}

static int map_shared_file(struct victim_memory *memory)
{
	return map_file(memory, open_file(memory->options, NULL), MAP_SHARED);
}

static int map_private_file(struct victim_memory *memory)
{
	return map_file(memory, open_file(memory->options, NULL), MAP_PRIVATE);
}

/* Into the page cache by write(2), then mapped by reading it. */
static int write_file(struct victim_memory *memory, size_t offset, size_t length)
{
	unsigned char page[VICTIM_PAGE];

	for (size_t at = offset; at < offset + length; at += VICTIM_PAGE) {
		victim_pattern_fill(page, memory->options->seed, at / VICTIM_PAGE);
		if (pwrite(memory->fd, page, sizeof(page), (off_t)at) !=
		    (ssize_t)sizeof(page))
			return errno ? -errno : -EIO;
	}
	return read_all(memory, offset, length);
}

/* ------------------------------------------------------------------- pinned */

static int register_first_half(struct victim_memory *memory)
{
	struct io_uring_params params = { 0 };
	struct iovec buffer = { memory->start, memory->size / 2 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);

	if (ring < 0)
		return -errno;
	/* Kept until the victim ends. */
	memory->fd = ring;
	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		return -errno;
	return 0;
}

static int splice_first_mebibyte(struct victim_memory *memory)
{
	struct iovec buffer = { memory->start, VMSPLICED_BYTES };

	if (memory->size < VMSPLICED_BYTES)
		return -EINVAL;
	if (pipe2(memory->pipe, O_CLOEXEC) ||
	    fcntl(memory->pipe[1], F_SETPIPE_SZ, (int)VMSPLICED_BYTES) < 0)
		return -errno;
	if (vmsplice(memory->pipe[1], &buffer, 1, SPLICE_F_NONBLOCK) !=
	    (ssize_t)VMSPLICED_BYTES)
		return errno ? -errno : -EIO;
	return 0;
}

static const struct victim_kind kinds[] = {
	{ .name = "anon", .map = map_anon },
	{ .name = "thp", .map = map_thp },
	{ .name = "hugetlb", .map = map_hugetlb },
	{ .name = "ballast", .map = map_ballast, .fill = leave_alone, .is_empty = true },
	{ .name = "heap", .map = map_heap },
	{ .name = "stack" },
	{ .name = "shmem", .map = map_shmem },
	{ .name = "memfd", .map = map_memfd },
	{ .name = "sysv", .map = map_sysv },
	{ .name = "tmpfs", .map = map_tmpfs },
	{ .name = "file-shared", .map = map_shared_file, .fill = write_file },
	{ .name = "file-private", .map = map_private_file, .fill = write_file },
	{ .name = "file-private-written", .map = map_private_file },
	{ .name = "mlocked", .map = map_anon, .finish = lock },
	{ .name = "ksm", .map = map_anon, .finish = merge, .distinct = 64 },
	{ .name = "swapped", .map = map_anon, .finish = page_out },
	{ .name = "untouched",
	  .map = map_anon,
	  .fill = read_second_half,
	  .is_empty = true },
	{ .name = "huge-zero", .map = map_thp, .fill = read_all, .is_empty = true },
	{ .name = "protnone",
	  .map = map_anon,
	  .finish = protect,
	  .open = unprotect,
	  .close = protect },
	{ .name = "sparse", .map = map_sparse, .stride = (size_t)4 << 30 },
	{ .name = "io-uring", .map = map_anon, .finish = register_first_half },
	{ .name = "vmsplice", .map = map_anon, .finish = splice_first_mebibyte },
	{ .name = "secretmem", .map = map_secretmem },
	{ .name = "libs", .map = map_nothing },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct victim_kind *victim_kind_find(const char *name)
{
	for (size_t i = 0; i < NR_KINDS; i++) {
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	}
	return NULL;
}

const char *victim_kind_list(size_t i)
{
	return i < NR_KINDS ? kinds[i].name : NULL;
}
