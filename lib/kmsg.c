/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "procfs.h"

/* The kernel gives one record a read, and none is larger. */
#define RECORD_SIZE 8192

/* Cut off where there is no room. */
static void copy(char to[MIG_KMSG_PAGE_SIZE], struct mig_text from)
{
	size_t length = from.length < MIG_KMSG_PAGE_SIZE - 1 ? from.length
							     : MIG_KMSG_PAGE_SIZE - 1;

	memcpy(to, from.at, length);
	to[length] = '\0';
}

/* The text behind the first @string in @text. Return: whether it is there. */
static bool find(struct mig_text text, const char *string, struct mig_text *ret_behind)
{
	size_t length = strlen(string);
	const char *at = memmem(text.at, text.length, string, length);

	if (!at)
		return false;
	ret_behind->at = at + length;
	ret_behind->length = text.length - (size_t)(ret_behind->at - text.at);
	return true;
}

static struct mig_text take_until(struct mig_text *text, char end)
{
	const char *at = memchr(text->at, end, text->length);
	struct mig_text taken = { .at = text->at };

	taken.length = at ? (size_t)(at - text->at) : text->length;
	text->at += taken.length;
	text->length -= taken.length;
	return taken;
}

static bool is_meant(const struct mig_kmsg_scan *scan, uint64_t frame)
{
	return frame >= scan->first_frame && frame < scan->end_frame;
}

static void conclude(struct mig_kmsg_scan *scan, enum mig_block_obstacle obstacle)
{
	const struct mig_kmsg_page *page = &scan->page;

	scan->obstacle = obstacle;
	scan->frame = page->frame;
	memcpy(scan->name, *page->type ? page->type : page->name, sizeof(scan->name));
}

/* "migrating pfn 10001f failed ret:4", "failed to isolate pfn 10001f": it is described
 * next, if the kernel has not done so too often. */
static void begin_tried(struct mig_kmsg_scan *scan, struct mig_text text)
{
	uint64_t frame;

	scan->page = (struct mig_kmsg_page){ 0 };
	if (mig_text_take_number(&text, 16, &frame) < 0 || !is_meant(scan, frame))
		return;
	scan->page.frame = frame;
	scan->page.has_frame = true;
	scan->page.is_tried = true;
	conclude(scan, MIG_OBSTACLE_STAYED);
}

/* "refcount:3 mapcount:1 mapping:0000000000000000 index:0x7f643c003 pfn:0x10001f". Of
 * huge pages it may be the first frame, which need not be the one that was tried. */
static void begin_description(struct mig_kmsg_scan *scan, struct mig_text text)
{
	struct mig_kmsg_page *page = &scan->page;
	struct mig_text number;
	uint64_t frame;

	if (!page->is_tried)
		*page = (struct mig_kmsg_page){ 0 };
	page->type[0] = '\0';
	page->name[0] = '\0';
	if (page->has_frame || !find(text, "pfn:0x", &number) ||
	    mig_text_take_number(&number, 16, &frame) < 0 || !is_meant(scan, frame))
		return;
	page->frame = frame;
	page->has_frame = true;
}

/* "aops:ext4_da_aops ino:c dentry name(?):"a file"", 6.1 without the question mark. */
static void take_file(struct mig_kmsg_page *page, struct mig_text text)
{
	struct mig_text name;

	if (find(text, " dentry name", &name)) {
		take_until(&name, '"');
		/* As much as there is room for: names may hold quotation marks. */
		mig_text_trim(&name);
		copy(page->name, name);
		if (name.length)
			return;
	}
	copy(page->name, mig_text_take_word(&text));
}

/* "9fffffc000000(slab|node=2|zone=3)": words that say what it is. */
static void take_flags(struct mig_kmsg_page *page, struct mig_text text)
{
	static const char *const telling[] = { "slab", "reserved", "hwpoison" };

	take_until(&text, '(');
	while (text.length && *text.at != ')') {
		struct mig_text word;
		size_t length = 0;

		text.at++;
		text.length--;
		while (length < text.length && text.at[length] != '|' &&
		       text.at[length] != ')')
			length++;
		word = (struct mig_text){ .at = text.at, .length = length };
		text.at += length;
		text.length -= length;
		for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++)
			if (mig_text_is(word, telling[i]))
				copy(page->type, word);
	}
}

/* "f5(slab)"; "0xffffffff()" of what has none. */
static void take_type(struct mig_kmsg_page *page, struct mig_text text)
{
	take_until(&text, '(');
	if (!mig_text_take_char(&text, '('))
		return;
	text = take_until(&text, ')');
	if (text.length)
		copy(page->type, text);
}

static void take_reason(struct mig_kmsg_scan *scan, struct mig_text reason)
{
	if (scan->page.has_frame) {
		if (mig_text_is(reason, "unmovable page"))
			conclude(scan, MIG_OBSTACLE_UNMOVABLE);
		else if (mig_text_is(reason, "migration failure") ||
			 mig_text_is(reason, "isolation failed"))
			conclude(scan, MIG_OBSTACLE_STAYED);
	}
	scan->page = (struct mig_kmsg_page){ 0 };
}

static void take_text(struct mig_kmsg_scan *scan, struct mig_text text)
{
	static const char *const kinds[] = { "anon", "ksm" };
	struct mig_kmsg_page *page = &scan->page;
	struct mig_text rest = text;

	if (mig_text_take_string(&rest, "migrating pfn ") ||
	    mig_text_take_string(&rest, "failed to isolate pfn ")) {
		begin_tried(scan, rest);
		return;
	}
	/* 6.1: "page:000000007f3a refcount:". */
	if (mig_text_take_string(&rest, "page:") && find(rest, "refcount:", &rest)) {
		begin_description(scan, rest);
		return;
	}
	if (mig_text_take_string(&rest, "page dumped because: ")) {
		take_reason(scan, rest);
		return;
	}
	if (mig_text_take_string(&rest, "aops:")) {
		take_file(page, rest);
		return;
	}
	if (mig_text_take_string(&rest, "page_type: ")) {
		take_type(page, rest);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (mig_text_take_string(&rest, kinds[i]) &&
		    mig_text_take_char(&rest, ' '))
			copy(page->name, (struct mig_text){ kinds[i], strlen(kinds[i]) });
	if (mig_text_take_string(&rest, "flags: "))
		take_flags(page, rest);
}

void mig_kmsg_scan_take(struct mig_kmsg_scan *scan, struct mig_text records)
{
	while (records.length) {
		struct mig_text text, line = mig_text_take_line(&records);

		mig_text_trim(&line);
		/* A blank stands before the keys that may follow a record. */
		if (!line.length || *line.at == ' ' || !find(line, ";", &text))
			continue;
		take_text(scan, text);
	}
}

int mig_kmsg_open(const struct mig_context *context)
{
	int fd = openat(context->root_fd, "dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int mig_kmsg_read(int fd, struct mig_kmsg_scan *scan)
{
	char record[RECORD_SIZE];

	for (;;) {
		ssize_t length = read(fd, record, sizeof(record));

		/* -EPIPE: some were overwritten before they were read. */
		if (length < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (length < 0 && errno != EAGAIN)
			return -errno;
		if (length <= 0)
			return 0;
		mig_kmsg_scan_take(scan, (struct mig_text){ record, (size_t)length });
	}
}
