/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "escape.h"

/* What the errnos of libmigrate mean; see "Errors" in its header. */
struct meaning {
	enum message_subject subject;
	int error;
	const char *text;
	const char *hint;
	enum exit_status status;
};

static const char ptrace_hint[] = "processes of other users need CAP_SYS_PTRACE";

static const char cache_hint[] = "page cache that nobody has mapped needs CAP_SYS_ADMIN";
static const char cpuset_hint[] =
	"who may write cpuset.mems, the owner of the directory says: try as root";
static const char retire_hint[] = "retiring needs root and CAP_SYS_ADMIN";
static const char ambiguous_hint[] = "name the one that is meant by its path";

static const struct meaning meanings[] = {
	{ SUBJECT_MACHINE, EBADMSG, "a file of the kernel does not parse", NULL,
	  STATUS_FAILED },
	{ SUBJECT_NODES, EINVAL, "not a list of nodes",
	  "write nodes as in '0-3,5', 'all' or '!0'", STATUS_USAGE },
	{ SUBJECT_NODES, ERANGE, "a number is too large or a range runs backwards", NULL,
	  STATUS_USAGE },
	{ SUBJECT_NODES, ENODEV, "no such node",
	  "'migratectl nodes' lists the nodes of this machine", STATUS_FAILED },
	{ SUBJECT_NODES, ENODATA, "the set is empty", NULL, STATUS_USAGE },
	{ SUBJECT_NODES, EXDEV, "devices cannot be looked up with --sysroot", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_NODES, ENOENT, "no such device, or it is attached to no node", NULL,
	  STATUS_FAILED },
	{ SUBJECT_PROCESS, ESRCH, "no such process", NULL, STATUS_FAILED },
	{ SUBJECT_PROCESS, EINVAL, "no such process", NULL, STATUS_FAILED },
	{ SUBJECT_PROCESS, ENXIO, "a kernel thread, which has no memory of its own", NULL,
	  STATUS_FAILED },
	{ SUBJECT_PROCESS, ENODATA, "a zombie: it has exited and its memory is gone",
	  NULL, STATUS_FAILED },
	{ SUBJECT_PROCESS, ENOSYS, "this kernel has no pidfd",
	  "Linux 5.10 or newer is needed", STATUS_UNSUPPORTED },
	{ SUBJECT_PROCESS, EACCES, "Permission denied", ptrace_hint, STATUS_FAILED },
	{ SUBJECT_PROCESS, EPERM, "Permission denied", ptrace_hint, STATUS_FAILED },
	{ SUBJECT_MEMORY, ESRCH, "it has exited", NULL, STATUS_FAILED },
	{ SUBJECT_MEMORY, EACCES, "Permission denied", ptrace_hint, STATUS_FAILED },
	{ SUBJECT_MEMORY, EPERM, "Permission denied", ptrace_hint, STATUS_FAILED },
	{ SUBJECT_MEMORY, EBADMSG, "a file of the kernel does not parse", NULL,
	  STATUS_FAILED },
	{ SUBJECT_MEMORY, EXDEV, "cannot be seen with --sysroot", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_MEMORY, ENOENT, "this kernel does not tell",
	  "a kernel with CONFIG_NUMA is needed", STATUS_UNSUPPORTED },
	{ SUBJECT_PLACEMENT, EINVAL, "the rules contradict each other", NULL,
	  STATUS_USAGE },
	{ SUBJECT_PLACEMENT, ENODEV, "a destination has no memory",
	  "'migratectl nodes' shows which nodes have memory", STATUS_FAILED },
	{ SUBJECT_FILE, EPERM, "not permitted to see what is cached of it",
	  "it is shown to the file's owner, to who may write it, and with "
	  "CAP_FOWNER: try as root",
	  STATUS_FAILED },
	{ SUBJECT_FILE, EISDIR, "a directory",
	  "with -r the files below the directories that are given are taken",
	  STATUS_FAILED },
	{ SUBJECT_FILE, EOPNOTSUPP,
	  "it has no page cache: a FIFO, a socket, a device, DAX or secret memory", NULL,
	  STATUS_FAILED },
	{ SUBJECT_FILE, ENXIO,
	  "it has holes, which looking at it would fill in hugetlbfs",
	  "userfaultfd(2) would leave them alone, and is not allowed here",
	  STATUS_FAILED },
	{ SUBJECT_FILE, ENODEV, "its file system cannot map files into memory", NULL,
	  STATUS_FAILED },
	{ SUBJECT_FILE, EXDEV, "files are looked at only without --sysroot", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_FILE, ENODATA, "the mount table does not have it", NULL,
	  STATUS_FAILED },
	{ SUBJECT_CGROUP, ENOENT, "no such cgroup", NULL, STATUS_FAILED },
	{ SUBJECT_CGROUP, ENOTUNIQ, "several cgroups have this name", ambiguous_hint,
	  STATUS_FAILED },
	{ SUBJECT_CGROUP, ENOTDIR, "not a cgroup: they are directories", NULL,
	  STATUS_FAILED },
	{ SUBJECT_CGROUP, EXDEV, "not below a cgroup hierarchy",
	  "'findmnt -t cgroup,cgroup2' shows where they are mounted", STATUS_FAILED },
	{ SUBJECT_CGROUP, ESRCH, "no such process", NULL, STATUS_FAILED },
	{ SUBJECT_CGROUP, EOPNOTSUPP, "no cgroup hierarchy is mounted",
	  "'mount -t cgroup2 none /sys/fs/cgroup' mounts it", STATUS_UNSUPPORTED },
	{ SUBJECT_CGROUP, EINVAL, "not the name of a cgroup",
	  "write a path below /sys/fs/cgroup, a systemd unit, 'pid:N' or 'job:ID'",
	  STATUS_USAGE },
	{ SUBJECT_CGROUP, ENODEV, "it was removed", NULL, STATUS_FAILED },
	{ SUBJECT_CGROUP, EBADMSG, "a file of the kernel does not parse", NULL,
	  STATUS_FAILED },
	{ SUBJECT_UNIT, ENOENT, "no such unit, or it has no cgroup",
	  "a unit has a cgroup only while it runs; 'systemctl status' tells",
	  STATUS_FAILED },
	{ SUBJECT_UNIT, ENOTUNIQ, "several units have this name", ambiguous_hint,
	  STATUS_FAILED },
	{ SUBJECT_JOB, ENOENT, "no such job on this machine",
	  "a job has a cgroup only where it runs, and only if its scheduler makes one",
	  STATUS_FAILED },
	{ SUBJECT_JOB, ENOTUNIQ, "several jobs have this number", ambiguous_hint,
	  STATUS_FAILED },
	{ SUBJECT_FREEZE, ENODATA, "it cannot be frozen",
	  "the root never is; of cgroup v1 only what the freezer hierarchy has",
	  STATUS_UNSUPPORTED },
	{ SUBJECT_FREEZE, EDEADLK, "migratectl is in it itself",
	  "run migratectl in another cgroup, or leave --freeze out", STATUS_FAILED },
	{ SUBJECT_FREEZE, ETIMEDOUT, "it does not stand still, and runs again",
	  "a process in it waits in the kernel: try again, or leave --freeze out",
	  STATUS_FAILED },
	{ SUBJECT_FREEZE, ENODEV, "it was removed", NULL, STATUS_FAILED },
	{ SUBJECT_FREEZE, EXDEV, "nothing can be frozen with --sysroot", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_CPUSET, ENODATA, "it cannot have a cpuset",
	  "cgroup v2 has controllers only below cgroups without processes of their own; "
	  "of v1 the cpuset hierarchy must have it",
	  STATUS_UNSUPPORTED },
	{ SUBJECT_CPUSET, EACCES, "Permission denied", cpuset_hint, STATUS_FAILED },
	{ SUBJECT_CPUSET, EPERM, "Permission denied", cpuset_hint, STATUS_FAILED },
	{ SUBJECT_CPUSET, EINVAL, "its parent's cpuset allows none of these nodes",
	  "add them to cpuset.mems of the cgroups above", STATUS_FAILED },
	{ SUBJECT_CPUSET, EBUSY, "a cgroup below it has other nodes",
	  "change cpuset.mems of those below first", STATUS_FAILED },
	{ SUBJECT_CPUSET, ENOSPC, "the kernel empties no cpuset that has processes",
	  "on cgroup v2 its list has all nodes now, which allows what the empty one did",
	  STATUS_FAILED },
	{ SUBJECT_CPUSET, ENODEV, "it was removed", NULL, STATUS_FAILED },
	{ SUBJECT_CACHE, EACCES, "Permission denied", cache_hint, STATUS_FAILED },
	{ SUBJECT_CACHE, EPERM, "Permission denied", cache_hint, STATUS_FAILED },
	{ SUBJECT_CACHE, ENOENT, "the kernel does not tell whom pages are charged to",
	  "it has no memory cgroups: go without --cache", STATUS_UNSUPPORTED },
	{ SUBJECT_CACHE, ENODATA, "it has no memory controller", NULL, STATUS_FAILED },
	{ SUBJECT_CACHE, EOPNOTSUPP, "the kernel does not tell where pages are", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_COMPACT, ENODEV, "no such node", NULL, STATUS_FAILED },
	{ SUBJECT_COMPACT, EOPNOTSUPP, "this kernel cannot compact",
	  "a kernel with CONFIG_COMPACTION is needed", STATUS_UNSUPPORTED },
	{ SUBJECT_COMPACT, EACCES, "Permission denied", "compacting needs root",
	  STATUS_FAILED },
	{ SUBJECT_COMPACT, EPERM, "Permission denied", "compacting needs root",
	  STATUS_FAILED },
	{ SUBJECT_RECLAIM, EOPNOTSUPP, "this kernel cannot reclaim a single node",
	  "Linux 7.0 and newer can, and older ones with lru_gen switched on",
	  STATUS_UNSUPPORTED },
	{ SUBJECT_RETIRE, ENOSYS, "this kernel cannot take page frames out of use",
	  "a kernel with CONFIG_MEMORY_FAILURE is needed", STATUS_UNSUPPORTED },
	{ SUBJECT_RETIRE, EOPNOTSUPP, "it is switched off",
	  "'sysctl vm.enable_soft_offline=1' switches it on", STATUS_UNSUPPORTED },
	{ SUBJECT_RETIRE, EACCES, "Permission denied", retire_hint, STATUS_FAILED },
	{ SUBJECT_RETIRE, EPERM, "Permission denied", retire_hint, STATUS_FAILED },
	{ SUBJECT_RETIRE, ENOENT, "this kernel does not tell what page frames hold",
	  "a kernel with CONFIG_PROC_PAGE_MONITOR is needed", STATUS_UNSUPPORTED },
	{ SUBJECT_RETIRE, EBADMSG, "a file of the kernel does not parse", NULL,
	  STATUS_FAILED },
	{ SUBJECT_MOVE, EXDEV, "nothing can be moved with --sysroot", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_MOVE, ENOSYS, "no move_pages(2) here",
	  "the kernel lacks it, or seccomp forbids it: in a container, allow "
	  "move_pages in its seccomp profile",
	  STATUS_UNSUPPORTED },
	{ SUBJECT_MOVE, ESRCH, "it has exited", NULL, STATUS_FAILED },
	{ SUBJECT_MOVE, EBADMSG, "a file of the kernel does not parse", NULL,
	  STATUS_FAILED },
	{ SUBJECT_MOVE, EACCES, "Permission denied", ptrace_hint, STATUS_FAILED },
	{ SUBJECT_MOVE, EPERM, "Permission denied",
	  "processes of other users need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
	  STATUS_FAILED },
};

