/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of CPUs for people. */
#ifndef MIGRATECTL_CPULIST_H
#define MIGRATECTL_CPULIST_H

/**
 * cpulist_shorten - write CPUs at equal distances as taskset(1) does
 *
 * Many machines number their CPUs in turn on the nodes: 0,2,4,6 and so on becomes
 * 0-126:2. Fewer than four of them stay as they are, and so does what is no list.
 * Return: the caller frees it; NULL if there is no memory.
 */
char *cpulist_shorten(const char *list);

#endif
