/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent of a process, to draw a tree of what libmigrate found. */
#ifndef MIGRATECTL_PARENT_H
#define MIGRATECTL_PARENT_H

#include <sys/types.h>

/**
 * parent_read - the parent of a process, as /proc/PID/status says
 * @sysroot: directory with /proc; NULL: this machine
 * Return: its number, 0 if it has none or is gone.
 */
pid_t parent_read(const char *sysroot, pid_t pid);

#endif
