/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of system calls: the only place that makes those that move memory.
 * Tests replace it to inject every errno, positive returns and half-filled
 * status arrays. Each member returns what the system call returns, or a negative
 * errno in place of -1.
 */
#ifndef MIG_CALLS_H
#define MIG_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct mig_calls {
	/** move_pages(2); @nodes NULL asks where the pages are. */
	long (*move_pages)(pid_t pid, unsigned long count, void *const *pages,
			   const int *nodes, int *status, int flags);
	/** migrate_pages(2); masks of @maxnode - 1 bits. */
	long (*migrate_pages)(pid_t pid, unsigned long maxnode, const unsigned long *from,
			      const unsigned long *to);
	/** The same without CAP_SYS_NICE, so that it leaves shared pages alone. */
	long (*migrate_exclusive_pages)(pid_t pid, unsigned long maxnode,
					const unsigned long *from,
					const unsigned long *to);
	long (*mbind)(void *start, unsigned long length, int mode,
		      const unsigned long *mask, unsigned long maxnode,
		      unsigned int flags);
	long (*get_mempolicy)(int *mode, unsigned long *mask, unsigned long maxnode,
			      void *address, unsigned long flags);
	/** set_mempolicy(2), of the calling thread. */
	long (*set_mempolicy)(int mode, const unsigned long *mask, unsigned long maxnode);
	int (*pidfd_open)(pid_t pid);
	/** Signal 0 to a pidfd: 0 while the process is not reaped. */
	int (*pidfd_probe)(int pidfd);
	ssize_t (*process_madvise)(int pidfd, const struct iovec *ranges,
				   size_t nr_ranges, int advice);
	ssize_t (*process_vm_readv)(pid_t pid, const struct iovec *local, size_t nr_local,
				    const struct iovec *remote, size_t nr_remote);
	/** kcmp(2) with KCMP_VM: 0 where both share one memory. */
	int (*kcmp_vm)(pid_t a, pid_t b);
	/** A read of /proc/PID/pagemap, kpageflags, kpagecount or kpagecgroup. */
	ssize_t (*pread)(int fd, void *buffer, size_t length, off_t offset);
	/** A write to a file of /sys that has the kernel do something. */
	ssize_t (*write)(int fd, const void *buffer, size_t length);
	/** ioctl(2) PAGEMAP_SCAN; @arg is a struct pm_scan_arg. */
	int (*pagemap_scan)(int fd, void *arg);
	/** cachestat(2), Linux 6.5; @counts: cached, dirty, under writeback, evicted and
	 *  recently evicted pages. @range: offset and length. */
	int (*cachestat)(int fd, const uint64_t range[2], uint64_t counts[5]);
	/** mincore(2) on the caller's own memory. */
	int (*mincore)(void *start, size_t length, unsigned char *resident);
	/** Reads a few bytes at @address through the kernel: -EFAULT where the caller
	 *  would be sent SIGBUS. */
	int (*touch)(const void *address);
	/** Has touches of what is missing in a mapping of the caller's own fail with
	 *  -EFAULT, instead of filling it, until the descriptor that it returns is
	 *  closed: userfaultfd(2). Of files, only of a private mapping. */
	int (*guard_holes)(void *start, size_t length);
	/** The nodes of "ip:ADDRESS", by libnuma. */
	int (*device_nodes)(const char *text, uint64_t *ret_bits, size_t nr_words);
};

/** The kernel's own. */
extern const struct mig_calls mig_calls_kernel;

#endif
