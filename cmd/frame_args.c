/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame_args.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static const char none_of_these[] =
	"not an address as 0x12345678, a range as 0x100000-0x200000, or pfn:74565";
static const char too_large[] = "there is no address that large";

static int value_of(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return 16;
}

/* Return: NULL, or what is wrong with it. */
static const char *parse_number(const char *text, size_t length, uint64_t *ret_number)
{
	unsigned int base = 10;
	uint64_t number = 0;

	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		text += 2;
		length -= 2;
	}
	if (!length)
		return none_of_these;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = (unsigned int)value_of(text[i]);

		if (digit >= base)
			return none_of_these;
		if (__builtin_mul_overflow(number, (uint64_t)base, &number) ||
		    __builtin_add_overflow(number, (uint64_t)digit, &number))
			return too_large;
	}
	*ret_number = number;
	return NULL;
}

static const char *parse_pfn(const char *text, size_t length, size_t page_size,
			     struct frame_range *ret_range)
{
	uint64_t frame;
	const char *wrong = parse_number(text, length, &frame);

	if (wrong)
		return wrong;
	if (frame > UINT64_MAX / page_size)
		return too_large;
	*ret_range = (struct frame_range){ .first = frame, .nr = 1 };
	return NULL;
}

const char *frame_range_parse(const char *text, size_t length, size_t page_size,
			      struct frame_range *ret_range)
{
	const char *hyphen = memchr(text, '-', length);
	size_t start_length = hyphen ? (size_t)(hyphen - text) : length;
	uint64_t start, end;
	const char *wrong;

	if (length > 4 && !memcmp(text, "pfn:", 4))
		return parse_pfn(text + 4, length - 4, page_size, ret_range);
	wrong = parse_number(text, start_length, &start);
	if (!wrong && hyphen)
		wrong = parse_number(hyphen + 1, length - start_length - 1, &end);
	if (wrong)
		return wrong;
	if (!hyphen) {
		*ret_range = (struct frame_range){ .first = start / page_size, .nr = 1 };
		return NULL;
	}
	if (start % page_size)
		return "it does not begin where a page begins";
	if (end % page_size)
		return "it does not end where a page begins";
	if (end <= start)
		return "it does not end behind its beginning";
	*ret_range = (struct frame_range){ .first = start / page_size,
					   .nr = (end - start) / page_size };
	return NULL;
}

/* ---- lines ---- */

/* Return: 1, 0 at the end, or a negative errno. */
static int read_more(struct frame_lines *lines, bool may_wait)
{
	struct pollfd poll_fd = { .fd = lines->fd, .events = POLLIN };
	ssize_t n;

	if (!may_wait && poll(&poll_fd, 1, 0) <= 0)
		return -EAGAIN;
	memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
	lines->end -= lines->start;
	lines->start = 0;
	n = read(lines->fd, lines->buffer + lines->end,
		 sizeof(lines->buffer) - lines->end);
	if (n < 0)
		return -errno;
	lines->end += (size_t)n;
	return n > 0;
}

/* What is left of a line that is too long is no line of its own. */
static void skip(struct frame_lines *lines)
{
	const char *line = lines->buffer + lines->start;
	const char *newline = memchr(line, '\n', lines->end - lines->start);

	lines->start = newline ? (size_t)(newline + 1 - lines->buffer) : lines->end;
	lines->skips = !newline;
}

/* The next line, whole; the last one need not end. Return: as frame_lines_next(). */
static int next_line(struct frame_lines *lines, bool may_wait, const char **ret_line,
		     size_t *ret_length)
{
	for (;;) {
		const char *line, *newline;
		size_t length;
		int r;

		if (lines->skips)
			skip(lines);
		line = lines->buffer + lines->start;
		length = lines->end - lines->start;
		newline = memchr(line, '\n', length);
		if (newline || (lines->at_end && length)) {
			*ret_line = line;
			*ret_length = newline ? (size_t)(newline - line) : length;
			lines->start += *ret_length + (newline ? 1 : 0);
			lines->number++;
			return 1;
		}
		if (lines->at_end)
			return 0;
		if (length == sizeof(lines->buffer)) {
			lines->skips = true;
			lines->number++;
			return -EMSGSIZE;
		}
		r = read_more(lines, may_wait);
		if (r < 0)
			return r;
		lines->at_end = !r;
	}
}

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r';
}

int frame_lines_next(struct frame_lines *lines, bool may_wait, const char **ret_word,
		     size_t *ret_length)
{
	for (;;) {
		size_t length = 0;
		const char *word = NULL, *mark;
		int r = next_line(lines, may_wait, &word, &length);

		if (r <= 0)
			return r;
		mark = memchr(word, '#', length);
		if (mark)
			length = (size_t)(mark - word);
		while (length && is_blank(*word)) {
			word++;
			length--;
		}
		while (length && is_blank(word[length - 1]))
			length--;
		if (!length)
			continue;
		*ret_word = word;
		*ret_length = length;
		return 1;
	}
}
