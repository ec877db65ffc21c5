/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libmigrate.h"

#include <errno.h>
#include <stdio.h>

#include "device.h"
#include "text.h"

#define NR_WORDS (MIG_MAX_NODES / 64)

static bool is_in_range(int node)
{
	return node >= 0 && node < MIG_MAX_NODES;
}

static uint64_t bit_of(int node)
{
	return UINT64_C(1) << (node % 64);
}

void mig_nodeset_add(struct mig_nodeset *set, int node)
{
	if (set && is_in_range(node))
		set->bits[node / 64] |= bit_of(node);
}

void mig_nodeset_remove(struct mig_nodeset *set, int node)
{
	if (set && is_in_range(node))
		set->bits[node / 64] &= ~bit_of(node);
}

bool mig_nodeset_has(const struct mig_nodeset *set, int node)
{
	return set && is_in_range(node) && set->bits[node / 64] & bit_of(node);
}

unsigned int mig_nodeset_count(const struct mig_nodeset *set)
{
	unsigned int count = 0;

	for (size_t i = 0; set && i < NR_WORDS; i++)
		count += (unsigned int)__builtin_popcountll(set->bits[i]);
	return count;
}

int mig_nodeset_next(const struct mig_nodeset *set, int node)
{
	if (!set || node >= MIG_MAX_NODES - 1)
		return MIG_NO_NODE;
	node = node < 0 ? 0 : node + 1;
	for (int i = node / 64; i < NR_WORDS; i++) {
		uint64_t bits = set->bits[i];

		/* What lies before @node in its own word is done. */
		if (i == node / 64)
			bits &= ~UINT64_C(0) << (node % 64);
		if (bits)
			return i * 64 + __builtin_ctzll(bits);
	}
	return MIG_NO_NODE;
}

bool mig_nodeset_is_equal(const struct mig_nodeset *a, const struct mig_nodeset *b)
{
	return mig_nodeset_is_subset(a, b) && mig_nodeset_is_subset(b, a);
}

bool mig_nodeset_is_subset(const struct mig_nodeset *set, const struct mig_nodeset *of)
{
	if (!set || !of)
		return false;
	for (size_t i = 0; i < NR_WORDS; i++)
		if (set->bits[i] & ~of->bits[i])
			return false;
	return true;
}

void mig_nodeset_and(struct mig_nodeset *set, const struct mig_nodeset *other)
{
	for (size_t i = 0; set && other && i < NR_WORDS; i++)
		set->bits[i] &= other->bits[i];
}

void mig_nodeset_or(struct mig_nodeset *set, const struct mig_nodeset *other)
{
	for (size_t i = 0; set && other && i < NR_WORDS; i++)
		set->bits[i] |= other->bits[i];
}

/* What the numbers of one list mean. */
struct list_rule {
	const struct mig_nodeset *among; /**< the nodes that a list may name */
	bool relative;                   /**< numbers count these nodes */
};

static int nth_node(const struct mig_nodeset *set, uint64_t n)
{
	int node = mig_nodeset_next(set, MIG_NO_NODE);

	while (n-- && node != MIG_NO_NODE)
		node = mig_nodeset_next(set, node);
	return node;
}

static int take_node(struct mig_text *text, const struct list_rule *rule, int *ret_node)
{
	uint64_t number;
	int r, node;

	r = mig_text_take_number(text, 10, &number);
	if (r < 0)
		return r;
	if (number >= MIG_MAX_NODES)
		return -ERANGE;
	node = rule->relative ? nth_node(rule->among, number) : (int)number;
	if (!mig_nodeset_has(rule->among, node))
		return -ENODEV;
	*ret_node = node;
	return 0;
}

/*
 * "5" or "3-7". The ends have to exist; numbers between them that do not are
 * passed over, as numactl does, since node numbers may have gaps.
 */
static int take_range(struct mig_text *text, const struct list_rule *rule,
		      struct mig_nodeset *set)
{
	int first, last, r;

	r = take_node(text, rule, &first);
	if (r < 0)
		return r;
	last = first;
	if (mig_text_take_char(text, '-')) {
		r = take_node(text, rule, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -ERANGE;
	for (int node = first; node <= last; node++)
		if (mig_nodeset_has(rule->among, node))
			mig_nodeset_add(set, node);
	return 0;
}

static int parse_list(const struct mig_topology *topology, struct mig_text text,
		      struct mig_nodeset *set)
{
	const struct mig_nodeset *allowed =
		mig_topology_get_nodes(topology, MIG_NODES_ALLOWED);
	struct list_rule rule = {
		.among = mig_topology_get_nodes(topology, MIG_NODES_ONLINE),
	};
	int r;

	if (mig_text_take_char(&text, '+')) {
		rule.among = allowed;
		rule.relative = true;
	}
	if (mig_text_is(text, "all")) {
		*set = *allowed;
		return 0;
	}
	do {
		r = take_range(&text, &rule, set);
		if (r < 0)
			return r;
	} while (mig_text_take_char(&text, ','));
	return text.length ? -EINVAL : 0;
}

int mig_nodeset_parse(const struct mig_topology *topology, const char *text,
		      size_t length, struct mig_nodeset *ret_set)
{
	struct mig_text rest = { .at = text, .length = length };
	struct mig_nodeset set = { 0 };
	bool invert;
	int r;

	if (!topology || !text || !ret_set)
		return -EINVAL;
	invert = mig_text_take_char(&rest, '!');
	if (mig_device_is_named(rest))
		r = mig_device_find_nodes(topology, rest, &set);
	else
		r = parse_list(topology, rest, &set);
	if (r < 0)
		return r;
	if (invert) {
		struct mig_nodeset others =
			*mig_topology_get_nodes(topology, MIG_NODES_ALLOWED);

		for (size_t i = 0; i < NR_WORDS; i++)
			others.bits[i] &= ~set.bits[i];
		set = others;
	}
	if (!mig_nodeset_count(&set))
		return -ENODATA;
	*ret_set = set;
	return 0;
}

/* Writes one more range behind the @length bytes that came before. */
static size_t append_range(char *buffer, size_t size, size_t length, int first, int last)
{
	const char *comma = length ? "," : "";
	char *at = length < size ? buffer + length : NULL;
	size_t room = at ? size - length : 0;
	int added;

	if (first == last)
		added = snprintf(at, room, "%s%d", comma, first);
	else
		added = snprintf(at, room, "%s%d-%d", comma, first, last);
	return length + (added > 0 ? (size_t)added : 0);
}

size_t mig_nodeset_format(const struct mig_nodeset *set, char *buffer, size_t size)
{
	int first = mig_nodeset_next(set, MIG_NO_NODE);
	size_t length = 0;

	if (!buffer)
		size = 0;
	if (size)
		buffer[0] = '\0';
	while (first != MIG_NO_NODE) {
		int last = first, next = mig_nodeset_next(set, first);

		while (next != MIG_NO_NODE && next == last + 1) {
			last = next;
			next = mig_nodeset_next(set, last);
		}
		length = append_range(buffer, size, length, first, last);
		first = next;
	}
	return length;
}
