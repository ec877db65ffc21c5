/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lru_gen.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "cleanup.h"
#include "procfs.h"
#include "sysfs.h"

#define ENABLED "sys/kernel/mm/lru_gen/enabled"

/* "memcg     1 /a", " node     0": the number behind a word. */
static int take_header(struct mig_text *line, uint64_t *ret_number)
{
	mig_text_take_blanks(line);
	return mig_text_take_number(line, 10, ret_number) < 0 ? -EBADMSG : 0;
}

/* Pages of a kind, with a letter behind that says more: "1234 ", "0x". */
static int take_pages(struct mig_text *line, uint64_t *ret_pages)
{
	mig_text_take_blanks(line);
	if (mig_text_take_number(line, 10, ret_pages) < 0)
		return -EBADMSG;
	mig_text_take_word(line);
	return 0;
}

/* "  3   1250     0      1234 ": generation, age in ms, anonymous pages, page cache. */
static int add_generation(struct mig_text line, struct mig_lru_gen *gen)
{
	uint64_t number, age, anon, file;

	if (take_header(&line, &number) < 0 || take_header(&line, &age) < 0 ||
	    take_pages(&line, &anon) < 0 || take_pages(&line, &file) < 0 ||
	    __builtin_add_overflow(gen->file_pages, file, &gen->file_pages))
		return -EBADMSG;
	gen->youngest = number;
	gen->has_pages = true;
	return 0;
}

static int take_one(struct mig_text line, struct mig_lru_gen *gen)
{
	mig_text_trim(&line);
	mig_text_take_blanks(&line);
	if (!line.length)
		return 0;
	if (mig_text_take_string(&line, "memcg"))
		return take_header(&line, &gen->memcg);
	if (mig_text_take_string(&line, "node"))
		return take_header(&line, &gen->node);
	return add_generation(line, gen);
}

/* What comes behind the generations belongs to the next. */
static bool is_next_header(struct mig_text text)
{
	mig_text_take_blanks(&text);
	return mig_text_take_string(&text, "memcg") ||
	       mig_text_take_string(&text, "node");
}

int mig_lru_gen_next(struct mig_text *text, struct mig_lru_gen *gen)
{
	gen->file_pages = 0;
	gen->has_pages = false;
	while (text->length && !(gen->has_pages && is_next_header(*text))) {
		int r = take_one(mig_text_take_line(text), gen);

		if (r < 0)
			return r;
	}
	return gen->has_pages;
}

/* Two generations are never reclaimed: there must be two that are younger. Nothing but
 * page cache is meant, each time (mm/vmscan.c, Linux 6.1 to 7.2). */
static int evict(const struct mig_context *context, const struct mig_lru_gen *gen)
{
	char text[256];
	int r;

	snprintf(text, sizeof(text),
		 "+ %" PRIu64 " %" PRIu64 " %" PRIu64 " 0\n"
		 "+ %" PRIu64 " %" PRIu64 " %" PRIu64 " 0\n"
		 "- %" PRIu64 " %" PRIu64 " %" PRIu64 " 0\n",
		 gen->memcg, gen->node, gen->youngest, gen->memcg, gen->node,
		 gen->youngest + 1, gen->memcg, gen->node, gen->youngest);
	r = mig_sysfs_write(context, text, MIG_LRU_GEN_FILE);
	/* The cgroup was removed meanwhile. */
	return r == -EINVAL ? 0 : r;
}

/* Without them switched on the file is there, and nothing in it is true. */
static bool is_enabled(const struct mig_context *context)
{
	char buffer[32];
	struct mig_text text = { .at = buffer };
	uint64_t parts;
	ssize_t length = mig_procfs_read(context, buffer, sizeof(buffer), ENABLED);

	if (length < 0)
		return false;
	text.length = (size_t)length;
	return mig_text_take_string(&text, "0x") &&
	       !mig_text_take_number(&text, 16, &parts) && parts & 1;
}

int mig_lru_gen_reclaim(const struct mig_context *context, int node)
{
	CLEANUP_FREE char *buffer = NULL;
	struct mig_lru_gen gen = { 0 };
	struct mig_text text;
	ssize_t length;
	int r;

	if (!is_enabled(context))
		return -EOPNOTSUPP;
	length = mig_procfs_read_alloc(context, &buffer, MIG_LRU_GEN_FILE);
	if (length < 0)
		return length == -ENOENT ? -EOPNOTSUPP : (int)length;
	text = (struct mig_text){ buffer, (size_t)length };
	while ((r = mig_lru_gen_next(&text, &gen)) > 0) {
		if (gen.node != (uint64_t)node || !gen.file_pages)
			continue;
		r = evict(context, &gen);
		if (r < 0)
			break;
	}
	return r;
}