/* A hint is given once, not for each of a thousand processes. */
static const char *last_hint;

static const struct meaning *find_meaning(enum message_subject subject, int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].subject == subject && meanings[i].error == -error)
			return &meanings[i];
	return NULL;
}

/* A line, escaped as a whole; what is longer than any terminal line is cut off. */
__attribute__((format(printf, 3, 0))) static void
say(const char *prefix, const char *suffix, const char *format, va_list arguments)
{
	char line[1024];
	char escaped[ESCAPE_SIZE(sizeof(line))];
	int length = vsnprintf(line, sizeof(line), format, arguments);

	if (length < 0)
		return;
	escape_text(line, strlen(line), escaped);
	fflush(stdout);
	fprintf(stderr, "%s%s%s\n", prefix, escaped, suffix);
}

void message_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("migratectl: ", "", format, arguments);
	va_end(arguments);
}

void message_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("migratectl: warning: ", "", format, arguments);
	va_end(arguments);
}

void message_hint(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("hint: ", "", format, arguments);
	va_end(arguments);
}

int message_try(const char *command)
{
	fprintf(stderr, "Try 'migratectl %s%s--help'\n", command ? command : "",
		command ? " " : "");
	return STATUS_USAGE;
}

int message_usage(const char *command, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say("migratectl: ", "", format, arguments);
	va_end(arguments);
	return message_try(command);
}

int message_failure(enum message_subject subject, int error, const char *format, ...)
{
	const struct meaning *meaning = find_meaning(subject, error);
	char suffix[160];
	va_list arguments;

	snprintf(suffix, sizeof(suffix), ": %s",
		 meaning ? meaning->text : strerror(-error));
	va_start(arguments, format);
	say("migratectl: ", suffix, format, arguments);
	va_end(arguments);
	if (meaning && meaning->hint && meaning->hint != last_hint) {
		message_hint("%s", meaning->hint);
		last_hint = meaning->hint;
	}
	return meaning ? (int)meaning->status : STATUS_FAILED;
}
