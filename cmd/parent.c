/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parent.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"

#define FIELD "PPid:\t"

pid_t parent_read(const char *sysroot, pid_t pid)
{
	CLEANUP_FCLOSE FILE *stream = NULL;
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FREE char *line = NULL;
	uint64_t parent = 0;
	size_t size = 0;

	if (asprintf(&path, "%s/proc/%d/status", sysroot ? sysroot : "", (int)pid) < 0) {
		path = NULL;
		return 0;
	}
	stream = fopen(path, "re");
	if (!stream)
		return 0;
	/* The name stands before it, with its newlines escaped by the kernel. */
	while (getline(&line, &size, stream) > 0)
		if (!strncmp(line, FIELD, strlen(FIELD))) {
			const char *number = line + strlen(FIELD);

			if (number_parse(number, strcspn(number, "\n"), &parent) < 0 ||
			    parent > INT_MAX)
				return 0;
			return (pid_t)parent;
		}
	return 0;
}
