/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel's log says of a page that kept a memory block from going offline:
 * /dev/kmsg, in the words of Linux 6.1 to 7.2 (mm/debug.c, mm/memory_hotplug.c).
 */
#ifndef MIG_KMSG_H
#define MIG_KMSG_H

#include "context.h"
#include "text.h"

/** What mig_block_attempt has room for. */
#define MIG_KMSG_PAGE_SIZE 64

/** A page that is being told of. */
struct mig_kmsg_page {
	uint64_t frame;
	bool has_frame;
	bool is_tried;                 /**< it was to be moved */
	char type[MIG_KMSG_PAGE_SIZE]; /**< its page_type; "" */
	char name[MIG_KMSG_PAGE_SIZE]; /**< otherwise what it is; "" */
};

/** A log that is read record by record. Zeroed but for the first two members. */
struct mig_kmsg_scan {
	uint64_t first_frame; /**< of the block: other pages are passed over */
	uint64_t end_frame;
	struct mig_kmsg_page page;
	enum mig_block_obstacle obstacle; /**< the last one that was told of */
	uint64_t frame;
	char name[MIG_KMSG_PAGE_SIZE];
};

/**
 * mig_kmsg_scan_take - go on with some records
 * @records: whole ones as of /dev/kmsg, "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT"; what is
 *           none is passed over
 */
void mig_kmsg_scan_take(struct mig_kmsg_scan *scan, struct mig_text records);

/**
 * mig_kmsg_open - the log from now on
 * Return: a descriptor (O_CLOEXEC) or a negative errno.
 */
int mig_kmsg_open(const struct mig_context *context);

/** mig_kmsg_read - all that has been logged since. Errors: of read(2). */
int mig_kmsg_read(int fd, struct mig_kmsg_scan *scan);

#endif
