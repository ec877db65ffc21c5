/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A made-up /proc and /sys in a temporary directory, for one test. What cannot be
 * built makes the test fail; no function here returns an error.
 */
#ifndef FAKE_ROOT_H
#define FAKE_ROOT_H

#include <stddef.h>

#include "context.h"

struct fake_root {
	char *path;
	/** The last line that a context of this root logged, "" if none. */
	char log[512];
};

/** fake_root_new - an empty directory. Freed, with all in it, by fake_root_free(). */
struct fake_root *fake_root_new(void);
void fake_root_free(struct fake_root *root);

/**
 * fake_root_write - write a file, and the directories on the way to it
 * @path: relative to the root, as "proc/42/maps"; a file that exists is replaced
 */
void fake_root_write(struct fake_root *root, const char *path, const char *text);

/** fake_root_write_bytes - the same for text with NUL bytes in it. */
void fake_root_write_bytes(struct fake_root *root, const char *path, const void *bytes,
			   size_t length);

/** fake_root_link - a symbolic link at @path to @target, as readlink(1) shows it. */
void fake_root_link(struct fake_root *root, const char *path, const char *target);

/** fake_root_mkdir - a directory, and those on the way to it. */
void fake_root_mkdir(struct fake_root *root, const char *path);

/** fake_root_remove - a file, or a directory with all in it. */
void fake_root_remove(struct fake_root *root, const char *path);

/**
 * fake_root_context - a context with this root
 * @calls: NULL: a captured machine, on which nothing can be moved; otherwise these
 *         are used and the context counts as live
 *
 * Must be freed before the root, with mig_context_free().
 */
struct mig_context *fake_root_context(struct fake_root *root,
				      const struct mig_calls *calls);

#endif
