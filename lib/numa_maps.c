/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "numa_maps.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* What a word turned out to be. */
enum word {
	WORD_UNKNOWN,
	WORD_KNOWN,
	WORD_BAD, /* known, with a value that is none */
};

static enum word read_count(struct mig_text value, uint64_t *ret_count)
{
	uint64_t count;

	if (mig_text_take_number(&value, 10, &count) < 0 || value.length)
		return WORD_BAD;
	*ret_count = count;
	return WORD_KNOWN;
}

static enum word read_flag(struct mig_text word, struct mig_numa_maps_line *line)
{
	if (mig_text_is(word, "heap"))
		line->is_heap = true;
	else if (mig_text_is(word, "stack"))
		line->is_stack = true;
	else if (mig_text_is(word, "huge"))
		line->is_huge = true;
	/* The path is in maps too, and not escaped there. */
	else if (mig_text_take_string(&word, "file="))
		line->has_file = true;
	else
		return WORD_UNKNOWN;
	return WORD_KNOWN;
}

/* "N3=17". Nodes without pages have no word, so a node that stands is never 0. */
static enum word read_node(struct mig_text word, struct mig_numa_maps_line *line)
{
	uint64_t node, count;

	if (!mig_text_take_char(&word, 'N') || !word.length || *word.at < '0' ||
	    *word.at > '9')
		return WORD_UNKNOWN;
	if (mig_text_take_number(&word, 10, &node) < 0 || node >= MIG_MAX_NODES ||
	    !mig_text_take_char(&word, '=') || read_count(word, &count) != WORD_KNOWN)
		return WORD_BAD;
	if (line->node_pages[node] ||
	    __builtin_add_overflow(line->resident_pages, count, &line->resident_pages))
		return WORD_BAD;
	line->node_pages[node] = count;
	if (line->end_node <= (int)node)
		line->end_node = (int)node + 1;
	return WORD_KNOWN;
}

static enum word read_page_size(struct mig_text value, struct mig_numa_maps_line *line)
{
	uint64_t size_kib;

	if (read_count(value, &size_kib) != WORD_KNOWN || !size_kib ||
	    __builtin_mul_overflow(size_kib, 1024, &line->page_size_bytes))
		return WORD_BAD;
	return WORD_KNOWN;
}

static enum word read_word(struct mig_text word, struct mig_numa_maps_line *line)
{
	uint64_t not_kept;
	const struct {
		const char *name;
		uint64_t *count;
	} counts[] = {
		{ "anon=", &line->anon_pages },
		{ "dirty=", &line->dirty_pages },
		{ "swapcache=", &line->swapcache_pages },
		{ "writeback=", &line->writeback_pages },
		{ "mapmax=", &line->most_mappers },
		/* Only there for some mappings: the nodes' sum is always right. */
		{ "mapped=", &not_kept },
		{ "active=", &not_kept },
	};
	enum word found = read_flag(word, line);

	if (found == WORD_UNKNOWN)
		found = read_node(word, line);
	if (found != WORD_UNKNOWN)
		return found;
	if (mig_text_take_string(&word, "kernelpagesize_kB="))
		return read_page_size(word, line);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (mig_text_take_string(&word, counts[i].name))
			return read_count(word, counts[i].count);
	return WORD_UNKNOWN;
}

/*
 * Some policies have a blank in their name ("prefer (many):1", "weighted
 * interleave:0-1"). A policy with nodes ends with the word that has the colon; one
 * without is followed by a known word or by nothing.
 */
static bool policy_is_whole(struct mig_text policy)
{
	return !policy.length || memchr(policy.at, ':', policy.length) ||
	       mig_text_is(policy, "default") || mig_text_is(policy, "local");
}

/* Most machines have few of the nodes that there may be. */
static void clear(struct mig_numa_maps_line *line)
{
	memset(line->node_pages, 0, (size_t)line->end_node * sizeof(line->node_pages[0]));
	memset(line, 0, offsetof(struct mig_numa_maps_line, node_pages));
}

int mig_numa_maps_parse(struct mig_text line, struct mig_numa_maps_line *line_out)
{
	clear(line_out);
	mig_text_trim(&line);
	if (mig_text_take_number(&line, 16, &line_out->start) < 0 ||
	    !mig_text_take_blanks(&line))
		return -EBADMSG;
	line_out->policy = mig_text_take_word(&line);
	if (!line_out->policy.length)
		return -EBADMSG;
	while (mig_text_take_blanks(&line)) {
		struct mig_text word = mig_text_take_word(&line);
		enum word found = read_word(word, line_out);

		if (found == WORD_BAD)
			return -EBADMSG;
		if (found == WORD_UNKNOWN && !policy_is_whole(line_out->policy))
			line_out->policy.length =
				(size_t)(word.at + word.length - line_out->policy.at);
	}
	/* The kernel names it only where it is more than one. */
	if (line_out->resident_pages && !line_out->most_mappers)
		line_out->most_mappers = 1;
	return 0;
}
