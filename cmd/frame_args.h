/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page frames as users and logs name them, on the command line or on standard input. */
#ifndef MIGRATECTL_FRAME_ARGS_H
#define MIGRATECTL_FRAME_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_range {
	uint64_t first;
	uint64_t nr; /**< at least 1 */
};

/**
 * frame_range_parse - "0x12345678", "0x100000-0x200000" or "pfn:74565"
 *
 * Numbers are decimal, or hexadecimal behind 0x. The address may be anywhere in a page;
 * the ends of a range must be where pages begin, and its end is not included.
 * Return: NULL, or what is wrong with it.
 */
const char *frame_range_parse(const char *text, size_t length, size_t page_size,
			      struct frame_range *ret_range);

#define FRAME_LINE_SIZE 4096

/** Lines of a descriptor, as they come. */
struct frame_lines {
	int fd;
	char buffer[FRAME_LINE_SIZE];
	size_t start; /**< of what was not handed out yet */
	size_t end;
	bool at_end;
	bool skips;      /**< the rest of a line that was too long */
	uint64_t number; /**< of the last line */
};

/**
 * frame_lines_next - the next line that has a word
 * @may_wait: false: -EAGAIN where none has come yet
 * @ret_word: without the blanks around it, and without what stands behind '#'; borrowed
 *            until the next call
 *
 * Errors: -EAGAIN; -EINTR; -EMSGSIZE: a line that is too long, all of which is
 * passed over; errnos of read(2).
 * Return: 1, 0 at the end, or a negative errno.
 */
int frame_lines_next(struct frame_lines *lines, bool may_wait, const char **ret_word,
		     size_t *ret_length);

#endif
