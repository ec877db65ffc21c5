/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scenarios about files are written with: file systems on devices of their
 * own, files with known content on chosen nodes, and an oracle that tells of every
 * cached page its node, its frame and its flags.
 */
#ifndef LAB_FILES_H
#define LAB_FILES_H

#include "lab.h"
#include "oracle_frames.h"

/** A file system that is gone when the test is over. */
struct lab_disk {
	char path[64];          /**< where it is mounted */
	char counters_path[64]; /**< of its device; "": it has none */
};

/**
 * lab_disk - make a file system on a loop device over a file in memory, and mount it
 * @type: ext4, ext2, xfs, btrfs, f2fs, vfat, minix, or tmpfs, which has no device
 *
 * Ends the test as skipped where the program that makes it is missing. Until the test's
 * end nothing is written but by who asks for it.
 */
struct lab_disk lab_disk(struct lab *lab, const char *type);

/** lab_disk_with - with these mount options instead of the usual ones */
struct lab_disk lab_disk_with(struct lab *lab, const char *type, const char *options);

/** lab_allow_dirty - let a device have dirty pages: its name below /sys/class/bdi */
void lab_allow_dirty(struct lab *lab, const char *pattern);

/** What a device has done so far. */
struct lab_io {
	uint64_t reads;
	uint64_t read_sectors;
	uint64_t writes;
	uint64_t written_sectors;
};

/** lab_disk_io - once it has come to rest; all zero where there is no device. */
struct lab_io lab_disk_io(const struct lab_disk *disk);

/** lab_assert_no_io - nothing was read or written since. */
void lab_assert_no_io(const struct lab_disk *disk, const struct lab_io *before);

/** lab_path - of a file on it; valid until the 64th call from here. */
const char *lab_path(const struct lab_disk *disk, const char *name);

/* ------------------------------------------------------------------- contents */

/**
 * lab_write_file - write a pattern, into cache pages on a node where they are new
 * @seed: tells one pattern from another; 0 is for holes: all zero
 */
void lab_write_file(const char *path, int node, uint64_t offset, uint64_t bytes,
		    unsigned int seed);

/** lab_write_file_in - write all of a file, by a process of a cgroup, which ends then. */
void lab_write_file_in(const char *group, const char *path, int node, uint64_t bytes,
		       unsigned int seed);

/** lab_read_file - read a part, without its neighbours, into pages on a node. */
void lab_read_file(const char *path, int node, uint64_t offset, uint64_t bytes);

/** lab_assert_file - it has that pattern; reads it. */
void lab_assert_file(const char *path, uint64_t offset, uint64_t bytes,
		     unsigned int seed);

/** Files in each directory that lab_make_files() makes. */
#define LAB_FILES_IN_ONE 1000

/**
 * lab_make_files - make files of one page: 0/0, 0/1 and so on, then 1/1000
 * @every: each so-many-th is written, on node 0; the others are holes, and not cached
 */
void lab_make_files(const char *directory, unsigned int nr, unsigned int every);

/** lab_settle_lru - pages that are on their way to another LRU list arrive. */
void lab_settle_lru(void);

/* ---------------------------------------------------------------- the oracle */

struct lab_file_page {
	uint64_t frame;
	uint64_t flags; /**< KPF_*, of its folio */
	int node;       /**< -1: not cached */
};

/** A part of a file as it is cached. */
struct lab_file_view {
	struct lab_file_view *next;
	uint64_t nr_cached;
	uint64_t nr_dirty;
	uint64_t nr_writeback;
	uint64_t nr_large;
	uint64_t node_pages[ORACLE_MAX_NODES];
	uint64_t nr_pages;
	struct lab_file_page pages[]; /**< nr_pages of them, cached or not */
};

/** lab_look_at_file - all of it; reads nothing, and leaves the LRU lists as they are. */
const struct lab_file_view *lab_look_at_file(struct lab *lab, const char *path);

const struct lab_file_view *lab_look_at_part(struct lab *lab, const char *path,
					     uint64_t offset, uint64_t bytes);

/**
 * lab_assert_flags_same - the frames of a view have the flags they had
 *
 * Without looking at the file again: it is not mapped for it.
 */
void lab_assert_flags_same(const struct lab_file_view *before, uint64_t flags);

/** lab_assert_dirty_same - page by page. */
void lab_assert_dirty_same(const struct lab_file_view *before,
			   const struct lab_file_view *after);

/**
 * lab_assert_file_accounting - a report about one file says what the oracle saw
 *
 * As lab_assert_accounting(), for a file that nobody touched meanwhile: nothing is gone
 * and nothing new.
 */
void lab_assert_file_accounting(const struct report *report,
				const struct lab_file_view *before,
				const struct lab_file_view *after);

/** lab_assert_file_on - so many pages are cached, and all on that node. */
void lab_assert_file_on(struct lab *lab, const char *path, int node, uint64_t nr_pages);

/** lab_move_file_busy - as lab_move_busy(). */
struct run *lab_move_file_busy(struct lab *lab, const char *format, ...) FORMAT(2, 3);

/**
 * lab_move_file_half_way - start a move of a file and stop it before most of it is done
 * @nr_pages: that the file has, all of them on node 0
 *
 * As lab_move_half_way().
 */
struct run *lab_move_file_half_way(struct lab *lab, const char *path, int node,
				   uint64_t nr_pages);

/**
 * lab_assert_file_moves - move an idle file with these arguments (without its path):
 * all gets in place, the report is right to the page, each page is as dirty as before,
 * and the device has neither read nor written
 */
const struct report *lab_assert_file_moves(struct lab *lab, const struct lab_disk *disk,
					   const char *path, const char *format, ...)
	FORMAT(4, 5);

#endif
