/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file systems that keep files' pages, and what each does with a dirty page that
 * is moved. Without a migrate_folio of its own the kernel writes the page out first
 * (6.1; of some 6.12), and no table of names and versions says that for every kernel
 * and driver: where it is not known it is found out by what becomes of the first
 * dirty pages.
 *
 * Threads: any number may use it at once.
 */
#ifndef MIG_BACKING_H
#define MIG_BACKING_H

#include <pthread.h>
#include <sys/stat.h>

#include "context.h"

enum mig_dirty {
	MIG_DIRTY_MOVES = 0,   /**< dirty pages arrive dirty, or stay where they are */
	MIG_DIRTY_UNKNOWN = 1, /**< nobody has moved one yet */
	MIG_DIRTY_WRITES = 2,  /**< they are written out on the way */
	MIG_DIRTY_NEVER = 3,   /**< its pages never move: ramfs */
};

struct mig_backing {
	struct mig_backing *next;
	dev_t device;            /**< st_dev of its files */
	char type[32];           /**< as "ext4"; "" if nobody tells */
	const char *home;        /**< where it is mounted; NULL: nowhere here */
	bool counts;             /**< cachestat(2) knows its files: not so of overlays */
	bool journals;           /**< data goes through the journal, which holds pages */
	enum mig_dirty dirty;    /**< atomic */
	unsigned int nr_written; /**< dirty pages that came out clean */
	unsigned int nr_kept;    /**< that did not move, and are dirty as before */
	pthread_mutex_t lock;    /**< of nr_written: one worker at a time finds out */
};

struct mig_backings {
	const struct mig_context *context;
	struct mig_filesystems *filesystems; /**< NULL: the mount table cannot be read */
	struct mig_backing *first;
	pthread_mutex_t lock;
};

/** mig_backings_init - reads the caller's mount table. */
void mig_backings_init(struct mig_backings *backings, const struct mig_context *context);

/** mig_backings_done - frees all backings. */
void mig_backings_done(struct mig_backings *backings);

/**
 * mig_backings_get - that of an open file
 * @status: of statx(2), with the mount's number where the kernel tells it (5.8)
 * Return: borrowed, valid as long as @backings; NULL: no memory.
 */
struct mig_backing *mig_backings_get(struct mig_backings *backings, int fd,
				     const struct statx *status);

/** mig_backing_may_write - whether moving a dirty page may write it out. */
bool mig_backing_may_write(const struct mig_backing *backing);

/** mig_backing_moves_dirty - whether a type is known to on every kernel. */
bool mig_backing_moves_dirty(const char *type);

#endif
