/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/userfaultfd.h>
#include <numa.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap_scan.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

static long or_errno(long result)
{
	return result == -1 ? -errno : result;
}

static long call_move_pages(pid_t pid, unsigned long count, void *const *pages,
			    const int *nodes, int *status, int flags)
{
	return or_errno(syscall(SYS_move_pages, pid, count, pages, nodes, status, flags));
}

static long call_migrate_pages(pid_t pid, unsigned long maxnode,
			       const unsigned long *from, const unsigned long *to)
{
	return or_errno(syscall(SYS_migrate_pages, pid, maxnode, from, to));
}

/* Capabilities belong to a thread: the others of the process keep theirs. */
static long call_migrate_exclusive_pages(pid_t pid, unsigned long maxnode,
					 const unsigned long *from,
					 const unsigned long *to)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct had[2], without[2];
	long r;

	if (syscall(SYS_capget, &header, had) < 0)
		return -errno;
	memcpy(without, had, sizeof(without));
	without[CAP_TO_INDEX(CAP_SYS_NICE)].effective &= ~CAP_TO_MASK(CAP_SYS_NICE);
	if (syscall(SYS_capset, &header, without) < 0)
		return -errno;
	r = call_migrate_pages(pid, maxnode, from, to);
	if (syscall(SYS_capset, &header, had) < 0)
		return -errno;
	return r;
}

static long call_mbind(void *start, unsigned long length, int mode,
		       const unsigned long *mask, unsigned long maxnode,
		       unsigned int flags)
{
	return or_errno(syscall(SYS_mbind, start, length, mode, mask, maxnode, flags));
}

static long call_get_mempolicy(int *mode, unsigned long *mask, unsigned long maxnode,
			       void *address, unsigned long flags)
{
	return or_errno(syscall(SYS_get_mempolicy, mode, mask, maxnode, address, flags));
}

static long call_set_mempolicy(int mode, const unsigned long *mask, unsigned long maxnode)
{
	return or_errno(syscall(SYS_set_mempolicy, mode, mask, maxnode));
}

static int call_pidfd_open(pid_t pid)
{
	return (int)or_errno(syscall(SYS_pidfd_open, pid, 0));
}

static int call_pidfd_probe(int pidfd)
{
	return (int)or_errno(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
}

static ssize_t call_process_madvise(int pidfd, const struct iovec *ranges,
				    size_t nr_ranges, int advice)
{
	return or_errno(
		syscall(SYS_process_madvise, pidfd, ranges, nr_ranges, advice, 0));
}

static ssize_t call_process_vm_readv(pid_t pid, const struct iovec *local,
				     size_t nr_local, const struct iovec *remote,
				     size_t nr_remote)
{
	return or_errno(syscall(SYS_process_vm_readv, pid, local, nr_local, remote,
				nr_remote, 0));
}

static int call_kcmp_vm(pid_t a, pid_t b)
{
	return (int)or_errno(syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0));
}

static ssize_t call_pread(int fd, void *buffer, size_t length, off_t offset)
{
	return or_errno(pread(fd, buffer, length, offset));
}

static ssize_t call_write(int fd, const void *buffer, size_t length)
{
	return or_errno(write(fd, buffer, length));
}

static int call_pagemap_scan(int fd, void *arg)
{
	return (int)or_errno(ioctl(fd, PAGEMAP_SCAN, arg));
}

static int call_cachestat(int fd, const uint64_t range[2], uint64_t counts[5])
{
	return (int)or_errno(syscall(SYS_cachestat, fd, range, counts, 0));
}

static int call_mincore(void *start, size_t length, unsigned char *resident)
{
	return (int)or_errno(mincore(start, length, resident));
}

/* The kernel reads the new mask before it looks at what it is told to do with it
 * (kernel/signal.c, sys_rt_sigprocmask), and that is nonsense here. */
static int call_touch(const void *address)
{
	long r = or_errno(syscall(SYS_rt_sigprocmask, -1, address, NULL, 8));

	return r == -EINVAL ? 0 : (int)r;
}

/* UFFD_USER_MODE_ONLY (Linux 5.11) needs no privilege. Nobody is asked to fill a hole,
 * whoever has touched it: UFFD_FEATURE_SIGBUS decides before that. */
static int call_guard_holes(void *start, size_t length)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_SIGBUS };
	struct uffdio_register holes = {
		.range = { .start = (uintptr_t)start, .len = length },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = (int)or_errno(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY));
	int r;

	if (fd < 0)
		return fd;
	r = (int)or_errno(ioctl(fd, UFFDIO_API, &api));
	if (!r)
		r = (int)or_errno(ioctl(fd, UFFDIO_REGISTER, &holes));
	if (!r)
		return fd;
	close(fd);
	return r;
}

/*
 * What libnuma cannot answer it says on standard error, and a library cannot stop
 * it: numa_warn() is a weak symbol that only the program may replace. So callers
 * ask only what has an answer (device.c).
 */
static int call_device_nodes(const char *text, uint64_t *ret_bits, size_t nr_words)
{
	struct bitmask *mask;

	if (numa_available() < 0)
		return -ENOSYS;
	mask = numa_parse_nodestring_all(text);
	if (!mask)
		return -ENOENT;
	memset(ret_bits, 0, nr_words * sizeof(*ret_bits));
	for (unsigned int node = 0; node < mask->size && node < nr_words * 64; node++)
		if (numa_bitmask_isbitset(mask, node))
			ret_bits[node / 64] |= UINT64_C(1) << (node % 64);
	numa_free_nodemask(mask);
	return 0;
}

const struct mig_calls mig_calls_kernel = {
	.move_pages = call_move_pages,
	.migrate_pages = call_migrate_pages,
	.migrate_exclusive_pages = call_migrate_exclusive_pages,
	.mbind = call_mbind,
	.get_mempolicy = call_get_mempolicy,
	.set_mempolicy = call_set_mempolicy,
	.pidfd_open = call_pidfd_open,
	.pidfd_probe = call_pidfd_probe,
	.process_madvise = call_process_madvise,
	.process_vm_readv = call_process_vm_readv,
	.kcmp_vm = call_kcmp_vm,
	.pread = call_pread,
	.write = call_write,
	.pagemap_scan = call_pagemap_scan,
	.cachestat = call_cachestat,
	.mincore = call_mincore,
	.touch = call_touch,
	.guard_holes = call_guard_holes,
	.device_nodes = call_device_nodes,
};
