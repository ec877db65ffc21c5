/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mbind(2) as a checked primitive: policy and pages are read back. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>

#include "batch.h"
#include "nodemask.h"

/* The kernel's numbers, which are in no header of Linux 5.x. */
#define MODE_PREFERRED_MANY 5
#define MODE_WEIGHTED_INTERLEAVE 6
/* MPOL_F_STATIC_NODES and the other flags that stand beside the mode. */
#define MODE_FLAGS (7 << 13)

/* Pages asked for at a time, so that memory does not grow with the range. */
#define PIECE 512

static int mode_of(enum mig_policy policy)
{
	switch (policy) {
	case MIG_POLICY_DEFAULT:
		return MPOL_DEFAULT;
	case MIG_POLICY_BIND:
		return MPOL_BIND;
	case MIG_POLICY_PREFER:
		return MPOL_PREFERRED;
	case MIG_POLICY_INTERLEAVE:
		return MPOL_INTERLEAVE;
	case MIG_POLICY_WEIGHTED_INTERLEAVE:
		return MODE_WEIGHTED_INTERLEAVE;
	}
	return -EINVAL;
}

static int policy_of(int mode, enum mig_policy *ret_policy)
{
	switch (mode & ~MODE_FLAGS) {
	case MPOL_DEFAULT:
	case MPOL_LOCAL:
		*ret_policy = MIG_POLICY_DEFAULT;
		return 0;
	case MPOL_BIND:
		*ret_policy = MIG_POLICY_BIND;
		return 0;
	case MPOL_PREFERRED:
	case MODE_PREFERRED_MANY:
		*ret_policy = MIG_POLICY_PREFER;
		return 0;
	case MPOL_INTERLEAVE:
		*ret_policy = MIG_POLICY_INTERLEAVE;
		return 0;
	case MODE_WEIGHTED_INTERLEAVE:
		*ret_policy = MIG_POLICY_WEIGHTED_INTERLEAVE;
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* The kernel takes the first of several preferred nodes without a word. */
static bool nodes_fit(enum mig_policy policy, const struct mig_nodeset *nodes)
{
	unsigned int nr_nodes = nodes ? mig_nodeset_count(nodes) : 0;

	if (policy == MIG_POLICY_DEFAULT)
		return !nr_nodes;
	return policy == MIG_POLICY_PREFER ? nr_nodes == 1 : nr_nodes > 0;
}

static int check(const struct mig_context *context, const void *start, size_t length,
		 unsigned int flags)
{
	uintptr_t address = (uintptr_t)start;

	if (address % context->page_size || !length || length > SIZE_MAX - address ||
	    flags & ~(MIG_BIND_MOVE | MIG_BIND_MOVE_SHARED))
		return -EINVAL;
	return context->live ? 0 : -EXDEV;
}

/* A call for no memory checks the mode, and nothing else can be wrong with it. */
static bool knows_mode(const struct mig_context *context, void *start, int mode)
{
	return context->calls->mbind(start, 0, mode, NULL, 1, 0) != -EINVAL;
}

static int bind_range(const struct mig_context *context, void *start, size_t length,
		      int mode, const struct mig_nodeset *nodes, unsigned int flags)
{
	const struct mig_nodeset none = { { 0 } };
	const struct mig_nodemask mask = mig_nodemask_of(nodes ? nodes : &none);
	unsigned int move = 0;
	long r;

	if (flags & MIG_BIND_MOVE)
		move |= MPOL_MF_MOVE;
	if (flags & MIG_BIND_MOVE_SHARED)
		move |= MPOL_MF_MOVE_ALL;
	r = context->calls->mbind(start, length, mode, mask.words, MIG_NODEMASK_MAXNODE,
				  move);
	if (r == -EINVAL && mode == MODE_WEIGHTED_INTERLEAVE &&
	    !knows_mode(context, start, mode))
		return -ENOTSUP;
	return (int)r;
}

static int read_policy(const struct mig_context *context, void *start,
		       struct mig_binding *binding)
{
	struct mig_nodemask mask = { { 0 } };
	int mode = MPOL_DEFAULT;
	long r = context->calls->get_mempolicy(&mode, mask.words, MIG_NODEMASK_MAXNODE,
					       start, MPOL_F_ADDR);

	if (r < 0)
		return (int)r;
	binding->nodes = mig_nodemask_to_set(&mask);
	return policy_of(mode, &binding->policy);
}

static void count_page(struct mig_binding *binding, int node)
{
	if (node < 0)
		return;
	binding->resident_pages++;
	/* A policy without nodes misplaces nothing. */
	if (binding->policy != MIG_POLICY_DEFAULT &&
	    !mig_nodeset_has(&binding->nodes, node))
		binding->misplaced_pages++;
}

/* Every base page is asked for, those of huge pages too: they say the same. */
static int read_pages(const struct mig_context *context, const char *start, size_t length,
		      struct mig_binding *binding)
{
	size_t nr_pages = (length + context->page_size - 1) / context->page_size;
	void *addresses[PIECE];
	int status[PIECE];

	for (size_t at = 0; at < nr_pages;) {
		size_t piece = nr_pages - at < PIECE ? nr_pages - at : PIECE;
		int r;

		for (size_t i = 0; i < piece; i++)
			addresses[i] = (void *)(uintptr_t)(start +
							   (at + i) * context->page_size);
		r = mig_batch_ask(context, 0, addresses, status, piece);
		if (r < 0)
			return r;
		for (size_t i = 0; i < piece; i++)
			count_page(binding, status[i]);
		at += piece;
	}
	return 0;
}

int mig_range_bind(struct mig_context *context, void *start, size_t length,
		   enum mig_policy policy, const struct mig_nodeset *nodes,
		   unsigned int flags, struct mig_binding *ret_binding)
{
	struct mig_binding binding = { 0 };
	int mode = mode_of(policy);
	int r;

	if (!context || !ret_binding || mode < 0 || !nodes_fit(policy, nodes))
		return -EINVAL;
	r = check(context, start, length, flags);
	if (!r)
		r = bind_range(context, start, length, mode, nodes, flags);
	if (!r)
		r = read_policy(context, start, &binding);
	if (!r)
		r = read_pages(context, start, length, &binding);
	if (r < 0)
		return r;
	*ret_binding = binding;
	return 0;
}
