/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, words and hints for why pages were skipped or left. */
#include "libmigrate.h"

struct wording {
	const char *name; /**< stable key */
	const char *text;
	const char *hint; /**< NULL: none is known */
};

static const struct wording skips[MIG_NR_SKIPS] = {
	[MIG_SKIP_SHARED] = { "shared", "shared with other processes", NULL },
	[MIG_SKIP_FILTERED] = { "filtered", "not of the kind or range asked for", NULL },
	[MIG_SKIP_NOT_FROM] = { "not-from", "on a node that is not a source", NULL },
	[MIG_SKIP_STOPPED] = { "stopped", "not tried before the stop", NULL },
	[MIG_SKIP_DIRTY] = { "dirty", "dirty: the file system would write them", NULL },
};

static const struct wording reasons[MIG_NR_REASONS] = {
	[MIG_REASON_BUSY] = { "busy", "busy: under I/O or pinned",
			      "try again later, or with more --passes" },
	[MIG_REASON_PINNED] = { "pinned", "pinned: something holds extra references",
				"direct I/O, RDMA, vfio or a pipe may hold them" },
	[MIG_REASON_PINNED_IO_URING] = { "pinned-io-uring",
					 "pinned as registered io_uring buffers",
					 "they move once the program unregisters them" },
	[MIG_REASON_NO_MEMORY] = { "no-memory", "no free memory on the destination",
				   "make room there, or name more nodes with --to" },
	[MIG_REASON_CPUSET_TARGET] = { "cpuset-target",
				       "the target's cpuset forbids the destination",
				       "add the node to cpuset.mems of its cgroup" },
	[MIG_REASON_CPUSET_CALLER] = { "cpuset-caller",
				       "the caller's own cpuset forbids the destination",
				       "run migratectl in a cgroup that may use the "
				       "node" },
	[MIG_REASON_PERMISSION] = { "permission", "not permitted",
				    "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH are needed" },
	[MIG_REASON_HUGETLB_POOL] = { "hugetlb-pool",
				      "no free huge page on the destination",
				      "raise nr_hugepages of the node" },
	[MIG_REASON_FILE_SYSTEM] = { "file-system", "their file system cannot move them",
				     "dirty pages may go after sync(1); those of ramfs "
				     "never do" },
	[MIG_REASON_DEVICE] = { "device", "device memory or a driver's pages", NULL },
	[MIG_REASON_PROTECTED] = { "protected",
				   "access-protected pages, which this kernel does not "
				   "see",
				   "Linux 6.12 moves them" },
	[MIG_REASON_SECRET] = { "secret", "secret memory (memfd_secret)", NULL },
	[MIG_REASON_NODE_GONE] = { "node-gone", "the destination went offline", NULL },
	[MIG_REASON_UNKNOWN] = { "unknown", "unknown", NULL },
	[MIG_REASON_UNSUPPORTED] = { "unsupported", "the system call is not available",
				     "a seccomp filter may forbid it" },
	[MIG_REASON_NO_FILE] = { "no-file", "in no file that was looked into",
				 "--search names a directory that may have them" },
};

static const struct wording nothing = { "?", "?", NULL };

static const struct wording *skip_wording(enum mig_skip skip)
{
	return (unsigned int)skip < MIG_NR_SKIPS ? &skips[skip] : &nothing;
}

static const struct wording *reason_wording(enum mig_reason reason)
{
	return (unsigned int)reason < MIG_NR_REASONS ? &reasons[reason] : &nothing;
}

const char *mig_skip_get_name(enum mig_skip skip)
{
	return skip_wording(skip)->name;
}

const char *mig_skip_get_text(enum mig_skip skip)
{
	return skip_wording(skip)->text;
}

const char *mig_reason_get_name(enum mig_reason reason)
{
	return reason_wording(reason)->name;
}

const char *mig_reason_get_text(enum mig_reason reason)
{
	return reason_wording(reason)->text;
}

const char *mig_reason_get_hint(enum mig_reason reason)
{
	return reason_wording(reason)->hint;
}
