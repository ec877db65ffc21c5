/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real files in a temporary directory, under the real kernel. */
#ifndef LIVE_FILES_H
#define LIVE_FILES_H

#include "fake_root.h"
#include "files.h"

struct live_files {
	struct fake_root *root;      /**< where the files are */
	struct mig_context *context; /**< live */
	struct mig_files *files;
	unsigned int nr_problems; /**< that were told of */
	int problem;              /**< the last one */
	char problem_path[4096];
};

/** live_files_set_up - cmocka's set-up: *@state is an empty directory. */
int live_files_set_up(void **state);

/** live_files_tear_down - cmocka's tear-down. */
int live_files_tear_down(void **state);

/** live_files_path - the path of a file. Return: one of several buffers. */
const char *live_files_path(const struct live_files *live, const char *name);

/** live_files_add - name a file, or a directory, with flags of MIG_FILES_*. */
void live_files_add(struct live_files *live, const char *name, unsigned int flags);

/** live_files_write_pages - let a file have some pages at an offset, in the cache too. */
void live_files_write_pages(struct live_files *live, const char *name, uint64_t first,
			    uint64_t nr_pages);

/** live_files_resize - cut a file off, or let it have a hole at its end. */
void live_files_resize(struct live_files *live, const char *name, uint64_t size_bytes);

/** live_files_open - one that can be opened. The caller puts it. */
struct mig_file *live_files_open(struct live_files *live, const char *name);

/** What a walk has met, by name below the root; sorted. */
struct met {
	const struct live_files *live;
	size_t nr;
	char names[64][128]; /**< of the first so many */
	unsigned int most_descriptors;
};

/** met_note - for mig_files_walk(), with a struct met. */
int met_note(void *data, unsigned int thread, struct mig_file *file);

/** live_files_walk - Return: what mig_files_walk() says. */
int live_files_walk(struct live_files *live, struct met *ret_met);

/** assert_met - all names, with a blank behind each. */
void assert_met(struct live_files *live, const char *expected);

/** live_files_as_nobody - what @call returns to a user with no rights: 0 to 100, or the
 *  negative of an errno. Skips the test unless it is root that runs it. */
int live_files_as_nobody(struct live_files *live, int (*call)(struct live_files *live));

/** live_files_count_descriptors - that this process has open. */
unsigned int live_files_count_descriptors(void);

#endif
