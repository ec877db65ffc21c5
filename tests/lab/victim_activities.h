/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a victim does with its memory in the background while it is moved. */
#ifndef VICTIM_ACTIVITIES_H
#define VICTIM_ACTIVITIES_H

#include "victim_memory.h"

/**
 * victim_activity_start - let a thread do something until it is stopped
 * @name: "write" changes page after page of the memory;
 *        "churn" maps, fills, checks and unmaps other memory;
 *        "remap" carries other memory from address to address;
 *        "grow" maps and fills more and more, up to 32 MiB;
 *        "fork" makes children that write to a part of the memory and end
 * Return: 0 or a negative errno: -ENOENT: no such activity.
 */
int victim_activity_start(struct victim_memory *memory, const char *name);

/**
 * victim_activities_stop - end all of them
 * Return: 0, -EIO if one found content that was not its own, another errno if one
 * failed.
 */
int victim_activities_stop(void);

#endif
