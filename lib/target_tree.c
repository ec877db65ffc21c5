/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>

#include "array.h"
#include "handles.h"
#include "process.h"
#include "target.h"

struct family_link {
	pid_t parent;
	pid_t pid;
};

/* All parents and children of the machine, where the kernel does not list them. */
struct family {
	struct family_link *links;
	size_t count;
	size_t capacity;
};

struct child_scan {
	struct mig_target *target;
	const struct mig_process *parent;
	size_t again_from; /**< the first that joined the tree just now */
};

static int add_child(void *data, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	struct child_scan *scan = data;
	struct mig_held *held = mig_held_find(&scan->target->held, pid);
	int r;

	if (held && !held->in_tree) {
		size_t place = (size_t)(held - scan->target->held.held);

		/* It was named by itself; now its descendants count as well. */
		held->in_tree = true;
		if (place < scan->again_from)
			scan->again_from = place;
	}
	if (held)
		return 0;
	r = mig_process_open(scan->target->context, pid, &process);
	/* Gone, a kernel thread or a zombie: nothing to look at or to move. */
	if (r == -ESRCH || r == -ENXIO || r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	/*
	 * The number may have been used again since the parent's children were read.
	 * Whoever has the parent that is held is its child. One whose parent died in
	 * between is lost, as it would have been a moment later.
	 */
	if (process->pid != pid || process->parent != scan->parent->pid ||
	    !mig_process_holds_number(scan->parent))
		return 0;
	r = mig_held_keep(&scan->target->held, process, MIG_HELD_IN_TREE);
	if (!r)
		process = NULL;
	return r;
}

static int add_link(void *data, pid_t pid, pid_t parent)
{
	struct family *family = data;
	void *links = family->links;
	int r = mig_array_reserve(&links, &family->capacity, family->count,
				  sizeof(*family->links));

	family->links = links;
	if (!r)
		family->links[family->count++] =
			(struct family_link){ .parent = parent, .pid = pid };
	return r;
}

static int compare_links(const void *left, const void *right)
{
	const struct family_link *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static int read_family(const struct mig_context *context, struct family *family)
{
	int r = mig_process_visit_all(context, add_link, family);

	if (!r && family->count)
		qsort(family->links, family->count, sizeof(*family->links),
		      compare_links);
	return r;
}

static int visit_family(const struct family *family, struct child_scan *scan)
{
	size_t low = 0, high = family->count;
	int r = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (family->links[middle].parent < scan->parent->pid)
			low = middle + 1;
		else
			high = middle;
	}
	while (!r && low < family->count &&
	       family->links[low].parent == scan->parent->pid)
		r = add_child(scan, family->links[low++].pid);
	return r;
}

static void cleanup_family(struct family *family)
{
	free(family->links);
}

/* What has appeared below one process; @family is read when it is needed. */
static int scan_children(struct child_scan *scan, struct family *family)
{
	int r;

	if (!family->count) {
		r = mig_process_visit_children(scan->parent, add_child, scan);
		if (r != -ENOSYS)
			return r == -ESRCH ? 0 : r;
		r = read_family(scan->target->context, family);
		if (r < 0)
			return r;
	}
	return visit_family(family, scan);
}

/*
 * Adds what has appeared below the processes from @place on; those that are added
 * come behind and are looked at too. Members that have exited have no children any
 * more: those went to another parent and can only be found if that one is in the
 * tree.
 */
int mig_target_scan_trees(struct mig_target *target, size_t place)
{
	CLEANUP(cleanup_family) struct family family = { 0 };

	while (place < target->held.nr) {
		struct child_scan scan = {
			.target = target,
			.parent = target->held.held[place].process,
			.again_from = place + 1,
		};
		int r = 0;

		if (target->held.held[place].in_tree)
			r = scan_children(&scan, &family);
		if (r < 0)
			return r;
		place = scan.again_from;
	}
	return 0;
}

int mig_target_add_tree(struct mig_target *target, pid_t pid)
{
	CLEANUP_MIG(process) struct mig_process *process = NULL;
	size_t first;
	struct mig_held *held;
	int r;

	if (!target)
		return -EINVAL;
	r = mig_process_open(target->context, pid, &process);
	if (r < 0)
		return r;
	held = mig_held_find(&target->held, process->pid);
	if (held && held->in_tree)
		return -EEXIST;
	if (held) {
		/* A member so far by itself becomes the root of a tree. */
		held->in_tree = true;
		first = (size_t)(held - target->held.held);
		return mig_target_scan_trees(target, first);
	}
	first = target->held.nr;
	r = mig_held_keep(&target->held, process, MIG_HELD_IN_TREE);
	if (r < 0)
		return r;
	process = NULL;
	return mig_target_scan_trees(target, first);
}
