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
	  "it is shown to the file's owner, to who may write it, and with CAP_FOWNER: "
	  "try "
	  "as root",
	  STATUS_FAILED },
	{ SUBJECT_FILE, EISDIR, "a directory",
	  "with -r the files below the directories that are given are taken",
	  STATUS_FAILED },
	{ SUBJECT_FILE, EOPNOTSUPP,
	  "it has no page cache: a FIFO, a socket, a device, DAX or secret memory", NULL,
	  STATUS_FAILED },
	{ SUBJECT_FILE, ENXIO,
	  "it has holes, and the kernel does not tell where in hugetlbfs", NULL,
	  STATUS_FAILED },
	{ SUBJECT_FILE, ENODEV, "its file system cannot map files into memory", NULL,
	  STATUS_FAILED },
	{ SUBJECT_FILE, EXDEV, "files are looked at only without --sysroot", NULL,
	  STATUS_UNSUPPORTED },
	{ SUBJECT_FILE, ENODATA, "the mount table does not have it", NULL,
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
