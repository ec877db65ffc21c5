/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup_args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "message.h"

#define USUAL_MOUNT "/sys/fs/cgroup/"

static const char *const unit_suffixes[] = { ".service", ".slice", ".scope",
					     ".socket",  ".mount", ".swap" };

/* Directories of hierarchies that only cgroup v1 has. */
static const char *const v1_directories[] = {
	"memory",   "cpuset",  "freezer", "cpu",     "cpuacct",    "cpu,cpuacct",
	"blkio",    "devices", "hugetlb", "pids",    "perf_event", "net_cls",
	"net_prio", "rdma",    "misc",    "systemd", "unified",    "net_cls,net_prio",
};

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && !strcmp(text + length - end_length, end);
}

static enum message_subject subject_of(const char *name)
{
	if (!strncmp(name, "job:", 4))
		return SUBJECT_JOB;
	for (size_t i = 0; i < ARRAY_SIZE(unit_suffixes) && !strchr(name, '/'); i++)
		if (ends_in(name, unit_suffixes[i]))
			return SUBJECT_UNIT;
	return SUBJECT_CGROUP;
}

/* The directory of a v1 hierarchy that a path begins with: "memory"; NULL: none. */
static const char *find_v1_directory(const char *name)
{
	const char *rest = name + strlen(USUAL_MOUNT);

	if (strncmp(name, USUAL_MOUNT, strlen(USUAL_MOUNT)) != 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(v1_directories); i++) {
		size_t length = strlen(v1_directories[i]);

		if (!strncmp(rest, v1_directories[i], length) &&
		    (rest[length] == '/' || !rest[length]))
			return v1_directories[i];
	}
	return NULL;
}

/* Habits of cgroup v1 where only v2 is mounted. */
static void hint_at_v1(const char *sysroot, const char *name)
{
	const char *directory = find_v1_directory(name);
	char path[4096];

	if (!directory)
		return;
	snprintf(path, sizeof(path), "%s" USUAL_MOUNT "%s", sysroot ? sysroot : "",
		 directory);
	if (access(path, F_OK) != 0)
		message_hint("there is no hierarchy '%s' here: with cgroup v2 leave "
			     "'%s/' out of the path",
			     directory, directory);
}

int cgroup_open(const struct machine *machine, const char *sysroot, const char *name,
		struct mig_cgroup **ret_cgroup)
{
	int r = mig_cgroup_open(machine->context, name, ret_cgroup);
	enum message_subject subject = subject_of(name);
	int status;

	if (!r)
		return STATUS_OK;
	if (r != -ENOENT && r != -ENOTUNIQ)
		subject = SUBJECT_CGROUP;
	status = message_failure(subject, r, "'%s'", name);
	if (r == -ENOENT || r == -EXDEV)
		hint_at_v1(sysroot, name);
	return status;
}

void cgroup_say_hidden(const struct mig_cgroup *cgroup, size_t nr_hidden, size_t nr_all)
{
	if (!nr_hidden)
		return;
	message_warning("cgroup '%s': %zu of %zu processes cannot be looked at: another "
			"pid namespace",
			mig_cgroup_get_path(cgroup), nr_hidden, nr_all);
	message_hint("run migratectl in the pid namespace of the machine");
}
